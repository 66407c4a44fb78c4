"""The two kinds of headers agree with recorded vectors and with the official clients."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from polyframe.errors import WireError
from polyframe.exchanges.polymarket.auth import (
    Credentials,
    call_headers,
    call_signature,
    call_signed,
    wallet_headers,
    wallet_signed,
)
from polyframe.exchanges.polymarket.contracts import AMOY, POLYGON

KEY = bytes([0x11]) * 32
OWNER = "0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A"
SECRET = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ="


@pytest.fixture(scope="module")
def recorded(shared) -> dict[str, Any]:
    path = shared / "payloads" / "signing_vectors.json"
    if not path.is_file():
        pytest.skip("../shared/payloads/signing_vectors.json is absent")
    return json.loads(path.read_text())


def test_the_recorded_wallet_headers_are_made_and_believed(recorded) -> None:
    wanted = recorded["l1_headers_ts1750000000_nonce0"]
    assert wallet_headers(KEY, 1_750_000_000, chain_id=POLYGON) == wanted
    assert believed(wanted, chain_id=POLYGON)


def believed(headers: dict[str, str], *, chain_id: int) -> bool:
    return wallet_signed(
        headers["POLY_ADDRESS"],
        headers["POLY_TIMESTAMP"],
        int(headers["POLY_NONCE"]),
        headers["POLY_SIGNATURE"],
        chain_id=chain_id,
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POLY_ADDRESS", "0x" + "22" * 20),
        ("POLY_TIMESTAMP", "1750000001"),
        ("POLY_TIMESTAMP", "01750000000"),
        ("POLY_NONCE", "1"),
    ],
)
def test_changed_wallet_headers_are_not_believed(name: str, value: str) -> None:
    headers = wallet_headers(KEY, 1_750_000_000, chain_id=AMOY)
    assert believed(headers, chain_id=AMOY)
    assert not believed(headers, chain_id=POLYGON)
    assert not believed({**headers, name: value}, chain_id=AMOY)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("POLY_ADDRESS", "19E7"),
        ("POLY_SIGNATURE", "0x11"),
        ("POLY_SIGNATURE", "0x" + "zz" * 65),
        ("POLY_NONCE", "-1"),
        ("POLY_NONCE", str(2**256)),
    ],
)
def test_wallet_headers_of_the_wrong_form_are_refused(name: str, value: str) -> None:
    headers = wallet_headers(KEY, 1_750_000_000, chain_id=AMOY)
    with pytest.raises(WireError):
        believed({**headers, name: value}, chain_id=AMOY)


def test_the_recorded_call_signatures_are_made(recorded) -> None:
    known = recorded["hmac"]
    body = known["body"].encode()
    made = call_signature(known["secret"], str(known["ts"]), "POST", known["path"], body)
    assert made == known["sig"]
    assert (
        call_signature(known["secret"], str(known["ts"]), "GET", "/data/orders")
        == known["sig_GET_/data/orders"]
    )


@given(st.binary(max_size=200), st.text(alphabet="abc/'\"", max_size=20))
def test_a_call_is_believed_with_the_bytes_that_were_signed(body: bytes, path: str) -> None:
    signature = call_signature(SECRET, "1", "POST", path, body)
    assert call_signed(SECRET, "1", "POST", path, body, signature)
    assert not call_signed(SECRET, "2", "POST", path, body, signature)
    assert not call_signed(SECRET, "1", "PUT", path, body, signature)
    assert not call_signed(SECRET, "1", "POST", path + "x", body, signature)
    assert not call_signed(SECRET, "1", "POST", path, body + b" ", signature)
    assert not call_signed("b3RoZXI=", "1", "POST", path, body, signature)


def test_a_body_may_have_been_signed_with_other_quotes() -> None:
    body = b'{"name":"it\'s"}'
    signature = call_signature(SECRET, "1", "POST", "/order", body.replace(b"'", b'"'))
    assert call_signed(SECRET, "1", "POST", "/order", body, signature)
    assert not call_signed(SECRET, "1", "POST", "/order", body.replace(b"'", b"`"), signature)


@pytest.mark.parametrize("signature", ["", "\u00e9", "x" * 10_000, "=" * 44])
def test_a_signature_of_any_form_is_compared_and_not_believed(signature: str) -> None:
    assert not call_signed(SECRET, "1", "GET", "/", b"", signature)


@pytest.mark.parametrize("secret", [SECRET, SECRET.rstrip("="), "_-_-"])
def test_a_secret_needs_no_padding(secret: str) -> None:
    assert call_signature(secret, "1", "GET", "/")


@pytest.mark.parametrize("secret", ["not base64!", "a", "\u00e9\u00e9\u00e9\u00e9"])
def test_a_secret_that_is_not_base64_is_refused(secret: str) -> None:
    with pytest.raises(WireError, match="base64"):
        call_signature(secret, "1", "GET", "/")


# ---- against the official clients ---------------------------------------------------------------


def test_py_clob_client_sends_the_same_headers() -> None:
    headers = pytest.importorskip("py_clob_client_v2.headers.headers")
    from py_clob_client_v2.clob_types import ApiCreds, RequestArgs
    from py_clob_client_v2.signer import Signer

    signer = Signer("0x" + KEY.hex(), AMOY)
    theirs = headers.create_level_1_headers(signer, nonce=3, timestamp=1_750_000_000)
    ours = wallet_headers(KEY, 1_750_000_000, nonce=3, chain_id=AMOY)
    assert {name: str(value) for name, value in theirs.items()} == ours

    body = '{"a":"b"}'
    asked = RequestArgs("POST", "/order", body={"a": "b"}, serialized_body=body)
    creds = ApiCreds("name", SECRET, "phrase")
    theirs = headers.create_level_2_headers(signer, creds, asked, timestamp=1_750_000_000)
    credentials = Credentials("name", SECRET, "phrase")
    ours = call_headers(credentials, OWNER, 1_750_000_000, "POST", "/order", body.encode())
    assert {name: str(value) for name, value in theirs.items()} == ours


def test_polymarket_client_sends_the_same_headers() -> None:
    l1 = pytest.importorskip("polymarket._internal.l1_auth")
    auth = pytest.importorskip("polymarket._internal.actions.auth")
    hmac = pytest.importorskip("polymarket._internal.hmac")
    from eth_account import Account

    signed = l1.sign_api_key_auth(
        Account.from_key(KEY), chain_id=AMOY, timestamp=1_750_000_000, nonce=3
    )
    ours = wallet_headers(KEY, 1_750_000_000, nonce=3, chain_id=AMOY)
    assert auth.build_l1_auth_headers(signed) == ours
    theirs = hmac.build_hmac_signature(
        secret=SECRET, timestamp=1, method="POST", path="/order", body='{"a":"b"}'
    )
    assert theirs == call_signature(SECRET, "1", "POST", "/order", b'{"a":"b"}')
