"""The relayer: which wallets are deployed, and transactions of deposit wallets without gas.

Source: relayer/ and session_keys.py of polymarket-client 0.14.0; models/clob/relayer.py there.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from polyframe.domain.units import SECOND
from polyframe.errors import WireError
from polyframe.exchanges.polymarket.curve import (
    address_bytes,
    checksummed,
    hex_bytes,
    keccak,
    recover,
)
from polyframe.exchanges.polymarket.signing import SignatureType
from polyframe.exchanges.polymarket.wallet import wallets_of
from polyframe.sandbox.chain import Call, Chain, Reverted, call_of, selector
from polyframe.sandbox.clob.access import builder_caller
from polyframe.sandbox.desk import Desk
from polyframe.sandbox.door import Asked, Room, Turned
from polyframe.sandbox.keys import SessionKey
from polyframe.sandbox.rows import Row

KINDS: Final = {"", "WALLET", "PROXY", "SAFE"}
MOST_CALLS: Final = 50
MOST_TRANSACTIONS: Final = 10_000

_BATCH: Final = b"Batch(address wallet,uint256 nonce,uint256 deadline,Call[] calls)"
_CALL: Final = b"Call(address target,uint256 value,bytes data)"
_DOMAIN: Final = (
    b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)


class _Params(msgspec.Struct):
    depositWallet: str  # noqa: N815 - the wire's name
    deadline: str
    calls: list[dict[str, Any]]


class _Submitted(msgspec.Struct):
    type: str
    nonce: str
    signature: str
    depositWalletParams: _Params | None = None  # noqa: N815


class _Session(msgspec.Struct):
    walletAddress: str  # noqa: N815
    sessionSignerAddress: str  # noqa: N815
    nonce: str
    deadline: str
    signature: str
    validUntil: str = "0"  # noqa: N815
    scopes: list[str] = []


_submitted = msgspec.json.Decoder(_Submitted).decode
_session = msgspec.json.Decoder(_Session).decode


@dataclass(slots=True)
class _Transaction:
    """What became of a transaction."""

    id: str
    hash: str
    state: str = "STATE_NEW"
    error: str = ""


class Relayer:
    """The relayer's routes."""

    def __init__(self, desk: Desk, chain: Chain) -> None:
        self._desk = desk
        self._chain = chain
        self._nonces: dict[str, int] = {}
        self._transactions: dict[str, _Transaction] = {}
        self._count = 0

    def enter(self, room: Room) -> None:
        """Adds the routes."""
        room.add("GET", "/deployed", self._deployed)
        room.add("GET", "/v1/account/transactions/params", self._params)
        room.add("GET", "/v1/account/transactions/{id}", self._transaction)
        room.add("GET", "/relay-payload", self._relay_payload)
        room.add("POST", "/submit", self._submit)
        room.add("POST", "/v1/session-signers/authorizations", self._authorize)
        room.add("POST", "/v1/session-signers/revocations", self._revoke)

    def _deployed(self, asked: Asked) -> Row:
        """Whether a wallet is on the chain: it was funded, or is a caller's own new deposit wallet.

        A client without a wallet of its own asks about the older kind of deposit wallet first and
        takes the newer one when that was never used. Where the venue would have the newer one
        deployed, for which a client needs a builder's key, it stands here as soon as its owner has
        an API key.
        """
        address = self._address(asked)
        if asked.one("type") not in KINDS:
            raise Turned(400, "invalid type")
        return {"deployed": address in self._desk.venue.accounts.wallets or self._own(address)}

    def _own(self, address: str) -> bool:
        """True for the newer deposit wallet of somebody who has an API key."""
        desk = self._desk
        return any(desk.wallets(key).deposit.lower() == address for key in desk.keys)

    def _address(self, asked: Asked) -> str:
        address = asked.one("address").lower()
        try:
            address_bytes(address)
        except WireError as error:
            raise Turned(400, "invalid address") from error
        return address

    def _params(self, asked: Asked) -> Row:
        """The number that the signer's next transaction has to carry."""
        address = self._address(asked)
        return {
            "address": checksummed(address_bytes(address)),
            "nonce": str(self._nonces.get(address, 0)),
        }

    def _relay_payload(self, asked: Asked) -> Row:
        """Where transactions of proxy wallets begin."""
        raise _older(asked.one("type"))

    def _transaction(self, asked: Asked) -> Row:
        found = self._transactions.get(asked.values["id"])
        if found is None:
            raise Turned(404, "transaction not found")
        return {
            "transaction_id": found.id,
            "transaction_hash": found.hash if found.state != "STATE_NEW" else "",
            "state": found.state,
            "error_msg": found.error or None,
        }

    # ---- transactions ----------------------------------------------------------------------------

    def _submit(self, asked: Asked) -> Row:
        """Takes a batch of calls of a deposit wallet, signed by its owner.

        Wallets of the older kinds have their transactions refused here. On the chain the calls of
        a batch stand or fall together; here those before the first that fails stand.
        """
        builder_caller(self._desk, asked)
        sent = _read(_submitted, asked)
        if sent.type != "WALLET" or sent.depositWalletParams is None:
            raise _older(sent.type)
        params = sent.depositWalletParams
        if not 0 < len(params.calls) <= MOST_CALLS:
            raise Turned(400, "invalid calls")
        try:
            calls = [
                call_of(each.get("target"), each.get("data"), each.get("value", "0"))
                for each in params.calls
            ]
        except WireError as error:
            raise Turned(400, error.message) from error
        wallet = self._signed(
            params.depositWallet, calls, sent.nonce, params.deadline, sent.signature
        )
        done = self._begin(wallet, calls)
        return {"transactionID": done.id, "transactionHash": "", "state": done.state}

    def _begin(
        self, wallet: str, calls: list[Call], then: Callable[[], None] | None = None
    ) -> _Transaction:
        """A transaction that is mined and confirmed when the venue's own would be."""
        self._count += 1
        seed = f"{wallet}/{self._count}".encode()
        made = _Transaction(
            str(uuid.UUID(bytes=hashlib.sha256(seed).digest()[:16], version=4)),
            "0x" + hashlib.sha256(seed + b"/hash").hexdigest(),
        )
        self._transactions[made.id] = made
        if len(self._transactions) > MOST_TRANSACTIONS:
            del self._transactions[next(iter(self._transactions))]
        venue = self._desk.venue

        def mine() -> None:
            try:
                for call in calls:
                    self._chain.act(wallet, call)
            except Reverted as error:
                made.state, made.error = "STATE_FAILED", str(error)
                return
            made.state = "STATE_MINED"
            if then is not None:
                then()
            venue.schedule(venue.now + venue.settings.confirmed_after, confirm)

        def confirm() -> None:
            made.state = "STATE_CONFIRMED"

        venue.schedule(venue.now + venue.settings.mined_after, mine)
        return made

    def _signed(
        self, wallet: str, calls: list[Call], nonce: str, deadline: str, signature: str
    ) -> str:
        """The wallet of a batch that its owner signed for now.

        Raises:
            Turned: signature, number or deadline are wrong.
        """
        for text in (nonce, deadline):
            if not (text.isascii() and text.isdigit()) or len(text) > 18:
                raise Turned(400, "invalid nonce or deadline")
        try:
            target = address_bytes(wallet)
            digest = batch_digest(target, int(nonce), int(deadline), calls, self._desk)
            by = recover(digest, hex_bytes(signature, 65, "the signature"))
        except WireError as error:
            raise Turned(400, "invalid signature") from error
        owner = "" if by is None else checksummed(by)
        chain_id = self._desk.venue.chain_id
        if by is None or wallets_of(owner, chain_id).kind(wallet) is not SignatureType.DEPOSIT:
            raise Turned(400, "invalid signature")
        if int(deadline) * SECOND < self._desk.venue.now:
            raise Turned(400, "batch deadline has passed")
        known = self._nonces.get(owner.lower(), 0)
        if int(nonce) != known:
            raise Turned(400, f"batch nonce {nonce} does not match on-chain nonce {known}")
        self._nonces[owner.lower()] = known + 1
        return checksummed(target)

    # ---- session keys ----------------------------------------------------------------------------

    def _authorize(self, asked: Asked) -> Row:
        """Lets a session key in: the wallet's own call, and the scopes beside it."""
        sent, wallet, signer = self._session_sent(asked)
        until = sent.validUntil
        if not (until.isascii() and until.isdigit()) or len(until) > 12 or not sent.scopes:
            raise Turned(400, "invalid validUntil or scopes")
        data = selector("authorizeSessionSigner(address,uint256)") + bytes(12) + signer
        call = Call(address_bytes(wallet), data + int(until).to_bytes(32))
        self._signed(wallet, [call], sent.nonce, sent.deadline, sent.signature)
        key = SessionKey(checksummed(signer), int(until), tuple(sent.scopes))
        made = self._begin(wallet, [call], lambda: self._desk.keys.let_in(wallet, key))
        return {"status": "SUBMITTED", "transactionHash": made.hash, "transactionId": made.id}

    def _revoke(self, asked: Asked) -> Row:
        """Shuts a session key out, at once for orders and on the chain later."""
        sent, wallet, signer = self._session_sent(asked)
        data = selector("revokeSessionSigner(address)") + bytes(12) + signer
        call = Call(address_bytes(wallet), data)
        self._signed(wallet, [call], sent.nonce, sent.deadline, sent.signature)
        self._desk.keys.shut_out(wallet, checksummed(signer))
        made = self._begin(wallet, [call])
        return {"status": "FENCED", "fenced": True, "transactionId": made.id}

    def _session_sent(self, asked: Asked) -> tuple[_Session, str, bytes]:
        builder_caller(self._desk, asked)
        sent = _read(_session, asked)
        try:
            wallet = checksummed(address_bytes(sent.walletAddress))
            return sent, wallet, address_bytes(sent.sessionSignerAddress)
        except WireError as error:
            raise Turned(400, "invalid address") from error


def batch_digest(wallet: bytes, nonce: int, deadline: int, calls: list[Call], desk: Desk) -> bytes:
    """The hash that a deposit wallet's owner signs for a batch of calls."""
    hashed = (
        keccak(
            keccak(_CALL) + bytes(12) + call.target + call.value.to_bytes(32) + keccak(call.data)
        )
        for call in calls
    )
    struct = keccak(
        keccak(_BATCH + _CALL)
        + bytes(12)
        + wallet
        + nonce.to_bytes(32)
        + deadline.to_bytes(32)
        + keccak(b"".join(hashed))
    )
    domain = keccak(
        keccak(_DOMAIN)
        + keccak(b"DepositWallet")
        + keccak(b"1")
        + desk.venue.chain_id.to_bytes(32)
        + bytes(12)
        + wallet
    )
    return keccak(b"\x19\x01" + domain + struct)


def _read(decode: Callable[[bytes], Any], asked: Asked) -> Any:
    try:
        return decode(asked.body)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Turned(400, "Invalid payload") from error


def _older(kind: str) -> Turned:
    return Turned(400, f"the sandbox relays for deposit wallets, not for {kind[:20]!r}")
