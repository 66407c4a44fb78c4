"""Events of a catalogue or of a tape: their questions, prices and answers as they were recorded.

What is not answered yet is answered by chance, with the chances that its last prices state.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.market import GroupKind, Market, Resolution
from polyframe.domain.quality import Flag
from polyframe.domain.units import HOUR, Ns
from polyframe.errors import DataError, UserError
from polyframe.sandbox.worlds.endings import ended
from polyframe.sandbox.worlds.naming import stream
from polyframe.sandbox.worlds.plots import Ask, Floats, Plot, bounded
from polyframe.store.catalogue import MANIFEST, Catalogue
from polyframe.store.parquet import read_table
from polyframe.store.rows import to_market, to_resolution
from polyframe.store.schema import MARKETS, PRICES
from polyframe.store.tape import Tape

Ints = NDArray[np.int64]
Series = tuple[Ints, Floats]
"""moments, and the probability of the first outcome since each"""

NOTE: Final = "flow.json"
"""what ``flow_kept`` calls the note beside a tape"""
ONE: Final = 10_000
UNSTATED: Final = HOUR
"""from the end of a question to its answer where nobody recorded it"""
BEFORE_THE_END: Final = 2 * HOUR
"""a match begins so long before its question closes"""


@dataclass(slots=True)
class Shelf:
    """What a place holds: markets, their events, how they ended; prices are read when needed."""

    source: str
    markets: list[Market] = field(default_factory=list)
    kinds: dict[str, GroupKind] = field(default_factory=dict)
    endings: dict[str, Resolution] = field(default_factory=dict)
    prices: tuple[Path, ...] = ()
    tapes: tuple[Path, ...] = ()

    def events(self) -> list[list[Market]]:
        """Markets by event, in the order in which they are held."""
        found: dict[str, list[Market]] = {}
        for market in self.markets:
            if market.binary and market.venue == "polymarket" and market.closes:
                found.setdefault(market.group or market.id, []).append(market)
        return list(found.values())


def shelf(place: Path) -> Shelf:
    """What a directory holds, be it a catalogue or a tape with its note.

    Raises:
        UserError: it is neither.
        DataError: it is damaged.
    """
    if (place / MANIFEST).exists():
        return _of_catalogue(Catalogue.open(place))
    if (place / NOTE).exists():
        from polyframe.lab.flow_kept import read_note  # noqa: PLC0415 - loads the generator

        note = read_note(place)
        endings = {ended.market: ended for ended in note.resolutions}
        return Shelf(place.name, list(note.markets), {}, endings, tapes=(place,))
    raise UserError(
        f"{place} holds no markets",
        expected=f"a catalogue ({MANIFEST}), or a tape with its markets ({NOTE})",
        hint="polyframe data import markets FILE --into DIR",
    )


def _of_catalogue(catalogue: Catalogue) -> Shelf:
    found = Shelf(catalogue.path.name)
    for path in catalogue.files(MARKETS.kind):
        for row in read_table(path, MARKETS).to_pylist():
            market = to_market(row)
            found.markets.append(market)
            if market.group:
                kind = GroupKind(row["group_kind"] or GroupKind.INDEPENDENT.value)
                found.kinds[market.group] = kind
            ending = to_resolution(row)
            if ending is not None:
                found.endings[market.id] = ending
    found.prices = tuple(catalogue.files(PRICES.kind))
    found.tapes = tuple(dict.fromkeys(catalogue.tapes().values()))
    return found


def plots(held: Shelf, events: Sequence[Sequence[Market]], seed: int) -> list[Plot]:
    """Some events of a shelf. Markets without any price begin at one half.

    Raises:
        DataError: prices or tapes are damaged.
    """
    markets = [market for event in events for market in event]
    known = _priced(held.prices, markets)
    left = [market for market in markets if market.id not in known]
    for tape in held.tapes:
        from polyframe.sandbox.worlds.taped import mids  # noqa: PLC0415 - loads compiled loops

        known |= mids(Tape.open(tape), left)
    return [_plot(held, event, known, seed) for event in events]


def _plot(held: Shelf, event: Sequence[Market], known: Mapping[str, Series], seed: int) -> Plot:
    first = event[0]
    kind = held.kinds.get(first.group, GroupKind.INDEPENDENT)
    ordered = sorted(event, key=lambda m: (m.strike is not None, m.strike or 0.0))
    opened, closes = _span(ordered, known)
    at, paths = _joined(ordered, known, opened)
    rng = stream(seed, "ending", first.group or first.id)
    endings = [held.endings.get(market.id) for market in ordered]
    found = ended(kind, at, paths, closes - opened, endings, rng)
    answered = max(
        [e.known_at - opened for e in endings if e is not None], default=closes - opened + UNSTATED
    )
    asks = tuple(
        Ask(
            market.id,
            market.question,
            market.slug or market.id,
            bounded(path),
            winner,
            (market.tokens[0].outcome, market.tokens[1].outcome),
            _title(market, kind, len(ordered)),
            market.tick,
            market.strike or 0.0,
        )
        for market, path, winner in zip(ordered, found.paths, found.winners, strict=True)
    )
    return Plot(
        key=first.group or first.id,
        title=_event_title(ordered, kind),
        slug=first.group or first.slug or first.id,
        category=first.category,
        kind=found.kind,
        asks=asks,
        at=found.at,
        life=closes - opened,
        answered=max(answered, 1),
        opened=opened,
        complete=found.complete,
        source=held.source,
        game=closes - opened - BEFORE_THE_END if first.category == "sports" else 0,
        tags=tuple(first.tags),
    )


def _span(event: Iterable[Market], known: Mapping[str, Series]) -> tuple[Ns, Ns]:
    """When an event opened and when it closes: as stated, or by its prices."""
    closes = max(market.closes for market in event)
    stated = [m.opened or (int(known[m.id][0][0]) if m.id in known else 0) for m in event]
    opened = min([at for at in stated if 0 < at < closes], default=closes - 30 * 24 * HOUR)
    return opened, closes


def _joined(
    event: Sequence[Market], known: Mapping[str, Series], opened: Ns
) -> tuple[Ints, list[Floats]]:
    """All of an event's prices at the same moments, counted from its opening."""
    times = [known[m.id][0] for m in event if m.id in known]
    at = np.unique(np.concatenate([np.array([opened], np.int64), *times]))
    at = at[at >= opened]
    paths: list[Floats] = []
    for market in event:
        if market.id not in known:
            paths.append(np.full(len(at), 0.5))
            continue
        ts, path = known[market.id]
        paths.append(path[np.maximum(np.searchsorted(ts, at, side="right") - 1, 0)])
    return at - opened, paths


