"""A segment of a tape that is held in memory: a sealed one with some rows changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyframe.store.tape import COLUMNS, Segment, segment_name


class HeldSegment(Segment):
    """The same as a sealed segment for whoever plays it; no file stands behind it."""

    def __init__(self, like: Segment, columns: dict[str, NDArray[Any]]) -> None:
        self.path = Path(segment_name(like.number))
        self.number = like.number
        self.instruments, self.names = like.instruments, like.names
        self.rows = len(columns["ts"])
        self.first_ts, self.last_ts = int(columns["ts"][0]), int(columns["ts"][-1])
        held = {}
        for name, dtype in COLUMNS.items():
            held[name] = np.ascontiguousarray(columns[name], dtype)
            held[name].flags.writeable = False
        self.columns = held
