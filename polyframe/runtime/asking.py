"""Asks forecasters in a replay, where nothing may wait."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime
from typing import Any

from polyframe.api.forecaster import Forecaster
from polyframe.domain.effects import RequestForecast
from polyframe.domain.events import ForecastFailed, ForecastMade
from polyframe.domain.forecast import Forecast, MarketSnapshot, Question
from polyframe.domain.market import Market
from polyframe.domain.units import SECOND, Ns
from polyframe.engine.engine import Engine
from polyframe.errors import ForecastError, LookaheadError, PluginError, UserError
from polyframe.runtime.calls import PluginCalls


def question_of(market: Market) -> Question:
    """What a forecaster is told about a market: nothing that came later."""
    return Question(
        market.id,
        market.question,
        tuple(token.outcome for token in market.tokens),
        market.category,
        market.closes,
        market.group,
    )


def snapshot_of(engine: Engine, market: Market) -> MarketSnapshot | None:
    """The market's price now, None without a trustworthy two-sided quote."""
    context = engine.context
    quote = context.books.quote(context.universe.token(market.yes.id))
    if not quote.trusted or not quote.two_sided:
        return None
    probability = (quote.bid + quote.ask) / 2 / market.price_one
    return MarketSnapshot(market.id, quote.bid, quote.ask, probability, quote.ts)


def answer_of(
    calls: PluginCalls,
    name: str,
    method: Callable[..., Any],
    answer: Coroutine[Any, Any, Forecast],
) -> Forecast:
    """Runs a forecaster's coroutine that never really waits.

    Raises:
        ForecastError: there is no answer, or only one from outside.
        PluginError: the forecaster raised; its class, file and line are named.
    """
    ended, found = calls.drive(name, method, answer, ForecastError)
    if not ended:
        raise ForecastError(
            f"forecaster {name} waits for something outside; a replay cannot",
            expected="recorded forecasts",
            hint="polyframe data import forecasts FILE",
        )
    return found  # type: ignore[no-any-return]


def check_answer(forecast: object, request: RequestForecast, *, forecast_by: Ns) -> None:
    """Sees to it that an answer is one to this question, and stands ready by a moment.

    Raises:
        PluginError: it is something else.
        LookaheadError: it claims knowledge of later, or to be ready only later.
    """
    name = request.forecaster
    if not isinstance(forecast, Forecast) or forecast.market != request.market:
        raise PluginError(
            f"forecaster {name} answered {forecast!r}",
            expected=f"a Forecast for market {request.market}",
        )
    if forecast.known_at > forecast_by:
        raise LookaheadError(
            f"forecaster {name} answered for market {request.market} with a forecast that was "
            f"ready at {forecast.known_at}, asked at {request.as_of}",
            expected="a forecast with as_of + latency at or before the moment of asking",
        )


class ReplayForecasts:
    """Answers forecast requests of a replay at once, from pure forecasters only.

    ``before`` is called with the moment of each request first: forecasters learn there.
    """

    def __init__(
        self,
        forecasters: Mapping[str, Forecaster],
        calls: PluginCalls,
        *,
        missing: str = "skip",
        before: Callable[[Ns], None] | None = None,
    ) -> None:
        self.forecasters = forecasters
        self.calls = calls
        self.missing = missing
        self._before = before

    def answer(self, engine: Engine, request: RequestForecast) -> ForecastMade | ForecastFailed:
        """What the forecaster says as of the moment of asking.

        Raises:
            UserError: no such forecaster.
            ForecastError: nothing was recorded, where that is an error.
            LookaheadError: the answer was not ready at that moment.
        """
        forecaster = self.forecasters.get(request.forecaster)
        if forecaster is None:
            known = ", ".join(sorted(self.forecasters)) or "none"
            raise UserError(
                f"no forecaster is called {request.forecaster!r} in this session",
                expected=f"one of: {known}",
                hint="polyframe config show",
            )
        if self._before is not None:
            self._before(request.as_of)
        market = engine.context.universe.market(request.market)
        snapshot = None if forecaster.blind else snapshot_of(engine, market)
        name = request.forecaster
        try:
            forecast = answer_of(
                self.calls,
                name,
                forecaster.forecast,
                forecaster.forecast(question_of(market), None, snapshot, request.as_of),
            )
        except ForecastError as error:
            if self.missing == "error":
                moment = datetime.fromtimestamp(request.as_of / SECOND, UTC)
                raise ForecastError(
                    f"forecaster {name} has no answer for market {market.id} at "
                    f"{moment:%Y-%m-%d %H:%M} UTC: {error.message}",
                    expected="a recorded forecast, or backtest.missing = skip",
                    hint="run it again with --missing skip",
                ) from error
            return ForecastFailed(
                request.as_of, request.request, market.id, name, error.message, True
            )
        check_answer(forecast, request, forecast_by=request.as_of)
        return ForecastMade(request.as_of, request.request, name, forecast)
