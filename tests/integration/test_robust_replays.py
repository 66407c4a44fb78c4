"""The run once more under other assumptions: real replays, or a row that says how to have them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from polyframe.cli.main import main
from polyframe.lab.backtest import run
from polyframe.lab.replays import HOW, JITTER, SMALL, moved, replayed
from polyframe.lab.synth import sample_dir
from polyframe.runtime.config import plugin_config, validated
from polyframe.runtime.plugins import Registry
from polyframe.strategies.llm_forecast import LLMForecast

WORDS = ["backtest", "-s", "LLMForecast", "--category", "finance", "--record", "none", "--json"]


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def rows(capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, dict]:
    assert main([*WORDS, *more]) == 0
    report = json.loads(capsys.readouterr().out)
    found = {row["name"]: row for row in report["robustness"]["replays"]}
    assert len(found) == len(report["robustness"]["replays"])
    return found


def test_a_small_run_is_replayed_with_late_fills(capsys):
    late, *others = rows(capsys).values()
    assert late["name"] == "fills one row later"
    assert [(row["pnl"], row["note"]) for row in others] == 5 * [(None, HOW)]
    # It is what a run with that setting gives, not an estimate.
    config = validated(
        {
            "strategies": [{"use": "LLMForecast"}],
            "data": {"category": "finance"},
            "venue": {"sim": {"delay_rows": 1}},
        }
    )
    done = run(config, Registry.load(Path("user_data")), sample_dir(), runs=None)
    assert late["pnl"] == done.report.summary.pnl
    assert late["fills"] == done.report.summary.fills > 0
    assert late["per_event"]["mean"] == done.report.summary.per_event.mean


def test_no_robust_leaves_the_line_and_says_how(capsys):
    found = rows(capsys, "--no-robust").values()
    assert len(found) == 6
    for row in found:
        assert (row["pnl"], row["per_event"], row["fills"]) == (None, None, None)
        assert row["note"] == HOW == "not run; polyframe backtest --robust runs it"


def test_a_large_run_is_not_replayed_unasked():
    def never(config):
        raise AssertionError("a replay that nobody asked for")

    config = validated({"strategies": [{"use": "LLMForecast"}]})
    row, *_ = replayed(config, Registry.load(Path("user_data")), never, "small", SMALL + 1)
    assert row.per_event is None
    assert f"{SMALL + 1:,} steps" in row.note


def test_robust_runs_all_of_them(capsys):
    found = rows(capsys, "--robust")
    assert list(found) == [
        "fills one row later",
        "spread, impact and fee doubled",
        "fee half as much again",
        "latency three times",
        "the other fill model",
        "parameters moved by up to 20%",
    ]
    assert all(row["pnl"] is not None and row["fills"] > 0 for row in found.values())
    moved_by = found["parameters moved by up to 20%"]
    assert "the worst of 4 draws: " in moved_by["note"]
    shown = [float(word) for word in moved_by["note"].split(": ")[1].replace(",", " ").split()]
    assert min(shown) == pytest.approx(float(moved_by["pnl"]), abs=0.006)


def test_parameters_move_within_their_ranges():
    registry = Registry.load(Path("user_data"))
    settings = {"weight": 0.99, "min_edge": 0.01}  # the one at the top, the other at the bottom
    config = validated({"strategies": [{"use": "LLMForecast", "config": settings}]})
    rng = np.random.default_rng(1)
    seen = set()
    for _ in range(20):
        other = moved(config, registry, rng)
        assert other is not None
        values = plugin_config(LLMForecast, other.strategies[0].config, "")
        assert 0.99 * (1 - JITTER) <= values.weight <= 1.0
        assert 0.01 <= values.min_edge <= 0.01 * (1 + JITTER)
        seen.add(values.weight)
    assert len(seen) > 5
    assert moved(config, registry, np.random.default_rng(1)) == moved(
        config, registry, np.random.default_rng(1)
    )


def test_a_strategy_without_ranges_is_told(capsys):
    kinds = Path("user_data/strategies")
    kinds.mkdir(parents=True)
    (kinds / "still.py").write_text(
        "from polyframe import Strategy\n\n\nclass Still(Strategy):\n    pass\n"
    )
    words = ["Still" if word == "LLMForecast" else word for word in WORDS]
    assert main([*words, "--robust"]) == 0
    replays = json.loads(capsys.readouterr().out)["robustness"]["replays"]
    assert "no strategy declares a range" in replays[-1]["note"]
