"""LLMForecast: trade where a forecaster and the market disagree by more than it costs.

Asks the session's forecaster about every market, pools the answer with the price at the moment of
the decision, and buys the side whose pooled probability exceeds its all-in cost. The sizer stakes a
fraction of the Kelly bet. Shares are held to resolution, or sold when the market pays more for them
than they are believed to be worth.

Where the forecasts come from is the forecaster's business: a language model in live trading,
recorded answers in a backtest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from polyframe import (
    HOUR,
    SECOND,
    AskForecast,
    Forecast,
    ForecastFailed,
    ForecastMade,
    Intent,
    Kind,
    Market,
    Moved,
    PluginConfig,
    Real,
    SessionStarted,
    Side,
    Strategy,
    Subscription,
    TimerFired,
    Token,
    View,
    WakeAt,
    Wish,
    Woken,
    buy_cost,
    log_odds_pool,
    sell_net,
)


class LLMForecast(Strategy):
    """Forecast against market, pooled in log-odds; fractional Kelly; hold or sell on thesis."""

    class Config(PluginConfig):
        """Units: probabilities and edges as fractions of 1; times in seconds or hours."""

        forecaster: str = ""
        weight: float = Real(0.33, 0.0, 1.0, space="entry")
        """the forecaster's weight in log-odds; the market has the rest"""
        min_edge: float = Real(0.04, 0.01, 0.15, space="entry")
        """expected gain a share after fees at the worst price accepted"""
        slippage: float = Real(0.02, 0.0, 0.05, space="entry")
        """how far beyond the ask an entry may go"""
        exit_edge: float = Real(0.02, 0.0, 0.10, space="exit")
        """sell when the bid after fees is worth so much more than holding"""
        max_age_hours: float = 36.0
        """a forecast older than this decides nothing"""
        refresh_hours: float = 24.0
        retry_hours: float = 1.0
        close_hours: float = 2.0
        """no entries so shortly before a market closes"""
        cycle_seconds: float = 180.0
        max_markets_per_cycle: int = 50
        moved_ticks: int = 20
        """look again when a price moved so far"""

    class State(msgspec.Struct):
        """When each market is to be asked about next."""

        due: dict[str, int] = {}

    state: State
    config: Config

    def subscribe(self, markets: Sequence[Market]) -> Subscription:
        """Prices of all markets, woken when one moves."""
        return Subscription(wake=(Moved(self.config.moved_ticks),))

    def on_start(self, event: SessionStarted, view: View) -> Iterator[Wish]:
        """Begins the first cycle at once."""
        yield WakeAt(view.now, "cycle")

    def on_wake(self, event: TimerFired | Woken, view: View) -> Iterator[Wish]:
        """Asks about markets that are due, or looks again at one that moved."""
        if isinstance(event, Woken):
            market = view.market(event.token)
            if view.forecast(market.id, self.config.forecaster) is not None:
                yield from self._decide(market, view)
            return
        yield from self._cycle(view)

    def on_forecast(self, event: ForecastMade | ForecastFailed, view: View) -> Iterator[Wish]:
        """Decides on a fresh forecast; asks again later when there was none."""
        if isinstance(event, ForecastFailed):
            self.state.due[event.market] = view.now + int(self.config.retry_hours * HOUR)
            return
        yield from self._decide(view.market(event.forecast.market), view)

    def _cycle(self, view: View) -> Iterator[Wish]:
        cycle = int(self.config.cycle_seconds * SECOND)
        refresh = int(self.config.refresh_hours * HOUR)
        due = self.state.due
        soonest = view.now + refresh
        asked = 0
        for market in view.markets():
            if market.opened > view.now:
                soonest = min(soonest, market.opened)
                continue
            at = due.get(market.id, 0)
            if at <= view.now and asked < self.config.max_markets_per_cycle:
                asked += 1
                at = due[market.id] = view.now + refresh
                # Anything newer than what is known counts; the desk drops what says nothing new.
                yield AskForecast(market.id, self.config.forecaster)
            soonest = min(soonest, at)
        yield WakeAt(max(soonest, view.now + cycle), "cycle")

    def _decide(self, market: Market, view: View) -> Iterator[Wish]:
        forecast = view.forecast(market.id, self.config.forecaster)
        quote = view.book(market.yes.id)
        if forecast is None or not market.binary or not quote.trusted or not quote.two_sided:
            return
        if view.now - forecast.known_at > self.config.max_age_hours * HOUR:
            return
        pooled = self._pool(forecast, (quote.bid + quote.ask) / 2 / market.price_one)
        holds = False
        for token, probability in ((market.yes, pooled), (market.no, 1.0 - pooled)):
            if view.orders(token.id):
                return
            if view.position(token.id).shares:
                holds = True
                yield from self._exit(market, token, probability, view)
        if not holds and market.closes - view.now > self.config.close_hours * HOUR:
            yield from self._enter(market, pooled, view)

    def _pool(self, forecast: Forecast, market: float) -> float:
        weight = self.config.weight
        believed = min(max(market, 0.001), 0.999)
        return log_odds_pool([forecast.probability, believed], [weight, 1.0 - weight])

    def _exit(self, market: Market, token: Token, probability: float, view: View) -> Iterator[Wish]:
        bid = view.book(token.id).bid
        if bid <= 0:
            return
        rate, exponent = self._fee(market)
        if sell_net(bid / market.price_one, rate, exponent) < probability + self.config.exit_edge:
            return
        yield Intent(
            token=token.id,
            side=Side.SELL,
            price=bid - round(self.config.slippage * market.price_one),
            probability=probability,
            kind=Kind.EXIT,
            reason="thesis",
        )

    def _enter(self, market: Market, pooled: float, view: View) -> Iterator[Wish]:
        rate, exponent = self._fee(market)
        one = market.price_one
        for token, probability in ((market.yes, pooled), (market.no, 1.0 - pooled)):
            ask = view.book(token.id).ask
            if ask <= 0:
                continue
            edge = probability - buy_cost(ask / one, rate, exponent)
            if edge < self.config.min_edge:
                continue
            # No further than where the edge would be used up.
            spare = min(edge - self.config.min_edge, self.config.slippage)
            yield Intent(
                token=token.id,
                side=Side.BUY,
                price=ask + int(spare * one),
                probability=probability,
                reason="edge",
            )
            return

    @staticmethod
    def _fee(market: Market) -> tuple[float, int]:
        return (market.fee.rate / 1e6, market.fee.exponent) if market.fee else (0.0, 1)
