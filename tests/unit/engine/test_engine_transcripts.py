"""What the engine answers to what happens, as tables."""

from __future__ import annotations

import pytest
from engine_desk import Desk, market

from polyframe.domain import effects as fx
from polyframe.domain import events as ev
from polyframe.domain.forecast import Forecast
from polyframe.domain.market import Group, GroupKind, Resolution
from polyframe.domain.orders import Side
from polyframe.domain.units import to_units
from polyframe.domain.wishes import AskForecast, CancelOrder, Intent, QuoteLevel, Quotes
from polyframe.protections.daily_loss import DailyLoss
from polyframe.protections.max_stake import MaxStake
from polyframe.protections.min_edge import MinEdge
from polyframe.protections.open_positions import OpenPositions
from polyframe.protections.price_band import PriceBand


def test_an_order_from_intent_to_fill():
    Desk().play("""
        book A 0.40 0.42        |
        alice buy A.yes 0.42 10 | reviewed 10/10; submit 1 buy A.yes 10 @ 0.42
        accepted 1              | changed 1 live
        fill 1 4 0.41           | booked 4; changed 1 partial
        fill 1 6 0.42           | booked 6; changed 1 confirmed
    """)


def test_what_ends_an_order_frees_its_reservation():
    for ending in ("cancelled 1", "rejected 1 no", "expired 1"):
        desk = Desk(cash="5")
        desk.play(f"""
            book A 0.40 0.42         |
            alice buy A.yes 0.42 11  | reviewed 11/11; submit 1 buy A.yes 11 @ 0.42
            alice buy A.yes 0.42 11  | reviewed 0/11 by Balance
            {ending}                 | changed 1 {ending.split()[0]}
            alice buy A.yes 0.42 11  | reviewed 11/11; submit 2 buy A.yes 11 @ 0.42
        """)


def test_an_unanswered_order_keeps_its_reservation_until_the_venue_speaks():
    Desk(cash="5").play("""
        book A 0.40 0.42         |
        alice buy A.yes 0.42 11  | reviewed 11/11; submit 1 buy A.yes 11 @ 0.42
        timeout 1                | changed 1 unknown
        alice buy A.yes 0.42 11  | reviewed 0/11 by Balance
        accepted 1               | changed 1 live
        cancelled 1              | changed 1 cancelled
    """)


def test_a_sale_is_limited_to_own_unreserved_shares():
    Desk().play("""
        book A 0.40 0.42                |
        bob buy A.yes 0.42 50           | reviewed 50/50; submit 1 buy A.yes 50 @ 0.42
        fill 1 50 0.42                  | booked 50; changed 1 confirmed
        alice sell A.yes 0.40 10        | reviewed 0/10 by Balance
        bob sell A.yes 0.45 30 resting  | reviewed 30/30; submit 2 sell A.yes 30 @ 0.45
        bob sell A.yes 0.40 30          | reviewed 20/30 by Balance; submit 3 sell A.yes 20 @ 0.4
    """)


def test_wishes_that_cannot_be_considered_are_refused_with_a_reason():
    desk = Desk()
    desk.play("""
        book A 0.40 0.42         |
        alice buy C.yes 0.42 10  | refused: unknown token
        alice buy B.yes - 10     | refused: no quote to take
        alice buy A.yes 0.42 0.5 | refused: size is zero
    """)
    desk.step(ev.MarketClosed(desk.later(), "A"))
    desk.play("alice buy A.yes 0.42 10 | refused: market is not open")


def test_an_untrusted_book_takes_no_order_not_even_an_exit():
    Desk().play("""
        book A 0.40 0.42         |
        alice buy A.yes 0.42 10  | reviewed 10/10; submit 1 buy A.yes 10 @ 0.42
        fill 1 10 0.42           | booked 10; changed 1 confirmed
        distrust A               |
        alice sell A.yes 0.40 10 | reviewed 0/10 by TrustedBook
        alice buy A.no 0.60 10   | reviewed 0/10 by TrustedBook
    """)


def test_max_stake_counts_open_orders_and_shrinks():
    Desk(protections=[MaxStake(MaxStake.Config(stake=5))]).play("""
        book A 0.48 0.50         |
        alice buy A.yes 0.50 6   | reviewed 6/6; submit 1 buy A.yes 6 @ 0.5
        alice buy A.yes 0.50 6   | reviewed 2/6 by MaxStake; submit 2 buy A.yes 2 @ 0.5
        alice buy A.yes 0.50 6   | reviewed 0/6 by MaxStake
    """)


