"""Plans of faults: what can be said, and what is said about what cannot."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandbox_stall import stall, wallets

from polyframe.errors import ConfigError, UserError
from polyframe.sandbox.door import Asked
from polyframe.sandbox.faults import load, read
from polyframe.sandbox.faults.plan import KINDS
from polyframe.sandbox.faults.presets import PRESETS
from polyframe.sandbox.faults.stage import Run, seed_of
from polyframe.sandbox.faults.target import Feed, Route
from polyframe.sandbox.running import Sandbox
from polyframe.sandbox.sockets.line import Whole


@pytest.mark.parametrize("kind", KINDS)
def test_every_fault_needs_no_more_than_its_name(kind: str) -> None:
    (fault,) = read({"fault": kind}).faults
    assert fault.fault == kind
    assert (KINDS[kind].__doc__ or "").strip()
    (again,) = read(json.loads(json.dumps([fault.model_dump(mode="json")]))).faults
    assert again == fault


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_a_plan(name: str) -> None:
    plan = load(name)
    assert plan.faults or name == "calm"


def test_the_preset_with_everything_has_every_fault() -> None:
    assert {fault.fault for fault in load("everything").faults} == set(KINDS)


def test_a_file_says_the_same_as_what_is_in_it(tmp_path: Path) -> None:
    said = {"seed": 7, "include": ["rough"], "faults": [{"fault": "latency", "ms": 5, "start": 2}]}
    file = tmp_path / "faults.json"
    file.write_text(json.dumps(said))
    plan = load(file)
    assert plan == read(said)
    assert plan.seed == 7
    assert plan.faults[:-1] == load("rough").faults
    assert plan.faults[-1] == read({"fault": "latency", "ms": 5, "start": 2}).faults[0]


def test_one_name_stands_for_a_list_of_one() -> None:
    one, many = (
        read({"fault": "latency", "target": {"prefix": prefix, "method": method}}).faults[0]
        for prefix, method in (("clob", "post"), (["clob"], ["POST"]))
    )
    assert one == many


WRONG: list[tuple[Any, str, str]] = [
    ("calm", "the plan is 'calm'", "an object with a list of faults"),
    (5, "the plan is 5", "an object"),
    ({"faults": {}}, "the plan: faults is an object", "a list"),
    ({"fault": "latencey"}, "faults[0]: there is no fault 'latencey'", "'latency'?"),
    ({"fault": ["latency"]}, "there is no fault a list of 1", "latency"),
    ([{"ms": 5}], "faults[0] has no fault", "one of latency, "),
    (["latency"], "faults[0] is 'latency'", '{"fault": "latency"}'),
    ({"faults": [], "sed": 1}, "the plan: sed is not known", "'seed'?"),
    ({"seed": -1}, "seed is -1", "greater than or equal to 0"),
    ({"seed": 1.5}, "seed is 1.5", "integer"),
    ({"include": ["ruogh"]}, "there is no preset 'ruogh'", "'rough'?"),
    ({"fault": "latency", "mss": 5}, "faults[0] (latency): mss is not known", "'ms'?"),
    ({"fault": "latency", "probability": 1.5}, "probability is 1.5", "less than or equal to 1"),
    ({"fault": "latency", "probability": -0.1}, "probability is -0.1", "greater than or equal"),
    ({"fault": "latency", "probability": "0.5"}, "probability is '0.5'", "number"),
    ({"fault": "latency", "probability": True}, "probability is true", "number"),
    ({"fault": "latency", "probability": float("nan")}, "probability is nan", ""),
    ({"fault": "latency", "start": -1}, "start is -1", "greater than or equal to 0"),
    ({"fault": "latency", "duration": 0}, "duration is 0", "greater than or equal to 0.001"),
    ({"fault": "latency", "times": 0}, "times is 0", "greater than or equal to 1"),
    ({"fault": "latency", "ms": 700_000}, "ms is 700000", "less than or equal to 600000"),
    ({"fault": "latency", "ms": "200"}, "ms is '200'", "integer"),
    ({"fault": "latency", "every": 5}, "(latency): every needs a duration", ""),
    ({"fault": "latency", "every": 5, "duration": 5}, "it must be over", ""),
    ({"fault": "latency", "name": "a b"}, "name is 'a b'", "pattern"),
    ({"fault": "latency", "name": "kinds"}, "no fault can be called 'kinds'", ""),
    ({"fault": "latency", "when": "never"}, "when is 'never'", "'request' or 'answer'"),
    ({"fault": "latency", "target": "clob"}, "target is 'clob'", "dictionary"),
    ({"fault": "latency", "target": {"perfix": "clob"}}, "target.perfix is not", "'prefix'?"),
    ({"fault": "latency", "target": {"channel": "user"}}, "target.channel is not known", "prefix"),
    ({"fault": "latency", "target": {"prefix": "clobb"}}, "did you mean 'clob'?", ""),
    ({"fault": "latency", "target": {"prefix": 5}}, "target.prefix is 5", "tuple"),
    ({"fault": "latency", "target": {"method": "FETCH"}}, "there is no method 'FETCH'", ""),
    ({"fault": "latency", "target": {"path": "order"}}, "'order' is no path", ""),
    ({"fault": "latency", "target": {"token": "0x1"}}, "'0x1' is no token id", ""),
    ({"fault": "latency", "target": {"wallet": "0x1"}}, "'0x1' is no address", ""),
    ({"fault": "drop_messages", "target": {"event": "books"}}, "did you mean 'book'?", ""),
    ({"fault": "drop_messages", "target": {"channel": "users"}}, "did you mean 'user'?", ""),
    ({"fault": "half_open_socket", "target": {"token": "1"}}, "target.token is not known", "key"),
    ({"fault": "engine_restart", "duration": 5}, "takes no duration: its own fields say so", ""),
    ({"fault": "engine_restart", "every": 200}, "it must be over", ""),
    ({"fault": "lost_subscriptions", "duration": 5}, "it happens at a moment", ""),
    ({"fault": "tick_change", "tick": "0.02"}, "tick is '0.02'", "'0.1', '0.01'"),
    ({"fault": "cancel_only", "target": {"key": "a"}}, "target.key is not known", "nothing"),
    ({"fault": "dispute", "answer": "maybe"}, "answer is 'maybe'", "'yes', 'no' or 'both'"),
    ({"fault": "error_answer", "status": 200}, "status is 200", "greater than or equal to 400"),
]


@pytest.mark.parametrize(("said", "message", "expected"), WRONG, ids=[str(w[0]) for w in WRONG])
def test_what_is_wrong_is_named(said: Any, message: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(said)
    assert message in caught.value.message
    assert expected in (caught.value.expected or "")
    assert "docs/sandbox-faults.md" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("text", "message", "expected"),
    [
        (b"{", "is no JSON", '"faults": [...]'),
        (b"\xff", "is no JSON", ""),
        (b"[" * 100_000, "is no JSON", ""),
        (b'{"faults": [{"fault": "late"}]}', "bad.json: faults[0]: there is no fault 'late'", "?"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, text: bytes, message: str, expected: str) -> None:
    file = tmp_path / "bad.json"
    file.write_bytes(text)
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert message in caught.value.message
    assert expected in (caught.value.expected or "")


def test_neither_a_file_nor_a_preset(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load("restart_night")
    assert caught.value.expected == "'restart-night'?"
    with pytest.raises(ConfigError, match="Is a directory"):
        load(tmp_path)


@given(
    st.recursive(
        st.one_of(
            st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8),
            st.sampled_from(sorted(KINDS)),
        ),
        lambda each: st.one_of(
            st.lists(each, max_size=3),
            st.dictionaries(
                st.sampled_from(
                    ["fault", "faults", "seed", "include", "target", "ms", "token", "probability",
                     "duration", "every", "how", "kinds", "name", "market"]
                ),
                each,
                max_size=4,
            ),
        ),
        max_leaves=8,
    )
)  # fmt: skip
def test_anything_is_a_plan_or_an_error_that_says_why(said: Any) -> None:
    with suppress(ConfigError):
        read(said)


# ---- at a venue ---------------------------------------------------------------------------------


def sandbox() -> Sandbox:
    return Sandbox(stall()[0], paused=True)


@pytest.mark.parametrize(
    ("fault", "message", "expected"),
    [
        ({"fault": "tick_change", "target": {"market": "will-number-9-be-drawn"}},
         "there is no market 'will-number-9-be-drawn'", "will-number-"),
        ({"fault": "drop_messages", "target": {"token": "123"}}, "there is no token '123'", ""),
        ({"fault": "latency", "name": "mine"}, "there is a fault 'mine' already", "another name"),
    ],
)  # fmt: skip
def test_a_plan_that_does_not_fit_installs_nothing(
    fault: dict[str, Any], message: str, expected: str
) -> None:
    here = sandbox()
    here.faults.install(read({"fault": "latency", "name": "mine"}))
    with pytest.raises(
        ConfigError if "market" in message or "token" in message else Exception
    ) as e:
        here.faults.install(read([{"fault": "latency"}, fault]))
    assert message in str(e.value)
    assert expected in str(e.value)
    assert [row["id"] for row in here.faults.rows()] == ["mine"]


def test_not_more_faults_than_can_be_minded() -> None:
    here = sandbox()
    here.faults.install(read([{"fault": "latency"}] * 1000))
    with pytest.raises(UserError, match="1001 faults are too many"):
        here.faults.install(read({"fault": "latency"}))


def test_nobody_stands_in_the_way_when_nothing_is_installed() -> None:
    """What costs something for every message and every request is there only while it is needed."""
    here = sandbox()
    channels = (here.market_channel, here.user_channel)
    assert here.server.around is None
    (id,) = here.faults.install(read({"fault": "drop_messages"}))
    assert here.server.around is None
    assert all(channel.around is not None for channel in channels)
    here.faults.install(read({"fault": "latency"}))
    assert here.server.around is not None
    assert here.faults.remove(id)
    assert not here.faults.remove(id)
    assert all(channel.around is None for channel in channels)
    assert here.faults.clear() == 1
    assert here.server.around is None


# ---- chances and windows ------------------------------------------------------------------------


def test_chances_follow_from_the_seed_and_the_place_alone() -> None:
    def drawn(seed: int, stream: int = 0) -> list[float]:
        run = Run("x", None, seed)  # type: ignore[arg-type]
        return [run.draw(stream) for _ in range(5)]

    assert drawn(3) == drawn(3)
    assert drawn(3) != drawn(4)
    assert drawn(3) != drawn(3, 1)
    assert seed_of(1, 0, "latency") != seed_of(1, 1, "latency")
    assert seed_of(1, 0, "latency") != seed_of(2, 0, "latency")


def windows(plan: Any, seconds: int) -> str:
    """For each second from the installation on, whether the first fault's window is open."""
    here = sandbox()
    here.faults.install(read(plan))
    found = ""
    for _ in range(seconds):
        found += "#" if here.faults.rows()[0]["open"] else "."
        here.step(10**9)
    return found


