"""Conformance suites and builders for authors of plugins.

::

    from polyframe.testing import StrategySuite


    class TestMyIdea(StrategySuite):
        plugin = MyIdea
"""

from __future__ import annotations

from polyframe.testing.builders import (
    SHARE,
    START,
    build_book,
    build_forecast,
    build_group,
    build_market,
    build_quote,
)
from polyframe.testing.contract import PluginSuite, load_plugin
from polyframe.testing.exchanges import ExchangeSuite
from polyframe.testing.forecasters import ForecasterSuite, Records
from polyframe.testing.protections import ProtectionSuite, SizerSuite, build_proposal
from polyframe.testing.session import Session, built_in
from polyframe.testing.strategies import StrategySuite
from polyframe.testing.styles import StyleSuite
from polyframe.testing.transcript import transcript

__all__ = [
    "SHARE",
    "START",
    "ExchangeSuite",
    "ForecasterSuite",
    "PluginSuite",
    "ProtectionSuite",
    "Records",
    "Session",
    "SizerSuite",
    "StrategySuite",
    "StyleSuite",
    "build_book",
    "build_forecast",
    "build_group",
    "build_market",
    "build_proposal",
    "build_quote",
    "built_in",
    "load_plugin",
    "transcript",
]
