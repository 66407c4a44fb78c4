"""Reports of runs over recorded books: both ways to play them, bands, worst cases, the CLI."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from polyframe.cli.main import main
from polyframe.domain.units import FEE_STEP, MILLISECOND, MINUTE, SECOND
from polyframe.lab.backtest import load, played, played_again
from polyframe.lab.bands import bands_of
from polyframe.lab.comparing import results_by_event
from polyframe.lab.flow import generate
from polyframe.lab.flow_catalogue import write_catalogue
from polyframe.lab.flow_spec import FlowSpec
from polyframe.lab.making import making_of
from polyframe.lab.record import RunRecord
from polyframe.lab.scenarios import CASES, Run, scenarios_of
from polyframe.lab.summary import build
from polyframe.lab.trips import fold
from polyframe.runtime import own_orders as oo
from polyframe.runtime.config import validated
from polyframe.runtime.plugins import Registry
from polyframe.runtime.settings import Config
from polyframe.store.journal import JournalWriter

STRATEGIES = '''
from polyframe import Every, Intent, Kind, PluginConfig, Quoter, SECOND, Side, Strategy
from polyframe import Subscription, quote_kernel, seen


@quote_kernel
def both_sides(sight, own, p, wanted):
    if sight[seen.BID] <= 0.0 or sight[seen.ASK] <= 0.0:
        return 0
    held = sight[seen.YES] - sight[seen.NO]
    n = 0
    if held < p[1]:
        wanted[n, seen.W_OUTCOME], wanted[n, seen.W_SIDE] = 0.0, 1.0
        wanted[n, seen.W_PRICE], wanted[n, seen.W_SIZE] = sight[seen.BID], p[0]
        n += 1
    if held > -p[1]:
        wanted[n, seen.W_OUTCOME], wanted[n, seen.W_SIDE] = 1.0, 1.0
        wanted[n, seen.W_PRICE], wanted[n, seen.W_SIZE] = 1.0 - sight[seen.ASK], p[0]
        n += 1
    return n


class BothSides(Quoter):
    quote = both_sides

    class Config(PluginConfig):
        size: float = 20.0
        most: float = 200.0


class Buyer(Strategy):
    """Takes ten shares of YES every twenty seconds, whatever they cost."""

    books = True

    def subscribe(self, markets):
        return Subscription(wake=(Every(20 * SECOND),))

    def on_wake(self, event, view):
        for market in view.markets():
            quote = view.book(market.yes.id)
            if quote.ask > 0:
                yield Intent(token=market.yes.id, side=Side.BUY, price=quote.ask + 500,
                             size=10_000_000, kind=Kind.DIRECTIONAL, probability=0.99)
'''
OFF = ("Timeline", "OrderRate", "CancelRatio", "MaxStake", "PortfolioExposure", "SymbolExposure",
       "EventExposure", "CategoryExposure", "OrderSize", "Spread", "PriceBand", "Cooldown",
       "MaxDrawdown", "DrawdownKill", "DrawdownHeat", "DailyLoss", "WeeklyLoss",
       "ImpliedProbability", "DailyVolume")  # fmt: skip


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user directory with two strategies, and a catalogue of twenty minutes of one market."""
    folder = tmp_path_factory.mktemp("desk")
    (folder / "user_data/strategies").mkdir(parents=True)
    (folder / "user_data/strategies/makers.py").write_text(STRATEGIES)
    config = {"version": 1, "protections": [{"use": name, "enabled": False} for name in OFF]}
    (folder / "user_data/config.json").write_text(json.dumps(config))
    spec = FlowSpec(seconds=1_200.0, makers=40, takers=1.5)
    write_catalogue(generate(spec, 11), folder / "cat")
    return folder


@pytest.fixture(scope="module")
def registry(desk: Path) -> Registry:
    return Registry.load(desk / "user_data")


def config_of(strategy: str, path: str = "auto", **sim: Any) -> Config:
    return validated({
        "account": {"cash": "100000"}, "strategies": [{"use": strategy}],
        "backtest": {"path": path, "record": "none"}, "venue": {"sim": sim},
        "protections": [{"use": name, "enabled": False} for name in OFF],
    })  # fmt: skip


def played_run(desk: Path, registry: Registry, config: Config) -> tuple[Run, int]:
    loaded = load(config, registry, desk / "cat")
    record, steps = played(loaded, JournalWriter.null())
    return Run(config, loaded.data, record, partial(played_again, loaded)), steps


@pytest.fixture(scope="module")
def maker(desk: Path, registry: Registry) -> Run:
    return played_run(desk, registry, config_of("BothSides"))[0]


