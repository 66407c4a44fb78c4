"""Bad input to a backtest: an exit code, what was found, what to do next, nothing left behind."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from polyframe.cli.main import main
from polyframe.errors import GapError, PluginError
from polyframe.lab import backtest
from polyframe.lab.synth import sample_dir
from polyframe.runtime.config import validated
from polyframe.runtime.plugins import Registry
from polyframe.store.framing import TailKind
from polyframe.store.journal import JournalReader

PRICES = "prices/synthetic.parquet"
MARKETS = "markets.parquet"
FORECASTS = "forecasts/synthetic.parquet"


class Said(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def run(tmp_path, capsys) -> Callable[..., Said]:
    """Runs ``polyframe backtest`` with a user directory of its own."""

    def call(*args: object, strategy: str = "LLMForecast") -> Said:
        argv = ["backtest", "--strategy", strategy, "--user-data", tmp_path / "user", *args]
        code = main([str(arg) for arg in argv])
        return Said(code, *capsys.readouterr())

    return call


@pytest.fixture
def runs(tmp_path) -> Path:
    return tmp_path / "user" / "runs"


def nothing_left(runs: Path) -> None:
    """Not even a hidden file."""
    assert not runs.exists() or os.listdir(runs) == []


def refused(said: Said, code: int, *words: str) -> None:
    assert said.code == code, said.err
    assert "Error:" in said.err
    assert "Traceback" not in said.err
    assert said.out == ""
    for word in words:
        assert word in said.err


# ---- the command line and the configuration ------------------------------------------------------


def test_an_unknown_strategy_names_the_nearest(run, runs):
    refused(run(strategy="LLMForcast"), 2, "LLMForcast", "LLMForecast?")
    nothing_left(runs)


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--cash", "0", ("account.cash", "above zero")),
        ("--cash", "-5", ("account.cash", "above zero")),
        ("--cash", "nan", ("account.cash",)),
        ("--cash", "much", ("account.cash", "much")),
        ("--seed", "-1", ("session.seed",)),
        ("--seed", "seven", ("--seed", "valid integer", "--help")),
        ("--timerange", "2026", ("data.timerange",)),
        ("--timerange", "2026-02-30..", ("data.timerange", "2026-02-30")),
        ("--timerange", "2026-03-01..2026-01-01", ("data.timerange", "before it ends")),
        ("--market", "nobody", ("'nobody' is not in the catalogue", "polyframe list markets")),
        ("--category", "nothing", ("no market of category", "polyframe list markets")),
        ("--record", "some", ("backtest.record",)),
        ("--missing", "maybe", ("backtest.missing",)),
        ("--profile", "nobody", ("nobody",)),
        ("--config", "nowhere.json", ("nowhere.json",)),
    ],
)
def test_a_wrong_option_is_named(run, runs, option, value, words):
    refused(run(option, value), 2, *words)
    nothing_left(runs)


def test_an_empty_period_says_so(run, runs):
    said = run("--timerange", "1999-01-01..1999-02-01")
    refused(said, 3, "1999-01-01..1999-02-01", "Next: polyframe backtest --timerange")
    nothing_left(runs)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"account": {"cash": 0}}, ("account.cash",)),
        ({"account": {"cash": [1]}}, ("account.cash",)),
        ({"account": "rich"}, ("account",)),
        ({"acount": {}}, ("acount", "account")),
        ({"strategies": {"use": "LLMForecast"}}, ("strategies",)),
        ({"strategies": [{"use": 5}]}, ("strategies[0].use",)),
        ({"strategies": [{"use": "LLMForecast", "config": {"weight": "much"}}]}, ("weight",)),
        ({"strategies": [{"use": "LLMForecast", "config": {"wieght": 1}}]}, ("wieght", "weight")),
        ({"strategies": [{"use": "LLMForecast", "allocation": 2}]}, ("allocation",)),
        (
            {"protections": [{"use": "MaxStake", "config": {"stake": -1}}]},
            ("protections[0]", "stake"),
        ),
        ({"protections": [{"use": "MaxSteak"}]}, ("MaxSteak", "MaxStake")),
        ({"protections": [{"use": "MaxStake"}, {"use": "MaxStake"}]}, ("MaxStake", "twice")),
        ({"protections": [{"use": "MaxStake", "for": ["nobody"]}]}, ("nobody",)),
        ({"forecasters": {"default": {"use": "Recordd"}}}, ("Recordd", "Recorded")),
        ({"version": 2}, ("version",)),
        ({"venue": {"sim": {"latency": "slow"}}}, ("venue.sim",)),
        ({"session": {"seed": "x"}}, ("session.seed",)),
    ],
)
def test_a_wrong_setting_is_named_by_its_path(run, runs, tmp_path, changes, words):
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"version": 1, "strategies": [{"use": "LLMForecast"}], **changes}))
    refused(run("--config", file), 2, *words)
    nothing_left(runs)


@pytest.mark.parametrize("text", ["{", "[]", "", '{"version": 1,}', "\x00"])
def test_a_file_that_is_no_configuration_is_named(run, runs, tmp_path, text):
    file = tmp_path / "config.json"
    file.write_text(text)
    refused(run("--config", file), 2, "config.json")
    nothing_left(runs)


def test_errors_are_json_where_json_was_asked_for(run):
    said = run("--cash", "0", "--json")
    error = json.loads(said.out)["error"]
    assert error["exit_code"] == said.code == 2
    assert "account.cash" in error["message"]


# ---- the catalogue -------------------------------------------------------------------------------


@pytest.fixture
def damaged(tmp_path) -> Callable[..., Path]:
    """A copy of the shipped catalogue with one of its files changed."""

    def make(name: str, change: Callable[[Any], Any]) -> Path:
        folder = tmp_path / "catalogue"
        shutil.copytree(sample_dir(), folder)
        change(folder / name)
        if name != "catalogue.json" and (folder / name).exists():
            restate(folder, name)
        return folder

    return make


def restate(folder: Path, name: str) -> None:
    """Has the manifest agree with a changed file: what is in it must be refused all the same."""
    manifest = json.loads((folder / "catalogue.json").read_text())
    manifest["files"][name]["sha256"] = sha256((folder / name).read_bytes()).hexdigest()
    (folder / "catalogue.json").write_text(json.dumps(manifest))


def test_a_file_that_no_import_wrote_is_refused(run, runs, tmp_path):
    shutil.copytree(sample_dir(), tmp_path / "catalogue")
    rewritten(lambda frame: frame.assign(price=frame["price"] // 2))(
        tmp_path / "catalogue" / PRICES
    )
    said = run("--data", tmp_path / "catalogue")
    refused(said, 3, "changed file", "polyframe data check")
    nothing_left(runs)


def rewritten(change: Callable[[pd.DataFrame], pd.DataFrame], *, typed: bool = True) -> Callable:
    def write(path: Path) -> None:
        old = pq.read_table(path)
        frame = change(old.to_pandas())
        schema = pa.schema([pa.field(f.name, f.type) for f in old.schema]) if typed else None
        pq.write_table(pa.Table.from_pandas(frame, schema=schema, preserve_index=False), path)

    return write


def first(column: str, value: object) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        values = frame[column].astype(object)
        values.iloc[0] = value
        return frame.assign(**{column: values})

    return change


def as_type(column: str, kind: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda frame: frame.assign(**{column: frame[column].astype(kind)})


def test_a_missing_catalogue_says_how_to_make_one(run, runs, tmp_path):
    for folder in (tmp_path / "nowhere", tmp_path):
        refused(run("--data", folder), 2, str(folder), "is no catalogue", "polyframe data import")
    nothing_left(runs)


FILES = {
    "nonsense": (PRICES, lambda p: p.write_bytes(b"PAR1 nonsense"), "cannot be read as Parquet"),
    "truncated": (
        PRICES, lambda p: p.write_bytes(p.read_bytes()[:-200]), "cannot be read as Parquet",
    ),
    "damaged inside": (
        PRICES, lambda p: p.write_bytes(p.read_bytes()[:40] + b"\xff" * 400 + p.read_bytes()[440:]),
        PRICES,
    ),
    "empty": (PRICES, lambda p: p.write_bytes(b""), "cannot be read as Parquet"),
    "absent": (PRICES, Path.unlink, "missing file"),
    "no manifest": ("catalogue.json", lambda p: p.write_text("{"), "catalogue.json is damaged"),
    "other version": (
        "catalogue.json", lambda p: p.write_text('{"version": 99, "files": {}}'), "version 99",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", FILES)
def test_a_damaged_file_is_named(run, runs, damaged, what):
    name, change, words = FILES[what]
    said = run("--data", damaged(name, change))
    refused(said, 3, words, "Next:")
    nothing_left(runs)


ROWS = {
    "prices as text": (PRICES, as_type("price", "str"), False, "column price has type"),
    "prices as floats": (PRICES, as_type("price", "float"), False, "column price has type double"),
    "times as text": (PRICES, as_type("ts", "str"), False, "column ts has type"),
    "no price column": (PRICES, lambda f: f.drop(columns="price"), False, "lacks the column price"),
    "a price above one": (PRICES, first("price", 10_001), True, "price of"),
    "a price below zero": (PRICES, first("price", -1), True, "price of -1"),
    "a price that is NaN": (PRICES, first("price", None), True, "1 rows without price"),
    "no prices": (PRICES, lambda f: f.iloc[:0], True, "no prices of"),
    "no outcome": (MARKETS, first("outcome_0", None), True, "outcome"),
    "an empty outcome": (MARKETS, first("outcome_0", ""), True, "outcome"),
    "one token twice": (MARKETS, lambda f: f.assign(token_1=f.token_0), True, "token"),
    "no such winner": (MARKETS, first("winner", 7), True, "winner"),
    "a winner that is not named": (MARKETS, first("winner", None), True, "winner"),
    "two outcomes of one name": (
        MARKETS,
        lambda f: f.assign(outcome_1=f.outcome_0),
        True,
        "outcome",
    ),
    "a token without an id": (MARKETS, first("token_0", ""), True, "token"),
    "a token of two markets": (
        MARKETS,
        lambda f: f.assign(token_1=f.token_1.iloc[0]),
        True,
        "token",
    ),
    "a tick of zero": (MARKETS, lambda f: f.assign(tick="0"), True, "tick"),
    "a tick that is none": (MARKETS, lambda f: f.assign(tick="cent"), True, "tick"),
    "a forecast of NaN": (FORECASTS, first("probability", float("nan")), True, "probability"),
    "a forecast of two": (FORECASTS, first("probability", 2.0), True, "probability 2.0"),
}


@pytest.mark.parametrize("what", ROWS)
def test_rows_that_cannot_be_used_are_named(run, runs, damaged, what):
    name, change, typed, words = ROWS[what]
    said = run("--data", damaged(name, rewritten(change, typed=typed)))
    refused(said, 3, words)
    nothing_left(runs)


def test_the_order_of_rows_does_not_matter(run, damaged):
    folder = damaged(PRICES, rewritten(lambda frame: frame.iloc[::-1]))
    one = run("--json", "--data", folder)
    two = run("--json", "--data", sample_dir())
    assert one.code == two.code == 0
    first_report, second = json.loads(one.out), json.loads(two.out)
    assert first_report["trades"] == second["trades"]
    assert first_report["summary"] == second["summary"]


# ---- strategies that fail ------------------------------------------------------------------------

STRATEGY = """
from polyframe import *

