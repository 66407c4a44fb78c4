"""The three gates before real money: a venue that is not this machine, venue orders, consent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from polyframe.errors import ConfigError
from polyframe.runtime.settings import Config

CONSENT = "ENABLE_LIVE_TRADING"


@dataclass(frozen=True)
class LiveGate:
    """The answer of each gate. Real money moves only when all three are open."""

    remote: bool
    """the venue is not on this machine"""
    venue_orders: bool
    """orders go to the venue, not to the simulated exchange"""
    consent: bool
    """ENABLE_LIVE_TRADING is true"""

    @property
    def open(self) -> bool:
        """True when orders move real money."""
        return self.remote and self.venue_orders and self.consent


def live_gate(config: Config, urls: Iterable[str], *, consent: bool) -> LiveGate:
    """The gates for a configuration and the addresses that orders would go to."""
    return LiveGate(
        remote=any(not is_loopback(url) for url in urls),
        venue_orders=config.venue.orders == "venue",
        consent=consent,
    )


def check_gate(gate: LiveGate, config: Config, urls: Iterable[str]) -> None:
    """Refuses a session whose orders would reach a real venue without all three gates.

    Raises:
        ConfigError: venue orders to another machine without consent, or under the name sandbox.
    """
    if not (gate.remote and gate.venue_orders):
        return
    far = next(url for url in urls if not is_loopback(url))
    if config.venue.endpoint == "sandbox":
        raise ConfigError(
            f"venue.endpoint is sandbox, but orders would go to {far}",
            expected="an address of this machine",
            hint="remove it from venue.urls, or set venue.endpoint to polymarket",
        )
    if not gate.consent:
        raise ConfigError(
            f"orders would go to {far} with real money, and {CONSENT} is not true",
            expected=f"{CONSENT}=true in the environment, or no real orders",
            hint='to trade on paper set venue.orders to "sim"',
        )


def is_loopback(url: str) -> bool:
    """True when an address is certainly this machine. A name that must be looked up is not."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
