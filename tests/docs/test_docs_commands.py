"""The page of commands says what the command line has: all of it, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
import typer
from docs_blocks import ROOT

from polyframe.cli.main import VERBS
from polyframe.errors import (
    DataError,
    ExchangeError,
    ForecastError,
    InvariantError,
    PolyframeError,
    UserError,
)

PAGE = ROOT / "docs" / "cli.md"
# Every command has the first; typer adds the others to some, for the shell and not for the reader.
UNSAID = {"--help", "--install-completion", "--show-completion"}


def commands() -> Iterator[tuple[str, Any]]:
    """Every command that can be typed, with its parser."""
    for verb, (place, _) in VERBS.items():
        module, _, attribute = place.partition(":")
        command = typer.main.get_command(getattr(import_module(module), attribute))
        yield from walk(f"polyframe {verb}", command)


def walk(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name, command
        return
    for word, found in inner.items():
        yield from walk(f"{name} {word}", found)


COMMANDS = dict(commands())


def section(name: str) -> str:
    """What the page says under a command's title, up to the next title."""
    found = re.search(rf"(?ms)^#+ {re.escape(name)}\n(.*?)(?=^#|\Z)", outside_blocks())
    assert found is not None, f"docs/cli.md has no title {name!r}"
    return found[1]


def outside_blocks() -> str:
    return re.sub(r"(?s)```.*?```", "", PAGE.read_text())


def table(name: str) -> dict[str, str]:
    """The table of options and arguments: the last cell by the first."""
    lines = [line for line in section(name).splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
    return {row[0]: row[-1] for row in cells if row[1] != "meaning"}


def word_of(parameter: Any) -> str:
    """How the page calls an option or an argument."""
    if parameter.param_type_name == "option":
        return str(parameter.opts[0])
    return str(parameter.metavar or parameter.name).strip("[]").upper()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_on_the_page_and_no_other(name: str) -> None:
    there = {
        word
        for parameter in COMMANDS[name].params
        if parameter.param_type_name == "option"
        for word in (*parameter.opts, *parameter.secondary_opts)
    }
    said = {word for cell in table(name) for word in re.findall(r"`(--?[\w-]+)`", cell)}
    assert said == there - UNSAID


@pytest.mark.parametrize("name", COMMANDS)
def test_arguments_stand_in_the_table_in_their_order(name: str) -> None:
    parameters = COMMANDS[name].params
    there = [word_of(p) for p in parameters if p.param_type_name == "argument"]
    assert [cell for cell in table(name) if not cell.startswith("`-")] == there


@pytest.mark.parametrize("name", COMMANDS)
def test_the_page_states_every_default(name: str) -> None:
    stated = {cell.split()[0].strip("`,"): text.strip("`") for cell, text in table(name).items()}
    there = {
        word_of(parameter): str(parameter.default)
        for parameter in COMMANDS[name].params
        # None and "" mean that the configuration decides.
        if parameter.default not in {None, "", False} and word_of(parameter) not in UNSAID
    }
    assert {word: stated.get(word) for word in there} == there


def test_every_title_is_a_command() -> None:
    titles = re.findall(r"(?m)^#+ (polyframe .*)$", outside_blocks())
    groups = {name.rpartition(" ")[0] for name in COMMANDS} - {"polyframe"}
    assert sorted(titles) == sorted(set(COMMANDS) | groups)


def test_the_exit_codes_are_those_of_the_errors() -> None:
    said = {int(code) for code in re.findall(r"(?m)^\| (\d+) \|", outside_blocks())}
    errors = (PolyframeError, UserError, DataError, ExchangeError, ForecastError, InvariantError)
    assert said == {0, 130, 141, 143} | {error.exit_code for error in errors}
