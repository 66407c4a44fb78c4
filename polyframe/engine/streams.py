"""Random numbers: one stream for each (seed, plugin), and nothing to save.

A stream is made anew from (seed, plugin, step) whenever a step asks for it. The same step of the
same session therefore draws the same numbers, in a replay and after a restart, and recovery, which
never calls a strategy, need not know how many numbers it drew.
"""

from __future__ import annotations

import hashlib
import random


class Streams:
    """Gives plugins their random numbers."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._step = -1
        self._open: dict[str, random.Random] = {}

    def at(self, step: int, plugin: str) -> random.Random:
        """The stream of a plugin in a step."""
        if step != self._step:
            self._step = step
            self._open.clear()
        found = self._open.get(plugin)
        if found is None:
            text = f"{self._seed}\x1f{plugin}\x1f{step}".encode()
            number = int.from_bytes(hashlib.sha256(text).digest()[:8], "big")
            found = self._open[plugin] = random.Random(number)  # noqa: S311 - not for secrets
        return found
