"""What the venue refuses, and in which words."""

from __future__ import annotations

import pytest
from venue_town import ANN, BOB, CEM, DOLLAR, SECOND, SHARE, START, Town, listing

from polyframe.errors import UserError
from polyframe.sandbox.venue.records import BUY, SELL, FeeTerms, Placed, Refused
from polyframe.sandbox.venue.venue import Venue

NOW = START // SECOND
H = f"0x{1:064x}"


def refusal(answer: Placed | Refused) -> tuple[int, str]:
    assert isinstance(answer, Refused), answer
    return answer.status, answer.text


def dollars(amount: float) -> int:
    return round(amount * DOLLAR)


FORMS = [
    # side, money, size, type, expiration, post-only -> text
    ("HOLD", 5, 10, "GTC", 0, False, "Invalid order payload"),
    (BUY, 5, 10, "IOC", 0, False, "Invalid order payload"),
    (BUY, 0, 10, "GTC", 0, False, "Invalid order payload"),
    (BUY, 5, 0, "GTC", 0, False, "Invalid order payload"),
    (BUY, 5, 500_000_000, "GTC", 0, False, "Invalid order payload"),
    (BUY, 5, 10, "GTC", NOW + 500, False, "invalid expiration"),
    (BUY, 5, 10, "FOK", NOW + 500, False, "invalid expiration"),
    (BUY, 5, 10, "GTD", 0, False, "invalid expiration"),
    (BUY, 5, 10, "GTD", NOW - 5, False, "invalid expiration"),
    (BUY, 5, 10, "GTD", NOW + 59, False, "invalid expiration"),
    (
        BUY,
        5,
        10,
        "FAK",
        0,
        True,
        "invalid post-only order: only GTC and GTD orders can be post-only",
    ),
    (
        BUY,
        5.13,
        10,
        "GTC",
        0,
        False,
        f"order {H} is invalid. Price (0.513) breaks minimum tick size rule: 0.01",
    ),
    (
        BUY,
        10,
        10,
        "GTC",
        0,
        False,
        f"order {H} is invalid. Price (1.0) breaks minimum tick size rule: 0.01",
    ),
    (
        SELL,
        0.02,
        10,
        "GTC",
        0,
        False,
        f"order {H} is invalid. Price (0.002) breaks minimum tick size rule: 0.01",
    ),
    (
        BUY,
        2.45,
        4.9,
        "GTC",
        0,
        False,
        f"order {H} is invalid. Size (4.9) lower than the minimum: 5",
    ),
    (
        BUY,
        5.005,
        10.01,
        "GTD",
        NOW + 59,
        False,
        "invalid expiration",
    ),
    (
        BUY,
        2.6375,
        5.275,
        "GTC",
        0,
        False,
        "invalid amounts, the buy orders maker amount supports a max accuracy of 4 decimals, taker "
        "amount a max of 2 decimals",
    ),
    (
        SELL,
        2.6375,
        5.275,
        "GTC",
        0,
        False,
        "invalid amounts, the sell orders maker amount supports a max accuracy of 2 decimals, taker"
        " amount a max of 4 decimals",
    ),
    (
        SELL,
        4.3317,
        19.69,
        "GTC",
        0,
        False,
        "invalid amounts, the taker amount for a $0.22 order of size 19.69 should be '4.3318', got "
        "'4.3317'",
    ),
    (
        BUY,
        1.005,
        2.01,
        "FOK",
        0,
        False,
        "invalid amounts, the market buy orders maker amount supports a max accuracy of 2 decimals,"
        " taker amount a max of 4 decimals",
    ),
    (
        BUY,
        5,
        9.61538,
        "FAK",
        0,
        False,
        "invalid amounts, the market buy orders maker amount supports a max accuracy of 2 decimals,"
        " taker amount a max of 4 decimals",
    ),
    (
        SELL,
        5.005,
        10.01001,
        "FAK",
        0,
        False,
        "invalid amounts, the market sell orders maker amount supports a max accuracy of 2 "
        "decimals, taker amount a max of 4 decimals",
    ),
    (
        BUY,
        5.25,
        10,
        "FOK",
        0,
        False,
        f"order {H} is invalid. Price (0.525) breaks minimum tick size rule: 0.01",
    ),
    (
        BUY,
        0.99,
        1.98,
        "FOK",
        0,
        False,
        "invalid amount for a marketable BUY order ($0.99), min size: $1",
    ),
]


