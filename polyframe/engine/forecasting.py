"""The forecast desk: asks once, keeps the newest answers."""

from __future__ import annotations

from polyframe.domain.effects import ForecastAwaited, RequestForecast, WishRefused
from polyframe.domain.events import ForecastFailed, ForecastMade
from polyframe.domain.forecast import Forecast
from polyframe.domain.wishes import AskForecast
from polyframe.engine.context import Bound, Context


class ForecastDesk:
    """De-duplicates requests over all strategies of a session."""

    def __init__(self, context: Context, default: str) -> None:
        self.context = context
        self.default = default
        self.by_forecaster: dict[tuple[str, str], Forecast] = {}
        self.newest: dict[str, Forecast] = {}
        self.inflight: dict[tuple[str, str], str] = {}
        self.waiting: dict[str, list[str]] = {}
        exits = context.state.exits
        exits.by_forecaster, exits.newest = self.by_forecaster, self.newest

    def ask(self, bound: Bound, wish: AskForecast) -> None:
        """Asks unless the question is under way or a fresh answer is at hand."""
        c = self.context
        name = wish.forecaster or self.default
        m = c.universe.market_index.get(wish.market)
        if m is None:
            c.emit(WishRefused(c.now, bound.name, "AskForecast", "unknown market", wish.market))
            return
        self._rely(bound, m)
        key = (wish.market, name)
        held = self.by_forecaster.get(key)
        if held is not None and wish.fresh > 0 and held.known_at > c.now - wish.fresh:
            return
        request = self.inflight.get(key)
        if request is None:
            request = c.next_request()
            c.emit(RequestForecast(request, wish.market, name, c.now, bound.name))
            self.commit(request, key)
        waiting = self.waiting.setdefault(request, [])
        if bound.name not in waiting:
            waiting.append(bound.name)

    def _rely(self, bound: Bound, m: int) -> None:
        c = self.context
        if not c.state.relies(bound.ledger, m):
            effect = ForecastAwaited(bound.name, c.universe.markets[m].id)
            self.relied(effect)
            c.emit(effect)

    def relied(self, effect: ForecastAwaited) -> None:
        """From now on the guards ask about forecasts of this market when this ledger trades."""
        c = self.context
        c.state.rely(c.state.ledger_index[effect.ledger], c.universe.market_index[effect.market])

    def commit(self, request: str, key: tuple[str, str]) -> None:
        """Remembers that a question is under way."""
        self.inflight[key] = request

    def made(self, event: ForecastMade) -> list[str]:
        """Keeps an answer; returns the ledgers to tell, none when it says nothing new."""
        forecast = event.forecast
        key = (forecast.market, event.forecaster)
        told = self._settle(event.request, key)
        known = self.by_forecaster.get(key)
        if known != forecast:
            if known is None or forecast.as_of >= known.as_of:
                self.by_forecaster[key] = forecast
            newest = self.newest.get(forecast.market)
            if newest is None or forecast.as_of >= newest.as_of:
                self.newest[forecast.market] = forecast
                self.context.state.believe(forecast)
        # Even the same answer counts anew: it was given at the present price.
        self.context.state.exits.believe(forecast.market)
        return [] if known == forecast else told

    def failed(self, event: ForecastFailed) -> list[str]:
        """Forgets a question that had no answer; returns the ledgers to tell."""
        return self._settle(event.request, (event.market, event.forecaster))

    def _settle(self, request: str, key: tuple[str, str]) -> list[str]:
        if self.inflight.get(key) == request:
            del self.inflight[key]
        return self.waiting.pop(request, [])
