"""The command's frame: verbs, help, errors and exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from importlib import import_module
from types import ModuleType

import pytest
import typer

import polyframe
from polyframe.cli import main as frame
from polyframe.cli.main import VERBS, main
from polyframe.cli.next_step import fitting
from polyframe.errors import (
    BudgetExceeded,
    ConfigError,
    ExchangeError,
    GapError,
    InvariantError,
    PluginError,
    PolyframeError,
)

SLOW = '''
import os
import time
from pathlib import Path

from polyframe import Strategy, Subscription


class Slow(Strategy):
    """Waits whenever it is called."""

    def subscribe(self, markets):
        return Subscription()

    def on_start(self, event, view):
        Path(os.environ["STARTED"]).touch()
        time.sleep(8)
        return ()
'''
"""A strategy that is still at work when the signal comes."""


@pytest.fixture
def verb(monkeypatch):
    """Makes a real typer app reachable as the verb ``probe``."""

    def make(function) -> None:
        app = typer.Typer(add_completion=False)
        app.command()(function)
        module = ModuleType("probe_verb")
        module.app = app
        monkeypatch.setitem(sys.modules, "probe_verb", module)
        monkeypatch.setitem(VERBS, "probe", ("probe_verb:app", "A probe"))

    return make


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_of_the_table_is_there_and_has_help(name, capsys):
    module, _, attribute = VERBS[name][0].partition(":")
    assert isinstance(getattr(import_module(module), attribute), typer.Typer)
    assert main([name, "--help"]) == 0
    assert f"polyframe {name}" in capsys.readouterr().out


def test_help_lists_every_verb_and_no_arguments_do_so_too(capsys):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    for name, (_, what) in VERBS.items():
        assert name in text
        assert what in text
    assert main([]) == 2
    assert capsys.readouterr().out == text


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"polyframe {polyframe.__version__}\n"


@pytest.mark.parametrize("line", [["--help"], ["--version"], ["no-such-verb"]])
def test_the_frame_loads_nothing_heavy(line):
    code = (
        "import sys\nfrom polyframe.cli.main import main\n"
        f"main({line!r})\n"
        "heavy = {'numpy', 'pandas', 'numba', 'pyarrow', 'pydantic', 'httpx'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("line", "found", "expected"),
    [
        (["bcktest"], "bcktest is not a command", "backtest?"),
        (["zzz"], "zzz is not a command", "one of backtest"),
        (["--vrsion"], "--vrsion is not an option", "--version?"),
        (["plugins", "--brokn"], "--brokn", None),
        (["new", "strategy"], "Missing argument", None),
        (["config", "shwo"], "shwo", None),
    ],
)
def test_a_mistyped_line_names_the_nearest_one(line, found, expected, capsys):
    assert main(line) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert found in printed.err
    assert "Next: polyframe" in printed.err
    if expected:
        assert f"Expected: {expected}" in printed.err
    if line[0] in {"plugins", "config"}:
        assert {"plugins": "--broken", "config": "show"}[line[0]] in printed.err

    assert main([*line, "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["exit_code"] == 2
    assert found in error["message"]


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError, 2),
        (PluginError, 2),
        (GapError, 3),
        (ExchangeError, 4),
        (BudgetExceeded, 5),
        (InvariantError, 70),
        (PolyframeError, 1),
    ],
)
def test_errors_become_a_message_and_their_exit_code(verb, error, code, capsys):
    def probe(as_json: bool = typer.Option(False, "--json")) -> None:
        raise error("found [this]", expected="that", hint="polyframe do")

    verb(probe)
    assert main(["probe"]) == code
    assert capsys.readouterr().err == ("Error: found [this]\nExpected: that\nNext: polyframe do\n")
    assert main(["probe", "--json"]) == code
    assert json.loads(capsys.readouterr().out) == {
        "error": {
            "type": error.__name__,
            "message": "found [this]",
            "expected": "that",
            "hint": "polyframe do",
            "exit_code": code,
        }
    }


def test_a_defect_shows_its_traceback_and_asks_to_report_it(verb, capsys):
    def probe(as_json: bool = typer.Option(False, "--json")) -> None:
        raise KeyError("lost")

    verb(probe)
    assert main(["probe"]) == 70
    printed = capsys.readouterr()
    assert "Traceback" in printed.err
    assert "KeyError: 'lost'" in printed.err
    assert "please report" in printed.err
    assert main(["probe", "--json"]) == 70
    assert json.loads(capsys.readouterr().out)["error"]["exit_code"] == 70


def test_the_exit_code_is_what_the_verb_returns_or_says(verb, capsys):
    def probe(code: int) -> int:
        if code > 10:
            raise typer.Exit(code)
        return code

    verb(probe)
    assert [main(["probe", str(n)]) for n in (0, 3, 11)] == [0, 3, 11]


def test_an_interrupt_is_130(verb, capsys):
    def probe() -> None:
        raise KeyboardInterrupt

    verb(probe)
    assert main(["probe"]) == 130
    assert "Interrupted" in capsys.readouterr().err


def piped_to_nobody(*line: str) -> subprocess.Popen[str]:
    """A command whose reader is gone before it writes."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        return subprocess.Popen(
            [sys.executable, "-m", "polyframe.cli.main", *line],
            stdout=writer,
            stderr=subprocess.PIPE,
            text=True,
        )
    finally:
        os.close(writer)


