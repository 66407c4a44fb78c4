"""Plugin classes that no file holds: those of a notebook or of the script that is running.

Their source is what the run's manifest hashes: the class, and what it uses by name of its own
module: functions, other classes, and values that are told apart by their text. What it reaches
through imports or objects is not covered.
"""

from __future__ import annotations

import ast
import inspect
import linecache
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from polyframe.api.plugin import Plugin
from polyframe.errors import PluginError
from polyframe.runtime.manifest import Origin
from polyframe.runtime.plugins import Registry

_FOLDER: list[tempfile.TemporaryDirectory[str]] = []


def adopt(registry: Registry, cls: type[Plugin]) -> str:
    """Registers a class of this process under its name, and returns the name.

    Raises:
        PluginError: it is no plugin, breaks its port's contract, its source cannot be had, or
            another plugin has its name.
    """
    if not (isinstance(cls, type) and issubclass(cls, Plugin)):
        raise PluginError(
            f"{cls!r} is no strategy",
            expected="a strategy's name, or a class derived from Strategy",
            hint="polyframe list strategies",
        )
    if any(found.cls is cls for found in registry.all()):
        return cls.__name__
    file = _own_file(cls) or _written(cls)
    before = len(registry.broken)
    registry.add(Origin("file", str(file)), cls.__name__, lambda: cls, file)
    for broken in registry.broken[before:]:
        raise PluginError(broken.error, expected=broken.expected, hint="polyframe list strategies")
    return cls.__name__


def _own_file(cls: type) -> Path | None:
    """The file of an imported module; None for a notebook, a script or a prompt."""
    module = sys.modules.get(cls.__module__)
    name = getattr(module, "__file__", None)
    if cls.__module__ == "__main__" or not name or not Path(name).is_file():
        return None
    return Path(name).resolve()


def _written(cls: type) -> Path:
    """A file that holds the class's source, for its hash and for whoever looks."""
    if not _FOLDER:
        _FOLDER.append(tempfile.TemporaryDirectory(prefix="polyframe-session-"))
    file = Path(_FOLDER[0].name) / f"{cls.__name__}.py"
    file.write_text("\n\n".join(_sources(cls)) + "\n", encoding="utf-8")
    return file


def _sources(cls: type) -> list[str]:
    """The text of a class and of what it uses of its module, in the order it is found."""
    scope = vars(sys.modules[cls.__module__]) if cls.__module__ in sys.modules else {}
    texts: dict[str, str] = {}
    waiting: list[tuple[str, Any]] = [(cls.__name__, cls)]
    while waiting:
        name, value = waiting.pop(0)
        if name in texts:
            continue
        if isinstance(value, type | FunctionType):
            if value.__module__ != cls.__module__:
                continue
            texts[name] = _text(value)
            waiting += [
                (word, scope[word]) for word in sorted(_words(texts[name])) if word in scope
            ]
        elif isinstance(value, str | int | float | bool | tuple | frozenset | None):
            texts[name] = f"{name} = {value!r}"
    return list(texts.values())


def _words(text: str) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}


def _text(value: type | FunctionType) -> str:
    """The source of a class or function.

    Raises:
        PluginError: nothing in the process remembers it, as with code given to ``exec``.
    """
    for code in _codes(value):
        lines = linecache.getlines(code.co_filename)
        found = _definition("".join(lines), value.__qualname__, code.co_firstlineno)
        if found:
            return found
    try:
        return inspect.getsource(value)
    except (OSError, TypeError):
        raise PluginError(
            f"the source of {value.__qualname__} cannot be had, so no run of it could be told "
            "from another",
            expected="a class of a notebook cell, a script or a module",
            hint=f"save it as user_data/strategies/{value.__name__.lower()}.py",
        ) from None


def _codes(value: type | FunctionType) -> Iterator[CodeType]:
    members = [value] if isinstance(value, FunctionType) else list(vars(value).values())
    for member in members:
        function = getattr(member, "__func__", member)
        if isinstance(function, FunctionType):
            yield function.__code__


def _definition(text: str, qualname: str, line: int) -> str:
    """The text of the definition of a name that spans a line."""
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return ""
    name = qualname.rpartition(".")[2]
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            if first <= line <= (node.end_lineno or first):
                return textwrap.dedent("\n".join(text.splitlines()[first - 1 : node.end_lineno]))
    return ""
