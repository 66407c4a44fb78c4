"""The simulated exchange: rules, executable quotes and a broker for backtests and paper trading."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from polyframe.api.exchange import Exchange, Feed
from polyframe.api.plugin import PluginConfig
from polyframe.api.subscription import Subscription
from polyframe.domain.market import Market, Resolution
from polyframe.domain.orders import Seal
from polyframe.domain.units import Ns
from polyframe.errors import UserError
from polyframe.exchanges.sim.fees import fee_for, listed_at, notional, stressed
from polyframe.exchanges.sim.settings import SimSettings
from polyframe.exchanges.sim.shape import shape_of

if TYPE_CHECKING:
    from polyframe.exchanges.sim.broker import SimBroker
    from polyframe.exchanges.sim.quotes import PriceColumns, QuoteColumns
    from polyframe.exchanges.sim.tape_broker import TapeBroker


class SimExchange(Exchange):
    """Executes on recorded prices by stated assumptions; docs/simulation.md explains each."""

    class Config(SimSettings):
        """All assumptions of the model."""

    config: Config

    def __init__(self, config: PluginConfig | None = None) -> None:
        super().__init__(config)
        self._ruled: dict[str, Market] = {}

    def rules(self, market: Market) -> Market:
        """The market with the fee this run charges and the depth it assumes.

        Applying it twice changes nothing more.
        """
        if self._ruled.get(market.id) == market:
            return market
        ruled = self.rules_at(market, listed_at(market))
        self._ruled[market.id] = ruled
        return ruled

    def rules_at(self, market: Market, ts: Ns) -> Market:
        """The market with the fee it would pay had it been listed at ``ts``, and its depth."""
        config = self.config
        coins = notional(config.coin_taker_fee, config.coin_maker_fee)
        fee = fee_for(market, ts, config.fees, config.fee_overrides, coins)
        return msgspec.structs.replace(
            market, fee=stressed(fee, config.fee_stress), depth=shape_of(market, config)
        )

    def markets(self, query: Any = None) -> Sequence[Market]:
        """Nothing is listed here.

        Raises:
            UserError: always.
        """
        raise _no_listing()

    def feed(self, subscription: Subscription) -> Feed:
        """Nothing is published here.

        Raises:
            UserError: always.
        """
        raise _no_listing()

    def quotes(self, columns: PriceColumns, markets: Sequence[Market]) -> QuoteColumns:
        """Executable bid and ask of recorded mids; ``columns.market`` indexes ``markets``.

        Raises:
            DataError: the columns do not fit together or name other markets.
        """
        from polyframe.exchanges.sim.quotes import executable  # noqa: PLC0415 - pulls numba

        return executable(columns, markets, self.config)

    def broker(self, **connections: Any) -> SimBroker:
        """A broker over ``seal``, ``markets``, ``quotes`` and ``resolutions``.

        Raises:
            DataError: markets without rules, quotes of other markets.
        """
        from polyframe.exchanges.sim.broker import SimBroker  # noqa: PLC0415 - pulls numba

        return SimBroker(settings=self.config, **connections)

    def tape_broker(
        self,
        seal: Seal,
        markets: Sequence[Market],
        resolutions: Mapping[str, Resolution],
        *,
        ticks: Mapping[str, int],
        centres: Mapping[str, int],
    ) -> TapeBroker:
        """A broker on recorded books: ``ticks`` are the finest of each market.

        ``centres`` are prices around which the books of markets without bounds are kept.

        Raises:
            DataError: markets without rules, or of too many price steps.
        """
        from polyframe.exchanges.sim.tape_broker import TapeBroker  # noqa: PLC0415 - pulls numba
        from polyframe.exchanges.sim.tape_venue import TapeVenue  # noqa: PLC0415 - pulls numba

        venue = TapeVenue(markets, resolutions, self.config, ticks, centres)
        return TapeBroker(seal, venue, resolutions, self.config)


def _no_listing() -> UserError:
    return UserError(
        "the simulated exchange has no markets of its own",
        expected="recorded markets and prices",
        hint="polyframe data list",
    )
