"""A strategy's default execution style: made, checked, refused by name."""

from __future__ import annotations

import pytest

from polyframe.errors import ConfigError, PluginError
from polyframe.runtime import build
from polyframe.runtime.config import load_config
from polyframe.runtime.plugins import Registry
from polyframe.runtime.uses import check_uses

REGISTRY = Registry.load(safe=True)


def made(*strategies):
    loaded = load_config(overrides={"strategies": list(strategies)}, env={})
    rows = [row for row in check_uses(loaded, REGISTRY) if row["kind"] == "execution_style"]
    return {p.name: p for p in build._players(loaded.config, REGISTRY)}, rows


def test_a_style_has_the_settings_of_its_strategy_alone():
    twap = {"use": "TWAP", "config": {"slices": 3}}
    found, rows = made(
        {"use": "LLMForecast", "name": "slow", "style": twap},
        {"use": "LLMForecast", "name": "whole"},
    )
    assert found["slow"].style == "TWAP"
    assert found["slow"].styles["TWAP"].config.slices == 3
    assert (found["whole"].style, found["whole"].styles) == ("", {})
    assert rows == [{"kind": "execution_style", "name": "TWAP", "path": "strategies[0].style"}]
    assert build.made_styles(REGISTRY)["TWAP"].config.slices == 5


@pytest.mark.parametrize(
    ("style", "error", "text"),
    [
        ({"use": "TWAPP"}, PluginError, r"strategies\[0\]\.style\.use: .*no execution_style named"),
        ({"use": "TWAP", "config": {"slice": 3}}, ConfigError, r"strategies\[0\]\.style\.config"),
        ({"use": "TWAP", "config": {"jitter": 1}}, ConfigError, "jitter is 1"),
        ({"use": "KellySizer"}, PluginError, "KellySizer is a sizer"),
        ({"use": ""}, ConfigError, "style.use"),
    ],
)
def test_a_wrong_style_names_its_place(style, error, text):
    with pytest.raises(error, match=text):
        made({"use": "LLMForecast", "style": style})


def test_a_mistyped_style_is_given_its_nearest_spelling():
    with pytest.raises(PluginError) as caught:
        made({"use": "LLMForecast", "style": {"use": "PostFrist"}})
    assert caught.value.expected == "PostFirst?"


def test_jitter_may_be_none_at_all():
    found, _ = made({"use": "LLMForecast", "style": {"use": "TWAP", "config": {"jitter": 0}}})
    assert found["LLMForecast"].styles["TWAP"].config.jitter == 0


def test_a_style_survives_being_written_and_counts_in_the_digest():
    plain = load_config(overrides={"strategies": [{"use": "LLMForecast"}]}, env={}).config
    styled = load_config(
        overrides={"strategies": [{"use": "LLMForecast", "style": {"use": "TWAP"}}]}, env={}
    ).config
    assert type(styled).model_validate(styled.plain()) == styled
    assert styled.digest() != plain.digest()
