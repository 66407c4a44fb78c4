from __future__ import annotations

import pytest
from pydantic import ValidationError

from polyframe import Choice, Int, PluginConfig, PluginError, Real
from polyframe.api.param import search_ranges


class Config(PluginConfig):
    hours: int = Int(24, 1, 72, step=2, space="exit")
    edge: float = Real(0.04, 0.001, 0.1, log=True)
    style: str = Choice("limit", ["limit", "twap"])
    plain: int = 7


def test_a_range_is_a_default_and_where_to_search() -> None:
    assert Config().model_dump() == {"hours": 24, "edge": 0.04, "style": "limit", "plain": 7}
    assert search_ranges(Config) == {
        "hours": {"kind": "int", "low": 1, "high": 72, "step": 2, "space": "exit"},
        "edge": {"kind": "real", "low": 0.001, "high": 0.1, "log": True, "space": ""},
        "style": {"kind": "choice", "options": ["limit", "twap"], "space": ""},
    }


def test_a_range_does_not_say_what_is_valid() -> None:
    assert Config(hours=500).hours == 500


def test_a_range_s_type_is_checked() -> None:
    with pytest.raises(ValidationError):
        Config(hours="soon")  # type: ignore[arg-type]


def test_an_empty_range_is_refused() -> None:
    with pytest.raises(PluginError, match="range 5 to 1 is empty"):
        Int(3, 5, 1)
    with pytest.raises(PluginError, match="is empty"):
        Real(0.1, 0.0, float("nan"))


def test_a_default_must_be_an_option() -> None:
    with pytest.raises(PluginError, match="'c' is not among"):
        Choice("c", ["a", "b"])


def test_changing_found_ranges_changes_no_config() -> None:
    search_ranges(Config)["hours"]["low"] = 99
    assert search_ranges(Config)["hours"]["low"] == 1