class Wrong(Strategy):
    def subscribe(self, markets):
        return Subscription(wake=(Moved(1),))

    def on_wake(self, event, view):
        {body}
"""


def write(folder: Path, body: str) -> None:
    file = folder / "strategies" / "wrong.py"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(STRATEGY.format(body=body))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("raise ZeroDivisionError('oops')", "raised ZeroDivisionError: oops"),
        ("return view.book('nothing')", "nothing"),
        ("return 5", "returned int 5"),
        ("return 'buy'", "yielded str"),
        ("yield 'buy'", "yielded str"),
        ("yield Intent(token=event.token, side=Side.BUY, size=1.5)", "size 1.5"),
        ("yield Intent(token=event.token, side=Side.BUY)", "neither a size nor a probability"),
        ("yield Intent(token=event.token, side=Side.BUY, style='twap')", "style 'twap'"),
        ("yield AskForecast(view.market(event.token).id, 'nobody')", "'nobody'"),
        ("while True: yield WakeAt(view.now)", "more than 1,000 wishes"),
        ("raise SystemExit(0)", "raised SystemExit"),
    ],
)
def test_a_strategy_that_fails_is_named(run, runs, tmp_path, body, words):
    write(tmp_path / "user", body)
    refused(run(strategy="Wrong"), 2, words)
    nothing_left(runs)


def test_the_place_is_named_too(run, tmp_path):
    write(tmp_path / "user", "raise KeyError('x')")
    assert "wrong.py:9" in run(strategy="Wrong").err


def test_a_file_that_cannot_be_loaded_says_why_its_strategy_is_missing(run, runs, tmp_path):
    write(tmp_path / "user", "return ()")
    file = tmp_path / "user" / "strategies" / "wrong.py"
    file.write_text(file.read_text() + "\nraise RuntimeError('at import')\n")
    said = run(strategy="Wrong")
    assert said.code == 2
    assert "at import" in said.err
    assert "Set aside" in said.err
    nothing_left(runs)


@pytest.mark.parametrize("body", ["while True: pass", "while True: yield from ()"])
def test_a_strategy_that_never_ends_is_ended(runs, tmp_path, body):
    user = tmp_path / "user"
    write(user, body)
    config = validated({"version": 1, "strategies": [{"use": "Wrong"}]})
    registry = Registry.load(user, entry_points=False, env={})
    with pytest.raises(PluginError, match=r"did not end within 0\.3 s") as caught:
        backtest.run(config, registry, sample_dir(), runs=runs, call_limit=0.3)
    assert caught.value.exit_code == 2
    nothing_left(runs)


# ---- what a run leaves, and what becomes of it when somebody changes it ------------------------


@pytest.fixture
def journal(run, runs) -> Path:
    """The journal of a whole run."""
    assert run("--record", "all").code == 0
    (folder,) = runs.iterdir()
    assert not list(runs.glob(".*"))
    return folder / "journal.bin"


def read(path: Path) -> int:
    return sum(1 for _ in JournalReader(path).records())


@pytest.mark.parametrize("part", [0.0, 0.3, 0.6, 0.95])
def test_an_edited_journal_is_found_out(journal, part):
    whole = read(journal)
    assert whole > 100
    content = bytearray(journal.read_bytes())
    content[int(len(content) * part) + 5] ^= 1
    journal.write_bytes(content)
    with pytest.raises(GapError) as caught:
        read(journal)
    assert caught.value.exit_code == 3
    assert journal.name in caught.value.message


@pytest.mark.parametrize("part", [0.5, 0.999])
def test_a_journal_that_was_cut_is_found_out(journal, part):
    whole = JournalReader(journal).verify()
    assert whole.tail.kind is TailKind.CLOSED
    content = journal.read_bytes()
    journal.write_bytes(content[: int(len(content) * part)])
    cut = JournalReader(journal).verify()
    assert cut.tail.kind is TailKind.TORN
    assert cut.records < whole.records
    # Whoever kept the hash of the whole is told at once.
    with pytest.raises(GapError, match="its end was cut off") as caught:
        JournalReader(journal).verify(whole.digest)
    assert journal.name in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("left", [0, 10])
def test_a_journal_without_its_head_is_none(journal, left):
    journal.write_bytes(journal.read_bytes()[:left])
    with pytest.raises(GapError, match="journal"):
        JournalReader(journal)


@pytest.mark.parametrize("change", [lambda text: text[:100], lambda text: "{}", lambda text: ""])
def test_a_changed_report_is_not_shown(run, runs, capsys, change):
    assert run().code == 0
    (folder,) = runs.iterdir()
    report = folder / "report.json"
    report.write_text(change(report.read_text()))
    code = main(["report", str(folder)])
    said = Said(code, *capsys.readouterr())
    refused(said, 3, "report.json", "Next:")


def test_runs_that_cannot_be_written_are_named(run, runs):
    runs.parent.mkdir()
    runs.write_text("a file where a folder should be")
    refused(run(), 2, str(runs))
    assert runs.read_text() == "a file where a folder should be"
