"""Every guard binds in compiled runs over books, as it does step by step; one unit more is seen."""

from __future__ import annotations

import dataclasses
import gc
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
import pytest
from guard_cases import CASES, PART, Case, Streams, kernels, registry, ruled, run, shipped, turning

from polyframe.domain.units import HOUR, MILLISECOND
from polyframe.kernels import guards_nb as g
from polyframe.kernels import review_nb
from polyframe.kernels import tables_nb as t
from polyframe.runtime.plugins import Registry
from polyframe.runtime.settings import ALWAYS
from polyframe.runtime.tape_compiled import CompiledTapeFeed

LEAST = 100
"""So often every guard binds at least."""
NEVER_BIND = {
    "EvidenceQuality": "a quote kernel asks no forecaster, and only those who ask are concerned",
    "Confidence": "a quote kernel asks no forecaster, and only those who ask are concerned",
    "StoplossGuard": "no position of a compiled run ends by a stop-loss: whoever declares exits "
    "goes step by step",
}
"""Guards that cannot rule against a compiled quote; each is proved below."""
UNSTATED = ("MinEdge", "EdgeDirection")
"""Guards that let no quote be once they are widened to them: a quote states neither edge nor
probability."""
NEVER_READ = {
    "min_edge": "a quote states no edge, and that is too little for any limit",
    "order_size": "quotes have a limit of their own, quote_size",
    "blocked": "read by category of the market alone",
    "drawdown_flatten": "a run that sells by itself goes step by step",
    **dict.fromkeys(("evidence", "confidence"), NEVER_BIND["Confidence"]),
    **dict.fromkeys(
        ("stoploss_trades", "stoploss_lookback", "stoploss_stop", "stoploss_per_market"),
        NEVER_BIND["StoplossGuard"],
    ),
}
"""Limits that no compiled quote can meet; each is proved below."""
BY_NAME = {case.guard: case for case in CASES}
EDGES = [(case, limit, *between) for case in CASES for limit, between in case.edges.items()]
EDGES += [(case, limit, *between) for case in CASES for limit, between in case.singles.items()]
LATENCIES = (0, 0, 50, 250)
pytestmark = pytest.mark.no_cover
STREAMS = 3


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    return registry(tmp_path_factory.mktemp("user"))


@pytest.fixture(scope="module")
def streams(tmp_path_factory: pytest.TempPathFactory) -> Streams:
    return Streams(tmp_path_factory.mktemp("tapes"))


class Both:
    """Every case played both ways over several streams, each once."""

    def __init__(self, found: Registry, streams: Streams) -> None:
        self.found, self.streams = found, streams
        self.counts = cache(self._counts)

    def _counts(self, name: str, k: int) -> Counter[str]:
        case = drawn(BY_NAME[name], k)
        fast, slow = (run(self.streams, self.found, case, path) for path in ("auto", "python"))
        assert isinstance(fast.session.replay.feed, CompiledTapeFeed), fast.session.parts.notes
        assert not isinstance(slow.session.replay.feed, CompiledTapeFeed)
        assert fast.reviews == slow.reviews
        assert fast.traded == slow.traded
        return ruled(fast.told, name)


@pytest.fixture(scope="module")
def both(found: Registry, streams: Streams) -> Both:
    return Both(found, streams)


def drawn(case: Case, k: int) -> Case:
    """The same guard over another stream, at another venue."""
    if k == 0:
        return case
    rng = np.random.default_rng([k, CASES.index(case)])
    sim = {
        f"latency_{leg}_ms": int(rng.choice(LATENCIES)) for leg in ("entry", "cancel", "response")
    }
    config = {"on_fill": bool(rng.integers(2)), "move": int(rng.integers(3)), **case.config}
    return dataclasses.replace(
        case, seed=case.seed + k, config=config,
        sim={**sim, "partial_fills": bool(rng.integers(2))}, account=k != 1 or not case.limits,
    )  # fmt: skip


def test_every_guard_and_limit_has_its_case() -> None:
    assert set(shipped()) == set(kernels()), "a guard without a kernel wants a word here"
    assert set(BY_NAME) == set(kernels())
    moved = {limit if isinstance(limit, str) else limit[0] for _, limit, _, _ in EDGES}
    assert moved >= set(g.LIMITS) - set(NEVER_READ)
    assert len(CASES) == len(BY_NAME) == len(g.GUARDS)


@pytest.mark.parametrize("k", range(STREAMS))
@pytest.mark.parametrize("name", BY_NAME)
def test_both_ways_rule_alike(both: Both, name: str, k: int) -> None:
    assert both.counts(name, k)


def test_every_guard_binds(both: Both) -> None:
    table = {
        name: sum((both.counts(name, k) for k in range(STREAMS)), Counter()) for name in BY_NAME
    }
    lines = [f"{'guard':<20} {'denied':>7} {'shrunk':>7} {'let be':>7}"]
    for name, counts in table.items():
        lines.append(
            f"{name:<20} {counts['DENY']:>7} {counts['SHRINK']:>7} {counts['ALLOW']:>7}"
            + (f"  never: {NEVER_BIND[name]}" if name in NEVER_BIND else "")
        )
    print("\n" + "\n".join(lines))
    for name, counts in table.items():
        bound = counts["DENY"] + counts["SHRINK"]
        if name in NEVER_BIND:
            assert bound == 0, f"{name} binds after all"
        else:
            assert bound >= LEAST, f"{name} binds {bound} times\n" + "\n".join(lines)
        if name not in UNSTATED:
            assert counts["ALLOW"], f"{name} lets nothing be"


