"""Bets less while losing."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Self

from pydantic import Field, model_validator

from polyframe import Kind, PluginConfig, Protection


class DrawdownHeat(Protection):
    """In drawdown only a part of the stake of ``MaxStake``: a step is (drawdown, part that stays).

    With the defaults: from 10 % below the peak half of the stake, from 15 % a quarter, from 20 %
    nothing.
    """

    kernel = "drawdown_heat"
    applies_to = frozenset({Kind.DIRECTIONAL, Kind.QUOTE, Kind.ARBITRAGE})

    class Config(PluginConfig):
        """Units: parts of the peak equity; parts of the stake."""

        steps: tuple[tuple[float, float], ...] = Field(
            ((0.10, 0.5), (0.15, 0.25), (0.20, 0.0)), min_length=1, max_length=3
        )

        @model_validator(mode="after")
        def _ordered(self) -> Self:
            for drawdown, keep in self.steps:
                if not (0 < drawdown < 1 and 0 <= keep < 1):
                    raise ValueError(
                        "steps of a drawdown between 0 and 1 and a part from 0 to below 1, "
                        f"not ({drawdown}, {keep})"
                    )
            for (low, much), (high, less) in pairwise(self.steps):
                if low >= high or much <= less:
                    raise ValueError(
                        "steps of ascending drawdowns and descending parts, "
                        f"not ({low}, {much}) before ({high}, {less})"
                    )
            return self

    def limits(self) -> Mapping[str, int]:
        """Drawdowns and parts in millionths; fewer steps repeat the last."""
        steps = [*self.config.steps]
        steps += [steps[-1]] * (3 - len(steps))
        limits = {f"heat_from_{i}": round(step[0] * 1e6) for i, step in enumerate(steps, 1)}
        return limits | {f"heat_keep_{i}": round(step[1] * 1e6) for i, step in enumerate(steps, 1)}
