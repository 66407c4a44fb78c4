"""API keys over the wire: made and derived by a wallet, listed and deleted by a key."""

from __future__ import annotations

import msgspec

from polyframe.exchanges.polymarket.auth import call_signed
from polyframe.sandbox.desk import Desk
from polyframe.sandbox.door import Asked, Room, Turned
from polyframe.sandbox.rows import Row
from polyframe.sandbox.venue.records import ApiKey
from polyframe.sandbox.wire import iso

NOT_CREATED = "Could not create api key"
NOT_DERIVED = "Could not derive api key!"


class _Named(msgspec.Struct):
    key: str


_named = msgspec.json.Decoder(_Named).decode


class Access:
    """The routes about keys."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def enter(self, room: Room) -> None:
        """Adds the routes."""
        room.add("POST", "/auth/api-key", self._create)
        room.add("GET", "/auth/derive-api-key", self._derive)
        room.add("GET", "/auth/api-keys", self._list)
        room.add("DELETE", "/auth/api-key", self._delete)
        room.add("GET", "/auth/ban-status/closed-only", self._closed_only)
        room.add("POST", "/auth/readonly-api-key", self._create_readonly)
        room.add("GET", "/auth/readonly-api-keys", self._list_readonly)
        room.add("DELETE", "/auth/readonly-api-key", self._delete_readonly)
        room.add("POST", "/auth/builder-api-key", self._create_builder)
        room.add("GET", "/auth/builder-api-key", self._list_builder)
        room.add("DELETE", "/auth/builder-api-key", self._revoke_builder)
        room.add("GET", "/v1/user/session-signers", self._sessions)

    def _create(self, asked: Asked) -> Row:
        address, nonce = self._desk.wallet_caller(asked)
        made = self._desk.keys.create(address, nonce, self._desk.venue.now)
        if made is None:
            raise Turned(400, NOT_CREATED)
        return _credentials(made)

    def _derive(self, asked: Asked) -> Row:
        address, nonce = self._desk.wallet_caller(asked)
        found = self._desk.keys.derive(address, nonce)
        if found is None:
            raise Turned(400, NOT_DERIVED)
        return _credentials(found)

    def _list(self, asked: Asked) -> Row:
        key = self._desk.caller(asked, reads=True)
        return {"apiKeys": [each.key for each in self._desk.keys.of(key.address)]}

    def _delete(self, asked: Asked) -> str:
        """Takes the caller's key back; what it has resting in the book stays."""
        self._desk.keys.delete(self._desk.caller(asked))
        return "OK"

    def _closed_only(self, asked: Asked) -> Row:
        """Whether any wallet of the caller may only close positions."""
        wallets = self._desk.wallets(self._desk.caller(asked, reads=True))
        known = self._desk.venue.accounts.wallets
        found = (known.get(each.lower()) for each in wallets)
        return {"closed_only": any(each is not None and each.closed_only for each in found)}

    def _create_readonly(self, asked: Asked) -> Row:
        key = self._desk.caller(asked)
        made = self._desk.keys.create_readonly(key.address, self._desk.venue.now)
        if made is None:
            raise Turned(400, NOT_CREATED)
        return _credentials(made)

    def _list_readonly(self, asked: Asked) -> Row:
        key = self._desk.caller(asked)
        return {"readonlyApiKeys": [k.key for k in self._desk.keys.readonly_of(key.address)]}

    def _delete_readonly(self, asked: Asked) -> str:
        key = self._desk.caller(asked)
        try:
            name = _named(asked.body).key
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise Turned(400, "Invalid payload") from error
        for each in self._desk.keys.readonly_of(key.address):
            if each.key == name:
                self._desk.keys.delete(each)
                return "OK"
        raise Turned(404, "api key not found")

    def _create_builder(self, asked: Asked) -> Row:
        key = self._desk.caller(asked)
        made = self._desk.keys.create_builder(key.address, self._desk.venue.now)
        if made is None:
            raise Turned(400, NOT_CREATED)
        return {
            "key": made.key.key,
            "secret": made.key.secret,
            "passphrase": made.key.passphrase,
        }

    def _list_builder(self, asked: Asked) -> list[Row]:
        key = self._desk.caller(asked, reads=True)
        return [
            {
                "key": each.key.key,
                "createdAt": iso(each.key.created),
                "revokedAt": iso(each.revoked) if each.revoked else None,
            }
            for each in self._desk.keys.builder_of(key.address)
        ]

    def _revoke_builder(self, asked: Asked) -> str:
        """Revokes the builder key that signed the call, or the caller's newest one.

        polymarket-client 0.14.0 signs with the builder key itself, py-clob-client-v2 1.2.1 with
        the caller's API key.
        """
        now = self._desk.venue.now
        if asked.header("POLY_BUILDER_API_KEY"):
            builder = builder_caller(self._desk, asked)
            found = self._desk.keys.builder(builder.key)
        else:
            address = self._desk.caller(asked).address
            left = [each for each in self._desk.keys.builder_of(address) if not each.revoked]
            found = left[-1] if left else None
        if found is None:
            raise Turned(404, "api key not found")
        found.revoked = now
        return "OK"

    def _sessions(self, asked: Asked) -> Row:
        """The session keys of the caller's deposit wallet.

        Source: session_keys.py of polymarket-client 0.14.0.
        """
        key = self._desk.caller(asked, reads=True)
        wallet = self._desk.wallet(key, 3)
        return {
            "wallet": wallet,
            "signers": [
                {"address": each.address, "scopes": list(each.scopes), "valid_until": each.until}
                for each in self._desk.keys.sessions(wallet, self._desk.venue.now)
            ],
        }


def builder_caller(desk: Desk, asked: Asked) -> ApiKey:
    """The builder key that signed a call.

    Raises:
        Turned: headers are missing, wrong or old.
    """
    name, passphrase, timestamp, signature = (
        asked.header(f"POLY_BUILDER_{part}")
        for part in ("API_KEY", "PASSPHRASE", "TIMESTAMP", "SIGNATURE")
    )
    found = desk.keys.builder(name)
    if (
        found is None
        or found.key.passphrase != passphrase
        or not desk.timely(timestamp)
        or not call_signed(
            found.key.secret, timestamp, asked.method, asked.path, asked.body, signature
        )
    ):
        raise Turned(401, "Unauthorized/Invalid builder api key")
    return found.key


def _credentials(key: ApiKey) -> Row:
    return {"apiKey": key.key, "secret": key.secret, "passphrase": key.passphrase}
