"""Exits as transcripts: one for each reason, and what stands in their way."""

from __future__ import annotations

import msgspec
import pytest
from engine_desk import START, Desk, Puppet, intent, market
from hypothesis import given, settings
from hypothesis import strategies as st

from polyframe import Exit, Exits, PluginError, PortfolioTrailing, Protection, Thesis, Trailing
from polyframe.api.exits import declared
from polyframe.domain import effects as fx
from polyframe.domain import events as ev
from polyframe.domain.effects import storable
from polyframe.domain.forecast import Forecast
from polyframe.domain.orders import Kind
from polyframe.domain.units import HOUR, MINUTE, SECOND, to_units
from polyframe.engine.engine import Engine
from polyframe.protections.min_edge import MinEdge


def desk(exits: Exits | None = None, *, cls: type[Puppet] = Puppet, **options) -> Desk:
    """A session of one strategy, alice, that declares these exits."""

    class Declares(cls):
        pass

    Declares.exits = exits
    return Desk(players=["alice"], strategies={"alice": Declares()}, **options)


HELD = """
book A 0.49 0.50           |
alice buy A.yes 0.50 10    | reviewed 10/10; submit 1 buy A.yes 10 @ 0.5
fill 1 10 0.50             | booked 10; changed 1 confirmed
"""


def later(found: Desk, ns: int) -> None:
    found.now += ns


def fire(found: Desk, prefix: str) -> list[fx.Effect]:
    """Fires the timer of alice whose key begins so, at its time."""
    key, at = next((k, at) for (_, k), at in found.engine.timers.items() if k.startswith(prefix))
    found.now = max(found.now, at)
    return found.step(ev.TimerFired(found.now, "alice", key))


