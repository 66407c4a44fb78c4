"""Each check of the suites finds the fault it is there for."""

from __future__ import annotations

import itertools

import msgspec
import pytest
from pydantic import ConfigDict

from polyframe import (
    HOUR,
    BookUpdated,
    Exchange,
    Exit,
    Exits,
    FeeSchedule,
    Forecast,
    Forecaster,
    Intent,
    Kind,
    PluginConfig,
    PluginError,
    Protection,
    Side,
    Strategy,
    TimeInForce,
    Trailing,
    WakeAt,
)
from polyframe.domain.effects import SubmitOrder
from polyframe.domain.events import OrderAccepted, OrderFilled
from polyframe.domain.portfolio import Fill
from polyframe.testing import (
    SHARE,
    START,
    ExchangeSuite,
    ForecasterSuite,
    ProtectionSuite,
    Session,
    StrategySuite,
    build_book,
    build_forecast,
    build_group,
    build_market,
    transcript,
)
from polyframe.testing.contract import private_imports

COUNTER = itertools.count()


class Hidden(Strategy):
    """Remembers outside its state."""

    seen = 0

    def on_book(self, event, view):
        self.seen += 1
        if self.seen % 7 == 0:
            yield Intent(token=event.quote.token, side=Side.BUY, size=5 * SHARE, edge=0.5)


class Peeking(Strategy):
    """Knows the next bar."""

    timeframe = "1h"
    startup_bars = 5

    def features(self, bars):
        bars["enter"] = bars["close"].shift(-1) > bars["close"]
        return bars


class Looking(Strategy):
    """Knows the bars before."""

    timeframe = "15m"
    startup_bars = 5

    def features(self, bars):
        bars["enter"] = bars["close"].shift(1) > bars["close"]
        return bars


class Shared(Strategy):
    """Remembers in a list of the class."""

    memory: list[int] = []  # noqa: RUF012

    def on_book(self, event, view):
        self.memory.append(event.ts)
        yield from ()


class Drifting(Strategy):
    """Depends on something outside the session."""

    def on_book(self, event, view):
        if next(COUNTER) % 5 == 0:
            yield Intent(token=event.quote.token, side=Side.BUY, size=5 * SHARE, edge=0.5)


class Fragile(Strategy):
    """Takes for granted that there is a mid."""

    def on_book(self, event, view):
        half = event.quote.mid / 2
        yield WakeAt(view.now + int(half))


class Loud(Strategy):
    """Yields what is no wish, on trades."""

    def on_trade(self, event, view):
        yield "buy"


class Unsaved(Strategy):
    """Keeps a state that does not come back as it went."""

    class State(msgspec.Struct):
        pairs: dict[str, object] = {}

    def on_book(self, event, view):
        self.state.pairs[event.quote.token] = {event.ts}
        yield from ()


class Local(Strategy):
    """Cannot travel."""

    def __init__(self, config=None):
        super().__init__(config)
        self.helper = lambda: None


class Misanswers(Strategy):
    """Says how much where it should say why."""

    def custom_exit(self, position, view):
        return position.shares


class Postpones(Strategy):
    """Takes its shares back whenever they are to be sold."""

    stop_loss = 0.2

    def on_book(self, event, view):
        held = view.position(event.quote.token)
        if held.free:
            yield Intent(token=held.token, side=Side.SELL, price=9_900, size=held.free,
                         tif=TimeInForce.GTC)  # fmt: skip


class Declares(Strategy):
    """Buys what falls and declares how it leaves."""

    exits = Exits(
        stop_loss=0.2, take_profit=((0.1, 0.5), (0.3, 0.5)), trailing=Trailing(atr=3.0),
        max_holding=((HOUR, 0.25), (3 * HOUR, 0.25)), thesis=True, portfolio_trailing=True,
    )  # fmt: skip

    def on_book(self, event, view):
        seen = view.history(event.quote.token, 2)
        if len(seen) == 2 and seen[1] < seen[0] and event.quote.ask:
            yield Intent(token=event.quote.token, side=Side.BUY, size=20 * SHARE, edge=0.5)

    def custom_exit(self, position, view):
        return Exit(0.5, "old") if view.now - position.opened > 2 * HOUR else None


