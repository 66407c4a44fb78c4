"""Markets of one token: a symbol whose rules a person states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from polyframe.domain.market import Market, Token
from polyframe.domain.units import INT64_SAFE, MONEY_DECIMALS, to_units
from polyframe.errors import DataError, UserError

if TYPE_CHECKING:
    from pandas import DataFrame

MOST_DECIMALS = 12
OUTCOME = "Asset"


@dataclass(frozen=True, slots=True)
class Symbol:
    """A symbol's rules as a person states them; None for what is not stated."""

    tick: str | None = None
    lot: str | None = None
    price_decimals: int | None = None
    size_decimals: int | None = None
    venue: str = "binance"
    max_price: str = "10000000"

    @property
    def stated(self) -> bool:
        """Whether any rule is stated."""
        rules = (self.tick, self.lot, self.price_decimals, self.size_decimals)
        return any(rule is not None for rule in rules)

    def market(self, name: str) -> Market:
        """The market of these rules. Sizes have as many more decimals as money needs of both.

        Raises:
            UserError: a rule is missing or cannot be.
        """
        rules = {
            "--tick": self.tick, "--lot": self.lot, "--price-decimals": self.price_decimals,
            "--size-decimals": self.size_decimals,
        }  # fmt: skip
        missing = [option for option, value in rules.items() if value is None]
        if missing:
            raise UserError(
                f"market {name} has no {', '.join(missing)}",
                expected="a market of the catalogue, or all rules of a new symbol",
                hint=" ".join(f"{option} ..." for option in missing),
            )
        price, size = int(self.price_decimals or 0), int(self.size_decimals or 0)
        if not (0 <= price <= MOST_DECIMALS and 0 <= size <= MOST_DECIMALS):
            raise UserError(
                f"{price} price and {size} size decimals", expected=f"0 to {MOST_DECIMALS}"
            )
        size = max(size, MONEY_DECIMALS - price)
        try:
            most = to_units(self.max_price, price, name="--max-price")
            lot = to_units(self.lot, size, name="--lot")
            return Market(
                id=name, question=f"{name} at {self.venue}", tokens=(Token(name, OUTCOME),),
                venue=self.venue, tick=to_units(self.tick, price, name="--tick"), lot=lot,
                min_size=lot, price_decimals=price, size_decimals=size, max_price=most,
                max_size=min(10**13, (INT64_SAFE - 1) // most),
            )  # fmt: skip
        except DataError as error:
            raise UserError(error.message, expected=error.expected) from None


def symbol_rows(market: Market, source: str) -> DataFrame:
    """The row of a catalogue's markets that says all this. It never closes."""
    import pandas as pd  # noqa: PLC0415 - heavy

    from polyframe.store.parquet import empty_frame  # noqa: PLC0415 - with pandas
    from polyframe.store.schema import MARKETS  # noqa: PLC0415 - with pandas

    row = {
        "market_id": market.id, "question": market.question, "token_0": market.yes.id,
        "outcome_0": market.yes.outcome, "group_kind": "independent", "category": "other",
        "tick": market.show_price(market.tick), "lot": market.show_size(market.lot),
        "min_size": market.show_size(market.min_size), "closes": 0, "known_at": 0,
        "source": source, "venue": market.venue, "price_decimals": market.price_decimals,
        "size_decimals": market.size_decimals, "max_price": market.show_price(market.max_price),
    }  # fmt: skip
    empty = empty_frame(MARKETS)
    return pd.DataFrame({n: pd.Series([row.get(n)], dtype=empty[n].dtype) for n in MARKETS.names})
