"""The causal check of one strategy: its features on cut bars, its decisions on cut data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from polyframe.api.strategy import Strategy
from polyframe.errors import PluginError
from polyframe.lab.causal import Recursion, Truncation, recursion, truncation
from polyframe.lab.places import tape_dir
from polyframe.lab.prefix import Prefixes, prefixes
from polyframe.runtime import build
from polyframe.runtime.bars import strategy_bars
from polyframe.runtime.calls import PluginCalls
from polyframe.runtime.config import plugin_config
from polyframe.runtime.plugins import Registry
from polyframe.runtime.settings import Config
from polyframe.runtime.signals import frames_of
from polyframe.runtime.tape_data import plays_tape, tape_source
from polyframe.store.catalogue import Catalogue

if TYPE_CHECKING:
    from pandas import DataFrame

MOST_DECISION_CUTS = 5
"""each is a run of its own"""


class Scope(NamedTuple):
    """How much is looked at."""

    cuts: int = 20
    rows: int = 50
    tolerance: float = 0.001
    seed: int = 0


@dataclass(frozen=True)
class Lookahead:
    """What the check found. None where a strategy has nothing of the kind."""

    strategy: str
    features: Truncation | None
    history: Recursion | None
    decisions: Prefixes | None
    tolerance: float

    @property
    def clean(self) -> bool:
        """True when nothing looked ahead and the declared history is enough."""
        leaking = self.features is not None and not self.features.clean
        return not (leaking or self.short or (self.decisions and self.decisions.differences))

    @property
    def short(self) -> bool:
        """True when signals change with more history than ``startup_bars`` declares."""
        lengths = self.history.lengths if self.history is not None else []
        return bool(lengths) and lengths[0].signals > 0

    @property
    def verdict(self) -> str:
        """One line."""
        if self.features is not None and self.features.leaks:
            worst = self.features.leaks[0]
            return (
                f"LOOK-AHEAD: column {worst.column} changes in {worst.changed} of "
                f"{self.features.cuts} cuts"
            )
        if self.decisions is not None and self.decisions.differences:
            n = len(self.decisions.differences)
            return f"LOOK-AHEAD: decisions change in {n} of {self.decisions.cuts} cuts"
        if self.features is not None and not self.features.clean:
            return "NOT REPRODUCIBLE: features answer differently for the same bars"
        if self.short:
            assert self.history is not None
            n, rows = self.history.lengths[0].signals, self.history.rows
            return f"TOO LITTLE HISTORY: {n} of {rows} signals change with more bars"
        return f"no look-ahead found{self._scope()}"

    def _scope(self) -> str:
        parts = []
        if self.features is not None:
            parts.append(f"{self.features.cuts} cuts of {self.features.markets} markets")
        if self.decisions is not None:
            parts.append(f"{self.decisions.decisions} decisions cut {self.decisions.cuts} times")
        return " in " + " and ".join(parts) if parts else ""


def examine(
    config: Config,
    registry: Registry,
    directory: Path,
    scope: Scope,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> Lookahead:
    """Examines the one strategy that the configuration chooses.

    Raises:
        PluginError: it has neither features nor decisions, or what it does is no valid answer.
        DataError: the catalogue is damaged or has nothing to replay.
    """
    use = config.strategies[0]
    cls: type[Strategy] = registry.get("strategy", use.use)
    catalogue = Catalogue.open(tape_dir(directory) if plays_tape(config, registry) else directory)
    data = build.recorded(catalogue, config, tape=tape_source(catalogue, config, registry))
    rng = np.random.default_rng(scope.seed)
    with_features = cls.features is not Strategy.features
    decides = any(
        name.startswith("on_") and getattr(cls, name) is not getattr(Strategy, name)
        for name in dir(Strategy)
    )
    if not with_features and not decides:
        raise PluginError(
            f"strategy {cls.__name__} has neither features nor a method that decides",
            expected="features(self, bars), or on_wake, on_book, on_forecast ...",
            hint=f"polyframe new strategy {cls.__name__}2",
        )
    found: Truncation | None = None
    history: Recursion | None = None
    if with_features:
        strategy = cls(plugin_config(cls, use.config, "strategies[0].config"))
        calls = PluginCalls()

        def features(bars: DataFrame) -> DataFrame:
            answer: DataFrame = calls.call(use.ledger, strategy.features, bars)
            return answer

        startup = cls.startup_bars or 0
        frames = frames_of(strategy_bars(data, strategy, len(data.markets)), data.markets)
        found = truncation(features, frames, cuts=scope.cuts, rng=rng, startup=startup)
        history = recursion(
            features, frames, startup=startup, rows=scope.rows, rng=rng, tolerance=scope.tolerance
        )
    decisions: Prefixes | None = None
    if decides:
        cuts = min(scope.cuts, MOST_DECISION_CUTS)
        decisions = prefixes(config, registry, data, cuts=cuts, rng=rng, progress=progress)
    return Lookahead(use.ledger, found, history, decisions, scope.tolerance)
