"""Messages of Polymarket's market channel, one JSON value a line, as rows of a tape."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import msgspec

from polyframe.domain.units import SECOND, Ns
from polyframe.errors import DataError
from polyframe.store.durable import storage_error
from polyframe.store.tape_recording import CLOCK, TRUNCATED, Columns, Lookup, Recording
from polyframe.store.tape_ws_feed import Feed
from polyframe.store.tape_ws_messages import Message

SILENCE = 30 * SECOND
"""Of the whole connection, which carries an answer to a ping every 10 s.
Source: the venue's official client takes a connection for dead then."""

BATCH = 1 << 17
SKIPPED = ("", "PING", "PONG")
NO_RECV = "messages without the time at which they arrived; the venue's own is taken for it"


Frame: TypeAlias = Message | list[Message]
Frames: TypeAlias = tuple[Message | None, list[Message]]
"""What a recorder put around its messages, None for nothing, and the messages."""

_DECODER: msgspec.json.Decoder[Frame] = msgspec.json.Decoder(Frame, strict=True)


def convert(
    files: Sequence[Path], lookup: Lookup, recording: Recording, silence: Ns = SILENCE
) -> Iterator[Columns]:
    """The rows of these files in batches, file after file.

    Raises:
        DataError: a file cannot be read, none of its lines is a message, or a time is none of these
            decades.
    """
    feed = Feed(lookup, recording, silence)
    last = 0
    for path in files:
        read = good = 0
        for number, line in _lines(path):
            read += 1
            text = line.strip()
            if text.decode("utf-8", "replace") in SKIPPED:
                continue
            try:
                frames = _decoded(text)
            except (msgspec.DecodeError, ValueError, UnicodeDecodeError, RecursionError):
                recording.put_aside(
                    path.name, number, TRUNCATED, [text[:60].decode("utf-8", "replace")]
                )
                feed.distrust(max(last, 1), TRUNCATED)
                continue
            good += 1
            try:
                last = _take(feed, recording, frames, path.name, number, last)
            except DataError as error:
                error.message = f"{path}: line {number}: {error.message}"
                raise
            if len(feed.rows) >= BATCH:
                yield feed.taken()
        recording.rows[path.name] = read
        if read and not good:
            raise DataError(
                f"{path}: none of its {read:,} lines is a message",
                expected="one JSON object or array a line, as the market channel sends them",
                hint="polyframe data import tape FILE --format FORMAT names another form",
            )
    if feed.rows:
        yield feed.taken()


def _take(
    feed: Feed, recording: Recording, frames: list[Frames], file: str,
    number: int, last: Ns,
) -> Ns:  # fmt: skip
    """Hands the messages of a line on; the moment at which they were known."""
    for wrapper, messages in frames:
        recv = wrapper.known if wrapper else 0
        if recv > last and not messages:  # an answer to a ping: the connection lives
            feed.heard(recv, last)
            last = recv
        for message in messages:
            venue = _happened(message)
            known = recv or venue
            if not known:
                feed.timeless(message, last, file, number)
                continue
            if not recv:
                recording.note(NO_RECV)
            if known < last:
                recording.note(CLOCK if recv else CLOCK.replace("recorder's", "venue's"))
                known = last
            feed.heard(known, last)
            feed.message(message, (known, venue, file, number))
            last = known
    return last


def _happened(message: Message) -> Ns:
    """When a message happened by the venue's clock; of one that is not used that may be no time."""
    try:
        return message.venue
    except DataError:
        if message.used:
            raise
        return 0


def _decoded(text: bytes) -> list[Frames]:
    """The frames of a line with what a recorder put around them; a line may hold several."""
    try:
        frames = [_DECODER.decode(text)]
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        frames = [_DECODER.decode(part) for part in _parts(text.decode())]
    found: list[Frames] = []
    for frame in frames:
        if isinstance(frame, Message) and frame.msg:
            found.append((frame, _inner(bytes(frame.msg))))
        else:
            found.append((None, frame if isinstance(frame, list) else [frame]))
    return found


def _inner(raw: bytes) -> list[Message]:
    """What a recorder wrapped: a message, several, or their text."""
    text = json.loads(raw) if raw[:1] == b'"' else raw
    if isinstance(text, str) and text.strip() in SKIPPED:
        return []
    frame = _DECODER.decode(text)
    return frame if isinstance(frame, list) else [frame]


def _parts(text: str) -> Iterator[bytes]:
    """JSON values that stand one behind the other."""
    decoder = json.JSONDecoder()
    at = 0
    while at < len(text):
        _, end = decoder.raw_decode(text, at)
        yield text[at:end].encode()
        at = end
        while at < len(text) and text[at].isspace():
            at += 1


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            yield from enumerate(file, start=1)
    except (gzip.BadGzipFile, EOFError) as error:
        raise DataError(
            f"{path} is no whole gzip file: {error}", hint=f"gzip -t '{path}'"
        ) from None
    except OSError as error:
        raise storage_error("read", path, error) from error