def _title(market: Market, kind: GroupKind, count: int) -> str:
    """What tells a question from the others of its event."""
    if count == 1:
        return ""
    if market.strike is not None:
        return f"{market.strike:g}"
    words = market.question.replace("[synthetic] ", "").rstrip("?").split()
    if kind is GroupKind.EXCLUSIVE and len(words) > 1 and words[0] == "Will":
        return " ".join(words[1 : words.index("win")]) if "win" in words else words[1]
    return market.question


def _event_title(event: Sequence[Market], kind: GroupKind) -> str:
    """An event's title: its only question, or what its questions have in common."""
    question = event[0].question
    if len(event) == 1:
        return question
    own = _title(event[0], kind, len(event))
    return question.replace(f" {own}", " ...", 1) if own != question else question


# ---- prices ------------------------------------------------------------------------------------


def _priced(files: Iterable[Path], markets: Sequence[Market]) -> dict[str, Series]:
    """Recorded prices of some markets, by market."""
    owner: dict[str, tuple[str, bool]] = {}
    for market in markets:
        owner[market.tokens[0].id] = (market.id, False)
        owner[market.tokens[1].id] = (market.id, True)
    parts: dict[str, list[Series]] = {}
    for path in files:
        rows = read_table(path, PRICES, ("token", "known_at", "price", "flag"))
        coded = rows["token"].combine_chunks().dictionary_encode()
        names = coded.dictionary.to_pylist()
        code = _numbers(coded.indices, np.dtype(np.int32), path)
        ts = _column(rows, "known_at", np.dtype(np.int64), path)
        price = _column(rows, "price", np.dtype(np.int32), path)
        quoted = _column(rows, "flag", np.dtype(np.uint8), path) & int(Flag.LEADING) == 0
        order = np.argsort(code, kind="stable")
        starts = np.searchsorted(code[order], np.arange(len(names) + 1))
        for number, name in enumerate(names):
            if name not in owner:
                continue
            mine = order[starts[number] : starts[number + 1]]
            mine = mine[quoted[mine]]
            mine = mine[np.argsort(ts[mine], kind="stable")]
            id, other = owner[name]
            chance = price[mine].astype(np.float64) / ONE
            if len(mine):
                parts.setdefault(id, []).append((ts[mine], 1.0 - chance if other else chance))
    # Where both tokens or several sources were recorded, the first that names the market counts.
    return {id: series[0] for id, series in parts.items()}


def _column(rows: Any, name: str, dtype: np.dtype[Any], path: Path) -> NDArray[Any]:
    chunks = [_numbers(chunk, dtype, path) for chunk in rows[name].chunks]
    return np.concatenate(chunks) if chunks else np.zeros(0, dtype)


def _numbers(chunk: Any, dtype: np.dtype[Any], path: Path) -> NDArray[Any]:
    """An arrow array as it lies in memory; asking arrow for numpy would load all of pandas."""
    if chunk.null_count:
        raise DataError(
            f"{path} has {chunk.null_count} rows without a token, a time or a price",
            expected="rows as an import writes them",
            hint=f"polyframe data check '{path.parent.parent}'",
        )
    found: NDArray[Any] = np.frombuffer(chunk.buffers()[1], dtype)[chunk.offset :][: len(chunk)]
    return found
