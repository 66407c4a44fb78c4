"""Faults of sockets: messages lost, doubled, late or broken, and sockets that fall silent."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Final, Literal

import msgspec
from pydantic import Field

from polyframe.domain.units import MILLISECOND
from polyframe.sandbox.faults.fault import Fault, Millis, Seconds, Text, Window
from polyframe.sandbox.faults.requests import broken
from polyframe.sandbox.faults.stage import Run
from polyframe.sandbox.faults.target import Feed, Sockets
from polyframe.sandbox.faults.wire import Wire
from polyframe.sandbox.sockets.channel import PONG
from polyframe.sandbox.sockets.line import MOST_FRAME, Whole, array

_SIZE_MATCHED: Final = re.compile(rb'"size_matched":"[^"]*"')
_rows = msgspec.json.Decoder(list[msgspec.Raw]).decode


class SocketFault(Fault):
    """A fault that sockets meet."""

    listens: ClassVar[bool] = True

    target: Sockets = Sockets()

    def touches(self, run: Run, wire: Wire) -> bool:
        """Whether a socket is meant."""
        target = self.target
        if target.channel and wire.channel not in target.channel:
            return False
        if run.picks.keys:
            wire.key = wire.key or run.stage.channels[wire.channel].key_of(wire.line)
            return wire.key in run.picks.keys
        return True

    def pass_on(self, run: Run, wire: Wire, event: bytes) -> list[bytes]:
        """What becomes of a message: itself, nothing, several."""
        return [event]


class MessageFault(SocketFault):
    """A fault that messages to sockets meet."""

    target: Feed = Feed()

    def pass_on(self, run: Run, wire: Wire, event: bytes) -> list[bytes]:
        """Strikes what is meant of a message."""
        if not is_data(event):
            return [event]
        hit, rest = self.target.split(event, run.picks)
        if hit is None or not run.strikes(wire.number):
            return [event]
        return [*rest, *self.strike(run, wire, hit)]

    def strike(self, run: Run, wire: Wire, event: bytes) -> Iterable[bytes]:
        """What becomes of a message that it strikes."""
        raise NotImplementedError

    def told(self, run: Run, wire: Wire, event: bytes, what: str) -> None:
        """Enters a message into the record."""
        run.note(f"{wire.channel} socket {wire.number}: {kind_of(event)} {what}")


def is_data(event: bytes) -> bool:
    """True for all but PONG and what the venue answers to what it does not understand."""
    return event[:1] in {b"{", b"["}


def kind_of(event: bytes) -> str:
    """A message's type, for the record."""
    found = re.search(rb'"event_type":"([a-z_]+)"', event)
    return found[1].decode() if found else "message"


class SlowMessages(MessageFault):
    """Everything reaches the socket late, in its order."""

    fault: Literal["slow_messages"] = "slow_messages"
    ms: Millis = 500
    jitter_ms: Millis = 0

    def pass_on(self, run: Run, wire: Wire, event: bytes) -> list[bytes]:
        """Sends a message later, PONG as well."""
        if is_data(event):
            return super().pass_on(run, wire, event)
        if self.target == Feed() and run.strikes(wire.number):
            return list(self.strike(run, wire, event))
        return [event]

    def strike(self, run: Run, wire: Wire, event: bytes) -> Iterable[bytes]:
        """Sends it when its time has come."""
        wait = self.ms + run.upto(self.jitter_ms, wire.number)
        self.told(run, wire, event, f"{wait} ms late")
        wire.queue(event, wait)
        return ()


class LateMessages(MessageFault):
    """Some messages come after later ones."""

    fault: Literal["late_messages"] = "late_messages"
    probability: Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)] = 0.1
    ms: Millis = 500
    jitter_ms: Millis = 0

    def strike(self, run: Run, wire: Wire, event: bytes) -> Iterable[bytes]:
        """Sends it later and everything else as ever."""
        wait = self.ms + run.upto(self.jitter_ms, wire.number)
        self.told(run, wire, event, f"overtaken, {wait} ms late")
        wire.later(event, wait)
        return ()


class DropMessages(MessageFault):
    """Some messages are lost."""

    fault: Literal["drop_messages"] = "drop_messages"
    probability: Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)] = 0.05

    def strike(self, run: Run, wire: Wire, event: bytes) -> Iterable[bytes]:
        """Loses it."""
        self.told(run, wire, event, "dropped")
        return ()


