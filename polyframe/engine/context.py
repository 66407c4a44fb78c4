"""What the parts of the engine share during a session."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, Protocol

import msgspec

from polyframe.api.plugin import NoState
from polyframe.api.sizer import Sizer
from polyframe.api.strategy import Strategy
from polyframe.api.subscription import Subscription
from polyframe.api.view import View
from polyframe.domain.effects import Effect
from polyframe.domain.units import Ns
from polyframe.domain.wishes import Wish
from polyframe.engine.books import Books
from polyframe.engine.locks import Locks
from polyframe.engine.risk import RiskDoor
from polyframe.engine.state import State
from polyframe.engine.universe import Universe

SALT_BITS = 53


def salt_of(session: str, number: int) -> int:
    """An order's salt: the same in every replay."""
    return salts_of(session, (number,))[0]


def salts_of(session: str, numbers: Iterable[int]) -> list[int]:
    """The salts of many orders of a session."""
    begun, salts = _begun(session), []
    for number in numbers:
        found = begun.copy()
        found.update(b"%d" % number)
        salts.append(int.from_bytes(found.digest()[:8], "big") >> (64 - SALT_BITS))
    return salts


@lru_cache(maxsize=16)
def _begun(session: str) -> Any:
    """The hash of what all orders of a session have in common."""
    return hashlib.sha256(f"{session}\x1f".encode())


class Calls(Protocol):
    """The one wrapper through which plugin code is called. It raises PluginError, nothing else."""

    def invoke(
        self, owner: str, method: Callable[..., Any], event: object, view: View
    ) -> list[Wish]:
        """Calls a strategy's method and returns its wishes, checked and counted."""

    def call(self, owner: str, method: Callable[..., Any], *args: Any) -> Any:
        """Calls any other plugin method and returns what it answers."""


class Bound:
    """A strategy instance with its ledger, view, sizer and the methods it overrides."""

    __slots__ = (
        "disabled",
        "heard",
        "ledger",
        "methods",
        "name",
        "saved",
        "sizer",
        "stateful",
        "strategy",
        "subscription",
        "view",
    )

    def __init__(
        self, name: str, ledger: int, strategy: Strategy, sizer: Sizer, view: View
    ) -> None:
        self.name = name
        self.ledger = ledger
        self.strategy = strategy
        self.sizer = sizer
        self.view = view
        self.subscription = Subscription()
        self.heard: frozenset[str] | None = None
        """tokens listened to, None for all"""
        self.disabled = False
        self.saved = b""
        self.stateful = type(strategy).State is not NoState
        self.methods: dict[str, Callable[..., Any]] = {
            method: getattr(strategy, method)
            for method in dir(Strategy)
            if method.startswith("on_")
            and getattr(type(strategy), method) is not getattr(Strategy, method)
        }

    def listen(self, subscription: Subscription) -> None:
        """Takes a subscription."""
        self.subscription = subscription
        self.heard = frozenset(subscription.tokens) or None

    def hears(self, token: str) -> bool:
        """True when this strategy listens to a token."""
        return self.heard is None or token in self.heard

    def changed_state(self) -> bytes | None:
        """The declared state when it changed since last asked."""
        encoded = msgspec.msgpack.encode(self.strategy.state)
        if encoded == self.saved:
            return None
        self.saved = encoded
        return encoded


class Context:
    """The session's state, time, counters and the effects of the current step."""

    def __init__(self, session: str, state: State, door: RiskDoor) -> None:
        self.session = session
        self.state = state
        self.books: Books = state.books
        self.universe: Universe = state.universe
        self.door = door
        self.locks = Locks(state, door)
        self.now: Ns = 0
        self.step = 0
        self.orders_made = 0
        self.requests_made = 0
        self.out: list[Effect] = []

    def emit(self, effect: Effect) -> None:
        """Adds an effect to the current step."""
        self.out.append(effect)

    def next_order(self) -> tuple[str, int]:
        """A new order's id and salt: the same in every replay."""
        self.orders_made += 1
        id = f"{self.session}-{self.orders_made}"
        return id, salt_of(self.session, self.orders_made)

    def next_request(self) -> str:
        """A new forecast request's id."""
        self.requests_made += 1
        return f"{self.session}-f{self.requests_made}"
