"""The kinds of plugin: port, folder in a user directory, registration hook."""

from __future__ import annotations

from typing import NamedTuple

from polyframe.api.exchange import Exchange
from polyframe.api.execution import ExecutionStyle
from polyframe.api.forecaster import Forecaster
from polyframe.api.market_filter import MarketFilter
from polyframe.api.objective import Objective, Observer, Searcher
from polyframe.api.plugin import Plugin
from polyframe.api.protection import Protection
from polyframe.api.sizer import Sizer
from polyframe.api.strategy import Strategy


class Kind(NamedTuple):
    """One kind of plugin. ``folder`` is its place in a user directory."""

    name: str
    port: type[Plugin]
    folder: str

    @property
    def hook(self) -> str:
        """The hook that registers classes of this kind."""
        return f"register_{self.folder}"


KINDS: dict[str, Kind] = {
    name: Kind(name, port, folder)
    for name, port, folder in (
        ("strategy", Strategy, "strategies"),
        ("forecaster", Forecaster, "forecasters"),
        ("protection", Protection, "protections"),
        ("exchange", Exchange, "exchanges"),
        ("sizer", Sizer, "sizers"),
        ("market_filter", MarketFilter, "market_filters"),
        ("execution_style", ExecutionStyle, "execution_styles"),
        ("searcher", Searcher, "searchers"),
        ("objective", Objective, "objectives"),
        ("observer", Observer, "observers"),
    )
}


def kind_of(cls: type) -> Kind | None:
    """The kind whose port a class derives from, None when it is no plugin."""
    for kind in KINDS.values():
        if issubclass(cls, kind.port) and cls is not kind.port:
            return kind
    return None
