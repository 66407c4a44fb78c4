"""Tapes as a person imports, lists and checks them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from polyframe.cli.data import Form
from polyframe.cli.main import main
from polyframe.domain.plain import shortened
from polyframe.store.tape_import import FORMATS
from polyframe.store.tape_recording import REASONS
from polyframe.store.tape_rows import COLUMNS, TapeKind

BOOK = {
    "event_type": "book",
    "asset_id": "y1",
    "timestamp": "1785000000000",
    "bids": [{"price": "0.4", "size": "1"}],
    "asks": [{"price": "0.5", "size": "1"}],
}
MARKETS = "market_id,question,token_0,outcome_0,token_1,outcome_1,tick,closes\n"
MARKETS += "m1,Rain?,y1,Yes,n1,No,0.01,1785000000000000000\n"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("m.csv").write_text(MARKETS)
    names = MARKETS.splitlines()[0].split(",")
    columns: dict[str, object] = dict.fromkeys(names)
    columns = {name: name for name in columns} | {"closes": {"from": "closes", "unit": "ns"}}
    Path("m.json").write_text(json.dumps({"kind": "markets", "source": "me", "columns": columns}))
    Path("r.jsonl").write_text(json.dumps(BOOK) + "\n{\n" + json.dumps(BOOK | {"asset_id": "x"}))
    return tmp_path


def call(capsys: pytest.CaptureFixture[str], *args: str, code: int = 0) -> tuple[str, str]:
    assert main(["data", *args]) == code
    done = capsys.readouterr()
    return done.out, done.err


def test_import_list_and_check(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call(capsys, "import", "markets", "m.csv", "--map", "m.json", "--into", "cat")
    words = ("import", "tape", "r.jsonl", "--format", "polymarket-ws", "--into", "cat")
    out, _ = call(capsys, *words)
    assert re.search(r"r\.jsonl +3 +1", out)
    out = " ".join(out.split())
    # A snapshot of two levels and the loss of trust.
    assert "5 rows of 1 instruments, 2026-07-25" in out
    assert "1 rows of 1 markets that the catalogue lacks are left out (x)" in out
    assert "polyframe data import markets FILE" in out
    out, _ = call(capsys, *words)
    assert "nothing was written" in " ".join(out.split())
    report = json.loads(call(capsys, *words, "--source", "two", "--json")[0])
    assert report["clears"] == {"unreadable line": 1}
    assert report["unknown"] == {"x": 1}

    held = json.loads(call(capsys, "list", "cat", "--json")[0])["holdings"]
    assert [(h["kind"], h["source"], h["rows"]) for h in held if h["kind"] == "tape"] == [
        ("tape", "r", 5),
        ("tape", "two", 5),
    ]
    checked = json.loads(call(capsys, "check", "cat", "--json")[0])
    assert (checked["files"], checked["errors"]) == (3, 0)

    column = next(Path("cat/tape").glob("two/*/size.npy"))
    column.write_bytes(column.read_bytes()[:-1] + b"\x01")
    out, _ = call(capsys, "check", "cat", code=3)
    assert "damaged tape" in out
    assert "Errors: 1." in out


def test_a_symbol_is_shown_as_a_market_that_never_closes(desk: Path, capsys) -> None:
    import numpy as np

    from polyframe.store.tape_hft import BUY, DEPTH, EVENT, LOCAL

    event = np.zeros(1, EVENT)
    event["ev"], event["local_ts"] = DEPTH | LOCAL | BUY, 1_785_000_000_000_000_000
    event["px"], event["qty"] = 7.5, 2
    np.savez("e.npz", data=event)
    call(
        capsys,
        "import",
        "tape",
        "e.npz",
        "--format",
        "hftbacktest",
        "--market",
        "XYZ",
        "--into",
        "cat",
        "--tick",
        "0.5",
        "--lot",
        "1",
        "--price-decimals",
        "1",
        "--size-decimals",
        "5",
        "--venue",
        "elsewhere",
        "--max-price",
        "1000",
    )
    page, _ = call(capsys, "show", "XYZ", "--data", "cat")
    assert "never closes" in page
    assert main(["list", "markets", "--data", "cat"]) == 0
    assert re.search(r"XYZ +XYZ at elsewhere +never", capsys.readouterr().out)


@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_names_are_recognised_whatever_the_terminal(desk: Path, capsys, monkeypatch, width) -> None:
    from polyframe.cli.console import console

    monkeypatch.setattr(console, "width", width)
    tokens = [f"{n}{'7' * 60}{n}" for n in range(3)]
    slugs = [f"btc-updown-15m-176545080{n}" for n in range(3)]
    rows = [f"{slug},Up?,y{n},Yes,n{n},No,0.01,1785000000000000000" for n, slug in enumerate(slugs)]
    Path("m.csv").write_text("\n".join([MARKETS.splitlines()[0], *rows]) + "\n")
    books = [BOOK | {"asset_id": token} for token in tokens]
    books += [BOOK | {"asset_id": f"y{n}"} for n in range(3)]
    Path("r.jsonl").write_text("\n".join(json.dumps(b) for b in [*books, "{"]))
    call(capsys, "import", "markets", "m.csv", "--map", "m.json", "--into", "cat")
    words = ("import", "tape", "r.jsonl", "--format", "polymarket-ws", "--into", "cat")
    out = "".join(call(capsys, *words)[0].split())
    for token in tokens:
        assert shortened(token, width // 2) in out
        assert width < 200 or token in out
    out = "".join(call(capsys, "check", "cat")[0].split())
    for slug in slugs:
        assert slug in out
    assert max(map(len, call(capsys, "check", "cat")[0].splitlines())) <= width
    assert main(["list", "markets", "--data", "cat"]) == 0
    out = capsys.readouterr().out
    assert "…" not in out
    assert max(map(len, out.splitlines())) <= width


def test_a_long_question_is_folded(desk: Path, capsys) -> None:
    asked = "Will it rain in the capital of the country with the longest name of all by noon?"
    Path("m.csv").write_text(MARKETS.replace("Rain?", asked))
    call(capsys, "import", "markets", "m.csv", "--map", "m.json", "--into", "cat")
    assert main(["list", "markets", "--data", "cat"]) == 0
    assert set(asked.split()) <= set(capsys.readouterr().out.split())


@pytest.mark.parametrize("silence", ["nan", "inf", "1e300"])
def test_a_silence_that_is_no_time_is_refused(desk: Path, capsys, silence: str) -> None:
    words = ["tape", "r.jsonl", "--format", "polymarket-ws", "--silence", silence]
    _, err = call(capsys, "import", *words, code=2)
    assert "--silence" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["tape", "r.jsonl", "--into", "cat"], 2, "--format, one of polymarket-ws"),
        (["tape", "r.jsonl", "--format", "polymarket-ws", "--map", "m.json"], 2, "--map cannot be"),
        (["markets", "m.csv", "--format", "binance"], 2, "--format cannot be used with markets"),
        (["tape", "r.jsonl", "--format", "binance", "--into", "cat"], 2, "--market ID"),
        (
            ["tape", "r.jsonl", "--format", "polymarket-ws", "--into", "new"],
            3,
            "polyframe data import markets FILE",
        ),
        (["tape", "m.csv", "--format", "polymarket-ws", "--into", "cat"], 3, "is a message"),
        (["tape", "r.jsonl", "--format", "polymarket-top5", "--into", "cat"], 3, "as Parquet"),
    ],
)
def test_mistakes_are_told_with_the_next_step(desk: Path, capsys, words, code, said) -> None:
    _, err = call(capsys, "import", *words, code=code)
    assert said in " ".join(err.split())
    assert not Path("new/tape").exists()


def unusable(what: str) -> tuple[list[str], str]:
    """Writes a recording that nobody can use; the words of its import, and what must be said."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from polyframe.store.tape_hft import EVENT

    rules = ["--market", "S", "--tick", "0.1", "--lot", "1", "--price-decimals", "1"]
    if what == "cut npz":
        np.savez("e.npz", data=np.zeros(900, EVENT))
        Path("e.npz").write_bytes(Path("e.npz").read_bytes()[:-700])
        return [
            "e.npz",
            "--format",
            "hftbacktest",
            *rules,
            "--size-decimals",
            "5",
        ], "File is not a zip"
    columns: dict[str, Any] = {
        "interval": ["15m"], "asset": ["btc"], "window_start_s": [1], "token": ["up"],
        "ts_ms": [1_785_000_000_000], "recv_ms": [1_785_000_000_000],
        "bid_px": [[0.4]], "bid_sz": [[1.0]], "ask_px": [[0.5]], "ask_sz": [[1.0]],
    }  # fmt: skip
    values = {
        "beyond 64 bits": 2**64 - 1,
        "negative": -1,
        "in s": 1_785_000_000,
        "NaN": float("nan"),
    }
    if what in values:
        kind = pa.uint64() if what == "beyond 64 bits" else None
        columns["recv_ms"] = pa.array([values[what]], kind)
    table = pa.table(columns)
    pq.write_table(table.slice(0, 0) if what == "no rows" else table, "b.parquet")
    said = "as seconds 2026-07-25 17:20:00" if what == "in s" else "recv_ms of row 1 is"
    said = {"no rows": "not a single row", "NaN": "no row of a tape"}.get(what, said)
    return ["b.parquet", "--format", "polymarket-depth"], said


