"""``polyframe config``."""

from __future__ import annotations

import json

import pytest

from polyframe.cli.main import main
from polyframe.runtime.config import Config


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    for name in ("OPENAI_API_KEY", "POLYMARKET_PRIVATE_KEY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def answer(capsys, *line: str):
    assert main(["config", *line, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_show_without_a_file_shows_the_defaults(capsys):
    shown = answer(capsys, "show")
    assert shown["config"] == Config().plain()
    assert shown["files"] == []
    assert shown["digest"] == Config().digest()


def test_show_says_where_each_value_comes_from(here, monkeypatch, capsys):
    (here / "config.json").write_text('{"account": {"cash": 5}}')
    (here / "config.dev.json").write_text('{"session": {"seed": 2}}')
    monkeypatch.setenv("POLYFRAME__SESSION__NAME", "mine")
    shown = answer(capsys, "show", "--sources", "--profile", "dev")
    assert shown["sources"]["account.cash"] == "config.json"
    assert shown["sources"]["session.seed"] == "config.dev.json"
    assert shown["sources"]["session.name"] == "POLYFRAME__SESSION__NAME"
    assert shown["sources"]["venue.orders"] == "default"
    assert main(["config", "show", "--sources"]) == 0
    assert "POLYFRAME__SESSION__NAME" in capsys.readouterr().out


def test_secrets_are_masked_wherever_they_come_from(here, monkeypatch, capsys):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-verysecretverysecret")
    (here / ".env").write_text("POLYMARKET_PRIVATE_KEY=0xdeadbeef\n")
    for line in (["show"], ["show", "--json"], ["show", "--sources"]):
        assert main(["config", *line]) == 0
        text = capsys.readouterr().out
        assert "verysecret" not in text
        assert "deadbeef" not in text
        assert text.count("********") == 2


def test_schema_describes_what_the_shipped_file_uses(capsys):
    schema = answer(capsys, "schema")
    assert set(Config().plain()) == set(schema["properties"])
    protection = schema["$defs"]["ProtectionUse"]
    assert "for" in protection["properties"]
    assert protection["additionalProperties"] is False
    assert main(["config", "schema"]) == 0
    assert json.loads(capsys.readouterr().out) == schema


def test_check_passes_on_the_defaults(capsys):
    checked = answer(capsys, "check")
    assert checked["ok"]
    assert {"kind": "protection", "name": "MaxStake", "path": "protections"} in checked["plugins"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ({"strategies": [{"use": "LLMForcast"}]}, "strategies[0].use: there is no strategy"),
        (
            {"strategies": [{"use": "LLMForecast", "config": {"min_edg": 1}}]},
            "strategies[0].config.min_edg is not a setting",
        ),
        (
            {"protections": [{"use": "MaxStake", "config": {"stake": "x"}}]},
            "protections[0].config.stake",
        ),
        ({"venue": {"sim": {"latency": 1}}}, "venue.sim.latency is not a setting"),
        (
            {"strategies": [{"use": "LLMForecast", "sizer": {"use": "Kelly"}}]},
            "no sizer named Kelly",
        ),
        ({"sizer": {"use": "Kelly"}}, "no sizer named Kelly"),
        ({"sizer": {"use": "KellySizer", "config": {"fraction": 5}}}, "fraction is 5"),
        (
            {"protections": [{"use": "MaxStake", "config": {"stake": 1e300}}]},
            "protections[0].config of MaxStake: amount",
        ),
        (
            {"protections": [{"use": "OpenPositions", "config": {"markets": 10**20}}]},
            "protections[0].config of OpenPositions: a limit is too large",
        ),
        (
            {"protections": [{"use": "PriceBand", "config": {"low": 0.9, "high": 0.1}}]},
            "protections[0].config: low 0.9 is not below high 0.1",
        ),
        (
            {"protections": [{"use": "KillSwitch", "enabled": False}]},
            "KillSwitch always guards",
        ),
        (
            {"protections": [{"use": "DrawdownHeat", "config": {"steps": [[0.1]]}}]},
            "protections[0].config.steps[0][1] is missing",
        ),
        ({"forecasters": {"a": {"use": "Recordd"}}}, "no forecaster named Recordd"),
        ({"account": {"cash": 0}}, "account.cash is 0"),
    ],
)
def test_check_names_what_is_wrong(here, text, found, capsys):
    (here / "config.json").write_text(json.dumps(text))
    assert main(["config", "check"]) == 2
    printed = capsys.readouterr().err
    assert found in printed
    assert "config.json" in printed


def test_a_named_file_must_exist(capsys):
    assert main(["config", "show", "-c", "missing.json"]) == 2
    assert "missing.json does not exist" in capsys.readouterr().err


def test_check_refuses_what_a_backtest_refuses(here, capsys):
    file = here / "twice.json"
    guards = [{"use": "MaxStake"}, {"use": "MaxStake"}]
    file.write_text(json.dumps({"strategies": [{"use": "LLMForecast"}], "protections": guards}))
    said = []
    for verb in (["config", "check"], ["backtest"]):
        assert main([*verb, "-c", "twice.json"]) == 2
        said.append(capsys.readouterr().err)
    for text in said:
        assert "protections[1]: MaxStake is set twice for all strategies\n" in text
        assert "Next: polyframe config show -c twice.json\n" in text
    assert "twice.json: protections[1]" in said[0]


@pytest.mark.parametrize("names", [["LLMForecast", "LLMForecast"], ["calm", "LLMForecast"]])
def test_a_strategy_that_is_named_twice_is_refused(here, names, capsys):
    file = here / "calm.json"
    file.write_text(json.dumps({"strategies": [{"use": "LLMForecast", "name": names[0]}]}))
    options = [part for name in names for part in ("-s", name)]
    assert main(["backtest", "-c", "calm.json", *options]) == 2
    text = capsys.readouterr().err
    assert f"Error: strategy {names[0]} is named twice\n" in text
    assert '{"use": "LLMForecast", "name": "a"}' in text
    assert "Traceback" not in text


def test_a_strategy_beside_one_that_has_all_the_money_is_refused(here, capsys):
    file = here / "all.json"
    file.write_text(json.dumps({"strategies": [{"use": "LLMForecast", "allocation": 1}]}))
    assert main(["backtest", "-c", "all.json", "-s", "LLMForecast", "-s", "Other"]) == 2
    assert "an allocation left for strategy Other" in capsys.readouterr().err