def test_a_cap_holds_for_the_account_over_all_strategies():
    Desk(protections=[MaxStake(MaxStake.Config(stake=5))]).play("""
        book A 0.48 0.50         |
        alice buy A.yes 0.50 6   | reviewed 6/6; submit 1 buy A.yes 6 @ 0.5
        bob buy A.yes 0.50 9     | reviewed 2/9 by MaxStake; submit 2 buy A.yes 2 @ 0.5
    """)


def test_open_positions_counts_markets_with_open_entries():
    Desk(protections=[OpenPositions(OpenPositions.Config(markets=1))]).play("""
        book A 0.48 0.50         |
        book B 0.48 0.50         |
        alice buy A.yes 0.50 2   | reviewed 2/2; submit 1 buy A.yes 2 @ 0.5
        alice buy B.yes 0.50 2   | reviewed 0/2 by OpenPositions
        alice buy A.no 0.52 2    | reviewed 2/2; submit 2 buy A.no 2 @ 0.52
        cancelled 1              | changed 1 cancelled
        cancelled 2              | changed 2 cancelled
        alice buy B.yes 0.50 2   | reviewed 2/2; submit 3 buy B.yes 2 @ 0.5
    """)


def test_min_edge_wants_a_stated_reason_and_does_not_believe_a_flattering_one():
    Desk(protections=[MinEdge(MinEdge.Config(edge=0.04))]).play("""
        book A 0.48 0.50                         |
        alice buy A.yes 0.50 2                   | reviewed 0/2 by MinEdge
        alice buy A.yes 0.50 2 edge=0.04         | reviewed 2/2; submit 1 buy A.yes 2 @ 0.5
        alice buy A.yes 0.50 2 edge=0.0399       | reviewed 0/2 by MinEdge
        alice buy A.yes 0.50 2 p=0.54            | reviewed 2/2; submit 2 buy A.yes 2 @ 0.5
        alice buy A.yes 0.50 2 p=0.53 edge=0.5   | reviewed 0/2 by MinEdge
        alice buy A.yes 0.50 2 edge=nan          | reviewed 0/2 by MinEdge
    """)


def test_an_entry_does_not_escape_the_guards_by_calling_itself_an_exit():
    Desk(protections=[MinEdge()]).play("""
        book A 0.48 0.50                  |
        alice buy A.yes 0.50 2 kind=exit  | reviewed 0/2 by MinEdge
        alice buy A.yes 0.50 2 kind=quote | reviewed 0/2 by MinEdge
    """)


def test_price_band():
    Desk(protections=[PriceBand(PriceBand.Config(low=0.1, high=0.9, away=0.05))]).play("""
        book A 0.48 0.50        |
        alice buy A.yes 0.55 2  | reviewed 2/2; submit 1 buy A.yes 2 @ 0.55
        alice buy A.yes 0.56 2  | reviewed 0/2 by PriceBand
        alice buy A.yes 0.09 2  | reviewed 0/2 by PriceBand
        book A 0.95 0.96        |
        alice buy A.yes 0.96 2  | reviewed 0/2 by PriceBand
    """)


def test_no_order_trades_against_an_own_resting_one():
    Desk().play("""
        book A 0.40 0.50                |
        alice buy A.yes 0.45 5 resting  | reviewed 5/5; submit 1 buy A.yes 5 @ 0.45
        # a NO bid at 0.55 is a YES ask at 0.45
        bob buy A.no 0.55 5             | reviewed 0/5 by VenueRules
        bob buy A.no 0.54 5             | reviewed 5/5; submit 2 buy A.no 5 @ 0.54
    """)


def test_exits_pass_when_risk_guards_forbid():
    desk = Desk(
        protections=[DailyLoss(DailyLoss.Config(loss=1)), MaxStake(MaxStake.Config(stake=8))]
    )
    desk.play("""
        book A 0.48 0.50         |
        alice buy A.yes 0.50 10  | reviewed 10/10; submit 1 buy A.yes 10 @ 0.5
        fill 1 10 0.50           | booked 10; changed 1 confirmed
        book A 0.20 0.22         | halted by DailyLoss
        alice buy A.yes 0.22 2   | reviewed 0/2 by KillSwitch, DailyLoss
        alice sell A.yes 0.20 10 | reviewed 10/10; submit 2 sell A.yes 10 @ 0.2
    """)


def test_kill_cancels_everything_and_lets_positions_out():
    Desk().play("""
        book A 0.48 0.50                |
        alice buy A.yes 0.50 10         | reviewed 10/10; submit 1 buy A.yes 10 @ 0.5
        fill 1 10 0.50                  | booked 10; changed 1 confirmed
        alice buy A.yes 0.40 5 resting  | reviewed 5/5; submit 2 buy A.yes 5 @ 0.4
        alice sell A.yes 0.60 5 resting | reviewed 5/5; submit 3 sell A.yes 5 @ 0.6
        kill                            | halted by kill; cancel 2; cancel 3
        bob buy A.yes 0.50 1            | reviewed 0/1 by KillSwitch
        cancelled 2                     | changed 2 cancelled
        cancelled 3                     | changed 3 cancelled
        alice sell A.yes 0.48 10        | reviewed 10/10; submit 4 sell A.yes 10 @ 0.48
        reset                           | resumed
        bob buy A.yes 0.50 1            | reviewed 1/1; submit 5 buy A.yes 1 @ 0.5
    """)