class DuplicateMessages(MessageFault):
    """Some messages come more than once."""

    fault: Literal["duplicate_messages"] = "duplicate_messages"
    probability: Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)] = 0.1
    copies: Annotated[int, Field(strict=True, ge=1, le=100)] = 1
    after_ms: Millis = 0
    """when the copies come"""

    def strike(self, run: Run, wire: Wire, event: bytes) -> Iterable[bytes]:
        """Sends it again."""
        self.told(run, wire, event, f"sent {self.copies + 1} times")
        if not self.after_ms:
            return [event] * (self.copies + 1)
        for _ in range(self.copies):
            wire.later(event, self.after_ms)
        return [event]


class ReorderMessages(MessageFault):
    """Some messages change places with those behind them."""

    fault: Literal["reorder_messages"] = "reorder_messages"
    probability: Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)] = 0.1
    behind: Annotated[int, Field(strict=True, ge=1, le=1_000)] = 1
    """messages that pass it"""
    within_ms: Millis = 1_000
    """when it comes if they do not"""

    def pass_on(self, run: Run, wire: Wire, event: bytes) -> list[bytes]:
        """Lets held messages go when enough have passed them."""
        passed = super().pass_on(run, wire, event)
        held: list[list[Any]] = wire.memo.setdefault(run.id, [])
        for each in held:
            each[1] -= len([one for one in passed if is_data(one)])
        gone = [each for each in held if each[1] <= 0]
        for each in gone:
            held.remove(each)
            each[2].cancel()
        return [*passed, *(each[0] for each in gone)]

    def strike(self, run: Run, wire: Wire, event: bytes) -> Iterable[bytes]:
        """Holds it back."""
        held: list[list[Any]] = wire.memo.setdefault(run.id, [])
        self.told(run, wire, event, f"let {self.behind} pass")
        each: list[Any] = [event, self.behind, None]
        each[2] = wire.after(self.within_ms, lambda: self._give_up(wire, held, each))
        held.append(each)
        return ()

    def _give_up(self, wire: Wire, held: list[list[Any]], each: list[Any]) -> None:
        held.remove(each)
        wire.line.send_on(each[0])


class SilentSocket(MessageFault):
    """Some sockets are sent nothing any more, or nothing of some tokens; PONG comes as ever."""

    fault: Literal["silent_socket"] = "silent_socket"

    def pass_on(self, run: Run, wire: Wire, event: bytes) -> list[bytes]:
        """Keeps what is meant from a socket that was chosen."""
        if not is_data(event):
            return [event]
        hit, rest = self.target.split(event, run.picks)
        if hit is None or not chosen(run, wire, "silent"):
            return [event]
        return rest


class HalfOpenSocket(SocketFault):
    """Some sockets stay open and nothing passes any more: no PONG, no answer to pings either.

    When its window closes their connections break.
    """

    fault: Literal["half_open_socket"] = "half_open_socket"

    def begin(self, run: Run) -> None:
        """Chooses among the sockets that are open."""
        for wire in run.stage.wires():
            if self.touches(run, wire):
                self.pass_on(run, wire, b"")

    def pass_on(self, run: Run, wire: Wire, event: bytes) -> list[bytes]:
        """Lets a socket that was chosen hang."""
        if not chosen(run, wire, "hangs"):
            return [event]
        if not wire.line.hung:
            run.memo.setdefault("hung", []).append(wire.line)
            wire.line.hang()
        return []

    def end(self, run: Run) -> None:
        """Breaks the connections that hang."""
        for line in run.memo.pop("hung", []):
            if not line.closed:
                line.drop()


class MissingPong(SocketFault):
    """PING is not answered; everything else comes."""

    fault: Literal["missing_pong"] = "missing_pong"

    def pass_on(self, run: Run, wire: Wire, event: bytes) -> list[bytes]:
        """Loses PONG."""
        if event != PONG or not run.strikes(wire.number):
            return [event]
        run.note(f"{wire.channel} socket {wire.number}: PONG dropped")
        return []


class OversizedDump(MessageFault):
    """The books that follow a subscription come in one frame, longer than clients take.

    It is made longer by spaces where the books alone are not enough.
    """

    fault: Literal["oversized_dump"] = "oversized_dump"
    size: Annotated[int, Field(strict=True, ge=1, le=64 << 20)] = 1_300_000
    """bytes of the frame at least; clients take 1,048,576"""

    def begin(self, run: Run) -> None:
        """Lets frames be as long as they come."""
        run.stage.long_frames(run.id, on=True)

    def end(self, run: Run) -> None:
        """Sets the limit back."""
        run.stage.long_frames(run.id, on=False)

    def pass_on(self, run: Run, wire: Wire, event: bytes) -> list[bytes]:
        """Makes a dump too long; those that it does not strike are taken apart as ever."""
        if not isinstance(event, Whole) or not is_data(event):
            return [event]
        hit, rest = self.target.split(event, run.picks)
        if hit is None or not run.strikes(wire.number):
            return split_again(event)
        self.told(run, wire, event, f"of {max(len(hit), self.size)} bytes")
        spaces = b" " * max(0, self.size - len(hit))
        return [*rest, Whole(hit[:-1] + spaces + b"]")]


