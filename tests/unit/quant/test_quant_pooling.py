from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyframe.errors import DataError
from polyframe.quant.pooling import (
    clamp,
    extremise,
    geometric_odds,
    log_odds_pool,
    logit,
    logit_shrinkage,
    mean_probability,
    median_probability,
    neyman_roughgarden_factor,
    sigmoid,
    trimmed_logit_mean,
    trimmed_mean,
)

P = st.floats(1e-9, 1 - 1e-9)


@given(p=P)
def test_sigmoid_undoes_logit(p: float) -> None:
    assert sigmoid(logit(p)) == pytest.approx(p, rel=1e-9)


@given(p=P)
def test_logit_is_odd_around_one_half(p: float) -> None:
    assert logit(p) == pytest.approx(-logit(1 - p), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("x", [-1e308, -800.0, 0.0, 800.0, 1e308])
def test_sigmoid_never_overflows(x: float) -> None:
    assert sigmoid(x) == (0.0 if x < 0 else 0.5 if x == 0 else 1.0)


@pytest.mark.parametrize("p", [0.0, 1.0, -0.1, 1.1, math.nan, math.inf])
def test_certainty_has_no_log_odds(p: float) -> None:
    with pytest.raises(DataError, match="no log-odds"):
        logit(p)


def test_the_pool_agrees_with_the_reference(vectors: dict) -> None:
    table = vectors["log_odds_pool"]
    for case in table["cases"]:
        given_ = case["in"]
        pooled = log_odds_pool(
            [given_["p_model"], given_["p_market"]],
            [given_["w_model"], given_["w_market"]],
            given_["bias"],
        )
        assert pooled == pytest.approx(case["out"]["log_odds_pool"], abs=table["tolerance"])


@given(p=P, weights=st.lists(st.floats(0.01, 1), min_size=1, max_size=5))
def test_agreement_is_kept_by_weights_that_sum_to_one(p: float, weights: list[float]) -> None:
    total = sum(weights)
    pooled = log_odds_pool([p] * len(weights), [w / total for w in weights])
    assert pooled == pytest.approx(p, rel=1e-6)


@given(a=P, b=P, w=st.floats(0, 1))
def test_a_pool_of_two_lies_between_them(a: float, b: float, w: float) -> None:
    pooled = log_odds_pool([a, b], [w, 1 - w])
    assert min(a, b) - 1e-9 <= pooled <= max(a, b) + 1e-9


@given(a=P, b=P, w=st.floats(0, 1))
def test_pooling_does_not_care_which_outcome_is_named_first(a: float, b: float, w: float) -> None:
    yes = log_odds_pool([a, b], [w, 1 - w])
    no = log_odds_pool([1 - a, 1 - b], [w, 1 - w])
    assert yes + no == pytest.approx(1, abs=1e-6)


@given(p=P)
def test_a_weight_of_nothing_is_no_voice(p: float) -> None:
    assert log_odds_pool([p, 0.3], [0.0, 1.0]) == pytest.approx(0.3)


def test_each_probability_needs_its_weight() -> None:
    with pytest.raises(DataError, match="2 probabilities but 1 weights"):
        log_odds_pool([0.4, 0.5], [1.0])
    with pytest.raises(DataError, match="no log-odds"):
        log_odds_pool([0.4, 1.0], [0.5, 0.5])


def test_aggregates_agree_with_the_reference(vectors: dict) -> None:
    table = vectors["aggregation"]
    for case in table["cases"]:
        out = case["out"]
        close = lambda value: pytest.approx(value, abs=table["tolerance"])  # noqa: E731
        if "n" in case["in"]:
            assert neyman_roughgarden_factor(case["in"]["n"]) == close(out["d"])
            continue
        p = case["in"]["p"]
        d = neyman_roughgarden_factor(len(p))
        assert mean_probability(p) == close(out["mean"])
        assert median_probability(p) == close(out["median"])
        assert trimmed_mean(p, 0.1) == close(out["trimmed_0.1"])
        assert trimmed_mean(p, 0.2) == close(out["trimmed_0.2"])
        assert geometric_odds(p) == close(out["geo_mean_odds"])
        assert extremise(p, math.sqrt(3)) == close(out["extremized_sqrt3"])
        assert d == close(out["neyman_roughgarden_d"])
        assert extremise(p, d) == close(out["neyman_roughgarden_baseline_0.5"])
        assert extremise(p, d, 0.36) == close(out["neyman_roughgarden_baseline_0.36"])


def test_shrinkage_agrees_with_the_reference(vectors: dict) -> None:
    table = vectors["logit_shrinkage"]
    for case in table["cases"]:
        given_, out = case["in"], case["out"]
        found = logit_shrinkage(
            given_["p"], given_["prior_logit"], given_["trial_var"], given_["prior_var"]
        )
        wanted = (out["posterior_p"], out["weight_on_trials"], out["posterior_logit_sd"])
        assert found == pytest.approx(wanted, abs=table["tolerance"])


VOTES = st.lists(st.floats(0.001, 0.999), min_size=1, max_size=12)


@given(p=VOTES, proportion=st.floats(0, 0.49))
def test_every_aggregate_lies_among_its_votes(p: list[float], proportion: float) -> None:
    for found in (
        mean_probability(p),
        median_probability(p),
        trimmed_mean(p, proportion),
        geometric_odds(p),
        trimmed_logit_mean([[v] for v in p], proportion),
    ):
        assert min(p) - 1e-12 <= found <= max(p) + 1e-12


@given(p=VOTES)
def test_aggregates_do_not_care_which_outcome_is_named_first(p: list[float]) -> None:
    other = [1 - v for v in p]
    for aggregate in (mean_probability, median_probability, trimmed_mean, geometric_odds):
        assert aggregate(p) + aggregate(other) == pytest.approx(1)
    models, mirrored = [[v] for v in p], [[v] for v in other]
    assert trimmed_logit_mean(models) + trimmed_logit_mean(mirrored) == pytest.approx(1)


@given(p=st.lists(st.floats(0.55, 0.95), min_size=5, max_size=12))
def test_one_mad_model_does_not_move_the_default_far(p: list[float]) -> None:
    with_mad = trimmed_logit_mean([*([v] for v in p[1:]), [0.0001]])
    assert with_mad >= 0.55 - 1e-12


def test_a_model_asked_often_has_one_vote() -> None:
    often = trimmed_logit_mean([[0.9] * 50, [0.5], [0.3]])
    assert often == pytest.approx(trimmed_logit_mean([[0.9], [0.5], [0.3]]))
    assert trimmed_logit_mean([[0.02, 0.7, 0.72]]) == pytest.approx(0.7)


@given(p=VOTES, factor=st.floats(1, 2))
def test_extremising_moves_away_from_the_base_rate(p: list[float], factor: float) -> None:
    plain, moved = geometric_odds(p), extremise(p, factor, 0.4)
    assert (moved - 0.4) * (plain - 0.4) >= -1e-12
    assert abs(logit(moved) - logit(0.4)) >= abs(logit(plain) - logit(0.4)) - 1e-9


def test_the_extremising_factor_rises_to_the_root_of_three() -> None:
    factors = [neyman_roughgarden_factor(n) for n in (1, 2, 3, 10, 100, 10_000)]
    assert factors == sorted(factors)
    assert factors[0] == pytest.approx(1)
    assert factors[-1] == pytest.approx(math.sqrt(3), abs=1e-3)


@given(p=VOTES, prior=st.floats(-3, 3))
def test_more_certain_trials_count_more(p: list[float], prior: float) -> None:
    sure, unsure = logit_shrinkage(p, prior, 0.1, 1.0), logit_shrinkage(p, prior, 10.0, 1.0)
    assert sure.weight > unsure.weight
    assert sure.deviation < unsure.deviation < 1.0


def test_a_clamped_probability_keeps_its_place_inside() -> None:
    assert [clamp(p) for p in (0.0, 0.004, 0.3, 1.0)] == [0.01, 0.01, 0.3, 0.99]


@pytest.mark.parametrize(
    "call",
    [
        lambda: mean_probability([]),
        lambda: mean_probability([0.5, 1.2]),
        lambda: median_probability([math.nan]),
        lambda: trimmed_mean([0.5], 0.5),
        lambda: trimmed_mean([0.5], -0.1),
        lambda: geometric_odds([0.5, 1.0]),
        lambda: extremise([0.5], -1.0),
        lambda: extremise([0.5], 1.0, 0.0),
        lambda: neyman_roughgarden_factor(0),
        lambda: trimmed_logit_mean([]),
        lambda: trimmed_logit_mean([[0.5], []]),
        lambda: logit_shrinkage([0.5], 0.0, 0.0, 1.0),
        lambda: logit_shrinkage([], 0.0, 1.0, 1.0),
        lambda: clamp(math.nan),
    ],
)
def test_what_cannot_be_combined_is_refused(call) -> None:
    with pytest.raises(DataError):
        call()


def test_a_proportion_drops_as_many_as_it_says() -> None:
    """0.29 x 100 is 28.999999999999996 in floating point: 29 are meant."""
    values = [0.0] * 29 + [0.5] * 42 + [1.0] * 29
    assert trimmed_mean(values, 0.29) == 0.5
