"""Secrets and the gates before real money."""

from __future__ import annotations

from itertools import product

import pytest

from polyframe.errors import ConfigError
from polyframe.runtime.config import Config, validated
from polyframe.runtime.gate import check_gate, is_loopback, live_gate
from polyframe.runtime.secrets import MASK, load_secrets


def test_the_environment_beats_the_file_here_which_beats_the_user_directorys(tmp_path):
    here, user_data = tmp_path / "here", tmp_path / "user_data"
    for place, text in (
        (here, "OPENAI_API_KEY=here\n"),
        (user_data, "OPENAI_API_KEY=user\nANTHROPIC_API_KEY=user\nPOLYMARKET_API_KEY=user\n"),
    ):
        place.mkdir()
        (place / ".env").write_text(text)
    found = load_secrets(user_data, env={"POLYMARKET_API_KEY": "environment"}, cwd=here)
    assert found.openai_api_key.get_secret_value() == "here"
    assert found.anthropic_api_key.get_secret_value() == "user"
    assert found.polymarket_api_key.get_secret_value() == "environment"
    assert found.polymarket_private_key is None


def test_a_secret_is_never_shown(tmp_path):
    found = load_secrets(tmp_path, env={"POLYMARKET_PRIVATE_KEY": "0xsecret"}, cwd=tmp_path)
    assert "0xsecret" not in repr(found) + str(found.masked())
    assert found.masked()["POLYMARKET_PRIVATE_KEY"] == MASK
    assert found.masked()["OPENAI_API_KEY"] is None


def test_settings_do_not_belong_into_the_env_file(tmp_path):
    (tmp_path / ".env").write_text("POLYFRAME__ACCOUNT__CASH=5\n")
    with pytest.raises(ConfigError, match="POLYFRAME__ACCOUNT__CASH is a setting"):
        load_secrets(tmp_path, env={}, cwd=tmp_path)


def test_consent_must_be_readable(tmp_path):
    assert load_secrets(tmp_path, env={"ENABLE_LIVE_TRADING": "true"}).enable_live_trading
    assert not load_secrets(tmp_path, env={"ENABLE_LIVE_TRADING": "false"}).enable_live_trading
    with pytest.raises(ConfigError, match="ENABLE_LIVE_TRADING"):
        load_secrets(tmp_path, env={"ENABLE_LIVE_TRADING": "perhaps"})


FAR, NEAR = "https://clob.example.test", "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    ("url", "orders", "consent"), list(product((FAR, NEAR), ("venue", "sim"), (True, False)))
)
def test_real_money_needs_all_three_gates(url, orders, consent):
    config = validated({"venue": {"endpoint": "polymarket", "orders": orders}})
    gate = live_gate(config, [NEAR, url], consent=consent)
    assert gate.open == (url == FAR and orders == "venue" and consent)
    if url == FAR and orders == "venue" and not consent:
        with pytest.raises(ConfigError, match="ENABLE_LIVE_TRADING is not true"):
            check_gate(gate, config, [NEAR, url])
    else:
        check_gate(gate, config, [NEAR, url])


def test_the_sandbox_never_sends_orders_to_another_machine():
    gate = live_gate(Config(), [FAR], consent=True)
    with pytest.raises(ConfigError, match="endpoint is sandbox"):
        check_gate(gate, Config(), [FAR])


@pytest.mark.parametrize(
    ("url", "answer"),
    [
        ("http://localhost:1", True),
        ("http://127.8.9.1", True),
        ("ws://[::1]:80/x", True),
        ("http://0.0.0.0", False),
        ("http://localhost.example.test", False),
        ("http://127.0.0.1.example.test", False),
        ("http://10.0.0.1", False),
        ("127.0.0.1", False),
        ("", False),
    ],
)
def test_only_certain_addresses_are_this_machine(url, answer):
    assert is_loopback(url) is answer
