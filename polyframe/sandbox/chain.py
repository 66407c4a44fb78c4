"""The chain behind the venue, as far as wallets and their clients look at it or act on it.

Calls come as a contract's address and its encoded arguments. What they do, the venue does. Blocks
are one second long.

Source: the calls are those of calls.py and approvals.py of polymarket-client 0.14.0.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final, NamedTuple

from polyframe.domain.units import SECOND
from polyframe.errors import UserError, WireError
from polyframe.exchanges.polymarket.contracts import contracts_of
from polyframe.exchanges.polymarket.curve import address_bytes, checksummed, keccak
from polyframe.sandbox.desk import Desk
from polyframe.sandbox.door import Asked, Room, Turned
from polyframe.sandbox.keys import SessionKey
from polyframe.sandbox.rows import Row
from polyframe.sandbox.venue.records import Refused

MOST_BATCH: Final = 200
MOST_DATA: Final = 64 << 10
REVERTED: Final = 3
UNKNOWN_METHOD: Final = -32_601
BAD_REQUEST: Final = -32_600


class Reverted(Exception):
    """A call that a contract refuses."""


class Call(NamedTuple):
    """A call to a contract."""

    target: bytes
    data: bytes
    value: int = 0


@cache
def selector(signature: str) -> bytes:
    """The four bytes that name a contract's function."""
    return keccak(signature.encode())[:4]


def call_of(target: object, data: object, value: object = "0") -> Call:
    """A call as it comes in JSON.

    Raises:
        WireError: a part has another form.
    """
    if not (isinstance(target, str) and isinstance(data, str) and isinstance(value, str | int)):
        raise WireError("a call needs a target, data and a value")
    if len(data) > MOST_DATA or not data.startswith("0x"):
        raise WireError("a call's data is hexadecimal, after 0x")
    try:
        call = Call(address_bytes(target), bytes.fromhex(data[2:]), int(value))
    except ValueError as error:
        raise WireError("a call's data is hexadecimal and its value a number") from error
    if not 0 <= call.value < 1 << 256:
        raise WireError("a call's value does not fit")
    return call


