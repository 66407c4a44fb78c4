"""Every worked example in user_data passes the suite of its kind."""

from __future__ import annotations

from pathlib import Path

from polyframe.runtime.plugins import Registry
from polyframe.testing import (
    ExchangeSuite,
    ForecasterSuite,
    PluginSuite,
    ProtectionSuite,
    StrategySuite,
    load_plugin,
)

USER_DATA = Path(__file__).parents[2] / "user_data"


class TestMomentum(StrategySuite):
    plugin = load_plugin("strategy", "Momentum", USER_DATA)


class TestShrunkMarket(ForecasterSuite):
    plugin = load_plugin("forecaster", "ShrunkMarket", USER_DATA)


class TestOnePerEvent(ProtectionSuite):
    plugin = load_plugin("protection", "OnePerEvent", USER_DATA)


class TestSlowDesk(ExchangeSuite):
    plugin = load_plugin("exchange", "SlowDesk", USER_DATA)


def test_every_example_has_its_suite():
    tested = {
        value.plugin.__name__
        for value in list(globals().values())
        if isinstance(value, type) and issubclass(value, PluginSuite) and "plugin" in vars(value)
    }
    registry = Registry.load(USER_DATA, entry_points=False, env={})
    # What a reader of the README has put beside the examples is his own.
    shipped = {"momentum", "shrunk_market", "one_per_event", "slow_desk"}
    found = {r.name for r in registry.all() if r.origin.kind == "file" and r.file.stem in shipped}
    assert tested == found
    assert len(found) == len(shipped)
