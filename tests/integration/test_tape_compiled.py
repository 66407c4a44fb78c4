"""Tapes played in compiled code and step by step: the same orders, verdicts, fills and equity."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tape_cases import START, coin_data, quoters, tape_data
from tape_ledger import played

from polyframe import quote_kernel
from polyframe.domain import events as ev
from polyframe.domain.units import DAY, MINUTE
from polyframe.errors import PluginError
from polyframe.kernels.barmatch_nb import R_DIVISOR
from polyframe.kernels.book_nb import K_BASE
from polyframe.lab.collect import Collector, left_open
from polyframe.runtime import build
from polyframe.runtime.logged import LateReview
from polyframe.runtime.plugins import Registry
from polyframe.runtime.tape_compiled import CompiledTapeFeed

LATENCIES = (0, 0, 50, 250, 1200)
QUEUES = ("risk_averse", "power", "log", "power_total", "log_total", "power_front")


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    return quoters(tmp_path_factory.mktemp("user"))


def whole(review: Any) -> Any:
    """A review as the engine says it."""
    return review.whole() if isinstance(review, LateReview) else review


def booked(told: Collector) -> list[tuple[Any, Any]]:
    """Every fill and what it realised, whoever told it, in the order in which it was executed."""
    log = told.fill_log({})
    late = [] if log.late is None else [log.late.booked(k) for k in range(len(log.late))]
    both = [(one.fill, one.realised) for one in (*told.fills, *late)]
    return sorted(both, key=lambda pair: (pair[0].ts, int(pair[0].order.rsplit("-", 1)[1])))


def same(registry: Registry, data: build.Recorded, values: dict[str, Any]) -> Counter[str]:
    fast, told, halted = played(registry, data, values, "auto")
    slow, seen, stopped = played(registry, data, values, "python")
    assert isinstance(fast.replay.feed, CompiledTapeFeed), fast.parts.notes
    assert not isinstance(slow.replay.feed, CompiledTapeFeed)
    reviews = [whole(review) for review in told.review_log()]
    for n, (a, b) in enumerate(zip(reviews, seen.reviews, strict=False)):
        assert a == b, f"review {n}"
    assert len(reviews) == len(seen.reviews)
    assert booked(told) == booked(seen)
    assert told.settlements == seen.settlements
    assert told.review_log().objections() == seen.review_log().objections()
    assert told.denials() == seen.denials()
    assert told.refusals == seen.refusals
    assert halted == stopped
    assert left_open(fast) == left_open(slow)
    for a, b in zip(fast.replay.feed.equity(), slow.replay.feed.equity(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert fast.broker.stats == slow.broker.stats
    tables, other = fast.engine.state.tables, slow.engine.state.tables
    for name in ("account", "tokens", "markets", "events", "kinds"):
        np.testing.assert_array_equal(getattr(tables, name), getattr(other, name), err_msg=name)
    counts: Counter[str] = Counter()
    for review in told.review_log().objected():
        for verdict in review.verdicts:
            if verdict.ruling.name in ("DENY", "SHRINK"):
                counts[verdict.protection] += 1
    counts["fills"] = len(told.fill_log({}))
    counts.update(paid.what for paid in halted if isinstance(paid, ev.RewardPaid))
    start = int(float(values["account"]["cash"]) * 1_000_000)
    for made in (fast, slow):
        # What the venue took of customers is what the account has less, to the unit.
        assert made.engine.state.cash[-1] == start - made.broker.stats.till
        stats = made.broker.stats
        amounts = [paid.amount for paid in halted if isinstance(paid, ev.RewardPaid)]
        assert sum(amounts) == stats.rewards + stats.rebates
    return counts


def drawn(rng: np.random.Generator, seed: int) -> dict[str, Any]:
    """Settings of one run."""
    config = {
        "refresh": int(rng.choice([200, 500, 1000])), "move": int(rng.integers(0, 3)),
        "on_fill": bool(rng.integers(0, 2)), "depth": bool(rng.integers(0, 2)),
        "ttl": int(rng.choice([0, 0, 700])), "post_only": bool(rng.integers(0, 2)),
        "seed": seed, "leave": int(rng.integers(0, 5)),
        "times": float(rng.choice([1.0, 1.0, 1.000371, 1e7])),
    }  # fmt: skip
    return {
        "account": {"cash": str(int(rng.choice([60, 500, 2000])))},
        "strategies": [
            {
                "use": "RandomQuotes",
                "config": config,
                "exits": {"max_open": 2} if rng.random() < 0.3 else {},
            }
        ],
        "venue": {
            "sim": {
                "latency_entry_ms": int(rng.choice(LATENCIES)),
                "latency_cancel_ms": int(rng.choice(LATENCIES)),
                "latency_response_ms": int(rng.choice(LATENCIES)),
                "partial_fills": bool(rng.integers(0, 2)),
                "queue": str(rng.choice(QUEUES)),
            }
        },
    }


def paying(rng: np.random.Generator) -> dict[str, Any]:
    """Settings of a venue that pays rewards and rebates, however small."""
    terms = {"day": 90_000, "max_spread": 0.04, "min_size": int(rng.integers(0, 6))}
    return {"rewards": {"*": terms}, "least_paid": 0, "settle_delay_ms": 900}


@pytest.mark.parametrize("seed", range(12))
def test_both_ways_do_the_same(registry: Registry, tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    data = tape_data(tmp_path, seed, int(rng.integers(1, 4)), 1_500, int(rng.integers(1, 4)))
    counts = same(registry, data, drawn(rng, seed))
    assert counts["fills"] or sum(counts.values()), "a stream on which nothing happened"


@pytest.mark.parametrize("seed", range(6))
def test_both_ways_are_paid_the_same(registry: Registry, tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(100 + seed)
    # Four minutes on one day, the rest of the ten on the next.
    start = START + DAY - 4 * MINUTE
    data = tape_data(tmp_path, 100 + seed, int(rng.integers(1, 4)), 5_000, 2, start=start)
    values = drawn(rng, 100 + seed)
    values["venue"]["sim"] |= paying(rng)
    values["account"]["cash"] = "2000"
    values["strategies"][0]["config"] |= {"refresh": 3_000, "move": 0, "ttl": 0}
    counts = same(registry, data, values)
    assert counts["liquidity reward"] >= 1
    assert counts["maker rebate"] or not any(m.fee.rate for m in data.markets)


PROBES = ("feed_ms", "entry_ns", "response_ms", "cancel_ms")


def measured(rng: np.random.Generator, path: Path, first: int, last: int) -> str:
    """A file of measured latencies, some legs of it."""
    ts = np.sort(rng.integers(first - MINUTE, last + MINUTE, 40))
    columns = {"ts_ns": ts}
    for name in PROBES[: int(rng.integers(1, 5))]:
        most = 900 if name.endswith("_ms") else 900_000_000
        columns[name] = rng.integers(0, most, len(ts))
    rows = [
        ",".join(columns),
        *(",".join(map(str, row)) for row in zip(*columns.values(), strict=True)),
    ]
    path.write_text("\n".join(rows))
    return str(path)


@pytest.mark.parametrize("seed", range(10))
def test_both_ways_see_as_late(registry: Registry, tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(200 + seed)
    segments = int(rng.choice([1, 2, 40]))
    data = tape_data(tmp_path, 200 + seed, int(rng.integers(1, 4)), 1_500, segments)
    values = drawn(rng, 200 + seed)
    sim = values["venue"]["sim"]
    if seed % 2:
        sim["latency_feed_ms"] = int(rng.choice([1, 40, 700, 5_000]))
    else:
        played = data.tape
        sim["latency_probes"] = measured(rng, tmp_path / "p.csv", played.start, played.end)
    sim |= paying(rng)
    counts = same(registry, data, values)
    assert sum(counts.values()), "a stream on which nothing happened"


@pytest.mark.parametrize("seed", range(8))
def test_both_ways_follow_a_coin(registry: Registry, tmp_path: Path, seed: int) -> None:
    rng = np.random.default_rng(300 + seed)
    data = coin_data(tmp_path, 300 + seed, 3_000, int(rng.integers(1, 4)))
    values = drawn(rng, 300 + seed)
    values["account"]["cash"] = "90000"
    values["protections"] = [{"use": "*", "enabled": False}]
    sim = values["venue"]["sim"]
    values["strategies"][0]["config"] |= {"post_only": False, "refresh": 500}
    sim |= {"latency_entry_ms": 50, "latency_cancel_ms": 250, "book_steps": 64}
    sim |= {"coin_taker_fee": 0.001, "coin_maker_fee": 0.0002}
    if seed % 2:
        sim["latency_feed_ms"] = int(rng.choice([20, 800]))
    values["strategies"][0]["config"] |= {"times": 1.0}
    same(registry, data, values)
    made, told, _ = played(registry, data, values, "python")
    assert made.broker.stats.orders, "a stream on which nothing happened"
    for fill, _ in booked(told):
        paid = fill.price * fill.size * (200 if fill.maker else 1_000)
        whole = int(made.broker.venue.rules[0, R_DIVISOR]) * 1_000_000
        assert fill.fee == -(-paid // whole)
    first = data.tape.centres(data.markets)["coin"]
    base = made.broker.venue.desk[0, K_BASE]
    assert abs(base + 32 - first) > 64, "the window moved"


WRONG = {
    "wanted[16, 0] = 1.0": "index",
    "wanted[-1000, 0] = 1.0": "index",
    "own[64] = 1.0": "index",
    "own[0] = 1.0 / own[1]": "division by zero",
    "wanted[0, 0] = 2.0": "outcome is none of the market's",
    "wanted[0, 1] = 0.0": "side is neither",
    "wanted[0, 2] = math.nan": "price is no number",
    "wanted[0, 3] = -5.0": "size is no number",
    "return 17": "more quotes than there are rows",
}


@pytest.mark.parametrize("line", WRONG)
@pytest.mark.parametrize("path", ["auto", "python"])
def test_a_kernel_that_wants_what_cannot_be_is_named(tmp_path: Path, line: str, path: str) -> None:
    folder = tmp_path / "user"
    (folder / "strategies").mkdir(parents=True)
    (folder / "strategies" / "wrong.py").write_text(
        "import math\n\nfrom polyframe import Quoter, quote_kernel\n\n\n"
        "@quote_kernel\ndef wrong(sight, own, p, wanted):\n"
        "    wanted[0, 1] = 1.0\n    wanted[0, 2] = 0.4\n    wanted[0, 3] = 10.0\n"
        f"    {line}\n    return 1\n\n\n"
        "class Wrong(Quoter):\n    quote = wrong\n"
    )
    own = Registry.load(folder)
    data = tape_data(tmp_path, 1, 1, 100, 1)
    values = {"strategies": [{"use": "Wrong"}], "account": {"cash": "1000"}}
    with pytest.raises(PluginError, match=WRONG[line]) as found:
        played(own, data, values, path)
    assert "Wrong" in str(found.value)


@pytest.mark.parametrize("words", ["sight, own, wanted", "*all", "sight, own, p, wanted, **more"])
def test_a_kernel_with_other_arguments_is_refused(words: str) -> None:
    space: dict[str, Any] = {"quote_kernel": quote_kernel}
    with pytest.raises(PluginError, match="takes other arguments than a quote kernel"):
        exec(f"@quote_kernel\ndef wrong({words}):\n    return 0\n", space)