def suite_of(cls, base=StrategySuite):
    return type("Suite", (base,), {"plugin": cls})()


@pytest.mark.parametrize(
    ("cls", "check"),
    [
        (Hidden, "test_it_keeps_nothing_outside_its_state"),
        (Hidden, "test_a_restart_at_any_event_changes_nothing"),
        (Peeking, "test_its_features_know_no_later_bars"),
        (Shared, "test_it_keeps_nothing_outside_its_state"),
        (Drifting, "test_the_same_events_give_the_same_effects"),
        (Fragile, "test_it_survives_missing_data"),
        (Loud, "test_it_yields_wishes_and_nothing_else"),
        (Unsaved, "test_its_state_can_be_saved"),
        (Local, "test_an_instance_travels_to_another_process"),
        (Misanswers, "test_its_declared_exits_are_carried_out"),
    ],
)
def test_the_strategy_suite_finds(cls, check):
    with pytest.raises((AssertionError, PluginError, AttributeError, TypeError)):
        getattr(suite_of(cls), check)()


def test_the_strategy_suite_lets_causal_features_pass():
    suite_of(Looking).test_its_features_know_no_later_bars()


@pytest.mark.parametrize(
    "check",
    [n for n in dir(StrategySuite) if n.startswith("test_") and "public_names" not in n],
)
def test_a_strategy_that_declares_its_exits_passes(check):
    getattr(suite_of(Declares), check)()


def test_a_sale_that_stands_in_the_way_does_not_keep_a_position_in():
    suite_of(Postpones).test_its_declared_exits_are_carried_out()


class Greedy(Strategy):
    """Wants a lot at every price."""

    def on_book(self, event, view):
        if event.quote.ask:
            yield Intent(
                token=event.quote.token, side=Side.BUY, size=500 * SHARE, edge=0.5, probability=0.9
            )


def test_a_burst_is_held_back_by_the_guards():
    suite_of(Greedy).test_no_burst_of_wishes_passes_a_cap()
    session = suite_of(Greedy).session("silent", cash="200")
    session.run(transcript(session.markets))
    assert session.of(SubmitOrder), "without orders the check would prove nothing"
    worst = min(session.view.worst(m.id) for m in session.markets if not m.group)
    assert worst < -50_000_000, "without the guard the cap would be passed"


class Later(Forecaster):
    """Knows the future."""

    async def forecast(self, question, evidence, snapshot, as_of):
        return build_forecast(question.market, as_of=as_of + 1)


class Follower(Forecaster):
    """Says it is blind and follows the price."""

    async def forecast(self, question, evidence, snapshot, as_of):
        return Forecast(question.market, snapshot.probability if snapshot else 0.5, as_of, "x")


class Moody(Forecaster):
    """Says it is pure and is not."""

    pure = True

    async def forecast(self, question, evidence, snapshot, as_of):
        return build_forecast(question.market, 0.5 + next(COUNTER) % 40 / 100, as_of=as_of)


class Elsewhere(Forecaster):
    """Answers another question."""

    async def forecast(self, question, evidence, snapshot, as_of):
        return build_forecast("other", as_of=as_of)


@pytest.mark.parametrize(
    ("cls", "check"),
    [
        (Later, "test_it_knows_nothing_from_later"),
        (Follower, "test_a_blind_forecaster_does_not_follow_the_price"),
        (Moody, "test_a_pure_forecaster_repeats_itself"),
        (Elsewhere, "test_it_answers_about_the_market_it_was_asked_about"),
    ],
)
def test_the_forecaster_suite_finds(cls, check):
    with pytest.raises(AssertionError):
        getattr(suite_of(cls, ForecasterSuite), check)()


class Generous(Protection):
    """Permits more than was asked."""

    def review(self, proposal, view):
        return self.allow(msgspec.structs.replace(proposal, size=proposal.size * 2))


class Silent(Protection):
    """Refuses without a reason."""

    def review(self, proposal, view):
        return self.deny("")


class Jailer(Protection):
    """Says it binds on everything."""

    scope = "venue"

    def review(self, proposal, view):
        return self.deny("never")


class Restless(Protection):
    """Answers events with what is no halt."""

    def observe(self, event, view):
        return True


