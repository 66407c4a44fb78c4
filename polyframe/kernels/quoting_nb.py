"""Compiles what a quoting strategy decides with, once for each file it stands in."""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any

from numba import njit
from numba.core.errors import NumbaError

from polyframe.errors import PluginError
from polyframe.kernels.compile_nb import stamped
from polyframe.kernels.seen_nb import QUOTE

_made: dict[Any, Any] = {}


def compiled(function: Callable[..., Any], marked: Any, *, quotes: bool) -> Any:
    """The machine code of a plain function and of those it calls that are marked alike.

    ``quotes`` says that it has the signature of a quote kernel. The code is kept beside the file
    that the function stands in, where the next process finds it.

    Raises:
        PluginError: it uses something that cannot be compiled.

    Shapes: as the function has them. Units: its own.
    """
    if function in _made:
        return _made[function]
    names = {
        name: value.compiled()
        for name, value in function.__globals__.items()
        if isinstance(value, marked) and name in _names(function)
    }
    # The same code, in which marked functions stand for their machine code.
    plain = FunctionType(
        function.__code__, {**function.__globals__, **names}, function.__name__,
        function.__defaults__, function.__closure__,
    )  # fmt: skip
    plain.__qualname__ = function.__qualname__
    plain.__module__ = function.__module__
    cached = not function.__code__.co_filename.startswith("<")
    try:
        # Whoever writes beyond a table is told so; without the check it would be somewhere else.
        made: Any = stamped(njit(cache=cached, boundscheck=True)(plain))
        if quotes:
            made.compile(QUOTE)
            made.disable_compile()
    except NumbaError as error:
        code = function.__code__
        raise PluginError(
            f"{function.__name__} cannot be compiled: {_reason(error)}",
            expected="numbers, arrays of numbers, the math module and @compilable functions",
            hint=f"see {code.co_filename}, line {code.co_firstlineno}",
        ) from error
    _made[function] = made
    return made


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return next((line for line in lines if not line.startswith("Failed")), "unknown")


def _names(function: Callable[..., Any]) -> tuple[str, ...]:
    return function.__code__.co_names
