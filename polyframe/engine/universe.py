"""The markets, tokens, groups and ledgers of a session, by index."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from polyframe.domain.market import Group, GroupKind, Market
from polyframe.errors import DataError
from polyframe.kernels import worst_nb

KIND_CODE = {
    GroupKind.INDEPENDENT: worst_nb.INDEPENDENT,
    GroupKind.EXCLUSIVE: worst_nb.EXCLUSIVE,
    GroupKind.LADDER: worst_nb.LADDER,
}


class Universe:
    """Maps ids to array indices. A token's index is its market's offset plus its outcome."""

    def __init__(self, markets: Sequence[Market], groups: Sequence[Group] = ()) -> None:
        self.markets: list[Market] = []
        self.market_index: dict[str, int] = {}
        self.token_index: dict[str, int] = {}
        self.token_market: list[int] = []
        self.token_outcome: list[int] = []
        self.offset: list[int] = []
        self.group_of: list[str] = []
        self.event_of: list[int] = []
        """index of each market's event, in the order of ``groups``"""
        self.event_index: dict[str, int] = {}
        self.category_of: list[int] = []
        self.categories: dict[str, int] = {}
        self.groups: dict[str, Group] = {}
        self._members: dict[str, np.ndarray[tuple[int], np.dtype[np.int64]]] = {}
        for market in markets:
            self.add(market)
        for group in groups:
            self.add_group(group)

    def add(self, market: Market) -> int:
        """Registers a market and returns its index.

        Raises:
            DataError: its id or one of its tokens is known already.
        """
        if market.id in self.market_index:
            raise DataError(f"market {market.id} is listed twice")
        index = len(self.markets)
        self.offset.append(len(self.token_market))
        for outcome, token in enumerate(market.tokens):
            if token.id in self.token_index:
                other = self.markets[self.token_market[self.token_index[token.id]]]
                raise DataError(f"token {token.id} is in market {other.id} and in {market.id}")
            self.token_index[token.id] = len(self.token_market)
            self.token_market.append(index)
            self.token_outcome.append(outcome)
        self.markets.append(market)
        self.market_index[market.id] = index
        # A market without an event is an event of its own.
        name = market.group or market.id
        self.group_of.append(name)
        group = self.groups.get(name)
        if group is None:
            self.groups[name] = Group(name, (market.id,))
        elif market.id not in group.markets:
            self.groups[name] = Group(name, (*group.markets, market.id), group.kind)
        self._members.pop(name, None)
        self.event_of.append(self.event_index.setdefault(name, len(self.event_index)))
        category = market.category.lower()
        self.category_of.append(self.categories.setdefault(category, len(self.categories)))
        return index

    def add_group(self, group: Group) -> None:
        """Says how the markets of an event hang together.

        Raises:
            DataError: it names a market that is not listed or that says it is elsewhere.
        """
        for id in group.markets:
            index = self.market_index.get(id)
            if index is None:
                raise DataError(f"group {group.id} names market {id}, which is not listed")
            if self.group_of[index] != group.id:
                raise DataError(
                    f"group {group.id} names market {id}, which belongs to {self.group_of[index]}"
                )
        self.groups[group.id] = group
        self.event_index.setdefault(group.id, len(self.event_index))
        self._members.pop(group.id, None)

    def replace(self, market: Market) -> None:
        """Puts a changed version (tick, fees) in a market's place."""
        self.markets[self.market_index[market.id]] = market

    def market(self, id: str) -> Market:
        """A market by its id or the id of one of its tokens.

        Raises:
            DataError: neither is known.
        """
        index = self.market_index.get(id)
        if index is None:
            token = self.token_index.get(id)
            if token is None:
                raise DataError(
                    f"no market or token {id!r} in this session",
                    hint="polyframe data list",
                )
            index = self.token_market[token]
        return self.markets[index]

    def token(self, id: str) -> int:
        """A token's index.

        Raises:
            DataError: it is not known.
        """
        index = self.token_index.get(id)
        if index is None:
            raise DataError(f"no token {id!r} in this session", hint="polyframe data list")
        return index

    def members(self, group: str) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], int]:
        """Market indices of an event and its kind's code.

        Raises:
            DataError: it is not known.
        """
        found = self.groups.get(group)
        if found is None:
            raise DataError(f"no event {group!r} in this session")
        array = self._members.get(group)
        if array is None:
            array = np.array([self.market_index[id] for id in found.markets], dtype=np.int64)
            self._members[group] = array
        return array, KIND_CODE[found.kind]
