"""Bad recordings and bad quotes, from the file to the fills: what a backtest makes of them.

Each is imported as a person would, then played in compiled code and step by step.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tape_ledger import balanced, fills_of

from polyframe.cli.main import main
from polyframe.kernels import tables_nb as t
from polyframe.lab import backtest
from polyframe.lab.collect import Collector
from polyframe.runtime import build
from polyframe.runtime.plugins import Registry
from polyframe.runtime.settings import Config
from polyframe.runtime.tape_compiled import CompiledTapeFeed
from polyframe.runtime.tape_data import Played
from polyframe.store.importing import import_files
from polyframe.store.journal import JournalWriter
from polyframe.store.tape import Tape
from polyframe.store.tape_import import TapeReport, import_tape
from polyframe.store.tape_rows import TapeKind
from polyframe.store.tape_writer import TapeWriter

SHARE = 1_000_000
FIRST = 1_785_000_000_000
"""ms since 1970 at which the recordings begin"""
PATHS = ("auto", "python")
NO_LATENCY = {"sim": {"latency_entry_ms": 0, "latency_cancel_ms": 0, "latency_response_ms": 0}}

STRATEGY = """
from polyframe import PluginConfig, Quoter, quote_kernel, seen


@quote_kernel
def fixed_quotes(sight, own, p, wanted):
    if sight[seen.BID] <= 0.0 and p[3] == 0.0:
        return 0
    n = 0
    if p[0] > 0.0:
        wanted[n, seen.W_OUTCOME] = 0.0
        wanted[n, seen.W_SIDE] = 1.0
        wanted[n, seen.W_PRICE] = p[0]
        wanted[n, seen.W_SIZE] = p[2]
        n += 1
    if p[1] > 0.0:
        # An offer of YES at this price: the purchase of NO at what is left of 1.
        wanted[n, seen.W_OUTCOME] = 1.0
        wanted[n, seen.W_SIDE] = 1.0
        wanted[n, seen.W_PRICE] = 1.0 - p[1]
        wanted[n, seen.W_SIZE] = p[2]
        n += 1
    return n


class FixedQuotes(Quoter):
    quote = fixed_quotes

    class Config(PluginConfig):
        bid: float = 0.40
        ask: float = 0.0
        size: float = 10.0
        blind: bool = False
        post_only: bool = True

    def __init__(self, config=None):
        super().__init__(config)
        self.post_only = self.config.post_only

    def parameters(self):
        c = self.config
        return [c.bid, c.ask, c.size, 1.0 if c.blind else 0.0]
