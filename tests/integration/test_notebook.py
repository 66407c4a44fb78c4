"""``from polyframe import backtest, compare``: the same runs as the command's, as data frames."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from polyframe import (
    HOUR,
    ConfigError,
    Every,
    Intent,
    PluginConfig,
    PluginError,
    Real,
    Side,
    Strategy,
    Subscription,
    UserError,
    backtest,
    compare,
)
from polyframe.cli.main import main

DAYS = "2026-09-10..2026-09-20"
QUICK = {"timerange": DAYS, "stake": 10}


class Cheap(Strategy):
    """Buys YES where it costs less than the limit."""

    class Config(PluginConfig):
        limit: float = Real(0.6, 0.1, 0.9)

    def subscribe(self, markets):
        return Subscription(wake=(Every(24 * HOUR),))

    def on_wake(self, event, view):
        for market in view.markets():
            token = market.yes.id
            quote = view.book(token)
            if not quote.trusted or not quote.ask or view.position(token).shares:
                continue
            if quote.ask / market.price_one < self.config.limit:
                yield Intent(token=token, side=Side.BUY, price=quote.ask, probability=0.95)


class Broken(Cheap):
    """Raises."""

    def on_wake(self, event, view):
        raise ValueError("my bug")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_run_is_the_one_of_the_command_line(here, capsys):
    result = backtest("LLMForecast", timerange=DAYS)
    words = ["-s", "LLMForecast", "--timerange", DAYS, "--json"]
    assert main(["backtest", *words]) == 0
    told = json.loads(capsys.readouterr().out)
    assert result.report["hash"] == told["hash"]
    assert result.report["trades"] == told["trades"]
    assert (here / "user_data" / "runs" / result.run / "report.json").is_file()


def test_frames_agree_with_the_report():
    result = backtest(Cheap, **QUICK)
    report, summary = result.report, result.summary
    trades, trips = result.trades, result.round_trips
    start, end = float(summary["start_cash"]), float(summary["end_cash"])
    assert len(trades) == len(report["trades"]) > 0
    assert trades["cash"].sum() == pytest.approx(end - start)
    assert str(trades["time"].dtype).startswith("datetime64")
    assert trades["time"].is_monotonic_increasing
    assert trips["pnl"].sum() == pytest.approx(float(summary["pnl"]))
    equity = result.equity
    assert equity["equity"].iloc[0] == pytest.approx(start)
    assert equity["equity"].iloc[-1] == pytest.approx(float(summary["end_equity"]))
    assert -equity["drawdown"].min() == pytest.approx(float(summary["drawdown"]["amount"]))
    assert equity.index.is_monotonic_increasing
    signals = result.signals
    assert len(signals) == summary["reviewed"]
    assert (signals["ruling"] == "denied").sum() == summary["denied"]
    denied = result.denials.query("ruling == 'deny'")
    assert denied["orders"].sum() >= summary["denied"]
    page = result._repr_html_()
    assert "95 % interval" in page
    assert result.run in page
    assert "Cheap" in repr(result)


def test_forecasts_that_were_delivered():
    result = backtest("LLMForecast", timerange=DAYS, store=False)
    frame = result.forecasts
    assert 0 < len(frame) <= result.report["forecasts"]["joined"]
    assert frame["probability"].between(0, 1).all()
    assert set(frame["source"]) <= set(result.report["forecasts"]["by_source"])
    assert not Path("user_data").exists()


def test_the_log_of_decisions_comes_from_the_journal():
    result = backtest(Cheap, **QUICK)
    log = result.decisions
    assert (log["stage"] == "RISK").sum() == result.summary["reviewed"]
    assert log["time"].is_monotonic_increasing
    assert log["proof_hash"].str.len().eq(64).all()
    unkept = backtest(Cheap, config={"backtest": {"record": "none"}}, **QUICK)
    with pytest.raises(UserError, match="kept no journal"):
        _ = unkept.decisions


def test_a_run_without_a_trade_has_empty_frames_with_columns():
    result = backtest(Cheap, settings={"limit": 0.1}, timerange=DAYS, cash="0.01", stake=0.001)
    assert result.trades.empty
    assert "cash" in result.trades
    assert result.round_trips.empty
    assert result.forecasts.empty
    assert result._repr_html_()


def test_settings_config_and_options_each_reach_the_run(here):
    (here / "c.json").write_text(json.dumps({"account": {"cash": "700"}, "session": {"seed": 5}}))
    from_file = backtest(Cheap, config="c.json", **QUICK)
    from_values = backtest(
        Cheap, config={"account": {"cash": "700"}, "session": {"seed": 5}}, **QUICK
    )
    assert from_file.report["hash"] == from_values.report["hash"]
    over = backtest(Cheap, config=["c.json"], cash=800, settings={"limit": 0.3}, **QUICK)
    used = over.report["manifest"]["config"]["config"]
    assert (used["account"]["cash"], used["session"]["seed"]) == ("800", 5)
    assert used["strategies"][0]["config"] == {"limit": 0.3}


def test_what_is_shown_from_the_cache_says_what_it_lacks():
    first = backtest(Cheap, **QUICK)
    again = backtest(Cheap, cache="day", **QUICK)
    assert again.reused
    assert again.run == first.run
    pd.testing.assert_frame_equal(again.equity, first.equity)
    pd.testing.assert_frame_equal(again.trades, first.trades)
    with pytest.raises(UserError, match="were not kept"):
        _ = again.signals


def test_a_comparison_of_names_classes_and_one_that_fails():
    found = compare("LLMForecast", Cheap, Broken, **QUICK)
    assert set(found.results) == {"LLMForecast", "Cheap"}
    assert "my bug" in found.failed["Broken"]
    assert list(found.table.index)[-1] == "Broken"
    assert found["Cheap"].report["hash"] == backtest(Cheap, **QUICK).report["hash"]
    (row,) = found.differences.to_dict("records")
    gap = found.table.loc[row["leader"], "pnl"] - found.table.loc[row["other"], "pnl"]
    assert row["pnl"] == pytest.approx(gap)
    assert "Failed" in found._repr_html_()
    assert "Cheap" in repr(found)


def test_results_that_are_there_are_compared_when_they_may_be():
    low = backtest(Cheap, settings={"limit": 0.3}, **QUICK)
    high = backtest(Cheap, settings={"limit": 0.8}, **QUICK)
    assert set(compare(low, high).results) == {"Cheap", "Cheap #2"}
    assert compare(low).differences.empty
    with pytest.raises(UserError, match="different cash"):
        compare(low, backtest(Cheap, cash=5, **QUICK))
    with pytest.raises(UserError, match="different pieces of data"):
        compare(low, backtest(Cheap, timerange="2026-09-10..2026-09-12", stake=10))
    with pytest.raises(UserError, match="have not run"):
        compare(low, Cheap)


def test_several_together_are_one_run():
    result = backtest(["LLMForecast", Cheap], **QUICK)
    assert set(result.round_trips["ledger"]) <= {"LLMForecast", "Cheap"}
    assert len(result.report["manifest"]["config"]["config"]["strategies"]) == 2


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda: backtest("Cheep"), PluginError, "no strategy named Cheep"),
        (lambda: backtest(int), PluginError, "is no strategy"),
        (lambda: backtest(Cheap, cash=-1), ConfigError, "account.cash"),
        (lambda: backtest(Cheap, stake="much"), UserError, "a stake of 'much'"),
        (lambda: backtest(Cheap, max_open=0), UserError, "at most 0 open"),
        (lambda: backtest(Cheap, settings={"limt": 1}), ConfigError, "limt"),
        (lambda: backtest(Cheap, config={"acount": {}}), ConfigError, "acount"),
        (lambda: backtest(Cheap, markets="x"), ConfigError, "market 'x'"),
        (lambda: backtest([]), UserError, "no strategy"),
        (compare, UserError, "no strategy"),
        (lambda: compare(Cheap, Cheap), ConfigError, "named twice"),
        (lambda: backtest(Broken, timerange=DAYS), PluginError, "my bug"),
    ],
)
def test_what_cannot_be_meant_says_so(call, error, said):
    with pytest.raises(error, match=said) as caught:
        call()
    assert caught.value.hint or said == "my bug"


CELLS = '''
import linecache, sys
from polyframe import backtest

del sys.modules["__main__"].__file__
hashes = []
for number, low in enumerate(("0.2", "0.2", "0.3")):
    text = """
from polyframe import HOUR, Every, Intent, Side, Strategy, Subscription

LOW = {low}

class Mine(Strategy):
    def subscribe(self, markets):
        return Subscription(wake=(Every(24 * HOUR),))

    def on_wake(self, event, view):
        for market in view.markets():
            quote = view.book(market.yes.id)
            if quote.trusted and quote.ask and quote.ask / market.price_one < LOW:
                yield Intent(token=market.yes.id, side=Side.BUY, price=quote.ask, probability=0.9)
""".format(low=low)
    name = f"<ipython-input-{number}>"
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    exec(compile(text, name, "exec"), sys.modules["__main__"].__dict__)
    result = backtest(Mine, timerange="2026-09-10..2026-09-12", stake=5)
    hashes.append(result.report["hash"])
assert hashes[0] == hashes[1] != hashes[2], hashes
'''


def test_a_class_of_a_notebook_s_cell_runs_and_its_source_is_hashed(here, root):
    (here / "cells.py").write_text(CELLS)
    done = subprocess.run(
        [sys.executable, "cells.py"], capture_output=True, text=True, timeout=120, cwd=here,
        env={**os.environ, "PYTHONPATH": str(root)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