def test_commands_of_a_person_pass_the_same_door():
    Desk(protections=[MinEdge()]).play("""
        book A 0.48 0.50                 |
        pause ledger=alice               | halted by pause
        alice buy A.yes 0.50 1 p=0.9     | reviewed 0/1 by KillSwitch
        bob buy A.yes 0.50 10 p=0.9      | reviewed 10/10; submit 1 buy A.yes 10 @ 0.5
        fill 1 10 0.50                   | booked 10; changed 1 confirmed
        resume ledger=alice              | resumed
        alice buy A.yes 0.50 1 p=0.9     | reviewed 1/1; submit 2 buy A.yes 1 @ 0.5
        cancel_all                       | cancel 2
        close ledger=bob                 | reviewed 10/10; submit 3 sell A.yes 10 @ 0.48
        buy token=A.yes ledger=bob       | reviewed 0/20 by MinEdge
        buy token=A.yes                  | refused: say for which strategy's ledger to buy
        kill ledger=carol                | refused: no strategy 'carol', there are: alice, bob
    """)


def test_a_resolution_pays_every_holder_and_ends_trading():
    desk = Desk()
    desk.play("""
        book A 0.48 0.50         |
        alice buy A.yes 0.50 10  | reviewed 10/10; submit 1 buy A.yes 10 @ 0.5
        fill 1 10 0.50           | booked 10; changed 1 confirmed
        bob buy A.no 0.52 10     | reviewed 10/10; submit 2 buy A.no 10 @ 0.52
        fill 2 10 0.52           | booked 10; changed 2 confirmed
    """)
    asked = desk.step(ev.MarketResolved(desk.later(), Resolution.winner(market("A"), 0, desk.now)))
    assert [(e.ledger, e.token) for e in asked] == [("alice", "A.yes"), ("bob", "A.no")]
    assert desk.engine.state.equity_of(0) == to_units("105", 6)
    assert desk.engine.state.equity_of(1) == to_units("94.8", 6)
    for e, payout in zip(asked, (1_000_000, 0), strict=True):
        redeemed = ev.PositionRedeemed(desk.later(), e.ledger, e.market, e.token, e.size, payout)
        desk.step(redeemed)
    state = desk.engine.state
    assert list(state.cash) == [to_units(c, 6) for c in ("105", "94.8", "199.8")]
    assert [type(t).__name__ for t in desk.puppets["alice"].told[-1:]] == ["PositionSettled"]
    desk.play("alice buy A.yes 0.50 1 | refused: market is not open")


def test_a_fill_told_twice_is_booked_once_and_a_failed_one_is_taken_back():
    desk = Desk()
    desk.play("""
        book A 0.48 0.50         |
        alice buy A.yes 0.50 10  | reviewed 10/10; submit 1 buy A.yes 10 @ 0.5
    """)
    desk.fill("s-1", "10", "0.5", trade="x", final=False)
    assert desk.fill("s-1", "10", "0.5", trade="x", final=False) == []
    assert desk.engine.state.shares[0, 0] == to_units("10", 6)
    desk.step(ev.FillFailed(desk.later(), "x", "s-1", "reverted"))
    assert desk.engine.state.shares[0, 0] == 0
    assert desk.engine.state.cash[0] == to_units("100", 6)


def test_forecast_requests_are_asked_once_for_all_strategies():
    desk = Desk()
    ask = AskForecast("A", "oracle")
    first = [type(e).__name__ for e in desk.wish("alice", ask, ask)]
    assert first == ["ForecastAwaited", "RequestForecast"]
    assert desk.wish("bob", ask) == [fx.ForecastAwaited("bob", "A")]
    forecast = Forecast("A", 0.7, desk.now, "test")
    desk.step(ev.ForecastMade(desk.later(), "s-f1", "oracle", forecast))
    assert all(type(p.told[-1]).__name__ == "ForecastMade" for p in desk.puppets.values())
    # A fresh answer is kept, an old one is asked for again, and news that is none is not told.
    assert desk.wish("alice", AskForecast("A", "oracle", fresh=10**12)) == []
    assert len(desk.wish("alice", ask)) == 1
    told = len(desk.puppets["alice"].told)
    desk.step(ev.ForecastMade(desk.later(), "s-f2", "oracle", forecast))
    assert len(desk.puppets["alice"].told) == told


