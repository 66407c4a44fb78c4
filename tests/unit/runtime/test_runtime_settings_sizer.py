"""The session's sizer and the strategies' own."""

from __future__ import annotations

import pytest

from polyframe.errors import ConfigError, PluginError
from polyframe.runtime import build
from polyframe.runtime.config import load_config
from polyframe.runtime.plugins import Registry
from polyframe.runtime.uses import check_uses

MINE = {"use": "LLMForecast", "name": "mine", "sizer": {"use": "KellySizer", "config": {"cap": 1}}}
PLAIN = {"use": "LLMForecast", "name": "plain"}


def sizers(*strategies, **more):
    loaded = load_config(overrides={"strategies": list(strategies), **more}, env={})
    registry = Registry.load(safe=True)
    checked = [row["path"] for row in check_uses(loaded, registry) if row["kind"] == "sizer"]
    return {p.name: p.sizer for p in build._players(loaded.config, registry)}, checked


def test_a_strategy_that_names_none_has_the_sessions():
    fixed = {"use": "FixedSizer", "config": {"stake": "7"}}
    made, checked = sizers(PLAIN, MINE, sizer=fixed)
    assert type(made["plain"]).__name__ == "FixedSizer"
    assert str(made["plain"].config.stake) == "7"
    assert type(made["mine"]).__name__ == "KellySizer"
    assert checked == ["strategies[1].sizer", "sizer"]


def test_the_sessions_is_kelly_by_default_and_is_not_looked_at_when_nobody_uses_it():
    made, checked = sizers(MINE, sizer={"use": "Absent"})
    assert type(made["mine"]).__name__ == "KellySizer"
    assert checked == ["strategies[0].sizer"]
    assert type(sizers(PLAIN)[0]["plain"]).__name__ == "KellySizer"


def test_an_unknown_sizer_and_a_wrong_setting_name_their_place():
    with pytest.raises(PluginError, match=r"sizer\.use: "):
        sizers(PLAIN, sizer={"use": "KelySizer"})
    with pytest.raises(ConfigError, match=r"sizer\.config\.stak"):
        sizers(PLAIN, sizer={"use": "FixedSizer", "config": {"stak": 1}})


def test_choosing_keeps_the_sessions_sizer_and_survives_being_written():
    config = load_config(overrides={"sizer": {"use": "FixedSizer"}, "strategies": [MINE]}, env={})
    chosen = config.config.choosing(["LLMForecast"])
    assert chosen.sizer.use == "FixedSizer"
    assert chosen.strategies[0].sizer is not None
    assert type(chosen).model_validate(chosen.plain()) == chosen
