"""Finding, vetting and setting aside plugins."""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import dedent

import pytest

from polyframe.api.strategy import Strategy
from polyframe.errors import PluginError
from polyframe.runtime.plugins import Registry
from polyframe.runtime.shipped import BUILTINS

IDEA = """
from polyframe import Strategy

class MyIdea(Strategy):
    def on_bar(self, event, view):
        return ()
"""


@pytest.fixture
def put(tmp_path: Path):
    def put(name: str, text: str) -> Path:
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text))
        return file

    return put


def load(root: Path, **options) -> Registry:
    return Registry.load(root, entry_points=False, env={}, **options)


def broken_files(registry: Registry) -> list:
    return [broken for broken in registry.broken if broken.origin.kind == "file"]


def only_broken(root: Path):
    (broken,) = broken_files(load(root))
    return broken


def test_a_class_in_a_file_is_all_it_takes(tmp_path, put):
    file = put("strategies/my_idea.py", IDEA)
    found = load(tmp_path).find("strategy", "MyIdea")
    assert issubclass(found.cls, Strategy)
    assert found.cls.__module__ == "polyframe_user.strategies.my_idea"
    assert found.origin.kind == "file"
    assert found.file == file
    assert found.methods == ("on_bar",)


def test_every_built_in_loads():
    registry = Registry.load(safe=True)
    assert [b.module + ": " + b.error for b in registry.broken] == []
    modules = {r.cls.__module__ for r in registry.all()}
    assert modules == set(BUILTINS)


def test_safe_loads_no_file(tmp_path, put):
    put("strategies/my_idea.py", IDEA)
    assert all(r.origin.kind == "built-in" for r in load(tmp_path, safe=True).all())


def test_imported_and_private_classes_are_not_registered(tmp_path, put):
    put("strategies/first.py", IDEA)
    put(
        "strategies/second.py",
        """
        from polyframe import Sizer, Strategy
        from polyframe_user.strategies.first import MyIdea

        class _Base(MyIdea): ...
        class Second(_Base): ...
        class Mine(Sizer):
            def size(self, intent, price, view):
                return 0
        """,
    )
    registry = load(tmp_path)
    assert not broken_files(registry)
    mine = {(r.kind, r.name, r.file.name) for r in registry.all() if r.origin.kind == "file"}
    assert mine == {
        ("strategy", "MyIdea", "first.py"),
        ("strategy", "Second", "second.py"),
        ("sizer", "Mine", "second.py"),
    }
    assert registry.find("strategy", "Second").methods == ("on_bar",)


def test_tests_and_private_files_are_left_alone(tmp_path, put):
    for name in ("_draft.py", "test_idea.py", "conftest.py", ".hidden.py"):
        put(f"strategies/{name}", "raise RuntimeError('imported')")
    assert not broken_files(load(tmp_path))


def test_a_module_that_raises_is_set_aside_whole(tmp_path, put):
    file = put("strategies/bad.py", IDEA + "\n1 / 0\n")
    put("strategies/good.py", IDEA.replace("MyIdea", "Good"))
    registry = load(tmp_path)
    (broken,) = broken_files(registry)
    assert broken.file == file
    assert broken.line == 8
    assert broken.error == "ZeroDivisionError: division by zero"
    assert "bad.py" in broken.traceback
    assert "polyframe_user.strategies.bad" not in sys.modules
    assert registry.get("strategy", "Good")
    with pytest.raises(PluginError, match=r"MyIdea could not be loaded from .*bad\.py:8") as caught:
        registry.get("strategy", "MyIdea")
    assert caught.value.hint == "polyframe plugins --broken"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("import sys; sys.exit(3)", "SystemExit: 3"),
        ("import no_such_package", "ModuleNotFoundError: No module named 'no_such_package'"),
        ("class X(:", "SyntaxError"),
        ("raise BaseExceptionGroup('two', [KeyError(1)])", "ExceptionGroup"),
    ],
)
def test_whatever_an_import_does_is_reported(tmp_path, put, text, error):
    put("strategies/bad.py", text)
    broken = only_broken(tmp_path)
    assert broken.error.startswith(error)
    assert broken.line == 1


def test_an_unknown_name_gets_the_nearest_one(tmp_path, put):
    put("strategies/my_idea.py", IDEA)
    registry = load(tmp_path)
    for wrong in ("MyIdeas", "myidea"):
        with pytest.raises(PluginError) as caught:
            registry.get("strategy", wrong)
        assert caught.value.expected == "MyIdea?"
        assert caught.value.hint == "polyframe plugins"
    with pytest.raises(PluginError, match="MyIdea is a strategy"):
        registry.get("sizer", "MyIdea")
    with pytest.raises(PluginError, match="no kind of plugin"):
        registry.get("strategie", "MyIdea")


def test_a_name_given_twice_names_both_files(tmp_path, put):
    first = put("strategies/a.py", IDEA)
    second = put("strategies/b.py", IDEA)
    with pytest.raises(PluginError) as caught:
        load(tmp_path)
    assert str(first) in caught.value.message
    assert str(second) in caught.value.message


def test_a_built_in_name_cannot_be_taken(tmp_path, put):
    taken = Registry.load(safe=True).all()[0]
    folder = {"strategy": "strategies"}.get(taken.kind, taken.kind + "s")
    port = type(taken.cls.__mro__[1].__name__, (), {}).__name__
    put(f"{folder}/mine.py", f"from polyframe import {port}\nclass {taken.name}({port}): ...\n")
    with pytest.raises(PluginError, match=f"named {taken.name}: .*built-in.*mine.py"):
        load(tmp_path)