@pytest.mark.parametrize(("side", "money", "size", "kind", "expires", "post", "text"), FORMS)
def test_an_order_that_breaks_a_rule_is_refused_in_the_venue_s_words(
    side, money, size, kind, expires, post, text
) -> None:
    town = Town()
    answer = town.sign(
        ANN, town.yes, side, dollars(money), dollars(size), kind, expiration=expires, post_only=post
    )
    assert refusal(answer) == (400, text)
    assert town.venue.drain() == []
    town.sound()


def test_an_unknown_token_has_no_book() -> None:
    assert refusal(Town().send(ANN, "123", BUY, 5_000, 10)) == (
        400,
        "the orderbook 123 does not exist",
    )


def test_a_marketable_limit_buy_below_a_dollar_is_refused_and_may_rest() -> None:
    town = Town(min_size=SHARE)
    assert isinstance(town.send(ANN, town.yes, BUY, 1_000, 5), Placed)
    town.rest(BOB, town.no, BUY, 9_500, 100)
    assert refusal(town.send(ANN, town.yes, BUY, 1_000, 5)) == (
        400,
        "invalid amount for a marketable BUY order ($0.5), min size: $1",
    )


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ("banned", f"'{ANN}' address banned"),
        ("closed_only", f"'{ANN}' address in closed only mode"),
    ],
)
def test_a_wallet_may_be_kept_from_trading(change: str, text: str) -> None:
    town = Town()
    setattr(town.venue.wallet(ANN), change, True)
    assert refusal(town.send(ANN, town.yes, BUY, 5_000, 10)) == (400, text)


def test_closed_only_still_sells() -> None:
    town = Town()
    town.venue.split(ANN, town.id, 10 * SHARE)
    town.venue.wallet(ANN).closed_only = True
    assert isinstance(town.send(ANN, town.yes, SELL, 5_000, 10), Placed)


def test_a_signed_order_is_taken_once() -> None:
    town = Town()
    amounts = dollars(5), dollars(10)
    placed = town.sign(ANN, town.yes, BUY, *amounts, hash=H)
    assert isinstance(placed, Placed)
    again = refusal(town.sign(ANN, town.yes, BUY, *amounts, hash=H))
    assert again == (400, f"order {H} is invalid. Duplicated.")
    town.venue.cancel(ANN, [H])
    assert refusal(town.sign(ANN, town.yes, BUY, *amounts, hash=H)) == again


def test_orders_reserve_and_the_refusal_says_how_much() -> None:
    town = Town(money=20)
    town.rest(ANN, town.yes, BUY, 5_000, 30)
    assert refusal(town.send(ANN, town.yes, BUY, 5_000, 11)) == (
        400,
        "not enough balance / allowance: the balance is not enough -> balance: 20000000, sum of "
        "active orders: 15000000, sum of matched orders: 0, order amount (inc. fees): 5500000",
    )
    assert isinstance(town.send(ANN, town.yes, BUY, 5_000, 10), Placed)


def test_a_seller_needs_the_shares() -> None:
    town = Town()
    assert refusal(town.send(ANN, town.yes, SELL, 5_000, 10)) == (
        400,
        "not enough balance / allowance: the balance is not enough -> balance: 0, order amount: "
        "10000000",
    )


