"""Momentum: buys what keeps rising, sells when it stops.

A worked example with declared state, two kinds of wishes and its own exits. It is there to be read
and changed, not to earn money.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from polyframe import (
    HOUR,
    Every,
    FillBooked,
    Int,
    Intent,
    Kind,
    Market,
    PluginConfig,
    Real,
    SessionStarted,
    Side,
    Strategy,
    Subscription,
    TimerFired,
    View,
    WakeAt,
    Wish,
    Woken,
)


class Momentum(Strategy):
    """Compares the last mid with the one ``window`` prices ago, once an hour."""

    class Config(PluginConfig):
        """Units: prices seen; fractions of 1; hours."""

        window: int = Int(12, 3, 48, space="entry")
        rise: float = Real(0.05, 0.02, 0.20, space="entry")
        pause_hours: float = Real(24.0, 1.0, 72.0, space="exit")

    class State(msgspec.Struct):
        """Until when each token is left alone after a trade in it."""

        resting: dict[str, int] = {}

    config: Config
    state: State

    def subscribe(self, markets: Sequence[Market]) -> Subscription:
        """Prices of all markets, woken by the clock."""
        return Subscription(wake=(Every(HOUR),))

    def on_start(self, event: SessionStarted, view: View) -> Iterator[Wish]:
        """Has a first look at once."""
        yield WakeAt(view.now, "first look")

    def on_wake(self, event: TimerFired | Woken, view: View) -> Iterator[Wish]:
        """Looks at every token of every market."""
        for market in view.markets():
            for token in market.tokens:
                yield from self._look(market, token.id, view)

    def on_fill(self, event: FillBooked, view: View) -> Iterator[Wish]:
        """Leaves a token alone for a while after trading in it."""
        pause = int(self.config.pause_hours * HOUR)
        self.state.resting[event.fill.token] = view.now + pause
        yield from ()

    def _look(self, market: Market, token: str, view: View) -> Iterator[Wish]:
        quote = view.book(token)
        mids = view.history(token, self.config.window)
        if not quote.trusted or view.orders(token) or len(mids) < self.config.window:
            return
        risen = float(mids[-1] - mids[0])
        held = view.position(token).free
        if held and risen <= 0 and quote.bid > 0:
            yield Intent(
                token=token,
                side=Side.SELL,
                price=quote.bid,
                size=held,
                kind=Kind.EXIT,
                reason="stopped rising",
            )
        elif not held and risen >= self.config.rise and 0 < quote.ask < market.price_one:
            if self.state.resting.get(token, 0) > view.now:
                return
            probability = min(float(mids[-1]) + risen / 2, 0.99)
            yield Intent(
                token=token,
                side=Side.BUY,
                price=quote.ask,
                probability=probability,
                reason="rising",
            )
