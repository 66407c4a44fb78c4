"""``polyframe data`` as a person types it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from polyframe.cli.main import main
from polyframe.lab.synth import sample_dir
from polyframe.store.schema import TABLES

MARKETS = """id,title,from,to,yes,no,strike,answer
m1,Above 10?,2026-01-01T00:00:00Z,2026-01-03T00:00:00Z,y1,n1,10,yes
m2,Above 20?,2026-01-01T00:00:00Z,2026-01-03T00:00:00Z,y2,n2,20,no
m3,Above 30?,2026-01-04T00:00:00Z,2026-01-03T00:00:00Z,y3,n3,30,no
"""
MARKET_MAP: dict[str, Any] = {
    "kind": "markets",
    "source": "demo",
    "columns": {
        "market_id": "id",
        "slug": "title",
        "question": "title",
        "group": {"constant": "g"},
        "group_kind": {"constant": "ladder"},
        "opened": {"from": "from", "unit": "iso"},
        "closes": {"from": "to", "unit": "iso"},
        "resolved_at": {"from": "to", "unit": "iso", "offset_ms": 7_200_000},
        "winner": {"from": "answer", "values": {"yes": 0, "no": 1}},
        "strike": "strike",
        "token_0": "yes",
        "token_1": "no",
        "outcome_0": {"constant": "Yes"},
        "outcome_1": {"constant": "No"},
    },
}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("m.csv").write_text(MARKETS)
    Path("m.json").write_text(json.dumps(MARKET_MAP))
    prices = "".join(
        f"y{n},{1767225600 + 3600 * h},{p}\n"
        for n, levels in ((1, [0.5, 0.5, 0.9, 0.92, 0.95]), (2, [0.3, 0.2, 0.1, 0.05, 1.2]))
        for h, p in enumerate(levels)
    )
    Path("p.csv").write_text("token,at,mid\n" + prices)
    rules = {"token": "token", "ts": {"from": "at", "unit": "s"}, "price": "mid"}
    Path("p.json").write_text(json.dumps({"kind": "prices", "source": "demo", "columns": rules}))
    return tmp_path


def call(capsys: pytest.CaptureFixture[str], *args: str, code: int = 0) -> tuple[str, str]:
    assert main(["data", *args]) == code
    done = capsys.readouterr()
    return done.out, done.err


def test_import_list_check_show(desk: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, _ = call(capsys, "import", "markets", "m.csv", "--map", "m.json", "--into", "cat")
    assert re.search(r"m\.csv +3 +3 +2 +0 +0 +1", out)
    assert "start after end" in out
    out, _ = call(capsys, "import", "prices", "p.csv", "--map", "p.json", "--into", "cat", "--json")
    report = json.loads(out)
    assert report["files"][0]["set_aside"] == {"price outside [0, 1]": 1}
    assert Path(report["set_aside_file"]).exists()

    held = json.loads(call(capsys, "list", "cat", "--json")[0])["holdings"]
    assert [(h["kind"], h["rows"]) for h in held] == [("markets", 2), ("prices", 9)]
    assert held[1]["unquoted"] == pytest.approx(2 / 9)
    assert "22.2%" in call(capsys, "list", "cat")[0]

    checked = json.loads(call(capsys, "check", "cat", "--json")[0])
    assert checked["errors"] == 0
    assert checked["unquoted"][0]["flags"]["LEADING"] == 2

    page, _ = call(capsys, "show", "m1", "--data", "cat")
    assert "Yes 1, No 0 (winner, known 2026-01-03 02:00)" in page
    assert "LEADING" in page
    shown = json.loads(call(capsys, "show", "Above 10?", "--data", "cat", "--json")[0])
    assert [p["price"] for p in shown["prices"]] == ["0.5", "0.5", "0.9", "0.92", "0.95"]
    assert "LEADING" in shown["prices"][0]["flags"]


def test_a_changed_file_ends_the_check_with_3(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call(capsys, "import", "markets", "m.csv", "--map", "m.json", "--into", "cat")
    Path("cat/markets.parquet").write_bytes(b"PAR1 and then nothing")
    out, _ = call(capsys, "check", "cat", code=3)
    assert "unreadable" in out
    _, err = call(capsys, "list", "cat", code=3)
    assert "markets.parquet cannot be read as Parquet" in err


def altered(column: str, change: Callable[[Any], Any]) -> Callable[[pa.Table], pa.Table]:
    def alter(table: pa.Table) -> pa.Table:
        field = table.schema.field(column)
        values = change(table[column]).cast(field.type)
        return table.set_column(table.schema.get_field_index(column), field, values)

    return alter


ALTERATIONS: dict[str, Callable[[pa.Table], pa.Table]] = {
    "halved prices": altered("price", lambda values: pc.divide(values, 2)),
    "shifted times": altered("ts", lambda values: pc.add(values, 3_600_000_000_000)),
    "reversed rows": lambda table: table.take(list(range(len(table)))[::-1]),
    "doubled rows": lambda table: pa.concat_tables([table, table]),
}


def backtest(capsys: pytest.CaptureFixture[str], code: int) -> str:
    args = ["backtest", "--strategy", "LLMForecast", "--data", "cat"]
    assert main([*args, "--timerange", "2026-01-01..2026-01-08"]) == code
    return " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("alteration", ALTERATIONS)
def test_a_backtest_refuses_changed_prices(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    alteration: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(sample_dir(), "cat")
    (file,) = Path("cat/prices").glob("*.parquet")
    pq.write_table(ALTERATIONS[alteration](pq.read_table(file)), file)
    err = backtest(capsys, 3)
    assert f"{file}: changed file" in err
    assert "polyframe data check 'cat'" in err
    assert "changed file" in call(capsys, "check", "cat", code=3)[0]


def test_a_backtest_refuses_files_that_came_or_went(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(sample_dir(), "cat")
    (file,) = Path("cat/prices").glob("*.parquet")
    extra = shutil.copy(file, "cat/prices/extra.parquet")
    assert f"{extra}: unlisted file" in backtest(capsys, 3)
    assert "unlisted file" in call(capsys, "check", "cat", code=3)[0]
    Path(extra).rename(file)
    assert call(capsys, "check", "cat")[0]
    file.unlink()
    assert f"{file}: missing file" in backtest(capsys, 3)


def test_a_changed_file_is_mended_by_importing_the_original(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    markets = ("import", "markets", "m.csv", "--map", "m.json", "--into", "cat")
    prices = ("import", "prices", "p.csv", "--map", "p.json", "--into", "cat")
    call(capsys, *markets)
    call(capsys, *prices)
    file = Path("cat/prices/demo.parquet")
    original = file.read_bytes()
    pq.write_table(ALTERATIONS["halved prices"](pq.read_table(file)), file)
    for command in (prices, markets):
        assert "changed file" in call(capsys, *command, code=3)[1]
    file.unlink()
    call(capsys, *prices)
    assert file.read_bytes() == original
    call(capsys, "check", "cat")


def test_prices_before_markets_end_as_in_the_right_order(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    markets = ("import", "markets", "m.csv", "--map", "m.json", "--into")
    prices = ("import", "prices", "p.csv", "--map", "p.json", "--into")
    out, _ = call(capsys, *prices, "late")
    told = " ".join(out.split())
    assert "2 tokens priced here belong to no known market." in told
    assert "Next: polyframe data import markets FILE --into 'late'" in told
    call(capsys, *markets, "late")
    out, _ = call(capsys, "check", "late")
    assert "unknown market" not in out
    again = json.loads(call(capsys, *prices, "late", "--json")[0])
    assert (again["files"][0]["same"], again["files"][0]["added"]) == (9, 0)
    assert again["unknown_tokens"] == 0
    call(capsys, *markets, "right")
    assert "no known market" not in call(capsys, *prices, "right")[0]
    late, right = (pq.read_table(f"{name}/prices/demo.parquet") for name in ("late", "right"))
    assert late.equals(right)


def test_the_next_step_after_an_empty_import_is_a_command(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prices = ("import", "prices", "p.csv", "--map", "p.json", "--into", "cat")
    call(capsys, *prices)
    rows = Path("p.csv").read_text().splitlines()[:3]
    Path("p.csv").write_text("\n".join([rows[0], *(f"{r[: r.rindex(',')]},0.6" for r in rows[1:])]))
    _, err = call(capsys, *prices, code=3)
    told = " ".join(err.split())
    assert "polyframe data import prices p.csv --map p.json --into cat --source NAME" in told
    Path("p.csv").write_text("token,at,mid\ny1,1767225600,60\n")
    _, err = call(capsys, *prices, code=3)
    told = " ".join(err.split())
    assert "polyframe data import prices p.csv --map p.json --into cat" in told
    assert "--source" not in told


@pytest.mark.parametrize(
    ("args", "code", "told"),
    [
        (("list", "nowhere"), 2, "nowhere is no catalogue"),
        (("check", "nowhere"), 2, "polyframe data import"),
        (("import", "prices", "no.parquet", "--into", "x"), 2, "no.parquet does not exist"),
        (("import", "prices", "p.csv", "--into", "x"), 3, "nothing gives price, ts"),
        (("import", "markets", "m.csv", "--map", "p.json", "--into", "x"), 2, "is for prices"),
        (("import", "prices", "p.csv", "--map", "no.json", "--into", "x"), 2, "no.json"),
    ],
)
def test_errors_name_the_thing_and_leave_nothing(
    desk: Path, capsys: pytest.CaptureFixture[str], args: tuple[str, ...], code: int, told: str
) -> None:
    _, err = call(capsys, *args, code=code)
    assert told in err
    assert not Path("x").exists()


def test_a_market_is_found_by_its_beginning_or_named(
    desk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call(capsys, "import", "markets", "m.csv", "--map", "m.json", "--into", "cat")
    assert "Above 20?" in call(capsys, "show", "Above 2", "--data", "cat")[0]
    _, err = call(capsys, "show", "Above", "--data", "cat", code=2)
    assert "2 markets begin with 'Above'" in err
    _, err = call(capsys, "show", "m11", "--data", "cat", code=2)
    assert "did you mean 'm1'" in err


def test_the_documented_tables_are_the_real_ones(root: Path) -> None:
    text = (root / "docs" / "data.md").read_text()
    for table in TABLES.values():
        section = text.split(f"### {table.kind}\n")[1].split("\n#")[0]
        rows = [
            [cell.strip().replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            for line in section.splitlines()
            if line.startswith("| `")
        ]
        assert rows == [
            [f"`{c.name}`", c.type, c.unit, "yes" if c.required else "", c.meaning]
            for c in table.columns
        ]
        assert ", ".join(f"`{name}`" for name in table.key) in section
