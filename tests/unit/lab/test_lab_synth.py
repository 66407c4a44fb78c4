"""The synthetic tables: what they promise about prices, ends, flags and forecasts."""

from dataclasses import replace
from functools import cache, lru_cache

import numpy as np
import pandas as pd
import pytest

from polyframe.domain.quality import UNQUOTED, Flag
from polyframe.domain.units import HOUR
from polyframe.errors import UserError
from polyframe.lab import synth
from polyframe.lab.synth import SynthConfig, generate, sample_dir
from polyframe.store.catalogue import Catalogue
from polyframe.store.flagging import flag_frame

LARGE = SynthConfig(seed=11, lone=300, exclusive=60, ladders=60, splits=6, voids=4, leading=20)


drawn = lru_cache(maxsize=2)(generate)
"""Tables of a configuration, kept for the next who asks for the same."""


@pytest.fixture(scope="module")
def made():
    return drawn(LARGE)


@pytest.fixture(scope="module")
def markets(made) -> pd.DataFrame:
    return pd.DataFrame(made.markets).set_index("market_id")


@pytest.fixture(scope="module")
def prices(made) -> pd.DataFrame:
    return pd.DataFrame(made.prices).assign(exact=made.posterior)


@pytest.fixture(scope="module")
def payouts(markets) -> pd.Series:
    return pd.Series(
        np.where(markets.resolution == "winner", 1.0 - markets.winner.fillna(0.5), 0.5),
        index=markets.index,
    )


def event_of(markets: pd.DataFrame) -> pd.Series:
    return markets["group"].where(markets["group"] != "", markets.index.to_series())


def test_the_same_seed_gives_the_same_tables_and_another_one_others() -> None:
    config = SynthConfig(seed=5, lone=8, exclusive=2, ladders=2, leading=2)
    one, two = generate(config), generate(config)
    assert (one.markets, one.prices, one.forecasts) == (two.markets, two.prices, two.forecasts)
    assert generate(replace(config, seed=6)).prices != one.prices


def test_an_event_does_not_depend_on_how_many_others_there_are() -> None:
    config = SynthConfig(seed=5, lone=8, exclusive=2, ladders=2, leading=0, splits=0, voids=0)
    few, many = generate(config), generate(replace(config, ladders=4))
    named = {row["market_id"]: row for row in many.markets}
    assert all(named[row["market_id"]] == row for row in few.markets)


def test_prices_stand_within_the_life_of_their_market(prices, markets) -> None:
    life = prices.groupby("market_id")["ts"].agg(["min", "max"]).join(markets)
    assert (life["min"] == life["opened"]).all()
    assert (life["max"] < life["closes"]).all()
    assert (life["resolved_at"] > life["max"]).all()
    winners = life[life["resolution"] == "winner"]
    assert (winners["max"] == winners["closes"] - HOUR).all()
    assert (winners["resolved_at"] > winners["closes"]).all()


def test_prices_are_ticks_between_nothing_and_one(prices) -> None:
    assert prices["price"].between(10, 9_990).all()
    assert (prices["price"] % 10 == 0).all()
    plain = prices[prices["flag"] != int(Flag.LEADING)]
    inner = plain[plain["exact"].between(0.001, 0.999)]
    assert (inner["price"] / 10_000 - inner["exact"]).abs().max() <= 0.0005 + 1e-12


@pytest.mark.parametrize("fraction", [0.2, 0.5, 0.8])
def test_recorded_prices_are_calibrated(prices, markets, payouts, fraction) -> None:
    ordered = prices.groupby("market_id")
    picked = prices[
        ordered.cumcount() == (prices["market_id"].map(ordered.size()) * fraction).astype(int)
    ].set_index("market_id")
    assert len(picked) == len(markets)
    gap = (payouts - picked["exact"]).groupby(event_of(markets)).sum()
    assert abs(gap.mean()) < 4 * gap.std() / np.sqrt(len(gap))
    for low in (0.0, 0.25, 0.5, 0.75):
        inside = picked.index[picked["exact"].between(low, low + 0.25)]
        miss = (payouts - picked["exact"])[inside].groupby(event_of(markets)[inside]).mean()
        assert len(miss) > 20
        assert abs(miss.mean()) < 4.5 * miss.std() / np.sqrt(len(miss))


