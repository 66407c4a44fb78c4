"""Turns the records of a journal into rows of the decision log, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import msgspec

from polyframe.domain import effects as fx
from polyframe.domain import events as ev
from polyframe.domain.orders import Kind, OrderState
from polyframe.domain.units import Ns, format_units
from polyframe.store.decision_log import Decision, Stage, amount, ruled, short, told
from polyframe.store.decision_plain import ANSWERS, ENDINGS, PLAIN, WAKES
from polyframe.store.moments import show_length, show_time
from polyframe.store.records import Step


class _Owned(msgspec.Struct):
    """An order under way: whose it is, of what, and whether more can be said of it."""

    ledger: str
    market: str
    token: str
    provisional: int = 0
    ended: bool = False


class Scale(NamedTuple):
    """A market's decimals, with which its integers are shown."""

    price: int = 4
    size: int = 6


class DecisionRows:
    """Turns records into rows. What it remembers grows with markets and open orders alone."""

    def __init__(self) -> None:
        self.scales: dict[str, Scale] = {}
        """of each market that an order was reviewed in"""
        self._markets: dict[str, str] = {}  # of each token
        self._orders: dict[str, _Owned] = {}
        self._asked: dict[str, str] = {}
        table: dict[type, Callable[..., Iterator[Decision]]] = {
            ev.Woken: self._woken,
            ev.BarSignalled: self._signalled,
            ev.ForecastMade: self._forecast,
            ev.ForecastFailed: self._no_forecast,
            ev.MarketListed: self._listed,
            ev.MarketResolved: self._resolved,
            ev.CommandReceived: self._command,
            fx.RequestForecast: self._asking,
            fx.OrderReviewed: self._reviewed,
            fx.SubmitOrder: self._submitted,
            fx.ParentApproved: self._parent,
            fx.RequestCancel: self._cancelling,
            fx.OrderChanged: self._changed,
            fx.FillBooked: self._filled,
            fx.PositionSettled: self._settled,
            fx.TradingHalted: self._halted,
            fx.WishRefused: self._refused,
        }
        self._table = table

    def rows(self, step: Step) -> Iterator[Decision]:
        """The rows of one step, without their proof."""
        event = step.event
        if event is not None:
            yield from self._of(event, step)
        for effect in step.effects:
            yield from self._of(effect, step)

    def _of(self, item: Any, step: Step) -> Iterator[Decision]:
        known = self._table.get(type(item))
        if known is not None:
            yield from known(item, step.ts)
        elif type(item) in ANSWERS:
            yield from self._answer(item, step.ts)
        elif type(item) in PLAIN:
            yield PLAIN[type(item)](item, step.ts)

    # ---- looking and believing -----------------------------------------------------------------

    def _woken(self, event: ev.Woken, ts: Ns) -> Iterator[Decision]:
        facts = {"reason": event.reason.value, "segment": event.segment, "row": event.row}
        text = WAKES.get(event.reason, event.reason.value)
        market = self._markets.get(event.token, "")
        for ledger in event.ledgers or ("",):
            yield Decision(ts, Stage.SCAN, text, ledger, market, event.token, "", facts)

    def _signalled(self, event: ev.BarSignalled, ts: Ns) -> Iterator[Decision]:
        told = [name for name in ("enter", "exit", "wake") if getattr(event, name)]
        facts = {
            "signals": told, "probability": event.probability, "edge": event.edge,
            "segment": event.segment, "row": event.row,
        }  # fmt: skip
        text = f"its features say {' and '.join(told) or 'nothing'}"
        token = event.bar.token
        market = self._markets.get(token, "")
        yield Decision(ts, Stage.SCAN, text, event.ledger, market, token, "", facts)

    def _asking(self, effect: fx.RequestForecast, ts: Ns) -> Iterator[Decision]:
        self._asked[effect.request] = effect.ledger
        facts = {
            "request": effect.request, "forecaster": effect.forecaster, "as_of": effect.as_of
        }  # fmt: skip
        text = f"asked {effect.forecaster}"
        yield Decision(ts, Stage.SCAN, text, effect.ledger, effect.market, facts=facts)

    def _forecast(self, event: ev.ForecastMade, ts: Ns) -> Iterator[Decision]:
        forecast = event.forecast
        ledger = self._asked.pop(event.request, "")
        quality = forecast.evidence_quality
        if forecast.evidence or quality is not None:
            n = len(forecast.evidence)
            text = f"{n} finding{'' if n == 1 else 's'}" if n else "evidence"
            text += "" if quality is None else f" of quality {quality:.2f}"
            facts: dict[str, Any] = {"evidence": list(forecast.evidence), "quality": quality}
            yield Decision(ts, Stage.RESEARCH, text, ledger, forecast.market, facts=facts)
        facts = {"forecaster": event.forecaster, "request": event.request}
        facts |= {
            name: value for name, value in msgspec.structs.asdict(forecast).items()
            if name not in {"market", "evidence", "evidence_quality"}
        }  # fmt: skip
        text = f"{forecast.probability:.3f} for YES by {forecast.source}"
        text += f" ({forecast.model})" if forecast.model else ""
        text += f", {forecast.confidence} confidence" if forecast.confidence else ""
        text += f", of {show_time(forecast.as_of)}"
        text += f", ready {show_length(forecast.latency)} later" if forecast.latency else ""
        yield Decision(ts, Stage.FORECAST, text, ledger, forecast.market, facts=facts)

    def _no_forecast(self, event: ev.ForecastFailed, ts: Ns) -> Iterator[Decision]:
        facts = {
            "forecaster": event.forecaster, "request": event.request, "reason": event.reason,
            "missing": event.missing,
        }  # fmt: skip
        ledger = self._asked.pop(event.request, "")
        text = f"none by {event.forecaster}: {event.reason}"
        yield Decision(ts, Stage.FORECAST, text, ledger, event.market, facts=facts)

    # ---- the door ------------------------------------------------------------------------------

    def _reviewed(self, effect: fx.OrderReviewed, ts: Ns) -> Iterator[Decision]:
        intent = effect.intent
        scale = self.scales[effect.market] = Scale(*effect.decimals)
        self._markets[intent.token] = effect.market
        if effect.permitted and effect.order:
            self._orders[effect.order] = _Owned(effect.ledger, effect.market, intent.token)

        def row(stage: Stage, text: str, **facts: Any) -> Decision:
            return Decision(
                ts, stage, text, effect.ledger, effect.market, intent.token, effect.order, facts
            )

        side = intent.side.name.lower()
        if intent.kind is Kind.EXIT:
            yield row(Stage.MONITOR, f"exit: {intent.reason or 'no reason stated'}",
                      reason=intent.reason, kind=intent.kind.value)  # fmt: skip
        price = format_units(effect.price, scale.price)
        limit = "" if intent.price is None else f", limit {price}"
        text = f"{side} {intent.token} at {price}" if effect.price else f"{side} {intent.token}"
        text += "" if intent.probability is None else f", believed {intent.probability:.3f}"
        text += "" if effect.edge is None else f", edge {effect.edge:+.4f} a share after costs"
        text += f" ({intent.reason})" if intent.reason else ""
        yield row(
            Stage.EDGE, text, side=side, price=price, limit=bool(limit),
            probability=intent.probability, stated_edge=intent.edge, edge=effect.edge,
            reason=intent.reason, kind=intent.kind.value, tif=intent.tif.value,
            parent=effect.parent,
        )  # fmt: skip
        yield row(
            Stage.RISK, ruled(effect.verdicts, effect.permitted, scale.size),
            verdicts=[told(verdict, scale.size) for verdict in effect.verdicts],
        )  # fmt: skip
        asked = format_units(effect.asked, scale.size)
        permitted = format_units(effect.permitted, scale.size)
        text = f"{permitted} of {asked} shares asked" if permitted != asked else f"{asked} shares"
        limited = dict(effect.sizing).get("limit")
        text += f", limited by {limited}" if limited else ""
        yield row(
            Stage.SIZE, text, asked=asked, permitted=permitted, sizing=dict(effect.sizing),
            stated=intent.size is not None,
        )  # fmt: skip

    def _refused(self, effect: fx.WishRefused, ts: Ns) -> Iterator[Decision]:
        if effect.wish == "AskForecast":
            stage = Stage.SCAN
        elif effect.reason.startswith("size is"):
            stage = Stage.SIZE
        else:
            stage = Stage.RISK
        facts = {"wish": effect.wish, "reason": effect.reason, "subject": effect.subject}
        text = f"{effect.wish} refused before review: {effect.reason}"
        market = self._markets.get(effect.subject, "")
        token = effect.subject if market else ""
        if not market and effect.subject in self.scales:
            market = effect.subject
        about = "" if market or not effect.subject else f" ({effect.subject})"
        yield Decision(ts, stage, text + about, effect.ledger, market, token, "", facts)

    # ---- the venue -----------------------------------------------------------------------------

    def _submitted(self, effect: fx.SubmitOrder, ts: Ns) -> Iterator[Decision]:
        yield self._sent("sent", effect, ts)

    def _parent(self, effect: fx.ParentApproved, ts: Ns) -> Iterator[Decision]:
        yield self._sent(f"approved, carried out by {effect.order.style}", effect, ts)

    def _sent(self, how: str, effect: fx.SubmitOrder | fx.ParentApproved, ts: Ns) -> Decision:
        order = effect.order
        self._orders.setdefault(order.id, _Owned(order.ledger, order.market, order.token))
        scale = self._scale(order.market)
        price, size = format_units(order.price, scale.price), format_units(order.size, scale.size)
        reserved = format_units(effect.reserved, 6)
        facts = {
            "side": order.side.name.lower(), "price": price, "size": size,
            "tif": order.tif.value, "reserved": reserved, "edge": order.edge,
            "parent": order.parent, "style": order.style, "post_only": order.post_only,
        }  # fmt: skip
        text = f"{how}: {facts['side']} {size} at {price}, {order.tif.value}"
        text += f", part of {short(order.parent)}" if order.parent else ""
        return Decision(
            ts, Stage.EXECUTE, text, order.ledger, order.market, order.token, order.id, facts
        )

    def _filled(self, effect: fx.FillBooked, ts: Ns) -> Iterator[Decision]:
        fill = effect.fill
        scale = self._scale(fill.market)
        facts = {
            "side": fill.side.name.lower(), "price": format_units(fill.price, scale.price),
            "size": format_units(fill.size, scale.size), "fee": format_units(fill.fee, 6),
            "realised": format_units(effect.realised, 6), "maker": fill.maker,
            "trade": fill.trade, "venue_ts": fill.ts, "reason": fill.reason,
        }  # fmt: skip
        word = "bought" if facts["side"] == "buy" else "sold"
        text = f"{word} {facts['size']} at {facts['price']}, fee {facts['fee']}"
        text += f", realised {amount(effect.realised)}" if effect.realised else ""
        yield Decision(
            ts, Stage.EXECUTE, text, fill.ledger, fill.market, fill.token, fill.order, facts
        )

    def _answer(self, event: Any, ts: Ns) -> Iterator[Decision]:
        if type(event) is ev.FillFailed and event.order in self._orders:
            return
        if type(event) is ev.OrderFilled:  # told by its FillBooked
            if not event.final and event.fill.order in self._orders:
                self._orders[event.fill.order].provisional += 1
            return
        if type(event) in ENDINGS and event.order in self._orders:  # told by its OrderChanged
            return
        text = ANSWERS[type(event)]
        facts = {
            name: value for name, value in msgspec.structs.asdict(event).items()
            if name not in {"ts", "order"} and value not in ("", 0)
        }  # fmt: skip
        text += f": {facts['reason']}" if "reason" in facts else ""
        yield self._about(event.order, ts, text, facts)

    def _cancelling(self, effect: fx.RequestCancel, ts: Ns) -> Iterator[Decision]:
        text = "cancel wished" + (f": {effect.reason}" if effect.reason else "")
        facts = {"reason": effect.reason, "parent": effect.parent}
        yield self._about(effect.order, ts, text, facts)

    def _changed(self, effect: fx.OrderChanged, ts: Ns) -> Iterator[Decision]:
        owned = self._orders.get(effect.order)
        if owned is None:
            return
        state = effect.state
        shown = format_units(effect.filled, self._scale(owned.market).size)
        facts = {"state": state.value, "filled": shown, "reason": effect.reason}
        because = f": {effect.reason}" if effect.reason else ""
        if state in ENDINGS.values():
            yield self._about(effect.order, ts, f"{state.value}{because}, {shown} filled", facts)
        elif state is OrderState.FAILED:
            yield self._about(effect.order, ts, f"a fill was undone{because}", facts)
        if owned.provisional and state in (OrderState.CONFIRMED, OrderState.FAILED):
            owned.provisional -= 1
        owned.ended = owned.ended or not state.open
        if owned.ended and owned.provisional == 0:
            del self._orders[effect.order]

    def _about(self, order: str, ts: Ns, text: str, facts: dict[str, Any]) -> Decision:
        owned = self._orders.get(order)
        if owned is None:
            return Decision(ts, Stage.EXECUTE, text, order=order, facts=facts)
        return Decision(
            ts, Stage.EXECUTE, text, owned.ledger, owned.market, owned.token, order, facts
        )

    # ---- what becomes of it --------------------------------------------------------------------

    def _settled(self, effect: fx.PositionSettled, ts: Ns) -> Iterator[Decision]:
        shares = format_units(effect.shares, self._scale(effect.market).size)
        facts = {
            "shares": shares, "payout": format_units(effect.payout, 6),
            "received": format_units(effect.received, 6),
            "realised": format_units(effect.realised, 6),
        }  # fmt: skip
        text = (
            f"settled {shares} shares of {effect.token} at {facts['payout']}, "
            f"realised {amount(effect.realised)}"
        )
        yield Decision(
            ts, Stage.MONITOR, text, effect.ledger, effect.market, effect.token, "", facts
        )

    def _listed(self, event: ev.MarketListed, ts: Ns) -> Iterator[Decision]:
        market = event.market
        self.scales[market.id] = Scale(market.price_decimals, market.size_decimals)
        self._markets.update({token.id: market.id for token in market.tokens})
        yield Decision(ts, Stage.SCAN, "listed", market=market.id)

    def _resolved(self, event: ev.MarketResolved, ts: Ns) -> Iterator[Decision]:
        found = event.resolution
        paid = ", ".join(format_units(payout, 6) for payout in found.payouts)
        facts = {"kind": found.kind.value, "payouts": list(found.payouts)}
        text = f"resolved ({found.kind.value}): its outcomes pay {paid}"
        yield Decision(ts, Stage.MONITOR, text, market=found.market, facts=facts)

    def _halted(self, effect: fx.TradingHalted, ts: Ns) -> Iterator[Decision]:
        facts = {"by": effect.by, "reason": effect.reason, "until": effect.until}
        end = f"until {show_time(effect.until)}" if effect.until else "until a person resets it"
        text = f"halted by {effect.by}: {effect.reason}; {end}"
        yield Decision(ts, Stage.MONITOR, text, effect.ledger, effect.market, facts=facts)

    def _command(self, event: ev.CommandReceived, ts: Ns) -> Iterator[Decision]:
        command = event.command
        text = f"{command.by} said {command.kind.value}"
        text += f": {command.reason}" if command.reason else ""
        facts = msgspec.to_builtins(command)
        yield Decision(
            ts, Stage.MONITOR, text, command.ledger, command.market, command.token, "", facts
        )

    def _scale(self, market: str) -> Scale:
        return self.scales.get(market, Scale())
