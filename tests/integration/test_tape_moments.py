"""Moments at which several things meet, in a tape's run played compiled and step by step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tape_cases import MORE, START, Stream, quoters, stored, tape_data
from tape_ledger import played
from test_tape_compiled import drawn, same
from test_tape_journals import OPEN, journal

from polyframe.domain import effects as fx
from polyframe.domain import events as ev
from polyframe.domain.units import DAY, MINUTE, SECOND
from polyframe.kernels.tables_nb import T_SHARES
from polyframe.runtime import build
from polyframe.runtime.plugins import Registry
from polyframe.runtime.tape_data import Played
from polyframe.store.records import Step
from polyframe.store.tape import Tape, TapeKind
from polyframe.store.tape_writer import TapeWriter

NOW_AND_THEN = '''
from polyframe import Quoter, quote_kernel, seen


@quote_kernel
def now_and_then(sight, own, p, wanted):
    """A bid, and at every second wake one of more shares than an order may have."""
    if sight[seen.BID] <= 0.0:
        return 0
    own[0] += 1.0
    wanted[0, seen.W_OUTCOME] = 0.0
    wanted[0, seen.W_SIDE] = 1.0
    wanted[0, seen.W_PRICE] = sight[seen.BID] - 0.01 * (own[0] % 3.0)
    wanted[0, seen.W_SIZE] = 1.0e10 if own[0] % 2.0 == 0.0 else 10.0
    return 1


class NowAndThen(Quoter):
    quote = now_and_then
    refresh = 200_000_000
'''


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    folder = tmp_path_factory.mktemp("user")
    quoters(folder)
    (folder / "strategies" / "now_and_then.py").write_text(NOW_AND_THEN)
    return Registry.load(folder)


def settings(**sim: Any) -> dict[str, Any]:
    """A strategy that quotes often, and a venue as told."""
    values = drawn(np.random.default_rng(3), 3)
    values["account"]["cash"] = "2000"
    values["protections"] = OPEN
    values["strategies"][0]["config"] |= {"times": 1.0, "refresh": 500, "ttl": 0, "leave": 0}
    legs = ("entry", "cancel", "response")
    values["venue"]["sim"] |= {f"latency_{leg}_ms": 0 for leg in legs} | sim
    return values


def same_journal(
    registry: Registry, data: build.Recorded, values: dict[str, Any], folder: Path
) -> list[Step]:
    """The steps that both ways wrote."""
    fast, _ = journal(registry, data, values, "auto", folder / "fast")
    slow, _ = journal(registry, data, values, "python", folder / "slow")
    for n, (a, b) in enumerate(zip(fast, slow, strict=False)):
        assert a == b, f"record {n}"
    assert len(fast) == len(slow)
    return [one for one in fast if isinstance(one, Step)]


@pytest.mark.parametrize("tick", [50, 200])
def test_a_tick_that_changed_before_the_session_is_told_at_its_beginning(
    registry: Registry, tmp_path: Path, tick: int
) -> None:
    data = tape_data(tmp_path / "tape", 5, 1, 1)
    stream = Stream(np.random.default_rng(5), 0)
    # Neither do later rows change it, nor does the book stay empty.
    stream.ticks = (tick,) * 4
    stream.row(START, TapeKind.TICK, 0, 0, 0)
    stream.rows[-1] = (START, tick, *stream.rows[-1][2:])
    tape = stored(tmp_path / "other", [stream], 1_500, 1, START)
    last = tape.segments[-1].last_ts
    begun = Played("random", tape, START + 10 * SECOND, last)
    data = replace(data, tape=begun, resolutions={})
    values = settings()
    same(registry, data, values)
    steps = same_journal(registry, data, values, tmp_path)
    assert any(isinstance(step.event, ev.OrderAccepted) for step in steps)
    refused = [step.event for step in steps if isinstance(step.event, ev.OrderRejected)]
    assert not [event for event in refused if "tick" in event.reason]
    for path in ("auto", "python"):
        made, _, _ = played(registry, data, values, path)
        assert made.engine.context.universe.markets[0].tick == tick


@pytest.mark.parametrize("refresh", [500, 700])
def test_what_is_due_in_the_last_nanosecond_of_a_day_is_done(
    registry: Registry, tmp_path: Path, refresh: int
) -> None:
    start = START + DAY - 7 * SECOND - 1
    data = tape_data(tmp_path / "tape", 6, 2, 300, start=start)
    values = settings(latency_response_ms=refresh)
    values["strategies"][0]["config"]["refresh"] = refresh
    same(registry, data, values)
    steps = same_journal(registry, data, values, tmp_path)
    events = {type(step.event) for step in steps if step.ts == START + DAY - 1}
    assert ev.OrderAccepted in events
    # A wake alone is not written; what it led to is.
    assert any(step.event is None for step in steps if step.ts == START + DAY - 1)


def test_answers_come_before_what_is_paid_at_their_moment(
    registry: Registry, tmp_path: Path
) -> None:
    data = tape_data(tmp_path / "tape", 7, 2, 3_000, start=START + DAY - 3 * MINUTE)
    terms = {"*": {"day": 90_000, "max_spread": 0.04, "min_size": 0}}
    values = settings(latency_response_ms=500, rewards=terms, least_paid=0)
    same(registry, data, values)
    steps = same_journal(registry, data, values, tmp_path)
    paid = min(step.ts for step in steps if isinstance(step.event, ev.RewardPaid))
    then = [type(step.event) for step in steps if step.ts == paid]
    assert then.index(ev.OrderAccepted) < then.index(ev.RewardPaid)


@pytest.mark.parametrize("seed", [1, 3])
def test_answers_come_before_what_is_settled_at_their_moment(
    registry: Registry, tmp_path: Path, seed: int
) -> None:
    data = tape_data(tmp_path / "tape", seed, 2, 3_000)
    values = settings(latency_response_ms=900, settle_delay_ms=900)
    same(registry, data, values)
    steps = same_journal(registry, data, values, tmp_path)
    paid = [step.ts for step in steps if isinstance(step.event, ev.PositionRedeemed)]
    assert paid, "nothing was held when the market resolved"
    assert any(step.ts in paid and isinstance(step.event, ev.OrderCancelled) for step in steps)


def test_a_quote_out_of_range_waits_for_the_cancel_of_its_side(
    registry: Registry, tmp_path: Path
) -> None:
    data = tape_data(tmp_path / "tape", 9, 1, 600)
    values = settings(latency_cancel_ms=250)
    values["strategies"] = [{"use": "NowAndThen"}]
    counts = same(registry, data, values)
    assert counts["VenueRules"], "no quote was out of range"
    same_journal(registry, data, values, tmp_path)


@pytest.mark.parametrize(("seed", "on_fill"), [(1, False), (1, True), (5, False), (7, True)])
@pytest.mark.parametrize("settle", [100, 30_000])
def test_what_is_told_after_a_resolution_is_collected(
    registry: Registry, tmp_path: Path, seed: int, on_fill: bool, settle: int
) -> None:
    """Shares are bought, and the market resolves while the answer is on its way."""
    data = tape_data(tmp_path / "tape", seed, 1, 3_000, 3)
    values = settings(latency_response_ms=20_000, settle_delay_ms=settle)
    values["strategies"][0]["config"] |= {"post_only": False, "on_fill": on_fill}
    same(registry, data, values)
    steps = same_journal(registry, data, values, tmp_path)
    late = [
        effect
        for step in steps
        if isinstance(step.event, ev.OrderFilled)
        for effect in step.effects
        if isinstance(effect, fx.RedeemPosition)
    ]
    assert late, "nothing was bought just before the market resolved"
    for path in ("auto", "python"):
        made, _, _ = played(registry, data, values, path)
        assert not made.engine.state.tables.tokens[T_SHARES, 0, :2].any()


def test_two_ticks_that_change_in_one_update_are_both_told(
    registry: Registry, tmp_path: Path
) -> None:
    data = tape_data(tmp_path / "tape", 11, 2, 1)
    rng = np.random.default_rng(11)
    streams = [Stream(rng, m) for m in range(2)]
    for stream in streams:
        stream.ticks = (200,) * 4
        stream.row(START + 5 * SECOND, TapeKind.TICK, 2, 0, 0)
    tape = stored(tmp_path / "other", streams, 1_500, 1, START)
    whole = Played("random", tape, START, tape.segments[-1].last_ts)
    data = replace(data, tape=whole, resolutions={})
    values = settings()
    same(registry, data, values)
    same_journal(registry, data, values, tmp_path)
    for path in ("auto", "python"):
        made, _, _ = played(registry, data, values, path)
        assert [market.tick for market in made.engine.context.universe.markets] == [200, 200]


def torn(folder: Path, tape: Tape, grid: int, segments: int) -> Tape:
    """The same rows at moments of a grid, those of one as one update, cut anywhere."""
    names = ("ts", "price", "size", "aux", "instrument", "kind", "side")
    columns = {
        name: np.concatenate([segment[name] for segment in tape.segments]).astype(np.int64)
        for name in names
    }
    columns["ts"] = columns["ts"] // grid * grid
    columns["flag"] = np.append(np.where(np.diff(columns["ts"]) == 0, MORE, 0), 0)
    writer = TapeWriter(folder, tape.segments[0].instruments)
    for part in np.array_split(np.arange(len(columns["ts"])), segments):
        writer.append({name: column[part] for name, column in columns.items()})
        writer.seal()
    writer.close()
    return Tape.open(folder)


@pytest.mark.parametrize("seed", range(4))
def test_nobody_is_woken_within_an_update_that_the_next_segment_goes_on_with(
    registry: Registry, tmp_path: Path, seed: int
) -> None:
    data = tape_data(tmp_path / "tape", 20 + seed, 2, 1_500)
    assert data.tape is not None
    tape = torn(tmp_path / "torn", data.tape.tape, SECOND // 2, 37)
    last = tape.segments[-1].last_ts
    whole = Played("random", tape, tape.segments[0].first_ts, last)
    values = settings(latency_response_ms=(0, 300)[seed % 2])
    values["strategies"][0]["config"] |= {"move": 1, "refresh": (500, 700)[seed // 2]}
    data = replace(data, tape=whole)
    counts = same(registry, data, values)
    assert counts["fills"], "a stream on which nothing happened"
    same_journal(registry, data, values, tmp_path)


@pytest.mark.parametrize(("refresh", "response"), [(50, 5_000), (200, 30_000)])
def test_orders_that_ended_and_are_not_told_of_have_room(
    registry: Registry, tmp_path: Path, refresh: int, response: int
) -> None:
    data = tape_data(tmp_path / "tape", 5, 1, 1_500)
    values = settings(latency_response_ms=response, latency_entry_ms=500)
    values["account"]["cash"] = "100000"
    values["protections"] = [{"use": "*", "enabled": False}]
    config = {"refresh": refresh, "move": 1, "on_fill": True, "post_only": True}
    values["strategies"][0]["config"] |= config
    same(registry, data, values)
    made, _, _ = played(registry, data, values, "auto")
    assert len(made.broker.venue.orders) > 256, "there were never many"


def test_expiries_of_orders_that_are_gone_have_room(registry: Registry, tmp_path: Path) -> None:
    data = tape_data(tmp_path / "tape", 5, 1, 6_000)
    values = settings()
    values["account"]["cash"] = "100000"
    values["strategies"][0]["config"] |= {"refresh": 200, "ttl": 200_000, "move": 1}
    same(registry, data, values)
    made, _, _ = played(registry, data, values, "auto")
    assert len(made.broker.venue.acts) > 1_041, "there were never many"
