"""Messages of Polymarket's market channel, one after the other, as rows of a tape."""

from __future__ import annotations

import numpy as np

from polyframe.domain.units import Ns
from polyframe.store.tape_recording import (
    CROSSED,
    DISAGREES,
    GAP,
    HASH,
    NO_TIME,
    OFF_GRID,
    ORDER,
    SIDE,
    TICK,
    TWICE,
    Columns,
    Lookup,
    Recording,
)
from polyframe.store.tape_rows import COLUMNS, TapeFlag, TapeKind
from polyframe.store.tape_snapshots import TICK_SEEN
from polyframe.store.tape_top5 import MIRROR
from polyframe.store.tape_ws_book import NONE, Sides, WsBook, fault, units
from polyframe.store.tape_ws_messages import Change, HashForm, Level, Message

RESENT = "messages sent again"
OLDER = "older than the book that came before it"
PROVED = "hashes of books that were proved"
UNPROVED = "hashes of books that cannot be computed: the message lacks the book's tail"
BOTH = "trades told for both tokens; one row each"
TRADED_TWICE = "trade told a second time"

Row = tuple[int, int, int, int, int, int, int, int, int]
"""As COLUMNS."""


class Feed:
    """All markets' books and the rows so far."""

    def __init__(self, lookup: Lookup, recording: Recording, silence: Ns) -> None:
        self.lookup = lookup
        self.recording = recording
        self.silence = silence
        self.rows: list[Row] = []
        self.books: dict[str, WsBook] = {}

    def taken(self) -> Columns:
        """The rows so far, which are forgotten."""
        whole = np.array(self.rows, np.int64).reshape(-1, len(COLUMNS))
        self.rows.clear()
        return {
            name: whole[:, at].astype(dtype) for at, (name, dtype) in enumerate(COLUMNS.items())
        }

    def heard(self, now: Ns, before: Ns) -> None:
        """Something came; after too long a silence no book is what it was."""
        if before and self.silence and now - before > self.silence:
            self.distrust(before + self.silence, GAP)

    def distrust(self, now: Ns, why: str) -> None:
        """No book is to be trusted: nobody knows whose message is missing."""
        for book in self.books.values():
            if book.trusted:
                self._clear(book, now, 0, why)

    def message(self, message: Message, where: tuple[Ns, Ns, str, int]) -> None:
        """Takes one message: when it was known and happened, its file and line."""
        kind = message.event_type
        if kind == "book" or (not kind and message.bids is not None):
            self._book(message, *where)
        elif kind == "price_change":
            self._change(message, *where)
        elif kind == "last_trade_price":
            self._trade(message, *where)
        elif kind == "tick_size_change":
            self._tick(message, *where)
        else:
            self._unused(kind)

    def timeless(self, message: Message, last: Ns, file: str, line: int) -> None:
        """Leaves out a message of which nobody says when; what it changed is not known any more."""
        if message.used:
            self.recording.put_aside(file, line, NO_TIME, [message.event_type])
            self.distrust(max(last, 1), NO_TIME)
        else:
            self._unused(message.event_type)

    def _unused(self, kind: str) -> None:
        self.recording.note(f"messages of kind {kind or '(none)'}, which are not used")

    # ---- messages --------------------------------------------------------------------------------

    def _book(self, message: Message, now: Ns, venue: Ns, file: str, line: int) -> None:
        found = self._of(message.asset_id)
        if found is None:
            return
        book, no = found
        head = (message.timestamp, message.hash)
        if message.hash and book.heads.get(message.asset_id) == head and book.trusted:
            self.recording.note(RESENT)
            return
        book.heads[message.asset_id] = head
        sides, why = self._sides(book, message, no)
        if no and book.from_yes:
            if not why and book.trusted and venue == book.venue:
                self.recording.note(MIRROR, int(sides != (book.bids, book.asks)))
            return
        if 0 < venue < book.venue:
            self.recording.put_aside(file, line, f"book: {ORDER}", [message.timestamp])
            return
        book.from_yes |= not no
        prices = [*sides[0], *sides[1]]
        tick, unfit = self._told_tick(book, message, prices)
        why = why or unfit or self._hashed(book, message, no)
        if why:
            self.recording.put_aside(file, line, f"book: {why}", [message.asset_id])
            self._clear(book, now, venue, why)
            return
        rows = []
        if tick != book.tick:
            book.retick(tick)
            rows.append(self._row(book, now, venue, TapeKind.TICK, price=tick))
        book.fill(sides, venue)
        n = len(prices)
        rows.append(self._row(book, now, venue, TapeKind.SNAPSHOT_BEGIN, aux=n))
        for side, levels in ((1, sides[0]), (-1, sides[1])):
            rows += [
                self._row(book, now, venue, TapeKind.LEVEL, side, price, size)
                for price, size in sorted(levels.items())
            ]
        rows.append(self._row(book, now, venue, TapeKind.SNAPSHOT_END, aux=n))
        self._update(rows)

    def _change(self, message: Message, now: Ns, venue: Ns, file: str, line: int) -> None:
        """One update for each market that the message names."""
        changes: list[Change] = message.price_changes or message.changes or []
        if not changes and message.price != "":
            changes = [message]  # type: ignore[list-item]  # the old form has one change in itself
        by_market: dict[str, tuple[WsBook, list[tuple[Change, bool]]]] = {}
        for change in changes:
            found = self._of(change.asset_id or message.asset_id)
            if found is not None:
                book, no = found
                by_market.setdefault(book.market.id, (book, []))[1].append((change, no))
        for book, told in by_market.values():
            if 0 < venue < book.venue:
                later = venue > book.whole_at
                why = f"change: {ORDER}" if later else f"change {OLDER}"
                self.recording.put_aside(file, line, why, [message.timestamp])
                if later:  # what the later change meant is not known any more
                    self._clear(book, now, venue, ORDER)
                continue
            self._changed(book, told, message, (now, venue, file, line))

    def _changed(
        self,
        book: WsBook,
        told: list[tuple[Change, bool]],
        message: Message,
        where: tuple[Ns, Ns, str, int],
    ) -> None:
        now, venue, file, line = where
        levels: dict[tuple[int, int], int] = {}
        why = ""
        # NO first, so that YES's own word stands where both speak of one level.
        for change, no in sorted(told, key=lambda pair: not pair[1]):
            price, size = units(change.price, 4), units(change.size, 6)
            wrong = fault(price, size)
            if change.side not in ("BUY", "SELL"):
                wrong = wrong or SIDE
            elif not 0 < price < book.one or price % book.tick:
                wrong = wrong or OFF_GRID
            if not wrong:
                key = book.turned(no, 1 if change.side == "BUY" else -1, price)
                if not no and levels.get(key, size) != size:
                    self.recording.note(MIRROR)
                levels[key] = size
                continue
            told_so = f"{change.side} {change.size} at {change.price}"
            self.recording.put_aside(file, line, f"change: {wrong}", [told_so])
            why = why or wrong
        rows = [
            self._row(book, now, venue, TapeKind.LEVEL, side, price, size)
            for (side, price), size in levels.items()
            if book.rest(side, price, size) or not book.trusted
        ]
        if not rows and not why:
            self.recording.note(RESENT)
        book.venue = venue or book.venue
        if book.trusted:
            why = why or self._contradicted(book, told, message)
        if why and book.trusted:
            rows.append(self._cleared(book, now, venue, why))
        self._update(rows)

    def _contradicted(self, book: WsBook, told: list[tuple[Change, bool]], message: Message) -> str:
        """Why the book cannot be what the venue has; empty where nothing speaks against it."""
        best = book.best
        if best[0] >= best[1]:
            return CROSSED
        change, no = told[-1]
        if change.best_bid != "" or change.best_ask != "":
            pair = tuple(_best(value) for value in (change.best_bid, change.best_ask))
            bid, ask = (max(pair[0], 0), pair[1] if pair[1] > 0 else book.one)
            if no:
                bid, ask = book.one - ask, book.one - bid
            if (bid, ask) != best:
                return DISAGREES
        own = [c for c, is_no in told if not is_no]
        if own:
            asset = own[-1].asset_id or message.asset_id
            if book.proved(asset, message.timestamp, own[-1].hash) is False:
                return HASH
        return ""

    def _trade(self, message: Message, now: Ns, venue: Ns, file: str, line: int) -> None:
        found = self._of(message.asset_id)
        if found is None:
            return
        book, no = found
        price, size = units(message.price, 4), units(message.size, 6)
        wrong = fault(price, size or NONE)
        if message.side not in ("BUY", "SELL"):
            wrong = wrong or SIDE
        elif not 0 < price < book.one:
            wrong = wrong or OFF_GRID
        if wrong:
            value = f"{message.side} {message.size} at {message.price}"
            self.recording.put_aside(file, line, f"trade: {wrong}", [value])
            return
        if not no:
            book.traded = message.price
        side, price = book.turned(no, 1 if message.side == "BUY" else -1, price)
        # Without a transaction nothing tells a repetition from a second trade of the same size.
        key = (message.transaction_hash, venue, side, price, size)
        if message.transaction_hash and book.last_trade[:-1] == key:
            if book.last_trade[-1] != no:
                self.recording.note(BOTH)
            else:
                self.recording.put_aside(file, line, TRADED_TWICE, [message.transaction_hash])
            return
        book.last_trade = (*key, no)
        self._update([self._row(book, now, venue, TapeKind.TRADE, side, price, size)])

    def _tick(self, message: Message, now: Ns, venue: Ns, file: str, line: int) -> None:
        found = self._of(message.asset_id)
        if found is None:
            return
        book, _ = found
        tick = units(message.new_tick_size, 4)
        if tick <= 0 or book.one % tick:
            self.recording.put_aside(file, line, TICK, [message.new_tick_size])
            return
        if tick == book.tick:
            return  # both tokens tell it
        if not book.retick(tick):
            book.forget()
        book.proof = None
        self._update([self._row(book, now, venue, TapeKind.TICK, price=tick)])

    # ---- parts of them ---------------------------------------------------------------------------

    def _of(self, asset: str) -> tuple[WsBook, bool] | None:
        """The book of a token and whether it is NO's."""
        found = self.lookup.tokens.get(asset)
        if found is None:
            if self.lookup.only is None:
                self.recording.unknown[asset] += 1
            else:
                self.recording.note("rows of other markets")
            return None
        market, index = found
        book = self.books.get(market.id)
        if book is None:
            book = WsBook(market, self.recording.instrument(market))
            self.books[market.id] = book
        return book, index == 1

    def _sides(self, book: WsBook, message: Message, no: bool) -> tuple[Sides, str]:
        """The levels of a whole book in YES space and why they cannot be, empty for a sound one."""
        sides: Sides = ({}, {})
        lists: tuple[list[Level], list[Level]] = (message.bids or [], message.asks or [])
        for sign, levels in zip((1, -1), lists, strict=True):
            for level in levels:
                price, size = units(level.price, 4), units(level.size, 6)
                if why := fault(price, size):
                    return sides, why
                if not 0 < price < book.one:
                    return sides, OFF_GRID
                side, price = book.turned(no, sign, price)
                into = sides[0 if side > 0 else 1]
                if price in into:
                    return sides, TWICE
                if size:
                    into[price] = size
        if max(sides[0], default=0) >= min(sides[1], default=book.one):
            return sides, CROSSED
        return sides, ""

    def _told_tick(self, book: WsBook, message: Message, prices: list[int]) -> tuple[int, str]:
        """The tick that a book states or shows, and why its prices cannot be on it."""
        if message.tick_size is not None:
            tick = units(message.tick_size, 4)
            if tick <= 0 or book.one % tick:
                return 0, TICK
            return tick, OFF_GRID if any(price % tick for price in prices) else ""
        tick = book.seen_tick(prices)
        self.recording.note(TICK_SEEN, int(tick not in (0, book.tick)))
        return tick, "" if tick else OFF_GRID

    def _hashed(self, book: WsBook, message: Message, no: bool) -> str:
        """Holds a book against its hash, if the message has all that was hashed."""
        book.proof = None
        book.changes_prove = False
        if not message.hash:
            return ""
        tail = (message.min_order_size, message.tick_size, message.last_trade_price)
        if message.neg_risk is None or any(part is None for part in tail):
            self.recording.note(UNPROVED)
            return ""
        form = HashForm(
            message.market, message.asset_id, message.timestamp, "", message.bids or [],
            message.asks or [], tail[0] or "", tail[1] or "", message.neg_risk, tail[2] or "",
        )  # fmt: skip
        if form.digest() != message.hash:
            return HASH
        self.recording.note(PROVED)
        book.proof = None if no else form
        return ""

    def _row(
        self, book: WsBook, now: Ns, venue: Ns, kind: TapeKind, side: int = 0, price: int = 0,
        size: int = 0, aux: int = 0,
    ) -> Row:  # fmt: skip
        return (now, venue, price, size, aux, book.instrument, int(kind), side, 0)

    def _clear(self, book: WsBook, now: Ns, venue: Ns, why: str) -> None:
        if book.trusted:
            self._update([self._cleared(book, now, venue, why)])

    def _cleared(self, book: WsBook, now: Ns, venue: Ns, why: str) -> Row:
        book.forget()
        self.recording.cleared(why, 1)
        return self._row(book, now, venue, TapeKind.CLEAR, aux=self.recording.reason(why))

    def _update(self, rows: list[Row]) -> None:
        more = int(TapeFlag.MORE)
        self.rows += [(*row[:-1], more) for row in rows[:-1]]
        self.rows += rows[-1:]


def _best(value: object) -> int:
    """A best price as stated, -1 for none."""
    return units(value, 4) if isinstance(value, str | int | float) and value != "" else -1