@pytest.mark.parametrize(
    "line",
    [
        ["--help"],
        ["--version"],
        ["plugins"],
        ["plugins", "--json"],
        ["config", "show"],
        ["config", "show", "--json"],
        ["report", "--schema"],
        ["config", "schema"],
    ],
)
def test_a_reader_that_goes_away_is_141_and_no_defect(line):
    command = piped_to_nobody(*line)
    _, errors = command.communicate(timeout=60)
    assert command.returncode == frame.CLOSED_PIPE, errors
    assert errors == ""


def test_a_run_that_is_terminated_ends_with_143_and_leaves_no_journal(tmp_path):
    strategy = tmp_path / "user_data" / "strategies" / "slow.py"
    strategy.parent.mkdir(parents=True)
    strategy.write_text(SLOW)
    started = tmp_path / "started"
    command = subprocess.Popen(
        [sys.executable, "-m", "polyframe.cli.main", "backtest", "-s", "Slow"],
        cwd=tmp_path,
        env={**os.environ, "STARTED": str(started)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not started.exists() and command.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    runs = tmp_path / "user_data" / "runs"
    open_journals = [file.name for file in runs.glob(".journal-*")]
    command.terminate()
    out, errors = command.communicate(timeout=60)
    assert open_journals, errors
    assert command.returncode == 143, errors
    assert errors == "Terminated.\n"
    assert out == ""
    assert list(runs.iterdir()) == []


def test_after_a_command_sigterm_is_what_it_was(capsys):
    before = signal.getsignal(signal.SIGTERM)
    assert main(["--version"]) == 0
    capsys.readouterr()
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(
    ("options", "repeated"),
    [
        ([], ""),
        (["-c", "bad.json"], " -c bad.json"),
        (["-cbad.json"], " -c bad.json"),
        (["--config=bad.json", "--profile", "dev"], " -c bad.json --profile dev"),
        (["-c", "my bad.json", "--json", "-c", "b.json"], " -c 'my bad.json' -c b.json"),
        (["--user-data", "mine", "--cash", "5"], " --user-data mine"),
        (["--", "-c", "bad.json"], ""),
    ],
)
def test_the_next_step_repeats_what_chose_the_configuration(options, repeated):
    error = ConfigError("wrong", hint="rename it to cash, then: polyframe config check")
    line = ["backtest", *options]
    assert fitting(error, line) == f"rename it to cash, then: polyframe config check{repeated}"
    assert fitting(ConfigError("wrong", hint="polyframe init"), line) == "polyframe init"
    assert fitting(ConfigError("wrong"), line) is None


def test_a_wrong_option_leads_to_the_help_of_its_command(capsys):
    assert main(["backtest", "-s", "LLMForecast", "--cash", "much"]) == 2
    assert "Next: polyframe backtest --help\n" in capsys.readouterr().err
