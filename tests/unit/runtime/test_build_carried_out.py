"""A strategy hears before a run what of it would not be carried out."""

from __future__ import annotations

import pytest

from polyframe import PluginError, Strategy
from polyframe.runtime.build import check_carried_out
from polyframe.strategies.llm_forecast import LLMForecast


class Tape(Strategy):
    def on_trade(self, event, view):
        return ()


class Bars(Strategy):
    def on_bar(self, event, view):
        return ()


class Fortnights(Strategy):
    timeframe = "2w"


def test_methods_that_prices_never_call_are_noted():
    assert check_carried_out(Tape()) == "recorded prices never call Tape.on_trade"
    assert check_carried_out(LLMForecast()) == ""


def test_bars_of_no_length_are_refused():
    with pytest.raises(PluginError, match="Bars has on_bar and no timeframe") as error:
        check_carried_out(Bars())
    assert 'timeframe = "1h"' in str(error.value)
    with pytest.raises(PluginError, match="strategy Fortnights: timeframe '2w' is none"):
        check_carried_out(Fortnights())
