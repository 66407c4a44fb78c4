"""What a catalogue hands out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from catalogue_cases import START, forecast, market, price, write_rows
from hypothesis import given
from hypothesis import strategies as st

from polyframe.domain.forecast import Forecast
from polyframe.domain.market import FeeSchedule, GroupKind, ResolutionKind
from polyframe.domain.units import DAY, HOUR
from polyframe.errors import DataError, LookaheadError, UserError
from polyframe.store.catalogue import Catalogue, file_name
from polyframe.store.forecasts import ForecastTable
from polyframe.store.importing import import_files


def catalogue_of(tmp_path: Path, **kinds: list[dict[str, object]]) -> Catalogue:
    for kind, rows in kinds.items():
        import_files(kind, [write_rows(tmp_path / f"{kind}.parquet", rows)], tmp_path / "cat")
    return Catalogue.open(tmp_path / "cat")


def test_a_market_gets_the_venues_defaults_and_no_invented_fee(tmp_path: Path) -> None:
    rows = [
        market(1),
        market(
            2, tick="0.01", min_size="1", lot="0.5", fee_rate=40_000, fee_exponent=2, tags="a|b"
        ),
    ]
    plain, stated = catalogue_of(tmp_path, markets=rows).markets()
    assert (plain.tick, plain.min_size, plain.lot, plain.fee) == (10, 5_000_000, 10_000, None)
    assert (stated.tick, stated.min_size, stated.lot) == (100, 1_000_000, 500_000)
    assert stated.fee == FeeSchedule(40_000, 2)
    assert stated.tags == ("a", "b")
    assert plain.category == "other"


def test_resolutions_of_every_kind(tmp_path: Path) -> None:
    end = START + 10 * DAY
    rows = [
        market(1, winner=0, resolved_at=end),
        market(2, winner=1, resolved_at=end),
        market(3, resolution="split", resolved_at=end),
        market(4, resolution="void", resolved_at=end),
        market(5),
    ]
    found = catalogue_of(tmp_path, markets=rows).resolutions()
    assert {m: r.payouts for m, r in found.items()} == {
        "m1": (1_000_000, 0),
        "m2": (0, 1_000_000),
        "m3": (500_000, 500_000),
        "m4": (500_000, 500_000),
    }
    assert found["m4"].kind is ResolutionKind.VOID
    assert found["m1"].known_at == end


def test_ladder_groups_stand_in_ascending_strike(tmp_path: Path) -> None:
    rows = [
        market(n, group="g", group_kind="ladder", strike=float(strike))
        for n, strike in ((1, 30), (2, 9), (3, 10.5))
    ]
    (group,) = catalogue_of(tmp_path, markets=[*rows, market(4)]).groups()
    assert group.markets == ("m2", "m3", "m1")
    assert group.kind is GroupKind.LADDER


def test_a_group_of_two_kinds_is_refused(tmp_path: Path) -> None:
    rows = [market(1, group="g", group_kind="exclusive"), market(2, group="g")]
    with pytest.raises(DataError, match="group g is called exclusive and independent"):
        catalogue_of(tmp_path, markets=rows).groups()


def test_prices_are_of_yes_sorted_and_without_doubles(tmp_path: Path) -> None:
    rows = [price("n1", 0, 2900), price("y1", 0, 7000), price("n1", 1, 2800), price("y2", 0, 9000)]
    catalogue = catalogue_of(tmp_path, markets=[market(1), market(2)], prices=rows)
    second, first = catalogue.markets()[1], catalogue.markets()[0]
    got = catalogue.prices([second, first])
    assert got.market.tolist() == [0, 1, 1]
    assert got.price.tolist() == [9000, 7000, 7200]
    assert ((got.ts - START) // HOUR).tolist() == [0, 0, 1]
    assert (got.ts.dtype, got.market.dtype, got.price.dtype, got.flag.dtype) == (
        np.int64, np.int32, np.int64, np.uint8,
    )  # fmt: skip
    assert len(catalogue.prices([first], START + HOUR)) == 1
    assert len(catalogue.prices([first], None, START + HOUR)) == 1
    assert len(catalogue.prices([first], START + DAY, START + 2 * DAY)) == 0
    assert len(catalogue.prices([])) == 0


def test_a_price_is_heard_when_it_was_known_not_when_it_was_made(tmp_path: Path) -> None:
    late = START + 5 * HOUR
    rows = [
        {**price("y1", 0, 7000), "known_at": late},
        {**price("y1", 1, 7100), "known_at": late},
        {**price("y1", 6, 7200), "known_at": START + 6 * HOUR},
    ]
    catalogue = catalogue_of(tmp_path, markets=[market(1)], prices=rows)
    got = catalogue.prices(catalogue.markets())
    assert ((got.ts - START) // HOUR).tolist() == [5, 6]
    assert got.price.tolist() == [7100, 7200]
    assert len(catalogue.prices(catalogue.markets(), None, late)) == 0


def test_the_digest_is_of_the_slice_not_of_the_files(tmp_path: Path) -> None:
    rows = [price("y1", h, 7000 + h) for h in range(5)]
    one = catalogue_of(tmp_path / "a", markets=[market(1), market(2)], prices=rows)
    two = catalogue_of(tmp_path / "b", markets=[market(2), market(1)], prices=rows[::-1])
    more = catalogue_of(
        tmp_path / "c", markets=[market(1), market(2)], prices=[*rows, price("y2", 0, 9000)]
    )
    other = catalogue_of(
        tmp_path / "d", markets=[market(1), market(2)], prices=[*rows[:-1], price("y1", 4, 7005)]
    )
    assert one.digest() == two.digest()
    assert more.digest() != one.digest()
    assert more.digest(["m1"]) == one.digest(["m1"])
    assert other.digest(["m1"]) != one.digest(["m1"])
    assert other.digest(["m2"]) == one.digest(["m2"])


def test_no_catalogue_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no catalogue") as caught:
        Catalogue.open(tmp_path)
    assert "polyframe data import" in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"version": 9, "files": {}}'])
def test_a_damaged_manifest_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "catalogue.json").write_text(text)
    with pytest.raises(DataError, match=r"catalogue\.json"):
        Catalogue.open(tmp_path)


def test_sources_that_differ_have_files_that_differ() -> None:
    names = {file_name(s) for s in ("a b", "a-b", "a/b", "A-B", "../x", "...")}
    assert len(names) == 6
    assert all("/" not in name and name.strip(".") == name for name in names)


rows_of_forecasts = st.lists(
    st.builds(
        Forecast,
        market=st.sampled_from(["a", "b"]),
        probability=st.sampled_from([0.25, 0.5, 0.75]),
        as_of=st.integers(0, 30),
        source=st.sampled_from(["s", "t"]),
        latency=st.integers(0, 12),
    ),
    max_size=25,
)


@given(rows_of_forecasts, st.integers(0, 45), st.sampled_from(["", "s", "t"]))
def test_the_newest_forecast_ready_by_then(rows: list[Forecast], by: int, source: str) -> None:
    got = ForecastTable(rows).newest("a", source, by)
    ready = [
        f for f in rows
        if f.market == "a" and f.known_at <= by and (not source or f.source == source)
    ]  # fmt: skip
    if got is None:
        assert not ready
    else:
        assert got in ready
        assert got.as_of == max(f.as_of for f in ready)


def test_a_forecast_after_the_end_is_refused_when_read(tmp_path: Path) -> None:
    catalogue = catalogue_of(tmp_path, forecasts=[forecast(hour=300)])
    assert len(catalogue.forecasts()) == 1  # nobody knows the market yet
    late = catalogue_of(tmp_path, markets=[market(1)])
    with pytest.raises(LookaheadError, match="1 of 1 forecasts"):
        late.forecasts()
    assert len(late.forecasts(["m2"])) == 0


def test_a_resolution_before_the_close_counts_as_the_end(tmp_path: Path) -> None:
    rows = [market(1, winner=0, resolved_at=START + DAY)]
    with pytest.raises(LookaheadError):
        catalogue_of(tmp_path, markets=rows, forecasts=[forecast(hour=25)])


def test_importing_the_module_loads_neither_pandas_nor_pyarrow() -> None:
    code = (
        "import sys, polyframe.store.catalogue;"
        "print({'pandas', 'pyarrow', 'numpy', 'numba'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
