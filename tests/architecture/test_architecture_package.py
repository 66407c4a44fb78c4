"""What the package promises as a whole: its names, its errors, its weight, its wheel."""

from __future__ import annotations

import ast
import importlib
import pickle
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pluggy
import pytest

import polyframe
from polyframe import errors
from polyframe.api import hookspecs

PUBLIC = polyframe._FROM | polyframe._LAB


def test_stub_and_package_have_the_same_names(root: Path) -> None:
    stub = ast.parse((root / "polyframe" / "__init__.pyi").read_text())
    named = {
        alias.asname: f"{node.module}.{alias.name}"
        for node in stub.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert named == {name: f"{module}.{name}" for name, module in PUBLIC.items()}


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_a_public_name_is_the_object_it_says(name: str) -> None:
    module = importlib.import_module(PUBLIC[name])
    assert getattr(polyframe, name) is getattr(module, name)


def test_public_names_come_from_the_rooms_an_author_may_rely_on() -> None:
    rooms = {module.split(".")[1] for module in polyframe._FROM.values()}
    assert rooms == {"api", "domain", "quant", "errors"}
    assert not polyframe._FROM.keys() & polyframe._LAB.keys()


def test_two_functions_for_notebooks_are_the_only_names_from_above() -> None:
    """They need the lab, so a plugin cannot use them and a star import leaves them out."""
    assert dict.fromkeys(("backtest", "compare"), "polyframe.lab.notebook") == polyframe._LAB


def test_star_import_and_dir_list_every_name() -> None:
    assert set(polyframe.__all__) == {"__version__", *polyframe._FROM, *polyframe._MODULES}
    assert set(PUBLIC) <= set(dir(polyframe))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Stratgy'"):
        _ = polyframe.Stratgy


@pytest.mark.parametrize(
    "statement", ["import polyframe", "from polyframe import Strategy, Intent"]
)
def test_importing_pulls_in_neither_numba_nor_pandas(statement: str) -> None:
    heavy = ["numba", "pandas", "pyarrow", "sqlalchemy", "numpy"]
    code = f"{statement}\nimport sys\nprint([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


@pytest.mark.parametrize(
    ("line", "heavy"),
    [
        ("list strategies", ["numba", "pandas", "pyarrow"]),
        ("plugins", ["numba", "pandas", "pyarrow"]),
        ("config show", ["numba", "pandas", "pyarrow"]),
        ("list markets", ["numba", "pandas"]),
        ("backtest -s LLMForecast --category finance --no-robust --record none", ["pandas"]),
    ],
)
def test_a_command_loads_only_what_it_needs(line: str, heavy: list[str], tmp_path: Path) -> None:
    code = (
        "import sys\nfrom polyframe.cli.main import main\n"
        f"code = main({line.split()})\n"
        f"print(code, [m for m in {heavy} if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.stderr.splitlines()[-1] == "0 []"


# ---- errors ------------------------------------------------------------------------------------


def tree_of(cls: type[errors.PolyframeError]) -> dict[str, str]:
    """Class to parent, for everything below cls that errors.py declares."""
    below = {}
    for child in cls.__subclasses__():
        if child.__module__ == errors.__name__:
            below[child.__name__] = cls.__name__
            below |= tree_of(child)
    return below


def test_the_drawn_tree_is_the_class_tree() -> None:
    drawn: dict[str, str] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"    ([│├└─ ]*)(\w+)", line)
        if not match or not hasattr(errors, match[2]):
            continue
        depth = len(match[1]) // 4
        path = [*path[:depth], match[2]]
        if depth:
            drawn[match[2]] = path[depth - 1]
    assert drawn == tree_of(errors.PolyframeError)


def test_drawn_exit_codes_are_the_real_ones_and_unique() -> None:
    drawn = {
        match[1]: int(match[2])
        for match in re.finditer(r"─ (\w+) .*exit (\d+)", errors.__doc__ or "")
    }
    families = errors.PolyframeError.__subclasses__()
    real = {c.__name__: c.exit_code for c in families if c.__module__ == errors.__name__}
    assert drawn == real
    codes = [*real.values(), errors.PolyframeError.exit_code, 0]
    assert len(set(codes)) == len(codes)


def test_an_error_keeps_its_family_s_exit_code() -> None:
    for name, parent in tree_of(errors.PolyframeError).items():
        if parent != "PolyframeError":
            assert getattr(errors, name).exit_code == getattr(errors, parent).exit_code


@pytest.mark.parametrize("name", ["PolyframeError", *tree_of(errors.PolyframeError)])
def test_an_error_says_what_was_expected_and_what_to_do_and_survives_pickling(name: str) -> None:
    error = getattr(errors, name)("found x", expected="y", hint="polyframe z")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert str(again) == str(error) == "found x\nexpected: y\nnext: polyframe z"


# ---- hooks -------------------------------------------------------------------------------------


def hook_names() -> list[str]:
    manager = pluggy.PluginManager("polyframe")
    manager.add_hookspecs(hookspecs)
    return sorted(name for name in vars(manager.hook) if not name.startswith("_"))


def test_hooks_register_at_boot_or_speak_of_the_past() -> None:
    past = re.compile(r"_(started|ended|made|reviewed|changed|booked|resolved|halted)$")
    names = hook_names()
    assert len(names) > 10
    assert all(name.startswith("register_") or past.search(name) for name in names)


def test_every_hook_is_documented(root: Path) -> None:
    page = root / "docs" / "plugins.md"
    if not page.is_file():
        pytest.skip("docs/plugins.md is not written yet")
    text = page.read_text()
    assert [name for name in hook_names() if name not in text] == []


# ---- the wheel ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    out = tmp_path_factory.mktemp("wheel")
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    (path,) = out.glob("*.whl")
    return zipfile.ZipFile(path)


def test_the_wheel_holds_every_file_of_the_package(root: Path, wheel: zipfile.ZipFile) -> None:
    ignored = {"__pycache__"}
    here = {
        path.relative_to(root).as_posix()
        for path in (root / "polyframe").rglob("*")
        if path.is_file() and not ignored & set(path.parts) and path.suffix not in {".nbi", ".nbc"}
    }
    packed = {name for name in wheel.namelist() if name.startswith("polyframe/")}
    assert packed == here
    assert {"polyframe/py.typed", "polyframe/__init__.pyi"} <= packed


def test_the_wheel_names_its_command_and_its_licence(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    entry = next(name for name in names if name.endswith("entry_points.txt"))
    assert "polyframe = polyframe.cli.main:main" in wheel.read(entry).decode()
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_embedded_data_is_in_the_wheel(root: Path, wheel: zipfile.ZipFile) -> None:
    if not (root / "polyframe" / "lab" / "sample").is_dir():
        pytest.skip("the embedded dataset is not made yet")
    sample = [name for name in wheel.namelist() if name.startswith("polyframe/lab/sample/")]
    assert any(name.endswith(".parquet") for name in sample)


def test_the_example_environment_lists_every_secret_and_no_value(root: Path) -> None:
    from polyframe.runtime.secrets import Secrets

    lines = (root / ".env.example").read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    assert set(given) == {name.upper() for name in Secrets.model_fields}
    assert set(given.values()) == {"", "false"}