def reasons(effects: list[fx.Effect]) -> list[tuple[str, int]]:
    return [(e.order.reason, e.order.size // 10**6) for e in effects
            if isinstance(e, fx.SubmitOrder) and e.order.kind is Kind.EXIT]  # fmt: skip


# ---- one for each reason -----------------------------------------------------------------------


def test_a_stop_sells_everything_at_any_price_once_the_loss_is_reached():
    found = desk(Exits(stop_loss=0.2))
    found.play(HELD)
    found.play("""
    book A 0.41 0.42 |
    book A 0.40 0.41 | reviewed 10/10; submit 2 sell A.yes 10 @ 0.01 stop_loss
    book A 0.30 0.31 |
    fill 2 10 0.30   | booked 10; changed 2 confirmed
    book A 0.20 0.21 |
    """)


def test_a_target_sells_what_its_steps_say():
    found = desk(Exits(take_profit=((0.2, 0.5), (0.4, 0.3))))
    found.play(HELD)
    found.play("""
    book A 0.59 0.60 |
    book A 0.60 0.61 | reviewed 5/5; submit 2 sell A.yes 5 @ 0.01 take_profit
    fill 2 5 0.60    | booked 5; changed 2 confirmed
    book A 0.61 0.62 |
    book A 0.70 0.71 |
    """)
    later(found, MINUTE)
    found.play("""
    book A 0.71 0.72 | reviewed 3/3; submit 3 sell A.yes 3 @ 0.01 take_profit
    fill 3 3 0.71    | booked 3; changed 3 confirmed
    """)
    later(found, MINUTE)
    found.play("book A 0.90 0.91 |")


def test_a_jump_over_several_steps_sells_them_together():
    found = desk(Exits(take_profit=((0.2, 0.5), (0.4, 0.3))))
    found.play(HELD)
    found.play("book A 0.80 0.81 | reviewed 8/8; submit 2 sell A.yes 8 @ 0.01 take_profit")


def test_a_trailing_stop_follows_the_best_bid_in_gain():
    found = desk(Exits(trailing=Trailing(distance=0.1, arm=0.2)))
    found.play(HELD)
    found.play("""
    book A 0.59 0.60 |
    book A 0.50 0.51 |
    book A 0.64 0.65 |
    book A 0.60 0.61 |
    book A 0.59 0.60 | reviewed 10/10; submit 2 sell A.yes 10 @ 0.01 trailing
    """)


def test_a_trailing_stop_in_true_ranges_only_rises():
    found = desk(Exits(trailing=Trailing(atr=2.0, period=3)))
    found.play(HELD)
    # Changes of a cent: the stop stands two cents below the best bid.
    found.play("""
    book A 0.50 0.51 |
    book A 0.51 0.52 |
    book A 0.52 0.53 |
    book A 0.51 0.52 |
    book A 0.50 0.51 | reviewed 10/10; submit 2 sell A.yes 10 @ 0.01 trailing
    """)


def test_breakeven_does_not_let_a_gain_become_a_loss():
    found = desk(Exits(breakeven=0.1))
    found.play(HELD)
    found.play("""
    book A 0.54 0.55 |
    book A 0.50 0.51 |
    book A 0.55 0.56 |
    book A 0.51 0.52 |
    book A 0.50 0.51 | reviewed 10/10; submit 2 sell A.yes 10 @ 0.01 breakeven
    """)


def test_age_sells_by_timer_and_in_parts():
    third = 1 / 3
    holds = ((4 * HOUR, third), (8 * HOUR, third), (240 * HOUR, third))
    found = desk(Exits(max_holding=holds))
    found.play(HELD)
    opened = found.now
    sold = []
    for n, hours in ((2, 4), (3, 8), (4, 240)):
        effects = fire(found, "age:")
        assert found.now == opened + hours * HOUR
        sold += reasons(effects)
        size = found.submitted(f"s-{n}").size
        found.fill(f"s-{n}", str(size // 10**6), "0.49")
    assert sold == [("max_holding", 3), ("max_holding", 3), ("max_holding", 4)]


def test_a_position_is_left_before_its_market_closes():
    closes = START + 100 * HOUR
    found = desk(Exits(near_resolution=24 * HOUR), markets=[market("A", closes=closes)])
    found.play(HELD)
    assert reasons(fire(found, "age:")) == [("near_resolution", 10)]
    assert found.now == closes - 24 * HOUR
    found.fill("s-2", "10", "0.49")
    found.play("alice buy A.yes 0.50 10 | refused: the market closes within near_resolution")


def forecast(found: Desk, probability: float, request: str = "r") -> list[fx.Effect]:
    made = Forecast("A", probability, found.later(), source="test")
    return found.step(ev.ForecastMade(found.now, request, "default", made))


def test_a_thesis_sells_what_is_worth_less_than_it_brings():
    found = desk(Exits(thesis=Thesis(margin=0.02)))
    found.play("book A 0.49 0.50 |")
    forecast(found, 0.6)
    found.play(HELD.split("\n", 2)[2])
    found.play("book A 0.55 0.56 |")
    assert reasons(forecast(found, 0.54)) == []
    assert reasons(forecast(found, 0.52)) == [("thesis", 10)]


def test_a_thesis_older_than_a_move_of_the_price_is_asked_for_anew():
    found = desk(Exits(thesis=True))
    found.play("book A 0.49 0.50 |")
    forecast(found, 0.55)
    found.play(HELD.split("\n", 2)[2])
    found.play("""
    book A 0.54 0.55 |
    book A 0.70 0.71 | ask A default
    book A 0.72 0.73 |
    """)
    # The same answer again was given at this price: now it counts.
    assert reasons(forecast(found, 0.55, "s-f1")) == [("thesis", 10)]


def test_a_position_without_a_forecast_asks_for_one_once_an_hour():
    found = desk(Exits(thesis=True))
    found.play(HELD.replace("1 confirmed", "1 confirmed; ask A default"))
    found.play("book A 0.47 0.48 |")
    found.step(ev.ForecastFailed(found.later(), "s-f1", "A", "default", "none", True))
    found.play("book A 0.46 0.47 |")
    later(found, HOUR)
    found.play("book A 0.45 0.46 | ask A default")


def test_the_end_of_a_recovery_sells_everything():
    rule = PortfolioTrailing(under=12 * HOUR, gain=0.04, distance=0.02)
    found = desk(Exits(portfolio_trailing=rule))
    found.play(HELD)
    found.play("""
    book B 0.49 0.50           |
    alice buy B.no 0.51 10     | reviewed 10/10; submit 2 buy B.no 10 @ 0.51
    fill 2 10 0.51             | booked 10; changed 2 confirmed
    book A 0.54 0.55           |
    book A 0.44 0.45           |
    """)
    later(found, 12 * HOUR)
    found.play(
        """
    book A 0.56 0.57 |
    book A 0.55 0.56 |
    book A 0.53 0.54 | reviewed 10/10; submit 3 sell A.yes 10 @ 0.01 portfolio_trailing; \
reviewed 10/10; submit 4 sell B.no 10 @ 0.01 portfolio_trailing
    """.replace("\\\n", "")
    )


def test_a_kill_that_flattens_sells_everything_while_halted():
    found = desk(None)
    found.play(HELD)
    found.play("book B 0.49 0.50 |")
    killed = ev.Command(ev.CommandKind.KILL, "tester", flatten=True)
    effects = found.step(ev.CommandReceived(found.later(), killed))
    assert reasons(effects) == [("emergency", 10)]
    found.play("""
    rejected 2 busy        | changed 2 rejected
    book A 0.48 0.49       |
    """)
    later(found, MINUTE)
    found.play("book A 0.47 0.48 | reviewed 10/10; submit 3 sell A.yes 10 @ 0.01 emergency")


class Falls(Protection):
    """Stops at a fall of a twentieth from the peak and sells what is held."""

    kernel = "drawdown_kill"
    applies_to = frozenset({Kind.DIRECTIONAL})

    def limits(self):
        return {"drawdown_kill": 50_000, "drawdown_flatten": 1}


def test_a_fall_from_the_peak_may_sell_everything():
    found = desk(None, cash="20", protections=[Falls()])
    found.play(HELD)
    found.play("""
    book A 0.41 0.42 |
    book A 0.39 0.40 | halted by Falls; reviewed 10/10; submit 2 sell A.yes 10 @ 0.01 emergency
    """)


def test_a_reset_ends_the_flattening():
    found = desk(None)
    found.play(HELD)
    killed = ev.Command(ev.CommandKind.KILL, "tester", flatten=True)
    found.step(ev.CommandReceived(found.later(), killed))
    found.play("""
    rejected 2 busy  | changed 2 rejected
    reset            | resumed
    """)
    later(found, MINUTE)
    found.play("book A 0.47 0.48 |")


class Own(Puppet):
    """Answers ``custom_exit`` with what a test puts there."""

    answer: object = None
    asked = 0

    def custom_exit(self, position, view):
        type(self).asked += 1
        self.seen = position
        return type(self).answer


def test_custom_exit_sells_with_its_own_reason():
    found = desk(None, cls=Own)
    strategy = type(found.puppets["alice"])
    found.play(HELD)
    opened = found.now
    found.play("book A 0.50 0.51 |")
    assert found.puppets["alice"].seen.opened == opened
    strategy.answer = Exit(0.4, "half way")
    found.play("book A 0.52 0.53 | reviewed 4/4; submit 2 sell A.yes 4 @ 0.01 custom:half way")
    asked = strategy.asked
    found.play("""
    book A 0.53 0.54 |
    fill 2 4 0.53    | booked 4; changed 2 confirmed
    """)
    assert strategy.asked == asked, "not while a sale is under way or paused"
    assert found.puppets["alice"].seen.high == to_units("0.52", 4)
    strategy.answer = "enough"
    later(found, MINUTE)
    found.play("book A 0.55 0.56 | reviewed 6/6; submit 3 sell A.yes 6 @ 0.01 custom:enough")


@pytest.mark.parametrize(
    "answer",
    [1, 0.5, True, "", "  ", b"x", ["x"], Exit(0.0, "x"), Exit(1.5, "x"), Exit(float("nan"), "x"),
     Exit(0.5, ""), Exit("1", "x"), Exit(0.5, "a\nb"), Exit(0.5, "x" * 500)],
)  # fmt: skip
def test_nonsense_from_custom_exit_names_class_and_value(answer):
    found = desk(None, cls=Own)
    found.play(HELD)
    type(found.puppets["alice"]).answer = answer
    with pytest.raises(PluginError, match=r"Declares.custom_exit answered") as error:
        found.play("book A 0.50 0.51 |")
    assert repr(answer) in str(error.value)


def test_a_position_is_no_answer_of_custom_exit():
    found = desk(None, cls=Own)
    found.play(HELD)
    type(found.puppets["alice"]).answer = found.engine.parts.bound[0].view.position("A.yes")
    with pytest.raises(PluginError, match="answered Position"):
        found.play("book A 0.50 0.51 |")


def test_a_custom_exit_that_raises_takes_its_strategy_out_live_and_its_stops_stand():
    class Raises(Puppet):
        def custom_exit(self, position, view):
            raise RuntimeError("no")

    found = desk(Exits(stop_loss=0.2), cls=Raises, disable_on_error=True)
    found.play(HELD)
    found.play("""
    book A 0.50 0.51 | disabled alice
    book A 0.30 0.31 | reviewed 10/10; submit 2 sell A.yes 10 @ 0.01 stop_loss
    """)


# ---- what stands in the way --------------------------------------------------------------------


def test_what_rests_on_the_shares_is_pulled_first():
    found = desk(Exits(stop_loss=0.2))
    found.play(HELD)
    found.play(
        """
    alice sell A.yes 0.70 10 resting | reviewed 10/10; submit 2 sell A.yes 10 @ 0.7
    accepted 2       | changed 2 live
    book A 0.40 0.41 | cancel 2
    book A 0.39 0.40 |
    cancelled 2      | reviewed 10/10; submit 3 sell A.yes 10 @ 0.01 stop_loss; changed 2 cancelled
    """.replace(
            "reviewed 10/10; submit 3 sell A.yes 10 @ 0.01 stop_loss; changed 2 cancelled",
            "changed 2 cancelled; reviewed 10/10; submit 3 sell A.yes 10 @ 0.01 stop_loss",
        )
    )


def test_what_was_not_sold_is_tried_again_after_a_pause():
    found = desk(Exits(stop_loss=0.2))
    found.play(HELD)
    found.play("""
    book A 0.40 0.41    | reviewed 10/10; submit 2 sell A.yes 10 @ 0.01 stop_loss
    fill 2 4 0.40       | booked 4; changed 2 partial
    cancelled 2         | changed 2 cancelled
    book A 0.39 0.40    |
    """)
    later(found, MINUTE)
    found.play("book A 0.38 0.39 | reviewed 6/6; submit 3 sell A.yes 6 @ 0.01 stop_loss")


def test_vain_attempts_without_a_new_price_come_further_and_further_apart():
    found = desk(Exits(stop_loss=0.2))
    found.play(HELD)
    found.play("""
    book A 0.40 0.41 | reviewed 10/10; submit 2 sell A.yes 10 @ 0.01 stop_loss
    rejected 2 busy  | changed 2 rejected
    """)
    pauses = []
    for n in range(3, 8):
        before = found.engine.timers["alice", "exit:A.yes"]
        assert reasons(fire(found, "exit:")) == [("stop_loss", 10)]
        found.step(ev.OrderRejected(found.later(), f"s-{n}", "busy"))
        pauses.append((found.engine.timers["alice", "exit:A.yes"] - before) // MINUTE)
    assert pauses == [2, 4, 8, 16, 32]


def test_a_recovered_price_is_not_sold():
    found = desk(Exits(stop_loss=0.2))
    found.play(HELD)
    found.play("""
    book A 0.40 0.41 | reviewed 10/10; submit 2 sell A.yes 10 @ 0.01 stop_loss
    rejected 2 busy  | changed 2 rejected
    book A 0.45 0.46 |
    """)
    assert reasons(fire(found, "exit:")) == []


def test_nothing_is_sold_into_a_book_that_is_not_trusted():
    found = desk(Exits(stop_loss=0.2, max_holding=HOUR))
    found.play(HELD)
    found.play("distrust A |")
    assert reasons(fire(found, "age:")) == []
    found.play("book A 0.45 0.46 | reviewed 10/10; submit 2 sell A.yes 10 @ 0.01 max_holding")


def test_an_own_bid_of_another_strategy_is_no_buyer():
    class Stops(Puppet):
        stop_loss = 0.2

    found = Desk(strategies={"alice": Stops()})
    found.play(HELD)
    found.play("""
    bob buy A.yes 0.38 5 resting | reviewed 5/5; submit 2 buy A.yes 5 @ 0.38
    book A 0.40 0.41             | reviewed 10/10; submit 3 sell A.yes 10 @ 0.39 stop_loss
    """)


def test_no_guard_keeps_one_leg_of_a_hedge_in():
    found = desk(Exits(stop_loss=0.2), protections=[MinEdge()])
    found.play("""
    book A 0.49 0.50                 |
    alice buy A.yes 0.50 10 edge=0.1 | reviewed 10/10; submit 1 buy A.yes 10 @ 0.5
    fill 1 10 0.50                   | booked 10; changed 1 confirmed
    alice buy A.no 0.51 10 edge=0.1  | reviewed 10/10; submit 2 buy A.no 10 @ 0.51
    fill 2 10 0.51                   | booked 10; changed 2 confirmed
    book A 0.40 0.41                 | reviewed 10/10; submit 3 sell A.yes 10 @ 0.01 stop_loss
    """)


def test_a_rest_below_the_minimum_is_sold_along():
    large = market("A")
    large = type(large)(**{f: getattr(large, f) for f in large.__struct_fields__}
                        | {"min_size": 4_000_000})  # fmt: skip
    found = desk(Exits(take_profit=((0.2, 0.7),)), markets=[large])
    found.play(HELD)
    found.play("book A 0.60 0.61 | reviewed 10/10; submit 2 sell A.yes 10 @ 0.01 take_profit")


def test_positions_opened_by_hand_are_watched_too():
    found = desk(Exits(stop_loss=0.2))
    found.play("book A 0.49 0.50 |")
    bought = ev.Command(ev.CommandKind.BUY, "tester", "alice", token="A.yes", size=10**7)
    found.step(ev.CommandReceived(found.later(), bought))
    found.fill("s-1", "10", "0.50")
    found.play("book A 0.40 0.41 | reviewed 10/10; submit 2 sell A.yes 10 @ 0.01 stop_loss")


def test_the_worst_for_us_names_the_sale():
    every = Exits(stop_loss=0.1, trailing=0.01, breakeven=0.01, max_holding=1, take_profit=0.001)
    found = desk(every)
    found.play(HELD)
    found.play("book A 0.55 0.56 | reviewed 10/10; submit 2 sell A.yes 10 @ 0.01 max_holding")
    other = desk(every)
    other.play(HELD)
    other.play("book A 0.30 0.31 | reviewed 10/10; submit 2 sell A.yes 10 @ 0.01 stop_loss")


# ---- scaling in, room --------------------------------------------------------------------------


def test_an_addition_moves_the_cost_and_keeps_the_age():
    found = desk(Exits(stop_loss=0.2, max_holding=10 * HOUR), cash="1000")
    found.play(HELD)
    opened = found.now
    later(found, HOUR)
    found.play(
        """
    book A 0.69 0.70           |
    alice buy A.yes 0.70 10    | reviewed 10/10; submit 2 buy A.yes 10 @ 0.7
    fill 2 10 0.70             | booked 10; changed 2 confirmed
    book A 0.49 0.50           |
    """.replace("book A 0.49 0.50           |", "book A 0.49 0.50 |")
    )
    position = found.engine.parts.bound[0].view.position("A.yes")
    assert (position.opened, position.high) == (opened, to_units("0.69", 4))
    found.play("book A 0.48 0.49 | reviewed 20/20; submit 3 sell A.yes 20 @ 0.01 stop_loss")


def test_without_position_adjustment_a_held_market_takes_no_further_entry():
    found = desk(Exits(position_adjustment=False))
    why = "the market is held and position_adjustment is off"
    found.play(HELD)
    found.play(f"""
    alice buy A.yes 0.50 10 | refused: {why}
    alice buy A.no 0.51 10  | reviewed 10/10; submit 2 buy A.no 10 @ 0.51
    book B 0.49 0.50        |
    alice buy B.yes 0.50 5  | reviewed 5/5; submit 3 buy B.yes 5 @ 0.5
    alice buy B.yes 0.50 5  | refused: {why}
    """)


def test_max_open_counts_positions_and_entries_of_one_strategy():
    class One(Puppet):
        max_open = 1

    found = Desk(strategies={"alice": One()})
    found.play("""
    book A 0.49 0.50        |
    book B 0.49 0.50        |
    alice buy A.yes 0.50 10 | reviewed 10/10; submit 1 buy A.yes 10 @ 0.5
    alice buy B.yes 0.50 10 | refused: max_open markets are in play
    alice buy A.yes 0.50 10 | reviewed 10/10; submit 2 buy A.yes 10 @ 0.5
    bob buy B.yes 0.50 10   | reviewed 10/10; submit 3 buy B.yes 10 @ 0.5
    cancelled 1             | changed 1 cancelled
    cancelled 2             | changed 2 cancelled
    alice buy B.yes 0.50 10 | reviewed 10/10; submit 4 buy B.yes 10 @ 0.5
    """)


# ---- recovery ----------------------------------------------------------------------------------

EVERY = Exits(
    stop_loss=0.3, take_profit=((0.1, 0.3), (0.2, 0.7)), trailing=Trailing(atr=4.0, arm=0.05),
    breakeven=0.08, max_holding=((HOUR, 0.25), (3 * HOUR, 0.5)), thesis=Thesis(margin=0.1),
    portfolio_trailing=PortfolioTrailing(under=HOUR, gain=0.01, distance=0.01),
)  # fmt: skip
MOVES = st.lists(
    st.tuples(st.sampled_from("AB"), st.integers(30, 70), st.integers(1, 90)), min_size=5,
    max_size=30,
)  # fmt: skip


def drive(found: Desk, moves) -> None:
    """Books move, every order fills at once, timers fire when they are due."""
    for n, (name, cents, minutes) in enumerate(moves):
        for (ledger, key), at in sorted(found.engine.timers.items(), key=lambda item: item[1]):
            if at <= found.now + minutes * MINUTE:
                found.now = max(found.now, at)
                answer(found, found.step(ev.TimerFired(found.now, ledger, key)))
        later(found, minutes * MINUTE)
        answer(found, found.book(name, f"0.{cents}", f"0.{cents + 1}"))
        if n % 5 == 0:
            answer(found, found.wish("alice", intent("buy", f"{name}.yes", f"0.{cents + 1}", "10")))


def answer(found: Desk, effects) -> None:
    for effect in effects:
        if isinstance(effect, fx.SubmitOrder):
            size = str(effect.order.size // 10**6)
            price = effect.order.price if effect.order.side > 0 else 3_000
            answer(found, found.fill(effect.order.id, size, f"{price / 1e4:.4f}"))
        elif isinstance(effect, fx.RequestForecast):
            failed = ev.ForecastFailed(
                found.later(), effect.request, effect.market, effect.forecaster, "none", True
            )
            found.step(failed)


@settings(max_examples=25, deadline=None)
@given(MOVES)
def test_folding_a_session_gives_the_rows_that_it_had(moves):
    found = desk(EVERY, cash="1000")
    drive(found, moves)
    folded = Engine(found.setup)
    for event, effects in found.log:
        folded.fold(event, effects)
    for mine, theirs in zip(found.engine.state.exits.tables, folded.state.exits.tables,
                            strict=True):  # fmt: skip
        assert (mine == theirs).all()


@settings(max_examples=25, deadline=None)
@given(MOVES, st.integers(0, 30))
def test_a_restart_changes_no_exit(moves, cut):
    first = desk(EVERY, cash="1000")
    drive(first, moves[:cut])
    again = desk(EVERY, cash="1000")
    again.engine.restore(first.engine.checkpoint())
    again.now, again.fills, again.log = first.now, first.fills, list(first.log)
    drive(first, moves[cut:])
    drive(again, moves[cut:])
    told = [msgspec.msgpack.encode(log, enc_hook=storable) for log in (first.log, again.log)]
    assert told[0] == told[1]


def test_declared_exits_of_the_default_are_those_of_the_rules():
    class Plain(Puppet):
        exits = Exits.default()
        take_profit = 0.5

    found = declared(Plain)
    assert (found.stop_loss, found.take_profit, found.max_holding) == (0.2, 0.5, 240 * HOUR)
    assert declared(Plain, {"stop_loss": None}).stop_loss is None
    assert SECOND < found.retry == MINUTE


def test_a_property_may_read_the_settings_and_is_checked_too():
    class Set(Puppet):
        at: object = 0.1

        @property
        def stop_loss(self):
            return self.at / 1

    strategy = Set()
    assert (declared(Set).stop_loss, declared(strategy).stop_loss) == (None, 0.1)
    strategy.at = -1
    with pytest.raises(PluginError, match=r"Set.stop_loss is -1.0"):
        declared(strategy)
    strategy.at = "far"
    with pytest.raises(PluginError, match=r"Set.stop_loss failed with TypeError"):
        declared(strategy)
