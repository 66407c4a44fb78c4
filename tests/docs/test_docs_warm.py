"""A command that is forked does what the installed one does, and leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from docs_blocks import ROOT, environment
from docs_warm import alike, warmed

STRATEGY = """\
from polyframe import Strategy


class {name}(Strategy):
    note = "{name}"
"""


@pytest.fixture(scope="module")
def programs() -> Iterator[Path]:
    with warmed(environment()) as folder:
        yield folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "config.json", tmp_path)
    mine = tmp_path / "user_data" / "strategies"
    mine.mkdir(parents=True)
    (mine / "mine.py").write_text(STRATEGY.format(name="Mine"))
    return tmp_path


def run(text: str, folder: Path, programs: Path | None) -> tuple[int, str, str]:
    env = environment()
    if programs is not None:
        env["PATH"] = f"{programs}{os.pathsep}{env['PATH']}"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", text],
        cwd=folder, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("polyframe list strategies", 0),
        ("polyframe backtes", 2),
        ("polyframe", 2),
        ("polyframe report --schema", 0),
        ("polyframe report --schema | { exec <&-; sleep 1; }", 141),
        ("polyframe config show --json > shown.json && cat shown.json", 0),
        ("cd user_data && polyframe config check -c ../config.json", 0),
        ("POLYFRAME__ACCOUNT__CASH=-1 polyframe config check", 2),
        ("COLUMNS=50 polyframe list sizers", 0),
        ("NUMBA_DISABLE_JIT=x polyframe list strategies", 0),
        ("polyframe list strategies >&-", 0),
        ("polyframe list nothing 2>&1 >/dev/null | cat", 2),
    ],
)
def test_it_prints_and_ends_as_the_installed_one(
    text: str, code: int, folder: Path, programs: Path
) -> None:
    found = run(text, folder, programs)
    assert found == run(text, folder, None)
    assert found[0] == code


def test_a_forked_run_is_made_again_by_an_installed_one(folder: Path, programs: Path) -> None:
    words = "polyframe backtest -s LLMForecast --category finance --no-robust"
    assert run(words, folder, programs)[0] == 0
    code, text, _ = run("polyframe reproduce", folder, None)
    assert code == 0
    assert "journal identical, byte for byte" in text


def test_nothing_of_a_command_is_left_for_the_next(folder: Path, programs: Path) -> None:
    strategies = folder / "user_data" / "strategies"
    assert "Mine " in run("polyframe list strategies", folder, programs)[1]
    (strategies / "mine.py").write_text(STRATEGY.format(name="Yours"))
    shown = run("polyframe list strategies", folder, programs)[1]
    assert "Yours " in shown
    assert "Mine " not in shown


def test_what_is_read_at_the_beginning_is_told_apart() -> None:
    env = {"COLUMNS": "100", "LC_ALL": "C", "POLYFRAME__SESSION": "a", "HOME": "/", "PATH": "/bin"}
    assert alike(env) == {"COLUMNS": "100", "LC_ALL": "C"}
