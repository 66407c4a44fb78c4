from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyframe.domain.forecast import Forecast
from polyframe.domain.market import FeeSchedule, Market, Resolution, ResolutionKind, Token
from polyframe.domain.units import INT64_SAFE
from polyframe.errors import DataError

YES, NO = Token("y", "Yes"), Token("n", "No")


def market(**changes: object) -> Market:
    fields: dict = {"id": "m", "question": "Will it rain?", "tokens": (YES, NO), **changes}
    return Market(**fields)


def test_a_binary_market_has_a_yes_and_a_no() -> None:
    m = market()
    assert (m.binary, m.yes, m.no) == (True, YES, NO)
    assert m.token("yes") is YES
    assert (m.price_one, m.divisor) == (10_000, 10_000)
    assert (m.show_price(6100), m.show_size(1_500_000)) == ("0.61", "1.5")


def test_a_market_with_three_tokens_has_no_no() -> None:
    m = market(tokens=(YES, NO, Token("x", "Draw")))
    assert not m.binary
    with pytest.raises(DataError, match="m is not binary"):
        _ = m.no


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tokens": ()}, "has no token"),
        ({"max_size": INT64_SAFE // 10_000 + 1}, "reaches 2\\^62"),
        ({"tick": 0}, "tick 0"),
        ({"lot": -1}, "lot -1"),
    ],
)
def test_a_market_that_cannot_be_traded_safely_is_refused(changes: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        market(**changes)


def test_the_limit_on_price_times_size_is_exclusive() -> None:
    assert market(max_price=1, max_size=INT64_SAFE - 1).max_size == INT64_SAFE - 1
    with pytest.raises(DataError):
        market(max_price=1, max_size=INT64_SAFE)


def test_an_unknown_outcome_names_those_there_are() -> None:
    with pytest.raises(DataError, match="Maybe") as caught:
        market().token("Maybe")
    assert caught.value.expected == "one of Yes, No"


def test_an_unknown_fee_is_not_taken_for_no_fee() -> None:
    with pytest.raises(DataError, match="no fee schedule"):
        market().taker_fee(5_000, 1_000_000)
    assert market(fee=FeeSchedule()).taker_fee(5_000, 1_000_000) == 0
    assert market(fee=FeeSchedule(rate=40_000)).taker_fee(5_000, 100_000_000) == 1_000_000


@given(n=st.integers(1, 7), data=st.data())
def test_a_resolution_never_pays_out_more_than_one(n: int, data: st.DataObject) -> None:
    m = market(tokens=tuple(Token(str(i), str(i)) for i in range(n)))
    won = data.draw(st.integers(0, n - 1))
    winner, split = Resolution.winner(m, won, 7), Resolution.split(m, 7)
    assert winner.payouts[won] == sum(winner.payouts) == 1_000_000
    assert len(set(split.payouts)) == 1
    assert 1_000_000 - n < sum(split.payouts) <= 1_000_000
    assert (winner.known_at, winner.kind) == (7, ResolutionKind.WINNER)


def test_a_void_market_pays_half_a_share_each() -> None:
    void = Resolution.split(market(), 7, ResolutionKind.VOID)
    assert (void.payouts, void.kind) == ((500_000, 500_000), ResolutionKind.VOID)


@pytest.mark.parametrize("p", [0.0, 1.0, -0.1, 1.1, float("nan"), float("inf"), 1, "0.5", None])
def test_a_forecast_without_a_probability_is_refused(p: object) -> None:
    with pytest.raises(DataError, match="forecast for market m"):
        Forecast("m", p, 0, "test")  # type: ignore[arg-type]


def test_a_stored_forecast_is_checked_when_read() -> None:
    stored = msgspec.msgpack.encode({"market": "m", "probability": 1.5, "as_of": 0, "source": "x"})
    with pytest.raises((DataError, msgspec.ValidationError)):
        msgspec.msgpack.decode(stored, type=Forecast)


def test_a_forecast_can_be_acted_on_after_its_making() -> None:
    assert Forecast("m", 0.5, 100, "test", latency=20).known_at == 120
