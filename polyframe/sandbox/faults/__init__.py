"""What goes wrong at a venue, on command: plans of faults and the hands that carry them out.

::

    async with Sandbox(venue) as sandbox:
        faults.install(sandbox, faults.load("rough"))
"""

from __future__ import annotations

from polyframe.sandbox.faults.engine import Faults, install
from polyframe.sandbox.faults.plan import Plan, load, read

__all__ = ["Faults", "Plan", "install", "load", "read"]