@pytest.mark.parametrize(
    ("fault", "shown"),
    [
        ({"fault": "latency"}, "##########"),
        ({"fault": "latency", "start": 3}, "...#######"),
        ({"fault": "latency", "start": 2, "duration": 3}, "..###....."),
        ({"fault": "latency", "start": 1, "duration": 2, "every": 4}, ".##..##..#"),
        ({"fault": "cancel_only", "duration": 2, "every": 3, "times": 2}, "##.##....."),
        ({"fault": "cancel_only", "probability": 0, "duration": 2, "every": 3}, ".........."),
        ({"fault": "engine_restart", "start": 1, "down": 2, "post_only": 3}, ".#####...."),
        ({"fault": "lost_subscriptions", "every": 2}, ".........."),
    ],
)
def test_windows_open_and_close(fault: dict[str, Any], shown: str) -> None:
    assert windows(fault, 10) == shown


def test_windows_open_by_chance_and_the_same_ones_again() -> None:
    fault = {"fault": "cancel_only", "probability": 0.5, "duration": 1, "every": 2}
    first = windows({"seed": 1, "faults": [fault]}, 40)
    assert 0 < first.count("#") < 20
    assert windows({"seed": 1, "faults": [fault]}, 40) == first
    assert windows({"seed": 2, "faults": [fault]}, 40) != first


