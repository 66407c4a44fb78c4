"""Addresses of Polymarket's contracts, by chain, and which of them an order is signed for.

Source: config.py of py-clob-client-v2 1.2.1 (both chains) and environments.py of polymarket-client
0.14.0 (Polygon, and the factories wallets are derived from).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from polyframe.errors import ConfigError

POLYGON: Final = 137
AMOY: Final = 80002

# Ids of Protocol V2 positions have no bit here; ids of conditional tokens are hashes and do.
# Source: protocol.py of polymarket-client 0.14.0.
_V2_RESERVED_BITS: Final = ((1 << 64) - 1) << 40


@dataclass(frozen=True, slots=True)
class Contracts:
    """What is deployed on one chain, as checksummed addresses."""

    chain_id: int
    collateral: str
    conditional_tokens: str
    exchange: str
    neg_risk_exchange: str
    exchange_v3: str
    neg_risk_adapter: str
    proxy_factory: str
    proxy_implementation: str
    safe_factory: str
    safe_init_code_hash: str
    deposit_factory: str
    deposit_implementation: str
    deposit_beacon: str
    collateral_adapter: str
    neg_risk_collateral_adapter: str
    auto_redeem_operator: str
    perps_deposit: str
    # Of Protocol V2:
    router: str
    position_manager: str
    binary_module: str
    neg_risk_module: str


_ON_POLYGON = Contracts(
    chain_id=POLYGON,
    collateral="0xC011a7E12a19f7B1f670d46F03B03f3342E82DFB",
    conditional_tokens="0x4D97DCd97eC945f40cF65F87097ACe5EA0476045",
    exchange="0xE111180000d2663C0091e4f400237545B87B996B",
    neg_risk_exchange="0xe2222d279d744050d28e00520010520000310F59",
    exchange_v3="0xe3333700cA9d93003F00f0F71f8515005F6c00Aa",
    neg_risk_adapter="0xd91E80cF2E7be2e162c6513ceD06f1dD0dA35296",
    proxy_factory="0xaB45c5A4B0c941a2F231C04C3f49182e1A254052",
    proxy_implementation="0x44e999d5c2F66Ef0861317f9A4805AC2e90aEB4f",
    safe_factory="0xaacFeEa03eb1561C4e67d661e40682Bd20E3541b",
    safe_init_code_hash="0x2bce2127ff07fb632d16c8347c4ebf501f4841168bed00d9e6ef715ddb6fcecf",
    deposit_factory="0x00000000000Fb5C9ADea0298D729A0CB3823Cc07",
    deposit_implementation="0x58CA52ebe0DadfdF531Cde7062e76746de4Db1eB",
    deposit_beacon="0x7A18EDfe055488A3128f01F563e5B479D92ffc3a",
    collateral_adapter="0xAdA100Db00Ca00073811820692005400218FcE1f",
    neg_risk_collateral_adapter="0xadA2005600Dec949baf300f4C6120000bDB6eAab",
    auto_redeem_operator="0xa1200000d0002264C9a1698e001292D00E1b00af",
    perps_deposit="0xDCa4af75705dbB50f62437045afF9921947917d2",
    router="0x12121212006e4CD160D18e3f00711DA5c3372600",
    position_manager="0x006F54F7f9A22e0000CC2AB60031000000ae9fEF",
    binary_module="0x1000008dD9001B968442c1000017eaE6E0dA00Ba",
    neg_risk_module="0x200000900045e3B6259600682756002200028933",
)

CONTRACTS: Final[dict[int, Contracts]] = {
    POLYGON: _ON_POLYGON,
    # The clients name no factories of their own for Amoy and derive wallets with Polygon's.
    AMOY: replace(
        _ON_POLYGON,
        chain_id=AMOY,
        conditional_tokens="0x69308FB512518e39F9b16112fA8d994F4e2Bf8bB",
        exchange_v3="0x9fE6e61422AdB6F610d8597F9684b16912D50C3D",
    ),
}


def contracts_of(chain_id: int) -> Contracts:
    """The contracts on a chain.

    Raises:
        ConfigError: Polymarket is not on that chain.
    """
    found = CONTRACTS.get(chain_id)
    if found is None:
        raise ConfigError(
            f"chain id {chain_id} is not one of Polymarket's",
            expected="137 (Polygon) or 80002 (Amoy)",
        )
    return found


def is_v2_position(token: int) -> bool:
    """True for the id of a Protocol V2 position, which ExchangeV3 trades.

    Every small number counts as one, whatever its market says: the id decides, as it does in
    the official client.
    """
    return token & _V2_RESERVED_BITS == 0


def exchange_of(contracts: Contracts, token: int, *, neg_risk: bool) -> tuple[str, str]:
    """The exchange that trades a token and the version of its signing domain."""
    if is_v2_position(token):
        return contracts.exchange_v3, "3"
    return (contracts.neg_risk_exchange if neg_risk else contracts.exchange), "2"
