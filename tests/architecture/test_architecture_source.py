"""Rules about the source itself that no linter states."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

FORBIDDEN_NAMES = {"utils", "helpers", "common", "misc", "base", "core", "manager", "types"}
MOST_LINES = 400
MOST_LINES_OF_A_FUNCTION = 60

LONG_FILES = {
    "domain/events.py": "the closed set of events is one table, and splitting it would hide that",
    "strategies/market_maker.py": "a strategy is one file, and a third of it is its settings",
}
LONG_FUNCTIONS = {
    "engine/views.py:make_view": "a class in a function: no attribute of it leads to the engine",
    "kernels/l2run_nb.py:advance": "a call costs more than the row it would be for",
    "kernels/l2play_nb.py:play": "one list of the cases in which somebody decides",
    "kernels/l2desk_nb.py:place": "one order's vector is one thing",
    "kernels/l2desk_nb.py:want": "one list of quotes is carried out as one thing",
    "kernels/review_nb.py:passes": "the same list",
    "kernels/review_nb.py:rule": "a table of all guards",
    "kernels/records_nb.py:write": "a record is begun and finished, or not begun at all",
}

BLIND_EXCEPT = {
    "engine/risk.py": "whatever a protection raises is a denial",
    "runtime/calls.py": "the one wrapper around every call of a plugin",
    "runtime/observe.py": "an observer that fails must not stop a session",
    "runtime/live.py": "a task that fails is supervised",
    "runtime/plugins.py": "a module that raises on import is reported, the others still load",
    "cli/main.py": "the top: what nobody expected becomes exit code 70",
}

PLUGIN_ROOMS = ("strategies", "forecasters", "protections", "sizers", "styles")
PLUGIN_IMPORTS = {"polyframe", "numpy", "msgspec", "pydantic"}


def sources(root: Path) -> list[Path]:
    return sorted((root / "polyframe").rglob("*.py"))


def name_of(root: Path, path: Path) -> str:
    return path.relative_to(root / "polyframe").as_posix()


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_no_file_has_a_name_that_says_nothing(root: Path) -> None:
    found = [
        path.relative_to(root).as_posix()
        for folder in ("polyframe", "tests", "benchmarks", "user_data")
        for path in (root / folder).rglob("*.py")
        if path.stem in FORBIDDEN_NAMES or path.parent.name in FORBIDDEN_NAMES
    ]
    assert not found


def test_files_are_short_or_have_a_reason(root: Path) -> None:
    long = {
        name_of(root, path): lines
        for path in sources(root)
        if (lines := len(path.read_text().splitlines())) > MOST_LINES
    }
    assert set(long) == set(LONG_FILES), f"longer than {MOST_LINES} lines: {long}"


def test_functions_are_short_or_have_a_reason(root: Path) -> None:
    long = {
        f"{name_of(root, path)}:{node.name}": lines
        for path in sources(root)
        for node in functions(path)
        # A verb's options stand in its signature; what is counted is what it does.
        if (lines := (node.end_lineno or 0) - node.body[0].lineno + 1) > MOST_LINES_OF_A_FUNCTION
    }
    assert set(long) == set(LONG_FUNCTIONS), f"longer than {MOST_LINES_OF_A_FUNCTION}: {long}"


def test_everything_is_caught_in_the_named_places_only(root: Path) -> None:
    found = {
        f"{name_of(root, path)}:{node.lineno}"
        for path in sources(root)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler) and _swallows_everything(node)
        if name_of(root, path) not in BLIND_EXCEPT
    }
    assert not found


def _swallows_everything(handler: ast.ExceptHandler) -> bool:
    """True unless a narrower class is named, or the handler only tidies up and raises again."""
    last, caught = handler.body[-1], handler.type
    if isinstance(last, ast.Raise) and last.exc is None:
        return False
    if caught is None:
        return True
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(isinstance(n, ast.Name) and n.id in {"Exception", "BaseException"} for n in names)


@pytest.mark.parametrize(
    ("handler", "blind"),
    [
        ("except: pass", True),
        ("except Exception: pass", True),
        ("except (ValueError, BaseException) as e: raise KeyError from e", True),
        ("except BaseException:\n    tidy()\n    raise", False),
        ("except ValueError: pass", False),
    ],
)
def test_a_blind_except_is_recognised(handler: str, blind: bool) -> None:
    tree = ast.parse(f"try:\n    pass\n{handler}\n")
    (node,) = [n for n in ast.walk(tree) if isinstance(n, ast.ExceptHandler)]
    assert _swallows_everything(node) is blind


def test_built_in_plugins_use_public_names_alone(root: Path) -> None:
    allowed = PLUGIN_IMPORTS | sys.stdlib_module_names | {"__future__"}
    found = {
        f"{name_of(root, path)}: {module}"
        for room in PLUGIN_ROOMS
        for path in sorted((root / "polyframe" / room).rglob("*.py"))
        if path.name != "__init__.py"
        for module in _imported(path)
        if module not in allowed
    }
    assert not found, "a built-in has no privilege: from polyframe import what you need"


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            # `import polyframe.x` reaches past the public names, `import numpy.random` does not.
            yield from (
                a.name if a.name.startswith("polyframe") else a.name.split(".")[0]
                for a in node.names
            )
        elif isinstance(node, ast.ImportFrom):
            module = ("." * node.level) + (node.module or "")
            yield module if module.startswith(("polyframe", ".")) else module.split(".")[0]


def test_formulas_and_kernels_state_shapes_and_units(root: Path) -> None:
    missing = [
        f"{name_of(root, path)}:{node.name}"
        for room in ("kernels", "quant")
        for path in sorted((root / "polyframe" / room).rglob("*.py"))
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
        for doc in [ast.get_docstring(node) or ""]
        if "Shapes:" not in doc or "Units:" not in doc
    ]
    assert not missing


def test_compiled_modules_are_marked(root: Path) -> None:
    for path in sources(root):
        compiled = "numba" in set(_imported(path))
        assert not compiled or path.stem.endswith("_nb") or path.name == "__init__.py", path


def test_every_room_says_what_it_is(root: Path) -> None:
    for path in sources(root):
        assert ast.get_docstring(ast.parse(path.read_text())), f"{path} has no docstring"


# Spelled in pieces, so that this file does not find itself.
PRIVATE = re.compile(
    "|".join(
        [
            r"(?<![\w.])/" + r"work/",
            r"/" + r"home/\w",
            r"/" + r"Users/\w",
            r"(?<![\w.])/" + r"root/",
            r"/opt/" + r"pf\b",
            r"\." + r"library\b",
            r"py" + r"pi\.org",
            r"python" + r"hosted\.org",
            r"[\U0001F300-\U0001FAFF\u2705\u274C\u2728]",
        ]
    )
)


def test_no_tracked_file_names_a_private_place(root: Path) -> None:
    found = []
    for path in tracked(root):
        if path.suffix in {".parquet", ".png", ".svg", ".npz", ".bin"}:
            continue
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if PRIVATE.search(line):
                found.append(f"{path.relative_to(root)}:{number}: {line.strip()[:80]}")
    assert not found


def tracked(root: Path) -> list[Path]:
    if not (root / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=root, capture_output=True, check=True, text=True
    )
    return [root / name for name in listed.stdout.split("\0") if name and (root / name).is_file()]
