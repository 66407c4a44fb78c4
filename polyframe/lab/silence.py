"""What a quoting strategy never quoted, and why: nothing in a report would tell otherwise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from polyframe.api.quoting import Quoter
from polyframe.kernels import barcolumns_nb as c
from polyframe.kernels.seencolumns_nb import OWN_SIZE_OF
from polyframe.runtime.tape_compiled import CompiledTapeFeed

if TYPE_CHECKING:
    from polyframe.domain.market import Market
    from polyframe.lab.logs import ReviewLog
    from polyframe.runtime.build import Session

NAMED = 3
"""markets that a note names"""


def silences(made: Session, reviews: ReviewLog) -> list[str]:
    """A note for every strategy and reason: markets in which no quote came before a guard."""
    if not any(isinstance(player.strategy, Quoter) for player in made.parts.players):
        return []
    quoted = {review.market for review in reviews.stepped}
    if reviews.late is not None:
        numbers = np.unique(reviews.late.rows[:, c.O_MARKET]).tolist()
        quoted |= {made.markets[number].id for number in numbers}
    notes = []
    for player in made.parts.players:
        strategy = player.strategy
        if not isinstance(strategy, Quoter):
            continue
        found: defaultdict[str, list[Market]] = defaultdict(list)
        for number, market in enumerate(made.markets):
            if market.id not in quoted:
                found[strategy.silent(market, _memory(made, strategy, number))].append(market)
        name = type(strategy).__name__
        notes += [_note(name, why, some, len(made.markets)) for why, some in found.items()]
    return notes


def _memory(made: Session, strategy: Quoter, number: int) -> Sequence[float]:
    feed, saved = made.replay.feed, strategy.state.own.get(made.markets[number].id)
    if saved is not None:  # it was called step by step
        own: list[float] = np.frombuffer(saved).tolist()
        return own
    if isinstance(feed, CompiledTapeFeed):
        remembered: list[float] = feed.memory(number).tolist()
        return remembered
    return [0.0] * OWN_SIZE_OF


def _note(name: str, why: str, markets: Sequence[Market], all_: int) -> str:
    some = ", ".join(market.slug or market.id for market in markets[:NAMED])
    more = f" and {len(markets) - NAMED} more" if len(markets) > NAMED else ""
    where = "any market" if len(markets) == all_ else f"{some}{more}"
    return f"{name} never quoted in {where}" + (f": {why}" if why else "")
