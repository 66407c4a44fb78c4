"""The debug room: audit, clock, truth, money, the oracle by hand, and its refusals."""

from __future__ import annotations

import json
from typing import Any

import pytest

from polyframe.domain.units import HOUR, MONEY_ONE, SECOND
from polyframe.errors import UserError
from polyframe.exchanges.polymarket.curve import address_of
from polyframe.sandbox.door import Asked, Reply, Turned, encode
from polyframe.sandbox.opening import Playground
from polyframe.sandbox.play import WORDS
from polyframe.sandbox.venue.records import State
from polyframe.sandbox.worlds.catalogue import Subject

NOW = 1_795_291_200 * SECOND
BOB, CEM = "0x" + "b0b0" * 10, "0x" + "cece" * 10


class Ground(Playground):
    """A playground whose debug room is asked without a network."""

    def ask(self, method: str, path: str, body: Any = None) -> Reply:
        raw = b"" if body is None else body if isinstance(body, bytes) else encode(body)
        name, _, query = path.partition("?")
        asked = Asked(method, name, query.encode(), {}, raw)
        room = self.server.rooms["debug"]
        try:
            return Reply(encode(room.find(asked)(asked)))
        except Turned as turned:
            return turned.reply()
        except UserError as error:  # as the server answers it
            return Turned(400, error.message).reply()

    def get(self, path: str) -> Any:
        reply = self.ask("GET", path)
        assert reply.status == 200, reply
        return json.loads(reply.body)

    def post(self, path: str, **body: Any) -> Any:
        reply = self.ask("POST", path, body)
        assert reply.status == 200, reply
        return json.loads(reply.body)

    def refused(self, path: str, status: int = 400, **body: Any) -> str:
        reply = self.ask("POST", path, body)
        assert reply.status == status, reply
        return str(json.loads(reply.body)["error"])


@pytest.fixture(scope="module")
def ground() -> Ground:
    return Ground(seed=3, markets=24, days=2, now=NOW, paused=True)


def alone(ground: Ground) -> Subject:
    """An open market that is no part of a neg-risk event or series."""
    return next(
        s
        for s in ground.town.world.open_subjects()
        if not s.occasion.neg_risk and s.occasion.chain is None and s.winner >= 0
    )


def test_the_room_says_what_it_has(ground: Ground) -> None:
    routes = {(row["method"], row["path"]) for row in ground.get("/")["routes"]}
    assert {("GET", "/debug/audit"), ("POST", "/debug/clock"), ("GET", "/debug/truth")} <= routes
    assert ("POST", "/debug/faults") in routes
    assert ground.get("") == ground.get("/")
    assert set(ground.get("")) == {"routes"}


def test_audits_are_exact(ground: Ground) -> None:
    quick, full = ground.get("/audit"), ground.get("/audit?full=true")
    assert quick["exact"] is full["exact"] is True
    assert full["faults"] == []
    parts = [float(full[name]) for name in ("wallets", "collateral", "fees")]
    assert sum(parts) - float(full["credit"]) == pytest.approx(float(full["deposited"]))


def test_time_stands_until_it_is_told_to_pass(ground: Ground) -> None:
    before = ground.get("/clock")
    assert before["paused"] is True
    after = ground.post("/clock/step", seconds=90.5)
    assert after["now_ns"] - before["now_ns"] == 90_500_000_000
    assert ground.post("/clock", speed=50)["speed"] == 50
    assert ground.post("/clock", paused=False)["paused"] is False
    assert ground.post("/clock", paused=True, speed=1)["paused"] is True


def test_a_long_step_is_taken_with_long_strides(ground: Ground) -> None:
    before = sum(market.volume for market in ground.venue.markets.values())
    ground.post("/clock/step", seconds=6 * 3600)
    assert sum(market.volume for market in ground.venue.markets.values()) > before
    assert ground.get("/audit?full=true")["exact"]


def test_steps_of_a_clock_that_stands_still_are_the_time_in_which_heartbeats_are_missed(
    ground: Ground,
) -> None:
    subject, owner = alone(ground), ground.venue.wallet(CEM).owner
    ground.post("/fund", address=CEM, amount=10)
    ground.venue.submit(CEM, subject.tokens[0], "BUY", subject.market.tick, 5 * MONEY_ONE)
    beat = ground.venue.heartbeat(owner, "")
    for _ in range(3):
        ground.post("/clock/step", seconds=9)
        beat = ground.venue.heartbeat(owner, beat.heartbeat_id)
        assert not beat.error
    assert ground.venue.orders_of(owner)
    ground.post("/clock/step", seconds=15)
    assert not ground.venue.orders_of(owner)


