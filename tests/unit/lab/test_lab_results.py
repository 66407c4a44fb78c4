"""Reports: books that balance to the unit, atomic files, and records that contradict themselves."""

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from pathlib import Path

import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lab_records import CASH, FEE, bare_record, manifest, sample_record

from polyframe.domain.effects import PositionSettled
from polyframe.domain.market import Market, Token
from polyframe.domain.orders import Side
from polyframe.domain.portfolio import Fill, Portfolio
from polyframe.domain.quality import Flag
from polyframe.errors import DataError, InvariantError, UserError
from polyframe.lab.record import FillRecord, LeftOpen, RunRecord, source_digest
from polyframe.lab.results import load_report, write_run
from polyframe.lab.schema import json_schema
from polyframe.lab.summary import build

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
MIDWAY = 1_790_000_000 * 10**9


@pytest.fixture(scope="module")
def record() -> RunRecord:
    return sample_record()


@pytest.fixture(scope="module")
def unfinished() -> RunRecord:
    return sample_record(MIDWAY)


def written(record: RunRecord, runs: Path) -> dict:
    return json.loads(write_run(record, runs, created=NOW).report.read_text())


def recomputed(report: dict) -> Decimal:
    """The final cash from the trades list and the start cash, and nothing else."""
    unit = Decimal("0.000001")
    cash = Decimal(report["summary"]["start_cash"])
    for trade in report["trades"]:
        price, shares, fee = (Decimal(trade[k]) for k in ("price", "shares", "fee"))
        if trade["side"] == "buy":
            cash -= (price * shares).quantize(unit, ROUND_CEILING) + fee
        elif trade["side"] == "sell":
            cash += (price * shares).quantize(unit, ROUND_FLOOR) - fee
        else:
            assert Decimal(trade["payout"]) == (price * shares).quantize(unit, ROUND_FLOOR)
            cash += Decimal(trade["payout"])
    return cash


@pytest.mark.parametrize("which", ["record", "unfinished"])
def test_plain_python_finds_the_same_cash_in_the_trades(which, request, tmp_path) -> None:
    report = written(request.getfixturevalue(which), tmp_path)
    summary = report["summary"]
    assert len(report["trades"]) > 100
    assert recomputed(report) == Decimal(summary["end_cash"])
    # Sizes in whole lots need no rounding at all.
    exact = Decimal(summary["start_cash"])
    for trade in report["trades"]:
        sign = {"buy": -1, "sell": 1, "settle": 1}[trade["side"]]
        exact += sign * Decimal(trade["price"]) * Decimal(trade["shares"]) - Decimal(trade["fee"])
    assert exact == Decimal(summary["end_cash"])
    value = sum(Decimal(row["value"]) for row in report["left_open"])
    assert Decimal(summary["end_cash"]) + value == Decimal(summary["end_equity"])
    assert (which == "unfinished") == bool(report["left_open"])


def test_every_split_of_the_result_adds_up_to_it(unfinished, tmp_path) -> None:
    report = written(unfinished, tmp_path)
    pnl = Decimal(report["summary"]["pnl"])
    for part in ("by_category", "by_reason", "by_market", "round_trips"):
        assert sum(Decimal(row["pnl"]) for row in report[part]) == pnl, part
    quality = report["quality"]
    assert Decimal(quality["near"]["pnl"]) + Decimal(quality["without"]["pnl"]) == pnl
    assert Decimal(quality["all"]["pnl"]) == pnl
    assert sum(Decimal(t["cash"]) for t in report["trades"]) == Decimal(
        report["summary"]["end_cash"]
    ) - Decimal(report["summary"]["start_cash"])


MARKETS = [
    Market("m1", "First?", (Token("y1", "Yes"), Token("n1", "No")), group="g", fee=FEE),
    Market("m2", "Second?", (Token("y2", "Yes"), Token("n2", "No")), group="g", fee=FEE),
    Market("m3", "Third?", (Token("y3", "Yes"), Token("n3", "No")), fee=FEE),
]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["y1", "n1", "y2", "n2", "y3", "n3"]),
        st.sampled_from(["a", "b"]),
        st.booleans(),
        st.integers(1, 9_999),
        st.integers(1, 10**9),
        st.sampled_from([0, int(Flag.NEAR), int(Flag.GAP)]),
    ),
    max_size=25,
)


