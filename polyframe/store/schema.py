"""The tables of a catalogue: the one place that says which columns exist and what they mean.

Every table has ``known_at``: the moment since which its row could have been known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from polyframe.errors import UserError

VERSION = 1
"""Version of the catalogue's layout. Columns may be added within a version, never changed."""

Form: TypeAlias = Literal[
    "text", "time", "span", "price", "size", "money", "rate", "probability", "number", "whole",
    "decimal", "flags", "yes",
]  # fmt: skip
"""What a column holds; decides its type on disk and the units a mapping may state."""

ARROW: dict[str, str] = {
    "text": "string",
    "time": "int64",
    "span": "int64",
    "price": "int32",
    "size": "int64",
    "money": "int64",
    "rate": "int32",
    "probability": "float64",
    "number": "float64",
    "whole": "int8",
    "decimal": "string",
    "flags": "uint8",
    "yes": "bool",
}

UNIT: dict[str, str] = {
    "text": "",
    "time": "ns UTC",
    "span": "ns",
    "price": "1e-4",
    "size": "1e-6 shares",
    "money": "1e-6 USD",
    "rate": "millionths",
    "probability": "(0, 1)",
    "number": "",
    "whole": "",
    "decimal": "decimal text",
    "flags": "bits",
    "yes": "",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    name: str
    form: Form
    meaning: str
    required: bool = False
    added: bool = False
    """files written before the column existed lack it; it is empty there"""
    silent: bool = False
    """where no row states it, digests are those of before the column existed"""

    @property
    def type(self) -> str:
        """The column's type on disk."""
        return ARROW[self.form]

    @property
    def unit(self) -> str:
        """The column's unit, empty where it has none."""
        return UNIT[self.form]


@dataclass(frozen=True, slots=True)
class Table:
    """One kind of data. ``key`` columns identify a row; ``inputs`` are read, not stored."""

    kind: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    order: tuple[str, ...]
    inputs: tuple[Column, ...] = ()

    def column(self, name: str) -> Column:
        """A column by its name."""
        return next(c for c in (*self.columns, *self.inputs) if c.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the stored columns, in their order on disk."""
        return tuple(c.name for c in self.columns)

    def arrow(self) -> Any:
        """The pyarrow schema."""
        import pyarrow as pa  # noqa: PLC0415 - heavy, only where files are touched

        return pa.schema(
            [pa.field(c.name, pa.type_for_alias(c.type), not c.required) for c in self.columns]
        )


MARKETS = Table(
    "markets",
    (
        Column("market_id", "text", "the venue's id of the market", True),
        Column("condition_id", "text", "the venue's on-chain id"),
        Column("slug", "text", "short name used in addresses"),
        Column("question", "text", "what is asked", True),
        Column("group", "text", "the event it belongs to, empty for none"),
        Column(
            "group_kind",
            "text",
            "how the group's markets exclude or imply each other: independent, exclusive, ladder",
        ),
        Column("category", "text", "decides the fee; lower case"),
        Column("tags", "text", "labels, separated by |"),
        Column("strike", "number", "threshold of a ladder market"),
        Column("token_0", "text", "id of the first outcome's token (YES)", True),
        Column("outcome_0", "text", "name of the first outcome", True),
        Column("token_1", "text", "id of the second outcome's token (NO); null for a symbol"),
        Column("outcome_1", "text", "name of the second outcome"),
        Column("tick", "decimal", "price step; 0.001 where not stated"),
        Column("min_size", "decimal", "smallest order in shares; 5 where not stated"),
        Column("lot", "decimal", "size step in shares; 0.01 where not stated"),
        Column("opened", "time", "first moment of trading"),
        Column("closes", "time", "last moment of trading", True),
        Column("resolution", "text", "how it ended: winner, split or void; null while open"),
        Column("winner", "whole", "which outcome won, 0 or 1"),
        Column("resolved_at", "time", "since when anyone could know the outcome"),
        Column("fee_rate", "rate", "taker fee rate; null where nobody has stated one"),
        Column("fee_exponent", "whole", "exponent of the fee's p(1-p) curve"),
        Column("source", "text", "who recorded it", True),
        Column("known_at", "time", "when the row could be known; its opening by default", True),
        Column("venue", "text", "where it trades; polymarket where not stated", False, True, True),
        Column("price_decimals", "whole", "of its prices; 4 where not stated", False, True, True),
        Column("size_decimals", "whole", "of its sizes; 6 where not stated", False, True, True),
        Column("max_price", "decimal", "no price is above it; 1 if null", False, True, True),
    ),
    key=("market_id",),
    order=("market_id",),
)

PRICES = Table(
    "prices",
    (
        Column("market_id", "text", "empty where the token's market is not known"),
        Column("token", "text", "the token priced", True),
        Column("ts", "time", "the moment of the price", True),
        Column("price", "price", "recorded mid of this token, 0 to 10000", True),
        Column("flag", "flags", "what is wrong with it, see Flags", True),
        Column("source", "text", "who recorded it", True),
        Column("known_at", "time", "when we could know it; ts by default", True),
    ),
    key=("token", "ts"),
    order=("token", "ts"),
)

BARS = Table(
    "bars",
    (
        Column("market_id", "text", "empty where the token's market is not known"),
        Column("token", "text", "the token priced; the market's first where not stated", True),
        Column("interval", "span", "length of the bar", True),
        Column("ts", "time", "the bar's first moment, a multiple of its length", True),
        Column("open", "price", "first price, 0 to 10000", True),
        Column("high", "price", "highest price", True),
        Column("low", "price", "lowest price", True),
        Column("close", "price", "last price", True),
        Column("volume", "size", "shares traded; 0 where not stated", True),
        Column("source", "text", "who recorded it", True),
        Column("known_at", "time", "since when we could know it; its last ns by default", True),
    ),
    key=("token", "interval", "ts"),
    order=("token", "interval", "ts"),
    inputs=(Column("end", "time", "the moment after the bar, in place of its first"),),
)

TRADES = Table(
    "trades",
    (
        Column("token", "text", "the token traded", True),
        Column("ts", "time", "when we could know it", True),
        Column("ts_venue", "time", "when the venue says it happened"),
        Column("side", "text", "the taker's side: buy or sell", True),
        Column("price", "price", "price of this token", True),
        Column("size", "size", "shares", True),
        Column("wallet", "text", "whose trade, empty where not told"),
        Column("trade", "text", "the venue's id or transaction; several fills may share one"),
        Column("source", "text", "who recorded it", True),
        Column("known_at", "time", "when we could know it; ts by default", True),
    ),
    key=("token", "ts", "side", "price", "size", "wallet", "trade"),
    order=("ts", "token"),
)

FORECASTS = Table(
    "forecasts",
    (
        Column("market_id", "text", "the market forecast", True),
        Column("as_of", "time", "the moment whose knowledge it uses", True),
        Column("latency", "span", "what making it took; 0 where not stated", True),
        Column("probability", "probability", "of the market's first outcome", True),
        Column("source", "text", "true maker of the number, e.g. option-implied", True),
        Column("model", "text", "model or method"),
        Column("cutoff", "time", "end of the model's knowledge; 0 for none", True),
        Column("cost", "money", "what it cost; 0 where not stated", True),
        Column("blind", "yes", "true when its maker did not see the price", True),
        Column("known_at", "time", "as_of + latency", True),
        Column("confidence", "text", "LOW, MEDIUM or HIGH, as its maker says", added=True),
        Column("evidence_quality", "number", "of the evidence, 0 to 1", added=True),
        Column("low", "probability", "lower end of its interval", added=True),
        Column("high", "probability", "upper end of its interval", added=True),
    ),
    key=("market_id", "source", "model", "as_of"),
    order=("market_id", "source", "as_of"),
    inputs=(Column("closes", "time", "the row's own market end, to check as_of against"),),
)

TABLES: dict[str, Table] = {t.kind: t for t in (MARKETS, PRICES, BARS, TRADES, FORECASTS)}


def table(kind: str) -> Table:
    """The table of a kind of data.

    Raises:
        UserError: there is no such kind.
    """
    if kind not in TABLES:
        from difflib import get_close_matches  # noqa: PLC0415 - on the way to an error only

        guess = get_close_matches(kind, TABLES, 1)
        raise UserError(
            f"unknown kind of data {kind!r}" + (f"; did you mean {guess[0]!r}?" if guess else ""),
            expected="one of " + ", ".join(TABLES),
        )
    return TABLES[kind]
