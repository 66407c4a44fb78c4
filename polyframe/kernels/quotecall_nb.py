"""A strategy's quote kernel as a first-class function, made from where its machine code lies.

Handing a compiled function over as an argument has numba look its addresses up at every call, in
Python: some 100 us, where the loop that asks it runs for a few.

Shapes: see ``seen_nb.QUOTE``. Units: none.
"""

from __future__ import annotations

from typing import Any

from numba import int64, types
from numba.core import cgutils
from numba.experimental.function_type import _get_jit_address, _get_wrapper_address
from numba.extending import intrinsic

from polyframe.kernels.seen_nb import QUOTE

ASKED = types.FunctionType(QUOTE)


@intrinsic
def quote_at(typingctx, wrapper, code):  # type: ignore[no-untyped-def]
    """The function whose C wrapper and machine code lie at two addresses.

    Shapes: scalars. Units: addresses.
    """

    def make(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        made = cgutils.create_struct_proxy(ASKED)(context, builder)
        made.c_addr = builder.inttoptr(args[0], made.c_addr.type)
        made.jit_addr = builder.inttoptr(args[1], made.jit_addr.type)
        return made._getvalue()

    return ASKED(int64, int64), make


def addresses(compiled: Any) -> tuple[int, int]:
    """Where the C wrapper and the machine code of a compiled quote kernel lie.

    Both hold as long as the kernel does.

    Shapes: none. Units: addresses.
    """
    signature = ASKED.signature
    return _get_wrapper_address(compiled, signature), _get_jit_address(compiled, signature)
