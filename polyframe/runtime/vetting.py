"""What a plugin class must keep to before it is registered.

Everything here is found when a file is loaded, not in the middle of a session: a method that does
not exist in the port, one that cannot take the port's arguments, another api version.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from types import FunctionType, ModuleType
from typing import Any

import msgspec

from polyframe.api import hookspecs
from polyframe.api.execution import ExecutionStyle
from polyframe.api.exits import declared
from polyframe.api.objective import Observer
from polyframe.api.plugin import API, Plugin, PluginConfig
from polyframe.api.protection import Protection
from polyframe.api.strategy import Strategy
from polyframe.errors import PluginError
from polyframe.runtime.kinds import Kind

HOOKS: frozenset[str] = frozenset(
    name for name, value in vars(hookspecs).items() if hasattr(value, "polyframe_spec")
)
MARK = "polyframe_impl"
"""The attribute that ``@hookimpl`` leaves on a function."""
OBSERVING: frozenset[str] = frozenset(name for name in HOOKS if not name.startswith("register_"))


def vet(cls: type[Plugin], kind: Kind, *, builtin: bool) -> None:
    """Refuses a class that breaks its port's contract.

    Raises:
        PluginError: naming the class, the file, the line and what would be right.
    """
    if cls.api != API:
        raise PluginError(
            f"{kind.name} {cls.__name__} declares api = {cls.api!r}, at {_place(cls)}",
            expected=f"api = {API}",
            hint="read the changelog for what changed, adapt the plugin and set its api",
        )
    if not (isinstance(cls.Config, type) and issubclass(cls.Config, PluginConfig)):
        raise PluginError(
            f"{cls.__name__}.Config at {_place(cls)} is no PluginConfig",
            expected="class Config(PluginConfig): ...",
        )
    if issubclass(cls, Strategy | ExecutionStyle):
        _vet_state(cls)
    if issubclass(cls, Strategy):
        _vet_exits(cls)
    if issubclass(cls, Protection) and cls.scope == "venue" and not builtin and not cls.kernel:
        raise PluginError(
            f"protection {cls.__name__} has scope 'venue' without a kernel, at {_place(cls)}",
            expected="scope 'risk': only the core's own guards bind on orders that reduce exposure",
            hint='remove scope = "venue"',
        )
    for name, value in _own_members(cls, kind.port):
        _vet_member(cls, kind.port, name, value)


def overridden(cls: type[Plugin], kind: Kind) -> list[str]:
    """The port's methods that a class writes itself, in the port's order."""
    own = {name for name, value in _own_members(cls, kind.port) if callable(value)}
    if issubclass(cls, Observer):
        return sorted(own & OBSERVING)
    return [name for name in _methods(kind.port) if name in own]


def vet_hooks(module: ModuleType, marked: Iterable[tuple[str, FunctionType]]) -> None:
    """Refuses hook implementations that no specification knows, and hooks without their mark.

    Raises:
        PluginError: naming the function, its file and line, and the nearest hook.
    """
    implementations = dict(marked)
    for name, function in implementations.items():
        if name not in HOOKS:
            raise PluginError(
                f"hook {name} at {place(function)} does not exist", expected=_nearest(name, HOOKS)
            )
        mark: dict[str, Any] = getattr(function, MARK)
        if mark.get("wrapper") or mark.get("hookwrapper"):
            raise PluginError(
                f"hook {name} at {place(function)} is a wrapper",
                expected="a plain hook: hooks observe, they cannot change each other's answers",
            )
        known = set(inspect.signature(getattr(hookspecs, name)).parameters)
        extra = set(inspect.signature(function).parameters) - known
        if extra:
            raise PluginError(
                f"hook {name} at {place(function)} takes {', '.join(sorted(extra))}",
                expected=f"{name}({', '.join(known)})",
            )
    for name, value in vars(module).items():
        unmarked = name in HOOKS and name not in implementations
        if unmarked and isinstance(value, FunctionType) and value.__module__ == module.__name__:
            raise PluginError(
                f"function {name} at {place(value)} has a hook's name but is not marked as one",
                expected="@hookimpl above it, or another name",
                hint="from polyframe import hookimpl",
            )


def place(function: Callable[..., Any]) -> str:
    """File and line where a function starts."""
    code = inspect.unwrap(function).__code__
    return f"{code.co_filename}:{code.co_firstlineno}"


def _vet_state(cls: type[Strategy] | type[ExecutionStyle]) -> None:
    if not (isinstance(cls.State, type) and issubclass(cls.State, msgspec.Struct)):
        raise PluginError(
            f"{cls.__name__}.State at {_place(cls)} is no msgspec.Struct",
            expected="class State(msgspec.Struct): ...",
        )
    bare = [f.name for f in msgspec.structs.fields(cls.State) if f.required]
    if bare:
        raise PluginError(
            f"{cls.__name__}.State at {_place(cls)} has no default for {', '.join(bare)}",
            expected="a default for every field: it begins as State()",
        )


def _vet_exits(cls: type[Strategy]) -> None:
    try:
        declared(cls)
    except PluginError as error:
        raise PluginError(
            f"{error.message}, at {_place(cls)}", expected=error.expected, hint=error.hint
        ) from None


def _vet_member(cls: type[Plugin], port: type[Plugin], name: str, value: Any) -> None:
    known = OBSERVING if issubclass(cls, Observer) else frozenset(_methods(port))
    original = getattr(port, name, None) or getattr(hookspecs, name if name in known else "", None)
    if original is None:
        near = get_close_matches(name, known, n=1, cutoff=0.85)
        mistyped = near or (issubclass(cls, Strategy) and name.startswith("on_"))
        if isinstance(value, FunctionType) and mistyped:
            raise PluginError(
                f"{cls.__name__}.{name} at {place(value)} is no method of {port.__name__}",
                expected=_nearest(name, known),
                hint="rename it; begin its name with _ if it is a method of your own",
            )
        return
    if not isinstance(original, FunctionType):
        return
    if not isinstance(value, FunctionType):
        raise PluginError(
            f"{cls.__name__}.{name} in {_place(cls)} is a {type(value).__name__}",
            expected=f"a method: def {name}{inspect.signature(original)}",
        )
    _vet_signature(cls, name, value, original, spec=original.__module__ == hookspecs.__name__)


def _vet_signature(
    cls: type, name: str, function: FunctionType, original: FunctionType, *, spec: bool
) -> None:
    wanted = inspect.signature(original)
    count = len(wanted.parameters) + (1 if spec else 0)
    has_rest = any(p.kind is p.VAR_KEYWORD for p in wanted.parameters.values())
    try:
        inspect.signature(function).bind(*([None] * (count - has_rest)))
    except TypeError as error:
        raise PluginError(
            f"{cls.__name__}.{name}{_bare(function)} at {place(function)} cannot be called as "
            f"its port calls it: {error}",
            expected=f"def {name}{_bare(original)}",
        ) from None
    if inspect.iscoroutinefunction(function) != inspect.iscoroutinefunction(original):
        wants = "async def" if inspect.iscoroutinefunction(original) else "a plain def"
        raise PluginError(
            f"{cls.__name__}.{name} at {place(function)} is "
            f"{'not async' if wants == 'async def' else 'async'}",
            expected=f"{wants} {name}{_bare(original)}",
        )


def _bare(function: FunctionType) -> str:
    return f"({', '.join(inspect.signature(function).parameters)})"


def _own_members(cls: type, port: type) -> Iterable[tuple[str, Any]]:
    """Public members that a class or its own bases define, above the port."""
    seen: set[str] = set()
    for owner in cls.__mro__:
        if owner is port or issubclass(port, owner):
            continue
        for name, value in vars(owner).items():
            if not name.startswith("_") and name not in seen:
                seen.add(name)
                yield name, value


def _methods(port: type[Plugin]) -> list[str]:
    return [
        name
        for name, value in vars(port).items()
        if isinstance(value, FunctionType) and not name.startswith("_")
    ]


def _nearest(name: str, known: Iterable[str]) -> str:
    names = sorted(known)
    near = get_close_matches(name, names, n=1)
    return f"{near[0]}?" if near else f"one of {', '.join(names)}"


def _place(cls: type) -> str:
    try:
        return f"{inspect.getsourcefile(cls)}:{inspect.getsourcelines(cls)[1]}"
    except (OSError, TypeError):
        return f"module {cls.__module__}"
