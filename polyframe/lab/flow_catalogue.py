"""Synthetic order flow as a catalogue of its own, ready for a backtest."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from polyframe.domain.market import Market, Resolution
from polyframe.errors import UserError
from polyframe.lab.flow_kept import NOTE, Flow, write
from polyframe.lab.synth import SOURCE
from polyframe.store.catalogue import MANIFEST, TAPE, Catalogue
from polyframe.store.tape import Tape

if TYPE_CHECKING:
    from pandas import DataFrame


def write_catalogue(flow: Flow, directory: Path) -> None:
    """Stores order flow as a new catalogue: its markets, how they ended, and the tape.

    Raises:
        UserError: there is a catalogue already.
        DataError: the disk refused.
    """
    if (directory / MANIFEST).exists():
        raise UserError(
            f"{directory} holds a catalogue already",
            expected="an empty directory: synthetic data is not mixed with other data",
            hint="python -m polyframe.lab.flow --catalogue OTHER-DIR",
        )
    note = {"generator": "polyframe.lab.flow", "seed": flow.note.seed}
    catalogue = Catalogue.create(directory)
    catalogue.manifest[SOURCE] = True
    ended = {found.market: found for found in flow.note.resolutions}
    rows = [_row(market, ended.get(market.id)) for market in flow.note.markets]
    catalogue.write_markets(_frame(rows), note)
    place = directory / TAPE / SOURCE
    write(flow, place)
    (place / NOTE).replace(directory / NOTE)
    for segment in Tape.open(place):
        facts = {"rows": segment.rows, "instruments": list(segment.instruments),
                 "first": segment.first_ts, "last": segment.last_ts}  # fmt: skip
        result = {"rows": segment.rows, "set_aside": 0, "clears": {}}
        catalogue.add_segment(SOURCE, segment.path, facts, {**note, "result": result})


def _row(market: Market, ended: Resolution | None) -> dict[str, Any]:
    tokens = [(token.id, token.outcome) for token in market.tokens] + [(None, None)]
    winner = None if ended is None else int(ended.payouts[0] == 0)
    return {
        "market_id": market.id, "slug": market.slug, "question": market.question,
        "group_kind": "independent", "category": market.category, "tags": "|".join(market.tags),
        "token_0": tokens[0][0], "outcome_0": tokens[0][1], "token_1": tokens[1][0],
        "outcome_1": tokens[1][1], "tick": market.show_price(market.tick),
        "min_size": market.show_size(market.min_size), "lot": market.show_size(market.lot),
        "opened": market.opened, "closes": market.closes,
        "resolution": None if ended is None else ended.kind.value, "winner": winner,
        "resolved_at": None if ended is None else ended.known_at, "source": SOURCE,
        "known_at": market.opened, "venue": market.venue,
        "price_decimals": market.price_decimals, "size_decimals": market.size_decimals,
        "max_price": market.show_price(market.max_price),
    }  # fmt: skip


def _frame(rows: list[dict[str, Any]]) -> DataFrame:
    import pandas as pd  # noqa: PLC0415 - heavy

    from polyframe.store.parquet import empty_frame  # noqa: PLC0415 - with pandas
    from polyframe.store.schema import MARKETS  # noqa: PLC0415 - with pandas

    empty = empty_frame(MARKETS)
    return pd.DataFrame(
        {
            name: pd.Series([row.get(name) for row in rows], dtype=empty[name].dtype)
            for name in MARKETS.names
        }
    )
