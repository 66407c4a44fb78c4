"""Writes new files from templates, and never over something that is there."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path
from string import Template

from polyframe.errors import UserError

SUITES = {
    "strategy": "StrategySuite",
    "forecaster": "ForecasterSuite",
    "protection": "ProtectionSuite",
    "exchange": "ExchangeSuite",
    "execution_style": "StyleSuite",
}
"""The kinds that have a template, and the suite that tests them."""


def template(name: str) -> str:
    """The text of a template."""
    return (files("polyframe.cli") / "templates" / f"{name}.txt").read_text(encoding="utf-8")


def stem_of(name: str) -> str:
    """The file name of a class: ``MyIdea`` -> ``my_idea``, ``LLMBet`` -> ``llm_bet``."""
    stem = ""
    for i, letter in enumerate(name):
        after_small = i > 0 and (name[i - 1].islower() or name[i - 1].isdigit())
        ends_capitals = i > 0 and name[i - 1].isupper() and name[i + 1 : i + 2].islower()
        if letter.isupper() and (after_small or ends_capitals):
            stem += "_"
        stem += letter.lower()
    return stem


def plugin_files(kind: str, name: str, folder: str) -> dict[str, str]:
    """A new plugin and its test: text by path below the user directory."""
    stem = stem_of(name)
    words = {"Name": name, "kind": kind, "Suite": SUITES[kind]}
    return {
        f"{folder}/{stem}.py": Template(template(f"{kind}.py")).substitute(words),
        f"tests/test_{stem}.py": Template(template("test.py")).substitute(words),
    }


def write_new(root: Path, texts: dict[str, str]) -> list[Path]:
    """Writes files that do not exist yet; all of them or none.

    Raises:
        UserError: one exists, or the place cannot be written to.
    """
    targets = {root / path: text for path, text in texts.items()}
    for file in targets:
        if file.exists():
            raise UserError(f"{file} exists", expected="a new file", hint="choose another name")
    written: list[Path] = []
    try:
        for file, text in targets.items():
            file.parent.mkdir(parents=True, exist_ok=True)
            _write_exclusively(file, text)
            written.append(file)
    except OSError as error:
        for file in written:
            file.unlink()
        raise UserError(
            f"{error.filename or root} cannot be written: {error.strerror}",
            hint="choose a directory that you may write to",
        ) from None
    return written


def _write_exclusively(file: Path, text: str) -> None:
    # A file that appears between the check and here is kept: O_EXCL refuses.
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
