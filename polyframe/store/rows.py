"""Rows of a catalogue as domain values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from polyframe.domain.forecast import Forecast
from polyframe.domain.market import (
    FeeSchedule,
    Group,
    GroupKind,
    Market,
    Resolution,
    ResolutionKind,
    Token,
)
from polyframe.domain.units import INT64_SAFE, Ns, to_units
from polyframe.errors import DataError

Row = Mapping[str, Any]


def to_ends(markets: Iterable[Row]) -> dict[str, Ns]:
    """Since when each market's outcome could be known: its close or resolution, the earlier.

    A market that closes at 0 never does.
    """
    found = {}
    for row in markets:
        known = [at for at in (row["closes"] or None, row["resolved_at"]) if at is not None]
        if known:
            found[str(row["market_id"])] = int(min(known))
    return found


def to_market(row: Row) -> Market:
    """A market with the venue's defaults for what the row does not state.

    Raises:
        DataError: a value breaks a market's rules.
    """
    stated: dict[str, Any] = {}
    for name in ("price_decimals", "size_decimals"):
        if row.get(name) is not None:
            stated[name] = int(row[name])
    if row.get("venue"):
        stated["venue"] = row["venue"]
    price, size = stated.get("price_decimals", 4), stated.get("size_decimals", 6)
    amounts = (("tick", price), ("lot", size), ("min_size", size), ("max_price", price))
    for name, decimals in amounts:
        if row.get(name) is not None:
            of = f"{name} of market {row['market_id']}"
            stated[name] = to_units(row[name], decimals, name=of)
    if "max_price" in stated:
        stated["max_size"] = min(10**13, (INT64_SAFE - 1) // stated["max_price"])
    tokens = [Token(row["token_0"], row["outcome_0"])]
    if row["token_1"]:
        tokens.append(Token(row["token_1"], row["outcome_1"] or ""))
    if row["fee_rate"] is not None:
        stated["fee"] = FeeSchedule(int(row["fee_rate"]), int(row["fee_exponent"] or 1))
    return Market(
        id=row["market_id"],
        question=row["question"],
        tokens=tuple(tokens),
        group=row["group"] or "",
        category=row["category"] or "other",
        tags=tuple(tag for tag in (row["tags"] or "").split("|") if tag),
        slug=row["slug"] or "",
        condition_id=row["condition_id"] or "",
        strike=row["strike"],
        opened=row["opened"] or 0,
        closes=row["closes"],
        **stated,
    )


def to_resolution(row: Row) -> Resolution | None:
    """How a market ended; None while it has not.

    Raises:
        DataError: the row says that it ended, but not how or when.
    """
    if row["resolution"] is None:
        return None
    market = to_market(row)
    kind, known_at = ResolutionKind(row["resolution"]), row["resolved_at"]
    if known_at is None:
        raise DataError(f"market {market.id} is resolved, but nothing says since when")
    if kind is not ResolutionKind.WINNER:
        return Resolution.split(market, known_at, kind)
    if row["winner"] not in {0, 1}:
        raise DataError(f"market {market.id} has winner {row['winner']!r}", expected="0 or 1")
    return Resolution.winner(market, row["winner"], known_at)


def to_groups(rows: Iterable[Row]) -> list[Group]:
    """The events of some markets, by id; ladder markets in ascending strike.

    Raises:
        DataError: markets disagree about their group's kind, or a ladder market has no strike.
    """
    members: dict[str, list[Row]] = {}
    for row in rows:
        if row["group"]:
            members.setdefault(row["group"], []).append(row)
    groups = []
    for name, markets in sorted(members.items()):
        kinds = {row["group_kind"] or GroupKind.INDEPENDENT.value for row in markets}
        if len(kinds) > 1:
            raise DataError(
                f"group {name} is called {' and '.join(sorted(kinds))}",
                expected="one kind a group",
                hint="polyframe data check",
            )
        kind = GroupKind(kinds.pop())
        if kind is GroupKind.LADDER:
            without = [row["market_id"] for row in markets if row["strike"] is None]
            if without:
                raise DataError(f"ladder {name}: market {without[0]} has no strike")
            markets.sort(key=lambda row: (row["strike"], row["market_id"]))
        groups.append(Group(name, tuple(row["market_id"] for row in markets), kind))
    return groups


def to_forecast(row: Row) -> Forecast:
    """A recorded forecast.

    Raises:
        DataError: its probability is not strictly between 0 and 1.
    """
    return Forecast(
        market=row["market_id"],
        probability=row["probability"],
        as_of=row["as_of"],
        source=row["source"],
        latency=row["latency"] or 0,
        model=row["model"] or "",
        cutoff=row["cutoff"] or 0,
        cost=row["cost"] or 0,
        blind=bool(row["blind"]),
        low=row["low"],
        high=row["high"],
        confidence=row["confidence"] or "",
        evidence_quality=row["evidence_quality"],
    )