def test_the_detector_finds_what_was_planted_and_leaves_most_fair_prices_alone(
    made, prices
) -> None:
    dead = (flag_frame(prices, pd.DataFrame(made.markets)) & int(UNQUOTED)) != 0
    planted = (prices["flag"] == int(Flag.LEADING)).to_numpy()
    assert planted.sum() > 400
    assert dead[planted].all()
    fair = ~planted
    assert 0 < dead[fair].mean() < 0.03
    close = fair & ((prices["price"] - 5_000).abs() <= 1_000).to_numpy()
    assert dead[close].mean() < 0.20


def test_the_last_price_leans_to_what_happened(prices, payouts, markets) -> None:
    last = prices.groupby("market_id")["exact"].last().reindex(payouts.index)
    winners = markets.index[markets["resolution"] == "winner"]
    assert ((last - payouts)[winners] ** 2).mean() < 0.03
    assert (((last > 0.5) == (payouts > 0.5))[winners]).mean() > 0.95


def test_one_market_of_an_exclusive_event_wins_or_none_when_the_field_is_open(
    prices, markets
) -> None:
    exclusive = markets[markets["group_kind"] == "exclusive"]
    won = exclusive["winner"].eq(0).groupby(exclusive["group"]).sum()
    assert won.isin([0, 1]).all()
    totals = (
        prices[prices["market_id"].isin(exclusive.index)]
        .assign(group=lambda f: f["market_id"].map(exclusive["group"]))
        .groupby(["group", "ts"])["exact"]
        .sum()
    )
    by_group = totals.groupby("group").agg(["min", "max"])
    closed = by_group.index.str[-2:].astype(int) % 2 == 0
    assert by_group[closed].to_numpy() == pytest.approx(1.0, abs=1e-9)
    assert (by_group[~closed]["min"] < 0.99).all()
    assert (by_group["max"] <= 1.0 + 1e-9).all()
    assert (won[by_group.index[closed]] == 1).all()


def test_ladders_fall_with_the_strike_and_end_so(prices, markets) -> None:
    ladder = markets[markets["group_kind"] == "ladder"].sort_values(["group", "strike"])
    for _, rungs in ladder.groupby("group"):
        assert rungs["winner"].is_monotonic_increasing  # 0 is YES: low strikes win first
        table = prices[prices["market_id"].isin(rungs.index)].pivot_table(
            index="ts", columns="market_id", values="price"
        )[list(rungs.index)]
        assert (np.diff(table.to_numpy(), axis=1) <= 0).all()


def test_a_few_markets_end_without_a_winner(markets) -> None:
    assert markets["resolution"].value_counts().to_dict() == {
        "winner": len(markets) - 10,
        "split": 6,
        "void": 4,
    }
    assert markets.loc[markets["resolution"] != "winner", "winner"].isna().all()


def test_leading_stretches_are_flagged_and_nothing_else_is(prices) -> None:
    leading = prices[prices["flag"] == int(Flag.LEADING)]
    assert leading["market_id"].nunique() == LARGE.leading
    assert (leading["price"] == 5_000).all()
    first = prices.groupby("market_id").cumcount()
    assert (first[leading.index] < 60).all()
    near = prices[prices["flag"] == int(Flag.NEAR)]
    assert near["market_id"].value_counts().eq(synth.NEAR_ROWS).all()
    assert prices["flag"].isin([Flag.NONE, Flag.LEADING, Flag.NEAR]).all()


