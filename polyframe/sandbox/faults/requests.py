"""Faults of requests: late, refused, lost on the way there or back, broken, stale."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field

from polyframe.domain.units import SECOND
from polyframe.sandbox.door import Asked, Cut, Reply
from polyframe.sandbox.faults.fault import Count, Fault, Millis, Seconds, Span, Text, refusal, where
from polyframe.sandbox.faults.stage import Run, ns
from polyframe.sandbox.faults.target import Route
from polyframe.sandbox.server import Go

Status = Annotated[int, Field(strict=True, ge=400, le=599)]

PLACING: Final = Route(prefix=("clob",), method=("POST",), path=("/order", "/orders"))
STALE_KEPT: Final = 1_000
HTML: Final = (
    b"<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n"
    b"<center><h1>502 Bad Gateway</h1></center>\r\n</body>\r\n</html>\r\n"
)


class RequestFault(Fault):
    """A fault that requests meet."""

    serves: ClassVar[bool] = True

    target: Route = Route()

    def meant(self, run: Run, prefix: str, asked: Asked) -> bool:
        """Whether it has a part in a request."""
        return self.target.holds(prefix, asked, run.picks, run.stage.desk)

    async def serve(self, run: Run, prefix: str, asked: Asked, go: Go) -> Reply:
        """The answer to a request that it may strike."""
        if not run.strikes():
            return await go()
        return await self.strike(run, prefix, asked, go)

    async def strike(self, run: Run, prefix: str, asked: Asked, go: Go) -> Reply:
        """The answer to a request that it strikes."""
        raise NotImplementedError


class Latency(RequestFault):
    """Requests take time to reach the venue, or their answers take time to come back."""

    fault: Literal["latency"] = "latency"
    ms: Millis = 200
    jitter_ms: Millis = 0
    """added at most, another one for each request"""
    when: Literal["request", "answer"] = "request"

    async def strike(self, run: Run, prefix: str, asked: Asked, go: Go) -> Reply:
        """Waits before or after the venue acts."""
        wait = self.ms + run.upto(self.jitter_ms)
        run.note(f"{where(prefix, asked)} {self.when} {wait} ms late")
        if self.when == "request":
            await run.stage.sleep(wait)
            return await go()
        reply = await go()
        await run.stage.sleep(wait)
        return reply


class ErrorAnswer(RequestFault):
    """Requests are turned away before the venue sees them."""

    fault: Literal["error_answer"] = "error_answer"
    status: Status = 500
    text: Text = "Internal server error"
    code: Text = ""
    retry_after: Count | None = None

    async def strike(self, run: Run, prefix: str, asked: Asked, go: Go) -> Reply:
        """Answers in the venue's place."""
        run.note(f"{where(prefix, asked)} {self.status}")
        more: dict[str, object] = {"code": self.code} if self.code else {}
        return refusal(self.status, self.text, retry_after=self.retry_after, **more)


class RateLimit(RequestFault):
    """429, for some requests, or for those beyond a number in a stretch of time.

    Source: docs.polymarket.com/resources/error-codes for the text. UNSURE at the venue: whether its
    answers say how long to wait.
    """

    fault: Literal["rate_limit"] = "rate_limit"
    retry_after: Annotated[int, Field(strict=True, ge=0, le=86_400)] | None = 1
    """null for an answer that does not say how long"""
    limit: Count | None = None
    """requests that pass; null where the probability alone decides"""
    per: Span = 10.0
    """seconds in which that many pass"""

    async def serve(self, run: Run, prefix: str, asked: Asked, go: Go) -> Reply:
        """Counts requests where there is a limit."""
        if self.limit is not None:
            passed: list[int] = run.memo.setdefault("passed", [])
            since = run.stage.now - ns(self.per)
            passed[:] = [at for at in passed if at > since]
            if len(passed) < self.limit:
                passed.append(run.stage.now)
                return await go()
        return await super().serve(run, prefix, asked, go)

    async def strike(self, run: Run, prefix: str, asked: Asked, go: Go) -> Reply:
        """Turns a request away."""
        run.note(f"{where(prefix, asked)} 429")
        return refusal(429, "Too Many Requests", retry_after=self.retry_after)


class Geoblock(RequestFault):
    """Orders from here are not taken; all else goes on.

    Source: answers of the venue quoted in public logs of 2026.
    """

    fault: Literal["geoblock"] = "geoblock"
    target: Route = PLACING

    async def strike(self, run: Run, prefix: str, asked: Asked, go: Go) -> Reply:
        """Turns an order away for where it comes from."""
        run.note(f"{where(prefix, asked)} 403")
        text = (
            "Trading restricted in your region, please refer to available regions - "
            "https://docs.polymarket.com/developers/CLOB/geoblock"
        )
        return refusal(403, text)


class ErrorAfterAccept(RequestFault):
    """The venue takes an order, and answers that it failed."""

    fault: Literal["error_after_accept"] = "error_after_accept"
    target: Route = PLACING
    status: Status = 500
    text: Text = "could not insert order"

    async def strike(self, run: Run, prefix: str, asked: Asked, go: Go) -> Reply:
        """Replaces a good answer; what was refused anyway is refused."""
        reply = await go()
        if reply.status >= 300:
            return reply
        run.note(f"{where(prefix, asked)} taken, answered {self.status}")
        return refusal(self.status, self.text)


