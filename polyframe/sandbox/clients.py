"""Where the sandbox's doors are, and how the official clients are led to them."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from polyframe.errors import ConfigError
from polyframe.exchanges.polymarket.contracts import AMOY, contracts_of

if TYPE_CHECKING:
    from polymarket.environments import Environment

# Nothing listens on port 9 of this machine, so what has no room here is refused at once.
NOWHERE = "127.0.0.1:9"


# The client asks every two seconds; here nobody has to wait so long.
POLL_MS = 200


@dataclass(frozen=True, slots=True)
class Urls:
    """Every door of a sandbox that listens on one port."""

    base: str

    @property
    def clob(self) -> str:
        """The CLOB's REST routes."""
        return self.base + "/clob"

    @property
    def gamma(self) -> str:
        """The catalogue."""
        return self.base + "/gamma"

    @property
    def data(self) -> str:
        """The Data API."""
        return self.base + "/data"

    @property
    def relayer(self) -> str:
        """The relayer."""
        return self.base + "/relayer"

    @property
    def rpc(self) -> str:
        """The node of the sandbox's chain."""
        return self.base + "/rpc"

    @property
    def debug(self) -> str:
        """What no real venue has: audit, clock, faults."""
        return self.base + "/debug"

    @property
    def ws_market(self) -> str:
        """The market channel."""
        return self._ws + "/ws/market"

    @property
    def ws_user(self) -> str:
        """The user channel."""
        return self._ws + "/ws/user"

    @property
    def _ws(self) -> str:
        return "ws" + self.base.removeprefix("http")


def environment(base: str | Urls) -> Environment:
    """The environment that leads polymarket-client to a sandbox, and to nothing else.

    The client has no public way to name other hosts. This uses the private one of version 0.14.0
    and leads every address it knows of to the sandbox, or nowhere.

    Raises:
        ConfigError: polymarket-client is missing or another version, or would reach outside.
    """
    try:
        from polymarket._internal.environment import (  # noqa: PLC0415 - an option
            PRODUCTION_CONFIG,
            create_environment,
        )
    except ImportError as error:
        raise ConfigError(
            "polymarket-client is not installed, or its insides have moved",
            expected="polymarket-client 0.14",
            hint="pip install 'polymarket-client==0.14.0'",
        ) from error
    urls = base if isinstance(base, Urls) else Urls(base.rstrip("/"))
    known = {
        "clob_url": urls.clob,
        "gamma_url": urls.gamma,
        "data_url": urls.data,
        "relayer_url": urls.relayer,
        "rpc_url": urls.rpc,
        "clob_market_ws_url": urls.ws_market,
        "clob_user_ws_url": urls.ws_user,
    }
    contracts = contracts_of(AMOY)
    changes: dict[str, object] = {
        "chain_id": AMOY,
        "conditional_tokens": contracts.conditional_tokens,
        "exchange_v3": contracts.exchange_v3,
        "relayer_poll_frequency_ms": POLL_MS,
    }
    for each in dataclasses.fields(PRODUCTION_CONFIG):
        value = getattr(PRODUCTION_CONFIG, each.name)
        if isinstance(value, str) and "://" in value:
            changes[each.name] = known.get(each.name, f"{urlsplit(value).scheme}://{NOWHERE}")
    missing = known.keys() - changes.keys()
    if missing:
        raise ConfigError(
            f"this polymarket-client has no {', '.join(sorted(missing))}",
            expected="polymarket-client 0.14",
            hint="pip install 'polymarket-client==0.14.0'",
        )
    config = dataclasses.replace(PRODUCTION_CONFIG, **changes)  # type: ignore[arg-type]
    return create_environment(name="sandbox", config=config)
