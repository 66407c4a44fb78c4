"""The sandbox asked without a network: a room by itself, or all of them behind their prefixes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from polyframe.sandbox.door import Asked, Reply, Room, Turned, encode
from polyframe.sandbox.running import Sandbox


class Visitor:
    """Somebody in a room."""

    def __init__(self, room: Room) -> None:
        self.room = room

    def reply(self, target: str, **headers: str) -> Reply:
        path, _, query = target.partition("?")
        known = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
        asked = Asked("GET", path, query.encode(), known)
        try:
            answer = self.room.find(asked)(asked)
        except Turned as turned:
            return turned.reply()
        return answer if isinstance(answer, Reply) else Reply(encode(answer))

    def get(self, target: str) -> Any:
        reply = self.reply(target)
        assert reply.status == 200, (target, reply)
        return json.loads(reply.body)

    def turned(self, target: str, status: int) -> Any:
        """What is said to somebody who is turned away."""
        reply = self.reply(target)
        assert reply.status == status, (target, reply)
        return json.loads(reply.body)


def answered(
    sandbox: Sandbox,
    method: str,
    path: str,
    body: bytes = b"",
    *,
    query: str = "",
    headers: Mapping[str, str] | None = None,
) -> tuple[int, dict[bytes, bytes], bytes]:
    """Status, headers and body of the application's answer."""
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode("utf-8", "replace"),
        "query_string": query.encode("latin-1", "replace"),
        "headers": [
            (name.lower().encode(), value.encode()) for name, value in (headers or {}).items()
        ],
    }
    said: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        said.append(message)

    asyncio.run(sandbox.server(scope, receive, send))
    content = b"".join(message.get("body", b"") for message in said[1:])
    return said[0]["status"], dict(said[0]["headers"]), content
