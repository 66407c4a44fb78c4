"""Who has what."""

from __future__ import annotations

from msgspec import Struct, field

from polyframe.sandbox.venue.records import MOST, Order


class Wallet(Struct):
    """A wallet on the sandbox's chain."""

    address: str
    owner: str
    """the key id of orders that agents send from it"""
    money: int = 0
    active: int = 0
    """money reserved by open orders"""
    matched: int = 0
    """money that trades take when they are mined"""
    shares: dict[str, int] = field(default_factory=dict)
    active_shares: dict[str, int] = field(default_factory=dict)
    matched_shares: dict[str, int] = field(default_factory=dict)
    orders: dict[str, Order] = field(default_factory=dict)
    """open ones, oldest first"""
    allowance: int = MOST
    approved: bool = True
    """the exchanges may move its shares"""
    banned: bool = False
    closed_only: bool = False
    opened: int = 0


class Accounts:
    """All wallets."""

    wallets: dict[str, Wallet]
    """by address in small letters"""
