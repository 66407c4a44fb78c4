"""Ports of the laboratory and of research."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from polyframe.api.plugin import Plugin
from polyframe.domain.forecast import EvidenceItem
from polyframe.domain.units import Ns


class Objective(Plugin):
    """Scores a finished run; hyperopt minimises it."""

    def score(self, result: Mapping[str, Any]) -> float:
        """Lower is better. ``result`` is a run's report."""
        raise NotImplementedError


class Searcher(Plugin):
    """Finds evidence."""

    async def search(self, query: str, as_of: Ns, limit: int = 10) -> Sequence[EvidenceItem]:
        """Findings that were public at ``as_of``."""
        raise NotImplementedError


class Observer(Plugin):
    """Watches a session through the past-tense hooks; it cannot change anything."""