def test_a_missing_allowance_is_named() -> None:
    town = Town()
    town.venue.split(ANN, town.id, 10 * SHARE)
    town.venue.approve(ANN, money=3, shares=False)
    said = "not enough balance / allowance: the allowance is not enough -> allowance: "
    bought = refusal(town.send(ANN, town.yes, BUY, 5_000, 10))
    sold = refusal(town.send(ANN, town.yes, SELL, 5_000, 10))
    assert bought == (400, said + "3, order amount: 5000000")
    assert sold == (400, said + "0, order amount: 10000000")


def test_a_foreign_wallet_has_nothing_and_leaves_no_trace() -> None:
    town = Town()
    before = len(town.venue.accounts.wallets)
    stranger = "0x" + "9" * 40
    assert "balance: 0" in refusal(town.sign(stranger, town.yes, BUY, 5 * DOLLAR, 10 * SHARE))[1]
    assert len(town.venue.accounts.wallets) == before


def test_the_fee_of_a_marketable_buy_must_be_there_too() -> None:
    town = Town(money=10, fees=FeeTerms(rate=40_000))
    town.rest(BOB, town.no, BUY, 5_000, 20)
    assert "order amount: 10200000" in refusal(town.market_buy(ANN, town.yes, 5_000, 10))[1]
    assert isinstance(town.market_buy(ANN, town.yes, 5_000, 9.8), Placed)


@pytest.mark.parametrize("kind", ["GTC", "GTD"])
def test_a_post_only_order_must_not_cross(kind: str) -> None:
    town = Town()
    town.rest(BOB, town.no, BUY, 5_000, 20)
    more = {"order_type": kind, "expiration": NOW + 500 if kind == "GTD" else 0, "post_only": True}
    assert refusal(town.send(ANN, town.yes, BUY, 5_000, 10, **more)) == (
        400,
        "invalid post-only order: order crosses book",
    )
    assert isinstance(town.send(ANN, town.yes, BUY, 4_900, 10, **more), Placed)


def test_no_order_is_taken_before_the_market_is_open_or_while_it_is_paused() -> None:
    venue = Venue(now=START)
    venue.fund(ANN, 100 * DOLLAR)
    market = venue.list_market(listing(), opened=False)
    said = (400, "the market is not yet ready to process new orders")
    order = (ANN, market.listing.tokens[0], BUY, 5_000, 10 * SHARE)
    assert refusal(venue.submit(*order)) == said
    venue.open_market(market.condition_id)
    assert isinstance(venue.submit(*order), Placed)
    venue.pause_market(market.condition_id)
    assert refusal(venue.submit(*order)) == said
    assert venue.cancel_all(venue.wallet(ANN).owner).canceled


def test_a_market_with_a_proposed_answer_has_no_book() -> None:
    town = Town()
    town.venue.propose(town.id, 0)
    assert refusal(town.send(ANN, town.yes, BUY, 5_000, 10)) == (
        400,
        f"the orderbook {town.yes} does not exist",
    )


def test_halts_and_post_only_mode_answer_as_they_are_told_to() -> None:
    town = Town()
    halted = Refused("Trading is currently disabled. Check polymarket.com for updates", 503)
    town.venue.halt(halted)
    assert town.send(ANN, town.yes, BUY, 5_000, 10) is halted
    town.venue.halt(None)
    restarted = Refused("post-only mode", 503, "post_only_mode", 79)
    town.venue.post_only(restarted)
    assert town.send(ANN, town.yes, BUY, 5_000, 10) is restarted
    assert isinstance(town.send(ANN, town.yes, BUY, 5_000, 10, post_only=True), Placed)


