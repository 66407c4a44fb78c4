"""The report as a person sees it."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO

import msgspec
import numpy as np
import pytest
from lab_records import bare_record, sample_record
from rich.console import Console

from polyframe.errors import UserError
from polyframe.lab.breakdown import split
from polyframe.lab.cells import names_of
from polyframe.lab.record import DataSlice, RunRecord
from polyframe.lab.report import render, save_svg
from polyframe.lab.summary import build

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def shown(record: RunRecord, width: int) -> str:
    console = Console(width=width, file=StringIO(), color_system=None)
    render(build(record, run="20261101T120000-abc", created=NOW), console)
    return console.file.getvalue()


@pytest.fixture(scope="module")
def unfinished() -> RunRecord:
    return sample_record(1_791_000_000 * 10**9)


@pytest.mark.parametrize("width", [80, 100, 120])
def test_it_fits_the_terminal_and_says_what_counts_first(unfinished, width) -> None:
    text = shown(unfinished, width)
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    head = "\n".join(lines[:6])
    assert "SYNTHETIC DATA" in head
    assert "Edge after costs" in head
    assert "95% interval [" in head
    assert "independent events" in head
    for part in (
        "near unquoted prices",
        "Denied or shrunk by protection",
        "MinimumEdge",
        "joined",
        "late",
        "missed",
        "Left open, at the bid",
        "Result by category",
        "resolved: lost",
        "No Sharpe",
        "Best and worst of",
    ):
        assert part in text, part


def test_markets_that_ask_the_same_are_told_apart(unfinished) -> None:
    asked = "Will the temperature in one and the same city of this planet be above 20 degrees?"
    same = [msgspec.structs.replace(market, question=asked) for market in unfinished.markets]
    report = build(replace(unfinished, markets=tuple(same)), run="20261101T120000-abc", created=NOW)
    traded = {trade.market for trade in report.trades}
    rows = split(report, "market").rows
    assert {row.name for row in rows} == {f"{asked} ({id})" for id in traded}
    assert sum(row.trips for row in rows) == len(report.round_trips)
    console = Console(width=80, file=StringIO(), color_system=None)
    render(report, console)
    text = console.file.getvalue()
    assert "…" not in text
    for row in report.by_market[:3]:
        assert row.name in text  # folded, not cut
    assert max(map(len, text.splitlines())) <= 80
    # One question that nobody else asks needs no id.
    alone = [msgspec.structs.replace(same[0], question="Rain?"), *same[1:]]
    report = build(
        replace(unfinished, markets=tuple(alone)), run="20261101T120000-abc", created=NOW
    )
    if same[0].id in traded:
        assert "Rain?" in {row.name for row in split(report, "market").rows}
    assert names_of([("a", "[synthetic] Rain?"), ("b", "Rain?"), ("c", "Snow?")]) == {
        "a": "Rain? (a)", "b": "Rain? (b)", "c": "Snow?",
    }  # fmt: skip


def test_amounts_are_never_cut(unfinished) -> None:
    lines = shown(unfinished, 80).splitlines()
    start = next(n for n, line in enumerate(lines) if "start cash" in line)
    assert not any("…" in line for line in lines[start : start + 11])


def test_real_data_is_not_called_synthetic(unfinished) -> None:
    data = DataSlice("d" * 64, "recorded", 120, 0, 1, synthetic=False)
    real = replace(unfinished, manifest=msgspec.structs.replace(unfinished.manifest, data=data))
    assert "SYNTHETIC" not in shown(real, 100)


def test_a_run_without_trades_says_so() -> None:
    text = shown(bare_record(equity_ts=np.array([0, 1]), equity=np.array([10**9, 10**9])), 80)
    assert "nothing was traded" in text
    assert "nothing was denied" in text


def test_markup_in_a_question_is_shown_as_it_is(unfinished) -> None:
    odd = [msgspec.structs.replace(m, question="[red]50% [/]?") for m in unfinished.markets]
    assert "[red]50% [/]?" in shown(replace(unfinished, markets=odd), 100)


def test_the_picture_is_an_svg(unfinished, tmp_path) -> None:
    report = build(unfinished, run="r", created=NOW)
    save_svg(report, tmp_path / "report.svg")
    root = ET.parse(tmp_path / "report.svg").getroot()
    assert root.tag.endswith("svg")
    words = "".join(root.itertext())
    assert "SYNTHETIC" in words
    assert [p.name for p in tmp_path.iterdir()] == ["report.svg"]
    with pytest.raises(UserError, match="picture"):
        save_svg(report, tmp_path / "absent" / "report.svg")
