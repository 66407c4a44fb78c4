"""What a strategy said it will not enter, and whether an intent says how it is carried out."""

from __future__ import annotations

from polyframe.domain.orders import Kind, Side, TimeInForce
from polyframe.domain.wishes import Intent
from polyframe.engine.context import Bound, Context
from polyframe.kernels import tables_nb as t

MOST_OPEN = "max_open markets are in play"


def refusal(context: Context, bound: Bound, token: str, side: Side, kind: Kind) -> str:
    """Why a ledger makes no such entry, empty when it may.

    Quotes and arbitrage add to what is held by their nature: only ``max_open`` holds for them.
    """
    state, universe = context.state, context.universe
    declared = state.exits.declared[bound.ledger]
    index = universe.token_index.get(token)
    if side != Side.BUY or index is None:
        return ""
    m = universe.token_market[index]
    exposed = state.tables.markets[t.M_EXPOSED, bound.ledger, m] > 0
    most = declared.max_open
    if most is not None and not exposed and state.open_markets[bound.ledger] >= most:
        return MOST_OPEN
    if kind in (Kind.QUOTE, Kind.ARBITRAGE):
        return ""
    if declared.position_adjustment is False and exposed and not _hedges(context, bound, m, index):
        return "the market is held and position_adjustment is off"
    closes = universe.markets[m].closes
    near = declared.near_resolution
    if near is not None and closes > 0 and context.now >= closes - near:
        return "the market closes within near_resolution"
    return ""


def leaves_open(intent: Intent) -> bool:
    """True when an intent does not say how it is to be carried out: a default style may.

    All or nothing, posting only and the legs of an arbitrage are such words.
    """
    said = intent.tif is TimeInForce.FOK or intent.post_only or intent.kind is Kind.ARBITRAGE
    return not said


def _hedges(context: Context, bound: Bound, m: int, token: int) -> bool:
    """True when a ledger holds another outcome of the market and nothing of this one."""
    first = context.universe.offset[m]
    own = range(first, first + len(context.universe.markets[m].tokens))
    held = context.state.held[bound.ledger]
    return token not in held and any(other in held for other in own)
