"""How kernels are compiled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba import njit


def kernel(signature: Any, *, inline: bool = False) -> Callable[[Any], Any]:
    """Compiles a function for one signature at its import and keeps the machine code on disk.

    With ``inline`` its code is copied to where it is called: a call hands over some ten words for
    each array, which for a tuple of tables costs more than what a short function does with them.

    Numba counts references to every view of an array with locked instructions, which cost more
    than the work itself where a row takes some 30 ns. Callers hold all arrays, so nothing needs
    counting: it is left out (numba's option ``_nrt``). Such a kernel cannot make arrays; one that
    does not compile for that reason takes its room as an argument.

    Shapes: as the signature has them. Units: the function's own.
    """
    options: dict[str, Any] = {"cache": True, "_nrt": False, "forceinline": inline}
    compiled: Callable[[Any], Any] = njit(signature, **options)
    return compiled