@pytest.fixture(scope="module")
def taker(desk: Path, registry: Registry) -> Run:
    return played_run(desk, registry, config_of("Buyer", fee_overrides={"other": 0.04}))[0]


def own(record: RunRecord) -> oo.OwnOrders:
    assert record.book is not None
    return record.book.own


def replayed(run: Run, name: str) -> RunRecord:
    found = CASES[name](run)
    assert found.record is not None, found.note
    return found.record


# ---- both ways -----------------------------------------------------------------------------------


def test_both_ways_tell_the_same(desk, registry, maker) -> None:
    slow, steps = played_run(desk, registry, config_of("BothSides", "python"))
    a, b = maker.record, slow.record
    assert a.book is not None
    assert b.book is not None
    assert (a.book.compiled, b.book.compiled) == (True, False)
    for name in oo.OwnOrders._fields:
        np.testing.assert_array_equal(getattr(own(a), name), getattr(own(b), name), err_msg=name)
    assert len(own(a)) > 500
    ends = set(own(a).end.tolist())
    assert {oo.FILLED, oo.CANCELLED, oo.REJECTED} <= ends
    one, other = (making_of(fold(record), 0) for record in (a, b))
    assert one == other
    assert one is not None
    assert one.markouts[0].fills > 200
    # Step by step the bands cost as much again each time: they are run when somebody asks.
    rows = bands_of(slow.config, b, slow.again, None, 20_001)
    assert [row.pnl is None for row in rows] == [False, True, True]
    assert "step by step, 20,001" in rows[1].note
    assert "polyframe backtest --bands" in rows[1].note
    assert steps < 20_001


def test_bands_are_replays_with_other_queues(desk, registry, maker) -> None:
    rows = bands_of(maker.config, maker.record, maker.again, None, 0)
    assert [(row.name, row.queue, row.own) for row in rows] == [
        ("pessimistic", "risk_averse", True), ("realistic", "power 3", False),
        ("optimistic", "log", False),
    ]  # fmt: skip
    for row, sim in zip(rows, ({}, {"queue": "power", "queue_power": 3.0}, {"queue": "log"}),
                        strict=True):  # fmt: skip
        record = played_run(desk, registry, config_of("BothSides", **sim))[0].record
        made = making_of(fold(record), int(record.equity[-1]) - record.start_cash)
        assert made is not None
        assert (row.pnl, row.spread, row.fills) == (
            made.earned.total, made.earned.spread, len(record.fills),
        )  # fmt: skip
        assert row.fill_ratio == made.orders.fill_ratio
        assert row.markout == made.markouts[1].markout
    counts = [row.fills for row in rows]
    assert counts == sorted(counts)
    assert counts[0] < counts[2]
    # A run with a belief of its own stands beside the three.
    odd = played_run(desk, registry, config_of("BothSides", queue="power_front"))[0]
    rows = bands_of(odd.config, odd.record, odd.again, False, 0)
    assert [(row.name, row.own, row.pnl is None) for row in rows] == [
        ("pessimistic", False, True), ("realistic", False, True), ("optimistic", False, True),
        ("as run", True, False),
    ]  # fmt: skip


# ---- worst cases ---------------------------------------------------------------------------------


def test_fees_twice_are_twice_the_fees(taker) -> None:
    before, after = taker.record, replayed(taker, "fees twice")
    was, now = ([row.fill for row in record.fills] for record in (before, after))
    assert len(was) > 10
    assert [(f.ts, f.price, f.size) for f in was] == [(f.ts, f.price, f.size) for f in now]
    assert sum(f.fee for f in was) > 0
    # The rate is twice the rate; the venue rounds each fee to its own step.
    (market,) = before.markets
    assert market.fee is not None
    twice = msgspec.structs.replace(
        market, fee=msgspec.structs.replace(market.fee, rate=2 * market.fee.rate)
    )
    assert [f.fee for f in now] == [twice.taker_fee(f.price, f.size) for f in was]
    assert all(abs(2 * f.fee - g.fee) <= FEE_STEP for f, g in zip(was, now, strict=True))
    lost = int(before.equity[-1]) - int(after.equity[-1])
    assert lost == sum(f.fee for f in now) - sum(f.fee for f in was)


def test_latency_three_times_fills_three_times_as_late(taker) -> None:
    before, after = taker.record, replayed(taker, "latency three times")
    for record, entry in ((before, 250), (after, 750)):
        sent = own(record).sent
        first = {}
        for row in record.fills:
            first.setdefault(row.fill.order, row.fill.ts)
        late = np.array(sorted(first.values())) - sent[own(record).filled > 0]
        assert set(late.tolist()) == {entry * MILLISECOND}