@pytest.mark.parametrize(
    "what", ["cut npz", "no rows", "beyond 64 bits", "negative", "in s", "NaN"]
)
def test_unusable_recordings_are_no_defects(desk: Path, capsys, what: str) -> None:
    columns = MARKETS.splitlines()[0] + ",slug"
    Path("m.csv").write_text(f"{columns}\nm1,Up?,y1,Yes,n1,No,0.01,{10**18},btc-updown-15m-1\n")
    rules = {name: name for name in columns.split(",")} | {
        "closes": {"from": "closes", "unit": "ns"}
    }
    Path("m.json").write_text(json.dumps({"kind": "markets", "source": "me", "columns": rules}))
    call(capsys, "import", "markets", "m.csv", "--map", "m.json", "--into", "cat")
    words, said = unusable(what)
    _, err = call(capsys, "import", "tape", *words, "--into", "cat", code=3)
    err = " ".join(err.split())
    assert words[0] in err
    assert said in err
    assert "Expected:" in err
    assert "Next:" in err
    assert "defect" not in err


def test_the_documented_rows_are_the_real_ones(root: Path) -> None:
    text = (root / "docs" / "data.md").read_text()
    section = text.split("## Tapes\n")[1].split("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in section.splitlines()
        if line.startswith("| ")
    ]
    names = {"i1": "int8", "u1": "uint8", "i4": "int32", "i8": "int64"}
    columns = {row[0].strip("`"): row[1] for row in rows if row[1] in names.values()}
    assert columns == {name: names[dtype.str[1:]] for name, dtype in COLUMNS.items()}
    kinds = {row[1]: row[0] for row in rows if row[0].isdigit()}
    assert kinds == {kind.name: str(int(kind)) for kind in TapeKind}
    reasons = {row[0].strip("`") for row in rows if len(row) == 2} - {"reason"}
    assert reasons == set(REASONS)
    forms = [row[0].strip("`") for row in rows if len(row) == 4 and row[0] != "`--format`"]
    assert forms == list(FORMATS) == [form.value for form in Form]
