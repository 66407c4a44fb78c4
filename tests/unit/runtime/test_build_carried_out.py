"""A strategy hears before a run what of it would not be carried out."""

from __future__ import annotations

import pytest

from polyframe import PluginError, Strategy
from polyframe.runtime.build import check_carried_out
from polyframe.strategies.llm_forecast import LLMForecast


class Stops(Strategy):
    stop_loss = 0.2


class Bars(Strategy):
    def on_bar(self, event, view):
        return ()


def test_a_declared_stop_that_nobody_would_carry_out_is_refused():
    with pytest.raises(PluginError, match="Stops declares stop_loss") as error:
        check_carried_out(Stops())
    assert "on_wake" in str(error.value)


def test_methods_that_prices_never_call_are_noted():
    assert check_carried_out(Bars()) == "recorded prices never call Bars.on_bar"
    assert check_carried_out(LLMForecast()) == ""
