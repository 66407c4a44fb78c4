"""Stops everything on command."""

from __future__ import annotations

from polyframe import Protection


class KillSwitch(Protection):
    """No new exposure while the kill switch is latched or trading is halted.

    Always installed. The latch is released by a person only.
    """

    kernel = "kill_switch"
