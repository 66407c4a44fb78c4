from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyframe.errors import DataError
from polyframe.quant.pooling import log_odds_pool, logit, sigmoid

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
