"""Faults of the exchange: restarts, halts, matches that do not settle, rows that come late."""

from __future__ import annotations

from functools import partial
from typing import ClassVar, Final, Literal

from polyframe.sandbox.door import Asked, Reply
from polyframe.sandbox.faults.fault import Fault, Seconds, Window, refusal, where
from polyframe.sandbox.faults.messages import lose
from polyframe.sandbox.faults.stage import Run, ns
from polyframe.sandbox.faults.target import Party
from polyframe.sandbox.server import Go
from polyframe.sandbox.venue.matching import Match
from polyframe.sandbox.venue.records import Refused
from polyframe.sandbox.venue.settling import parties

ORDERS: Final = ("/order", "/orders", "/cancel-all", "/cancel-market-orders")
# Source: docs.polymarket.com/trading/matching-engine and /resources/error-codes.
POST_ONLY: Final = "post-only mode: only post-only orders and cancels are allowed"
CANCEL_ONLY: Final = (
    "Trading is currently cancel-only. New orders are not accepted, but cancels are allowed."
)
DISABLED: Final = "Trading is currently disabled. Check polymarket.com for updates"
# UNSURE at the venue: its words.
RESTARTING: Final = "the matching engine is restarting"


def about_orders(prefix: str, asked: Asked) -> bool:
    """True for requests that place or cancel orders."""
    return prefix == "clob" and asked.path in ORDERS


class EngineRestart(Fault):
    """The matching engine restarts: 425, then a while of post-only, then all is as before.

    Source: docs.polymarket.com/trading/matching-engine, for the two minutes too.
    """

    window: ClassVar[Window] = "own"
    serves: ClassVar[bool] = True
    rolls: ClassVar[bool] = True

    fault: Literal["engine_restart"] = "engine_restart"
    down: Seconds = 90.0
    """seconds of 425"""
    post_only: Seconds = 120.0
    """seconds of post-only mode after that"""
    orders: Literal["keep", "wipe"] = "keep"
    """what becomes of resting orders"""
    sockets: Literal["keep", "cut", "forget"] = "keep"
    """what becomes of sockets: cut, or open and without their subscriptions"""
    retry_after: bool = True
    """425 says how long to wait"""

    @property
    def lasts(self) -> float:
        """Seconds until all is as before."""
        return self.down + self.post_only

    def begin(self, run: Run) -> None:
        """The engine goes down."""
        stage, venue = run.stage, run.stage.desk.venue
        run.memo["up"] = stage.now + ns(self.down)
        run.memo["free"] = stage.now + ns(self.lasts)
        run.note(f"down, orders {self.orders}, sockets {self.sockets}")
        if self.orders == "wipe":
            for condition_id in list(venue.markets):
                venue.start_game(condition_id)
        if self.sockets != "keep":
            for wire in stage.wires():
                lose(run, wire, self.sockets)
            stage.shut(self.down if self.sockets == "cut" else 0)
        stage.halts.stop(run.id, Refused(RESTARTING, 425))
        venue.schedule(run.memo["up"], partial(self._up, run, run.windows))

    def _up(self, run: Run, window: int) -> None:
        if run.open and run.windows == window:
            run.stage.halts.stop(run.id, None)
            self._post_only(run)

    def _post_only(self, run: Run) -> int:
        left = run.stage.outside(run.memo["free"])
        run.stage.halts.post_only(run.id, Refused(POST_ONLY, 503, "post_only_mode", left))
        return left

    def end(self, run: Run) -> None:
        """All is as before."""
        run.stage.halts.stop(run.id, None)
        run.stage.halts.post_only(run.id, None)

    def meant(self, run: Run, prefix: str, asked: Asked) -> bool:
        """Whether it has a part in a request."""
        return about_orders(prefix, asked)

    async def serve(self, run: Run, prefix: str, asked: Asked, go: Go) -> Reply:
        """425 while the engine is down; then the answer to who waits says how long still."""
        if run.stage.now < run.memo["up"]:
            run.note(f"{where(prefix, asked)} 425")
            left = run.stage.outside(run.memo["up"]) if self.retry_after else None
            return refusal(425, RESTARTING, retry_after=left)
        self._post_only(run)
        reply = await go()
        if POST_ONLY.encode() in reply.body:
            run.note(f"{where(prefix, asked)} post-only")
        return reply


