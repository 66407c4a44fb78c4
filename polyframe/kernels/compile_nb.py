"""How kernels are compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core.compiler_lock import global_compiler_lock
from numba.np import arrayobj

_waiting: dict[int, Callable[[], None]] = {}
"""kernels that nobody needed yet"""


def kernel(signature: Any, *, inline: bool = False, alone: bool = False) -> Callable[[Any], Any]:
    """Compiles a function for one signature and keeps the machine code on disk.

    That happens when it is first called, or another that calls it is compiled: a process that
    finds the code of those it calls on disk loads no other.

    With ``inline`` its code is copied to where it is called: a call hands over some ten words for
    each array, which for a tuple of tables costs more than what a short function does with them.

    With ``alone`` Python goes on in other threads while it runs: no two may work on one table.

    Numba counts references to every view of an array with locked instructions, which cost more
    than the work itself where a row takes some 30 ns. Callers hold all arrays, so nothing needs
    counting: it is left out (numba's option ``_nrt``). Such a kernel cannot make arrays; one that
    does not compile for that reason takes its room as an argument.

    Shapes: as the signature has them. Units: the function's own.
    """
    options: dict[str, Any] = {
        "cache": True, "_nrt": False, "forceinline": inline, "nogil": alone,
    }  # fmt: skip

    def made(function: Any) -> Any:
        found: Any = stamped(njit(**options)(function))
        return _on_demand(found, signature) if hasattr(found, "disable_compile") else found

    return made


@cache
def _digest() -> str:
    """Of the source of all kernels."""
    found = blake2b(digest_size=16)
    for path in sorted(Path(__file__).parent.glob("*_nb.py")):
        found.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def stamped(made: Any) -> Any:
    """A dispatcher whose code on disk counts for the kernels as they are now, and for no others.

    Numba looks at the file that a function stands in alone, but its machine code has the functions
    and the numbers of columns of other files in it: after a change there it would write where it
    must not.

    Shapes: none. Units: none.
    """
    kept = getattr(getattr(made, "_cache", None), "_cache_file", None)
    if kept is not None:
        kept._source_stamp = (kept._source_stamp, _digest())
    return made


@contextmanager
def _from_the_start() -> Iterator[None]:
    """Compiles indexes as they are: none counts from an array's end, unless it is written so.

    Numba asks of each index whether it is negative, which is a fifth of the instructions of a run
    over a tape. It has no option against that for signed numbers, and where a numba has no such
    function all stays as it is. ``NUMBA_BOUNDSCHECK=1`` has every index checked.
    """
    before: Any = getattr(arrayobj, "fix_integer_index", None)
    if before is None:
        yield
        return

    def as_it_is(context: Any, builder: Any, kind: Any, index: Any, size: Any) -> Any:
        if isinstance(index, ir.Constant):
            return before(context, builder, kind, index, size)
        return context.cast(builder, index, kind, types.intp)

    arrayobj.fix_integer_index = as_it_is
    try:
        yield
    finally:
        arrayobj.fix_integer_index = before


def _on_demand(made: Any, signature: Any) -> Any:
    """A dispatcher that compiles its one signature when it is first asked for anything."""

    def ready() -> None:
        # Whoever comes while it is compiled in another thread waits.
        with global_compiler_lock:
            if _waiting.pop(id(made), None) is not None:
                with _from_the_start():
                    made.compile(signature)
                made.disable_compile()
                del made._compile_for_args, made.get_call_template

    def called(*_: Any, **__: Any) -> Any:
        ready()
        return made  # numba calls what it gets here with the arguments

    def template(args: Any, named: Any) -> Any:
        ready()
        return made.get_call_template(args, named)

    _waiting[id(made)] = ready
    made._compile_for_args, made.get_call_template = called, template
    return made


def compile_all() -> None:
    """Compiles every kernel of the modules that were imported.

    Shapes: none. Units: none.
    """
    while _waiting:
        next(iter(_waiting.values()))()
