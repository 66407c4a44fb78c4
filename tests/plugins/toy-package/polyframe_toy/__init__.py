"""Plugins found by the module's classes and by its hooks."""

from polyframe import FillBooked, Sizer, Strategy, hookimpl
from polyframe_toy.hidden import Registered

FILLS: list[str] = []


class ToyStrategy(Strategy):
    """Wants nothing."""


@hookimpl
def register_sizers() -> list[type[Sizer]]:
    """Classes of another module, handed over by a hook."""
    return [Registered]


@hookimpl
def fill_booked(effect: FillBooked) -> None:
    """Counts executions."""
    FILLS.append(effect.fill.trade)
