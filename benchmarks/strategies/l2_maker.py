"""The market maker of the harness's L2 workload: as a quote kernel, and in Python.

Prices are whole ticks of 0.01. Short is long the other token: an ask at p bids for NO at 1 - p.
"""

import math

from polyframe import (
    MILLISECOND,
    Every,
    PluginConfig,
    QuoteLevel,
    Quoter,
    Quotes,
    Strategy,
    Subscription,
    quote_kernel,
    seen,
)

TICKS = 100
"""a price of 1"""


class MakerSettings(PluginConfig):
    half: float = 0.5
    skew: float = 2.0
    size: float = 50.0
    most: float = 500.0
    cadence_ms: int = 500


@quote_kernel
def both_sides(sight, own, p, wanted):  # noqa: ARG001 - one signature for all kernels
    """A bid and an ask around the mid, shifted against what is held."""
    if sight[seen.BID] <= 0.0 or sight[seen.ASK] <= 0.0:
        return seen.LEAVE
    best_bid = math.floor(sight[seen.BID] * TICKS + 0.5)
    best_ask = math.floor(sight[seen.ASK] * TICKS + 0.5)
    half, skew, size, most = p[0], p[1], p[2], p[3]
    held = sight[seen.YES] - sight[seen.NO]
    fair = 0.5 * (best_bid + best_ask) - skew * held / most
    n = 0
    bid = min(best_bid, math.floor(fair - half + 1e-9))
    if held + size <= most and bid >= 1:
        wanted[n, seen.W_OUTCOME] = 0.0
        wanted[n, seen.W_SIDE] = 1.0
        wanted[n, seen.W_PRICE] = bid / TICKS
        wanted[n, seen.W_SIZE] = size
        n += 1
    ask = max(best_ask, math.ceil(fair + half - 1e-9))
    if held - size >= -most and ask < TICKS:
        wanted[n, seen.W_OUTCOME] = 1.0
        wanted[n, seen.W_SIDE] = 1.0
        wanted[n, seen.W_PRICE] = (TICKS - ask) / TICKS
        wanted[n, seen.W_SIZE] = size
        n += 1
    return n


class CompiledMaker(Quoter):
    """The rule as a kernel: a backtest stays in compiled code."""

    quote = both_sides
    Config = MakerSettings

    def __init__(self, config=None):
        super().__init__(config)
        self.refresh = self.config.cadence_ms * MILLISECOND

    def parameters(self):
        c = self.config
        return [c.half, c.skew, c.size, c.most]


class PythonMaker(Strategy):
    """The same rule in Python, called at every decision; the rest stays compiled."""

    books = True
    quotes_only = True
    Config = MakerSettings

    def subscribe(self, markets):
        self.yes, self.no = (token.id for token in markets[0].tokens)
        self.cent = markets[0].tick
        self.share = 10 ** markets[0].size_decimals
        return Subscription(wake=(Every(self.config.cadence_ms * MILLISECOND),))

    def on_wake(self, event, view):
        quote = view.book(self.yes)
        if quote.bid <= 0 or quote.ask <= 0:
            return
        c = self.config
        best_bid, best_ask = quote.bid // self.cent, quote.ask // self.cent
        held = (view.position(self.yes).shares - view.position(self.no).shares) / self.share
        fair = 0.5 * (best_bid + best_ask) - c.skew * held / c.most
        bid = min(best_bid, math.floor(fair - c.half + 1e-9)) if held + c.size <= c.most else 0
        ask = max(best_ask, math.ceil(fair + c.half - 1e-9)) if held - c.size >= -c.most else TICKS
        yield Quotes(token=self.yes, bids=self.level(bid))
        yield Quotes(token=self.no, bids=self.level(TICKS - ask))

    def level(self, ticks):
        size = int(self.config.size * self.share)
        return (QuoteLevel(ticks * self.cent, size),) if ticks >= 1 else ()


class Watcher(Strategy):
    """Plays the same books and never wakes."""

    books = True
    Config = MakerSettings

    def subscribe(self, markets):
        return Subscription()
