"""How forecasts are judged: one vote an event, the verdict with its interval, bad rows by name."""

from __future__ import annotations

import json
import math
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyframe.errors import DataError, UserError
from polyframe.lab.evaluation import LEAST_EVENTS, evaluate
from polyframe.lab.scored_rows import Scored, read_rows, where_of
from polyframe.quant.significance import wilson_interval


def rows(n: int = 400, *, skill: float = 0.0, seed: int = 0, copies: int = 1, price: bool = True):
    """A market that knows something, and forecasts that know ``skill`` more or less than it."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(0, 1.5, n)
    y = (rng.random(n) < 1 / (1 + np.exp(-truth))).astype(float)
    market = 1 / (1 + np.exp(-(truth + rng.normal(0, 0.8, n))))
    noise = rng.normal(0, 0.8 * math.sqrt(max(0.0, 1 - skill)), n)
    p = 1 / (1 + np.exp(-(truth + noise)))
    event = np.array([f"e{i:04d}" for i in range(n)])
    return Scored(
        name="test",
        p=np.repeat(p, copies),
        y=np.repeat(y, copies),
        market=np.repeat(market, copies) if price else None,
        event=np.repeat(event, copies),
        category=np.repeat(np.where(np.arange(n) < 5, "small", "large"), copies),
        order=np.arange(n * copies),
        read=n * copies,
        columns={},
    )


@pytest.mark.parametrize(("skill", "code"), [(1.0, "better"), (-6.0, "worse")])
def test_a_difference_that_is_there_is_found(skill, code):
    found = evaluate(rows(1_500, skill=skill))
    assert found.verdict.code == code
    assert found.verdict.against == "market"
    assert found.verdict.text.startswith(f"{code.capitalize()} than the market: Brier gain")


def test_a_difference_that_is_not_there_is_seldom_found():
    codes = [evaluate(rows(200, seed=seed)).verdict.code for seed in range(20)]
    assert codes.count("not distinguishable") >= 17


def test_without_a_market_the_base_rate_is_the_measure():
    found = evaluate(rows(skill=1.0, price=False))
    assert found.verdict.against == "base rate"
    assert found.beyond_market is None
    assert [r.name for r in found.references] == ["one half", "these, corrected", "base rate"]


def test_the_scores_are_what_they_are_by_hand():
    scored = Scored("hand", np.array([0.8, 0.6, 0.3]), np.array([1.0, 1.0, 0.0]), None,
                    np.array(["a", "a", "b"]), None, np.arange(3), 3, {})  # fmt: skip
    found = evaluate(scored)
    assert found.brier.mean == pytest.approx(((0.04 + 0.16) / 2 + 0.09) / 2)
    log = ((-math.log(0.8) - math.log(0.6)) / 2 - math.log(0.7)) / 2
    assert found.log_score.mean == pytest.approx(log)
    assert (found.rows, found.events, found.base_rate) == (3, 2, 0.5)
    half, base = found.references
    assert half.brier == 0.25
    assert base.brier == 0.25


def test_who_only_knows_the_base_rate_is_not_better_than_it():
    for chance, outcomes in ((0.5, [0.0, 1.0] * 50), (0.3, ([1.0] * 3 + [0.0] * 7) * 10)):
        n = len(outcomes)
        scored = Scored("flat", np.full(n, chance), np.array(outcomes), None,
                        np.arange(n).astype(str), None, np.arange(n), n, {})  # fmt: skip
        assert evaluate(scored).verdict.code == "not distinguishable"


def flat(found) -> dict[str, float]:
    """Every number of an evaluation by its path, but for those that count rows."""
    numbers: dict[str, float] = {}

    def walk(name: str, value: object) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                walk(f"{name}.{key}", inner)
        elif isinstance(value, list):
            for i, inner in enumerate(value):
                walk(f"{name}.{i}", inner)
        elif isinstance(value, int | float) and not name.endswith((".rows", ".read")):
            numbers[name] = value

    walk("", json.loads(msgspec.json.encode(found)))
    return numbers


def test_repeated_rounds_are_one_observation():
    once, often = evaluate(rows(120)), evaluate(rows(120, copies=7))
    assert often.events == once.events == 120
    assert often.rows == 840
    near = flat(often), flat(once)
    assert near[0].keys() == near[1].keys()
    for name, value in near[0].items():
        assert value == pytest.approx(near[1][name], abs=1e-9), name
    assert any("one vote an event" in note for note in often.notes)


def test_overconfidence_shows_in_the_line_and_the_curve():
    rng = np.random.default_rng(5)
    p = rng.uniform(0.02, 0.98, 3_000)
    true = 1 / (1 + np.exp(-0.4 * np.log(p / (1 - p))))
    y = (rng.random(3_000) < true).astype(float)
    scored = Scored("sure", p, y, None, np.arange(3_000).astype(str), None, np.arange(3_000),
                    3_000, {})  # fmt: skip
    found = evaluate(scored).calibration
    assert found.slope == pytest.approx(0.4, abs=4 * found.slope_error)
    assert found.error > found.noise_high
    ends = found.curve[0], found.curve[-1]
    assert ends[0].said < ends[0].happened.low
    assert ends[1].said > ends[1].happened.high


def test_the_market_itself_knows_nothing_beyond_the_market():
    scored = rows()
    same = Scored(**{**{f: getattr(scored, f) for f in scored.__dataclass_fields__},
                     "p": scored.market})  # fmt: skip
    found = evaluate(same)
    assert found.beyond_market.slope is None
    assert found.beyond_market.e_value == 1.0
    assert math.isinf(found.beyond_market.needed_brier)
    assert found.verdict.code == "not distinguishable"


def test_the_e_value_bets_in_the_order_of_time_one_row_an_event():
    scored = Scored("time", np.array([0.9, 0.6, 0.4]), np.array([1.0, 1.0, 0.0]),
                    np.array([0.5, 0.5, 0.5]), np.array(["a", "a", "b"]), None,
                    np.array([2, 0, 1]), 3, {})  # fmt: skip
    # The later round (0.9) does not bet.
    assert evaluate(scored).beyond_market.e_value == pytest.approx((0.6 / 0.5) * (0.6 / 0.5))


def test_small_categories_get_no_interval():
    found = {c.name: c for c in evaluate(rows()).categories}
    assert found["small"].events < LEAST_EVENTS
    assert found["small"].gain is None
    assert found["large"].gain.low is not None


def test_one_class_and_one_event_say_nothing():
    scored = rows(50)
    fields = {f: getattr(scored, f) for f in scored.__dataclass_fields__}
    with pytest.raises(DataError, match="all 50 outcomes are 1"):
        evaluate(Scored(**{**fields, "y": np.ones(50)}))
    with pytest.raises(DataError, match="belong to one event"):
        evaluate(Scored(**{**fields, "event": np.full(50, "same")}))


@given(st.floats(0.0, 1.0), st.integers(1, 10_000))
def test_the_interval_of_a_frequency_holds_it_and_stays_a_probability(rate, n):
    found = wilson_interval(rate, n)
    assert 0.0 <= found.low <= rate + 1e-12
    assert rate - 1e-12 <= found.high <= 1.0
    # Its ends are where the score test is just not rejected.
    for end in (found.low, found.high):
        if 1e-9 < end < 1.0 - 1e-9:
            assert abs(rate - end) / math.sqrt(end * (1 - end) / n) == pytest.approx(1.959964, 1e-4)


# ---- reading -----------------------------------------------------------------------------------

GOOD = {"p": [0.2, 0.7, 0.9], "y": [0, 1, 1], "event": ["a", "b", "c"]}


def file(tmp_path: Path, name: str = "rows.parquet", **columns) -> Path:
    frame = pd.DataFrame({**GOOD, **columns})
    path = tmp_path / name
    if path.suffix == ".csv":
        frame.to_csv(path, index=False)
    else:
        frame.to_parquet(path)
    return path


@pytest.mark.parametrize("name", ["rows.csv", "rows.parquet"])
@pytest.mark.parametrize(
    "said", [[0, 1, 1], [0.0, 1.0, 1.0], ["no", "yes", "Yes"], [False, True, True]]
)
def test_outcomes_in_many_spellings(tmp_path, name, said):
    found = read_rows(file(tmp_path, name, y=said))
    assert found.y.tolist() == [0.0, 1.0, 1.0]
    assert found.p.tolist() == [0.2, 0.7, 0.9]
    assert found.left_out == {}


@pytest.mark.parametrize(
    ("p", "message", "hint"),
    [
        ([0.2, 1.0, 0.9], "1 rows with p of 0 or 1, e.g. 1 in row 2", "--clamp"),
        ([0.0, 1.0, 0.9], "2 rows with p of 0 or 1, e.g. 0 in row 1", "--clamp"),
        ([0.2, math.nan, 0.9], "1 rows with missing p, e.g. nan in row 2", "--skip-bad"),
        ([20.0, 70.0, 90.0], "3 rows with p outside 0 to 1, e.g. 20 in row 1", "percent"),
        ([0.2, -3.0, 0.9], "1 rows with p outside 0 to 1, e.g. -3 in row 2", "--skip-bad"),
        (["0.2", "often", "0.9"], "1 rows with unreadable p", "--skip-bad"),
        ([0.2, math.inf, 0.9], "1 rows with unreadable p", "--skip-bad"),
    ],
)
def test_rows_that_cannot_be_scored_are_refused_by_name(tmp_path, p, message, hint):
    path = file(tmp_path, p=p)
    with pytest.raises(DataError) as caught:
        read_rows(path)
    assert message in caught.value.message
    assert hint in caught.value.hint
    if "3 rows" not in message:
        kept = read_rows(path, skip_bad=True)
        assert len(kept.p) + sum(kept.left_out.values()) == 3


def test_certainty_is_scored_once_it_is_clamped(tmp_path):
    found = read_rows(file(tmp_path, p=[0.0, 1.0, 0.5]), clamp=0.01)
    assert found.p.tolist() == [0.01, 0.99, 0.5]
    assert "2 values of p clamped to 0.01" in found.notes


def test_a_bad_market_price_is_named_as_such(tmp_path):
    path = file(tmp_path, market=[0.3, 0.0, 0.9])
    with pytest.raises(DataError, match=r"1 rows with market of 0 or 1, e\.g\. 0 in row 2"):
        read_rows(path)
    assert read_rows(path, clamp=0.001).market.tolist() == [0.3, 0.001, 0.9]


def test_rows_without_an_outcome_are_left_out_and_counted(tmp_path):
    found = read_rows(file(tmp_path, p=[0.2, math.nan, 0.9], y=[0, math.nan, 1]))
    assert len(found.p) == 2
    assert sum(found.left_out.values()) == 1
    with pytest.raises(DataError, match="none of 3 rows can be scored"):
        read_rows(file(tmp_path, y=[0.5, 0.5, 0.5]))


def test_missing_columns_are_named_with_the_next_step(tmp_path):
    path = tmp_path / "odd.csv"
    pd.DataFrame({"chance": [0.1], "won": [1]}).to_csv(path, index=False)
    with pytest.raises(DataError, match="no column says what p and y are") as caught:
        read_rows(path)
    assert "chance, won" in caught.value.expected
    assert caught.value.hint.endswith("--p COLUMN")
    with pytest.raises(DataError, match="has no column wom; did you mean 'won'"):
        read_rows(path, names={"p": "chance", "y": "wom"})
    assert read_rows(path, names={"p": "chance", "y": "won"}).y.tolist() == [1.0]


def test_without_an_event_every_row_counts_and_repeats_are_told(tmp_path):
    path = tmp_path / "plain.csv"
    pd.DataFrame({"p": [0.2, 0.2, 0.7], "y": [0, 0, 1]}).to_csv(path, index=False)
    found = read_rows(path)
    assert len(set(found.event)) == 3
    assert any("--event" in note for note in found.notes)
    assert any(note.startswith("1 rows repeat another one") for note in found.notes)


def test_time_orders_rows_whatever_its_form(tmp_path):
    for time in ([30, 10, 20], ["2026-03-01", "2026-01-01", "2026-02-01"]):
        found = read_rows(file(tmp_path, time=time))
        assert found.order.tolist() == [2, 0, 1]


def test_filters_mappings_and_their_mistakes(tmp_path):
    path = file(tmp_path, p=[20, 70, 90], model=["x", "y", "y"])
    mapping = tmp_path / "map.json"
    columns = {"p": {"from": "p", "unit": "percent"}, "y": "y", "event": "event"}
    text = {"version": 1, "kind": "scores", "source": "panel", "columns": columns}
    mapping.write_text(json.dumps(text))
    found = read_rows(path, mapping=mapping, where=where_of(["model=y"]))
    assert found.p.tolist() == [0.7, 0.9]
    assert found.name == "panel (rows.parquet)"
    with pytest.raises(DataError, match="none of 3 rows passes the filters"):
        read_rows(path, mapping=mapping, where=where_of(["model=z"]))
    with pytest.raises(UserError, match="--where 'model'"):
        where_of(["model"])
    mapping.write_text(json.dumps({**text, "kind": "forecasts"}))
    with pytest.raises(UserError, match="kind"):
        read_rows(path, mapping=mapping)
    mapping.write_text(json.dumps({**text, "columns": {**columns, "q": "p"}}))
    with pytest.raises(UserError, match=r"columns\.q is no column of scores"):
        read_rows(path, mapping=mapping)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.floats(0.01, 0.99), st.booleans()), min_size=2, max_size=40))
def test_any_rows_get_figures_that_hold_together(said):
    p, y = np.array([a for a, _ in said]), np.array([float(b) for _, b in said])
    scored = Scored("any", p, y, None, np.arange(p.size).astype(str), None, np.arange(p.size),
                    p.size, {})  # fmt: skip
    if y.min() == y.max():
        with pytest.raises(DataError):
            evaluate(scored)
        return
    found = evaluate(scored)
    assert 0.0 <= found.brier.mean <= 1.0
    assert found.brier.low <= found.brier.mean <= found.brier.high
    assert sum(point.rows for point in found.calibration.curve) == p.size
