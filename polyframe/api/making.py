"""Formulas of market making that a quote kernel may call, as it is or compiled."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from polyframe.api.quoting import Compilable


class Formula(Compilable):
    """A compiled formula of the kernels by its name, loaded when it is first needed."""

    def __init__(self, name: str, room: str = "making_nb") -> None:
        super().__init__(self._call, quotes=False)
        self.__name__ = name
        self.room = room

    def compiled(self) -> Any:
        """Its machine code."""
        # By name, as the kernels pull numba.
        return getattr(import_module(f"polyframe.kernels.{self.room}"), self.__name__)

    def _call(self, *args: Any) -> Any:
        return self.compiled()(*args)


log_odds_of = Formula("log_odds_of")
probability_of = Formula("probability_of")
weighted_mid = Formula("weighted_mid")
spread_term = Formula("spread_term")
horizon_depths = Formula("horizon_depths")
endless_depths = Formula("endless_depths")
resolution_price = Formula("resolution_price")
aversion_for = Formula("aversion_for")
points_a_share = Formula("points_a_share")
income_a_day = Formula("income_a_day")
left_of = Formula("left_of")
trend_of = Formula("trend_of")
near_depth = Formula("near_depth", "sight_nb")
rival_points = Formula("rival_points", "sight_nb")
note_fills = Formula("note_fills", "sight_nb")
