"""Says why the first run takes longer: its loops are compiled for this machine."""

from __future__ import annotations

import os
from pathlib import Path

from polyframe.cli.console import err_console

COMPILING = {
    "backtest": ("barrun_nb", "half a minute"),
    "lookahead": ("barrun_nb", "half a minute"),
    "reproduce": ("barrun_nb", "half a minute"),
    "sandbox": ("limit_nb", "some seconds"),
}
"""the verbs that need compiled loops, with one of those and how long it takes"""


def say_if_first(verb: str) -> None:
    """Prints a line when the machine code that the verb needs is not on the disk yet."""
    kernels = Path(__file__).resolve().parent.parent / "kernels"
    cache = kernels / "__pycache__"
    # Where the package cannot be written to, numba keeps it elsewhere under a name of its own.
    known = "NUMBA_CACHE_DIR" in os.environ or not os.access(kernels, os.W_OK)
    loop, time = COMPILING.get(verb, ("", ""))
    if not loop or known or any(cache.glob(f"{loop}.*.nbi")):
        return
    err_console.print(f"[dim]Compiling for this machine: {time}, once.[/]")
