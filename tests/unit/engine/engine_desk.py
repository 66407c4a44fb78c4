"""A session small enough to read: two markets, puppets for strategies, and a table language.

A transcript is a table of events and of the effects expected, one step a line::

    book A 0.40 0.42        |
    alice buy A.yes 0.42 10 | reviewed 10/10; submit 1 buy A.yes 10 @ 0.42
    accepted 1              | changed 1 live
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from polyframe.api.protection import Protection
from polyframe.api.sizer import Sizer
from polyframe.api.strategy import Strategy
from polyframe.domain import effects as fx
from polyframe.domain import events as ev
from polyframe.domain.book import Quote
from polyframe.domain.market import FeeSchedule, Group, Market, Token
from polyframe.domain.orders import Kind, Seal, Side, TimeInForce
from polyframe.domain.portfolio import Fill
from polyframe.domain.units import SECOND, format_units, to_units
from polyframe.domain.wishes import Intent, Wish
from polyframe.engine.engine import Engine
from polyframe.engine.risk import Guarded
from polyframe.engine.setup import Player, Setup
from polyframe.kernels.exit_tables_nb import CODES
from polyframe.protections.balance import Balance
from polyframe.protections.kill_switch import KillSwitch
from polyframe.protections.trusted_book import TrustedBook
from polyframe.protections.venue_rules import VenueRules
from polyframe.runtime.calls import PluginCalls
from polyframe.sizers.fixed import FixedSizer

START = 1_767_225_600 * SECOND  # 2026-01-01
DECLARED = {*CODES[1:], "custom"}
"""Reasons that a table shows behind an order."""
ALWAYS: tuple[Protection, ...] = (KillSwitch(), VenueRules(), Balance(), TrustedBook())


class Puppet(Strategy):
    """Wishes what a test puts into its hand; remembers what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.hand: list[Wish] = []
        self.told: list[object] = []

    def _next(self, event: object) -> Iterable[Wish]:
        self.told.append(event)
        wishes, self.hand = self.hand, []
        return wishes

    def on_wake(self, event, view):
        return self._next(event)

    def on_forecast(self, event, view):
        return self._next(event)

    def on_fill(self, event, view):
        return self._next(event)

    def on_halt(self, event, view):
        return self._next(event)

    def on_resolved(self, event, view):
        return self._next(event)


def market(
    name: str,
    *,
    group: str = "",
    fee: int = 0,
    strike: float | None = None,
    category: str = "other",
    closes: int = 0,
) -> Market:
    """A binary market with a cent tick, whole-share lots and a minimum of one share."""
    return Market(
        name,
        f"Will {name}?",
        (Token(f"{name}.yes", "Yes"), Token(f"{name}.no", "No")),
        group=group,
        strike=strike,
        tick=100,
        lot=1_000_000,
        min_size=1_000_000,
        fee=FeeSchedule(rate=fee),
        category=category,
        closes=closes,
    )