class Halt(Fault):
    """New orders are refused while it lasts."""

    serves: ClassVar[bool] = True
    rolls: ClassVar[bool] = True
    text: ClassVar[str]

    def begin(self, run: Run) -> None:
        """Stops the venue from taking orders."""
        run.stage.halts.stop(run.id, Refused(self.text, 503))

    def end(self, run: Run) -> None:
        """Lets it take them again."""
        run.stage.halts.stop(run.id, None)

    def meant(self, run: Run, prefix: str, asked: Asked) -> bool:
        """Whether it has a part in a request."""
        return about_orders(prefix, asked)

    async def serve(self, run: Run, prefix: str, asked: Asked, go: Go) -> Reply:
        """Enters refusals into the record."""
        reply = await go()
        if self.text.encode() in reply.body:
            run.note(f"{where(prefix, asked)} {reply.status}")
        return reply


class CancelOnly(Halt):
    """Orders are refused with 503, cancels go through.

    Source: docs.polymarket.com/trading/matching-engine.
    """

    text: ClassVar[str] = CANCEL_ONLY
    fault: Literal["cancel_only"] = "cancel_only"


class TradingDisabled(Halt):
    """Orders and cancels are refused with 503.

    Source: docs.polymarket.com/resources/error-codes.
    """

    text: ClassVar[str] = DISABLED
    fault: Literal["trading_disabled"] = "trading_disabled"

    async def serve(self, run: Run, prefix: str, asked: Asked, go: Go) -> Reply:
        """Refuses cancels as well."""
        if asked.method != "DELETE":
            return await super().serve(run, prefix, asked, go)
        run.note(f"{where(prefix, asked)} 503")
        return refusal(503, DISABLED)


class Unsettled(Fault):
    """Some matches do not settle at once."""

    target: Party = Party()
    verdict: ClassVar[str]

    def begin(self, run: Run) -> None:
        """Has a say in every match."""
        judge = run.memo["judge"] = partial(self._judge, run)
        run.stage.desk.venue.settling.judges.append(judge)

    def end(self, run: Run) -> None:
        """Has none any more."""
        run.stage.desk.venue.settling.judges.remove(run.memo.pop("judge"))

    def _judge(self, run: Run, match: Match) -> str:
        if not self._meant(run, match) or not run.strikes():
            return ""
        run.note(f"match {match.trades[0].transaction_hash} {self.verdict}")
        return self.verdict

    def _meant(self, run: Run, match: Match) -> bool:
        picks = run.picks
        if picks.conditions and match.market.condition_id not in picks.conditions:
            return False
        orders = [order for _, order in parties(match)]
        if picks.tokens and not picks.tokens.intersection(order.token_id for order in orders):
            return False
        if picks.keys and not picks.keys.intersection(order.owner for order in orders):
            return False
        makers = (order.maker.lower() for order in orders)
        return not picks.wallets or bool(picks.wallets.intersection(makers))


class FailedSettlement(Unsettled):
    """Some matches fail on chain: MATCHED, RETRYING, FAILED; nothing has moved then."""

    verdict: ClassVar[str] = "FAILED"
    fault: Literal["failed_settlement"] = "failed_settlement"


class RetryingSettlement(Unsettled):
    """Some matches need a second attempt: MATCHED, RETRYING, MINED, CONFIRMED."""

    verdict: ClassVar[str] = "RETRYING"
    fault: Literal["retrying_settlement"] = "retrying_settlement"


class DataLag(Fault):
    """The Data API is late: trades, activity, positions and all that follows from them."""

    rolls: ClassVar[bool] = True

    fault: Literal["data_lag"] = "data_lag"
    seconds: Seconds = 60.0
    jitter: Seconds = 10.0
    """added at most, another one for each row; the order stays"""

    def begin(self, run: Run) -> None:
        """Delays rows from now on."""
        history = run.stage.desk.venue.history
        delay = run.memo["delay"] = partial(self._delay, run)
        history.delay = delay
        run.note(f"rows {self.seconds:g} to {self.seconds + self.jitter:g} s late")

    def end(self, run: Run) -> None:
        """New rows are on time; late ones come when they would have."""
        history = run.stage.desk.venue.history
        if history.delay is run.memo.pop("delay"):
            history.delay = None

    def _delay(self, run: Run) -> int:
        return ns(self.seconds) + run.upto(ns(self.jitter))


KINDS: Final = (
    EngineRestart,
    CancelOnly,
    TradingDisabled,
    DataLag,
    FailedSettlement,
    RetryingSettlement,
)
