"""A run as data frames: amounts as floats, times as UTC timestamps; exact texts are in the report.

Shapes: one row a trade, round trip, order, forecast or guard. Units: the account's currency.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from polyframe.domain.units import MONEY_ONE
from polyframe.domain.verdict import Ruling
from polyframe.lab.record import RunRecord
from polyframe.lab.schema import Report, RoundTrip, Trade
from polyframe.store.decisions import decisions as decision_log
from polyframe.store.journal_reader import JournalReader

if TYPE_CHECKING:
    from pandas import DataFrame

AMOUNTS = (
    *("price", "mid", "shares", "fee", "fees", "payout", "cash", "staked", "pnl"),
    *("asked", "permitted"),
)
TIMES = ("time", "opened", "closed")
SIGNALS = (
    *("time", "ts", "ledger", "market", "token", "side", "kind", "order", "price", "asked"),
    *("permitted", "ruling", "guards", "why", "probability", "edge", "reason"),
)


def trades(report: Report) -> DataFrame:
    """Every fill and settlement, in the order they were booked."""
    return plain(report.trades, Trade.__struct_fields__)


def round_trips(report: Report) -> DataFrame:
    """Every holding from flat to flat; what freqtrade calls a trade."""
    return plain(report.round_trips, RoundTrip.__struct_fields__)


def denials(report: Report) -> DataFrame:
    """How many orders each guard denied or made smaller, with the reason it gave most often."""
    return plain(report.rejected, ("protection", "ruling", "orders", "reason", "others"))


def equity(report: Report, directory: Path | None, record: RunRecord | None) -> DataFrame:
    """Equity and its fall from the peak, by time: every value where the run is at hand."""
    import pandas as pd  # noqa: PLC0415 - only who asks for a frame waits for it

    if record is not None:
        rows = pd.DataFrame({"ts": record.equity_ts, "equity": record.equity})
    elif directory is not None and (directory / "equity.parquet").is_file():
        rows = pd.read_parquet(directory / "equity.parquet", columns=["ts", "equity"])
    else:
        points = [(ts, round(float(text) * MONEY_ONE)) for ts, text in report.equity]
        rows = pd.DataFrame(points, columns=["ts", "equity"])
    values = rows["equity"] / MONEY_ONE
    index = pd.DatetimeIndex(pd.to_datetime(rows["ts"].astype("int64"), utc=True), name="time")
    frame = pd.DataFrame({"equity": values.to_numpy()}, index=index)
    frame["drawdown"] = frame["equity"] - frame["equity"].cummax()
    return frame


def forecasts(record: RunRecord | None) -> DataFrame:
    """Every forecast that was delivered, with the market's mid beside it and what happened."""
    rows = []
    if record is not None:
        ended = {id: found.payouts[0] for id, found in record.resolutions.items()}
        for given in record.judgements:
            paid = ended.get(given.market)
            rows.append(
                {
                    "time": given.ts, "market": given.market,
                    "probability": float(given.probability), "mid": float(given.mid),
                    "source": given.source, "confidence": given.confidence,
                    "payout": None if paid is None else paid / MONEY_ONE,
                }
            )  # fmt: skip
    columns = ("time", "market", "probability", "mid", "source", "confidence", "payout")
    return plain(rows, columns)


def decisions(journal: Path) -> DataFrame:
    """The decision log of a journal, one row a stage, with the place in the journal that proves it.

    Raises:
        GapError: the journal was edited.
    """
    rows = []
    for row in decision_log(JournalReader(journal)):
        fields = msgspec.to_builtins(row)
        fields["time"] = fields["ts"]
        fields |= {f"proof_{name}": value for name, value in (fields.pop("proof") or {}).items()}
        rows.append(fields)
    return plain(rows, ("time", "stage", "ledger", "market", "order"))


def signals(record: RunRecord) -> DataFrame:
    """Every order that a strategy wanted and what the guards made of it."""
    markets = {token.id: market for market in record.markets for token in market.tokens}
    rows = []
    for review in record.reviews:
        intent = review.intent
        market = markets[intent.token]
        strict = [v for v in review.verdicts if v.binding and v.ruling < Ruling.ALLOW]
        ruling = "denied" if not review.permitted else "shrunk" if strict else "allowed"
        rows.append(
            {
                "time": review.ts, "ts": review.ts, "ledger": review.ledger, "market": market.id,
                "token": intent.token, "side": intent.side.name.lower(),
                "kind": intent.kind.name.lower(), "order": review.order,
                "price": None if intent.price is None else market.show_price(intent.price),
                "asked": market.show_size(review.asked),
                "permitted": market.show_size(review.permitted), "ruling": ruling,
                "guards": ", ".join(v.protection for v in strict),
                "why": "; ".join(v.reason for v in strict if v.reason),
                "probability": _number(intent.probability), "edge": _number(intent.edge),
                "reason": intent.reason,
            }
        )  # fmt: skip
    return plain(rows, SIGNALS)


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def plain(rows: Iterable[Any], columns: Sequence[str] = ()) -> DataFrame:
    """Records as a frame; ``columns`` are those it has even without a row."""
    import pandas as pd  # noqa: PLC0415 - only who asks for a frame waits for it

    values = [row if isinstance(row, Mapping) else msgspec.to_builtins(row) for row in rows]
    frame = pd.DataFrame(values) if values else pd.DataFrame(columns=list(columns))
    for name in frame.columns:
        if name in TIMES:
            known = "ISO8601" if values and frame[name].dtype.kind != "i" else None
            frame[name] = pd.to_datetime(frame[name], utc=True, format=known)
        elif name in AMOUNTS:
            frame[name] = frame[name].astype("float64")
    return frame