def run_of(steps, payouts, settled: int) -> RunRecord:
    """A random run: sizes of any number of units, so that every amount needs rounding."""
    books = Portfolio({"a": 0, "b": 0})
    owner = {token.id: market for market in MARKETS for token in market.tokens}
    fills, settlements = [], []
    for n, (token, ledger, buys, price, wanted, flag) in enumerate(steps):
        market = owner[token]
        held = books.holding(ledger, token).shares
        side = Side.BUY if buys or not held else Side.SELL
        size = wanted if side == Side.BUY else min(wanted, held)
        fee = market.taker_fee(price, size)
        fill = Fill(f"t{n}", f"o{n}", ledger, market.id, token, side, price, size, fee, n + 1)
        books.fill(fill, market.divisor)
        fills.append(FillRecord(fill, flag, 5_000))
    for market, payout in list(zip(MARKETS, payouts, strict=True))[:settled]:
        for token, paid in zip(market.tokens, (payout, 1_000_000 - payout), strict=True):
            for ledger in ("a", "b"):
                held = books.holding(ledger, token.id)
                if held.shares:
                    before = books.cash[ledger]
                    books.redeem(ledger, token.id, paid, held.shares, 6)
                    received = books.cash[ledger] - before
                    settlements.append(
                        PositionSettled(
                            99, ledger, market.id, token.id, held.shares, paid, received,
                            received - held.cost,
                        )
                    )  # fmt: skip
    left = [
        LeftOpen(ledger, token, h.shares, h.cost, h.shares // 3)
        for (ledger, token), h in books.holdings.items()
        if h.shares
    ]
    end = CASH + sum(books.cash.values()) + sum(row.value for row in left)
    return bare_record(
        MARKETS,
        fills=fills,
        settlements=settlements,
        left_open=left,
        equity_ts=np.array([0, 100]),
        equity=np.array([CASH, end]),
    )


@given(
    STEPS,
    st.lists(st.sampled_from([0, 500_000, 1_000_000]), min_size=3, max_size=3),
    st.integers(0, 3),
)
@settings(max_examples=60)
def test_any_run_recomputes_to_the_unit(steps, payouts, settled) -> None:
    record = run_of(steps, payouts, settled)
    report = msgspec.to_builtins(build(record, run="r", created=NOW))
    assert recomputed(report) == Decimal(report["summary"]["end_cash"])
    assert Decimal(report["summary"]["end_equity"]) == Decimal(int(record.equity[-1])) / 10**6
    assert report["summary"]["effective_n"] == len(
        {t["market"] in "m1m2" for t in report["trades"]}
    )


def one_trade(**changes) -> RunRecord:
    fill = Fill("t", "o", "a", "m3", "y3", Side.BUY, 4_000, 10_000_000, 96_000, 5)
    paid = PositionSettled(9, "a", "m3", "y3", 10_000_000, 1_000_000, 10_000_000, 6_000_000)
    fields = {
        "fills": [FillRecord(fill, int(Flag.NEAR), 3_900)],
        "settlements": [paid],
        "equity_ts": np.array([0, 10]),
        "equity": np.array([CASH, CASH + 6_000_000 - 96_000]),
    }
    return bare_record(MARKETS, **{**fields, **changes})


def test_a_trade_is_told_with_exact_texts(tmp_path) -> None:
    report = written(one_trade(), tmp_path)
    buy, settle = report["trades"]
    assert (buy["side"], buy["price"], buy["shares"], buy["fee"]) == ("buy", "0.4", "10", "0.096")
    assert (buy["payout"], buy["cash"], buy["outcome"]) == ("0", "-4.096", "Yes")
    assert (settle["side"], settle["price"], settle["payout"]) == ("settle", "1", "10")
    assert settle["reason"] == "resolved: won"
    assert buy["time"] == "1970-01-01T00:00:00Z"
    assert buy["ts"] == 5
    summary = report["summary"]
    assert summary["spread_and_impact"] == "0.1"  # one cent a share on ten shares
    assert (summary["pnl"], summary["win_rate"], summary["profit_factor"]) == ("5.904", 1.0, None)
    assert summary["per_event"]["low"] is None  # one event has no interval
    assert summary["verdict"] == "not distinguishable from zero"
    assert report["quality"]["near"]["trips"] == 1
    assert report["quality"]["without"]["trips"] == 0


def test_a_sale_of_no_shares_counts_spread_in_its_own_token(tmp_path) -> None:
    fills = [
        Fill("t1", "o1", "a", "m3", "n3", Side.BUY, 3_100, 10_000_000, 0, 5),
        Fill("t2", "o2", "a", "m3", "n3", Side.SELL, 2_900, 10_000_000, 0, 6),
    ]
    record = one_trade(
        fills=[FillRecord(fill, 0, 7_000) for fill in fills],
        settlements=[],
        equity=np.array([CASH, CASH - 200_000]),
    )
    assert written(record, tmp_path)["summary"]["spread_and_impact"] == "0.2"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"equity": np.array([CASH, CASH])}, "the last equity"),
        ({"settlements": []}, "left_open differ"),
        ({"markets": MARKETS[:1]}, "none of its markets"),
        ({"fills": []}, "redemption of"),
        ({"left_open": [LeftOpen("a", "n3", 1, 1, 1)]}, "left_open differ"),
        (
            {"settlements": [PositionSettled(9, "a", "m3", "y3", 10_000_000, 10**6, 1, 0)]},
            "shares at 1000000 make 10000000",
        ),
    ],
)
def test_records_that_contradict_themselves_are_refused(changes, said, tmp_path) -> None:
    record = one_trade()
    with pytest.raises(InvariantError, match=said):
        write_run(replace(record, **changes), tmp_path / "runs", created=NOW)
    assert not (tmp_path / "runs").exists() or not list((tmp_path / "runs").iterdir())


