"""``polyframe sandbox`` as users type it: its page, its JSON, its refusals, its end."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from polyframe.cli.main import main
from polyframe.errors import ConfigError, UserError
from polyframe.sandbox import opening
from polyframe.sandbox.pace import FASTEST, SLOWEST, checked

os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def no_world(monkeypatch: pytest.MonkeyPatch) -> None:
    """Making a world fails the test."""

    def made(*_: object, **__: object) -> None:
        raise AssertionError("a world was made in vain")

    monkeypatch.setattr(opening, "town", made)


def run(*words: str, **more: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "polyframe.cli.main", "sandbox", *words],
        capture_output=True,
        text=True,
        timeout=60,
        **more,
    )


async def test_the_verb_prints_json_and_stops_by_itself() -> None:
    words = ("--port", "0", "--json", "--markets", "6", "--seed", "5", "--for", "0.5")
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "polyframe.cli.main", "sandbox", *words,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    text, told = "", None
    async with asyncio.timeout(60):
        while told is None:  # it is there while the sandbox runs
            assert started.stdout is not None
            text += (await started.stdout.readline()).decode()
            with contextlib.suppress(ValueError):
                told = json.loads(text)
    assert started.returncode is None
    _, errors = await asyncio.wait_for(started.communicate(), 30)
    assert started.returncode == 0, errors
    assert told["urls"]["clob"].startswith("http://127.0.0.1:")
    assert told["chain_id"] == 80_002
    assert told["keys"][0]["private_key"].startswith("0x706f6c796672616d65")
    assert b"every share is accounted for" in errors


async def test_the_verb_shows_a_page_until_it_is_interrupted() -> None:
    words = [sys.executable, "-m", "polyframe.cli.main", "sandbox"]
    started = await asyncio.create_subprocess_exec(
        *words, "--port", "0", "--markets", "6", "--speed", "50",
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=os.environ | {"COLUMNS": "60", "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    page = ""
    async with asyncio.timeout(60):
        while "Stop with Ctrl+C" not in page:
            assert started.stdout is not None
            line = await started.stdout.readline()
            assert line, page
            page += line.decode()
    # Nothing that somebody may copy is cut, however narrow the terminal.
    base = next(word for word in page.split() if word.endswith("/gamma")).removesuffix("/gamma")
    for part in ("clob", "data", "relayer", "debug"):
        assert f"{base}/{part}" in page
    assert "chain_id=80002" in page
    assert "AsyncSecureClient.create" in page
    assert "nobody's secret" in page
    assert "…" not in page
    async with httpx.AsyncClient() as http:
        keys = (await http.get(f"{base}/debug/keys")).json()
        assert all(key["private_key"] in page for key in keys)
        assert (await http.get(f"{base}/debug/clock")).json()["speed"] == 50
        market = (await http.get(f"{base}/gamma/markets/keyset", params={"limit": 1})).json()
        assert market["markets"]
    started.send_signal(signal.SIGINT)
    _, errors = await asyncio.wait_for(started.communicate(), 20)
    assert started.returncode == 130
    assert "every share is accounted for" in errors.decode()
    assert "Traceback" not in errors.decode()


def test_it_ends_when_it_is_terminated_in_the_middle_of_its_work() -> None:
    words = ("--port", "0", "--markets", "8", "--speed", "50", "--json")
    with subprocess.Popen(
        [sys.executable, "-m", "polyframe.cli.main", "sandbox", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as started:  # fmt: skip
        ended = threading.Event()
        try:
            url = told_by(started)["urls"]["debug"] + "/truth"

            def ask() -> None:
                with httpx.Client() as http, contextlib.suppress(httpx.HTTPError):
                    while not ended.is_set():
                        http.get(url)

            asking = [threading.Thread(target=ask) for _ in range(4)]
            for each in asking:
                each.start()
            time.sleep(0.3)
            started.terminate()
            code = started.wait(20)
        finally:
            ended.set()
            started.kill()
        for each in asking:
            each.join()
        assert started.stderr is not None
        errors = started.stderr.read()
    assert code == 143, errors
    assert "every share is accounted for" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize(
    ("words", "message", "code"),
    [
        (["--port", "70000"], "port 70000 is out of range", 2),
        (["--markets", "0"], "markets 0 is out of range", 2),
        (["--speed", "0"], "speed 0.0 is out of range", 2),
        (["--speed", "1001"], "0.001 to 1000 seconds of the venue for a second outside", 2),
        (["--seed", "-1"], "seed -1 is out of range", 2),
        (["--data", "nowhere"], "nowhere holds no markets", 2),
        (["--faults", "nothing.json"], "there are no faults", 2),
        (["--start", "soon"], "--start 'soon' is no moment", 2),
        (["--start", "2026-13-01"], "2026-11-01T14:30, or seconds since 1970", 2),
        (["--start", "1e9"], "polyframe sandbox --start 2026-11-01", 2),
        (["--start", "1999-12-31"], "from 2000-01-01 to 2100-01-01", 2),
        (["--start", "99999999999"], "from 2000-01-01 to 2100-01-01", 2),
    ],
)
async def test_what_the_verb_cannot_do_is_said(
    words: list[str],
    message: str,
    code: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(tmp_path)
    port = [] if "--port" in words else ["--port", "0"]
    assert main(["sandbox", *words, *port, "--for", "0"]) == code
    errors = " ".join(capsys.readouterr().err.split())
    assert message in errors
    assert "Audit" not in errors


@pytest.mark.usefixtures("no_world")
@pytest.mark.parametrize("words", [["--speed", "1001"], ["--speed", "nan"], ["--faults", "none"]])
def test_no_world_is_made_for_an_option_that_is_wrong(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sandbox", "--port", "0", *words]) == 2
    assert "Expected:" in capsys.readouterr().err


@pytest.mark.usefixtures("no_world")
def test_a_port_that_is_taken_is_named_before_a_world_is_made(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["sandbox", "--port", str(port)]) == 2
    errors = capsys.readouterr().err
    assert f"port {port} cannot be used" in errors
    assert "--port 0" in errors
    assert "Audit" not in errors


def test_a_port_is_nobody_elses_from_the_moment_it_is_taken() -> None:
    from polyframe.sandbox.wires import bound

    with bound(0) as place, pytest.raises(UserError, match="cannot be used"):
        bound(place.getsockname()[1])


def test_what_it_keeps_from_being_collected_is_let_go_when_it_ends(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["sandbox", "--port", "0", "--markets", "2", "--for", "0", "--json"]) == 0
    assert gc.get_freeze_count() == 0
    assert gc.isenabled()
    assert "every share is accounted for" in capsys.readouterr().err


def test_one_range_of_speeds_is_said_everywhere() -> None:
    range_ = f"{SLOWEST:g} to {FASTEST:g}"
    with pytest.raises(ConfigError) as refused:
        checked(FASTEST * 1.01)
    docs = [(ROOT / "docs" / name).read_text() for name in ("cli.md", "sandbox.md")]
    for text in (str(refused.value.expected), run("--help").stdout, *docs):
        assert range_ in " ".join(text.replace("│", " ").split())
    assert checked(SLOWEST) == SLOWEST
    assert checked(FASTEST) == FASTEST


# ---- when it begins -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "now"),
    [
        ("2026-11-01", "2026-11-01T00:00:00Z"),
        ("20261101", "2026-11-01T00:00:00Z"),
        ("2026-11-01T14:30+02:00", "2026-11-01T12:30:00Z"),
        ("1793491200", "2026-11-01T00:00:00Z"),
        ("2000-01-01", "2000-01-01T00:00:00Z"),
        ("2100-01-01", "2100-01-01T00:00:00Z"),
    ],
)
def test_its_present_begins_when_it_is_told_to(
    text: str, now: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--start", text, "--paused", "--markets", "2", "--for", "0", "--json", "--port", "0"]
    assert main(["sandbox", *words]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["now"] == now
    assert "every share is accounted for" in said.err


def test_equal_seeds_and_starts_give_equal_worlds_whatever_the_process() -> None:
    """Two processes that hash texts differently, and are stopped at different times."""
    words = ("--port", "0", "--seed", "7", "--start", "2026-11-01", "--paused", "--markets", "8")
    pages = []
    for hashing in ("1", "2"):
        with subprocess.Popen(
            [sys.executable, "-m", "polyframe.cli.main", "sandbox", *words, "--json"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=os.environ | {"PYTHONHASHSEED": hashing},
        ) as started:  # fmt: skip
            try:
                pages.append(world_of(started))
            finally:
                started.terminate()
    first, second = pages
    assert first == second
    assert sum(len(book["bids"]) + len(book["asks"]) for book in first["books"]) > 20


def told_by(started: subprocess.Popen[str]) -> Any:
    """The JSON that it prints when it begins."""
    assert started.stdout is not None
    text = ""
    while line := started.stdout.readline():
        text += line
        with contextlib.suppress(ValueError):
            return json.loads(text)
    raise AssertionError(f"it ended: {text}")


def world_of(started: subprocess.Popen[str]) -> dict[str, Any]:
    """Keys, markets, books, trades and wallets of a sandbox that has just begun."""
    told = told_by(started)
    urls = told.pop("urls")
    with httpx.Client(timeout=30) as http:
        markets = http.get(urls["gamma"] + "/markets/keyset", params={"limit": 100}).json()
        tokens = [
            {"token_id": token}
            for market in markets["markets"]
            for token in json.loads(market["clobTokenIds"])
        ]
        return {
            "told": told,
            "markets": markets,
            "books": http.post(urls["clob"] + "/books", json=tokens).json(),
            "trades": http.get(urls["data"] + "/v2/trades", params={"limit": 500}).json(),
            "truth": http.get(urls["debug"] + "/truth").json(),
        }
