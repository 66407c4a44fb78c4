"""The people of the sandbox: who they are, what they have, and what they really know."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from polyframe.domain.units import MONEY_ONE
from polyframe.sandbox.worlds.naming import address_of, pseudonym_of, stream

NOISE, MAKER, INFORMED, WHALE = "noise", "maker", "informed", "whale"

NOISES: Final = 90
MAKERS: Final = 6
INFORMED_SKILLS: Final = (0.02, 0.05, 0.05, 0.08, 0.1, 0.15)
WHALE_SKILLS: Final = (0.0, 0.0, 0.0, 0.05, 0.1, 0.2, 0.3, 0.5)
BELIEVED: Final = 0.25
"""what those who know nothing believe to know"""
NAMED: Final = 0.6
"""part of all that has given itself a name"""


@dataclass(slots=True, eq=False)
class Person:
    """Somebody with a wallet.

    ``skill`` is the part of what is still uncertain, p(1 - p), that a private signal explains;
    ``confidence`` the part that its owner believes it to explain. Where there is confidence without
    skill the signal is noise, which its owner does not know.
    """

    kind: str
    address: str
    name: str
    skill: float = 0.0
    confidence: float = 0.0
    money: int = 0
    """what it begins with"""
    stake: float = 0.0
    """pUSD of a usual order"""
    verified: bool = False

    @property
    def pseudonym(self) -> str:
        """What the venue calls it."""
        return pseudonym_of(self.address)


@dataclass(slots=True)
class People:
    """All of them, by address and by kind."""

    everybody: list[Person] = field(default_factory=list)
    by_address: dict[str, Person] = field(default_factory=dict)

    def add(self, person: Person) -> None:
        """Somebody new."""
        self.everybody.append(person)
        self.by_address[person.address] = person

    def of(self, kind: str) -> list[Person]:
        """Everybody of a kind."""
        return [person for person in self.everybody if person.kind == kind]


def people(
    seed: int,
    *,
    noises: int = NOISES,
    makers: int = MAKERS,
    informed: tuple[float, ...] = INFORMED_SKILLS,
    whales: tuple[float, ...] = WHALE_SKILLS,
) -> People:
    """The people of a seed."""
    found = People()
    rng = stream(seed, "people")
    counts = {NOISE: noises, MAKER: makers, INFORMED: len(informed), WHALE: len(whales)}
    skills = {INFORMED: informed, WHALE: whales}
    for kind, count in counts.items():
        for number in range(count):
            address = address_of(seed, "person", kind, number)
            skill = skills[kind][number] if kind in skills else 0.0
            named = rng.random() < NAMED
            size = float(rng.lognormal(0.0, 0.5))
            found.add(
                Person(
                    kind,
                    address,
                    pseudonym_of(address).replace("-", "") if named else "",
                    skill,
                    (skill or BELIEVED) if kind in skills else 0.0,
                    int(_MONEY[kind] * size) * MONEY_ONE,
                    _STAKE[kind] * size,
                    verified=kind == WHALE and named,
                )
            )
    return found


_MONEY: Final = {NOISE: 3_000, MAKER: 1_000_000, INFORMED: 40_000, WHALE: 400_000}
_STAKE: Final = {NOISE: 20.0, MAKER: 0.0, INFORMED: 150.0, WHALE: 2_500.0}
