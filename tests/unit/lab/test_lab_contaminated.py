"""Forecasts whose model may have read how the question ended are scored apart."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest
from lab_records import sample_record
from rich.console import Console

from polyframe.domain.market import ResolutionKind
from polyframe.lab.html import page
from polyframe.lab.record import RunRecord
from polyframe.lab.report import render
from polyframe.lab.schema import Report
from polyframe.lab.summary import build

NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def record() -> RunRecord:
    return sample_record(1_790_000_000 * 10**9)


def reported(record: RunRecord) -> Report:
    return build(record, run="run", created=NOW)


def cut(record: RunRecord, chosen: set[str], slack: int = 0) -> RunRecord:
    """The record with a model that knows the end of the chosen markets."""
    rows = [
        row._replace(cutoff=record.resolutions[row.market].known_at - slack)
        if row.market in chosen
        else row
        for row in record.judgements
    ]
    return dataclasses.replace(record, judgements=rows)


def ended(record: RunRecord) -> list[str]:
    return [
        m.id for m in record.markets
        if m.id in record.resolutions
        and record.resolutions[m.id].kind is ResolutionKind.WINNER
        and any(row.market == m.id for row in record.judgements)
    ]  # fmt: skip


def test_without_a_cutoff_nothing_is_set_apart(record):
    assert reported(record).summary.scores.contaminated is None


def test_what_is_set_apart_is_in_no_other_score(record):
    chosen = set(ended(record)[::3])
    rest = dataclasses.replace(
        record, judgements=[row for row in record.judgements if row.market not in chosen]
    )
    found, clean = reported(cut(record, chosen)), reported(rest)
    apart = found.summary.scores.contaminated
    assert apart is not None
    assert apart.forecasts == sum(row.market in chosen for row in record.judgements)
    assert apart.fills == sum(row.fill.market in chosen for row in record.fills) > 0
    ours, theirs = found.summary.scores, clean.summary.scores
    assert (ours.scored, ours.events, ours.brier_forecast, ours.advantage) == (
        theirs.scored, theirs.events, theirs.brier_forecast, theirs.advantage,
    )  # fmt: skip
    assert found.calibration == clean.calibration
    only = dataclasses.replace(
        record, judgements=[row for row in record.judgements if row.market in chosen]
    )
    alone = reported(only).summary.scores
    assert (apart.events, apart.brier_forecast, apart.brier_market) == (
        alone.events, alone.brier_forecast, alone.brier_market,
    )  # fmt: skip


@pytest.mark.parametrize(("slack", "apart"), [(0, True), (1, False)])
def test_the_cutoff_counts_at_the_very_moment_of_the_end(record, slack, apart):
    found = reported(cut(record, set(ended(record)[:1]), slack))
    assert (found.summary.scores.contaminated is not None) == apart


def test_when_all_are_contaminated_nothing_else_is_scored(record):
    found = reported(cut(record, set(ended(record)))).summary.scores
    assert (found.scored, found.brier_forecast, found.advantage) == (0, None, None)
    assert found.contaminated is not None


def test_report_and_page_say_so(record):
    found = reported(cut(record, set(ended(record)[::3])))
    console = Console(width=100, record=True)
    render(found, console)
    text = " ".join(console.export_text().split())
    assert "Contaminated: " in text
    assert "it says nothing about the future" in text
    assert "Contaminated: " in page(found)