class Desk:
    """An engine with its puppets."""

    def __init__(
        self,
        *,
        markets: Sequence[Market] | None = None,
        groups: Sequence[Group] = (),
        protections: Sequence[Protection] = (),
        guarded: Sequence[Guarded] = (),
        players: Sequence[str] = ("alice", "bob"),
        cash: str = "100",
        sizer: Sizer | None = None,
        styles: dict[str, object] | None = None,
        disable_on_error: bool = False,
        strategies: dict[str, Strategy] | None = None,
    ) -> None:
        self.seal = Seal()
        self.puppets = {n: (strategies or {}).get(n) or Puppet() for n in players}
        everyone = [Guarded(p, None) for p in (*protections, *ALWAYS)]
        self.setup = Setup(
            session="s",
            seed=1,
            markets=markets or [market("A"), market("B")],
            groups=groups,
            players=[
                Player(n, s, sizer or FixedSizer(), to_units(cash, 6))
                for n, s in self.puppets.items()
            ],
            guarded=[*everyone, *guarded],
            styles=styles or {},
            calls=PluginCalls(),
            seal=self.seal,
            disable_on_error=disable_on_error,
        )
        self.engine = Engine(self.setup)
        self.now = START
        self.log: list[tuple[ev.Event, list[fx.Effect]]] = []
        self.fills = 0
        self.step(ev.SessionStarted(self.now, "s"))

    # ---- events ----------------------------------------------------------------------------

    def step(self, event: ev.Event) -> list[fx.Effect]:
        effects = self.engine.step(event)
        self.log.append((event, effects))
        return effects

    def later(self, seconds: float = 1) -> int:
        self.now += int(seconds * SECOND)
        return self.now

    def book(self, market: str, bid: str, ask: str, **more: object) -> list[fx.Effect]:
        quote = Quote(
            f"{market}.yes", to_units(bid, 4), 10**9, to_units(ask, 4), 10**9, self.later(), **more
        )
        return self.step(ev.BookUpdated(self.now, quote))

    def wish(self, player: str, *wishes: Wish) -> list[fx.Effect]:
        self.puppets[player].hand = list(wishes)
        return self.step(ev.TimerFired(self.later(), player, "test"))

    def fill(
        self, order: str, size: str, price: str, *, fee: str = "0", trade: str = "", final=True
    ) -> list[fx.Effect]:
        sent = self.submitted(order)
        self.fills += 1
        fill = Fill(
            trade or f"t{self.fills}", order, sent.ledger, sent.market, sent.token, sent.side,
            to_units(price, 4), to_units(size, 6), to_units(fee, 6), self.later(),
        )  # fmt: skip
        return self.step(ev.OrderFilled(self.now, fill, final))

    def submitted(self, order: str):
        for _, effects in self.log:
            for effect in effects:
                if isinstance(effect, fx.SubmitOrder) and effect.order.id == order:
                    return effect.order
        raise AssertionError(f"order {order} was never sent")

    # ---- the table language ----------------------------------------------------------------

    def play(self, table: str) -> None:
        """Steps through a table and compares the effects of every line."""
        for raw in table.strip().splitlines():
            line = raw.strip()
            if not line or line.startswith("#"):
                continue
            left, _, right = line.partition("|")
            found = [t for e in self._do(left.split()) if (t := told(e))]
            expected = [part.strip() for part in right.split(";") if part.strip()]
            assert found == expected, f"{left.strip()}\n  found    {found}\n  expected {expected}"

    def _do(self, words: list[str]) -> list[fx.Effect]:
        match words:
            case ["book", market, bid, ask]:
                return self.book(market, bid, ask)
            case ["distrust", market]:
                return self.book(market, "0", "0", trusted=False)
            case [player, ("buy" | "sell") as side, token, price, size, *rest]:
                return self.wish(player, intent(side, token, price, size, *rest))
            case ["accepted", order]:
                return self.step(ev.OrderAccepted(self.later(), f"s-{order}"))
            case ["fill", order, size, price]:
                return self.fill(f"s-{order}", size, price)
            case ["cancelled", order]:
                return self.step(ev.OrderCancelled(self.later(), f"s-{order}"))
            case ["rejected", order, *why]:
                return self.step(ev.OrderRejected(self.later(), f"s-{order}", " ".join(why)))
            case ["expired", order]:
                return self.step(ev.OrderExpired(self.later(), f"s-{order}"))
            case ["timeout", order]:
                return self.step(ev.OrderTimedOut(self.later(), f"s-{order}"))
            case [kind, *rest] if kind in set(ev.CommandKind):
                fields = dict(part.split("=") for part in rest)
                command = ev.Command(ev.CommandKind(kind), "tester", **fields)
                return self.step(ev.CommandReceived(self.later(), command))
        raise AssertionError(f"no such line: {' '.join(words)}")


def intent(side: str, token: str, price: str, size: str, *rest: str) -> Intent:
    """An intent from a table's words: ``resting`` makes it GTC, ``p=0.6`` states a probability."""
    fields: dict[str, object] = {}
    for word in rest:
        if word == "resting":
            fields["tif"] = TimeInForce.GTC
        elif word.startswith("p="):
            fields["probability"] = float(word[2:])
        elif word.startswith("edge="):
            fields["edge"] = float(word[5:])
        elif word.startswith("kind="):
            fields["kind"] = Kind(word[5:])
        elif word.startswith("style="):
            fields["style"] = word[6:]
    return Intent(
        token=token,
        side=Side.BUY if side == "buy" else Side.SELL,
        price=None if price == "-" else to_units(price, 4),
        size=None if size == "-" else to_units(size, 6),
        **fields,
    )


def shares(units: int) -> str:
    return format_units(units, 6)


def told(effect: fx.Effect) -> str:
    """An effect as a table shows it; timers and saved states are not shown."""
    match effect:
        case fx.OrderReviewed():
            against = [v.protection for v in effect.verdicts if v.binding and v.size < effect.asked]
            text = f"reviewed {shares(effect.permitted)}/{shares(effect.asked)}"
            return text + (f" by {', '.join(against)}" if against else "")
        case fx.SubmitOrder(order):
            side = order.side.name.lower()
            return (
                f"submit {order.id[2:]} {side} {order.token} {shares(order.size)} "
                f"@ {format_units(order.price, 4)}"
                + (f" {order.reason}" if order.reason.split(":")[0] in DECLARED else "")
            )
        case fx.ParentApproved(order):
            return f"parent {order.id[2:]} {shares(order.size)}"
        case fx.RequestCancel(order):
            return f"cancel {'parent ' if effect.parent else ''}{order[2:]}"
        case fx.OrderChanged():
            return f"changed {effect.order[2:]} {effect.state}"
        case fx.FillBooked(fill):
            return f"booked {shares(fill.size)}"
        case fx.WishRefused():
            return f"refused: {effect.reason}"
        case fx.TradingHalted():
            return f"halted by {effect.by}"
        case fx.TradingResumed():
            return "resumed"
        case fx.RequestForecast():
            return f"ask {effect.market} {effect.forecaster}"
        case fx.RedeemPosition():
            return f"redeem {effect.token} {shares(effect.size)}"
        case fx.PositionSettled():
            return f"settled {effect.token} {format_units(effect.received, 6)}"
        case fx.StrategyDisabled():
            return f"disabled {effect.ledger}"
    return ""
