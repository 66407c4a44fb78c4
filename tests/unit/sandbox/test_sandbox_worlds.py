"""What worlds are filled with: ids, events of every source, beliefs, and when all that happens."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from polyframe.domain.market import GroupKind
from polyframe.domain.units import DAY, HOUR, MINUTE, SECOND
from polyframe.errors import ConfigError, UserError
from polyframe.exchanges.polymarket.contracts import is_v2_position
from polyframe.lab import flow
from polyframe.lab.flow_spec import FlowSpec
from polyframe.lab.sample_tape import tape_sample_dir
from polyframe.lab.synth import sample_dir
from polyframe.sandbox.opening import town
from polyframe.sandbox.venue.market import BOTH
from polyframe.sandbox.venue.records import State
from polyframe.sandbox.worlds import stored, timetable
from polyframe.sandbox.worlds.belief import Belief
from polyframe.sandbox.worlds.made import SERIES, made
from polyframe.sandbox.worlds.naming import address_of, hash_of, pseudonym_of, stream, token_of
from polyframe.sandbox.worlds.plots import Ask, Plot, day_of
from polyframe.sandbox.worlds.terms import terms_of
from polyframe.store.catalogue import Catalogue

NOW = 1_795_291_200 * SECOND


# ---- names -------------------------------------------------------------------------------------


def test_token_ids_are_hashes_that_no_client_takes_for_a_position_of_protocol_v2() -> None:
    ids = {token_of(seed, "token", word) for seed in range(20) for word in range(20)}
    assert len(ids) == 400
    assert not any(is_v2_position(int(id)) for id in ids)
    assert all(1 << 248 <= int(id) < 1 << 256 and id[0] != "0" for id in ids)


def test_names_depend_on_the_seed_and_the_words_alone() -> None:
    assert hash_of(1, "condition", "a") == hash_of(1, "condition", "a")
    assert hash_of(1, "condition", "a") != hash_of(2, "condition", "a")
    assert len(address_of(1, "person", 3)) == 42
    assert pseudonym_of("0xAB") == pseudonym_of("0xab")
    assert stream(1, "x").random() == stream(1, "x").random() != stream(1, "y").random()


# ---- stored data -------------------------------------------------------------------------------


def test_the_shipped_catalogue_is_played_as_it_stands_there() -> None:
    held = stored.shelf(sample_dir())
    known = {market.id: market for market in Catalogue.open(sample_dir()).markets()}
    endings = Catalogue.open(sample_dir()).resolutions()
    plots = stored.plots(held, held.events(), 1)
    asks = {ask.key: (plot, ask) for plot in plots for ask in plot.asks}
    assert set(asks) == set(known)
    for id, (plot, ask) in asks.items():
        assert ask.question == known[id].question
        assert plot.closes == known[id].closes
        payouts = endings[id].payouts
        assert ask.winner == (BOTH if payouts[0] == payouts[1] else int(payouts[0] == 0))
        assert len(ask.path) == len(plot.at)
        assert plot.at[0] == 0


def test_an_exclusive_event_is_complete_where_its_prices_leave_no_other_outcome() -> None:
    held = stored.shelf(sample_dir())
    for plot in stored.plots(held, held.events(), 1):
        won = sum(ask.winner == 0 for ask in plot.asks)
        total = np.mean(np.sum([ask.path for ask in plot.asks], axis=0))
        if plot.kind is GroupKind.EXCLUSIVE:
            assert won <= 1
            assert plot.complete == (won == 1 and abs(total - 1.0) < 0.03)
        else:
            assert not plot.complete


def test_the_shipped_tape_gives_mids_and_answers_to_what_it_leaves_open() -> None:
    held = stored.shelf(tape_sample_dir())
    plots = stored.plots(held, held.events(), 1)
    assert [len(plot.asks) for plot in plots] == [1, 1, 1, 1]
    for plot in plots:
        assert len(plot.at) > 1_000
        assert plot.at[-1] < plot.life
        assert abs(plot.asks[0].path[-1] - (plot.asks[0].winner == 0)) < 0.5


def test_answers_that_nobody_recorded_have_the_chances_of_the_last_prices() -> None:
    held = stored.shelf(tape_sample_dir())
    summit = next(event for event in held.events() if "summit" in event[0].question)
    winners = [stored.plots(held, [summit], seed)[0].asks[0].winner for seed in range(200)]
    plot = stored.plots(held, [summit], 0)[0]
    recorded = plot.asks[0].path[int(np.searchsorted(plot.at, 36 * HOUR)) - 1]
    assert abs(winners.count(0) / 200 - recorded) < 0.1


def test_a_tape_with_its_note_is_data_of_its_own(tmp_path: Path) -> None:
    flow.write(flow.generate([FlowSpec(seconds=600.0), FlowSpec(seconds=600.0)], 3), tmp_path)
    made = town(1, now=NOW, markets=2, data=tmp_path, days=1)
    assert {plot.key for plot in made.plots} == {"flow-0000", "flow-0001"}
    assert all(subject.market for subject in made.world.catalogue.subjects.values())


def test_a_catalogue_keeps_its_own_times_beside_each_other() -> None:
    made = town(1, now=NOW, markets=20, data=sample_dir(), days=4)
    known = {market.id: market for market in Catalogue.open(sample_dir()).markets()}
    shifts = {plot.closes - known[ask.key].closes for plot in made.plots for ask in plot.asks}
    assert len(shifts) == 1
    states = {market.state for market in made.venue.markets.values()}
    assert {State.OPEN, State.RESOLVED} <= states


@pytest.mark.parametrize("place", ["nowhere", "."])
def test_a_directory_without_markets_is_refused(place: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no markets") as caught:
        town(1, now=NOW, data=tmp_path / place)
    assert "flow.json" in str(caught.value)


@pytest.mark.parametrize(
    "wrong", [{"markets": 0}, {"markets": 10**6}, {"days": 0}, {"seed": -1}, {"seed": 2**63}]
)
def test_numbers_out_of_range_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ConfigError, match="is out of range"):
        town(**{"seed": 1, "now": NOW, **wrong})


# ---- the generator -----------------------------------------------------------------------------


def test_the_generator_makes_events_of_all_kinds_without_end() -> None:
    plots = [made(7, number) for number in range(60)]
    kinds = [plot.kind for plot in plots]
    assert set(kinds) == set(GroupKind)
    assert len({ask.key for plot in plots for ask in plot.asks}) == sum(
        len(plot.asks) for plot in plots
    )
    assert any(ask.winner == BOTH for n in range(60, 160) for ask in made(7, n).asks)
    again = made(7, 5)
    assert again.key == plots[5].key
    assert np.array_equal(again.asks[0].path, plots[5].asks[0].path)


def test_prices_of_the_generator_are_right_on_average() -> None:
    asks = [ask for n in range(120) for ask in made(11, n).asks if ask.winner != BOTH]
    halfway = np.array([ask.path[len(ask.path) // 2] for ask in asks])
    won = np.array([ask.winner == 0 for ask in asks])
    for low, high in ((0.0, 0.3), (0.3, 0.7), (0.7, 1.01)):
        some = (halfway >= low) & (halfway < high)
        error = won[some].mean() - halfway[some].mean()
        assert abs(error) < 3 * np.sqrt(0.25 / some.sum())


def test_intervals_of_a_series_follow_each_other_and_end_as_their_price_says() -> None:
    series = SERIES[0]
    start = series.starts(NOW)
    plots = [series.plot(1, start + n * series.interval) for n in range(40)]
    assert all(one.closes == two.opened + series.interval for one, two in itertools.pairwise(plots))
    assert len({plot.slug for plot in plots}) == 40
    assert {plot.asks[0].winner for plot in plots} == {0, 1}
    for plot in plots:
        assert plot.native
        assert plot.asks[0].path[0] == 0.5
        assert plot.asks[0].outcomes == ("Up", "Down")
        assert abs(plot.asks[0].path[-1] - (plot.asks[0].winner == 0)) < 0.9


# ---- beliefs -----------------------------------------------------------------------------------


def walk(path: list[float], seed: int = 1) -> Belief:
    at = np.arange(len(path), dtype=np.int64) * HOUR
    ask = Ask("q", "?", "q", np.array(path), 0)
    plot = Plot("q", "?", "q", "tech", GroupKind.INDEPENDENT, (ask,), at, DAY, DAY, opened=NOW)
    return Belief(plot, ask, seed)


def test_a_belief_is_its_rows_at_their_moments_and_moves_in_between() -> None:
    belief = walk([0.4, 0.5, 0.45, 0.6])
    for row, chance in enumerate((0.4, 0.5, 0.45, 0.6)):
        assert belief.at(NOW + row * HOUR) == pytest.approx(chance)
    between = [belief.at(NOW + n * MINUTE) for n in range(60)]
    assert len(set(between)) > 30
    assert min(between) > 0.2
    assert max(between) < 0.8
    assert belief.at(NOW - DAY) == pytest.approx(0.4)
    assert belief.at(NOW + 9 * DAY) == pytest.approx(0.6)
    assert belief.row(NOW + HOUR + MINUTE) == pytest.approx(0.5)


def test_a_belief_is_the_same_however_it_is_asked() -> None:
    one, two = walk([0.4, 0.5, 0.45, 0.6]), walk([0.4, 0.5, 0.45, 0.6])
    moments = [NOW + n * 7 * MINUTE for n in range(25)]
    assert [one.at(m) for m in moments] == [two.at(m) for m in reversed(moments)][::-1]


def test_nobody_can_foretell_the_next_row_from_the_way_towards_it() -> None:
    """Over a random walk the first half of an hour says nothing of what its second half brings."""
    rng = np.random.default_rng(5)
    odds = np.cumsum(rng.normal(0.0, 0.1, 3_000))
    odds -= np.linspace(0.0, odds[-1], len(odds))
    belief = walk((1.0 / (1.0 + np.exp(-odds))).tolist())
    chances = [
        [belief.at(NOW + row * HOUR + part * HOUR // 2) for part in range(3)]
        for row in range(2_990)
    ]
    logits = np.log(np.array(chances) / (1.0 - np.array(chances)))
    first, second = logits[:, 1] - logits[:, 0], logits[:, 2] - logits[:, 1]
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.06
    assert first.std() == pytest.approx(second.std(), rel=0.1)


# ---- times and terms ---------------------------------------------------------------------------


def test_synthetic_events_are_spread_over_the_present() -> None:
    plots = [made(3, n) for n in range(40)]
    placed, disputed, undisputed = timetable.spread(plots, NOW, 4, 3)
    ends = np.array([plot.closes for plot in placed])
    assert 0.15 < np.mean(ends < NOW) < 0.35
    assert np.any((ends > NOW) & (ends < NOW + 12 * HOUR))
    assert np.all((ends - np.array([p.life for p in placed])) == [p.opened for p in placed])
    assert {disputed, undisputed} < {plot.key for plot in placed}
    assert disputed != undisputed
    assert all(plot.closes % (15 * MINUTE) == 0 for plot in placed)


def test_days_in_texts_move_with_the_event() -> None:
    plot = next(
        p for p in (made(3, n) for n in range(40)) if day_of(p.closes) in p.asks[0].question
    )
    moved = plot.moved(NOW)
    assert day_of(NOW + plot.life) in moved.asks[0].question
    assert day_of(plot.closes) not in moved.asks[0].question


def test_terms_follow_the_category() -> None:
    terms = {}
    for number in range(80):
        plot = made(5, number)
        terms.setdefault(plot.category, []).append((plot, terms_of(plot, plot.asks[0], 5)))
    assert {t.fees.rate for _, t in terms["crypto"]} == {70_000}
    assert {t.fees.rebate_rate for _, t in terms["sports"]} == {150_000}
    assert all(t.seconds_delay == 3 and t.clear_book_on_start for _, t in terms["sports"])
    assert {t.fees.kind for _, t in terms["politics"]} == {"politics_fees"}
    everything = [t for rows in terms.values() for _, t in rows]
    assert {t.tick for t in everything} == {10, 100}
    assert {bool(t.rewards.daily) for t in everything} == {True, False}
    updown = SERIES[0].plot(5, NOW)
    assert terms_of(updown, updown.asks[0], 5).taker_delay_ms == 150
