"""The decision log as a projection of journal records."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from journal_cases import golden, header

from polyframe.domain import effects as fx
from polyframe.domain import events as ev
from polyframe.domain.forecast import Forecast
from polyframe.domain.orders import Kind, Order, OrderState, Side, TimeInForce
from polyframe.domain.portfolio import Fill
from polyframe.domain.units import DAY, HOUR, MINUTE, SECOND
from polyframe.domain.verdict import Ruling, Verdict
from polyframe.domain.wishes import Intent
from polyframe.errors import UserError
from polyframe.store.decision_log import Stage
from polyframe.store.decision_rows import DecisionRows
from polyframe.store.decision_story import find_order, tell
from polyframe.store.decisions import decisions
from polyframe.store.journal import JournalReader, JournalWriter
from polyframe.store.moments import show_length
from polyframe.store.records import LEVELS, RecordLevel, Step

T = 1_790_000_000 * SECOND
SILENT = {
    # What a strategy or a broker is told all the time, or what another row of the step tells.
    ev.BookUpdated, ev.BookReset, ev.TradePrinted, ev.BarClosed, ev.WalletTraded, ev.GroupListed,
    ev.TickSizeChanged, ev.FeesChanged, ev.TimerFired, ev.OrderFilled, ev.PositionRedeemed,
    ev.BalanceReported, ev.StatsReported, fx.SetTimer, fx.SplitPosition, fx.MergePositions,
    fx.RedeemPosition, fx.StateSaved, fx.OrderChanged,
}  # fmt: skip
"""Records without a row of their own; a change of an order the log does not know is one."""


def order(id: str, side: Side = Side.BUY, parent: str = "", style: str = "") -> Order:
    return Order(
        id, "alpha", "m1", "m1-yes", side, 6_100, 10_000_000, TimeInForce.GTC, T, parent=parent,
        style=style,
    )  # fmt: skip


def review(
    id: str, ts: int, *, side: Side = Side.BUY, permitted: int = 10_000_000, parent: str = ""
) -> fx.OrderReviewed:
    kind = Kind.DIRECTIONAL if side is Side.BUY else Kind.EXIT
    intent = Intent(
        token="m1-yes", side=side, price=None, size=10_000_000, probability=0.66, kind=kind,
        reason="edge" if side is Side.BUY else "stop_loss",
    )  # fmt: skip
    verdicts = (
        Verdict.from_size("MaxStake", permitted, 10_000_000, "10.00 at risk, 5.00 permitted"),
        Verdict("MinEdge", Ruling.NOT_APPLICABLE, 10_000_000),
    )
    return fx.OrderReviewed(
        ts, "alpha", id, intent, 10_000_000, permitted, verdicts, (("limit", "bankroll"),), "m1",
        6_100, 0.0475, parent,
    )  # fmt: skip


def fill(id: str, side: Side, price: int, size: int = 10_000_000, fee: int = 20_000) -> Fill:
    return Fill(f"{id}-t", id, "alpha", "m1", "m1-yes", side, price, size, fee, T)


def write(path: Path, steps: list[tuple[ev.Event, list[fx.Effect]]]) -> JournalReader:
    with JournalWriter.create(path, header(RecordLevel.ORDERS)) as writer:
        for event, effects in steps:
            writer.step(event, effects)
    return JournalReader(path)


def timer(ts: int) -> ev.TimerFired:
    return ev.TimerFired(ts, "alpha", "cycle")


def life() -> list[tuple[ev.Event, list[fx.Effect]]]:
    """A forecast, an entry that fills in two goes, an exit by stop-loss, a settlement elsewhere."""
    forecast = Forecast("m1", 0.7, T - HOUR, "gpt", latency=MINUTE, evidence=("ab", "cd"))
    return [
        (timer(T), [fx.RequestForecast("r1", "m1", "llm", T, "alpha")]),
        (ev.ForecastMade(T + 1, "r1", "llm", forecast), []),
        (timer(T + 2), [review("S-1", T + 2), fx.SubmitOrder(order("S-1"), 6_100_000)]),
        (ev.OrderAccepted(T + 3, "S-1"), [fx.OrderChanged(T + 3, "S-1", OrderState.LIVE, 0)]),
        (
            ev.OrderFilled(T + 4, fill("S-1", Side.BUY, 6_000, 4_000_000)),
            [
                fx.FillBooked(fill("S-1", Side.BUY, 6_000, 4_000_000), 0),
                fx.OrderChanged(T + 4, "S-1", OrderState.PARTIAL, 4_000_000),
            ],
        ),
        (
            ev.OrderCancelled(T + 5, "S-1", "too old"),
            [fx.OrderChanged(T + 5, "S-1", OrderState.CANCELLED, 4_000_000, "too old")],
        ),
        (
            timer(T + 6),
            [
                review("S-12", T + 6, side=Side.SELL),
                fx.SubmitOrder(order("S-12", Side.SELL), 0),
                review("", T + 6, permitted=0),
            ],
        ),
        (
            ev.OrderFilled(T + 7, fill("S-12", Side.SELL, 5_000, 4_000_000)),
            [
                fx.FillBooked(fill("S-12", Side.SELL, 5_000, 4_000_000), -400_000),
                fx.OrderChanged(T + 7, "S-12", OrderState.CONFIRMED, 4_000_000),
            ],
        ),
        (ev.MarketClosed(T + 8, "m1"), []),
    ]


def test_a_decision_has_every_stage_in_order_with_its_place(tmp_path) -> None:
    reader = write(tmp_path / "j", life())
    rows = list(decisions(reader))
    told = [(row.proof.step, row.stage.value, row.order) for row in rows]
    assert told == [
        (1, "SCAN", ""),
        (2, "RESEARCH", ""),
        (2, "FORECAST", ""),
        (3, "EDGE", "S-1"),
        (3, "RISK", "S-1"),
        (3, "SIZE", "S-1"),
        (3, "EXECUTE", "S-1"),
        (4, "EXECUTE", "S-1"),
        (5, "EXECUTE", "S-1"),
        (6, "EXECUTE", "S-1"),
        (7, "MONITOR", "S-12"),
        (7, "EDGE", "S-12"),
        (7, "RISK", "S-12"),
        (7, "SIZE", "S-12"),
        (7, "EXECUTE", "S-12"),
        (7, "EDGE", ""),
        (7, "RISK", ""),
        (7, "SIZE", ""),
        (8, "EXECUTE", "S-12"),
        (9, "MONITOR", ""),
    ]
    assert {row.market for row in rows} == {"m1"}
    assert {row.ledger for row in rows[:-1]} == {"alpha"}
    (block,) = {row.proof.hash for row in rows}
    assert block in {b.end.digest.hex() for b in reader.blocks()}


def test_the_words_name_figures_and_objections(tmp_path) -> None:
    rows = list(decisions(write(tmp_path / "j", life())))
    text = {(row.proof.step, row.stage.value): row.text for row in rows}
    assert text[2, "FORECAST"].startswith("0.700 for YES by gpt, of ")
    assert text[2, "FORECAST"].endswith("ready 1 min later")
    assert text[3, "EDGE"] == (
        "buy m1-yes at 0.61, believed 0.660, edge +0.0475 a share after costs (edge)"
    )
    assert text[3, "SIZE"] == "10 shares, limited by bankroll"
    assert text[6, "EXECUTE"] == "cancelled: too old, 4 filled"
    assert text[7, "MONITOR"] == "exit: stop_loss"
    assert text[7, "RISK"] == (
        "denied, 0 of 1 without objection; MaxStake denies (10.00 at risk, 5.00 permitted)"
    )
    assert text[8, "EXECUTE"] == "sold 4 at 0.5, fee 0.02, realised -0.4"


@pytest.mark.parametrize("decimals", [(4, 6), (2, 8)])
def test_numbers_are_shown_in_the_decimals_of_the_market(decimals) -> None:
    log = DecisionRows()
    reviewed = msgspec.structs.replace(review("S-1", T), decimals=decimals)
    rows = list(log.rows(Step(1, T, None, (reviewed, fx.SubmitOrder(order("S-1"), 1)))))
    price, size = 6_100 / 10 ** decimals[0], 10_000_000 / 10 ** decimals[1]
    assert float(rows[0].facts["price"]) == price
    assert float(rows[2].facts["asked"]) == float(rows[3].facts["size"]) == size


def test_records_have_a_row_or_are_known_to_have_none() -> None:
    made = golden()
    items = {type(item): item for item in (*made.EVENTS, *made.EFFECTS)}
    assert set(items) == set(LEVELS)
    silent = set()
    for kind, item in items.items():
        log = DecisionRows()
        step = Step(1, T, None, (item,)) if kind in fx.Effect.__args__ else Step(1, T, item)
        rows = list(log.rows(step))
        if not rows:
            silent.add(kind)
        for row in rows:
            assert row.text
            assert "{" not in row.text
            msgspec.json.encode(row)
    assert silent <= SILENT, "give these a row, or enter them in SILENT"


def test_a_story_is_told_from_belief_to_result(tmp_path) -> None:
    reader = write(tmp_path / "j", life())
    story = tell(reader, find_order(reader, "-1", "polyframe decisions"))
    assert story.order == "S-1"
    assert [row.stage for row in story.before] == [Stage.SCAN, Stage.RESEARCH, Stage.FORECAST]
    assert story.forecast is not None
    assert story.forecast.facts["probability"] == 0.7
    assert [row.stage for row in story.reviews] == [Stage.EDGE, Stage.RISK, Stage.SIZE]
    assert [row.proof.step for row in story.execution] == [3, 4, 5, 6]
    assert [row.text for row in story.after] == [
        "exit: stop_loss",
        "sold 4 at 0.5, fee 0.02, realised -0.4",
    ]
    assert (story.filled, story.held, story.realised, story.fees) == (
        4_000_000,
        0,
        -400_000,
        40_000,
    )
    assert not story.shared


def test_a_denied_intent_is_named_by_its_step(tmp_path) -> None:
    reader = write(tmp_path / "j", life())
    story = tell(reader, find_order(reader, "@7", "polyframe decisions"))
    assert story.order == ""
    assert [row.order for row in story.reviews] == ["S-12"] * 0 + [""] * 3
    assert not story.execution


def test_a_parent_is_told_with_its_parts(tmp_path) -> None:
    steps: list[tuple[ev.Event, list[fx.Effect]]] = [
        (
            timer(T),
            [
                review("S-1", T),
                fx.ParentApproved(order("S-1", style="TWAP"), 6_100_000),
                review("S-2", T, parent="S-1"),
                fx.SubmitOrder(order("S-2", parent="S-1"), 3_000_000),
            ],
        ),
        (
            ev.OrderFilled(T + 1, fill("S-2", Side.BUY, 6_000)),
            [
                fx.FillBooked(fill("S-2", Side.BUY, 6_000), 0),
                fx.OrderChanged(T + 1, "S-2", OrderState.CONFIRMED, 10_000_000),
                fx.OrderChanged(T + 1, "S-1", OrderState.CONFIRMED, 10_000_000),
            ],
        ),
        (
            timer(T + 2),
            [
                fx.PositionSettled(
                    T + 2, "alpha", "m1", "m1-yes", 10_000_000, 10**6, 10**7, 4 * 10**6
                )
            ],
        ),
    ]
    story = tell(reader := write(tmp_path / "j", steps), find_order(reader, "S-1", ""))
    assert len(story.reviews) == 6
    assert {row.order for row in story.execution} == {"S-1", "S-2"}
    assert (story.filled, story.realised, story.held) == (10_000_000, 4_000_000, 0)


def test_an_order_that_filled_nothing_has_no_later_life(tmp_path) -> None:
    steps: list[tuple[ev.Event, list[fx.Effect]]] = [
        (timer(T), [review("S-1", T), fx.SubmitOrder(order("S-1"), 3_000_000)]),
        (
            ev.OrderFilled(T + 1, fill("S-9", Side.BUY, 6_000)),
            [
                fx.FillBooked(fill("S-9", Side.BUY, 6_000), 0),
                fx.OrderChanged(T + 1, "S-1", OrderState.CANCELLED, 0),
            ],
        ),
        (
            timer(T + 2),
            [fx.PositionSettled(T + 2, "alpha", "m1", "m1-yes", 10**7, 10**6, 10**7, 7)],
        ),
    ]
    story = tell(reader := write(tmp_path / "j", steps), find_order(reader, "S-1", ""))
    assert story.after == []
    assert (story.filled, story.realised, story.fees) == (0, 0, 0)


def test_an_ending_that_several_orders_have_is_refused(tmp_path) -> None:
    steps: list[tuple[ev.Event, list[fx.Effect]]] = [
        (timer(T), [review(f"{session}-7", T)]) for session in ("A", "B")
    ]
    reader = write(tmp_path / "j", steps)
    with pytest.raises(UserError, match="2 orders end with '7': A-7, B-7") as found:
        find_order(reader, "7", "polyframe decisions")
    assert found.value.hint == "polyframe decisions --why A-7"
    assert find_order(reader, "B-7", "").order == "B-7"


@pytest.mark.parametrize(
    ("length", "text"),
    [
        (0, "0 s"),
        (350_000_000, "0.35 s"),
        (89 * SECOND, "1 min 29 s"),
        (2 * HOUR, "2 h"),
        (2 * DAY + 3 * HOUR + MINUTE, "2 d 3 h"),
    ],
)
def test_a_length_of_time_is_told_in_its_two_greatest_units(length, text) -> None:
    assert show_length(length) == text


def _long(path: Path, orders: int) -> JournalReader:
    def steps() -> Iterator[tuple[ev.Event, list[fx.Effect]]]:
        for n in range(orders):
            id, ts = f"S-{n}", T + n * 10
            yield timer(ts), [review(id, ts), fx.SubmitOrder(order(id), 6_100_000)]
            yield (
                ev.OrderFilled(ts + 1, fill(id, Side.BUY, 6_000)),
                [
                    fx.FillBooked(fill(id, Side.BUY, 6_000), 0),
                    fx.OrderChanged(ts + 1, id, OrderState.CONFIRMED, 10_000_000),
                ],
            )

    with JournalWriter.create(path, header(RecordLevel.ORDERS)) as writer:
        for event, effects in steps():
            writer.step(event, effects)
    return JournalReader(path)


def _peak(reader: JournalReader) -> int:
    tracemalloc.start()
    for _ in decisions(reader):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def test_memory_does_not_grow_with_the_journal(tmp_path) -> None:
    short, long = _long(tmp_path / "short", 1_000), _long(tmp_path / "long", 8_000)
    assert _peak(long) < 1.2 * _peak(short)
