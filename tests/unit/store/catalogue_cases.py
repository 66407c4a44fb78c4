"""Small files of the kind people import."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from polyframe.domain.units import DAY, HOUR
from polyframe.store.schema import table

START = 1_767_225_600_000_000_000
"""2026-01-01 00:00 UTC"""


def market(n: int = 1, **changed: Any) -> dict[str, Any]:
    """A market in the catalogue's own columns."""
    return {
        "market_id": f"m{n}",
        "question": f"Question {n}?",
        "token_0": f"y{n}",
        "outcome_0": "Yes",
        "token_1": f"n{n}",
        "outcome_1": "No",
        "opened": START,
        "closes": START + 10 * DAY,
        **changed,
    }


def price(token: str = "y1", hour: int = 0, value: Any = 7000) -> dict[str, Any]:
    return {"token": token, "ts": START + hour * HOUR, "price": value}


def forecast(
    market_id: str = "m1", hour: int = 0, p: float = 0.6, **changed: Any
) -> dict[str, Any]:
    return {"market_id": market_id, "as_of": START + hour * HOUR, "probability": p, **changed}


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    """Rows as Parquet, typed by their values."""
    path.parent.mkdir(parents=True, exist_ok=True)
    names = dict.fromkeys(name for row in rows for name in row)
    pq.write_table(pa.table({name: [row.get(name) for row in rows] for name in names}), path)
    return path


def write_map(path: Path, kind: str, columns: dict[str, Any], **rest: Any) -> Path:
    path.write_text(json.dumps({"kind": kind, "source": "test", "columns": columns, **rest}))
    return path


def overwrite(path: Path, kind: str, rows: list[dict[str, Any]]) -> None:
    """Puts rows into a catalogue file behind the catalogue's back."""
    schema = table(kind).arrow()
    loose = pa.schema([pa.field(f.name, f.type) for f in schema])
    pq.write_table(pa.Table.from_pylist(rows, schema=loose), path)