@cache
def advantage(config: SynthConfig) -> tuple[float, float]:
    """Brier of the market minus Brier of the forecasts, mean over events and its error."""
    made = drawn(config)
    markets = pd.DataFrame(made.markets).set_index("market_id")
    prices = pd.DataFrame(made.prices).assign(exact=made.posterior)
    rows = pd.DataFrame(made.forecasts).merge(
        prices[["market_id", "ts", "exact"]],
        left_on=["market_id", "as_of"],
        right_on=["market_id", "ts"],
    )
    assert len(rows) == len(made.forecasts["as_of"])
    rows = rows[rows["market_id"].map(markets["resolution"]).eq("winner")]
    happened = 1.0 - rows["market_id"].map(markets["winner"]).astype(float)
    gain = (rows["exact"] - happened) ** 2 - (rows["probability"] - happened) ** 2
    by_event = gain.groupby(rows["market_id"].map(event_of(markets))).mean()
    return float(by_event.mean()), float(by_event.std() / np.sqrt(len(by_event)))


@pytest.mark.parametrize("skill", [0.15, 0.4])
def test_skilled_forecasts_score_better_than_the_market(skill) -> None:
    gain, error = advantage(replace(LARGE, skill=skill))
    assert gain > 3 * error


def test_more_skill_scores_better() -> None:
    gains = [advantage(replace(LARGE, skill=s))[0] for s in (0.0, 0.15, 0.4, 0.7)]
    assert gains == sorted(gains)


def test_forecasts_without_skill_do_not_beat_the_market() -> None:
    gain, error = advantage(replace(LARGE, skill=0.0, noise=1.0))
    assert gain < -2 * error
    gain, error = advantage(replace(LARGE, skill=0.0, noise=0.0))
    assert abs(gain) < 1e-4


def test_forecasts_are_labelled_and_known_before_the_end(made, markets) -> None:
    rows = pd.DataFrame(made.forecasts)
    assert set(rows["source"]) == {"synthetic"}
    assert rows["probability"].between(0.001, 0.999).all()
    assert (rows["latency"] > 0).all()
    assert (rows["known_at"] == rows["as_of"] + rows["latency"]).all()
    assert (rows["as_of"] < rows["market_id"].map(markets["closes"])).all()
    assert (rows["as_of"] < rows["market_id"].map(markets["resolved_at"])).all()
    assert not rows["blind"].any()  # they know the market's price


@pytest.mark.parametrize(
    "wrong",
    [{"skill": 1.0}, {"skill": -0.1}, {"noise": -1.0}, {"days": 3}, {"tick": 7}, {"lone": 2}],
)
def test_impossible_settings_are_refused_by_name(wrong) -> None:
    name = next(iter(wrong))
    with pytest.raises(UserError, match=name):
        SynthConfig(**wrong)


def test_the_shipped_sample_is_what_the_default_seed_writes(tmp_path) -> None:
    assert synth.main(["--write", str(tmp_path / "again")]) == 0
    again, shipped = Catalogue.open(tmp_path / "again"), Catalogue.open(sample_dir())
    for kind in ("markets", "prices", "forecasts"):
        pd.testing.assert_frame_equal(again.frame(kind), shipped.frame(kind), check_exact=True)
    assert again.digest() == shipped.digest()


def test_the_shipped_sample_is_small_and_says_that_it_is_synthetic() -> None:
    shipped = Catalogue.open(sample_dir())
    size = sum(path.stat().st_size for path in sample_dir().rglob("*") if path.is_file())
    assert size < 400_000
    assert len(shipped.markets()) == 120
    assert synth.is_synthetic(shipped)
    assert shipped.manifest["synthetic"] is True
    assert not synth.is_synthetic(Catalogue.create(sample_dir() / "absent"))
    for entry in shipped.manifest["files"].values():
        assert entry["sources"] == ["synthetic"]
        assert entry["imports"][0]["generator"] == "polyframe.lab.synth"
    assert all("[synthetic]" in market.question for market in shipped.markets())
    assert (shipped.frame("prices")["flag"] & int(Flag.LEADING)).astype(bool).sum() > 100


def test_a_catalogue_is_never_mixed_with_synthetic_data(tmp_path, capsys) -> None:
    arguments = ["--write", str(tmp_path), "--days", "14"]
    assert synth.main(arguments) == 0
    before = Catalogue.open(tmp_path).digest()
    assert synth.main([*arguments, "--seed", "3"]) == 2
    assert "already" in capsys.readouterr().err
    assert Catalogue.open(tmp_path).digest() == before
