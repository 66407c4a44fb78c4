"""Classes that no file holds become plugins, and their source is what tells two runs apart."""

from __future__ import annotations

import linecache
import sys
import types

import pytest

from polyframe import Strategy
from polyframe.errors import PluginError
from polyframe.runtime.plugins import Registry
from polyframe.runtime.session_classes import adopt

CELL = """
from polyframe import Strategy
LIMIT = 3
UNUSED = 1

def helped(x):
    return x + LIMIT

class Idea(Strategy):
    def on_bar(self, event, view):
        helped(1)
        return ()
"""

INNER = """
from polyframe import Strategy

def made():
    class Idea(Strategy):
        def on_bar(self, event, view):
            return ()
    return Idea

Idea = made()
"""


class Here(Strategy):
    """A class of an imported module."""


@pytest.fixture
def cell():
    """Runs code as a notebook does: a module without a file, the text known to the line cache."""
    module = types.ModuleType("a_notebook")
    sys.modules["a_notebook"] = module
    count = iter(range(100))

    def run(text: str, *, remembered: bool = True) -> type[Strategy]:
        name = f"<cell {next(count)}>"
        if remembered:
            linecache.cache[name] = (len(text), None, text.splitlines(True), name)
        exec(compile(text, name, "exec"), module.__dict__)
        return module.__dict__["Idea"]

    yield run
    del sys.modules["a_notebook"]


def hash_of(cls: type[Strategy]) -> str:
    registry = Registry.load(None, entry_points=False)
    assert adopt(registry, cls) == "Idea"
    found = registry.find("strategy", "Idea")
    assert found.cls is cls
    return found.sha256


def test_a_cell_s_class_is_a_plugin_with_its_source(cell):
    registry = Registry.load(None, entry_points=False)
    adopt(registry, cell(CELL))
    found = registry.find("strategy", "Idea")
    assert (found.origin.kind, found.file.name) == ("file", "Idea.py")
    text = found.file.read_text()
    assert text.startswith("class Idea(Strategy):")
    assert "def helped(x):" in text
    assert "LIMIT = 3" in text
    assert "UNUSED" not in text


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("", "", True),
        ("UNUSED = 1", "UNUSED = 2", True),
        ("return ()", "return []", False),
        ("LIMIT = 3", "LIMIT = 4", False),
        ("x + LIMIT", "x - LIMIT", False),
    ],
)
def test_what_the_class_uses_decides_its_hash(cell, old, new, same):
    first = hash_of(cell(CELL))
    assert (hash_of(cell(CELL.replace(old, new) if old else CELL)) == first) is same


def test_a_class_within_a_function_and_one_of_a_module_have_a_source(cell):
    assert hash_of(cell(INNER))
    registry = Registry.load(None, entry_points=False)
    assert adopt(registry, Here) == "Here"
    assert registry.find("strategy", "Here").file.name == "test_session_classes.py"
    assert adopt(registry, Here) == "Here"


def test_what_is_no_plugin_or_has_no_source_is_refused(cell):
    registry = Registry.load(None, entry_points=False)
    with pytest.raises(PluginError, match="is no strategy"):
        adopt(registry, int)
    with pytest.raises(PluginError, match="source of Idea cannot be had") as caught:
        adopt(registry, cell(CELL, remembered=False))
    assert "user_data/strategies/idea.py" in str(caught.value.hint)
    with pytest.raises(PluginError, match="on_bra"):
        adopt(registry, cell(CELL.replace("on_bar", "on_bra")))


def test_a_name_that_is_taken_is_refused(cell):
    registry = Registry.load(None, entry_points=False)
    text = CELL.replace("class Idea", "class LLMForecast").replace("return ()", "return []")
    with pytest.raises(PluginError, match="two strategies are named LLMForecast"):
        adopt(registry, cell(text + "\nIdea = LLMForecast\n"))