# ---- snapping --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tick", "money", "size", "price"),
    [
        (100, 5, 9.6153, 5_200),  # 0.5200045
        (100, 1, 14.29, 700),  # 0.0699790, as the client sent it before 2026-09
        (10, 1, 1.0235, 9_770),  # 0.9770396
        (25, 1, 3.0075, 3_325),
        (1, 1, 1.0101, 9_900),
    ],
)
def test_a_market_buy_s_price_is_snapped_to_the_nearest_tick(tick, money, size, price) -> None:
    town = Town(tick=tick)
    town.rest(BOB, town.no, BUY, 10_000 - price, 100)
    order = town.sign(ANN, town.yes, BUY, dollars(money), dollars(size), "FOK")
    assert isinstance(order, Placed)
    assert order.making == dollars(money)
    assert town.venue.order(order.order_id).price == price


@pytest.mark.parametrize(
    ("tick", "money", "size"), [(10, 3.37329, 10.13), (25, 3.368225, 10.13), (100, 5.2, 10)]
)
def test_a_market_sell_has_as_many_decimals_as_its_client_computes(tick, money, size) -> None:
    town = Town(tick=tick)
    town.venue.split(ANN, town.id, 100 * SHARE)
    town.rest(BOB, town.yes, BUY, 6_000, 100)
    order = town.sign(ANN, town.yes, SELL, dollars(money), dollars(size), "FAK")
    assert isinstance(order, Placed)
    assert order.making == dollars(size)


# ---- markets and ticks -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ({"tick": 30}, "there is no tick of 0.003"),
        ({"condition_id": "0xAB"}, "cannot be listed"),
        ({"tokens": ("1", "1")}, "one outcome twice"),
        ({"tokens": ("x", "1")}, "no token id"),
        ({"outcomes": ("Yes", "Yes")}, "one outcome twice"),
        ({"fees": FeeTerms(rate=1_000_000)}, "fee rate 1000000"),
        ({"seconds_delay": -1}, "seconds of delay -1"),
        ({"neg_risk": True}, "neg-risk without an event"),
    ],
)
def test_a_market_that_makes_no_sense_is_not_listed(terms: dict[str, object], said: str) -> None:
    venue = Venue(now=START)
    with pytest.raises(UserError, match=said):
        venue.list_market(type(listing())(**{**_fields(listing()), **terms}))
    assert venue.markets == {}


def _fields(struct: object) -> dict[str, object]:
    return {name: getattr(struct, name) for name in struct.__struct_fields__}  # type: ignore[attr-defined]


def test_ids_are_listed_once() -> None:
    town = Town()
    with pytest.raises(UserError, match="listed already"):
        town.venue.list_market(listing())


def test_a_tick_changes_for_new_orders_alone() -> None:
    town = Town(tick=10)
    town.rest(ANN, town.yes, BUY, 4_990, 10)
    town.venue.set_tick(town.id, 100)
    assert "minimum tick size rule: 0.01" in refusal(town.send(BOB, town.yes, BUY, 4_990, 10))[1]
    assert town.venue.book(town.yes).bids == ((4_990, 10 * SHARE),)
    with pytest.raises(UserError, match=r"no tick of 0\.0007"):
        town.venue.set_tick(town.id, 7)


def test_an_extreme_trade_makes_the_tick_finer_where_the_market_is_listed_so() -> None:
    from polyframe.sandbox.venue.records import TickChanged

    town = Town(auto_tick=True)
    town.rest(BOB, town.no, BUY, 300, 20)
    town.market_buy(ANN, town.yes, 9_700, 5)
    assert [(t.old, t.new) for t in town.told(TickChanged)] == [(100, 10)]
    assert town.market.tick == 10


def test_only_money_above_nothing_is_brought_in() -> None:
    with pytest.raises(UserError, match="cannot be brought in"):
        Town().venue.fund(CEM, 0)


@pytest.mark.parametrize("ask", ["book", "last_trade"])
def test_a_token_that_is_not_listed_is_named(ask: str) -> None:
    with pytest.raises(UserError, match="no token '5'"):
        getattr(Town().venue, ask)("5")


def test_a_market_that_is_not_listed_is_named() -> None:
    with pytest.raises(UserError, match="no market '0x5'"):
        Town().venue.resolve("0x5", 0)
