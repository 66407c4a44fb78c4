"""A session's worth of events, drawn from a seed, with the accidents that real data has."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from polyframe.domain import events as ev
from polyframe.domain.events import Event
from polyframe.domain.market import Market, Resolution
from polyframe.domain.orders import Side
from polyframe.domain.units import HOUR, Ns
from polyframe.testing.builders import SHARE, START, build_book


def transcript(markets: Sequence[Market], *, seed: int = 0, steps: int = 120) -> list[Event]:
    """Events of ``steps`` hours in time order: a start, prices, bars, trades, ends of markets.

    Some books are one-sided or not to be trusted, a feed is lost once, and the first market
    resolves half way.
    """
    rng = random.Random(f"events {seed}")  # noqa: S311 - test data, no secret
    mids = {market.id: rng.uniform(0.15, 0.85) for market in markets}
    events: list[Event] = [ev.SessionStarted(START, "test")]
    open_markets = list(markets)
    for step in range(1, steps + 1):
        ts = START + step * HOUR
        for market in open_markets:
            mids[market.id] = min(max(mids[market.id] + rng.gauss(0, 0.02), 0.03), 0.97)
            events += _hour(market, mids[market.id], ts, rng)
        if step == steps // 3:
            events.append(ev.FeedLost(ts + 1, tuple(t.id for t in markets[-1].tokens), "test"))
        if step == steps // 2 and len(open_markets) > 1:
            ended = open_markets.pop(0)
            winner = 0 if rng.random() < mids[ended.id] else 1
            events.append(ev.MarketClosed(ts + 2, ended.id))
            events.append(ev.MarketResolved(ts + 3, Resolution.winner(ended, winner, ts + 3)))
    return events


def _hour(market: Market, mid: float, ts: Ns, rng: random.Random) -> Iterator[Event]:
    one, tick = market.price_one, market.tick
    price = round(mid * one / tick) * tick
    half = rng.choice((1, 2, 5, 20)) * tick
    bid, ask = max(price - half, tick), min(price + half, one - tick)
    accident = rng.random()
    if accident < 0.05:
        bid = 0
    elif accident < 0.10:
        ask = 0
    trusted = not 0.10 <= accident < 0.15
    yield build_book(market.yes.id, bid, ask, ts=ts, trusted=trusted)
    if trusted:
        yield build_book(market.no.id, one - ask if ask else 0, one - bid if bid else 0, ts=ts)
    token = rng.choice(market.tokens).id
    yield ev.BarClosed(ts, token, price, price + tick, price - tick, price, 5 * SHARE, HOUR)
    if accident > 0.5:
        side = rng.choice((Side.BUY, Side.SELL))
        yield ev.TradePrinted(ts, token, side, price, 50 * SHARE, wallet="0xwhale")
        yield ev.WalletTraded(ts, "0xwhale", token, 50 * SHARE * side, price)
    yield ev.Woken(ts, ev.WakeReason.MOVED, market.yes.id, 0, 0)
