"""Signatures agree with recorded vectors and with the official clients, bit for bit."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyframe.errors import ConfigError, WireError
from polyframe.exchanges.polymarket import curve
from polyframe.exchanges.polymarket.contracts import AMOY, POLYGON, contracts_of, exchange_of
from polyframe.exchanges.polymarket.curve import address_bytes, address_of, key_bytes
from polyframe.exchanges.polymarket.signing import (
    Domain,
    OrderFields,
    Signed,
    domain_of,
    order_id,
    sign_order,
    signer_of,
)
from polyframe.exchanges.polymarket.wallet import wallets_of

KEY = bytes([0x11]) * 32
OWNER = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
TOKEN = int.from_bytes(bytes(range(1, 33)))
ORDERS = ["exchange_v2_eoa", "neg_risk_v2_eoa", "exchange_v3_eoa", "exchange_v2_1271"]


@pytest.fixture(scope="module")
def recorded(shared) -> dict[str, Any]:
    path = shared / "payloads" / "signing_vectors.json"
    if not path.is_file():
        pytest.skip("../shared/payloads/signing_vectors.json is absent")
    return json.loads(path.read_text())


def fields(wire: dict[str, Any]) -> OrderFields:
    return OrderFields(
        salt=wire["salt"],
        maker=address_bytes(wire["maker"]),
        signer=address_bytes(wire["signer"]),
        token=int(wire["tokenId"]),
        maker_amount=int(wire["makerAmount"]),
        taker_amount=int(wire["takerAmount"]),
        side=("BUY", "SELL").index(wire["side"]),
        signature_type=wire["signatureType"],
        timestamp=int(wire["timestamp"]),
        metadata=bytes.fromhex(wire["metadata"][2:]),
        builder=bytes.fromhex(wire["builder"][2:]),
    )


@pytest.mark.parametrize("name", ORDERS)
def test_a_recorded_order_has_its_id_its_signature_and_its_signer(recorded, name: str) -> None:
    vector = recorded[name]
    wire = vector["wire"]["order"]
    order = fields(wire)
    domain = Domain(vector["domainVersion"], POLYGON, vector["verifyingContract"])
    assert order_id(order, domain) == vector["orderHash"]
    assert sign_order(order, domain, KEY) == wire["signature"]
    signature = bytes.fromhex(wire["signature"][2:])
    digest = bytes.fromhex(vector["orderHash"][2:])
    wanted = Signed(address_bytes(OWNER), session=False, digest=digest)
    assert signer_of(order, domain, signature) == wanted


def test_the_recorded_domains_are_chosen_from_the_token_and_the_market(recorded) -> None:
    contracts = contracts_of(POLYGON)
    for name, token, neg_risk in [
        ("exchange_v2_eoa", TOKEN, False),
        ("neg_risk_v2_eoa", TOKEN, True),
        ("exchange_v3_eoa", 1234, False),
        ("exchange_v3_eoa", 1234, True),
    ]:
        vector = recorded[name]
        wanted = (vector["verifyingContract"], vector["domainVersion"])
        assert exchange_of(contracts, token, neg_risk=neg_risk) == wanted


def an_order(**changes: Any) -> OrderFields:
    owner = address_bytes(OWNER)
    order = OrderFields(7, owner, owner, TOKEN, 5_200_000, 10_000_000, 0, 0, 1_779_000_000_000)
    return order._replace(**changes)


ORDER_LIKE = st.builds(
    OrderFields,
    salt=st.integers(0, 2**53 - 1),
    maker=st.binary(min_size=20, max_size=20),
    signer=st.binary(min_size=20, max_size=20),
    token=st.integers(0, 2**256 - 1),
    maker_amount=st.integers(0, 2**256 - 1),
    taker_amount=st.integers(0, 2**64),
    side=st.integers(0, 1),
    signature_type=st.integers(0, 3),
    timestamp=st.integers(0, 2**53),
    metadata=st.binary(min_size=32, max_size=32),
    builder=st.binary(min_size=32, max_size=32),
)


@given(ORDER_LIKE, st.booleans(), st.booleans())
def test_what_is_signed_here_is_known_as_ours(
    order: OrderFields, neg_risk: bool, session: bool
) -> None:
    domain = domain_of(AMOY, order.token, neg_risk=neg_risk)
    signature = bytes.fromhex(sign_order(order, domain, KEY, session=session)[2:])
    spoke = session and order.signature_type == 3
    digest = bytes.fromhex(order_id(order, domain)[2:])
    wanted = Signed(address_bytes(OWNER), session=spoke, digest=digest)
    assert signer_of(order, domain, signature) == wanted


@pytest.mark.parametrize("signature_type", [0, 1, 2, 3])
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("salt", 8),
        ("maker", bytes(20)),
        ("token", TOKEN + 1),
        ("maker_amount", 1),
        ("taker_amount", 1),
        ("side", 1),
        ("timestamp", 0),
        ("builder", bytes([1]) * 32),
    ],
)
def test_a_changed_order_is_nobodys(signature_type: int, field: str, value: Any) -> None:
    order = an_order(signature_type=signature_type)
    domain = domain_of(AMOY, TOKEN, neg_risk=False)
    signature = bytes.fromhex(sign_order(order, domain, KEY)[2:])
    changed = signer_of(order._replace(**{field: value}), domain, signature)
    assert changed is None or changed.by != address_bytes(OWNER)


@pytest.mark.parametrize("signature_type", [0, 3])
def test_an_order_for_one_exchange_is_of_no_use_at_another(signature_type: int) -> None:
    order = an_order(signature_type=signature_type)
    here = domain_of(AMOY, TOKEN, neg_risk=False)
    signature = bytes.fromhex(sign_order(order, here, KEY)[2:])
    for elsewhere in (
        domain_of(POLYGON, TOKEN, neg_risk=False),
        domain_of(AMOY, TOKEN, neg_risk=True),
        domain_of(AMOY, 1234, neg_risk=False),
    ):
        found = signer_of(order, elsewhere, signature)
        assert found is None or found.by != address_bytes(OWNER)


@given(st.binary(max_size=700), st.integers(0, 3))
def test_garbage_signs_for_nobody(signature: bytes, signature_type: int) -> None:
    order = an_order(signature_type=signature_type)
    found = signer_of(order, domain_of(AMOY, TOKEN, neg_risk=False), signature)
    assert found is None or found.by != address_bytes(OWNER)


def test_the_second_signature_that_any_signature_has_is_refused() -> None:
    order, domain = an_order(), domain_of(AMOY, TOKEN, neg_risk=False)
    signature = bytes.fromhex(sign_order(order, domain, KEY)[2:])
    group = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    other = (group - int.from_bytes(signature[32:64])).to_bytes(32)
    twin = signature[:32] + other + bytes([27 + 28 - signature[64]])
    assert signer_of(order, domain, twin) is None


@pytest.mark.parametrize("cut", [0, 1, 64, 65, 66, 130, 316, 317, 400, 479])
def test_a_session_signature_that_was_cut_is_nobodys(cut: int) -> None:
    order, domain = an_order(signature_type=3), domain_of(AMOY, TOKEN, neg_risk=False)
    signature = bytes.fromhex(sign_order(order, domain, KEY, session=True)[2:])
    assert len(signature) == 480
    assert signer_of(order, domain, signature[:cut]) is None
    assert signer_of(order, domain, signature[cut:]) is None or cut == 0


def test_a_session_key_cannot_sign_as_another() -> None:
    order, domain = an_order(signature_type=3), domain_of(AMOY, TOKEN, neg_risk=False)
    signature = bytearray.fromhex(sign_order(order, domain, KEY, session=True)[2:])
    signature[31] ^= 1
    assert signer_of(order, domain, bytes(signature)) is None


def test_a_number_that_does_not_fit_is_named() -> None:
    with pytest.raises(WireError, match="does not fit"):
        order_id(an_order(maker_amount=2**256), domain_of(AMOY, TOKEN, neg_risk=False))
    with pytest.raises(WireError, match="does not fit"):
        order_id(an_order(salt=-1), domain_of(AMOY, TOKEN, neg_risk=False))


@given(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32))
def test_both_curves_agree(digest: bytes, secret: bytes) -> None:
    """eth-keys in pure Python makes and reads the same signatures as coincurve."""
    pytest.importorskip("coincurve", reason="coincurve has no wheel for this Python")
    key = (int.from_bytes(secret) % (2**255) + 1).to_bytes(32)
    fast, plain = curve.curve(), curve.curve(plain=True)
    assert type(fast) is not type(plain)
    assert fast.public(key) == plain.public(key)
    signature = fast.sign(digest, key)
    assert signature == plain.sign(digest, key)
    assert fast.recover(digest, signature) == plain.recover(digest, signature) == fast.public(key)


@pytest.mark.parametrize("signature", [bytes(65), b"\xff" * 64 + b"\x00", bytes(64) + b"\x09"])
@pytest.mark.parametrize("plain", [False, True])
def test_numbers_that_are_no_signature_are_recognised(signature: bytes, plain: bool) -> None:
    assert curve.curve(plain=plain).recover(bytes(32), signature) is None


@pytest.mark.parametrize("text", ["", "0x", "11" * 31, "zz" * 32, "00" * 32, "ff" * 32])
def test_a_text_that_is_no_private_key_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ConfigError, match="not a private key") as refused:
        key_bytes(text)
    assert not text.strip("0x") or text not in str(refused.value)


def test_a_private_key_is_read_with_and_without_its_prefix() -> None:
    assert key_bytes("0x" + "11" * 32) == key_bytes("11" * 32) == KEY
    assert address_of(KEY) == OWNER


@pytest.mark.parametrize(
    "text", ["", "0x", OWNER[2:], OWNER + "0", OWNER[:-1] + "g", OWNER[:-2] + " 1"]
)
def test_a_text_that_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(WireError, match="an address"):
        address_bytes(text)


def test_a_chain_without_polymarket_is_named() -> None:
    with pytest.raises(ConfigError, match="chain id 1 "):
        contracts_of(1)


# ---- against the official clients ---------------------------------------------------------------


def sdk_order(wire: OrderFields, domain: Domain) -> Any:
    kinds = pytest.importorskip("polymarket._internal.actions.orders.types")
    from polymarket.types import EvmAddress

    return kinds.UnsignedOrder(
        **{
            name: value
            for name, value in {
                "builder": "0x" + wire.builder.hex(),
                "chain_id": domain.chain_id,
                "exchange_address": EvmAddress(domain.contract),
                "expiration": 0,
                "maker": EvmAddress(curve.checksummed(wire.maker)),
                "maker_amount": wire.maker_amount,
                "metadata": "0x" + wire.metadata.hex(),
                "order_type": "GTC",
                "post_only": None,
                "salt": wire.salt,
                "side": ("BUY", "SELL")[wire.side],
                "signature_type": wire.signature_type,
                "signer": EvmAddress(curve.checksummed(wire.signer)),
                "taker_amount": wire.taker_amount,
                "timestamp": wire.timestamp,
                "token_id": str(wire.token),
                "protocol_version": domain.version,
            }.items()
            if name in kinds.UnsignedOrder.__dataclass_fields__
        }
    )


@pytest.mark.parametrize("token", [TOKEN, 1234])
@pytest.mark.parametrize("signature_type", [0, 1, 2, 3])
@pytest.mark.parametrize("session", [False, True])
def test_polymarket_client_signs_the_same(token: int, signature_type: int, session: bool) -> None:
    typed = pytest.importorskip("polymarket._internal.actions.orders.typed_data")
    wallet = pytest.importorskip("polymarket._internal.wallet")
    from eth_account import Account

    order = an_order(token=token, signature_type=signature_type)
    domain = domain_of(AMOY, token, neg_risk=False)
    asked = sdk_order(order, domain)
    version = domain.version
    data = typed.build_order_typed_data(asked, protocol_version=version)
    signed = Account.from_key(KEY).sign_typed_data(full_message=data).signature
    wire = typed.build_order_signature(asked, "0x" + signed.hex(), protocol_version=version)
    if session and signature_type == 3:
        wire = wallet.wrap_deposit_wallet_signature(
            signer=OWNER, signer_type="SESSION_KEY", signature=wire
        )
    assert sign_order(order, domain, KEY, session=session) == wire


@pytest.mark.parametrize("seed", range(5))
def test_polymarket_client_derives_the_same_wallets(seed: int) -> None:
    theirs = pytest.importorskip("polymarket._internal.wallet")
    environment = pytest.importorskip("polymarket._internal.environment")
    config = environment.PRODUCTION_CONFIG.wallet_derivation
    owner = address_of(bytes([seed + 1]) * 32)
    ours = wallets_of(owner, AMOY)
    assert ours.proxy == theirs.derive_proxy_wallet_address(owner, config)
    assert ours.safe == theirs.derive_safe_wallet_address(owner, config)
    assert ours.deposit == theirs.derive_beacon_deposit_wallet_address(owner, config)
    assert ours.deposit_first == theirs.derive_uups_deposit_wallet_address(owner, config)
    for wallet in (ours.owner, ours.proxy, ours.safe, ours.deposit, ours.deposit_first):
        kind = theirs.classify_wallet_type(signer=owner, wallet=wallet, config=config)
        assert ours.kind(wallet.lower()) == theirs.signature_type_for(kind)
    assert ours.kind("0x" + "22" * 20) is None


def test_every_contract_is_the_clients(root) -> None:
    environment = pytest.importorskip("polymarket._internal.environment")
    theirs = environment.PRODUCTION_CONFIG
    ours = contracts_of(POLYGON)
    assert ours.exchange == theirs.standard_exchange
    assert ours.neg_risk_exchange == theirs.neg_risk_exchange
    assert ours.exchange_v3 == theirs.exchange_v3
    assert ours.collateral == theirs.collateral_token
    assert ours.conditional_tokens == theirs.conditional_tokens
    for name in (
        *("neg_risk_adapter", "collateral_adapter", "neg_risk_collateral_adapter"),
        *("auto_redeem_operator", "position_manager", "binary_module", "neg_risk_module"),
    ):
        assert getattr(ours, name) == getattr(theirs, name)
    assert ours.router == theirs.protocol_v2_router
    assert ours.perps_deposit == theirs.perps_deposit_contract
    v2 = pytest.importorskip("py_clob_client_v2.config")
    for chain in (POLYGON, AMOY):
        ours, theirs = contracts_of(chain), v2.get_contract_config(chain)
        assert ours.exchange == theirs.exchange_v2
        assert ours.neg_risk_exchange == theirs.neg_risk_exchange_v2
        assert ours.exchange_v3 == theirs.exchange_v3
        assert ours.neg_risk_adapter == theirs.neg_risk_adapter
        assert ours.collateral == theirs.collateral
        assert ours.conditional_tokens == theirs.conditional_tokens
    assert replace(contracts_of(AMOY), chain_id=POLYGON) != contracts_of(POLYGON)
