"""A run compiled over a tape as a person reads it: report, decisions, trades, reproduce."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tape_cases import MARKETS_FORM, STRATEGY, Stream, ws_lines

from polyframe.cli.main import main

MARKETS = "market_id,question,token_0,outcome_0,token_1,outcome_1,tick,closes\n"
CLOSES = 1_770_000_000_000_000_000


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user directory with one strategy, and a catalogue with one recorded book."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "user_data" / "strategies").mkdir(parents=True)
    (folder / "user_data" / "strategies" / "random_quotes.py").write_text(STRATEGY)
    (folder / "m.csv").write_text(MARKETS + f"m0,Rain?,y0,Yes,n0,No,0.01,{CLOSES}\n")
    (folder / "m.json").write_text(json.dumps(MARKETS_FORM))
    stream = Stream(np.random.default_rng(3), 0)
    (folder / "r.jsonl").write_text("\n".join(ws_lines(stream, 700)))
    return folder


def asked(capsys: pytest.CaptureFixture[str], *words: str) -> Any:
    capsys.readouterr()
    assert main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def backtest(*more: str) -> Path:
    """The folder of a run."""
    before = set(Path("user_data/runs").glob("*"))
    assert main(["backtest", "-s", "RandomQuotes", "--data", "cat", *more]) == 0
    (made,) = set(Path("user_data/runs").glob("*")) - before
    return made


def test_a_compiled_run_is_read_like_any_other(place, monkeypatch, capsys) -> None:
    monkeypatch.chdir(place)
    assert main(["data", "import", "markets", "m.csv", "--map", "m.json", "--into", "cat"]) == 0
    words = ("import", "tape", "r.jsonl", "--format", "polymarket-ws", "--into", "cat")
    assert main(["data", *words]) == 0
    fast = backtest()
    Path("slow.json").write_text(json.dumps({"version": 1, "backtest": {"path": "python"}}))
    slow = backtest("--config", "slow.json")
    notes = [json.loads((run / "report.json").read_text())["notes"] for run in (fast, slow)]
    assert "the tape was played in compiled code" in notes[0]
    assert "the tape went through the engine step by step: backtest.path says so" in notes[1]

    one, two = ((run / "journal.bin").read_bytes() for run in (fast, slow))
    assert one == two
    decisions = asked(capsys, "decisions", fast.name, "--limit", "0")
    assert decisions["rows"]
    assert decisions["rows"] == asked(capsys, "decisions", slow.name, "--limit", "0")["rows"]
    assert main(["decisions", fast.name, "--verify"]) == 0
    assert main(["report", fast.name]) == 0
    assert main(["reproduce", fast.name]) == 0
    assert "journal identical, byte for byte" in capsys.readouterr().out


def rehashed(inner: Path, outer: Path, before: str) -> None:
    """Writes the hash of the inner file into the outer one, in the place of the one before."""
    after = sha256(inner.read_bytes()).hexdigest()
    text = outer.read_text()
    assert before in text
    outer.write_text(text.replace(before, after))


def test_what_a_run_says_of_its_data_follows_every_column(
    place, tmp_path, monkeypatch, capsys
) -> None:
    shutil.copytree(place, tmp_path / "copy", ignore=shutil.ignore_patterns("cat", "runs"))
    monkeypatch.chdir(tmp_path / "copy")
    assert main(["data", "import", "markets", "m.csv", "--map", "m.json", "--into", "cat"]) == 0
    words = ("import", "tape", "r.jsonl", "--format", "polymarket-ws", "--into", "cat")
    assert main(["data", *words]) == 0
    run = backtest()
    digest = json.loads((run / "manifest.json").read_text())["data"]["digest"]

    column = next(Path("cat/tape").glob("r/*/size.npy"))
    files = (column, column.with_name("segment.json"), Path("cat/catalogue.json"))
    was = [sha256(file.read_bytes()).hexdigest() for file in files]
    content = files[0].read_bytes()
    changed = bytearray(content)
    sizes = np.frombuffer(content[128:], "<i8")
    changed[128 + 8 * int(np.argmax(sizes > 0))] ^= 1  # a millionth of a share, in one level
    files[0].write_bytes(changed)
    for inner, outer, before in zip(files, files[1:], was, strict=False):
        for words in (["backtest", "-s", "RandomQuotes", "--data", "cat"], ["reproduce", run.name]):
            assert main(words) == 3
            assert "size.npy" in (err := capsys.readouterr().err) or "segment.json" in err
        rehashed(inner, outer, before)
    # Whoever signs all of it anew has other data, and every run says so.
    other = backtest()
    assert json.loads((other / "manifest.json").read_text())["data"]["digest"] != digest
    assert main(["reproduce", run.name]) == 3
    assert "the data" in capsys.readouterr().err