class Timeout(RequestFault):
    """A request gets no answer: the connection is held for a while and then ends.

    The order in it lives, unless ``acts`` is false: then it was lost on the way.
    """

    fault: Literal["timeout"] = "timeout"
    target: Route = PLACING
    hold_ms: Millis = 30_000
    acts: bool = True

    async def strike(self, run: Run, prefix: str, asked: Asked, go: Go) -> Reply:
        """Lets the venue act, or not, and says nothing."""
        status = (await go()).status if self.acts else 0
        done = f"answered {status}" if status else "never arrived"
        run.note(f"{where(prefix, asked)} {done}, held {self.hold_ms} ms and cut")
        await run.stage.sleep(self.hold_ms)
        raise Cut


class ConnectionReset(RequestFault):
    """The connection breaks at once, before the venue has acted or after."""

    fault: Literal["connection_reset"] = "connection_reset"
    acts: bool = False
    how: Literal["reset", "close"] = "reset"
    """RST, which reads as an error, or FIN, which reads as an early end"""

    async def strike(self, run: Run, prefix: str, asked: Asked, go: Go) -> Reply:
        """Ends the connection."""
        if self.acts:
            await go()
        done = "acted" if self.acts else "not acted"
        run.note(f"{where(prefix, asked)} {self.how}, {done}")
        raise Cut(reset=self.how == "reset")


class BrokenAnswer(RequestFault):
    """The venue acts, and its answer cannot be read."""

    fault: Literal["broken_answer"] = "broken_answer"
    how: Literal["truncated", "malformed", "empty", "html", "cut"] = "truncated"
    """cut: the connection ends in the middle of the body; the others are whole as HTTP"""

    async def strike(self, run: Run, prefix: str, asked: Asked, go: Go) -> Reply:
        """Breaks what the venue answers."""
        reply = await go()
        run.note(f"{where(prefix, asked)} {self.how}")
        if self.how == "cut":
            raise Cut(partial=reply)
        if self.how == "html":
            return Reply(HTML, 502, b"text/html")
        if self.how == "empty":
            return reply._replace(body=b"")
        return reply._replace(body=broken(reply.body, self.how))


def broken(body: bytes, how: str) -> bytes:
    """JSON that ends too early, or has something in it that JSON does not."""
    half = body[: max(1, len(body) // 2)].decode("utf-8", "ignore")
    if how == "truncated":
        # Half of a number is a number, of "OK" is not.
        return half.encode() if half[:1] in {"{", "[", '"'} else b'{"data":'
    return f"{half}<nil>{body[len(half.encode()) :].decode('utf-8', 'ignore')},}}".encode()


class StaleAnswer(RequestFault):
    """Reads are answered from a cache: the same answer for a while, however the world goes on."""

    fault: Literal["stale_answer"] = "stale_answer"
    target: Route = Route(prefix=("clob", "gamma", "data"), method=("GET",))
    seconds: Seconds = 300.0
    """Source: Gamma's answers carry max-age=300."""

    def end(self, run: Run) -> None:
        """Forgets what was cached."""
        run.memo.clear()

    async def serve(self, run: Run, prefix: str, asked: Asked, go: Go) -> Reply:
        """The answer from the cache, or one for it."""
        if asked.method != "GET" or asked.header("POLY_API_KEY"):
            return await go()
        kept: dict[Any, tuple[int, Reply]] = run.memo.setdefault("kept", {})
        name = (prefix, asked.path, asked.query)
        found = kept.get(name)
        if found is not None and found[0] > run.stage.now:
            run.note(f"{where(prefix, asked)} stale")
            return found[1]
        kept.pop(name, None)
        reply = await go()
        if reply.status == 200 and len(kept) < STALE_KEPT and run.strikes():
            kept[name] = (run.stage.now + ns(self.seconds), reply)
        return reply


class ClockSkew(RequestFault):
    """``/time`` is wrong; with ``judges`` so is the clock that signed requests are judged by."""

    fault: Literal["clock_skew"] = "clock_skew"
    target: Route = Route(prefix=("clob",), method=("GET",), path=("/time",))
    seconds: Annotated[int, Field(strict=True, ge=-31_536_000, le=31_536_000)] = 90
    """ahead, or behind where it is negative"""
    judges: bool = False

    def begin(self, run: Run) -> None:
        """Moves the judging clock."""
        if self.judges:
            run.stage.desk.skew += self.seconds * SECOND

    def end(self, run: Run) -> None:
        """Moves it back."""
        if self.judges:
            run.stage.desk.skew -= self.seconds * SECOND

    async def strike(self, run: Run, prefix: str, asked: Asked, go: Go) -> Reply:
        """Adds to the time that is answered."""
        reply = await go()
        if asked.path != "/time" or not reply.body.isdigit():
            return reply
        run.note(f"{where(prefix, asked)} {self.seconds:+d} s")
        return reply._replace(body=str(int(reply.body) + self.seconds).encode())


KINDS: Final = (
    Latency,
    Timeout,
    ConnectionReset,
    ErrorAnswer,
    ErrorAfterAccept,
    RateLimit,
    Geoblock,
    BrokenAnswer,
    StaleAnswer,
    ClockSkew,
)
