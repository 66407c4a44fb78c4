"""What a driver records of a run: the manifest it depends on and everything that happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from polyframe.domain.effects import OrderReviewed, PositionSettled
from polyframe.domain.events import RewardPaid
from polyframe.domain.market import Group, Market, Resolution
from polyframe.domain.portfolio import Fill
from polyframe.domain.units import Money, Ns, Price, Size

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from polyframe.lab.making_form import Band, Scenario
    from polyframe.runtime.own_orders import OwnOrders
    from polyframe.runtime.tape_mids import Mids


# ---- the manifest: everything that decides a result --------------------------------------------


class Code(msgspec.Struct, frozen=True):
    """The package's version and the sha256 of its source files."""

    version: str
    sha256: str


class PluginsUsed(msgspec.Struct, frozen=True):
    """The digest of the plugin manifest, its entries (``kind:name``) and each one's source."""

    digest: str
    names: tuple[str, ...] = ()
    sources: dict[str, str] = {}


class ConfigUsed(msgspec.Struct, frozen=True):
    """The digest of the run's config and the config itself, secrets masked."""

    digest: str
    config: dict[str, Any] = {}


class DataSlice(msgspec.Struct, frozen=True):
    """Which data: its digest, its directory's label, how many markets, from when to when.

    ``path`` is the directory as it was named (empty: the data in the package), ``forecasted`` says
    that markets without a forecast were left out.
    """

    digest: str
    label: str
    markets: int
    first: Ns
    last: Ns
    synthetic: bool = False
    path: str = ""
    forecasted: bool = False


class ForecastsUsed(msgspec.Struct, frozen=True):
    """The digest of the forecasts that could be joined and who made them."""

    digest: str
    sources: tuple[str, ...] = ()


UNHASHED = (
    ("plugins", "sources"),
    ("config", "config"),
    ("data", "path"),
    ("data", "forecasted"),
)
"""Parts of a manifest that help to find a difference and decide nothing themselves."""


class Manifest(msgspec.Struct, frozen=True):
    """What a result depends on. The same manifest gives the same result."""

    code: Code
    plugins: PluginsUsed
    config: ConfigUsed
    data: DataSlice
    forecasts: ForecastsUsed
    seed: int

    @property
    def hash(self) -> str:
        """One sha256 over all of it but names of places and what the digests already cover."""
        plain = msgspec.to_builtins(self)
        plain["data"]["label"] = ""
        for part, name in UNHASHED:
            del plain[part][name]
        return sha256(msgspec.json.encode(plain, order="sorted")).hexdigest()


def source_digest() -> str:
    """The sha256 over the package's Python files: relative path and content, in path order."""
    root = Path(__file__).resolve().parent.parent
    digest = sha256()
    for path in sorted(root.rglob("*.py"), key=lambda p: p.relative_to(root).as_posix()):
        content = path.read_bytes()
        name = path.relative_to(root).as_posix()
        digest.update(f"{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


# ---- the record a driver fills -----------------------------------------------------------------


class FillRecord(NamedTuple):
    """A fill with what was known when it was decided.

    ``quality`` holds the bits of the price row the fill used, ``mid`` the market's mid in YES space
    at decision (None where there was none), ``decision`` the ruling that let the order through.
    """

    fill: Fill
    quality: int = 0
    mid: Price | None = None
    decision: OrderReviewed | None = None


class Merged(PositionSettled, frozen=True):
    """One side of pairs that became money: taken to have fetched half of it."""


class LeftOpen(NamedTuple):
    """A holding that nothing had settled at the end, with its cost and its value at the bid."""

    ledger: str
    token: str
    shares: Size
    cost: Money
    value: Money


class Judgement(NamedTuple):
    """A forecast next to the market's mid when it was delivered, both as probabilities of YES."""

    market: str
    ts: Ns
    probability: float
    mid: float
    source: str = ""
    confidence: str = ""
    evidence: tuple[str, ...] = ()
    cutoff: Ns = 0
    """end of what the model knew; 0 for none"""


class Replayed(NamedTuple):
    """The same run once more under another assumption; without ``per_event`` it was not run."""

    name: str
    note: str
    per_event: Mapping[str, Money] | None = None
    fills: int = 0


@dataclass(frozen=True)
class ForecastCounts:
    """What became of the forecasts asked for. ``by_source`` counts the joined ones."""

    joined: int = 0
    late: int = 0
    missed: int = 0
    superseded: int = 0
    by_source: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class UnquotedCounts:
    """Price rows seen, those of them flagged as no real quote, orders refused because of it."""

    rows: int = 0
    flagged: int = 0
    refused: int = 0


@dataclass(frozen=True)
class BookRun:
    """What a run over recorded books has besides: own orders, the mids of the tape, its bands.

    ``compiled`` says that it was played in compiled code.
    """

    own: OwnOrders
    mids: Mids
    compiled: bool = False
    bands: Sequence[Band] = ()


@dataclass(frozen=True)
class RunRecord:
    """All that a report is built from.

    ``fills`` and ``settlements`` stand in the order they were booked. ``equity`` is cash plus
    positions at the bid, all ledgers together; its last value is taken after the last event, so
    that it equals the final cash plus the values in ``left_open``. ``denials`` counts by
    protection, ``refusals`` refused wishes by reason. ``judgements`` are all forecasts delivered;
    without them only those that led to a fill are scored. ``unpriced`` are forecasts delivered
    while nothing was quoted: they cannot be scored, and led to decisions all the same. ``timings``
    are seconds by part.
    ``replays`` are the same run under other assumptions, ``rows`` a digest of each market's prices,
    ``rewards`` what the venue paid, ``book`` what a run over recorded books has besides.

    Shapes: equity_ts and equity (n,), int64, times ascending. Units: money, ns.
    """

    manifest: Manifest
    start_cash: Money
    markets: Sequence[Market]
    groups: Sequence[Group]
    resolutions: Mapping[str, Resolution]
    fills: Sequence[FillRecord]
    settlements: Sequence[PositionSettled]
    reviews: Sequence[OrderReviewed]
    left_open: Sequence[LeftOpen]
    equity_ts: NDArray[np.int64]
    equity: NDArray[np.int64]
    forecasts: ForecastCounts = ForecastCounts()
    denials: Mapping[str, int] = field(default_factory=dict)
    refusals: Mapping[str, int] = field(default_factory=dict)
    unquoted: UnquotedCounts = UnquotedCounts()
    notes: Sequence[str] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    judgements: Sequence[Judgement] = ()
    unpriced: Sequence[Judgement] = ()
    replays: Sequence[Replayed] = ()
    rows: Mapping[str, str] = field(default_factory=dict)
    rewards: Sequence[RewardPaid] = ()
    book: BookRun | None = None
    scenarios: Sequence[Scenario] = ()
