"""``polyframe forecast evaluate`` on a catalogue and, where they are at hand, on recordings."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from polyframe.cli.main import main
from polyframe.lab.synth import sample_dir


@pytest.fixture
def evaluate(capsys: pytest.CaptureFixture[str]) -> Any:
    def go(*args: str) -> tuple[int, dict[str, Any]]:
        code = main(["forecast", "evaluate", *args, "--json"])
        return code, json.loads(capsys.readouterr().out)

    return go


def test_the_catalogue_of_a_backtest(evaluate: Any, capsys: pytest.CaptureFixture[str]) -> None:
    code, found = evaluate(str(sample_dir()))
    assert code == 0
    assert found["version"] == 1
    assert found["verdict"]["against"] == "market"
    assert found["read"] == found["rows"] + sum(found["left_out"].values())
    assert found["events"] < found["rows"]
    assert {r["name"] for r in found["references"]} == {"one half", "base rate", "market"}
    assert main(["forecast", "evaluate", str(sample_dir())]) == 0
    page = " ".join(capsys.readouterr().out.split())
    assert page.startswith(" ".join(found["verdict"]["text"].split()))
    for title in ("Scores", "beyond the market", "Calibration", "By category"):
        assert title in page


def test_a_catalogue_takes_no_columns_and_a_file_no_source(evaluate: Any, tmp_path: Path) -> None:
    code, found = evaluate(str(sample_dir()), "--p", "x")
    assert code == 2
    assert "catalogue has columns of its own" in found["error"]["message"]
    code, found = evaluate(str(sample_dir()), "--source", "nobody")
    assert code == 3
    assert "none of 0 forecasts of nobody" in found["error"]["message"]
    code, found = evaluate(str(tmp_path / "gone.csv"))
    assert (code, found["error"]["type"]) == (2, "UserError")


@pytest.fixture(scope="module")
def recordings(shared: Path) -> Path:
    folder = shared / "data" / "forecasts"
    if not (folder / "forecastbench.parquet").is_file():
        pytest.skip("../shared/data/forecasts is absent")
    return folder


PRESETS = [
    ("forecastbench", "forecastbench", (), 778, "better"),
    ("metaculus_llm_forecasts", "metaculus_llm", (), 300, "not distinguishable"),
    ("metaculus_pro_forecasts_q1_2025", "metaculus_pros", (), 36, "better"),
    ("metaculus_bots_pros_2024q2q3", "metaculus_bots", (), 13, "not distinguishable"),
    ("llm_polymarket_gpt4o", "gpt4o_polymarket", ("--clamp", "0.01"), 180, "contaminated"),
]


@pytest.mark.parametrize(("file", "preset", "more", "events", "code"), PRESETS)
def test_each_preset_reads_its_file(
    evaluate: Any, recordings: Path, root: Path, file: str, preset: str, more: tuple[str, ...],
    events: int, code: str,
) -> None:  # fmt: skip
    mapping = root / "docs" / "mappings" / "forecasts" / f"{preset}.json"
    done, found = evaluate(str(recordings / f"{file}.parquet"), "--map", str(mapping), *more)
    assert done == 0
    assert (found["events"], found["verdict"]["code"]) == (events, code)
    assert found["verdict"]["against"] == "base rate"


def test_repeated_rounds_of_a_question_do_not_narrow_the_interval(
    evaluate: Any, recordings: Path, root: Path
) -> None:
    mapping = str(root / "docs" / "mappings" / "forecasts" / "forecastbench.json")
    path = str(recordings / "forecastbench.parquet")
    _, clustered = evaluate(path, "--map", mapping)
    _, naive = evaluate(path, "--p", "p_crowd", "--y", "resolved_to")
    assert (naive["events"], clustered["events"]) == (1374, 778)
    width = [f["brier"]["high"] - f["brier"]["low"] for f in (clustered, naive)]
    assert width[0] > width[1]
    assert any("--event" in note for note in naive["notes"])


def test_certain_forecasts_are_refused_with_the_next_step(
    evaluate: Any, recordings: Path, root: Path
) -> None:
    mapping = str(root / "docs" / "mappings" / "forecasts" / "gpt4o_polymarket.json")
    code, found = evaluate(str(recordings / "llm_polymarket_gpt4o.parquet"), "--map", mapping)
    assert code == 3
    assert "24 rows with p of 0 or 1" in found["error"]["message"]
    assert "--clamp" in found["error"]["hint"]


def test_a_file_without_forecasts_says_what_is_missing(evaluate: Any, recordings: Path) -> None:
    code, found = evaluate(str(recordings / "fortest_polymarket_resolved.parquet"))
    assert code == 3
    assert "no column says what p is" in found["error"]["message"]


def test_the_page_shows_what_the_study_finds(recordings: Path, root: Path) -> None:
    if not (root / "benchmarks").is_dir():
        pytest.skip("the benchmarks are not part of this checkout")
    command = [sys.executable, "-m", "benchmarks.forecast_study", str(recordings), "--json"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    page = (root / "docs" / "forecasting.md").read_text()
    for row in found["head to head"]:
        shown = f"{row['gain']:+.4f} | {row['low']:+.4f} to {row['high']:+.4f} |"
        assert f"| {row['rule']} | {row['over']} | {shown}" in page
    shown = re.findall(
        r"(?m)^\| ([^|]+) \| (0\.\d{4}) \| (0\.\d{4}) \| (\S+) \| (\S+) to (\S+) \|$", page
    )
    rows = {
        (row["rule"], *(f"{row[k]:.4f}" for k in ("brier", "log")),
         *(f"{row[k]:+.4f}" for k in ("gain", "low", "high")))
        for part in ("language models", "crowd")
        for row in found[part]
    }  # fmt: skip
    assert len(shown) == 20
    assert set(shown) <= rows
    # What the page concludes.
    gains = {row["rule"]: row for row in found["language models"]}
    assert all(row["low"] > 0.0 for name, row in gains.items() if name.endswith("platt 10"))
    assert all(row["low"] < 0.0 for name, row in gains.items() if name.endswith("raw"))
    assert found["picked by the nested choice"][-1]["rule"] == "weighted log-odds, platt 10"