class Chain:
    """Contracts that wallets call."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._contracts = contracts_of(desk.venue.chain_id)
        self._acts: dict[bytes, Callable[[str, Call, _Words], Refused | int | None]] = {
            selector(signature): act
            for signature, act in (
                ("approve(address,uint256)", self._approve),
                ("setApprovalForAll(address,bool)", self._approve_shares),
                ("transfer(address,uint256)", self._transfer),
                ("splitPosition(address,bytes32,bytes32,uint256[],uint256)", self._split),
                ("mergePositions(address,bytes32,bytes32,uint256[],uint256)", self._merge),
                ("redeemPositions(address,bytes32,bytes32,uint256[])", self._redeem),
                ("authorizeSessionSigner(address,uint256)", self._let_in),
                ("revokeSessionSigner(address)", self._shut_out),
            )
        }
        self._looks: dict[bytes, Callable[[Call, _Words], bytes]] = {
            selector(signature): look
            for signature, look in (
                ("balanceOf(address)", self._money),
                ("balanceOf(address,uint256)", self._shares),
                ("balanceOfBatch(address[],uint256[])", self._many_shares),
                ("allowance(address,address)", self._allowance),
                ("isApprovedForAll(address,address)", self._approved),
            )
        }

    # ---- acting ----------------------------------------------------------------------------------

    def act(self, wallet: str, call: Call) -> None:
        """Carries out what a wallet calls.

        Raises:
            Reverted: the contract refuses, or does not have such a function here.
        """
        act = self._acts.get(call.data[:4])
        if act is None or call.value:
            raise Reverted("execution reverted: the sandbox's contracts have no such function")
        try:
            refused = act(wallet, call, _Words(call.data[4:]))
        except UserError as error:
            raise Reverted(f"execution reverted: {error.message}") from error
        if isinstance(refused, Refused):
            raise Reverted(f"execution reverted: {refused.text}")

    def _approve(self, wallet: str, call: Call, words: _Words) -> None:
        """What the exchanges may move of the wallet's money; other spenders are nobody here."""
        if self._is(call.target, self._contracts.collateral) and self._exchange(words.address(0)):
            known = self._desk.venue.wallet(wallet)
            self._desk.venue.approve(wallet, money=words.number(1), shares=known.approved)

    def _approve_shares(self, wallet: str, call: Call, words: _Words) -> None:
        if self._exchange(words.address(0)):
            known = self._desk.venue.wallet(wallet)
            approved = bool(words.number(1))
            self._desk.venue.approve(wallet, money=known.allowance, shares=approved)

    def _transfer(self, wallet: str, call: Call, words: _Words) -> Refused | None:
        to, money = checksummed(words.address(0)), words.number(1)
        if not self._is(call.target, self._contracts.collateral):
            return Refused("the sandbox moves nothing but its own collateral")
        refused = self._desk.venue.withdraw(wallet, money)
        if refused is None:
            self._desk.venue.fund(to, money)
        return refused

    def _split(self, wallet: str, call: Call, words: _Words) -> Refused | None:
        return self._desk.venue.split(wallet, words.hash(2), words.number(4))

    def _merge(self, wallet: str, call: Call, words: _Words) -> Refused | None:
        return self._desk.venue.merge(wallet, words.hash(2), words.number(4))

    def _redeem(self, wallet: str, call: Call, words: _Words) -> Refused | int:
        return self._desk.venue.redeem(wallet, words.hash(2))

    def _let_in(self, wallet: str, call: Call, words: _Words) -> Refused | None:
        """A wallet lets session keys in by calling itself."""
        if not self._is(call.target, wallet):
            return Refused("only the wallet itself may do this")
        key = SessionKey(checksummed(words.address(0)), min(words.number(1), 1 << 40))
        self._desk.keys.let_in(wallet, key)
        return None

    def _shut_out(self, wallet: str, call: Call, words: _Words) -> Refused | None:
        if not self._is(call.target, wallet):
            return Refused("only the wallet itself may do this")
        self._desk.keys.shut_out(wallet, checksummed(words.address(0)))
        return None

    def _exchange(self, address: bytes) -> bool:
        mine = self._contracts
        exchanges = (mine.exchange, mine.neg_risk_exchange, mine.exchange_v3)
        return any(self._is(address, each) for each in exchanges)

    def _is(self, address: bytes, contract: str) -> bool:
        return address == address_bytes(contract)

    # ---- looking ---------------------------------------------------------------------------------

    def look(self, call: Call) -> bytes:
        """What a contract answers.

        Raises:
            Reverted: it does not have such a function here.
        """
        look = self._looks.get(call.data[:4])
        if look is None:
            raise Reverted("execution reverted: the sandbox's contracts have no such function")
        return look(call, _Words(call.data[4:]))

    def _money(self, call: Call, words: _Words) -> bytes:
        if not self._is(call.target, self._contracts.collateral):
            return bytes(32)
        balance = self._desk.venue.balance(checksummed(words.address(0)))
        return balance.balance.to_bytes(32)

    def _shares(self, call: Call, words: _Words) -> bytes:
        return self._held(words.address(0), words.number(1))

    def _many_shares(self, call: Call, words: _Words) -> bytes:
        owners, tokens = words.array(0), words.array(1)
        if len(owners) != len(tokens):
            raise Reverted("execution reverted: lengths differ")
        held = [
            self._held(owner[12:], int.from_bytes(token))
            for owner, token in zip(owners, tokens, strict=True)
        ]
        return b"".join(((32).to_bytes(32), len(held).to_bytes(32), *held))

    def _held(self, owner: bytes, token: int) -> bytes:
        if str(token) not in self._desk.venue.tokens:
            return bytes(32)
        return self._desk.venue.balance(checksummed(owner), str(token)).balance.to_bytes(32)

    def _allowance(self, call: Call, words: _Words) -> bytes:
        return self._desk.venue.accounts.allowed(checksummed(words.address(0)))[0].to_bytes(32)

    def _approved(self, call: Call, words: _Words) -> bytes:
        approved = self._desk.venue.accounts.allowed(checksummed(words.address(0)))[1]
        return int(approved).to_bytes(32)

    # ---- JSON-RPC --------------------------------------------------------------------------------

    def enter(self, room: Room) -> None:
        """Adds the node's one route."""
        room.add("POST", "/", self._rpc)

    def _rpc(self, asked: Asked) -> object:
        said = asked.json()
        if isinstance(said, list):
            if not 0 < len(said) <= MOST_BATCH:
                raise Turned(400, "Payload exceeds the limit")
            return [self._answer(each) for each in said]
        return self._answer(said)

    def _answer(self, said: object) -> Row:
        id = said.get("id") if isinstance(said, dict) else None
        method = said.get("method") if isinstance(said, dict) else None
        params = said.get("params", []) if isinstance(said, dict) else []
        if not isinstance(method, str) or not isinstance(params, list):
            return _failed(id, BAD_REQUEST, "invalid request")
        try:
            return {"jsonrpc": "2.0", "id": id, "result": self._result(method, params)}
        except Reverted as error:
            return _failed(id, REVERTED, str(error))
        except WireError as error:
            return _failed(id, BAD_REQUEST, error.message)
        except LookupError:
            return _failed(id, UNKNOWN_METHOD, f"the method {method[:80]} is not here")

    def _result(self, method: str, params: list[Any]) -> object:
        height = self._desk.venue.now // SECOND
        if method == "eth_chainId":
            return hex(self._desk.venue.chain_id)
        if method == "eth_blockNumber":
            return hex(height)
        if method == "eth_getBlockByNumber":
            return {"number": hex(height), "timestamp": hex(height), "transactions": []}
        if method == "eth_call":
            asked = params[0] if params and isinstance(params[0], dict) else {}
            data = asked.get("data", asked.get("input"))
            return "0x" + self.look(call_of(asked.get("to"), data)).hex()
        raise LookupError(method)


class _Words:
    """Arguments of a call: 32 bytes each."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def word(self, index: int) -> bytes:
        """One argument.

        Raises:
            Reverted: there are not so many.
        """
        found = self._data[32 * index : 32 * index + 32]
        if len(found) != 32:
            raise Reverted("execution reverted: arguments are missing")
        return found

    def number(self, index: int) -> int:
        """A number."""
        return int.from_bytes(self.word(index))

    def address(self, index: int) -> bytes:
        """An address."""
        return self.word(index)[12:]

    def hash(self, index: int) -> str:
        """Thirty-two bytes as text."""
        return "0x" + self.word(index).hex()

    def array(self, index: int) -> list[bytes]:
        """An array, whose place is the argument."""
        start, rest = divmod(self.number(index), 32)
        if rest or start > len(self._data):
            raise Reverted("execution reverted: an array is not where it should be")
        count = self.number(start)
        if count > len(self._data) // 32:
            raise Reverted("execution reverted: an array is longer than the call")
        return [self.word(start + 1 + each) for each in range(count)]


def _failed(id: object, code: int, message: str) -> Row:
    return {"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}
