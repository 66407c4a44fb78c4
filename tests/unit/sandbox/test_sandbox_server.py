"""The server's frame: rooms, applications behind a prefix, and where faults stand."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from sandbox_rooms import answered
from sandbox_stall import stall

from polyframe.sandbox.door import Asked, Reply, Room, Turned, encode
from polyframe.sandbox.running import Sandbox
from polyframe.sandbox.sockets.line import Line


def ask(sandbox: Sandbox, method: str, path: str, body: bytes = b"") -> tuple[int, Any, Any]:
    """Status, headers and content of an answer."""
    status, headers, content = answered(sandbox, method, path, body)
    return status, headers, json.loads(content) if content else None


@pytest.fixture
def sandbox() -> Sandbox:
    return Sandbox(stall()[0], paused=True)


def test_a_further_room_is_found_by_its_prefix(sandbox: Sandbox) -> None:
    room = Room()
    room.add("GET", "/markets/{id}", lambda asked: {"id": asked.values["id"]})
    room.add("GET", "/markets/{id}/tags", lambda asked: [asked.values["id"]])

    async def later(asked: Asked) -> list[int]:
        await asyncio.sleep(0)
        return [len(asked.body)]

    room.add("POST", "/later", later)
    sandbox.server.rooms["gamma"] = room
    assert ask(sandbox, "GET", "/gamma/markets/a%2Fb")[::2] == (200, {"id": "a/b"})
    assert ask(sandbox, "GET", "/gamma/markets/7/tags")[::2] == (200, ["7"])
    assert ask(sandbox, "POST", "/gamma/later", b"[1]")[::2] == (200, [3])
    assert ask(sandbox, "GET", "/gamma/markets/")[0] == 404
    status, headers, _ = ask(sandbox, "DELETE", "/gamma/markets/7")
    assert (status, headers[b"allow"]) == (405, b"GET")


def test_the_front_door_says_where_the_others_are(sandbox: Sandbox) -> None:
    doors = ["/clob", "/debug", "/relayer", "/rpc", "/ws/market", "/ws/user"]
    assert ask(sandbox, "GET", "/")[::2] == (404, {"error": "Not found", "doors": doors})
    assert ask(sandbox, "GET", "/nothing")[::2] == (404, {"error": "Not found"})
    status, headers, said = ask(sandbox, "GET", "/ws/market")
    assert (status, headers[b"upgrade"]) == (426, b"websocket")
    assert "WebSocket" in said["error"]
    assert ask(sandbox, "GET", "/ws")[0] == 404


def test_an_application_stands_behind_a_prefix(sandbox: Sandbox) -> None:
    fastapi = pytest.importorskip("fastapi", reason="fastapi is not installed")
    app = fastapi.FastAPI()

    @app.get("/audit")
    async def audit() -> dict[str, bool]:
        return {"exact": sandbox.venue.audit().exact}

    sandbox.server.apps["debug"] = app
    assert ask(sandbox, "GET", "/debug/audit")[::2] == (200, {"exact": True})
    assert ask(sandbox, "GET", "/debug/nothing")[0] == 404


def test_faults_stand_around_every_answer(sandbox: Sandbox) -> None:
    """They may answer in the venue's place, before it has done anything or after."""
    seen: list[str] = []

    async def around(prefix: str, asked: Asked, go: Any) -> Reply:
        seen.append(f"{prefix} {asked.method} {asked.path}")
        if asked.path == "/time":
            return Turned(425, "the matching engine is restarting").reply()
        done = await go()
        return done._replace(body=done.body[:-1]) if asked.path == "/version" else done

    sandbox.server.around = around
    assert ask(sandbox, "GET", "/clob/time")[::2] == (
        425,
        {"error": "the matching engine is restarting"},
    )
    assert ask(sandbox, "GET", "/clob/ok")[::2] == (200, "OK")
    with pytest.raises(json.JSONDecodeError):
        ask(sandbox, "GET", "/clob/version")
    assert seen == ["clob GET /time", "clob GET /ok", "clob GET /version"]


def test_an_event_becomes_what_a_fault_makes_of_it() -> None:
    line = Line(lambda message: asyncio.sleep(0), lambda: None)
    line.around = lambda line, event: [] if event == b"1" else [event, event]
    line.put(b"1")
    assert line.waiting == 0
    line.put(b"22")
    assert line.waiting == 4


def test_a_mistake_of_the_sandbox_is_not_hidden(sandbox: Sandbox) -> None:
    """What nobody foresaw is raised, so that a test sees it."""
    room = Room()
    room.add("GET", "/", lambda _: 1 // 0)
    sandbox.server.rooms["broken"] = room
    with pytest.raises(ZeroDivisionError):
        ask(sandbox, "GET", "/broken/")


def test_turned_carries_its_fields() -> None:
    turned = Turned(503, "post-only mode", code="post_only_mode", retry_after_seconds=79)
    assert turned.reply().body == encode(
        {"error": "post-only mode", "code": "post_only_mode", "retry_after_seconds": 79}
    )


async def test_a_sandbox_can_be_opened_twice_and_names_a_taken_port() -> None:
    pytest.importorskip("uvicorn", reason="uvicorn is not installed")
    from polyframe.errors import UserError

    sandbox = Sandbox(stall()[0], paused=True)
    assert sandbox.port == 0
    for _ in range(2):
        async with sandbox:
            port = sandbox.port
            assert port > 0
            with pytest.raises(UserError, match=f"port {port} cannot be used"):
                await Sandbox(stall()[0], port=port).__aenter__()
        assert sandbox.port == 0


async def test_an_error_in_the_venues_time_is_raised_to_whoever_waits() -> None:
    pytest.importorskip("uvicorn", reason="uvicorn is not installed")
    venue, _ = stall()
    sandbox = Sandbox(venue)
    venue.schedule(venue.now + 1, lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        async with sandbox:
            await sandbox.forever()
