"""The data of markets as a hash: equal data, equal hash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from polyframe.store.parquet import only, plain_array
from polyframe.store.schema import BARS, MARKETS, VERSION, Table, table


def digest_of(
    rows: Callable[[str], Any],
    bars: bool,
    segments: Sequence[Mapping[str, Any]],
    market_ids: Iterable[str] | None,
) -> str:
    """SHA-256 of the data of some markets (None: of all) in hex.

    ``rows`` gives the pyarrow table of a kind of data; ``bars`` says whether there are any, and
    ``segments`` are a tape's, as the manifest lists them.
    """
    markets = rows(MARKETS.kind)
    # Without bars the digest is what it was before there were any.
    priced = ["prices", "trades", *([BARS.kind] if bars else [])]
    tables = {
        kind: rows(kind) for kind in dict.fromkeys(["prices", "trades", "forecasts", *priced])
    }
    if market_ids is not None:
        wanted = set(market_ids)
        markets = only(markets, "market_id", wanted)
        tokens = {token for n in (0, 1) for token in markets[f"token_{n}"].to_pylist() if token}
        for kind in priced:
            tables[kind] = only(tables[kind], "token", tokens)
        tables["forecasts"] = only(tables["forecasts"], "market_id", wanted)
    sha = hashlib.sha256(f"polyframe catalogue {VERSION}".encode())
    for kind, found in {MARKETS.kind: markets, **tables}.items():
        sha.update(digest_rows(found, table(kind)))
    firsts = set(markets["token_0"].to_pylist())
    for entry in segments:
        if firsts & set(entry["instruments"]):
            sha.update(bytes.fromhex(entry["sha256"]))
    return sha.hexdigest()


def digest_rows(rows: Any, table: Table) -> bytes:
    """SHA-256 of a pyarrow table's rows, the same whatever their order or the files they are of."""
    import pyarrow.compute as pc  # noqa: PLC0415 - heavy

    sha = hashlib.sha256(table.kind.encode())
    keys = [(name, "ascending") for name in (*table.key, *_rest(table))]
    rows = rows.take(pc.sort_indices(rows, sort_keys=keys)) if rows.num_rows else rows
    for column in table.columns:
        values = rows[column.name]
        missing = plain_array(values.is_null())
        if column.silent and missing.all():
            continue
        sha.update(column.name.encode() + b"\0" + missing.tobytes())
        if column.type == "string":
            sha.update("\x1f".join(text or "" for text in values.to_pylist()).encode())
        else:
            plain = plain_array(values)
            filled = np.where(missing, plain.dtype.type(0), plain)
            sha.update(filled.astype(filled.dtype.newbyteorder("<")).tobytes())
    return sha.digest()


def _rest(table: Table) -> list[str]:
    return [name for name in ("source",) if name not in table.key]
