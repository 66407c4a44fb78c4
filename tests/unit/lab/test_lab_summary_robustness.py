"""The result read again: to the unit where it is money, by brute force where it is a minimum."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import product

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lab_records import bare_record, sample_record

from polyframe.domain.market import Group, GroupKind, Market, Token
from polyframe.domain.orders import Side
from polyframe.domain.units import PAYOUT_ONE
from polyframe.lab.periods import by_period
from polyframe.lab.record import RunRecord
from polyframe.lab.schema import Report
from polyframe.lab.summary import build
from polyframe.lab.worst import Held, event_minimum

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def record() -> RunRecord:
    return sample_record()


@pytest.fixture(scope="module")
def report(record) -> Report:
    return build(record, run="r", created=NOW)


def variant(report: Report, name: str) -> Decimal:
    rows = [row for row in report.robustness.variants if row.name.startswith(name)]
    assert len(rows) == 1
    return Decimal(rows[0].pnl)


def test_as_run_is_the_result(report) -> None:
    assert variant(report, "as run") == Decimal(report.summary.pnl)


def test_without_the_best_events_is_the_rest_of_the_round_trips(report) -> None:
    events: dict[str, Decimal] = {}
    for trip in report.round_trips:
        events[trip.event] = events.get(trip.event, Decimal(0)) + Decimal(trip.pnl)
    assert variant(report, "without its best 5") == sum(sorted(events.values())[:-5])


def test_twice_the_cost_is_exact(report) -> None:
    """Recomputed in decimals from the list of trades alone; sizes here need no rounding."""
    dearer = Decimal(0)
    for trade in report.trades:
        if trade.side == "settle":
            continue
        price, mid, shares = Decimal(trade.price), Decimal(trade.mid), Decimal(trade.shares)
        worse = price - mid if trade.side == "buy" else mid - price
        room = 1 - price if trade.side == "buy" else price
        dearer += min(max(worse, Decimal(0)), room) * shares + Decimal(trade.fee)
    assert dearer > 0
    assert variant(report, "at twice the cost") == Decimal(report.summary.pnl) - dearer


def test_a_fill_without_a_mid_is_counted_and_pays_its_fee_twice(record) -> None:
    blind = replace(record, fills=[row._replace(mid=None) for row in record.fills])
    found = build(blind, run="r", created=NOW)
    expected = Decimal(found.summary.pnl) - Decimal(found.summary.fees)
    assert variant(found, "at twice the cost") == expected
    note = next(row.note for row in found.robustness.variants if "cost" in row.name)
    assert f"{len(record.fills):,} fills without a mid" in note
    assert "no purchase with a known mid" in found.robustness.between


def test_a_run_without_trades_has_nothing_to_shake() -> None:
    found = build(bare_record(), run="r", created=NOW)
    assert found.robustness.variants == []
    assert found.robustness.worst == []


@pytest.mark.parametrize("period", ["day", "week", "month"])
def test_periods_sum_to_the_result_and_stand_in_order(record, period) -> None:
    unfinished = build(sample_record(1_791_000_000 * 10**9), run="r", created=NOW)
    rows = by_period(unfinished.round_trips, period)
    assert sum(Decimal(row.pnl) for row in rows) == Decimal(unfinished.summary.pnl)
    assert rows[-1].name == "left open"
    assert [row.name for row in rows] == sorted(row.name for row in rows)
    assert sum(row.trips for row in rows) == len(unfinished.round_trips)


def test_every_filled_order_shows_its_decision_with_every_verdict(record, report) -> None:
    decisions = {row.order: row for row in report.decisions}
    for row, trade in zip(
        record.fills, [t for t in report.trades if t.side != "settle"], strict=True
    ):
        decision = decisions[trade.order]
        panel = report.panels[decision.panel].verdicts
        given_by = [v.protection for v in row.decision.verdicts]
        assert [name for name, _, _ in panel] == given_by
        assert decision.probability == row.decision.intent.probability
        assert decision.belief is not None
    assert any(decision.said for decision in report.decisions)


def test_slices_by_forecaster_sum_to_the_result(record) -> None:
    split = [
        row._replace(source="a" if n % 2 else "b", confidence="high" if n % 3 else "")
        for n, row in enumerate(record.judgements)
    ]
    found = build(replace(record, judgements=split), run="r", created=NOW)
    assert {"a", "b"} <= {row.name for row in found.by_forecaster}
    for rows in (found.by_forecaster, found.by_confidence):
        assert sum(Decimal(row.pnl) for row in rows) == Decimal(found.summary.pnl)
    assert "high" in {row.name for row in found.by_confidence}


# ---- worst cases -------------------------------------------------------------------------------


def market(n: int) -> Market:
    return Market(id=f"m{n}", question="?", tokens=(Token(f"y{n}", "Yes"), Token(f"n{n}", "No")))


def allowed(kind: GroupKind, outcome: tuple[int, ...]) -> bool:
    """Whether winners (0: YES) of the markets in their order may happen together."""
    if kind is GroupKind.EXCLUSIVE:
        return outcome.count(0) <= 1
    if kind is GroupKind.LADDER:
        return list(outcome) == sorted(outcome)
    return True


@given(
    st.sampled_from(list(GroupKind)),
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=4),
)
def test_the_minimum_of_an_event_is_that_over_all_its_outcomes(kind, shares) -> None:
    markets = [market(n) for n in range(len(shares))]
    held = [
        Held(markets[n], side, amount * 10**6, 0)
        for n, sides in enumerate(shares)
        for side, amount in enumerate(sides)
    ]
    outcomes = [o for o in product((0, 1), repeat=len(shares)) if allowed(kind, o)]
    least = min(
        sum(
            row.worth(PAYOUT_ONE if o[int(row.market.id[1:])] == row.outcome else 0) for row in held
        )
        for o in outcomes
    )
    group = Group("e", tuple(m.id for m in markets), kind)
    assert event_minimum(held, group) == least


def test_worst_cases_are_losses_of_what_was_held(record, report) -> None:
    cases = report.robustness.worst
    rows = {row.name: Decimal(row.pnl) for row in cases if row.pnl is not None}
    everything = rows["all positions lose"]
    assert everything < 0
    assert everything <= rows["each event at its minimum"]
    assert -everything == pytest.approx(
        Decimal(report.summary.peak_exposure) * Decimal(report.summary.start_cash)
    )
    assert everything < rows["the largest loses in a dispute"] < 0
    assert report.robustness.peak is not None
    assert any(row.fill.side == Side.BUY for row in record.fills)


def test_a_number_of_numpy_in_a_claim_can_still_be_written(record) -> None:
    import numpy as np

    rows = [
        row._replace(
            decision=msgspec.structs.replace(
                row.decision,
                intent=msgspec.structs.replace(
                    row.decision.intent,
                    probability=np.float64(row.decision.intent.probability),
                ),
            )
        )
        for row in record.fills
    ]
    found = build(replace(record, fills=rows), run="r", created=NOW)
    again = msgspec.json.decode(msgspec.json.encode(found), type=Report)
    assert again.decisions == found.decisions


def test_worst_clusters_lie_between_the_worst_event_and_losing_all(report) -> None:
    rows = {row.name: row for row in report.robustness.worst}
    everything = Decimal(rows["all positions lose"].pnl)
    event = Decimal(rows["the worst event at its minimum"].pnl)
    category = Decimal(rows["the worst category at its minimum"].pnl)
    minima = Decimal(rows["each event at its minimum"].pnl)
    assert everything <= minima <= category <= event < 0
    for name in ("the feed stale for 60 s", "the kill switch 10 s late"):
        assert rows[name].pnl is None
        assert "no ticks" in rows[name].note