@pytest.fixture
def forgotten() -> Iterator[None]:
    """Runs hold each other in circles, 100 MB a search: they go before the next one begins."""
    yield
    gc.collect()


@pytest.mark.usefixtures("forgotten")
@pytest.mark.parametrize(
    ("case", "limit", "low", "high"), EDGES, ids=[f"{c.guard}-{limit}" for c, limit, _, _ in EDGES]
)
def test_one_unit_of_a_limit_is_seen(
    found: Registry, streams: Streams, case: Case, limit: Any, low: int, high: int
) -> None:
    @cache
    def fast(value: int) -> Any:
        return run(streams, found, case, "auto", at(value))

    def at(value: int) -> dict[str, Any]:
        return {limit: value} if isinstance(limit, str) else {limit[0]: {limit[1]: value}}

    value = turning(low, high, lambda a, b: fast(a).digest == fast(b).digest)
    slow = run(streams, found, case, "python", at(value))
    assert fast(value).traded == slow.traded
    assert fast(value + 1).traded != slow.traded


# ---- guards and limits that cannot meet a quote -----------------------------------------------


def test_no_compiled_quote_asks_a_forecaster(found: Registry, streams: Streams) -> None:
    """EvidenceQuality and Confidence: the strictest limit rules against nothing."""
    for name in ("EvidenceQuality", "Confidence"):
        case = BY_NAME[name]
        done = run(streams, found, case, "auto")
        tables = done.session.engine.state.tables
        assert not tables.markets[t.M_ASKED].any()
        assert set(ruled(done.told, name)) == {"ALLOW"}
        (limit,) = case.limits
        assert run(streams, found, case, "auto", {limit: 1}).traded == done.traded


def test_no_compiled_position_ends_by_a_stop(found: Registry, streams: Streams) -> None:
    """StoplossGuard: positions are closed, none by a stop; with exits the run goes step by step."""
    case = BY_NAME["StoplossGuard"]
    done = run(streams, found, case, "auto")
    account = done.session.engine.state.tables.account
    assert account[t.A_TRIPS].min() > 10
    assert not account[t.A_LAST_STOP].any()
    assert not account[t.A_LOCK_STOPLOSS].any()
    for moved in ({"stoploss_per_market": 1}, {"stoploss_trades": 2}, {"stoploss_stop": HOUR + 1}):
        assert run(streams, found, case, "auto", moved).traded == done.traded
    with_exits = dataclasses.replace(case, exits={"stop_loss": 0.01})
    stopped = run(streams, found, with_exits, "auto")
    assert not isinstance(stopped.session.replay.feed, CompiledTapeFeed)
    assert stopped.session.parts.notes[-1].endswith("RandomQuotes declares exits")


def test_a_run_that_sells_by_itself_goes_step_by_step(found: Registry, streams: Streams) -> None:
    case = BY_NAME["DrawdownKill"]
    stays = run(streams, found, case, "auto")
    sells = run(streams, found, case, "auto", {"drawdown_flatten": 1})
    assert isinstance(stays.session.replay.feed, CompiledTapeFeed)
    assert not isinstance(sells.session.replay.feed, CompiledTapeFeed)
    assert sells.session.parts.notes[-1].endswith("QuoteDrawdownKill sells what is held")
    assert sells.traded != stays.traded


@pytest.mark.parametrize("limit", ["min_edge", "order_size", "blocked"])
def test_limits_that_quotes_never_meet(limit: str) -> None:
    """Whatever they are, the ruling on a quote without an edge is the same."""
    order = np.zeros(g.O_SIZE_OF, np.int64)
    order[[g.O_SIDE, g.O_PRICE, g.O_SIZE, g.O_LOT]] = 1, 5_000, 10 * PART, 10_000
    order[[g.O_MIN_SIZE, g.O_TICK, g.O_MAX_PRICE, g.O_ONE]] = 5 * PART, 100, 10_000, 10_000
    order[[g.O_KIND, g.O_COST, g.O_EDGE]] = g.QUOTE, 5 * PART, g.MISSING
    order[g.O_PROBABILITY] = g.MISSING
    state = np.zeros(g.S_SIZE_OF, np.int64)
    state[[g.S_EQUITY, g.S_CASH_FREE, g.S_TRADABLE, g.S_TRUSTED]] = 10**9, 10**9, 1, 1
    applies = np.full(len(g.GUARDS), g.QUOTE, np.int64)
    scope = np.ones(len(g.GUARDS), np.int64)
    seen = set()
    for value in (g.MISSING, 0, 1, 10 * MILLISECOND, 2**61):
        limits = np.full(g.L_SIZE_OF, PART, np.int64)
        limits[g.LIMITS.index(limit)] = value
        permitted = np.zeros(len(g.GUARDS), np.int64)
        review_nb.review(order, state, limits, applies, scope, permitted)
        seen.add(tuple(permitted.tolist()))
    assert len(seen) == 1


def test_always_guards_take_no_limits() -> None:
    for name in ALWAYS:
        assert not kernels()[name]().limits()
    assert not shipped()["EdgeDirection"]().limits()