CONTRACTS = {
    "another api": ("Strategy", "api = 2", "declares api = 2", "api = 1"),
    "mistyped method": ("Strategy", "def on_bars(self, event, view): ...", "on_bars", "on_bar?"),
    "unknown on_": ("Strategy", "def on_moon(self, event, view): ...", "on_moon", "on_"),
    "too few arguments": (
        "Strategy",
        "def on_fill(self): ...",
        "on_fill(self)",
        "def on_fill(self, event, view)",
    ),
    "too many": ("Strategy", "def on_bar(self, event, view, more): ...", "more", "def on_bar"),
    "async strategy": (
        "Strategy",
        "async def on_bar(self, event, view): ...",
        "is async",
        "a plain def",
    ),
    "sync forecaster": (
        "Forecaster",
        "def forecast(self, question, evidence, snapshot, as_of): ...",
        "is not async",
        "async def",
    ),
    "no method": ("Strategy", "on_bar = 5", "is a int", "a method"),
    "config": ("Strategy", "Config = dict", "no PluginConfig", "class Config(PluginConfig)"),
    "state": ("Strategy", "State = dict", "no msgspec.Struct", "class State"),
    "venue scope": ("Protection", "scope = 'venue'", "without a kernel", "scope 'risk'"),
    "mistyped observer": ("Observer", "def fill_bookd(self, effect): ...", "fill_bookd", "fill_"),
    "observer's signature": ("Observer", "def fill_booked(self): ...", "fill_booked", "effect"),
}


@pytest.mark.parametrize("case", CONTRACTS)
def test_a_broken_contract_is_found_when_the_file_is_loaded(tmp_path, put, case):
    port, body, found, expected = CONTRACTS[case]
    source = "from polyframe import Forecaster, Protection, Strategy\n"
    source += "from polyframe.api.objective import Observer\n" if port == "Observer" else ""
    file = put("strategies/idea.py", f"{source}class Idea({port}):\n    {body}\n")
    broken = only_broken(tmp_path)
    assert "Idea" in broken.error
    assert found in broken.error
    assert str(file) in broken.error
    assert expected in (broken.expected or "")


def test_state_fields_need_defaults(tmp_path, put):
    put(
        "strategies/idea.py",
        """
        import msgspec
        from polyframe import Strategy
        class Idea(Strategy):
            class State(msgspec.Struct):
                seen: int
        """,
    )
    assert "no default for seen" in only_broken(tmp_path).error


HOOKS = {
    "@hookimpl\ndef fill_boked(effect): ...": ("fill_boked", "fill_booked?"),
    "@hookimpl\ndef fill_booked(fill): ...": ("takes fill", "fill_booked(effect)"),
    "def fill_booked(effect): ...": ("not marked", "@hookimpl above it"),
    "@hookimpl(wrapper=True)\ndef fill_booked(effect):\n    yield": ("wrapper", "a plain hook"),
    "@hookimpl\ndef register_sizers():\n    return [int]": ("returned <class 'int'>", "Sizer"),
}


@pytest.mark.parametrize("text", HOOKS)
def test_a_mistyped_hook_is_an_error_with_its_line(tmp_path, put, text):
    file = put("observers/watch.py", f"from polyframe import hookimpl\n\n{text}\n")
    found, expected = HOOKS[text]
    broken = only_broken(tmp_path)
    assert found in broken.error
    assert str(file) in broken.error
    assert expected in (broken.expected or "")


def test_hooks_of_a_file_are_called(tmp_path, put):
    put(
        "observers/watch.py",
        """
        from polyframe import hookimpl
        SEEN = []
        @hookimpl
        def fill_booked(effect):
            SEEN.append(effect)
        """,
    )
    registry = load(tmp_path)
    assert list(registry.hook_modules) == ["polyframe_user.observers.watch"]
    registry.hooks.hook.fill_booked(effect=5)
    assert sys.modules["polyframe_user.observers.watch"].SEEN == [5]


def test_an_edited_file_is_imported_anew_and_an_unchanged_one_is_not(tmp_path, put):
    put("strategies/my_idea.py", IDEA)
    first = load(tmp_path).get("strategy", "MyIdea")
    assert load(tmp_path).get("strategy", "MyIdea") is first
    put("strategies/my_idea.py", IDEA.replace("return ()", "return []"))
    again = load(tmp_path).get("strategy", "MyIdea")
    assert again is not first
    assert again().on_bar(None, None) == []


def test_the_environment_restricts_what_is_loaded(tmp_path, put):
    put("strategies/first.py", IDEA.replace("MyIdea", "First"))
    put("strategies/second.py", IDEA.replace("MyIdea", "Second"))

    def files(value: str) -> set[str]:
        registry = Registry.load(tmp_path, entry_points=False, env={"POLYFRAME_PLUGINS": value})
        return {r.name for r in registry.all() if r.origin.kind == "file"}

    assert files("first") == {"First"}
    assert files("first, second") == {"First", "Second"}
    assert files("") == set()


def test_extra_paths_are_files_or_user_directories(tmp_path, put):
    file = put("elsewhere/idea.py", IDEA)
    put("more/strategies/second.py", IDEA.replace("MyIdea", "Second"))
    registry = load(tmp_path / "none", extra_paths=[file, tmp_path / "more"])
    assert {r.name for r in registry.all() if r.origin.kind == "file"} == {"MyIdea", "Second"}


def test_a_file_that_is_no_module_name_is_reported(tmp_path, put):
    put("strategies/my-idea.py", IDEA)
    assert "cannot be imported under its name" in only_broken(tmp_path).error
