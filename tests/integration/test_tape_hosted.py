"""Tapes played in compiled code between the wakes of a strategy in Python, and step by step."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tape_cases import tape_data
from test_tape_compiled import drawn, same
from test_tape_journals import OPEN, journal

from polyframe.errors import PluginError
from polyframe.runtime import build
from polyframe.runtime.plugins import Registry
from polyframe.runtime.settings import Config
from polyframe.runtime.tape_feed import TapeFeed
from polyframe.runtime.tape_hosted import HostedTapeFeed
from polyframe.store.journal import JournalWriter

STRATEGY = '''
from polyframe import (
    MILLISECOND, Every, Intent, Moved, PluginConfig, QuoteLevel, Quotes, Side, Strategy,
    Subscription, Traded,
)


class RandomQuotesOnly(Strategy):
    """Quotes at random, and looks at all there is to look at."""

    books = True
    quotes_only = True

    class Config(PluginConfig):
        refresh: int = 500
        move: int = 0
        over: int = 0
        ttl: int = 0
        many: int = 2
        buys: bool = False
        on_fill: bool = False
        depth: bool = False
        post_only: bool = True
        seed: int = 0
        leave: int = 0
        times: float = 1.0

    def subscribe(self, markets):
        wakes = (Every(self.config.refresh * MILLISECOND),)
        if self.config.move:
            wakes = (*wakes, Moved(self.config.move))
        if self.config.over:
            wakes = (*wakes, Traded(self.config.over * 1_000_000))
        return Subscription(wake=wakes)

    def on_wake(self, event, view):
        rng, config = view.rng, self.config
        if config.buys and rng.random() < 0.02:
            market = view.markets()[0]
            yield Intent(token=market.yes.id, side=Side.BUY, size=5_000_000, price=5_000)
        if rng.random() < 0.05:
            yield Quotes(token="nobody's", bids=(QuoteLevel(5_000, 5_000_000),))
        tradable = {market.id for market in view.markets()}
        for market in view.markets(tradable=False):
            if rng.random() < 0.1 * config.leave:
                continue
            for token in market.tokens:
                book, held = view.book(token.id), view.position(token.id)
                bid, ask = (book.bid or 3_000), (book.ask or 6_000)
                bids = tuple(
                    QuoteLevel(max(bid - rng.randrange(-1, 4) * 100, 100), 5_000_000 + k)
                    for k in range(rng.randrange(config.many))
                )
                asks = ()
                if held.shares >= 5_000_000 and rng.random() < 0.6:
                    asks = (QuoteLevel(ask + rng.randrange(-1, 3) * 100 + 7, held.free),)
                reason = ("", "wide", "late")[rng.randrange(3)]
                if len(view.orders(token.id)) > 4 or len(view.positions()) > 5:
                    bids, reason = (), f"enough with {len(view.orders())}"
                if view.portfolio().free < 20_000_000 and market.id in tradable:
                    bids = bids[:1]
                yield Quotes(
                    token=token.id, bids=bids, asks=asks, ttl=config.ttl * MILLISECOND,
                    post_only=rng.random() < 0.8, reason=reason,
                )
                if rng.random() < 0.1:
                    yield Quotes(token=token.id, bids=bids[:1])
'''


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    folder = tmp_path_factory.mktemp("user")
    (folder / "strategies").mkdir()
    (folder / "strategies" / "random_quotes_only.py").write_text(STRATEGY)
    return Registry.load(folder)


def settings(rng: np.random.Generator, seed: int) -> dict[str, Any]:
    values = drawn(rng, seed)
    strategy = values["strategies"][0]
    strategy["use"] = "RandomQuotesOnly"
    strategy["config"]["many"] = 2 + 11 * (seed % 2)
    if seed % 3 == 0:
        strategy["config"]["over"] = int(rng.integers(1, 20))
    return values


def drawn_data(folder: Path, rng: np.random.Generator, seed: int, rows: int) -> build.Recorded:
    return tape_data(folder, seed, int(rng.integers(1, 4)), rows, int(rng.integers(1, 4)))


@pytest.mark.parametrize("seed", range(10))
def test_both_ways_do_the_same(registry: Registry, tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    data = drawn_data(tmp_path, rng, seed, 1_200)
    counts = same(registry, data, settings(rng, seed))
    assert counts["fills"] or sum(counts.values()), "a stream on which nothing happened"


@pytest.mark.parametrize("seed", range(6))
def test_both_ways_write_the_same_journal(registry: Registry, tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    data = drawn_data(tmp_path, rng, seed, 600)
    values = {**settings(rng, seed), "protections": OPEN}
    fast, digest = journal(registry, data, values, "auto", tmp_path / "fast")
    slow, other = journal(registry, data, values, "python", tmp_path / "slow")
    for n, (a, b) in enumerate(zip(fast, slow, strict=False)):
        assert a == b, f"record {n}"
    assert digest == other


@pytest.mark.parametrize("path", ["auto", "python"])
def test_who_says_quotes_only_and_buys_is_told(
    registry: Registry, tmp_path: Path, path: str
) -> None:
    values = settings(np.random.default_rng(1), 1)
    values["strategies"][0]["config"]["buys"] = True
    config = Config.model_validate({**values, "backtest": {"path": path}})
    data = tape_data(tmp_path, 1, 1, 900, 1)
    made = build.replay(config, registry, data, session="s", journal=JournalWriter.null())
    kind = HostedTapeFeed if path == "auto" else TapeFeed
    assert type(made.replay.feed) is kind
    with pytest.raises(PluginError, match="yielded Intent, and RandomQuotesOnly has quotes_only"):
        made.replay.run()


def test_a_note_says_how_it_was_played(registry: Registry, tmp_path: Path) -> None:
    config = Config.model_validate(settings(np.random.default_rng(1), 1))
    data = tape_data(tmp_path, 1, 1, 50, 1)
    made = build.replay(config, registry, data, session="s", journal=JournalWriter.null())
    assert made.parts.notes[-1] == (
        "the tape was played in compiled code between the wakes of RandomQuotesOnly"
    )