def test_a_window_that_is_taken_away_does_not_come_back() -> None:
    here = sandbox()
    (id,) = here.faults.install(read({"fault": "cancel_only", "duration": 1, "every": 2}))
    here.faults.remove(id)
    here.step(10 * 10**9)
    assert here.faults.rows() == []
    assert here.faults.injections(9) == []


# ---- targets ------------------------------------------------------------------------------------


def holds(here: Sandbox, target: dict[str, Any], prefix: str, asked: Asked) -> bool:
    route = Route.model_validate(target)
    return route.holds(prefix, asked, route.picks(here.desk), here.desk)


def test_requests_are_chosen_by_what_they_have() -> None:
    here = sandbox()
    one, two = list(here.venue.markets.values())[:2]
    ann, bob = wallets(0).owner, wallets(1).owner
    headers = {b"poly_address": ann.encode(), b"poly_api_key": b"k1"}
    body = json.dumps({"order": {"tokenId": one.listing.tokens[1], "maker": ann}}).encode()
    post = Asked("POST", "/order", b"", headers, body)
    book = Asked("GET", "/book", b"token_id=" + one.listing.tokens[0].encode(), {})
    path = Asked("GET", f"/clob-markets/{one.condition_id}", b"", {})
    for target, expected in (
        ({}, (True, True, True)),
        ({"prefix": "gamma"}, (False, False, False)),
        ({"method": "GET"}, (False, True, True)),
        ({"path": "/order*"}, (True, False, False)),
        ({"path": ["/book", "/clob-markets/*"]}, (False, True, True)),
        ({"market": one.condition_id}, (True, True, True)),
        ({"market": one.listing.slug}, (True, True, True)),
        ({"market": two.condition_id}, (False, False, False)),
        ({"token": one.listing.tokens[0]}, (False, True, False)),
        ({"token": [*two.listing.tokens, one.listing.tokens[1]]}, (True, False, False)),
        ({"wallet": ann.lower()}, (True, False, False)),
        ({"wallet": bob}, (False, False, False)),
        ({"key": "k1"}, (True, False, False)),
        ({"key": "k2"}, (False, False, False)),
        ({"key": "k1", "method": "GET"}, (False, False, False)),
    ):
        found = tuple(holds(here, target, "clob", asked) for asked in (post, book, path))
        assert found == expected, target