def test_the_truth_tells_how_markets_end_and_who_knows_it(ground: Ground) -> None:
    truth = ground.get("/truth")
    by_id = {row["condition_id"]: row for row in truth["markets"]}
    for subject in ground.town.world.catalogue.subjects.values():
        if subject.market is None:
            continue
        row = by_id[subject.condition_id]
        if subject.winner >= 0:
            assert row["will_be"] == subject.ask.outcomes[subject.winner]
        else:
            assert row["will_be"] == "50-50"
    people = truth["people"]
    assert [row["skill"] for row in people] == sorted((r["skill"] for r in people), reverse=True)
    assert {row["kind"] for row in people} == {"noise", "maker", "informed", "whale"}
    pretender = next(r for r in people if r["kind"] == "whale" and r["skill"] == 0)
    assert pretender["confidence"] > 0
    spent = [row for row in people if float(row["spent"])]
    assert spent
    for row in spent:
        wanted = float(row["gain"]) / float(row["spent"])
        assert row["edge"] == pytest.approx(wanted, abs=1e-3)


def test_play_keys_say_what_they_are(ground: Ground) -> None:
    keys = ground.get("/keys")
    assert [key["name"] for key in keys] == ["alice", "bob", "carol", "dave"]
    for key in keys:
        secret = bytes.fromhex(key["private_key"][2:])
        assert len(secret) == 32
        assert secret.startswith(WORDS)
        assert address_of(secret) == key["wallets"]["eoa"]
        for address in key["wallets"].values():
            assert ground.venue.balance(address).balance >= 10_000 * MONEY_ONE
    other = Ground(seed=4, markets=2, days=1, now=NOW, paused=True)
    assert {k["private_key"] for k in other.get("/keys")} & {
        k["private_key"] for k in keys
    } == set()


def test_money_comes_from_nowhere_and_goes_there(ground: Ground) -> None:
    assert ground.post("/fund", address=BOB, amount="100.25")["balance"] == "100.25"
    assert ground.post("/fund", address=BOB, amount=5)["balance"] == "105.25"
    assert ground.post("/withdraw", address=BOB, amount=105)["balance"] == "0.25"
    assert "insufficient" in ground.refused("/withdraw", address=BOB, amount=105)
    assert ground.get("/audit?full=true")["exact"]


def test_pairs_are_split_merged_and_redeemed(ground: Ground) -> None:
    subject = alone(ground)
    ground.post("/fund", address=BOB, amount=50)
    ids = {"address": BOB, "condition_id": subject.condition_id}
    told = ground.post("/split", **ids, size=40)
    assert set(told["shares"].values()) == {"40"}
    ids_by_token = {"address": BOB, "condition_id": subject.tokens[1]}
    assert ground.post("/merge", **ids_by_token, size="10")["shares"] == {"Yes": "30", "No": "30"}
    assert "not resolved" in ground.refused("/redeem", **ids)
    said = ground.post("/resolve", condition_id=subject.ask.slug, outcome="no")
    assert (said["state"], said["outcome"]) == ("resolved", "No")
    assert ground.post("/redeem", **ids)["paid"] == "30"
    assert ground.get("/audit?full=true")["exact"]
    # Whoever held something of it redeems that, by and by.
    ground.post("/clock/step", seconds=30 * 3600)
    redeemed = [
        person
        for person in ground.town.people.everybody
        for act in ground.venue.history.acts(person.address, kinds=["REDEEM"], limit=1_000)
        if act.condition_id == subject.condition_id
    ]
    assert redeemed


def test_an_answer_is_proposed_disputed_and_given_by_hand(ground: Ground) -> None:
    subject = alone(ground)
    cid = subject.condition_id
    assert ground.post("/propose", condition_id=cid, outcome=1)["state"] == "proposed"
    assert ground.post("/dispute", condition_id=cid)["state"] == "disputed"
    assert "cannot become" in ground.refused("/dispute", condition_id=cid)
    assert ground.post("/resolve", condition_id=cid, outcome="50-50")["outcome"] == "50-50"
    assert "cannot become" in ground.refused("/resolve", condition_id=cid, outcome=0)


def test_the_oracle_leaves_alone_what_was_answered_by_hand(ground: Ground) -> None:
    subject = alone(ground)
    wrong = 1 - subject.winner
    ground.post("/resolve", condition_id=subject.condition_id, outcome=wrong)
    ground.venue.keep_pace(100_000.0)
    end = subject.occasion.plot.closes + 24 * HOUR
    ground.venue.advance(max(ground.venue.now, min(end, ground.venue.now + 3 * 24 * HOUR)))
    assert ground.venue.markets[subject.condition_id].winner == wrong


