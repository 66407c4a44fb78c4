"""Calibrated: silent until it has seen enough, then as the formulas say, never from the future."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyframe import Evidence, Forecast, Forecaster, ForecastError, MarketSnapshot, Question
from polyframe.api.forecaster import ResolvedPair
from polyframe.domain.units import DAY, HOUR
from polyframe.forecasters.calibrated import Calibrated
from polyframe.forecasters.market_prior import MarketPrior
from polyframe.quant.calibration import (
    Beta,
    GroupedPlatt,
    Isotonic,
    Platt,
    beta_fit,
    isotonic_fit,
    platt_fit,
)
from polyframe.quant.pooling import logit, sigmoid

NOW = 1_000 * DAY
SNAPSHOT = MarketSnapshot("m1", 2_900, 3_100, 0.3, NOW)


class Says(Forecaster):
    """Answers one probability."""

    pure = True

    def __init__(self, p: float = 0.8, **more) -> None:
        super().__init__()
        self.p, self.more = p, more
        self.saw: list[MarketSnapshot | None] = []

    async def forecast(self, question, evidence, snapshot, as_of):
        self.saw.append(snapshot)
        return Forecast(question.market, self.p, as_of - HOUR, "panel", **self.more)


def make(*members: Forecaster, **config) -> Calibrated:
    made = Calibrated(Calibrated.Config(**config))
    made.of = members or (Says(),)
    return made


def ask(made: Calibrated, *, category: str = "", evidence=None, snapshot=None) -> Forecast:
    question = Question("m1", "Will it?", ("Yes", "No"), category, NOW + DAY)
    return asyncio.run(made.forecast(question, evidence, snapshot, NOW))


def overconfident(n: int, *, known: int = NOW - DAY, seed: int = 1, **more) -> list[ResolvedPair]:
    """Forecasts twice as far from one half, in log-odds, as they should be."""
    rng = np.random.default_rng(seed)
    said = rng.uniform(0.02, 0.98, n)
    true = 1 / (1 + np.exp(-0.5 * np.log(said / (1 - said))))
    happened = rng.random(n) < true
    return [
        ResolvedPair(Forecast(f"q{i}", float(p), known - DAY, "panel"), float(y), known, **more)
        for i, (p, y) in enumerate(zip(said, happened, strict=True))
    ]


def columns(pairs):
    return [pair.forecast.probability for pair in pairs], [pair.outcome for pair in pairs]


def test_it_learns_the_ridge_line_and_passes_the_rest_on():
    pairs = overconfident(200)
    made = make(Says(0.8, low=0.7, high=0.9, latency=5, cost=3, model="x", cutoff=7))
    made.fit(pairs, NOW)
    line = platt_fit(*columns(pairs))
    assert made.learnt is not None
    assert made.learnt.curve == line
    assert 0.3 < line.slope < 0.8
    said = ask(made)
    assert said.probability == line.apply([0.8])[0]
    assert (said.low, said.high) == (line.apply([0.7])[0], line.apply([0.9])[0])
    assert said.source == "calibrated(panel)"
    assert (said.as_of, said.latency, said.cost) == (NOW - HOUR, 5, 3)
    assert (said.model, said.cutoff) == ("x", 7)


@pytest.mark.parametrize(("n", "corrects"), [(0, False), (29, False), (30, True)])
def test_it_changes_nothing_before_thirty_events(n, corrects):
    made = make(Says(0.8123))
    made.fit(overconfident(n), NOW)
    assert (ask(made).probability != 0.8123) == corrects


def test_rounds_of_one_question_and_markets_of_one_event_are_one_observation():
    made = make()
    made.fit(overconfident(29) * 9, NOW)
    assert made.learnt is None
    made.fit(overconfident(900, event="the same"), NOW)
    assert made.learnt is None
    # Nine rounds of each question are worth exactly one.
    made.fit(overconfident(60) * 9, NOW)
    nine = made.learnt
    made.fit(overconfident(60), NOW)
    assert nine is not None
    assert made.learnt is not None
    assert nine.curve[:2] == pytest.approx(made.learnt.curve[:2], abs=1e-9)


def test_one_class_teaches_nothing():
    made = make(Says(0.8))
    pairs = [p for p in overconfident(400) if p.outcome == 1.0]
    assert len(pairs) > 100
    made.fit(pairs, NOW)
    assert ask(made).probability == 0.8


def test_void_outcomes_are_left_out():
    made = make()
    half = [ResolvedPair(p.forecast, 0.5, p.known_at) for p in overconfident(100)]
    made.fit(half, NOW)
    assert made.learnt is None


@pytest.mark.parametrize(
    ("method", "n", "expected"),
    [
        ("beta", 199, Platt),
        ("beta", 200, Beta),
        ("isotonic", 999, Platt),
        ("isotonic", 1_000, Isotonic),
        ("by_category", 100, GroupedPlatt),
    ],
)
def test_richer_curves_need_more_rows(method, n, expected):
    pairs = overconfident(n)
    made = make(method=method)
    made.fit(pairs, NOW)
    assert made.learnt is not None
    assert isinstance(made.learnt.curve, expected)
    fits = {Platt: platt_fit, Beta: beta_fit, Isotonic: isotonic_fit}
    if expected in fits:
        assert made.learnt.curve == fits[expected](*columns(pairs))


def test_a_category_is_corrected_by_its_own_line():
    sports = overconfident(300, category="sports")
    fine = [
        ResolvedPair(
            Forecast(f"f{p.forecast.market}", p.forecast.probability, NOW - 2 * DAY, "panel"),
            float(np.random.default_rng(i).random() < p.forecast.probability),
            NOW - DAY,
            category="politics",
        )
        for i, p in enumerate(overconfident(300, seed=2))
    ]
    made = make(Says(0.9), method="by_category")
    made.fit([*sports, *fine], NOW)
    said = {c: ask(made, category=c).probability for c in ("sports", "politics", "never seen")}
    assert said["sports"] < said["never seen"] < said["politics"]


def test_corrected_answers_keep_away_from_certainty():
    made = make(Says(0.999999), least=0.02)
    rng = np.random.default_rng(3)
    said = rng.uniform(0.1, 0.9, 500)
    made.fit(
        [
            ResolvedPair(Forecast(f"{i}", float(p), 0, "panel"), float(p > 0.5), NOW - 1)
            for i, p in enumerate(said)
        ],
        NOW,
    )
    assert ask(made).probability == 0.98


def test_penalties_are_off_until_asked_for():
    vague = Says(0.8, low=0.5, high=0.9)
    assert ask(make(vague), evidence=Evidence(quality=0.0)).probability == 0.8
    weak = make(vague, evidence_penalty=0.15)
    assert ask(weak, evidence=Evidence(quality=1.0)).probability == 0.8
    for nothing in (None, Evidence(), Evidence(quality=0.0)):
        said = ask(weak, evidence=nothing).probability
        assert said == pytest.approx(sigmoid(0.85 * logit(0.8)))
    torn = ask(make(vague, disagreement_penalty=0.5)).probability
    assert torn == pytest.approx(sigmoid(logit(0.8) / 1.2))


def test_the_price_reaches_only_a_forecaster_that_may_see_it():
    blind = Says()
    assert ask(make(blind), snapshot=SNAPSHOT).blind
    assert blind.saw == [None]
    said = ask(make(MarketPrior()), snapshot=SNAPSHOT)
    assert (said.probability, said.source, said.blind) == (0.3, "calibrated(market)", False)


@pytest.mark.parametrize("members", [0, 2])
def test_it_wraps_exactly_one(members):
    made = make()
    made.of = (Says(),) * members
    with pytest.raises(ForecastError, match=f"wraps {members} forecasters"):
        ask(made)


@settings(max_examples=60)
@given(
    st.lists(st.integers(-3, 3), min_size=60, max_size=60),
    st.randoms(use_true_random=False),
)
def test_no_outcome_known_at_or_after_the_moment_is_used(shifts, random):
    """Whatever the later pairs say, and wherever they stand, the curve is that of the earlier."""
    pairs = [
        ResolvedPair(pair.forecast, pair.outcome, NOW + shift)
        for pair, shift in zip(overconfident(60), shifts, strict=True)
    ]
    known = [pair for pair in pairs if pair.known_at < NOW]
    lies = [
        pair if pair.known_at < NOW else ResolvedPair(pair.forecast, 1 - pair.outcome, NOW + 9)
        for pair in pairs
    ]
    made, told, lied = make(), make(), make()
    made.fit(known, NOW)
    told.fit(pairs, NOW)
    lied.fit(lies, NOW)
    assert made.learnt == told.learnt == lied.learnt
    assert made.learnt is None or made.learnt.newest < NOW
    assert (made.learnt is not None) == (len(known) >= 30)
    random.shuffle(pairs)
    told.fit(pairs, NOW)
    if made.learnt is not None:
        assert told.learnt.curve == pytest.approx(made.learnt.curve, abs=1e-9)


def test_hierarchical_learns_by_category_and_horizon():
    """Sure of what is far away, right about what is near."""
    rng = np.random.default_rng(5)
    pairs = []
    for left, slope in ((HOUR, 1.3), (60 * DAY, 0.3)):
        said = rng.uniform(0.05, 0.95, 400)
        happened = rng.random(400) < 1 / (1 + np.exp(-slope * np.log(said / (1 - said))))
        at = NOW - 90 * DAY
        pairs += [
            ResolvedPair(
                Forecast(f"{left}-{i}", float(p), at, "panel"), float(y), NOW - DAY,
                category="macro", closes=at + left,
            )
            for i, (p, y) in enumerate(zip(said, happened, strict=True))
        ]  # fmt: skip
    made = make(Says(0.9), method="hierarchical")
    made.fit(pairs, NOW)
    assert made.learnt is not None

    def after(left: int, category: str = "macro") -> float:
        # Says answers an hour before it is asked.
        question = Question("m1", "?", ("Yes", "No"), category, NOW - HOUR + left if left else 0)
        return asyncio.run(made.forecast(question, None, None, NOW)).probability

    assert after(60 * DAY) < 0.75 < 0.88 < after(HOUR)
    curve = made.learnt.curve
    assert after(0) == pytest.approx(float(curve.line("macro").apply([0.9])[0]))
    assert after(HOUR, "sport") == pytest.approx(float(curve.line("sport").apply([0.9])[0]))


def test_a_hierarchy_learns_nothing_from_what_was_not_known_yet():
    made = make(Says(0.9), method="hierarchical")
    made.fit(overconfident(100, known=NOW, category="macro", closes=NOW), NOW)
    assert made.learnt is None


def test_what_the_forecast_says_of_itself_is_kept():
    """Guards ask for it."""
    made = make(Says(0.8, confidence="HIGH", evidence_quality=0.7, evidence=("ab",), blind=False))
    made.fit(overconfident(100), NOW)
    said = ask(made)
    assert (said.confidence, said.evidence_quality) == ("HIGH", 0.7)
    assert (said.evidence, said.blind) == (("ab",), False)
    assert said.probability != 0.8
