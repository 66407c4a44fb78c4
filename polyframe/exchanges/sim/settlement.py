"""What happens on the chain: splits, merges and redemptions, never before they are possible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from polyframe.domain.events import (
    Event,
    OperationFailed,
    PositionMerged,
    PositionRedeemed,
    PositionSplit,
)
from polyframe.domain.market import Market, Resolution
from polyframe.domain.units import PAYOUT_ONE, Money, Ns, Size, payout_of
from polyframe.errors import DataError
from polyframe.exchanges.sim.settings import SimSettings


class Settled(NamedTuple):
    """The answer to an operation, and the money the venue received by it (negative: paid out)."""

    event: Event
    received: Money


class Settlement:
    """Carries out operations on positions for the simulated venue."""

    def __init__(
        self,
        markets: Sequence[Market],
        resolutions: Mapping[str, Resolution],
        settings: SimSettings,
    ) -> None:
        self._markets = {market.id: market for market in markets}
        self._resolutions = resolutions
        self._settings = settings
        for market in markets:
            _check(market, resolutions.get(market.id))

    def split(self, ledger: str, market: str, size: Size, now: Ns) -> Settled:
        """Money into pairs, rounded up."""
        if (reason := self._unfit(market, size, pairs=True)) is not None:
            return self._failed(ledger, "split", market, reason, now)
        paid = -payout_of(-PAYOUT_ONE, size, self._markets[market].size_decimals)
        return Settled(PositionSplit(now + self._settings.settle, ledger, market, size), paid)

    def merge(self, ledger: str, market: str, size: Size, now: Ns) -> Settled:
        """Pairs into money, rounded down."""
        if (reason := self._unfit(market, size, pairs=True)) is not None:
            return self._failed(ledger, "merge", market, reason, now)
        paid = payout_of(PAYOUT_ONE, size, self._markets[market].size_decimals)
        return Settled(PositionMerged(now + self._settings.settle, ledger, market, size), -paid)

    def redeem(self, ledger: str, market: str, token: str, size: Size, now: Ns) -> Settled:
        """Shares into the payout of the resolution, once it was known."""
        if (reason := self._unfit(market, size, pairs=False)) is not None:
            return self._failed(ledger, "redeem", market, reason, now)
        resolution = self._resolutions.get(market)
        if resolution is None or now < resolution.known_at:
            return self._failed(ledger, "redeem", market, "the market is not resolved", now)
        tokens = [known.id for known in self._markets[market].tokens]
        if token not in tokens:
            reason = f"the market has no token {token}"
            return self._failed(ledger, "redeem", market, reason, now)
        payout = resolution.payouts[tokens.index(token)]
        paid = payout_of(payout, size, self._markets[market].size_decimals)
        ts = now + self._settings.settle
        return Settled(PositionRedeemed(ts, ledger, market, token, size, payout), -paid)

    def _unfit(self, market: str, size: Size, *, pairs: bool) -> str | None:
        found = self._markets.get(market)
        if found is None:
            return "market not found"
        if pairs and not found.binary:
            return "the market is not binary"
        return None if size > 0 else f"size {size} is not positive"

    def _failed(self, ledger: str, what: str, market: str, reason: str, now: Ns) -> Settled:
        ts = now + self._settings.response
        return Settled(OperationFailed(ts, ledger, what, market, reason), 0)


def _check(market: Market, resolution: Resolution | None) -> None:
    if market.fee is None:
        raise DataError(
            f"market {market.id} has no fee schedule",
            expected="markets passed through SimExchange.rules() first",
        )
    if len(market.tokens) > 2:
        raise DataError(
            f"market {market.id} has {len(market.tokens)} tokens",
            expected="one or two: the recorded price is that of YES",
        )
    if resolution is not None and len(resolution.payouts) != len(market.tokens):
        raise DataError(
            f"resolution of market {market.id} pays {len(resolution.payouts)} tokens",
            expected=f"{len(market.tokens)} payouts",
        )