def test_a_run_without_trades_is_a_report_too(tmp_path) -> None:
    report = written(bare_record(), tmp_path)
    assert report["trades"] == []
    assert report["summary"]["effective_n"] == 0
    assert report["summary"]["end_cash"] == "1000"


def test_ratios_are_withheld_until_there_is_enough_to_say(record, tmp_path) -> None:
    short = written(record, tmp_path)["summary"]["ratios"]
    assert short["sharpe"] is None
    assert "30 events and 60 days" in short["withheld"]
    stretched = replace(
        record, equity_ts=record.equity_ts[0] + 2 * (record.equity_ts - record.equity_ts[0])
    )
    long = written(stretched, tmp_path / "b")["summary"]["ratios"]
    assert long["withheld"] is None
    assert isinstance(long["sharpe"], float)
    assert isinstance(long["calmar"], float)


def test_scores_average_within_events_first(record, tmp_path) -> None:
    scores = written(record, tmp_path)["summary"]["scores"]
    owner = {m.id: m.group or m.id for m in record.markets}
    by_event: dict[str, list[float]] = {}
    for given_ in record.judgements:
        ended = record.resolutions[given_.market]
        if ended.kind == "winner":
            y = 1.0 if ended.payouts[0] else 0.0
            by_event.setdefault(owner[given_.market], []).append((given_.probability - y) ** 2)
    wanted = np.mean([np.mean(v) for v in by_event.values()])
    assert scores["brier_forecast"] == pytest.approx(wanted, rel=1e-12)
    assert scores["events"] == len(by_event)
    assert scores["basis"] == "all forecasts delivered"
    fallback = written(replace(record, judgements=()), tmp_path / "b")["summary"]["scores"]
    assert fallback["basis"] == "forecasts that led to a fill"
    assert 0 < fallback["scored"] < scores["scored"]


