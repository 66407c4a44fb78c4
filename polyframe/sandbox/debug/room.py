"""The room behind ``/debug``.

Bodies are JSON; amounts are decimals as text or as numbers, outcomes an index, a name or "50-50".
"""

from __future__ import annotations

from collections import Counter
from typing import Final

from polyframe.domain.units import SECOND
from polyframe.sandbox.debug.bench import Bench, Route
from polyframe.sandbox.debug.bodies import Clock, Row, Step, body
from polyframe.sandbox.debug.deeds import Deeds
from polyframe.sandbox.door import Asked, Room, Turned
from polyframe.sandbox.venue.history import Deal
from polyframe.sandbox.venue.market import BOTH
from polyframe.sandbox.wire import iso, price_text, size_text

LONGEST_STEP: Final = 60 * 86_400


def debug_room(bench: Bench, *more: Route) -> Room:
    """The room; ``more`` are routes of others."""
    room = Room()
    routes = [*Looks(bench).routes(), *Deeds(bench).routes(), *more]
    about = [{"method": m, "path": f"/debug{path}", "about": text} for m, path, _, text in routes]
    for method, path, call, _ in routes:
        room.add(method, path, call)
    for path in ("", "/"):
        room.add("GET", path, lambda _: {"routes": about})
    return room


class Looks:
    """What somebody may look at, and the clock."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._venue = bench.venue

    def routes(self) -> list[Route]:
        """Its routes."""
        return [
            ("GET", "/audit", self._audit, "is all money accounted for? full=true counts again"),
            ("GET", "/clock", self._clock, "the venue's time, its speed, whether it is paused"),
            ("POST", "/clock", self._set_clock, '{"speed": 100}, {"paused": true}'),
            ("POST", "/clock/step", self._step, '{"seconds": 3600}'),
            ("GET", "/world", self._world, "seed, markets by state, people by kind"),
            ("GET", "/truth", self._truth, "how markets will end; who knows it, and gained by it"),
            ("GET", "/keys", self._keys, "the play keys"),
        ]

    # ---- what there is ---------------------------------------------------------------------------

    def _audit(self, asked: Asked) -> Row:
        audit = self._venue.audit(full=asked.flag("full") is True)
        money = ("deposited", "wallets", "collateral", "fees", "credit", "reserved", "matched")
        return {
            "exact": audit.exact,
            "faults": list(audit.faults),
            **{name: size_text(getattr(audit, name)) for name in money},
            "markets": audit.markets,
            "accounts": audit.accounts,
        }

    def _world(self, asked: Asked) -> Row:
        world, people = self._bench.world, self._bench.people
        return {
            "seed": world.seed,
            "source": world.source,
            "now": iso(self._venue.now),
            "markets": Counter(market.state for market in self._venue.markets.values()),
            "events": len(world.catalogue.occasions),
            "people": Counter(person.kind for person in people.everybody),
            "wallets": len(self._venue.accounts.wallets),
        }

    def _keys(self, asked: Asked) -> list[Row]:
        return [
            {
                "name": key.name,
                "note": "play money, derived from the sandbox's seed",
                "private_key": key.private_key,
                "wallets": key.addresses(),
                "api_key": key.api.key,
                "secret": key.api.secret,
                "passphrase": key.api.passphrase,
            }
            for key in self._bench.play
        ]

    # ---- truth -----------------------------------------------------------------------------------

    def _truth(self, asked: Asked) -> Row:
        return {"markets": self._markets(), "people": self._people()}

    def _markets(self) -> list[Row]:
        world = self._bench.world
        return [
            {
                "condition_id": subject.condition_id,
                "slug": subject.ask.slug,
                "state": subject.market.state,
                "will_be": "50-50"
                if subject.winner == BOTH
                else subject.ask.outcomes[subject.winner],
                "ends": iso(subject.occasion.plot.closes),
                "fair": f"{world.fair(subject):.4f}",
                "price": price_text(self._venue.history.current(subject.tokens[0])),
            }
            for subject in world.catalogue.subjects.values()
            if subject.market is not None
        ]

    def _people(self) -> list[Row]:
        """Who knows how much, and what came of it: ``edge`` is the gain for each pUSD spent."""
        found: list[Row] = []
        for person in self._bench.people.everybody:
            rows = self._venue.history.rows(person.address)
            held = self._venue.history.positions(wallet=person.address)
            spent = sum(position.spent + position.fees for position in held)
            gain = self._venue.history.profit(person.address)
            found.append(
                {
                    "address": person.address,
                    "kind": person.kind,
                    "name": person.name or person.pseudonym,
                    "skill": person.skill,
                    "confidence": person.confidence,
                    "trades": sum(isinstance(row, Deal) for row in rows),
                    "spent": size_text(spent),
                    "gain": size_text(gain),
                    "edge": round(gain / spent, 4) if spent else 0.0,
                }
            )
        return sorted(found, key=lambda row: (-row["skill"], -row["edge"], row["address"]))

    # ---- time ------------------------------------------------------------------------------------

    def _clock(self, asked: Asked) -> Row:
        pace = self._bench.pace
        return {
            "now": iso(self._venue.now),
            "now_ns": self._venue.now,
            "speed": pace.speed,
            "paused": pace.paused,
            "given_up_seconds": round(pace.given_up / SECOND, 3),
        }

    def _set_clock(self, asked: Asked) -> Row:
        wanted = body(asked, Clock)
        pace = self._bench.pace
        if wanted.speed is not None:
            pace.speed = wanted.speed
        if wanted.paused is True and not pace.paused:
            pace.pause()
        elif wanted.paused is False and pace.paused:
            pace.resume()
        return self._clock(asked)

    def _step(self, asked: Asked) -> Row:
        seconds = body(asked, Step).seconds
        if not 0 <= seconds <= LONGEST_STEP:
            raise Turned(400, f"seconds must be between 0 and {LONGEST_STEP}")
        self._bench.step(int(seconds * SECOND))
        return self._clock(asked)