"""


# ---- recordings ----------------------------------------------------------------------------------


def book(ms: int, bids: dict[str, str], asks: dict[str, str]) -> dict[str, Any]:
    levels = [[{"price": p, "size": s} for p, s in side.items()] for side in (bids, asks)]
    return {
        "event_type": "book", "asset_id": "y1", "timestamp": str(FIRST + ms), "bids": levels[0],
        "asks": levels[1],
    }  # fmt: skip


def change(ms: int, side: str, price: str, size: str) -> dict[str, Any]:
    told = {"asset_id": "y1", "side": side, "price": price, "size": size}
    return {"event_type": "price_change", "timestamp": str(FIRST + ms), "price_changes": [told]}


def trade(ms: int, side: str, price: str, size: str, tx: str) -> dict[str, Any]:
    return {
        "event_type": "last_trade_price", "asset_id": "y1", "timestamp": str(FIRST + ms),
        "side": side, "price": price, "size": size, "transaction_hash": tx,
    }  # fmt: skip


def tick(ms: int, old: str, new: str) -> dict[str, Any]:
    return {
        "event_type": "tick_size_change", "asset_id": "y1", "timestamp": str(FIRST + ms),
        "old_tick_size": old, "new_tick_size": new,
    }  # fmt: skip


START = book(0, {"0.39": "100", "0.38": "100"}, {"0.42": "100", "0.43": "100"})
END = change(20_000, "BUY", "0.10", "5")
"""far from everything: the recording goes on until then"""


class Run(NamedTuple):
    """A played run."""

    made: Any
    told: Collector
    report: TapeReport

    @property
    def fills(self) -> list[tuple[int, int, int]]:
        """(ms since the recording began, price, size) of each fill, in its token's terms."""
        return [(f.ts // 10**6 - FIRST, f.price, f.size // SHARE) for f in fills_of(self.told)]


Play = Callable[..., Run]


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    folder = tmp_path_factory.mktemp("user")
    (folder / "strategies").mkdir()
    (folder / "strategies" / "fixed_quotes.py").write_text(STRATEGY)
    return Registry.load(folder)


def catalogue(folder: Path, messages: Sequence[Any], resolved: int = 0) -> TapeReport:
    """A catalogue with one market and a tape of these messages."""
    names = ["market_id", "question", "token_0", "outcome_0", "token_1", "outcome_1", "tick"]
    row = ["m1", "Rain?", "y1", "Yes", "n1", "No", "0.01"]
    columns: dict[str, Any] = {name: name for name in names}
    names, row = [*names, "closes"], [*row, str((FIRST + 86_400_000) * 10**6)]
    columns["closes"] = {"from": "closes", "unit": "ns"}
    if resolved:
        names += ["winner", "resolved_at"]
        row += ["0", str((FIRST + resolved) * 10**6)]
        columns |= {"winner": "winner", "resolved_at": {"from": "resolved_at", "unit": "ns"}}
    (folder / "m.csv").write_text(f"{','.join(names)}\n{','.join(row)}\n")
    mapping = {"kind": "markets", "source": "me", "columns": columns}
    (folder / "m.json").write_text(json.dumps(mapping))
    text = "".join((m if isinstance(m, str) else json.dumps(m) + "\n") for m in messages)
    (folder / "r.jsonl").write_text(text)
    import_files("markets", [folder / "m.csv"], folder / "cat", mapping=folder / "m.json")
    return import_tape([folder / "r.jsonl"], folder / "cat", format="polymarket-ws", source="r")


@pytest.fixture
def play(tmp_path: Path, registry: Registry) -> Play:
    """Imports messages and plays them one way."""

    def call(path: str, messages: Sequence[Any], *, cash: str = "1000", resolved: int = 0,
             **quotes: Any) -> Run:  # fmt: skip
        report = catalogue(tmp_path, messages, resolved)
        values = {
            "account": {"cash": cash},
            "strategies": [{"use": "FixedQuotes", "config": quotes}],
            "backtest": {"path": path},
            "venue": NO_LATENCY,
        }  # fmt: skip
        loaded = backtest.load(Config.model_validate(values), registry, tmp_path / "cat")
        made, told = played(loaded.config, registry, loaded.data)
        assert isinstance(made.replay.feed, CompiledTapeFeed) == (path == "auto"), made.parts.notes
        return Run(made, told, report)

    return call


def played(config: Config, registry: Registry, data: build.Recorded) -> tuple[Any, Collector]:
    told = Collector()
    made = build.replay(
        config, registry, data, session="s", journal=JournalWriter.null(), watch=told.watch,
        tables=True,
    )  # fmt: skip
    told.engine = made.engine
    made.replay.run()
    told.take(made.replay.feed)
    balanced(made, told, sum(config.allocations().values()))
    return made, told


SWEEP = trade(5_000, "SELL", "0.40", "15", "0xa")
"""a sale down to 0.40, where nothing but an own bid of 10 rests"""
AGAIN = book(4_000, {"0.39": "100"}, {"0.42": "100"})


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("messages", "fills"),
    [
        pytest.param([START, SWEEP, END], [(5_000, 4_000, 10)], id="sound"),
        pytest.param([START, SWEEP, json.dumps(END)[:40]], [(5_000, 4_000, 10)], id="cut at end"),
        pytest.param([START, json.dumps(END)[:40] + "\n", SWEEP, END], [], id="cut within"),
        pytest.param(
            [START, json.dumps(END)[:40] + "\n", AGAIN, SWEEP, END], [(5_000, 4_000, 10)],
            id="cut before the next whole book",
        ),
        pytest.param(
            [START, change(6_000, "BUY", "0.1", "5"), SWEEP, END], [(6_000, 4_000, 10)],
            id="a trade told late is known late",
        ),
        pytest.param(
            [START, change(3_000, "BUY", "0.1", "5"), change(2_000, "BUY", "0.1", "6"), SWEEP, END],
            [], id="levels that go back in time",
        ),
        pytest.param(
            [START, book(-5_000, {"0.5": "1"}, {"0.6": "1"}), SWEEP, END], [(5_000, 4_000, 10)],
            id="an older book",
        ),
        pytest.param([START, change(2_000, "BUY", "0.39", "-5"), SWEEP, END], [], id="negative"),
        pytest.param([START, change(2_000, "BUY", "0.395", "5"), SWEEP, END], [], id="off grid"),
        pytest.param([START, change(2_000, "BUY", "1.39", "5"), SWEEP, END], [], id="beyond 1"),
        pytest.param(
            [START, trade(5_000, "SELL", "0.40", "-15", "0xa"), END], [], id="a negative trade"
        ),
        pytest.param(
            [START, *[trade(5_000, "SELL", "0.40", "6", "0xa")] * 3, END], [(5_000, 4_000, 6)],
            id="a trade told three times",
        ),
        pytest.param(
            [START, *[trade(5_000, "SELL", "0.40", "6", tx) for tx in ("0xa", "0xb")], END],
            [(5_000, 4_000, 6), (5_000, 4_000, 4)], id="two trades alike",
        ),
        pytest.param(
            [START, tick(2_000, "0.01", "0.001"), AGAIN, SWEEP, END], [(5_000, 4_000, 10)],
            id="a finer tick and a new book",
        ),
        pytest.param(
            [START, tick(2_000, "0.01", "0.001"), SWEEP, END], [],
            id="a book not told anew since the tick changed",
        ),
        pytest.param(
            [START, tick(2_000, "0.01", "0.03"), SWEEP, END], [(5_000, 4_000, 10)],
            id="a tick that no venue has",
        ),
        pytest.param([book(0, {}, {}), SWEEP, END], [], id="empty"),
    ],
)  # fmt: skip
def test_a_recording_fills_what_it_can_prove(play: Play, path: str, messages, fills) -> None:
    assert play(path, messages).fills == fills


@pytest.mark.parametrize("path", PATHS)
def test_nobody_may_quote_in_an_empty_book(play: Play, path: str) -> None:
    run = play(path, [book(0, {}, {}), SWEEP, change(10_000, "BUY", "0.39", "0"), END], blind=True)
    assert run.fills == []
    assert run.told.denials() == {"TrustedBook": 39}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("coarse", [True, False])
def test_a_coarser_tick_cancels_what_has_no_step_on_it(play: Play, path: str, coarse: bool) -> None:
    fine = [START, tick(1_000, "0.01", "0.001"), book(1_500, {"0.39": "9"}, {"0.42": "100"})]
    coarser = [tick(4_000, "0.001", "0.01")] * coarse
    run = play(path, [*fine, *coarser, SWEEP, END], bid=0.405)
    assert run.fills == ([] if coarse else [(5_000, 4_050, 10)])
    assert run.made.broker.stats.cancelled == 1 + coarse


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("first", ["6", "0"])
def test_a_market_that_resolves_while_quotes_rest(play: Play, path: str, first: str) -> None:
    early = trade(5_000, "SELL", "0.40", first, "0xa")
    late = trade(7_000, "SELL", "0.40", "50", "0xb")
    run = play(path, [START, early, late, END], resolved=6_000)
    assert run.fills == [(5_000, 4_000, 6)] * (first == "6")
    assert run.made.broker.stats.cancelled == 1 + (first == "6")  # what was left, and a new one
    paid = [(s.shares, s.received, s.realised) for s in run.told.settlements]
    assert paid == [(6 * SHARE, 6_000_000, 3_600_000)] * (first == "6")
    assert run.made.engine.state.tables.account[t.A_RESERVED].tolist() == [0, 0]


@pytest.mark.parametrize("path", PATHS)
def test_a_crossing_quote_is_refused_or_takes(play: Play, path: str) -> None:
    run = play(path, [START, END], bid=0.45)
    assert run.fills == []
    assert run.made.broker.stats.rejected > 0


@pytest.mark.parametrize("path", PATHS)
def test_a_crossing_quote_that_may_take_takes(play: Play, path: str) -> None:
    run = play(path, [START, change(700, "BUY", "0.1", "5")], bid=0.45, post_only=False)
    assert run.fills == [(500, 4_200, 10)]


@pytest.mark.parametrize("path", PATHS)
def test_nobody_trades_with_himself(play: Play, path: str) -> None:
    wide = book(0, {"0.2": "5"}, {"0.9": "5"})
    run = play(path, [wide, END], bid=0.41, ask=0.40)
    assert run.fills == []
    assert run.made.broker.stats.orders == 1
    assert run.told.denials() == {"VenueRules": 40}


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("size", "filled", "denied"), [(1e4, 24, 0), (1e7, 24, 0), (1e9, 0, 10), (1e11, 0, 10)]
)
def test_an_oversized_quote_is_cut_or_refused(
    play: Play, path: str, size: float, filled: int, denied: int
) -> None:
    sale = trade(5_000, "SELL", "0.40", "1000000", "0xa")
    run = play(path, [START, sale, change(5_400, "BUY", "0.1", "5"), END], size=size)
    assert sum(size for _, _, size in run.fills) == filled
    assert run.told.denials().get("VenueRules", 0) == denied


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("bid", "size"), [(0.4049, 10.0), (0.40, 10.009), (0.4049, 10.009)])
def test_a_quote_between_steps_keeps_its_place(
    play: Play, path: str, bid: float, size: float
) -> None:
    run = play(path, [START, SWEEP, change(5_200, "BUY", "0.1", "5")], bid=bid, size=size)
    assert run.fills == [(5_000, 4_000, 10)]
    # A second one takes the place of what was filled.
    assert (run.made.broker.stats.orders, run.made.broker.stats.cancelled) == (2, 0)


