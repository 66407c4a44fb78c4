"""Keys of the timers that exits set: their moments are part of what recovery folds."""

from __future__ import annotations

from polyframe.domain.effects import SetTimer
from polyframe.engine.state import State

ATTEMPT = "exit:"
"""an attempt to sell a token was made; look again"""
AGE = "age:"
"""a position is so old, or its market closes so soon"""
BELIEF = "belief:"
"""a forecast of a market was asked for; look again"""
OWN = (ATTEMPT, AGE, BELIEF)


def take(state: State, effect: SetTimer) -> None:
    """Takes over what a timer says about an exit."""
    universe, ledger = state.universe, state.ledger_index.get(effect.ledger)
    if ledger is None:
        return
    if effect.key.startswith(ATTEMPT):
        token = universe.token(effect.key.removeprefix(ATTEMPT))
        state.exits.tried(ledger, token, effect.at)
    elif effect.key.startswith(BELIEF):
        m = universe.market_index[effect.key.removeprefix(BELIEF)]
        state.exits.asked(ledger, m, effect.at)
