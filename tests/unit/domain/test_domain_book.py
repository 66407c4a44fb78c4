from __future__ import annotations

import pytest

from polyframe.domain.book import Quote
from polyframe.domain.quality import UNQUOTED, Flag


def test_a_two_sided_quote_has_a_mid_and_a_spread() -> None:
    quote = Quote("t", 4_000, 10, 4_200, 10, 0)
    assert (quote.two_sided, quote.mid, quote.spread) == (True, 4_100.0, 200)


@pytest.mark.parametrize(("bid", "ask"), [(0, 4_200), (4_000, 0), (0, 0)])
def test_a_quote_with_an_empty_side_has_neither(bid: int, ask: int) -> None:
    quote = Quote("t", bid, 10, ask, 10, 0)
    assert (quote.two_sided, quote.mid, quote.spread) == (False, None, None)


def test_rows_near_an_unquoted_one_trade_and_unquoted_ones_do_not() -> None:
    assert not UNQUOTED & (Flag.NEAR | Flag.GAP)
    assert UNQUOTED & Flag.LEADING
    assert len({flag.value for flag in Flag}) == len(Flag)
