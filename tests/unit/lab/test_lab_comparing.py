"""Runs side by side: the arithmetic of the comparison, against slow and obvious twins."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from io import StringIO

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lab_records import bare_record
from rich.console import Console

from polyframe.errors import UserError
from polyframe.lab.breakdown import WORDS, checked, split
from polyframe.lab.compare_table import render_comparison
from polyframe.lab.comparing import APART, NOT_APART, by_ledger, compared, results_by_event
from polyframe.lab.notebook_html import comparison_html, result_html
from polyframe.lab.schema import Report, RoundTrip
from polyframe.lab.scores import interval_of
from polyframe.lab.summary import build


def trip(event: str, pnl: str, *, ledger: str = "A", closed: bool = True, n: int = 1) -> RoundTrip:
    return RoundTrip(
        n=n, ledger=ledger, market=f"{event}-m", question=f"<b>{event}</b>?", event=event,
        category="politics", token=f"{event}-yes", outcome="Yes", opened="2026-01-05T00:00:00Z",
        closed="2026-01-12T00:00:00Z" if closed else None, hours=1.0 if closed else None,
        shares="10", entry=0.5, staked="5.1", fees="0.1", pnl=pnl, entry_reason="cheap",
        close_reason="take_profit" if closed else "left open", near_unquoted=False,
    )  # fmt: skip


def report(*trips: RoundTrip, run: str = "r") -> Report:
    """A real report of nothing, with round trips and the figures that follow from them."""
    empty = build(bare_record(), run=run, created=datetime(2026, 1, 1, tzinfo=UTC))
    totals = results_by_event(trips)
    summary = msgspec.structs.replace(
        empty.summary,
        per_event=interval_of(np.array([float(v) for v in totals.values()]), 7),
        effective_n=len(totals),
        pnl=f"{sum(totals.values(), Decimal(0)):f}",
        round_trips=len(trips),
    )
    return msgspec.structs.replace(empty, summary=summary, round_trips=list(trips))


def test_events_that_only_one_run_traded_count_as_nothing_for_the_other():
    found = compared(
        {"A": report(trip("x", "5"), trip("y", "-1")), "B": report(trip("y", "2"))}, {}
    )
    (row,) = found.differences
    assert (row.leader, row.other, row.events) == ("A", "B", 2)
    assert row.pnl == pytest.approx(4 - 2)
    assert row.verdict == NOT_APART
    assert not any(line.best for line in found.lines)


def test_a_leader_is_best_only_when_it_stands_apart_from_every_other():
    good = report(*[trip(f"e{n}", f"{5 + n % 3}") for n in range(30)])
    bad = report(*[trip(f"e{n}", f"{-5 - n % 2}") for n in range(30)])
    near = report(*[trip(f"e{n}", f"{5 + (n + 1) % 3}") for n in range(30)])
    two = compared({"bad": bad, "good": good}, {})
    assert [line.name for line in two.lines] == ["good", "bad"]
    assert two.distinguishable
    assert two.lines[0].best
    assert two.differences[0].level == 0.95
    three = compared({"bad": bad, "good": good, "near": near}, {})
    assert {d.other: d.verdict for d in three.differences} == {"bad": APART, "near": NOT_APART}
    assert not three.distinguishable
    assert not any(line.best for line in three.lines)
    assert three.differences[0].level == pytest.approx(0.975)


def test_several_trades_of_one_event_are_one_observation():
    once = report(*[trip(f"e{n}", "3") for n in range(4)], trip("e0", "9"))
    other = report(*[trip(f"e{n}", "1") for n in range(4)])
    (row,) = compared({"A": once, "B": other}, {}).differences
    assert row.events == 4
    assert row.pnl == pytest.approx(12 + 9 - 4)


pnls = st.dictionaries(
    st.sampled_from([f"e{n}" for n in range(8)]), st.integers(-900, 900), min_size=0, max_size=8
)


@given(pnls, pnls)
def test_the_difference_is_that_of_the_totals_whichever_comes_first(one, two):
    def of(results):
        return report(*[trip(e, f"{v / 100:.2f}") for e, v in results.items()])

    found = compared({"one": of(one), "two": of(two)}, {})
    turned = compared({"two": of(two), "one": of(one)}, {})
    (row,), (again,) = found.differences, turned.differences
    assert row.pnl == pytest.approx(abs(sum(one.values()) - sum(two.values())) / 100)
    assert row.events == len(one.keys() | two.keys())
    assert row.pnl == pytest.approx(again.pnl)
    if row.low is not None:
        assert row.low - 1e-9 <= row.high


def test_no_run_one_run_and_failed_runs():
    assert compared({}, {"A": "my bug"}).leader is None
    alone = compared({"A": report(trip("x", "1"))}, {"B": "my [bold]bug"}, reused=["A"])
    assert (alone.leader, alone.differences, alone.distinguishable) == ("A", [], False)
    assert alone.lines[0].reused
    assert alone.lines[1].failed == "my [bold]bug"


@pytest.mark.parametrize("width", [80, 120])
def test_the_table_fits_and_escapes_what_others_wrote(width):
    long = "A_strategy_whose_name_is_rather_long"
    found = compared(
        {long: report(trip("x", "5"), trip("y", "-1")), "B": report(trip("y", "2"))},
        {"C": "[bold]my bug[/bold] <script>"},
    )
    stream = StringIO()
    render_comparison(found, Console(file=stream, width=width), synthetic=True)
    text = stream.getvalue()
    assert "SYNTHETIC" in text
    assert "[bold]my bug[/bold]" in text
    assert "not distinguishable" in text
    assert max(len(line) for line in text.splitlines()) <= width
    page = comparison_html(found)
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "<b>x" not in result_html("<b>x</b>", report())


def test_strategies_on_one_account_are_told_apart_by_their_ledgers():
    both = report(
        trip("x", "5", ledger="A"), trip("x", "-2", ledger="B"), trip("y", "-4", ledger="B"),
        trip("z", "1", ledger="A", closed=False),
    )  # fmt: skip
    lines = by_ledger(both, {"A": 100_000_000, "B": 50_000_000, "Idle": 1})
    assert [(line.name, Decimal(line.pnl or 0)) for line in lines] == [
        ("A", Decimal(6)), ("Idle", Decimal(0)), ("B", Decimal(-6)),
    ]  # fmt: skip
    a, idle, b = lines
    assert (a.effective_n, a.trips, a.win_rate, a.profit_factor) == (2, 1, 1.0, None)
    assert (b.effective_n, b.trips, b.win_rate, b.profit_factor) == (2, 2, 0.0, 0.0)
    assert (a.pnl_share, b.pnl_share) == (pytest.approx(0.06), pytest.approx(-0.12))
    assert (idle.low, idle.drawdown, idle.exposure) == (None, None, None)


@pytest.mark.parametrize("word", [w for w in WORDS if w not in ("confidence", "forecaster")])
def test_each_split_sums_to_the_whole(word):
    rows = [trip("x", "5"), trip("y", "-1", ledger="B"), trip("y", "0.5", closed=False)]
    whole = report(*rows)
    if word in ("category", "exit"):  # the report has made these before
        whole = msgspec.structs.replace(
            whole,
            by_category=split(whole, "strategy").rows,
            by_reason=split(whole, "strategy").rows,
        )
    found = split(whole, word)
    assert sum(Decimal(row.pnl) for row in found.rows) == Decimal("4.5")
    assert sum(row.trips for row in found.rows) == 3
    assert found.title.startswith("Result by")


def test_words_of_a_breakdown():
    assert checked(["day,Exit", "day"], "backtest") == ["day", "exit"]
    with pytest.raises(UserError, match="'wek'") as caught:
        checked(["day,wek"], "report")
    assert caught.value.expected == "week?"
    assert caught.value.hint == "polyframe report --breakdown week"
    with pytest.raises(UserError):
        checked([""], "backtest")
