"""The command's frame: verbs, help, errors and exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from types import ModuleType

import pytest
import typer

import polyframe
from polyframe.cli import main as frame
from polyframe.cli.main import VERBS, main
from polyframe.errors import (
    BudgetExceeded,
    ConfigError,
    ExchangeError,
    GapError,
    InvariantError,
    PluginError,
    PolyframeError,
)


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


def test_a_reader_that_goes_away_is_no_defect():
    command = f'"{sys.executable}" -m polyframe.cli.main plugins --json'
    command += " | head -c 1; exit ${PIPESTATUS[0]}"
    done = subprocess.run(
        ["bash", "-c", command], capture_output=True, text=True, env=os.environ, check=False
    )
    assert done.stdout == "{"
    assert done.returncode in {0, frame.CLOSED_PIPE}
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
