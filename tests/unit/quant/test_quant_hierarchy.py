"""Calibration by category and horizon."""

from __future__ import annotations

import numpy as np
import pytest

from polyframe.domain.units import DAY, HOUR
from polyframe.errors import DataError
from polyframe.quant.calibration import GROUP_ROWS, platt_by_group, platt_fit
from polyframe.quant.hierarchy import horizon_name, platt_hierarchy

TRUE = {("macro", "day"): 1.4, ("macro", "month"): 0.4, ("sport", "day"): 0.9}


def rows(n: int = 600, seed: int = 3):
    """Forecasts whose log-odds have to be multiplied by another number in each cell."""
    rng = np.random.default_rng(seed)
    p, y, category, horizon = [], [], [], []
    for (name, left), slope in TRUE.items():
        said = rng.uniform(0.05, 0.95, n)
        true = 1 / (1 + np.exp(-slope * np.log(said / (1 - said))))
        p += said.tolist()
        y += (rng.random(n) < true).astype(float).tolist()
        category += [name] * n
        horizon += [left] * n
    return np.array(p), np.array(y), category, horizon


@pytest.mark.parametrize(
    ("left", "name"),
    [
        (-HOUR, "day"), (DAY, "day"), (DAY + 1, "week"), (7 * DAY, "week"), (8 * DAY, "month"),
        (30 * DAY, "month"), (31 * DAY, "longer"),
    ],
)  # fmt: skip
def test_horizons_are_told_by_the_time_that_is_left(left, name) -> None:
    assert horizon_name(left) == name


def test_each_cell_finds_its_own_slope_and_the_levels_lie_between() -> None:
    found = platt_hierarchy(*rows())
    for cell, slope in TRUE.items():
        assert found.line(*cell).slope == pytest.approx(slope, abs=0.25)
    macro = found.line("macro").slope
    assert found.line("macro", "month").slope < macro < found.line("macro", "day").slope
    assert found.line("macro", "longer") == found.line("macro")
    assert found.line("weather", "day") == found.pooled


def test_a_cell_with_too_few_rows_keeps_its_categorys_line_and_that_the_pooled_one() -> None:
    p, y, category, horizon = rows()
    horizon[: GROUP_ROWS - 1] = ["week"] * (GROUP_ROWS - 1)
    category[-(GROUP_ROWS - 1) :] = ["rare"] * (GROUP_ROWS - 1)
    horizon[-(GROUP_ROWS - 1) :] = ["month"] * (GROUP_ROWS - 1)
    found = platt_hierarchy(p, y, category, horizon)
    assert found.line("macro", "week") == found.categories["macro"]
    assert found.line("rare", "month") == found.pooled
    horizon[GROUP_ROWS - 1] = "week"
    assert platt_hierarchy(p, y, category, horizon).line("macro", "week").rows == GROUP_ROWS


def test_a_cell_of_a_category_too_small_for_a_line_is_shrunk_to_the_pooled_one() -> None:
    p, y, category, horizon = rows()
    tight = platt_hierarchy(p, y, category, horizon, group_penalty=1e9)
    assert tight.line("macro", "day").slope == pytest.approx(tight.pooled.slope, abs=1e-4)


def test_without_horizons_it_is_the_fit_by_category() -> None:
    p, y, category, _ = rows()
    found = platt_hierarchy(p, y, category, [""] * p.size)
    plain = platt_by_group(p, y, category)
    assert not found.cells
    assert (found.pooled, found.categories) == (plain.pooled, plain.groups)
    assert found.pooled == platt_fit(p, y)


def test_rows_of_one_event_count_once_in_a_cell() -> None:
    p, y, category, horizon = rows(n=59)
    halves = np.full(p.size, 0.5)
    assert not platt_hierarchy(p, y, category, horizon, weights=halves).cells


def test_columns_are_applied_by_their_cells() -> None:
    found = platt_hierarchy(*rows())
    got = found.apply([0.8, 0.8], ["macro", "sport"], ["month", "day"])
    assert got[0] == pytest.approx(found.line("macro", "month").apply([0.8])[0])
    assert got[1] == pytest.approx(found.line("sport", "day").apply([0.8])[0])
    with pytest.raises(DataError, match="1 categories and 2 horizons for 2"):
        found.apply([0.8, 0.8], ["macro"], ["month", "day"])


def test_columns_of_other_lengths_and_one_class_are_refused() -> None:
    with pytest.raises(DataError, match="1 horizons for 2"):
        platt_hierarchy([0.3, 0.4], [0, 1], ["a", "b"], ["day"])
    with pytest.raises(DataError, match="all 2 outcomes are 1"):
        platt_hierarchy([0.3, 0.4], [1, 1], ["a", "b"], ["day", "day"])
