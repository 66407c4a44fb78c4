"""The options of ``polyframe backtest``: what each does, and what contradictory ones say."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

from polyframe.cli.main import main

BUYS = """
from polyframe import HOUR, Every, Intent, PluginConfig, Real, Side, Strategy, Subscription


class {name}(Strategy):
    \"\"\"Buys what costs less than the limit.\"\"\"

    class Config(PluginConfig):
        limit: float = Real(0.6, 0.2, 0.9)

    def subscribe(self, markets):
        return Subscription(wake=(Every(24 * HOUR),))

    def on_wake(self, event, view):
        {first}
        for market in view.markets():
            token = market.{side}.id
            quote = view.book(token)
            if not quote.trusted or not quote.ask or view.position(token).shares:
                continue
            if quote.ask / market.price_one < self.config.limit:
                yield Intent(token=token, side=Side.BUY, price=quote.ask, probability=0.95)
"""
QUICK = ("--timerange", "2026-09-10..2026-09-20", "--record", "none", "--no-robust")


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "user_data" / "strategies"
    folder.mkdir(parents=True)
    for name, side, first in (
        ("Yes", "yes", "pass"),
        ("No", "no", "pass"),
        ("Falls", "yes", "raise ValueError('my bug')"),
    ):
        (folder / f"{name.lower()}_side.py").write_text(
            BUYS.format(name=name, side=side, first=first)
        )
    configured(tmp_path / "user_data")
    return tmp_path / "user_data"


def configured(user: Path, **settings: object) -> None:
    """A stake that takes no time to find, and what else is stated."""
    (user / "config.json").write_text(json.dumps({"sizer": {"use": "FixedSizer"}, **settings}))


@pytest.fixture
def run(user, capsys):
    def call(*words: str, code: int = 0) -> dict:
        assert main(["backtest", *words, *QUICK, "--json"]) == code
        return json.loads(capsys.readouterr().out)

    return call


@pytest.fixture
def told(user, capsys):
    """What a person sees on standard output and on standard error."""

    def call(*words: str, code: int = 0) -> tuple[str, str]:
        assert main(["backtest", *words, *QUICK]) == code
        seen = capsys.readouterr()
        return seen.out, seen.err

    return call


def buys(report: dict) -> list[dict]:
    return [trade for trade in report["trades"] if trade["side"] == "buy"]


# ---- what is selected --------------------------------------------------------------------------


def test_markets_by_commas_repeated_or_singly_are_one_option(run):
    some = sorted({trade["market"] for trade in run("-s", "Yes")["trades"]})[:3]
    assert len(some) == 3
    hashes = {
        run("-s", "Yes", *words)["hash"]
        for words in (
            ("--markets", ",".join(some)),
            ("--market", some[0], "--market", some[1], "--markets", f" {some[2]} ,{some[0]},"),
        )
    }
    assert len(hashes) == 1
    traded = run("-s", "Yes", "--markets", ",".join(some))["trades"]
    assert {trade["market"] for trade in traded} <= set(some)


def test_an_unknown_market_is_told_with_the_nearest(run):
    some = buys(run("-s", "Yes"))[0]["market"]
    error = run("-s", "Yes", "--markets", f"{some},{some[:-1]}X", code=2)["error"]
    assert f"{some[:-1]}X" in error["message"]
    assert error["expected"].endswith("?")
    error = run("-s", "Yes", "--markets", ",", code=2)["error"]
    assert error["hint"] == "polyframe list markets"


# ---- money and limits --------------------------------------------------------------------------


def test_a_fixed_stake_is_what_each_entry_costs(run):
    entries = buys(run("-s", "Yes", "--stake", "7"))
    costs = [Decimal(t["price"]) * Decimal(t["shares"]) for t in entries]
    assert costs
    assert max(costs) <= 7
    by_order: dict[str, Decimal] = {}
    for trade, cost in zip(entries, costs, strict=True):
        by_order[trade["order"]] = by_order.get(trade["order"], Decimal(0)) + cost
    assert max(by_order.values()) > Decimal("6.5")


def test_unlimited_is_an_equal_part_of_the_equity(run):
    report = run("-s", "Yes", "--stake", "unlimited", "--max-open", "40")
    sizer = report["manifest"]["config"]["config"]["sizer"]
    assert sizer == {"use": "FixedSizer", "config": {"stake": "unlimited", "max_open": 40}}
    assert report["trades"]


def most_held(report: dict) -> int:
    held: set[str] = set()
    most = 0
    for trade in report["trades"]:
        (held.add if trade["side"] == "buy" else held.discard)(trade["market"])
        most = max(most, len(held))
    return most


def test_most_open_markets(run):
    report = run("-s", "Yes", "--max-open", "2")
    assert most_held(report) == 2
    assert report["denials"]["OpenPositions"] > 0


def test_most_open_markets_stand_over_what_a_strategy_declares(user, run):
    file = user / "strategies" / "yes_side.py"
    file.write_text(
        file.read_text().replace("    class Config", "    max_open = 1\n\n    class Config")
    )
    assert most_held(run("-s", "Yes")) == 1
    assert most_held(run("-s", "Yes", "--max-open", "3")) == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--stake", "-1"), "a stake of '-1'"),
        (("--max-open", "0"), "at most 0 open markets"),
        (("--max-open", "-3"), "at most -3 open markets"),
        (("--cash", "-100"), "account.cash is '-100'"),
        (("--cash", "0"), "account.cash is '0'"),
        (("--cash", "nan"), "account.cash is 'nan'"),
        (("--breakdown", "wek"), "--breakdown 'wek'"),
        (("--seed", "-1"), "session.seed is -1"),
        (("--category", "financ"), "no market of category 'financ'"),
        (("--export", "trade"), "'trade' is not one of"),
        (("--cache", "year"), "'year' is not one of"),
        (("-s", "Yess"), "there is no strategy named Yess"),
        (("-s", "Yes"), "strategy Yes is named twice"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_runs(user, run, words, said):
    error = run("-s", "Yes", *words, code=2)["error"]
    assert said in error["message"]
    assert error["hint"]
    assert not (user / "runs").exists()


# ---- several strategies ------------------------------------------------------------------------


def test_several_run_alone_and_are_stored_each_as_its_own_run(user, run):
    found = run("-s", "Yes", "-s", "No", "-s", "LLMForecast")
    lines = found["comparison"]["lines"]
    assert {line["name"] for line in lines} == {"Yes", "No", "LLMForecast"}
    stored = {path.parent.name for path in (user / "runs").glob("*/report.json")}
    assert {line["run"] for line in lines} == stored == {r["run"] for r in found["runs"]}
    assert [float(x["pnl"]) for x in lines] == sorted(
        (float(x["pnl"]) for x in lines), reverse=True
    )
    alone = run("-s", "Yes")
    (same,) = (r for r in found["runs"] if r["hash"] == alone["hash"])
    assert same["trades"] == alone["trades"]
    assert same["summary"]["start_cash"] == "1000"
    leader = found["comparison"]["leader"]
    own = {e["event"]: 0.0 for r in found["runs"] for e in r["round_trips"]}
    totals = {line["name"]: float(line["pnl"]) for line in lines}
    for row in found["comparison"]["differences"]:
        assert row["pnl"] == pytest.approx(totals[leader] - totals[row["other"]], abs=1e-6)
        assert row["events"] <= len(own)
        assert row["verdict"] == (
            "distinguishable"
            if row["low"] is not None and (row["low"] > 0 or row["high"] < 0)
            else "not distinguishable"
        )


def test_one_that_fails_does_not_stop_the_others_and_ends_with_2(user, run, told):
    found = run("-s", "Falls", "-s", "Yes", code=2)
    failed = found["comparison"]["lines"][-1]
    assert failed["name"] == "Falls"
    assert "my bug" in failed["failed"]
    assert len(found["runs"]) == 1
    out, _ = told("-s", "Falls", "-s", "Yes", code=2)
    assert "Failed: Falls" in out
    assert len(list((user / "runs").glob("*"))) == 2  # each time the other one


def test_when_all_fail_alike_it_is_one_error(run):
    words = ("-s", "Yes", "-s", "No", "--timerange", "2031-01-01..2031-02-01")
    assert main(["backtest", *words, "--json"]) == 3


def test_a_broken_file_is_told_before_the_others_run(user, run):
    (user / "strategies" / "torn.py").write_text("class Torn(:\n")
    error = run("-s", "Yes", "-s", "torn", code=2)["error"]
    assert "torn" in error["message"]
    assert not (user / "runs").exists()


def test_together_they_share_one_account(run, told):
    report = run("-s", "Yes", "-s", "No", "--together")
    assert {trip["ledger"] for trip in report["round_trips"]} == {"Yes", "No"}
    assert [s["use"] for s in report["manifest"]["config"]["config"]["strategies"]] == ["Yes", "No"]
    out, _ = told("-s", "Yes", "-s", "No", "--together", "--breakdown", "strategy")
    assert "Strategies on one account" in out
    assert "Result by strategy" in out
    assert run("-s", "Yes", "--together")["trades"] == run("-s", "Yes")["trades"]


def test_one_class_under_two_names(user, run):
    uses = [
        {"use": "Yes", "name": "low", "allocation": "0.25", "config": {"limit": 0.2}},
        {"use": "Yes", "name": "high", "config": {"limit": 0.8}},
    ]
    configured(user, strategies=uses)
    found = run("-s", "low", "-s", "high")
    assert {r["summary"]["start_cash"] for r in found["runs"]} == {"1000"}
    assert {line["name"] for line in found["comparison"]["lines"]} == {"low", "high"}
    by_class = run("-s", "Yes")
    assert {r["hash"] for r in by_class["runs"]} == {r["hash"] for r in found["runs"]}
    as_configured = run()  # the file's own session: one account, its allocations
    assert {trip["ledger"] for trip in as_configured["round_trips"]} == {"low", "high"}
    error = run("-s", "low", "-s", "Yes", code=2)["error"]
    assert "low is named twice" in error["message"]


def test_dozens_of_strategies(user, run):
    uses = [{"use": "Yes", "name": f"y{n}", "config": {"limit": 0.2 + n / 50}} for n in range(24)]
    configured(user, strategies=uses)
    words = [word for n in range(24) for word in ("-s", f"y{n}")]
    market = buys(run("-s", "y20"))[0]["market"]
    found = run(*words, "--markets", market)
    assert len(found["comparison"]["lines"]) == 24
    assert found["comparison"]["differences"][0]["level"] == pytest.approx(1 - 0.05 / 23)


# ---- the result --------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["parquet", "csv", "json"])
def test_exported_signals_hold_every_order_and_trades_every_fill(user, run, form):
    report = run("-s", "Yes", "--export", "signals", "--export-format", form)
    place = user / "runs" / report["run"]
    read = {"parquet": pd.read_parquet, "csv": pd.read_csv, "json": pd.read_json}[form]
    trades, trips, signals = (
        read(place / f"{name}.{form}") for name in ("trades", "round_trips", "signals")
    )
    assert len(trades) == len(report["trades"])
    assert trades["cash"].sum() == pytest.approx(
        float(report["summary"]["end_cash"]) - float(report["summary"]["start_cash"])
    )
    assert len(trips) == len(report["round_trips"])
    assert len(signals) == report["summary"]["reviewed"]
    assert (signals["ruling"] == "denied").sum() == report["summary"]["denied"]
    assert not list(place.glob(".*"))


def test_nothing_is_exported_without_being_asked_for(user, run):
    place = user / "runs" / run("-s", "Yes")["run"]
    assert {p.name for p in place.iterdir()} == {"report.json", "manifest.json", "equity.parquet"}


def test_export_of_a_run_without_a_trade(user, run):
    report = run("-s", "Yes", "--max-open", "1", "--cash", "0.01", "--export", "signals")
    assert report["trades"] == []
    assert pd.read_parquet(user / "runs" / report["run"] / "trades.parquet").empty


def test_the_same_run_is_shown_again_from_the_cache(user, run, told):
    first = run("-s", "Yes")
    again = run("-s", "Yes", "--cache", "day")
    assert again == first
    assert len(list((user / "runs").glob("*"))) == 1
    out, _ = told("-s", "Yes", "--cache", "month")
    assert f"from cache, run {first['run']}" in out
    assert run("-s", "Yes")["run"] != first["run"]  # without the option it is run


@pytest.mark.parametrize(
    "changed", [("--seed", "3"), ("--cash", "999"), ("--stake", "5"), ("--max-open", "7")]
)
def test_another_run_is_never_taken_from_the_cache(run, changed):
    first = run("-s", "Yes")
    assert run("-s", "Yes", "--cache", "day", *changed)["run"] != first["run"]


def aged(user: Path, run: dict) -> None:
    (user / "runs" / run["run"]).rename(user / "runs" / f"20200101T000000-{run['hash'][:12]}")


def edited(user: Path, run: dict) -> None:
    report = user / "runs" / run["run"] / "report.json"
    report.write_text(report.read_text() + " ")


def recoded(user: Path, run: dict) -> None:
    file = user / "strategies" / "yes_side.py"
    file.write_text(file.read_text() + f"# after {run['run']}\n")


@pytest.mark.parametrize("change", [aged, edited, recoded])
def test_what_is_old_edited_or_of_other_code_is_not_taken(user, run, change):
    change(user, run("-s", "Yes"))
    run("-s", "Yes", "--cache", "month")
    assert len(list((user / "runs").glob("*"))) == 2


def test_a_run_that_lacks_what_is_asked_for_is_made_again(user, run):
    run("-s", "Yes")
    for stored in (2, 2):
        run("-s", "Yes", "--cache", "day", "--export", "signals")
        assert len(list((user / "runs").glob("*"))) == stored


def test_each_strategy_comes_from_the_cache_on_its_own(run):
    first = run("-s", "Yes")
    found = run("-s", "Yes", "-s", "No", "--cache", "day")
    reused = {line["name"]: line["reused"] for line in found["comparison"]["lines"]}
    assert reused == {"Yes": True, "No": False}
    assert first["run"] in {line["run"] for line in found["comparison"]["lines"]}


def test_breakdowns_follow_the_report_and_no_control_code_is_in_a_pipe(told):
    out, err = told("-s", "Yes", "--breakdown", "week,exit", "--breakdown", "outcome")
    for title in ("Result by week", "Result by how positions ended", "Result by outcome"):
        assert title in out
    assert "\x1b" not in out + err
    assert "rows/s" not in err
    out, err = told("-s", "Yes", "-s", "No", "--breakdown", "outcome")
    assert "Yes: result by outcome" in out
    assert "\x1b" not in out + err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--cash", ""), "--cash is empty"),
        (("--category", ""), "--category is empty"),
        (("-s", ""), "--strategy is empty"),
        (("--category", "finance", "--category", "crypto"), "--category is there 2 times"),
        (("--max-open", "99999999999999999999"), "more than there can be"),
    ],
)
def test_options_that_say_nothing_or_too_much_are_refused(user, capsys, arguments, said) -> None:
    assert main(["backtest", "-s", "Yes", *arguments]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("attribute", "said"),
    [
        ("startup_bars = 2.5", "startup_bars 2.5"),
        ("startup_bars = -5", "startup_bars -5"),
        ("slippage = float('nan')", "slippage nan"),
        ("slippage = -1", "slippage -1"),
        ("stoploss = -0.1", "stoploss, which nothing here reads"),
    ],
)
def test_attributes_that_mean_nothing_are_refused(user, capsys, attribute, said) -> None:
    text = BUYS.format(name="Odd", side="yes", first="pass")
    text = text.replace("    class Config", f"    {attribute}\n\n    class Config")
    (user / "strategies" / "odd.py").write_text(text)
    assert main(["backtest", "-s", "Odd", *QUICK]) == 2
    assert said in capsys.readouterr().err


def test_hedges_that_pass_a_limit_are_counted(user, capsys) -> None:
    args = ["backtest", "-s", "LLMForecast", "--max-open", "3", "--stake", "10", "--no-robust"]
    assert main([*args, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rejected"]
    vain = {row["protection"]: row["orders"] for row in rows if row["ruling"] == "not binding"}
    assert vain["OpenPositions"] > 0
    assert main(["report"]) == 0
    assert "not binding: the order made risks smaller" in capsys.readouterr().out