def test_ticks_change_and_markets_pause(ground: Ground) -> None:
    subject = alone(ground)
    cid = subject.condition_id
    assert ground.post("/tick", condition_id=cid, tick="0.001")["tick"] == "0.001"
    assert ground.post("/tick", condition_id=cid, tick=0.01)["tick"] == "0.01"
    assert "no such tick" in ground.refused("/tick", condition_id=cid, tick=2)
    assert "tick of 0.03" in ground.refused("/tick", condition_id=cid, tick="0.03")
    assert ground.post("/pause", condition_id=cid)["state"] == "paused"
    assert ground.post("/open", condition_id=cid)["state"] == "open"


def test_wallets_are_approved_and_banned(ground: Ground) -> None:
    ground.post("/approve", address=BOB, amount=0, shares=False)
    wallet = ground.venue.wallet(BOB)
    assert (wallet.allowance, wallet.approved) == (0, False)
    ground.post("/approve", address=BOB)
    assert wallet.allowance == 2**256 - 1
    assert wallet.approved
    told = ground.post("/standing", address=BOB, closed_only=True)
    assert told == {"address": BOB, "banned": False, "closed_only": True}
    ground.post("/standing", address=BOB)
    assert not wallet.closed_only


def test_no_shares_of_an_event_are_converted(ground: Ground) -> None:
    occasion = next(
        o
        for o in ground.town.world.catalogue.occasions.values()
        if o.neg_risk and o.plot.complete and all(s.trading for s in o.subjects)
    )
    ground.post("/fund", address=BOB, amount=100)
    ids = [subject.condition_id for subject in occasion.subjects[:2]]
    for cid in ids:
        ground.post("/split", address=BOB, condition_id=cid, size=10)
    before = ground.venue.balance(BOB).balance
    ground.post(
        "/convert",
        address=BOB,
        neg_risk_market_id=occasion.neg_risk_id,
        condition_ids=ids,
        size=10,
    )
    assert ground.venue.balance(BOB).balance - before == 10 * MONEY_ONE
    for subject in occasion.subjects[2:]:
        assert ground.venue.balance(BOB, subject.tokens[0]).balance == 10 * MONEY_ONE
    assert ground.get("/audit?full=true")["exact"]


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("/fund", {"address": "bob", "amount": 1}, "invalid address"),
        ("/fund", {"address": BOB, "amount": -1}, "the amount must be"),
        ("/fund", {"address": BOB, "amount": 0}, "the amount must be"),
        ("/fund", {"address": BOB, "amount": "1.0000001"}, "6 decimals"),
        ("/fund", {"address": BOB, "amount": "much"}, "is no number"),
        ("/fund", {"address": BOB, "amount": "Infinity"}, "is no number"),
        ("/fund", {"address": BOB, "amount": 1e13}, "the amount must be"),
        ("/fund", {"address": BOB, "sum": 1}, "invalid body"),
        ("/fund", {}, "invalid body"),
        ("/clock", {"speed": 0}, "speed 0.0 is out of range"),
        ("/clock", {"speed": "fast"}, "invalid body"),
        ("/clock/step", {"seconds": -1}, "seconds must be between"),
        ("/clock/step", {"seconds": 1e9}, "seconds must be between"),
        ("/resolve", {"condition_id": "0x12", "outcome": 0}, "market not found"),
        ("/split", {"address": BOB, "condition_id": "x", "size": 1}, "market not found"),
    ],
)
def test_what_cannot_be_done_is_said(
    ground: Ground, path: str, body: dict[str, Any], text: str
) -> None:
    reply = ground.ask("POST", path, body)
    assert reply.status in {400, 404}
    assert text in json.loads(reply.body)["error"]


def test_bodies_that_are_no_json_are_refused(ground: Ground) -> None:
    for body in (b"{", b"[]", b"\xff", b'"x"', b"[" * 5000):
        assert ground.ask("POST", "/fund", body).status == 400


def test_an_outcome_that_a_market_has_not_is_refused(ground: Ground) -> None:
    subject = alone(ground)
    said = ground.refused("/resolve", condition_id=subject.condition_id, outcome="Maybe")
    assert "Yes or No" in said


def test_the_world_is_counted(ground: Ground) -> None:
    told = ground.get("/world")
    assert (told["seed"], told["source"]) == (3, "sample")
    assert sum(told["markets"].values()) == len(ground.venue.markets)
    assert told["markets"]["open"] == sum(
        market.state is State.OPEN for market in ground.venue.markets.values()
    )
