"""Ensemble: one vote a model, degrading as its settings say, labelled with everybody in it."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyframe import Forecast, Forecaster, ForecastError, MarketSnapshot, Question
from polyframe.api.forecaster import ResolvedPair
from polyframe.domain.units import DAY, HOUR, SECOND
from polyframe.forecasters.ensemble import Ensemble
from polyframe.forecasters.market_prior import MarketPrior
from polyframe.quant.pooling import logit, sigmoid, trimmed_logit_mean

NOW = 1_000 * DAY
QUESTION = Question("m1", "Will it?", ("Yes", "No"), "economics", NOW + 9 * DAY)
SNAPSHOT = MarketSnapshot("m1", 2_900, 3_100, 0.3, NOW)


class Says(Forecaster):
    """Answers as it was told; ``waits`` makes it a forecaster that needs an event loop."""

    pure = True

    def __init__(self, p: float | None, source: str, *, waits: bool = False, **more) -> None:
        super().__init__()
        self.p, self.source, self.waits, self.more = p, source, waits, more
        self.saw: list[MarketSnapshot | None] = []

    async def forecast(self, question, evidence, snapshot, as_of):
        self.saw.append(snapshot)
        if self.waits:
            await asyncio.sleep(0)
        if self.p is None:
            raise ForecastError(f"{self.source} has nothing")
        return Forecast(
            question.market, self.p, **{"as_of": as_of, "source": self.source, **self.more}
        )


class Slow(Says):
    pure = False


def ask(*members: Forecaster, snapshot=None, **config) -> Forecast:
    ensemble = Ensemble(Ensemble.Config(**config))
    ensemble.of = members
    return asyncio.run(ensemble.forecast(QUESTION, None, snapshot, NOW))


def test_the_default_is_the_trimmed_logit_mean_of_each_models_median():
    runs = [(0.2, "a"), (0.4, "a"), (0.9, "a"), (0.5, "b"), (0.6, "c"), (0.99, "d"), (0.7, "e")]
    said = ask(*(Says(p, "panel", model=model) for p, model in runs))
    # The least (0.4) and the greatest (0.99) of five votes are left out.
    assert said.probability == pytest.approx(sigmoid((logit(0.5) + logit(0.6) + logit(0.7)) / 3))


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        ("mean", (0.1 + 0.5 + 0.9 + 0.8) / 4),
        ("median", 0.65),
        ("log_odds", sigmoid((logit(0.8)) / 4)),
        ("weighted", sigmoid((logit(0.8)) / 4)),  # nobody has a record yet
        ("trimmed_logit_mean", sigmoid((logit(0.8)) / 4)),  # of four none is left out
    ],
)
def test_each_method(method, expected):
    members = [Says(p, s) for p, s in ((0.1, "a"), (0.5, "b"), (0.9, "c"), (0.8, "d"))]
    assert ask(*members, method=method).probability == pytest.approx(expected)


def test_the_answer_says_who_made_it_and_what_it_took():
    said = ask(
        Says(0.3, "a", as_of=NOW - 2 * HOUR, latency=HOUR, cost=5, cutoff=3, evidence=("x", "y")),
        Says(0.7, "b", as_of=NOW - HOUR, latency=SECOND, cost=7, cutoff=9, evidence=("y",)),
    )
    assert said.source == "ensemble(a+b)"
    assert said.model == "trimmed_logit_mean"
    assert said.as_of == NOW - HOUR
    assert said.known_at == NOW - HOUR + SECOND
    assert (said.cost, said.cutoff, said.evidence) == (12, 9, ("x", "y"))
    assert (said.low, said.high) == (0.3, 0.7)


def test_asked_at_one_moment_the_latency_is_the_slowest_members():
    said = ask(Says(0.3, "a", latency=SECOND), Says(0.4, "b", latency=9 * SECOND))
    assert (said.as_of, said.latency) == (NOW, 9 * SECOND)


@pytest.mark.parametrize(("least", "answers"), [(1, True), (2, True), (3, False)])
def test_it_degrades_to_the_least_number_of_models(least, answers):
    members = [Says(0.3, "a"), Says(None, "b"), Says(0.5, "c"), Says(0.6, "c")]
    if answers:
        assert ask(*members, min_models=least).source == "ensemble(a+c+c)"
    else:
        with pytest.raises(ForecastError, match=r"2 models answered for market m1 \(b has nothing"):
            ask(*members, min_models=least)


def test_without_members_there_is_no_answer():
    with pytest.raises(ForecastError, match="0 models answered"):
        ask()


def test_members_that_wait_are_asked_together_and_keep_their_order():
    members = [Slow(0.3, "a", waits=True), Slow(None, "b", waits=True), Slow(0.5, "c", waits=True)]
    assert ask(*members).source == "ensemble(a+c)"


def test_a_defect_of_a_member_is_not_swallowed():
    class Broken(Slow):
        async def forecast(self, question, evidence, snapshot, as_of):
            raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        ask(Slow(0.3, "a"), Broken(0.1, "b"))


def test_only_members_that_may_see_the_price_see_it():
    blind = Says(0.6, "a")
    said = ask(blind, MarketPrior(), snapshot=SNAPSHOT)
    assert blind.saw == [None]
    assert said.source == "ensemble(a+market)"
    assert not said.blind
    assert ask(blind, snapshot=SNAPSHOT).blind


def pairs(model: str, p: float, count: int, *, rounds: int = 1, known: int = NOW - DAY):
    return [
        ResolvedPair(Forecast(f"{i}", p, known - DAY, "s", model=model), 1.0, known)
        for i in range(count)
        for _ in range(rounds)
    ]


def weighted(*, minimum: int = 50) -> Ensemble:
    return Ensemble(Ensemble.Config(method="weighted", minimum=minimum))


def test_better_models_weigh_more_once_they_have_a_record():
    made = weighted()
    made.fit([*pairs("good", 0.9, 60), *pairs("bad", 0.4, 60)], NOW)
    good, bad, new = made.weights(["good", "bad", "new"])
    assert good > new > bad
    assert good + bad + new == pytest.approx(1.0)
    made.of = (Says(0.9, "x", model="good"), Says(0.1, "y", model="bad"))
    said = asyncio.run(made.forecast(QUESTION, None, None, NOW))
    assert said.probability > 0.5


def test_repeated_rounds_of_a_question_are_one_observation():
    made = weighted()
    made.fit([*pairs("good", 0.9, 49, rounds=9), *pairs("bad", 0.4, 49, rounds=9)], NOW)
    assert made.records_of["good"].events == 49
    assert made.weights(["good", "bad"]) == [0.5, 0.5]


@given(st.integers(-3, 3), st.integers(1, 5))
def test_no_record_rests_on_an_outcome_known_later(shift, count):
    made = weighted()
    made.fit(pairs("a", 0.9, count, known=NOW + shift), NOW)
    assert ("a" in made.records_of) == (shift < 0)


@given(st.lists(st.floats(0.01, 0.99), min_size=1, max_size=9))
def test_it_is_the_formula_and_stays_within_its_members(said):
    answer = ask(*(Says(p, f"s{i}") for i, p in enumerate(said)))
    assert answer.probability == trimmed_logit_mean([[p] for p in said])
    assert min(said) - 1e-12 <= answer.probability <= max(said) + 1e-12


def test_it_is_no_surer_than_the_least_sure_member_that_says_so():
    """Guards ask for confidence and evidence; a chain must not hide what a member says."""
    members = (
        Says(0.4, "a", confidence="HIGH", evidence_quality=0.8),
        Says(0.5, "b", confidence="medium", evidence_quality=0.6),
        Says(0.6, "c"),
    )
    said = ask(*members)
    assert (said.confidence, said.evidence_quality) == ("MEDIUM", 0.6)
    alone = ask(members[0])
    assert (alone.confidence, alone.evidence_quality) == ("HIGH", 0.8)
    silent = ask(members[2])
    assert (silent.confidence, silent.evidence_quality) == ("", None)
