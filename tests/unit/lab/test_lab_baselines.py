"""What somebody without the strategy would have had."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lab_records import bare_record, sample_record

from polyframe.lab.baselines import DRAWS, baselines_of, bets_of, coins, corrected
from polyframe.lab.columns import Columns
from polyframe.lab.record import RunRecord
from polyframe.lab.scores import judged_of, scores_of


@pytest.fixture(scope="module")
def record() -> RunRecord:
    return sample_record()


def table(record: RunRecord) -> dict:
    columns = Columns(record)
    return {row.name: row for row in baselines_of(columns, judged_of(columns), 1.0)}


def test_all_four_stand_beside_the_run(record) -> None:
    rows = table(record)
    assert list(rows) == [
        "this run", "do nothing", "follow the mid", "longshot-corrected mid",
        "random sides, same turnover",
    ]  # fmt: skip
    scores = scores_of(Columns(record), 0)
    assert rows["this run"].brier == pytest.approx(scores.brier_forecast)
    assert rows["follow the mid"].brier == pytest.approx(scores.brier_market)
    assert rows["follow the mid"].log_score == pytest.approx(scores.log_market)
    assert rows["do nothing"].pnl == rows["follow the mid"].pnl == 0.0


def test_what_cannot_be_computed_says_why(record) -> None:
    rows = table(bare_record())
    assert rows["longshot-corrected mid"].pnl is None
    assert "no purchase with a known mid" in rows["longshot-corrected mid"].note
    assert rows["random sides, same turnover"].note == "nothing was bought"
    unresolved = table(replace(record, resolutions={}))
    assert "no mid of a resolved market" in unresolved["longshot-corrected mid"].note
    assert "no purchase of a resolved market" in unresolved["random sides, same turnover"].note


@given(st.floats(0.01, 0.99))
def test_the_correction_pushes_away_from_one_half_and_treats_both_sides_alike(p) -> None:
    for category in ("politics", "Politics", "sports", "anything"):
        c = corrected(p, category)
        assert (c - 0.5) * (p - 0.5) >= 0
        assert abs(c - 0.5) >= abs(p - 0.5) - 1e-12
        assert corrected(1 - p, category) == pytest.approx(1 - c)
    assert abs(corrected(p, "politics") - 0.5) >= abs(corrected(p, "x") - 0.5)


def test_random_sides_have_the_mean_that_coins_have() -> None:
    rng = np.random.default_rng(1)
    own, other = rng.normal(0, 10, 203), rng.normal(-1, 10, 203)
    drawn = coins(own, other, seed=2)
    assert len(drawn) == DRAWS >= 5_000
    spread = np.sqrt((((own - other) / 2) ** 2).sum())
    assert drawn.mean() == pytest.approx((own.sum() + other.sum()) / 2, abs=5 * spread / 70)
    assert drawn.std() == pytest.approx(spread, rel=0.05)


def test_each_bet_stakes_the_same_on_either_side(record) -> None:
    rows, left = bets_of(Columns(record))
    assert left == 0
    assert len(rows.stake) > 50
    assert np.all(rows.stake > 0)
    # At most the stake is lost; one of the two sides loses unless both were paid half.
    assert np.all(np.minimum(rows.own, rows.other) >= -rows.stake - 1e-9)
    assert np.all((rows.own < 0) | (rows.other < 0))


def test_chance_is_beside_the_runs_own_sides(record) -> None:
    row = table(record)["random sides, same turnover"]
    assert row.low < row.pnl < row.high
    assert row.own_pnl == pytest.approx(bets_of(Columns(record))[0].own.sum())
    assert 0.0 <= row.beaten <= 1.0
