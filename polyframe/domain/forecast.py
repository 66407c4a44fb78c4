"""Questions, evidence and forecasts: who believed what, when, knowing what."""

from __future__ import annotations

import math

import msgspec

from polyframe.domain.units import Money, Ns, Price
from polyframe.errors import DataError

CONFIDENCE = ("LOW", "MEDIUM", "HIGH")
"""What a forecaster may say of its own certainty, ascending."""


class Question(msgspec.Struct, frozen=True):
    """What a forecaster is asked. Nothing in it may come from after ``as_of``."""

    market: str
    text: str
    outcomes: tuple[str, ...]
    category: str
    closes: Ns
    group: str = ""


class EvidenceItem(msgspec.Struct, frozen=True):
    """One finding with the moment it became public and its content hash."""

    text: str
    url: str
    known_at: Ns
    sha256: str


class Evidence(msgspec.Struct, frozen=True):
    """What was found for a question."""

    items: tuple[EvidenceItem, ...] = ()
    quality: float | None = None


class MarketSnapshot(msgspec.Struct, frozen=True):
    """What the market said at one moment. A blind forecaster is given none.

    Units: prices in the market's integers; ``probability`` is the mid of YES in [0, 1].
    """

    market: str
    bid: Price
    ask: Price
    probability: float
    ts: Ns


class Forecast(msgspec.Struct, frozen=True):
    """A probability that the market's first outcome (YES) happens, with its provenance.

    ``as_of`` is the moment whose knowledge it uses, ``latency`` what making it took: it could be
    acted on from ``as_of + latency``. ``source`` says truly where it came from ("option-implied",
    "gpt-4o", "synthetic"); a recorded forecast keeps its maker's name.

    ``confidence`` is LOW, MEDIUM or HIGH where its maker says; ``evidence_quality`` how good the
    evidence was, None where nobody judged it.

    Units: probability and interval in (0, 1); evidence quality in [0, 1]; cost in money; latency
    ns.
    """

    market: str
    probability: float
    as_of: Ns
    source: str
    latency: Ns = 0
    model: str = ""
    cutoff: Ns = 0
    evidence: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    confidence: str = ""
    cost: Money = 0
    blind: bool = True
    evidence_quality: float | None = None

    def __post_init__(self) -> None:
        p = self.probability
        if not (isinstance(p, float) and math.isfinite(p) and 0.0 < p < 1.0):
            raise DataError(
                f"forecast for market {self.market} has probability {p!r}",
                expected="a number strictly between 0 and 1",
            )
        quality = self.evidence_quality
        if quality is not None and not (
            isinstance(quality, float) and math.isfinite(quality) and 0.0 <= quality <= 1.0
        ):
            raise DataError(
                f"forecast for market {self.market} has evidence quality {quality!r}",
                expected="a number from 0 to 1, or None where nobody judged it",
            )

    @property
    def known_at(self) -> Ns:
        """From when it could be acted on."""
        return self.as_of + self.latency