def test_a_gap_fills_quotes_at_their_own_price(maker) -> None:
    found = CASES["a gap through the quotes"](maker)
    assert found.record is not None
    assert found.over is not None
    gap = found.over
    mids = found.record.book.mids  # type: ignore[union-attr]
    at = np.array([gap - 1, gap + SECOND])
    before, after = mids.at(0, at)
    down = after < before
    assert abs(after - before) >= 2 * 10 * 100  # ten ticks or more
    # Until then it is the same run; then what rested on that side is taken at its own price.
    was = own(maker.record)
    side = 1 if down else -1
    known = mids.ts[0][np.searchsorted(mids.ts[0], gap)]
    rests = (was.side == side) & (was.accepted > 0) & (was.accepted < known)
    rests &= (was.ended == 0) | (was.ended > known)
    assert rests.any()
    prices = set(was.price[rests].tolist())
    fills = [row.fill for row in found.record.fills if row.fill.ts == known]
    yes = [f.price if f.token.endswith("yes") else 10_000 - f.price for f in fills]
    sides = [int(f.side) * (1 if f.token.endswith("yes") else -1) for f in fills]
    assert fills
    assert set(yes) <= prices
    assert set(sides) == {side}
    assert all(price > after / 2 if down else price < after / 2 for price in yes)
    earlier = [row.fill for row in maker.record.fills if row.fill.ts < known]
    assert earlier == [row.fill for row in found.record.fills if row.fill.ts < known]
    assert "rested on that side" in found.note


def test_an_outage_holds_back_orders_cancels_and_answers(maker) -> None:
    found = CASES["venue away, quotes resting"](maker)
    assert found.record is not None
    assert found.over is not None
    end = found.over
    tape = maker.data.tape
    assert tape is not None
    start = end - (tape.end - tape.start) // 4
    orders = own(found.record)
    sent = (orders.sent >= start) & (orders.sent < end)
    # Nothing that was sent in it is known of before its end, and nothing at all is heard in it.
    assert sent.any()
    known = orders.accepted[sent & (orders.accepted > 0)]
    assert known.min() >= end + 250 * MILLISECOND
    for column in (orders.accepted, orders.ended):
        assert not ((column > start + SECOND) & (column < end)).any()
    # The quotes that rested were filled meanwhile, at the venue's own time.
    during = [row.fill for row in found.record.fills if start < row.fill.ts < end]
    assert during
    sent_before = {f.order for f in during}
    assert len(sent_before) <= 4  # no more than what rested: nothing new came in
    assert maker.sim.outages == ()


def test_a_silent_feed_tells_all_of_it_at_its_end(maker) -> None:
    found = CASES["the feed is silent"](maker)
    assert found.record is not None
    assert found.over is not None
    end, start = found.over, found.over - MINUTE
    mids = found.record.book.mids  # type: ignore[union-attr]
    was = maker.record.book.mids  # type: ignore[union-attr]
    assert ((was.ts[0] > start) & (was.ts[0] < end)).any()
    assert not ((mids.ts[0] >= start) & (mids.ts[0] < end)).any()
    later = np.arange(end, mids.last, SECOND)
    np.testing.assert_array_equal(mids.at(0, later), was.at(0, later))
    filled = [row.fill.ts for row in found.record.fills]
    assert not [ts for ts in filled if start <= ts < end]
    before = [row.fill for row in maker.record.fills if row.fill.ts < start]
    assert before == [row.fill for row in found.record.fills if row.fill.ts < start]
    # The quotes of before met everything that happened in between.
    assert end in filled


@pytest.mark.parametrize("name", ["maker", "taker"])
def test_positions_resolve_against_what_is_held(name, request) -> None:
    run = request.getfixturevalue(name)
    record = replayed(run, "correlated positions all lose")
    (ended,) = record.resolutions.values()
    ts = ended.known_at
    settled = {row.token: row for row in record.settlements}
    assert settled
    assert {row.ts for row in settled.values()} == {ts + run.sim.settle}
    held = {token: row.shares for token, row in settled.items()}
    yes, no = (held.get(f"flow-0000-{word}", 0) for word in ("yes", "no"))
    assert yes != no
    winner = 0 if ended.payouts[0] else 1
    assert winner == (1 if yes > no else 0)
    # Until then it is the same run; nothing is traded afterwards.
    earlier = [row.fill for row in run.record.fills if row.fill.ts < ts]
    assert [row.fill for row in record.fills] == earlier


