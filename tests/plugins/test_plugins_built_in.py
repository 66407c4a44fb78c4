"""Every built-in passes the suite of its kind."""

from __future__ import annotations

import pytest

from polyframe.domain.market import Market
from polyframe.domain.orders import Seal
from polyframe.domain.units import MINUTE
from polyframe.runtime.plugins import Registry
from polyframe.testing import (
    START,
    ExchangeSuite,
    ForecasterSuite,
    PluginSuite,
    ProtectionSuite,
    SizerSuite,
    StrategySuite,
    built_in,
)


class TestLLMForecast(StrategySuite):
    plugin = built_in("strategy", "LLMForecast")


class TestRecorded(ForecasterSuite):
    plugin = built_in("forecaster", "Recorded")


class TestMarketPrior(ForecasterSuite):
    plugin = built_in("forecaster", "MarketPrior")


class TestCalibrated(ForecasterSuite):
    plugin = built_in("forecaster", "Calibrated")


class TestEnsemble(ForecasterSuite):
    plugin = built_in("forecaster", "Ensemble")


class TestKellySizer(SizerSuite):
    plugin = built_in("sizer", "KellySizer")


class TestFixedSizer(SizerSuite):
    plugin = built_in("sizer", "FixedSizer")


class TestMaxStake(ProtectionSuite):
    plugin = built_in("protection", "MaxStake")


class TestDailyLoss(ProtectionSuite):
    plugin = built_in("protection", "DailyLoss")


class TestOpenPositions(ProtectionSuite):
    plugin = built_in("protection", "OpenPositions")


class TestKillSwitch(ProtectionSuite):
    plugin = built_in("protection", "KillSwitch")


class TestPriceBand(ProtectionSuite):
    plugin = built_in("protection", "PriceBand")


class TestMinEdge(ProtectionSuite):
    plugin = built_in("protection", "MinEdge")


class TestVenueRules(ProtectionSuite):
    plugin = built_in("protection", "VenueRules")


class TestTrustedBook(ProtectionSuite):
    plugin = built_in("protection", "TrustedBook")


class TestBalance(ProtectionSuite):
    plugin = built_in("protection", "Balance")


class TestSimExchange(ExchangeSuite):
    plugin = built_in("exchange", "SimExchange")

    def connect(self, seal: Seal, markets: list[Market]):
        """A broker over an hour of quotes."""
        import numpy as np

        from polyframe.exchanges.sim.quotes import QuoteColumns

        n = 60
        quotes = QuoteColumns(
            ts=START + np.arange(n, dtype=np.int64) * MINUTE,
            market=np.zeros(n, np.int32),
            bid=np.full(n, 4_900, np.int64),
            ask=np.full(n, 5_100, np.int64),
            flag=np.zeros(n, np.uint8),
        )
        return self.make().broker(seal=seal, markets=markets, quotes=quotes, resolutions={})

    @pytest.mark.skip(reason="the core's own exchange is built from inside, its users are not")
    def test_it_uses_public_names_only(self):
        """See the reason."""


def test_every_built_in_has_its_suite():
    tested = {
        value.plugin.__name__
        for value in list(globals().values())
        if isinstance(value, type) and issubclass(value, PluginSuite) and "plugin" in vars(value)
    }
    assert tested == {found.name for found in Registry.load(safe=True).all()}
