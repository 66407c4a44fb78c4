"""Which rows of a decision log are wanted, and whether the journal they come from is whole."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from shlex import quote

import msgspec

from polyframe.cli.moment import moment
from polyframe.domain.units import DAY, SECOND, Ns
from polyframe.errors import GapError, UserError
from polyframe.lab.results import JOURNAL, JOURNAL_DIGEST, MANIFEST, digest_of
from polyframe.runtime.timerange import parse_timerange
from polyframe.store.decision_log import Decision, Stage
from polyframe.store.decisions import decisions
from polyframe.store.framing import TailKind
from polyframe.store.journal_reader import JournalReader, Verified
from polyframe.store.records import RecordLevel

NAMED = 5


@dataclass(frozen=True)
class Filter:
    """What a row must be. Empty means any; ``until`` is the first moment no longer wanted."""

    market: str = ""
    stage: str = ""
    strategy: str = ""
    since: Ns | None = None
    until: Ns | None = None

    @property
    def some(self) -> bool:
        """True when anything was chosen."""
        return self != Filter()

    def words(self) -> list[str]:
        """The options that say the same."""
        words = [
            f"--{name} {quote(value)}"
            for name, value in (
                ("market", self.market), ("stage", self.stage), ("strategy", self.strategy)
            )
            if value
        ]  # fmt: skip
        if self.since is not None:
            words.append(f"--since {_shown(self.since)}")
        if self.until is not None:
            words.append(f"--until {_shown(self.until)}")
        return words

    def wants(self, row: Decision) -> bool:
        """True for a row that is wanted."""
        return (
            self.market in ("", row.market)
            and self.stage in ("", row.stage.value)
            and self.strategy in ("", row.ledger)
            and (self.since is None or row.ts >= self.since)
            and (self.until is None or row.ts < self.until)
        )


def filter_of(
    market: str, stage: str, strategy: str, since: str, until: str, timerange: str
) -> Filter:
    """The filter that the options mean.

    Raises:
        UserError: a stage or a time that is none.
    """
    first, last = _moment(since, "--since", 0), _moment(until, "--until", DAY)
    if timerange:
        if since or until:
            raise UserError(
                "--timerange and --since or --until say the same twice",
                expected="one of them",
                hint=f"polyframe decisions --timerange {timerange}",
            )
        try:
            first, last = parse_timerange(timerange)
        except ValueError as error:
            raise UserError(
                f"--timerange {timerange!r} cannot be read",
                expected=str(error),
                hint="polyframe decisions --timerange 2026-09-01..2026-09-30",
            ) from None
    if first is not None and last is not None and first >= last:
        raise UserError(
            f"--since {since} is not before --until {until}",
            expected="a period that begins before it ends",
            hint=f"polyframe decisions --since {until} --until {since}",
        )
    return Filter(market, _stage(stage), strategy, first, last)


def _stage(word: str) -> str:
    names = [stage.value for stage in Stage]
    if not word or word.upper() in names:
        return word.upper()
    near = get_close_matches(word.upper(), names, n=1)
    raise UserError(
        f"{word!r} is no stage",
        expected=f"one of {', '.join(names)}",
        hint=f"polyframe decisions --stage {near[0] if near else 'RISK'}",
    )


def _moment(text: str, option: str, day: Ns) -> Ns | None:
    """Ns of a day (plus ``day``) or of a moment, UTC where nothing else is said."""
    if not text:
        return None
    try:
        ns = moment(text)
    except ValueError:
        raise UserError(
            f"{option} {text!r} is no day and no moment",
            expected="2026-09-03 or 2026-09-03T14:30",
            hint=f"polyframe decisions {option} 2026-09-03",
        ) from None
    whole = "T" not in text.upper() and " " not in text.strip()
    return ns + (day if whole else 0)


def _shown(ns: Ns) -> str:
    return datetime.fromtimestamp(ns // SECOND, UTC).strftime("%Y-%m-%dT%H:%M:%S")


class Selection:
    """The rows wanted, in order: the newest ``limit`` of them, all for 0.

    ``total`` and ``shown`` are known when they have been gone through.

    Raises:
        UserError: no row is of the market or the strategy that was named.
    """

    def __init__(self, reader: JournalReader, chosen: Filter, limit: int, command: str) -> None:
        self.reader = reader
        self.chosen = chosen
        self.limit = limit
        self.command = command
        self.total = 0
        self.shown = 0
        self._markets: set[str] = set()
        self._ledgers: set[str] = set()

    def __iter__(self) -> Iterator[Decision]:
        rows = self._wanted()
        for row in deque(rows, self.limit) if self.limit else rows:
            self.shown += 1
            yield row

    def _wanted(self) -> Iterator[Decision]:
        for row in decisions(self.reader):
            self._markets.add(row.market)
            self._ledgers.add(row.ledger)
            if self.chosen.wants(row):
                self.total += 1
                yield row
        self._named("market", self.chosen.market, self._markets)
        self._named("strategy", self.chosen.strategy, self._ledgers)

    def _named(self, what: str, name: str, known: set[str]) -> None:
        if not name or name in known:
            return
        names = sorted(known - {""})
        near = [known for known in names if known.startswith(name)]
        near = near or get_close_matches(name, names, n=1, cutoff=0.4) or names[:1]
        listed = ", ".join(names[:NAMED]) + (" ..." if len(names) > NAMED else "")
        raise UserError(
            f"the journal says nothing of {what} {name!r}",
            expected=f"one of {len(names):,}: {listed}" if names else f"a {what} it speaks of",
            hint=f"{self.command} --{what} {near[0]}" if near else self.command,
        )


def journal_of(directory: Path, *, proving: bool = False) -> Path:
    """The journal in a run's directory.

    Raises:
        UserError: the run was recorded without one.
        GapError: it had one, and it is gone, or (unless that is about to be proven) it is not what
            the run wrote.
    """
    path = directory / JOURNAL
    if path.is_file():
        stated = "" if proving else _stated(directory / MANIFEST)
        if stated and digest_of(path) != stated:
            raise GapError(
                f"{path} is not what the run wrote: it was edited or cut",
                expected=f"the digest that {MANIFEST} beside it states",
                hint=f"polyframe decisions {quote(directory.name)} --verify",
            )
        return path
    level = _recorded(directory / MANIFEST)
    if level in ("", RecordLevel.NONE.value):
        raise UserError(
            f"run {directory.name} has no decision log: it was recorded with 'none'",
            expected="a run recorded with 'orders' or 'all'",
            hint="polyframe backtest --strategy LLMForecast --record orders",
        )
    raise GapError(
        f"{path} is gone: the run was recorded with {level!r} and had a journal",
        expected="the journal beside report.json",
        hint="restore it from a backup, or run the backtest again",
    )


def _stated(manifest: Path) -> str:
    try:
        return str(msgspec.json.decode(manifest.read_bytes(), type=dict).get(JOURNAL_DIGEST) or "")
    except (OSError, msgspec.MsgspecError):
        return ""


def _recorded(manifest: Path) -> str:
    try:
        config = msgspec.json.decode(manifest.read_bytes())["config"]["config"]
        return str(config["backtest"]["record"])
    except (OSError, msgspec.DecodeError, KeyError, TypeError):
        return ""


def prove(reader: JournalReader, finished: bool, head: str) -> Verified:
    """Proves a whole journal; that of a finished run must have its end.

    Raises:
        GapError: a record was edited, removed or moved, the end was cut off, or it is another
            run's.
    """
    if head and (len(head) != 64 or not set(head.lower()) <= set("0123456789abcdef")):
        raise UserError(
            f"--head {head!r} is no hash",
            expected="64 hexadecimal digits, as --verify printed them",
            hint="polyframe decisions --verify",
        )
    found = reader.verify(head.lower())
    end = found.tail.position
    if found.tail.kind is TailKind.TORN:
        raise GapError(
            f"{reader.path}: block {end.number} at byte {end.offset}, after step {end.seq}, is "
            f"incomplete: the file ends inside it, after {found.tail.torn_bytes} bytes of it",
            expected="a whole block",
            hint=_saved(reader.path, end.number, end.offset),
        )
    if finished and found.tail.kind is not TailKind.CLOSED:
        raise GapError(
            f"{reader.path} ends at byte {end.offset} after step {end.seq} without its end mark: "
            f"block {end.number} and what followed were cut off",
            expected="the end mark that a finished run writes last",
            hint=_saved(reader.path, end.number, end.offset),
        )
    stated = _stated(reader.path.with_name(MANIFEST)) if finished else ""
    if stated and digest_of(reader.path) != stated:
        raise GapError(
            f"{reader.path} is whole, but not the journal of its run: another was put in its place",
            expected=f"the digest that {MANIFEST} beside it states",
            hint="restore it from a backup, or run the backtest again",
        )
    return found


def _saved(path: Path, block: int, byte: int) -> str:
    return (
        f"restore it from a backup; blocks before {block} are intact and can be saved with: "
        f"head -c {byte} '{path}' > '{path}.intact'"
    )