@pytest.mark.parametrize(
    ("cls", "check"),
    [
        (Generous, "test_it_rules_within_what_was_asked"),
        (Silent, "test_it_rules_within_what_was_asked"),
        (Jailer, "test_it_keeps_the_contract_of_its_port"),
        (Jailer, "test_it_never_traps_a_position"),
        (Restless, "test_it_watches_a_session_without_harm"),
    ],
)
def test_the_protection_suite_finds(cls, check):
    with pytest.raises((AssertionError, PluginError)):
        getattr(suite_of(cls, ProtectionSuite), check)()


def test_a_protection_that_denies_everything_still_lets_out():
    class Never(Protection):
        def review(self, proposal, view):
            return self.deny("never")

    suite_of(Never, ProtectionSuite).test_it_never_traps_a_position()


class Careless(Exchange):
    """Takes any order, fills too much at any price, answers in the past, twice."""

    def rules(self, market):
        return msgspec.structs.replace(market, fee=FeeSchedule(next(COUNTER)))

    def broker(self, **connections):
        return CarelessBroker()


class CarelessBroker:
    def __init__(self):
        self.answers = []

    def submit(self, approved, now):
        order = getattr(approved, "order", approved)
        fill = Fill("t", order.id, order.ledger, order.market, order.token, order.side,
                    order.price + 1, order.size + 1, 0, now)  # fmt: skip
        self.answers = [OrderFilled(now - 5, fill), OrderAccepted(now - 9, order.id)]

    def cancel(self, order, now):
        self.answers = []

    def split(self, *_): ...
    def merge(self, *_): ...
    def redeem(self, *_): ...

    def due(self):
        return self.answers[0].ts if self.answers else None

    def take(self, now):
        taken, self.answers = self.answers, []
        return taken


@pytest.mark.parametrize(
    "check",
    [
        "test_its_rules_keep_the_market_and_are_complete",
        "test_its_broker_takes_only_orders_of_its_own_door",
        "test_it_answers_every_order",
        "test_answers_come_later_and_in_order",
        "test_a_cancel_is_answered",
    ],
)
def test_the_exchange_suite_finds(check):
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        getattr(suite_of(Careless, ExchangeSuite), check)()


def test_private_imports_are_found_with_their_lines(tmp_path):
    file = tmp_path / "idea.py"
    file.write_text(
        "from polyframe import Strategy, import_module\nimport polyframe.engine\n"
        "def f():\n    from polyframe.engine.risk import RiskDoor\nimport json\n"
    )
    assert private_imports(file) == [
        "line 1: import_module",
        "line 2: polyframe.engine",
        "line 4: polyframe.engine.risk",
    ]


def test_settings_that_do_not_survive_json_are_found():
    class Odd(Strategy):
        class Config(PluginConfig):
            model_config = ConfigDict(extra="allow")

    with pytest.raises(AssertionError):
        suite_of(Odd).test_its_settings_survive_being_written_and_read()


def test_a_session_answers_orders_forecasts_and_timers():
    class Once(Strategy):
        def on_start(self, event, view):
            yield WakeAt(view.now + 5, "go")

        def on_wake(self, event, view):
            yield Intent(
                token="m1-yes", side=Side.BUY, price=5_100, size=10 * SHARE, edge=0.1,
                kind=Kind.DIRECTIONAL,
            )  # fmt: skip

    session = Session(Once())
    session.send(build_book())
    session.start()
    session.settle(START + 10**9)
    assert session.view.position("m1-yes").shares == 10 * SHARE
    assert session.view.portfolio().cash == 1_000_000_000 - 5_100_000 - 124_950

    silent = Session(Once(), answers="silent")
    silent.send(build_book())
    silent.start()
    silent.settle(START + 10**9)
    assert silent.view.position("m1-yes").shares == 0
    assert silent.view.portfolio().free < 1_000_000_000


def test_a_transcript_is_the_same_for_the_same_seed_and_in_order():
    markets = [build_market("a"), *build_group()[1]]
    first, second = transcript(markets, seed=1), transcript(markets, seed=1)
    assert first == second
    assert first != transcript(markets, seed=2)
    times = [event.ts for event in first]
    assert times == sorted(times)
    assert sum(isinstance(event, BookUpdated) for event in first) > 100