def split_again(event: bytes) -> list[bytes]:
    """A dump in frames of the ordinary length."""
    if len(event) < MOST_FRAME:
        return [event]
    return list(array([bytes(row) for row in _rows(event)]))


class BrokenFrame(MessageFault):
    """Some frames are no JSON: cut short, spoilt, empty, or two messages without a comma."""

    fault: Literal["broken_frame"] = "broken_frame"
    probability: Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)] = 0.05
    how: Literal["truncated", "malformed", "empty", "concatenated"] = "truncated"

    def strike(self, run: Run, wire: Wire, event: bytes) -> Iterable[bytes]:
        """Breaks a frame."""
        self.told(run, wire, event, self.how)
        if self.how == "empty":
            return [Whole(b"")]
        if self.how == "concatenated":
            return [Whole(event + event)]
        return [Whole(broken(event, self.how))]


class UnknownMessage(MessageFault):
    """After some messages comes one of a type that nobody knows."""

    fault: Literal["unknown_message"] = "unknown_message"
    probability: Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)] = 0.1
    event_type: Text = "liquidity_pulse"

    def strike(self, run: Run, wire: Wire, event: bytes) -> Iterable[bytes]:
        """Adds it."""
        self.told(run, wire, event, f"followed by {self.event_type}")
        row = {
            "event_type": self.event_type,
            "timestamp": str(run.stage.now // MILLISECOND),
            "payload": {"version": 3, "items": [1, "two", None]},
        }
        return [event, msgspec.json.encode(row)]


class EmptySizeMatched(MessageFault):
    """What is told of orders says ``size_matched:""``.

    Source: recorded for killed FOK orders by nautilus_trader's Polymarket adapter.
    """

    fault: Literal["empty_size_matched"] = "empty_size_matched"
    target: Feed = Feed(channel=("user",), event=("order",))
    kinds: tuple[Literal["PLACEMENT", "UPDATE", "CANCELLATION"], ...] = ("CANCELLATION",)

    def pass_on(self, run: Run, wire: Wire, event: bytes) -> list[bytes]:
        """Looks at orders of the right kind only."""
        if not any(b'"type":"%s"' % kind.encode() in event for kind in self.kinds):
            return [event]
        return super().pass_on(run, wire, event)

    def strike(self, run: Run, wire: Wire, event: bytes) -> Iterable[bytes]:
        """Takes the number out."""
        self.told(run, wire, event, "without size_matched")
        return [_SIZE_MATCHED.sub(b'"size_matched":""', event)]


class LostSubscriptions(SocketFault):
    """The server of the sockets starts anew: they are cut, or stay and nobody knows what for."""

    window: ClassVar[Window] = "moment"
    fault: Literal["lost_subscriptions"] = "lost_subscriptions"
    how: Literal["cut", "forget"] = "cut"
    refuse: Seconds = 0.0
    """how long no socket is let in afterwards"""

    def begin(self, run: Run) -> None:
        """Sees to the sockets that are open."""
        for wire in run.stage.wires():
            if self.touches(run, wire) and run.strikes(wire.number):
                lose(run, wire, self.how)
        run.stage.shut(self.refuse)


def lose(run: Run, wire: Wire, how: str) -> None:
    """Cuts a socket, or forgets what it is for."""
    run.note(f"{wire.channel} socket {wire.number}: {how}")
    if how == "cut":
        wire.line.drop()
    else:
        run.stage.channels[wire.channel].forget(wire.line)


def chosen(run: Run, wire: Wire, what: str) -> bool:
    """Whether a socket is one of those that this window strikes; asked once, it stays so."""
    name = (run.id, run.windows)
    found: bool | None = wire.memo.get(name)
    if found is None:
        found = wire.memo[name] = run.strikes(wire.number)
        if found:
            run.note(f"{wire.channel} socket {wire.number} {what}")
    return found


KINDS: Final = (
    SlowMessages,
    LateMessages,
    DropMessages,
    DuplicateMessages,
    ReorderMessages,
    SilentSocket,
    BrokenFrame,
    OversizedDump,
    UnknownMessage,
    EmptySizeMatched,
    HalfOpenSocket,
    MissingPong,
    LostSubscriptions,
)
