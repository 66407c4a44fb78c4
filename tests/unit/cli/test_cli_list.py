"""``polyframe list``: what can be named in another command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from polyframe.cli import list as verb
from polyframe.cli.console import console
from polyframe.cli.main import main

MINE = '''
from polyframe import Choice, Int, PluginConfig, Real, Strategy


class Mine(Strategy):
    """Does [bold]nothing[/bold] at all.

    And says more here.
    """

    class Config(PluginConfig):
        window: int = Int(12, 2, 48, step=2)
        drop: float = Real(0.1, 0.01, 0.5, log=True)
        side: str = Choice("yes", ["yes", "no"])
        must: str
'''


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(console, "width", 160)
    folder = tmp_path / "user_data" / "strategies"
    folder.mkdir(parents=True)
    (folder / "mine.py").write_text(MINE)
    return tmp_path / "user_data"


def answer(capsys, *words: str, code: int = 0) -> dict:
    assert main(["list", *words, "--json"]) == code
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("word", "one"),
    [
        ("strategies", "LLMForecast"), ("forecasters", "Recorded"), ("protections", "MaxStake"),
        ("sizers", "FixedSizer"),
        ("styles", "TWAP"),
    ],
)  # fmt: skip
def test_each_kind_of_plugin_is_listed(user, capsys, word, one):
    found = answer(capsys, word)["plugins"]
    assert one in [plugin["name"] for plugin in found]
    assert len({plugin["kind"] for plugin in found}) == 1
    assert main(["list", word]) == 0
    assert one in capsys.readouterr().out


def test_settings_come_with_defaults_and_ranges(user, capsys):
    (mine,) = answer(capsys, "strategies", "Mine")["plugins"]
    assert mine["what"] == "Does [bold]nothing[/bold] at all."
    by_name = {setting["name"]: setting for setting in mine["settings"]}
    assert by_name["window"]["default"] == 12
    assert by_name["window"]["search"]["step"] == 2
    assert by_name["must"]["required"]
    assert by_name["must"]["search"] is None
    assert main(["list", "strategies", "-v"]) == 0
    text = capsys.readouterr().out
    for word in ("2 to 48 by 2", "0.01 to 0.5, log", "yes | no", "(to be stated)", "[bold]"):
        assert word in text
    assert "LLMForecast" in text
    assert main(["list", "strategies"]) == 0
    text = capsys.readouterr().out
    assert "mine.py" in text
    assert "2 to 48" not in text


def test_the_same_plugin_is_described_alike_by_both_verbs(user, capsys):
    listed = answer(capsys, "strategies")["plugins"]
    assert main(["plugins", "--json"]) == 0
    known = json.loads(capsys.readouterr().out)["plugins"]
    assert listed == [plugin for plugin in known if plugin["kind"] == "strategy"]


def test_a_broken_file_is_listed_as_broken(user, capsys):
    (user / "strategies" / "torn.py").write_text("class Torn(:\n")
    assert [b["module"] for b in answer(capsys, "strategies")["broken"]] == ["torn"]
    assert main(["list", "strategies"]) == 0
    text = capsys.readouterr().out
    assert "torn.py:1" in text
    assert "polyframe plugins --broken" in text


@pytest.mark.parametrize(
    ("words", "said", "expected"),
    [
        (("strategy",), "No such command 'strategy'", None),
        (("strategies", "Min"), "no strategy named Min", "Mine?"),
        (("markets", "--category", "financ"), "category 'financ'", "finance?"),
        (("markets", "--data", "nowhere"), "nowhere is no catalogue", None),
        (("markets", "--limit", "-1"), "'--limit'", None),
    ],
)
def test_unknown_words_are_told_with_the_nearest(user, capsys, words, said, expected):
    error = answer(capsys, *words, code=2)["error"]
    assert said in error["message"]
    assert error["hint"].startswith("polyframe ")
    assert expected is None or error["expected"] == expected


def test_without_a_word_the_words_are_told(user, capsys):
    assert main(["list"]) == 2
    text = capsys.readouterr().err
    assert "markets" in text
    assert "Error" not in text


def test_markets_with_what_is_on_record(user, capsys):
    found = answer(capsys, "markets", "--limit", "0")
    markets = found["markets"]
    assert found["found"] == len(markets) == 120
    assert markets == sorted(markets, key=lambda m: (m["closes"], m["id"]))
    assert all(m["prices"] > 0 for m in markets)
    assert sum(m["forecasts"] for m in markets) > 1_000
    assert {m["outcome"] for m in markets} > {"Yes", "No"}
    few = answer(capsys, "markets", "COIN 304", "--category", "Crypto", "--forecasted")
    assert 0 < few["found"] < 10
    assert all("304" in m["question"] for m in few["markets"])
    assert answer(capsys, "markets", "--unresolved")["found"] == 0
    assert len(answer(capsys, "markets", "--limit", "3")["markets"]) == 3


@pytest.mark.parametrize("width", [80, 160])
def test_a_list_of_markets_keeps_their_ids_whole(user, capsys, monkeypatch, width):
    monkeypatch.setattr(console, "width", width)
    ids = [m["id"] for m in answer(capsys, "markets", "--limit", "4")["markets"]]
    assert main(["list", "markets", "--limit", "4"]) == 0
    text = capsys.readouterr().out
    assert all(id in text for id in ids)
    assert "4 of 120" in text
    assert main(["list", "markets", "no such words"]) == 0
    assert "polyframe list markets" in capsys.readouterr().out


def test_runs_newest_first_with_their_interval_and_what_cannot_be_read(user, capsys):
    assert answer(capsys, "runs") == {"version": 1, "found": 0, "runs": []}
    assert main(["list", "runs"]) == 0
    assert "polyframe backtest" in capsys.readouterr().out
    reports = []
    for seed in ("1", "2"):
        words = ["--timerange", "2026-09-10..2026-09-14", "--record", "none", "--no-robust"]
        assert main(["backtest", "-s", "LLMForecast", "--seed", seed, "--json", *words]) == 0
        reports.append(json.loads(capsys.readouterr().out))
    torn = user / "runs" / "20200101T000000-000000000000"
    torn.mkdir()
    (torn / "report.json").write_text("{")
    lines = answer(capsys, "runs")["runs"]
    assert [line["run"] for line in lines[:2]] == [r["run"] for r in reversed(reports)]
    assert lines[2]["broken"]
    line, summary = lines[0], reports[1]["summary"]
    assert (line["strategies"], line["hash"]) == (["LLMForecast"], reports[1]["hash"])
    assert (line["pnl"], line["effective_n"]) == (summary["pnl"], summary["effective_n"])
    assert line["trials"] == 2
    if summary["per_event"]["low"] is not None:
        low = summary["per_event"]["low"] * summary["effective_n"]
        assert line["low"] == pytest.approx(low)
    assert len(answer(capsys, "runs", "-s", "LLMForecast", "--limit", "1")["runs"]) == 1
    error = answer(capsys, "runs", "-s", "LLMForcast", code=2)["error"]
    assert error["expected"] == "LLMForecast?"
    assert main(["list", "runs"]) == 0
    assert "broken" in capsys.readouterr().out


def test_every_word_has_a_sentence():
    for command in verb.app.registered_commands:
        assert (command.help or command.callback.__doc__ or "").strip()
