"""The wallets that a key controls, derived without asking a chain.

Source: wallet.py of polymarket-client 0.14.0; ERC-1967 for the code of a deposit wallet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from polyframe.exchanges.polymarket.contracts import Contracts, contracts_of
from polyframe.exchanges.polymarket.curve import address_bytes, checksummed, keccak
from polyframe.exchanges.polymarket.signing import SignatureType

# Creation code of the two kinds of deposit wallet, around the address of what it delegates to.
# The first two bytes of data after the opcode are the code's length, arguments included.
_UUPS_LENGTH = 0x003D
_UUPS_AFTER = bytes.fromhex(
    "60095155f3363d3d373d3d363d7f360894a13ba1a3210667c828492db98dca3e2076"
    "cc3735a920a3ca505d382bbc545af43d6000803e6038573d6000fd5b3d6000f3"
)
_BEACON_LENGTH = 0x0052
_BEACON_AFTER = bytes.fromhex(
    "60195155f3363d3d373d3d363d602036600436635c60da"
    "1b60e01b36527fa3f0ad74e5423aebfd80d3ef4346578335a9a72aeaee59ff6c"
    "b3582b35133d50545afa5036515af43d6000803e604d573d6000fd5b3d6000f3"
)
_PROXY_CODE = (
    "3d3d606380380380913d393d73{factory}5af4602a57600080fd5b602d8060366000396000f3363d3d373d3d3d"
    "363d73{implementation}5af43d82803e903d91602b57fd5bf352e831dd"
)
# The proxy's constructor takes empty bytes: their offset and their length.
_NO_BYTES = (32).to_bytes(32) + bytes(32)


@dataclass(frozen=True, slots=True)
class Wallets:
    """Every wallet one key controls, as checksummed addresses.

    There are two deposit wallets: the one of the factory's first version and the one behind its
    beacon, which is what a new user gets.
    """

    owner: str
    proxy: str
    safe: str
    deposit: str
    deposit_first: str

    def __iter__(self) -> Iterator[str]:
        """Every one of them."""
        yield from (self.owner, self.proxy, self.safe, self.deposit, self.deposit_first)

    def kind(self, wallet: str) -> SignatureType | None:
        """What kind of the owner's wallets an address is; None when it is none of them."""
        found = wallet.lower()
        for address, kind in (
            (self.owner, SignatureType.EOA),
            (self.deposit, SignatureType.DEPOSIT),
            (self.deposit_first, SignatureType.DEPOSIT),
            (self.proxy, SignatureType.PROXY),
            (self.safe, SignatureType.SAFE),
        ):
            if address.lower() == found:
                return kind
        return None


@lru_cache(maxsize=4096)
def wallets_of(owner: str, chain_id: int) -> Wallets:
    """The wallets of the key behind an address.

    Raises:
        WireError: the address has the wrong form.
        ConfigError: Polymarket is not on that chain.
    """
    contracts = contracts_of(chain_id)
    key = address_bytes(owner)
    return Wallets(
        owner=checksummed(key),
        proxy=_created(contracts.proxy_factory, keccak(key), _proxy_code(contracts)),
        safe=_created(
            contracts.safe_factory,
            keccak(bytes(12) + key),
            bytes.fromhex(contracts.safe_init_code_hash[2:]),
        ),
        deposit=_deposit(contracts, key, _BEACON_LENGTH, contracts.deposit_beacon, _BEACON_AFTER),
        deposit_first=_deposit(
            contracts, key, _UUPS_LENGTH, contracts.deposit_implementation, _UUPS_AFTER
        ),
    )


@lru_cache(maxsize=8)
def _proxy_code(contracts: Contracts) -> bytes:
    code = _PROXY_CODE.format(
        factory=contracts.proxy_factory[2:], implementation=contracts.proxy_implementation[2:]
    )
    return keccak(bytes.fromhex(code) + _NO_BYTES)


def _deposit(contracts: Contracts, key: bytes, length: int, to: str, after: bytes) -> str:
    arguments = bytes(12) + address_bytes(contracts.deposit_factory) + bytes(12) + key
    code = b"".join(
        (
            b"\x61",
            (length + len(arguments)).to_bytes(2),
            bytes.fromhex("3d8160233d3973"),
            address_bytes(to),
            after,
            arguments,
        )
    )
    return _created(contracts.deposit_factory, keccak(arguments), keccak(code))


def _created(factory: str, salt: bytes, code: bytes) -> str:
    """Where a factory puts a contract.

    Source: EIP-1014 (CREATE2).
    """
    return checksummed(keccak(b"\xff" + address_bytes(factory) + salt + code)[12:])