# ---- files -------------------------------------------------------------------------------------


def test_a_run_directory_holds_all_its_parts(record, tmp_path) -> None:
    journal = tmp_path / "journal.part"
    journal.write_bytes(b"journal")
    paths = write_run(record, tmp_path / "runs", journal=journal, created=NOW)
    assert paths.run == f"20261101T120000-{record.manifest.hash[:12]}"
    assert sorted(p.name for p in paths.directory.iterdir()) == [
        "equity.parquet", "journal.bin", "manifest.json", "report.json",
    ]  # fmt: skip
    assert paths.journal.read_bytes() == b"journal"
    assert not journal.exists()
    assert json.loads(paths.manifest.read_text())["hash"] == record.manifest.hash
    table = pq.read_table(paths.equity).to_pydict()
    assert table["ts"] == record.equity_ts.tolist()
    assert table["equity"] == record.equity.tolist()
    assert table["drawdown"] == (record.equity - np.maximum.accumulate(record.equity)).tolist()
    assert [p.name for p in (tmp_path / "runs").iterdir()] == [paths.run]


def test_the_same_record_gives_the_same_report_and_another_directory(record, tmp_path) -> None:
    one, two = (write_run(record, tmp_path, created=NOW) for _ in range(2))
    assert two.run == f"{one.run}-2"
    first, second = load_report(one.directory), load_report(two.directory)
    assert second.run == two.run
    assert msgspec.structs.replace(second, run=first.run) == first


def test_a_failed_write_leaves_nothing(record, tmp_path) -> None:
    with pytest.raises(OSError, match="No such file"):
        write_run(record, tmp_path, journal=tmp_path / "absent", created=NOW)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_closed_directory_is_named(record, tmp_path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UserError, match="cannot be written"):
        write_run(record, tmp_path / "runs", created=NOW)


def test_a_file_in_place_of_the_directory_is_named(record, tmp_path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(UserError, match="runs cannot be written"):
        write_run(record, tmp_path / "runs", created=NOW)


@pytest.mark.parametrize(
    ("content", "error", "said"),
    [
        (None, UserError, "no report at"),
        (b"", DataError, "not a report"),
        (b'{"schema": 1, "run": "x"}', DataError, "not a report"),
        (b'{"schema": 99}', DataError, "schema 99"),
        (b'{"schema": 1, "run": "x"', DataError, "not a report"),
        (b"[]", DataError, "not a report"),
        (b"\xff\xfe", DataError, "not a report"),
    ],
)
def test_files_that_are_no_report_are_named(content, error, said, tmp_path) -> None:
    file = tmp_path / "report.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(error, match=said):
        load_report(tmp_path)


def test_every_part_of_the_manifest_changes_its_hash() -> None:
    base = manifest()
    changed = {base.hash}
    changed.add(manifest(seed=8).hash)
    for name in ("code", "plugins", "config", "data", "forecasts"):
        part = getattr(base, name)
        field = "version" if name == "code" else "digest"
        changed.add(manifest(**{name: msgspec.structs.replace(part, **{field: "z"})}).hash)
    assert len(changed) == 7
    assert base.hash == manifest().hash


def test_the_source_digest_is_stable() -> None:
    assert source_digest() == source_digest()
    assert len(bytes.fromhex(source_digest())) == 32


def test_the_schema_describes_what_is_written(record, tmp_path) -> None:
    report, schema = written(record, tmp_path), json_schema()
    for name, value in (("Report", report), ("Trade", report["trades"][0])):
        described = schema["$defs"][name]
        assert set(described["properties"]) == set(value)
    assert schema["$defs"]["Trade"]["properties"]["side"]["enum"] == ["buy", "sell", "settle"]


def test_the_page_tells_every_field(root) -> None:
    page = (root / "docs" / "report.md").read_text()
    schema = json_schema()["$defs"]
    for name in ("Report", "Trade"):
        for field in schema[name]["properties"]:
            assert f"`{field}`" in page or f'"{field}"' in page, field