def quotes(*bids: tuple[str, str]) -> Quotes:
    levels = tuple(QuoteLevel(to_units(p, 4), to_units(s, 6)) for p, s in bids)
    return Quotes(token="A.yes", bids=levels)


def shown(desk: Desk, player: str, wish: Quotes) -> list[str]:
    from engine_desk import told

    return [t for e in desk.wish(player, wish) if (t := told(e))]


def test_unchanged_quotes_keep_their_place():
    desk = Desk()
    desk.book("A", "0.40", "0.50")
    assert shown(desk, "alice", quotes(("0.44", "5"), ("0.43", "5"))) == [
        "reviewed 5/5", "submit 1 buy A.yes 5 @ 0.44",
        "reviewed 5/5", "submit 2 buy A.yes 5 @ 0.43",
    ]  # fmt: skip
    assert shown(desk, "alice", quotes(("0.45", "5"), ("0.43", "5"))) == [
        "cancel 1", "reviewed 5/5", "submit 3 buy A.yes 5 @ 0.45",
    ]  # fmt: skip
    assert shown(desk, "alice", quotes(("0.45", "5"), ("0.43", "5"))) == []
    assert shown(desk, "alice", quotes()) == ["cancel 2", "cancel 3"]


def test_a_replacement_that_does_not_fit_waits_for_the_cancel():
    desk = Desk(protections=[MaxStake(MaxStake.Config(stake=5))])
    desk.book("A", "0.40", "0.50")
    shown(desk, "alice", quotes(("0.44", "10")))
    assert shown(desk, "alice", quotes(("0.45", "10"))) == ["cancel 1"]
    # The predecessor fills while its cancel is under way: there is no room, and none is taken.
    desk.play("""
        fill 1 10 0.44 | booked 10; changed 1 confirmed; reviewed 0/10 by MaxStake
    """)
    assert desk.engine.state.at_risk_market(0, 0) <= 5_000_000

    desk = Desk(protections=[MaxStake(MaxStake.Config(stake=5))])
    desk.book("A", "0.40", "0.50")
    shown(desk, "alice", quotes(("0.44", "10")))
    shown(desk, "alice", quotes(("0.45", "10")))
    desk.play("cancelled 1 | changed 1 cancelled; reviewed 10/10; submit 2 buy A.yes 10 @ 0.45")


def test_a_quote_that_was_shrunk_is_not_replaced_by_itself():
    desk = Desk(protections=[MaxStake(MaxStake.Config(stake=5))])
    desk.book("A", "0.40", "0.50")
    assert shown(desk, "alice", quotes(("0.44", "50")))[1].startswith("submit 1 buy A.yes 1")
    assert shown(desk, "alice", quotes(("0.44", "50"))) == []


def test_only_own_orders_can_be_cancelled():
    desk = Desk()
    desk.play("""
        book A 0.40 0.50                |
        alice buy A.yes 0.45 5 resting  | reviewed 5/5; submit 1 buy A.yes 5 @ 0.45
    """)
    assert [type(e).__name__ for e in desk.wish("bob", CancelOrder("s-1"))] == ["WishRefused"]
    assert [type(e).__name__ for e in desk.wish("alice", CancelOrder("s-1"))] == ["RequestCancel"]
    assert desk.wish("alice", CancelOrder("s-1")) == []


@pytest.mark.parametrize(
    ("kind", "worst"),
    [(GroupKind.INDEPENDENT, "0"), (GroupKind.EXCLUSIVE, "10"), (GroupKind.LADDER, "0")],
)
def test_the_worst_case_knows_how_markets_hang_together(kind, worst):
    # NO shares in two markets: if the markets exclude each other one of them always pays.
    markets = [market("A", group="e", strike=1), market("B", group="e", strike=2)]
    desk = Desk(markets=markets, groups=[Group("e", ("A", "B"), kind)])
    desk.play("""
        book A 0.40 0.50        |
        book B 0.40 0.50        |
        alice buy A.no 0.60 10  | reviewed 10/10; submit 1 buy A.no 10 @ 0.6
        alice buy B.no 0.60 10  | reviewed 10/10; submit 2 buy B.no 10 @ 0.6
        fill 1 10 0.60          | booked 10; changed 1 confirmed
        fill 2 10 0.60          | booked 10; changed 2 confirmed
    """)
    assert desk.engine.state.worst(0, "e") == to_units(worst, 6)


def test_sizing_is_the_engines_business_when_the_strategy_does_not_say():
    desk = Desk()
    desk.book("A", "0.40", "0.50")
    effects = desk.wish("alice", Intent(token="A.yes", side=Side.BUY))
    assert effects[1].order.size == to_units("20", 6)  # 10 a trade at 0.50