def test_the_table_has_every_case(maker) -> None:
    rows = scenarios_of(maker.config, maker.data, maker.record, maker.again)
    assert [row.name for row in rows] == list(CASES)
    assert all(row.pnl is not None for row in rows)
    result = (int(maker.record.equity[-1]) - maker.record.start_cash) / 1e6
    for row in rows:
        assert float(row.pnl or 0) - float(row.against or 0) == pytest.approx(result)
    assert [row.soon is not None for row in rows] == [False, True, True, False, False, True]


# ---- the command line ----------------------------------------------------------------------------


@pytest.fixture
def here(desk: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(desk)
    monkeypatch.setenv("COLUMNS", "100")
    return desk


WORDS = ("backtest", "-s", "BothSides", "--data", "cat", "--cash", "100000", "--record", "none",
         "--no-robust")  # fmt: skip


def said(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    assert main(list(words)) == code
    return capsys.readouterr().out


def test_a_run_shows_bands_quotes_and_markouts(here, capsys) -> None:
    out = said(capsys, *WORDS)
    for words in ("other beliefs about the queue", "pessimistic *", "realistic", "optimistic",
                  "spread earned", "After the fills, in ticks", "30 min", "Quoted markets",
                  "own quotes", "No alarm"):  # fmt: skip
        assert words in out, words
    assert "Worst cases, replayed" not in out
    assert "latency three times" in out  # what --robust would run on books
    assert "fills one row later" not in out

    report = json.loads(said(capsys, "report", "--json"))
    assert [row["pnl"] is None for row in report["making"]["bands"]] == [False] * 3
    assert report["scenarios"] == []
    page = here / "page.html"
    said(capsys, "report", "--html", str(page), "--svg", "page.svg")
    text = page.read_text()
    for words in ('id="quotes"', 'class="held"', 'class="mid"', 'class="bought"', 'class="sold"',
                  'class="bid"', 'class="offer"', "other beliefs about the queue"):  # fmt: skip
        assert words in text, words


def test_bands_may_be_left_out_and_worst_cases_asked_for(here, capsys) -> None:
    out = said(capsys, *WORDS, "--no-bands", "--worst-cases")
    assert "not run; polyframe backtest --bands runs it" in " ".join(out.split())
    assert "Worst cases, replayed" in out
    stored = json.loads(said(capsys, "report", "--json"))
    assert [row["name"] for row in stored["scenarios"]] == list(CASES)
    again = json.loads(said(capsys, "worst-cases", "--json"))
    assert again["scenarios"] == stored["scenarios"]
    assert again["pnl"] == stored["summary"]["pnl"]
    assert again["run"] == stored["run"]
    assert "soon after" in said(capsys, "worst-cases", stored["run"])
    # A stored run without what is asked for is not shown again.
    assert "from cache" not in said(capsys, *WORDS, "--bands", "--worst-cases", "--cache", "day")
    assert "from cache" in said(capsys, *WORDS, "--bands", "--worst-cases", "--cache", "day")


def test_worst_cases_name_what_they_lack(here, capsys, tmp_path) -> None:
    assert main(["worst-cases", "--user-data", str(tmp_path)]) == 2
    assert "no run is stored" in capsys.readouterr().err


def test_a_run_over_prices_says_what_does_not_apply(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    words = ["backtest", "-s", "LLMForecast", "--category", "finance", "--record", "none"]
    report = json.loads(said(capsys, *words, "--worst-cases", "--no-robust", "--json"))
    assert report["making"] is None
    rows = {row["name"]: row for row in report["scenarios"]}
    ran = {name for name, row in rows.items() if row["pnl"] is not None}
    assert ran == {"correlated positions all lose", "latency three times", "fees twice"}
    for name in rows.keys() - ran:
        assert rows[name]["note"].startswith("does not apply: ")
    assert float(rows["correlated positions all lose"]["against"]) < 0
    assert float(rows["fees twice"]["against"]) < 0


def test_what_the_venue_pays_is_part_of_an_events_result(desk: Path, registry: Registry) -> None:
    config = config_of("BothSides", fee_overrides={"other": 0.04})
    record = played_run(desk, registry, config)[0].record
    paid = sum(each.amount for each in record.rewards)
    assert paid > 0
    report = build(record, run="r", created=datetime(2026, 1, 1, tzinfo=UTC))
    s = report.summary
    assert round(s.per_event.mean * s.effective_n * 1e6) == round(float(s.pnl) * 1e6)
    assert sum(Decimal(each.amount) for each in report.paid) == Decimal(paid) / 10**6
    results = results_by_event(report.round_trips, report.paid)
    assert sum(results.values()) == Decimal(s.pnl)
