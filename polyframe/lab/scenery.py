"""Names for synthetic markets: ids, questions and categories that say what they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.market import GroupKind
from polyframe.domain.units import SECOND, Ns

TEAMS = ("Herons", "Otters", "Lynxes", "Ravens", "Badgers", "Falcons", "Marmots", "Pikes")
TOWNS = ("Alder Bay", "Birchford", "Cold Spring", "Dunmore", "Eastwick")
PEOPLE = ("Adler", "Brandt", "Castel", "Duarte", "Ekman", "Fontana", "Gruber", "Hale")
FILMS = ("Northern Light", "The Ferry", "Salt", "A Long Winter", "Paper Kites", "Undertow")


class Named(NamedTuple):
    """One market's id, question and, in a ladder, strike."""

    id: str
    question: str
    strike: float | None = None


class Scenery(NamedTuple):
    """One event's group, kind, category and markets."""

    group: str
    kind: GroupKind
    category: str
    markets: tuple[Named, ...]


def lone_scenery(n: int, closes: Ns, rng: np.random.Generator) -> Scenery:
    """A question of its own."""
    category = ("sports", "economics", "tech", "weather")[n % 4]
    one, two = rng.choice(len(TEAMS), size=2, replace=False)
    texts = {
        "sports": f"Will the {TEAMS[one]} beat the {TEAMS[two]} in match {n}?",
        "economics": f"Will indicator {n} rise by {_day(closes)}?",
        "tech": f"Will release {n} ship by {_day(closes)}?",
        "weather": f"Will station {n} measure a record by {_day(closes)}?",
    }
    market = Named(f"synthetic-{category}-{n:02d}", f"[synthetic] {texts[category]}")
    return Scenery("", GroupKind.INDEPENDENT, category, (market,))


def exclusive_scenery(n: int, listed: int, closes: Ns, rng: np.random.Generator) -> Scenery:
    """An event of which at most one market happens."""
    category = ("politics", "culture")[n % 2]
    names: Sequence[str] = PEOPLE if category == "politics" else FILMS
    picked = [names[i] for i in rng.choice(len(names), size=listed, replace=False)]
    group = f"synthetic-{category}-{n:02d}"
    place = TOWNS[n % len(TOWNS)]
    prize = "election" if category == "politics" else "film prize"
    markets = tuple(
        Named(f"{group}-{k}", f"[synthetic] Will {name} win the {place} {prize} on {_day(closes)}?")
        for k, name in enumerate(picked)
    )
    return Scenery(group, GroupKind.EXCLUSIVE, category, markets)


def ladder_scenery(
    n: int, listed: int, closes: Ns, rng: np.random.Generator
) -> tuple[Scenery, NDArray[np.float64]]:
    """An event of thresholds, and those thresholds in standard deviations of its end."""
    category = ("finance", "crypto")[n % 2]
    spot = int(rng.integers(80, 400))
    deviation = spot * float(rng.uniform(0.04, 0.12))
    step = max(1, round(deviation * 2.2 / listed))
    lowest = round(spot + float(rng.normal(0.0, 0.3)) * deviation - step * (listed - 1) / 2)
    strikes = [lowest + step * k for k in range(listed)]
    group = f"synthetic-{category}-{n:02d}"
    name = f"{'Index' if category == 'finance' else 'Coin'} {n}"
    markets = tuple(
        Named(
            f"{group}-{strike}",
            f"[synthetic] Will {name} close above {strike} on {_day(closes)}?",
            float(strike),
        )
        for strike in strikes
    )
    scaled = (np.array(strikes, dtype=np.float64) - spot) / deviation
    return Scenery(group, GroupKind.LADDER, category, markets), scaled


def _day(ts: Ns) -> str:
    return f"{datetime.fromtimestamp(ts // SECOND, tz=UTC):%Y-%m-%d}"