@pytest.mark.parametrize("path", PATHS)
def test_a_tick_of_nothing_changes_nothing(tmp_path: Path, registry: Registry, path: str) -> None:
    writer = TapeWriter(tmp_path / "tape", ["y1"])
    now, level = FIRST * 10**6, TapeKind.LEVEL
    for at, kind, price, size, side in (
        (0, TapeKind.SNAPSHOT_BEGIN, 0, 0, 0), (0, level, 3_900, SHARE, 1),
        (0, level, 4_200, SHARE, -1), (0, TapeKind.SNAPSHOT_END, 0, 0, 0),
        (1_000, TapeKind.TICK, 0, 0, 0), (1_100, TapeKind.TICK, -100, 0, 0),
        (5_000, TapeKind.TRADE, 4_000, 15 * SHARE, -1), (5_200, level, 1_000, SHARE, 1),
    ):  # fmt: skip
        writer.row(now + at * 10**6, kind, 0, price, size, side=side)
    writer.close()
    catalogue(tmp_path, [START, END])
    config = Config.model_validate(
        {"strategies": [{"use": "FixedQuotes"}], "backtest": {"path": path}, "venue": NO_LATENCY}
    )
    data = backtest.load(config, registry, tmp_path / "cat").data
    tape = Played("r", Tape.open(tmp_path / "tape"), now, now + 5_200 * 10**6)
    _, told = played(config, registry, replace(data, tape=tape))
    assert [(fill.price, fill.size // SHARE) for fill in fills_of(told)] == [(4_000, 10)]


# ---- damage on disk ------------------------------------------------------------------------------


def cut(column: Path) -> None:
    column.write_bytes(column.read_bytes()[:-3])


def reordered(column: Path) -> None:
    body = column.read_bytes()
    column.write_bytes(body[:-16] + body[-8:] + body[-16:-8])


def foreign(column: Path) -> None:
    other = column.with_name("instrument.npy")
    other.write_bytes(other.read_bytes()[:-4] + b"\x07\0\0\0")


def missing(column: Path) -> None:
    column.unlink()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("damage", [cut, reordered, foreign, missing])
def test_a_damaged_tape_is_refused_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], path: str, damage: Callable[[Path], None]
) -> None:
    catalogue(tmp_path, [START, SWEEP, END])
    (tmp_path / "user" / "strategies").mkdir(parents=True)
    (tmp_path / "user" / "strategies" / "fixed_quotes.py").write_text(STRATEGY)
    (tmp_path / "c.json").write_text(json.dumps({"backtest": {"path": path}}))
    damage(next((tmp_path / "cat" / "tape").glob("r/*/ts.npy")))
    places = {"--user-data": "user", "--data": "cat", "--config": "c.json"}
    words = [word for name, at in places.items() for word in (name, str(tmp_path / at))]
    code = main(["backtest", "--strategy", "FixedQuotes", *words])
    out, err = capsys.readouterr()
    assert code == 3, out + err
    assert "Traceback" not in err
    named = "instrument.npy" if damage is foreign else "ts.npy"
    assert named in err
