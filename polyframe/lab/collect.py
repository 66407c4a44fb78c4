"""Watches a replay and keeps what a report is made of."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from polyframe.api.forecaster import ForecastSource
from polyframe.domain.effects import (
    Effect,
    FillBooked,
    OrderReviewed,
    PositionSettled,
    SubmitOrder,
    WishRefused,
)
from polyframe.domain.events import (
    Event,
    ForecastFailed,
    ForecastMade,
    PositionMerged,
    RewardPaid,
)
from polyframe.domain.forecast import Forecast
from polyframe.domain.units import PAYOUT_ONE, Ns, Price, payout_of
from polyframe.engine.engine import Engine
from polyframe.lab.logs import FillLog, ReviewLog
from polyframe.lab.record import FillRecord, ForecastCounts, Judgement, LeftOpen, Merged
from polyframe.runtime.build import Session
from polyframe.runtime.feed import QuoteFeed
from polyframe.runtime.own_orders import Watched


class Collector:
    """Called after every step with the event and its effects; keeps what steps told."""

    def __init__(self) -> None:
        self.engine: Engine | None = None
        self.fills: list[FillBooked] = []
        self.settlements: list[PositionSettled] = []
        self.rewards: list[RewardPaid] = []
        self.reviews: list[OrderReviewed] = []
        self.refusals: Counter[str] = Counter()
        self.judgements: list[Judgement] = []
        self.unpriced: list[Judgement] = []
        self.delivered: dict[Forecast, None] = {}
        self.unanswered: set[str] = set()
        self.own: Watched | None = None
        """follows the orders of a run over recorded books"""
        self._mids: dict[str, Price | None] = {}
        self._late: tuple[Any, Any] = (None, None)
        self._decisions: dict[str, OrderReviewed] = {}

    def watch(self, event: Event, effects: Sequence[Effect]) -> None:
        """Keeps what matters of one step."""
        if self.own is not None:
            self.own.heard(event)
        self._heard(event)
        for effect in effects:
            if isinstance(effect, FillBooked):
                self.fills.append(effect)
            elif isinstance(effect, OrderReviewed):
                self.reviews.append(effect)
                if effect.order:
                    self._decisions[effect.order] = effect
            elif isinstance(effect, SubmitOrder):
                self._mids[effect.order.id] = self._mid(effect.order.market)
                if self.own is not None:
                    self.own.sent(effect.order)
            elif isinstance(effect, PositionSettled):
                self.settlements.append(effect)
            elif isinstance(effect, WishRefused):
                self.refusals[f"{effect.wish}: {effect.reason}"] += 1

    def _heard(self, event: Event) -> None:
        if isinstance(event, ForecastMade):
            self._forecast(event)
        elif isinstance(event, PositionMerged):
            self._merged(event)
        elif isinstance(event, RewardPaid):
            self.rewards.append(event)
        elif isinstance(event, ForecastFailed):
            self.unanswered.add(event.market)

    def _merged(self, event: PositionMerged) -> None:
        """Both sides of pairs that became money, as the books have them."""
        if self.engine is None:
            return
        market = self.engine.context.universe.market(event.market)
        received = payout_of(PAYOUT_ONE, event.size, market.size_decimals)
        half = received // 2
        for token, part in zip(market.tokens, (received - half, half), strict=True):
            self.settlements.append(
                Merged(
                    event.ts, event.ledger, market.id, token.id, event.size, PAYOUT_ONE // 2, part,
                    0,
                )
            )  # fmt: skip

    def _forecast(self, event: ForecastMade) -> None:
        forecast = event.forecast
        if forecast in self.delivered:
            return
        self.delivered[forecast] = None
        mid = self._mid(forecast.market)
        if self.engine is None:
            return
        one = self.engine.context.universe.market(forecast.market).price_one
        given = Judgement(
            forecast.market, event.ts, forecast.probability, math.nan if mid is None else mid / one,
            forecast.source, forecast.confidence, forecast.evidence, forecast.cutoff,
        )  # fmt: skip
        (self.unpriced if mid is None else self.judgements).append(given)

    def _mid(self, market: str) -> Price | None:
        if self.engine is None:
            return None
        context = self.engine.context
        token = context.universe.token(context.universe.market(market).yes.id)
        quote = context.books.quote(token)
        if not quote.trusted or not quote.two_sided:
            return None
        return (quote.bid + quote.ask) // 2

    def take(self, feed: QuoteFeed) -> None:
        """Adds what a compiled feed did of which no step told."""
        self._late = feed.unstepped()
        self.refusals.update(feed.refused())

    def fill_log(self, flags: Mapping[str, int]) -> FillLog:
        """All fills with what was known when each was decided."""
        stepped = [
            FillRecord(
                booked.fill,
                flags.get(booked.fill.trade, 0),
                self._mids.get(booked.fill.order),
                self._decisions.get(booked.fill.order),
            )
            for booked in self.fills
        ]
        return FillLog(stepped, self._late[0])

    def review_log(self) -> ReviewLog:
        """All reviews."""
        return ReviewLog(self.reviews, self._late[1])

    def denials(self) -> dict[str, int]:
        """How many orders each protection denied."""
        return self.review_log().denials()

    def forecast_counts(self, records: ForecastSource, closes: Mapping[str, Ns]) -> ForecastCounts:
        """What became of the recorded forecasts.

        joined: delivered to a strategy. late: ready only after its market had closed. superseded:
        never delivered, because a newer one was there when somebody asked or nobody asked. missed:
        markets that were asked about and never had an answer.
        """
        rows: Sequence[Forecast] = getattr(records, "rows", ())
        late = superseded = 0
        for forecast in rows:
            if forecast in self.delivered or forecast.market not in closes:
                continue
            end = closes[forecast.market]
            if end and forecast.known_at >= end:
                late += 1
            else:
                superseded += 1
        answered = {forecast.market for forecast in self.delivered}
        by_source = Counter(forecast.source for forecast in self.delivered)
        missed = len(self.unanswered - answered)
        return ForecastCounts(len(self.delivered), late, missed, superseded, dict(by_source))


def left_open(session: Session) -> list[LeftOpen]:
    """Holdings that nothing had settled at the end."""
    engine = session.engine
    state, universe = engine.state, engine.context.universe
    found = []
    for ledger, name in enumerate(state.ledgers):
        for token in sorted(state.held[ledger]):
            m = universe.token_market[token]
            market = universe.markets[m]
            held = state.holding(ledger, token)
            value = state.worth(ledger, token)
            id = market.tokens[universe.token_outcome[token]].id
            found.append(LeftOpen(name, id, held.shares, held.cost, value))
    return found