def split(here: Sandbox, target: dict[str, Any], event: bytes) -> tuple[Any, list[Any]]:
    feed = Feed.model_validate(target)
    hit, rest = feed.split(event, feed.picks(here.desk))
    return (None if hit is None else json.loads(hit)), [json.loads(each) for each in rest]


def test_messages_are_taken_apart_where_tokens_are_chosen() -> None:
    here = sandbox()
    first, other = list(here.venue.markets.values())[:2]
    (one, two), market = first.listing.tokens, first.condition_id
    rows = [{"asset_id": one, "size": "1"}, {"asset_id": two, "size": "1"}]
    change = {"market": market, "price_changes": rows, "event_type": "price_change"}
    told = json.dumps(change, separators=(",", ":")).encode()
    assert split(here, {}, told) == (change, [])
    assert split(here, {"event": "trade"}, told) == (None, [change])
    assert split(here, {"market": market}, told) == (change, [])
    assert split(here, {"market": other.condition_id}, told) == (None, [change])
    assert split(here, {"token": [one, two]}, told) == (change, [])
    assert split(here, {"token": one}, told) == (
        {**change, "price_changes": rows[:1]},
        [{**change, "price_changes": rows[1:]}],
    )
    books = [{"asset_id": token, "event_type": "book"} for token in (one, two, "7")]
    dump = Whole(json.dumps(books, separators=(",", ":")).encode())
    assert split(here, {"token": two}, dump) == ([books[1]], [[books[0], books[2]]])
    assert split(here, {"token": other.listing.tokens[0]}, dump) == (None, [books])
