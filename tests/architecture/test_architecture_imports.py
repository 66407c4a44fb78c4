"""The import contracts hold, and each of them notices what it forbids."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

FLOORS = "Floors: rooms import lower floors only"
PURE = "Pure: no clock, no waiting, no outside"
ACYCLIC = "No cycles: siblings never import in a circle"
COMPILED = "Compiled: numba in kernels and nowhere else"
CONTRACTS = {FLOORS, PURE, ACYCLIC, COMPILED}


def lint(tree: Path) -> tuple[set[str], str]:
    """The contracts that are broken in a tree, and what was printed."""
    code = "from importlinter.cli import lint_imports_command as c; c()"
    done = subprocess.run(
        [sys.executable, "-c", code, "--no-cache"],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree), "COLUMNS": "160", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    states: dict[str, str] = {}
    for line in done.stdout.splitlines():
        for name in CONTRACTS:
            if line.startswith(name + " "):
                states[name] = line.removeprefix(name).split()[0]
    assert set(states) == CONTRACTS, done.stdout + done.stderr
    broken = {name for name, state in states.items() if state == "BROKEN"}
    assert done.returncode == (1 if broken else 0), done.stdout + done.stderr
    return broken, done.stdout


@pytest.fixture
def tree(root: Path, tmp_path: Path) -> Path:
    """A copy of the package that a test may spoil."""
    shutil.copytree(
        root / "polyframe", tmp_path / "polyframe", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(root / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_tree_keeps_every_contract(tree: Path) -> None:
    broken, printed = lint(tree)
    assert not broken, printed


# What is added to the copy, and the one contract that must break. Rooms are chosen so that no
# import in the other direction can exist, which would break a second contract.
OFFENCES: list[tuple[str, dict[str, str], str]] = [
    ("a room imports an upper floor", {"sizers/offence": "import polyframe.web"}, FLOORS),
    (
        "... inside a function",
        {"sizers/offence": "def late():\n    import polyframe.web\n"},
        FLOORS,
    ),
    (
        "... for typing alone",
        {
            "sizers/offence": (
                "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import polyframe.web\n"
            )
        },
        FLOORS,
    ),
    ("a room imports its neighbour", {"observers/offence": "import polyframe.sizers"}, FLOORS),
    ("a module that stands beside the rooms", {"errors_of": ""}, FLOORS),
    ("a room nobody declared", {"annex/__init__": '"""A new room."""\n'}, FLOORS),
    *[
        (f"{room} reads the clock", {f"{room}/offence": "import time"}, PURE)
        for room in ("domain", "kernels", "quant", "api", "engine")
    ],
    *[
        (f"the engine imports {module}", {"engine/offence": f"import {module}"}, PURE)
        for module in (
            "asyncio",
            "random",
            "socket",
            "sqlite3",
            "threading",
            "logging",
            "httpx",
            "websockets",
        )
    ],
    (
        "the engine waits, inside a function",
        {"engine/offence": "def late():\n    from asyncio import sleep\n    return sleep\n"},
        PURE,
    ),
    (
        "two modules in a circle",
        {
            "sizers/offence": "import polyframe.sizers.second_offence",
            "sizers/second_offence": "import polyframe.sizers.offence",
        },
        ACYCLIC,
    ),
    (
        "... half of it inside a function",
        {
            "sizers/offence": "import polyframe.sizers.second_offence",
            "sizers/second_offence": "def late():\n    import polyframe.sizers.offence\n",
        },
        ACYCLIC,
    ),
    ("a strategy compiles its own loop", {"strategies/offence": "import numba"}, COMPILED),
]


@pytest.mark.parametrize(
    ("files", "contract"), [o[1:] for o in OFFENCES], ids=[o[0] for o in OFFENCES]
)
def test_one_offence_breaks_exactly_its_contract(
    tree: Path, files: dict[str, str], contract: str
) -> None:
    for name, text in files.items():
        path = tree / "polyframe" / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text + "\n")
    broken, printed = lint(tree)
    assert broken == {contract}, printed


def test_every_room_is_on_a_floor(root: Path) -> None:
    contract = _contract(root, "floors")
    declared = {room.strip() for layer in contract["layers"] for room in layer.split("|")}
    rooms = {
        path.stem
        for path in (root / "polyframe").iterdir()
        if (path.suffix == ".py" and path.stem != "__init__") or (path / "__init__.py").is_file()
    }
    assert rooms == declared


def test_every_room_but_kernels_is_kept_from_compiling(root: Path) -> None:
    rooms = {
        room.strip() for layer in _contract(root, "floors")["layers"] for room in layer.split("|")
    }
    kept = {
        name.removeprefix("polyframe.") for name in _contract(root, "compiled")["source_modules"]
    }
    assert kept == rooms - {"kernels"}


def _contract(root: Path, id: str) -> dict[str, list[str]]:
    config = tomllib.loads((root / "pyproject.toml").read_text())
    return next(c for c in config["tool"]["importlinter"]["contracts"] if c["id"] == id)
