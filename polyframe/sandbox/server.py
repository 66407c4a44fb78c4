"""One port for everything: requests and sockets go to their rooms by the path's first part."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, Final

from polyframe.errors import DataError, UserError
from polyframe.sandbox.desk import Desk
from polyframe.sandbox.door import Asked, Cut, Reply, Room, Turned, encode
from polyframe.sandbox.pace import Pace
from polyframe.sandbox.sockets.channel import Channel

# Greater than any payload the venue takes: 3,000 order ids are a fifth of it.
MOST_BODY: Final = 1 << 20
# Up to here a body that is too long is heard out, so that its sender reads the answer: closing on
# a client that is still writing takes the answer away from it.
MOST_HEARD: Final = 16 << 20
MOST_QUERY: Final = 64 << 10

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Go = Callable[[], Awaitable[Reply]]
Around = Callable[[str, Asked, Go], Awaitable[Reply]]


class _TooMuch(Exception):
    """A body that is longer than any the venue takes."""


class _Gone(Exception):
    """The client went before its request was whole."""


class Server:
    """The whole sandbox as an ASGI application.

    ``rooms`` answer by themselves; ``apps`` are applications of their own behind a prefix.
    ``around`` is called with the prefix, what was asked and how to go on: faults stand there. It
    may raise `Cut` where there is to be no answer.
    """

    def __init__(
        self,
        desk: Desk,
        pace: Pace,
        *,
        rooms: Mapping[str, Room],
        channels: Mapping[str, Channel],
        apps: Mapping[str, App] | None = None,
    ) -> None:
        self._desk = desk
        self._pace = pace
        self.rooms = dict(rooms)
        self.channels = dict(channels)
        self.apps = dict(apps or {})
        self.around: Around | None = None

    def settle(self) -> None:
        """Moves the venue's clock to now and passes on what happened."""
        self._pace.catch_up()
        self._desk.hear()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves one request or one socket."""
        if scope["type"] == "http":
            await self._http(scope, receive, send)
        elif scope["type"] == "websocket":
            await self._socket(scope, receive, send)
        else:
            await _lifespan(receive, send)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        prefix, path = _split(scope)
        self.settle()
        app = self.apps.get(prefix)
        if app is not None:
            await app({**scope, "root_path": f"/{prefix}"}, receive, send)
            self._desk.hear()
            return
        try:
            asked = await _asked(scope, path, receive)
        except _Gone:
            return
        except _TooMuch:
            answer = Turned(413, "Payload exceeds the limit").reply()
            await _send(answer._replace(headers=((b"connection", b"close"),)), scope, send)
            return

        async def go() -> Reply:
            return await self._answer(prefix, asked)

        try:
            reply = await (go() if self.around is None else self.around(prefix, asked, go))
        except Cut as cut:
            self._desk.hear()
            await _cut(cut, scope, receive, send)
            return
        self._desk.hear()
        await _send(reply, scope, send)

    async def _answer(self, prefix: str, asked: Asked) -> Reply:
        try:
            room = self.rooms.get(prefix)
            if room is None:
                raise self._nowhere(f"/{prefix}{asked.path}".rstrip("/"))
            _check_form(asked)
            answer = room.find(asked)(asked)
            if inspect.isawaitable(answer):
                answer = await answer
            return answer if isinstance(answer, Reply) else Reply(encode(answer))
        except Turned as turned:
            return turned.reply()
        except (UserError, DataError) as error:
            # What the venue itself cannot use: the caller's mistake, in its own words.
            more = f"; expected: {error.expected}" if prefix == "debug" and error.expected else ""
            return Turned(400, error.message + more).reply()

    def _nowhere(self, path: str) -> Turned:
        """The answer where there is no room; at the front door it says where the rooms are."""
        if not path:
            doors = sorted({*self.rooms, *self.apps})
            return Turned(404, "Not found", doors=[f"/{name}" for name in doors] + [*self.channels])
        if path not in self.channels:
            return Turned(404, "Not found")
        turned = Turned(426, "Upgrade required: this is a WebSocket")
        turned.headers = ((b"upgrade", b"websocket"),)
        return turned

    async def _socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        channel = self.channels.get(str(scope["path"]).rstrip("/"))
        if channel is None:
            await receive()
            await send({"type": "websocket.close", "code": 1008})
            return
        self.settle()
        await channel.serve(scope, receive, send)


def _split(scope: Scope) -> tuple[str, str]:
    """The prefix, and the rest as it was sent: what a client signed has no prefix."""
    raw = scope.get("raw_path") or str(scope["path"]).encode()
    prefix, _, rest = bytes(raw).decode("latin-1").lstrip("/").partition("/")
    return prefix, "/" + rest


async def _asked(scope: Scope, path: str, receive: Receive) -> Asked:
    headers = dict(scope["headers"])
    body = bytearray()
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        part = message.get("body", b"")
        size += len(part)
        if size <= MOST_BODY:
            body += part
        elif size > MOST_HEARD:
            raise _TooMuch
        more = message.get("more_body", False)
    if size > MOST_BODY:
        raise _TooMuch
    query = bytes(scope.get("query_string", b""))[: MOST_QUERY + 1]
    return Asked(str(scope["method"]), path, query, headers, bytes(body))


def _check_form(asked: Asked) -> None:
    """Turns away what no room would read: another media type, a query without end."""
    if len(asked.query) > MOST_QUERY:
        raise Turned(414, "Query exceeds the limit")
    media = asked.headers.get(b"content-type", b"")
    if asked.body and media and b"json" not in media.lower():
        raise Turned(415, "Invalid content type, expected application/json")


async def _send(reply: Reply, scope: Scope, send: Send) -> None:
    body = b"" if scope["method"] == "HEAD" else reply.body
    headers = [
        (b"content-type", reply.media),
        (b"content-length", str(len(reply.body)).encode()),
        *reply.headers,
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _cut(cut: Cut, scope: Scope, receive: Receive, send: Send) -> None:
    """Ends a connection without an answer, or in the middle of one."""
    end = scope.get("extensions", {}).get("polyframe.cut")
    if end is None:  # a server that cannot: what a proxy would say of one that is gone
        gone = Turned(502, "Bad gateway").reply()
        await _send(gone._replace(headers=((b"connection", b"close"),)), scope, send)
        return
    if cut.partial is not None:
        whole = cut.partial
        size = str(len(whole.body)).encode()
        headers = [(b"content-type", whole.media), (b"content-length", size), *whole.headers]
        start = {"type": "http.response.start", "status": whole.status, "headers": headers}
        await send(start)
        part = whole.body[: len(whole.body) // 2]
        await send({"type": "http.response.body", "body": part, "more_body": True})
    end(cut.reset)
    while (await receive())["type"] != "http.disconnect":
        pass


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
