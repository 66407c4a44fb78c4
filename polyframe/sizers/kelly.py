"""Fractional Kelly over the visible book, given everything that is held of the event."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal
from statistics import NormalDist
from typing import Annotated, Literal

from pydantic import Field

from polyframe import (
    CATEGORY,
    CONFIDENCE,
    DAY,
    REGIME,
    Choice,
    DataError,
    DepthBet,
    Group,
    GroupKind,
    Intent,
    Market,
    Offer,
    PluginConfig,
    Real,
    Scenarios,
    Side,
    Sized,
    Sizer,
    Stake,
    View,
    all_in,
    asks_within,
    clamp,
    depth_near,
    drawdown_heat,
    drawdown_heat_linear,
    event_beliefs,
    event_scenarios,
    graded,
    kelly_event,
    kelly_fraction,
    kelly_uncertainty_shrink,
    log_odds_pool,
    logit,
    market_regime,
    mid_of,
    scaled_fraction,
    stake_in,
    timeline_multiplier,
    volatility_multiplier,
)

MOST_TOGETHER = 12
MOST_CLUSTERED = 7
"""Markets of one event considered together; the joint outcomes of independent ones double each."""

SEEN = 240
"""Prices that the regime is told by."""

Share = Annotated[float, Field(gt=0, le=1, allow_inf_nan=False)]
Part = Annotated[float | None, Field(gt=0, le=1, allow_inf_nan=False)]


class KellySizer(Sizer):
    """Stakes a fraction of the Kelly bet, level by level of the book, within caps.

    The bet maximises expected log wealth over the outcomes of the market's event, after fees, with
    what the ledger holds and has ordered there. docs/sizing.md explains every factor.
    """

    class Config(PluginConfig):
        """Units: fractions of the Kelly bet, of equity, of depth and of 1; money where said."""

        fraction: Share = Real(0.25, 0.05, 1.0, space="sizing")
        """of the Kelly bet, before all other factors"""
        confidence: bool = Choice(True, (True, False), space="sizing")
        """LOW 0.5, MEDIUM 0.75, HIGH 1: what the newest forecast says of itself"""
        unstated: Share = Real(0.75, 0.25, 1.0, space="sizing")
        """the same where nothing is said"""
        heat: Literal["steps", "linear", "off"] = Choice(
            "steps", ("steps", "linear", "off"), space="sizing"
        )
        """less in a drawdown: half from 10 %, a quarter from 15 %, nothing from 20 % on"""
        timeline: bool = Choice(True, (True, False), space="sizing")
        """0.5 to 1.3 by the days left"""
        volatility: bool = Choice(True, (True, False), space="sizing")
        """usual over recent volatility, 0.5 to 1"""
        regime: bool = Choice(True, (True, False), space="sizing")
        """0.5 to 1 by how the price has been moving"""
        category: bool = Choice(True, (True, False), space="sizing")
        """STRONG 1, FAIR 0.75, WEAK 0.5 as ``categories`` says"""
        categories: dict[str, Literal["STRONG", "FAIR", "WEAK"]] = Field({"sports": "WEAK"})
        """how well the forecaster does; a category not named is STRONG"""
        uncertainty: bool = Choice(True, (True, False), space="sizing")
        """less where the probability is not known exactly"""
        deviation: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)] = Real(
            0.05, 0.0, 0.2, space="sizing"
        )
        """standard deviation of a probability whose forecast states no interval"""
        interval: float = Field(0.9, ge=0.5, le=0.99, allow_inf_nan=False)
        """what a forecast's low and high are taken to cover"""
        void_risk: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)] = Real(
            0.01, 0.0, 0.1, space="sizing"
        )
        """probability that the market is voided and pays one half"""
        annual_rate: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = Real(
            0.045, 0.0, 0.2, space="sizing"
        )
        """what the money would earn elsewhere until the market closes"""
        event: Literal["joint", "held", "alone"] = Choice(
            "joint", ("joint", "held", "alone"), space="sizing"
        )
        """the event's other markets: bets on them too, only what is held of them, or nothing"""
        correlation: Annotated[float, Field(ge=0, lt=1, allow_inf_nan=False)] = Real(
            0.5, 0.0, 0.9, space="sizing"
        )
        """between the hidden causes of an event's markets that neither exclude nor imply another"""
        hedge: bool = Choice(False, (False, True), space="sizing")
        """also buy below the own edge where it hedges what is held"""
        cap: Part = Real(0.05, 0.01, 0.2, space="sizing")
        """of equity, at risk in one market"""
        cluster_cap: Part = Real(0.075, 0.02, 0.3, space="sizing")
        """of equity, at risk in one event"""
        liquidity_cap: Part = Real(0.05, 0.01, 0.2, space="sizing")
        """of what the venue says the market can take, at risk in it"""
        depth_cap: Part = Real(0.10, 0.05, 1.0, space="sizing")
        """of the shares offered within ``depth_reach`` of the best price, an order"""
        depth_reach: Share = Field(0.02)
        most: Decimal | None = Field(None, gt=0, allow_inf_nan=False)
        """greatest stake in one market in the account's currency"""

    config: Config

    def size(self, intent: Intent, price: int, view: View) -> int | Sized:
        """Shares to buy within the limit.

        Raises:
            DataError: the intent states no probability, or none from 0 to 1.
        """
        if intent.probability is None:
            raise DataError(
                f"intent to buy {intent.token} states neither a size nor a probability",
                expected="a probability: Intent(..., probability=...), or a column of features",
                hint='or stake a fixed amount: "sizer": {"use": "FixedSizer"} in config.json',
            )
        if intent.side != Side.BUY:
            return view.position(intent.token).free
        if not 0.0 <= intent.probability <= 1.0:
            raise DataError(f"probability {intent.probability!r} is outside [0, 1]")
        if price <= 0:
            return Sized(0, (), "no price")
        bet = _Bet(self.config, intent, price, view)
        note = {
            "probability": bet.probability,
            "cost": bet.best,
            "edge": bet.value - bet.best,
            "equity": bet.equity,
            "days": bet.days,
        }
        if not bet.levels or bet.equity <= 0.0:
            return _sized(0.0, bet, note, "no edge after costs" if bet.equity > 0 else "no equity")
        factors = self._factors(bet)
        fraction = scaled_fraction(1.0, list(factors.values()), self.config.fraction)
        note |= {"kelly": kelly_fraction(bet.probability, bet.best / bet.discount)}
        note |= {"fraction": self.config.fraction, **factors, "of Kelly": fraction}
        none = next((name for name, factor in factors.items() if factor == 0.0), "")
        if none:
            return _sized(0.0, bet, note, none)
        bought, markets = bet.bought(fraction)
        note |= {"markets": float(markets), "wanted": bought.shares}
        caps = self._caps(bet)
        note |= {f"cap {name}": shares for name, shares in caps.items()}
        if bought.shares <= 0.0:
            return _sized(0.0, bet, note, "enough is held")
        limit, least = min(caps.items(), key=lambda item: item[1])
        if bought.shares > least:
            return _sized(least, bet, note, limit)
        if bought.shares >= sum(size for _, size in bet.levels):
            return _sized(bought.shares, bet, note, "visible book")
        little = "the event's other markets" if markets > 1 else "less than a lot"
        least = bet.market.lot / 10**bet.market.size_decimals
        return _sized(bought.shares, bet, note, little if bought.shares < least else "")

    def _factors(self, bet: _Bet) -> dict[str, float]:
        """What the fraction is multiplied by, by name; what is switched off is not there."""
        c, view, market = self.config, bet.view, bet.market
        forecast = view.forecast(market.id)
        found: dict[str, float] = {}
        if c.confidence:
            said = forecast.confidence if forecast is not None else ""
            found["confidence"] = graded("confidence", said, CONFIDENCE) if said else c.unstated
        if c.heat != "off":
            account = view.portfolio()
            peak = max(account.peak_equity, account.equity)
            fallen = (peak - account.equity) / peak if peak > 0 else 0.0
            heat = drawdown_heat if c.heat == "steps" else drawdown_heat_linear
            found["drawdown heat"] = heat(fallen)
        if c.timeline and market.closes:
            found["timeline"] = timeline_multiplier(bet.days)
        if c.volatility or c.regime:
            regime = market_regime(view.history(market.yes.id, SEEN))
            if c.volatility and regime.usual > 0.0:
                found["volatility"] = volatility_multiplier(regime.recent, regime.usual, 0.5)
            if c.regime:
                found["regime"] = graded("regime", regime.name, REGIME)
        if c.category:
            named = {name.lower(): grade for name, grade in c.categories.items()}
            grade = named.get(market.category.lower(), "STRONG")
            found["category"] = graded("category", grade, CATEGORY)
        if c.uncertainty:
            deviation = c.deviation
            if forecast is not None and forecast.low is not None and forecast.high is not None:
                wide = NormalDist().inv_cdf(0.5 + c.interval / 2.0)
                stated = max(0.0, forecast.high - forecast.low) / (2.0 * wide)
                deviation = math.sqrt(bet.weight) * stated
            found["uncertainty"] = kelly_uncertainty_shrink(
                bet.probability, bet.best / bet.discount, deviation
            )
        return found

    def _caps(self, bet: _Bet) -> dict[str, float]:
        """The most shares that each cap allows, at the limit price."""
        c, risk = self.config, bet.own.risk
        rooms = {"cash": bet.cash}
        if c.cap is not None:
            rooms["bankroll"] = c.cap * bet.equity - risk
        if c.most is not None:
            rooms["most"] = float(c.most) - risk
        if c.cluster_cap is not None:
            rooms["event"] = c.cluster_cap * bet.equity - bet.risk_in_event()
        liquidity = bet.view.liquidity(bet.market.id)
        if c.liquidity_cap is not None and liquidity is not None:
            rooms["liquidity"] = c.liquidity_cap * liquidity / 1e6 - risk
        caps = {name: max(0.0, room) / bet.limit_cost for name, room in rooms.items()}
        if c.depth_cap is not None and bet.near is not None:
            caps["depth"] = c.depth_cap * bet.near
        return caps


class _Bet:
    """One intent with all that bears on its size. Units: shares, money and prices of 1."""

    def __init__(self, config: KellySizer.Config, intent: Intent, price: int, view: View) -> None:
        self.config, self.view = config, view
        self.market = market = view.market(intent.token)
        self.yes = intent.token == market.yes.id
        self.token = next(token for token in market.tokens if token.id == intent.token)
        self.probability = float(intent.probability or 0.0)
        account = view.portfolio()
        self.equity, self.cash = account.equity / 1e6, account.free / 1e6
        self.days = max(0, market.closes - view.now) / DAY if market.closes else 0.0
        self.discount = math.exp(-config.annual_rate * self.days / 365.0)
        self.own = stake_in(view, market)
        self.limit_cost = all_in(market, price)
        offered = asks_within(view, market, self.token, price)
        if not offered:
            # An order that is to rest pays no taker fee once it is post-only.
            rests = price / market.price_one if intent.post_only else self.limit_cost
            offered = [(rests, math.inf)]
        self.best = offered[0][0]
        self.value = self._worth(self.probability, self.best)
        self.levels = offered if config.hedge else [r for r in offered if r[0] < self.value]
        self.near = depth_near(view, market, self.token, config.depth_reach)
        self.weight = self._weight()

    def bought(self, fraction: float) -> tuple[DepthBet, int]:
        """The Kelly purchase with this part of equity, and how many markets took part in it."""
        group, stakes, beliefs = self._considered()
        markets = list(stakes)
        own = markets.index(self.market.id)
        scenarios = event_scenarios(
            group.kind, [beliefs[id] for id in markets], self.config.correlation
        )
        offers = [Offer(own, self.yes, self.levels)]
        if self.config.event == "joint":
            offers += self._others(markets, own, scenarios)
        # The ledger is sized down as a whole, siblings too; what is held here is part of the bet.
        others = [stake for id, stake in stakes.items() if id != self.market.id]
        rest = fraction * (self.equity - sum(stake.tied for stake in others))
        held = [
            stake.held if id == self.market.id else stake.held.part(fraction)
            for id, stake in stakes.items()
        ]
        wealth, cash = rest - self.own.tied, max(0.0, self.cash)
        found = kelly_event(
            scenarios, held, offers, wealth, cash,
            discount=self.discount, void=self.config.void_risk,
        )  # fmt: skip
        return found[0], len(markets)

    def risk_in_event(self) -> float:
        """What everything held and ordered of the event cost."""
        markets = [self.view.market(id) for id in self._group().markets]
        return sum(stake_in(self.view, market).risk for market in markets)

    # ---- prices ------------------------------------------------------------------------------

    def _worth(self, probability: float, cost: float) -> float:
        """The present value of a share: a void counts at most what the share costs."""
        void = self.config.void_risk
        return (1.0 - void) * probability * self.discount + void * min(0.5 * self.discount, cost)

    # ---- the event ---------------------------------------------------------------------------

    def _group(self) -> Group:
        return self.view.group(self.market.group or self.market.id)

    def _weight(self) -> float:
        """The forecast's weight against the price in the stated probability, in log-odds."""
        forecast, mid = self.view.forecast(self.market.id), mid_of(self.view, self.market)
        if forecast is None or mid is None:
            return 0.0 if forecast is None else 1.0
        said = self.probability if self.yes else 1.0 - self.probability
        apart = logit(forecast.probability) - logit(mid)
        if abs(apart) < 1e-6:
            return 1.0
        return min(1.0, max(0.0, (logit(clamp(said, 1e-6, 1 - 1e-6)) - logit(mid)) / apart))

    def _belief(self, market: Market) -> float | None:
        """YES of another market, believed as far from its price to its forecast as this one."""
        forecast, mid = self.view.forecast(market.id), mid_of(self.view, market)
        if forecast is None or mid is None:
            return mid if forecast is None else forecast.probability
        return log_odds_pool([forecast.probability, mid], [self.weight, 1.0 - self.weight])

    def _considered(self) -> tuple[Group, dict[str, Stake], dict[str, float]]:
        """The markets that matter, in the event's order, with holdings and beliefs."""
        own = self.market.id
        stakes = {own: self.own}
        beliefs = {own: self.probability if self.yes else 1.0 - self.probability}
        group = self._group()
        if self.config.event == "alone" or not self.market.binary or len(group.markets) == 1:
            return Group(group.id, (own,)), stakes, beliefs
        for id in group.markets:
            market = self.view.market(id)
            belief = beliefs.get(id, self._belief(market))
            if belief is None or not market.binary:
                continue
            beliefs[id] = belief
            stakes[id] = self.own if id == own else stake_in(self.view, market)
        order = [id for id in group.markets if id in beliefs]
        said = event_beliefs(group.kind, order.index(own), [beliefs[id] for id in order])
        beliefs = dict(zip(order, said, strict=True))
        most = MOST_CLUSTERED if group.kind is GroupKind.INDEPENDENT else MOST_TOGETHER
        matter = [id for id in beliefs if id == own or self._matters(id, stakes[id], beliefs[id])]
        matter.sort(key=lambda market: (market != own, -stakes[market].risk))
        kept = set(matter[:most])
        order = [id for id in beliefs if id in kept]
        return group, {id: stakes[id] for id in order}, {id: beliefs[id] for id in order}

    def _matters(self, id: str, stake: Stake, belief: float) -> bool:
        """True when something is held of a market, or would be bought."""
        if stake.held.yes or stake.held.no:
            return True
        return self.config.event == "joint" and any(self._sides(self.view.market(id), belief))

    def _sides(self, market: Market, belief: float) -> list[list[tuple[float, float]]]:
        """What would be bought of YES and of NO of another market."""
        sides = []
        tradable = market.closes == 0 or market.closes > self.view.now
        for token, p in ((market.yes, belief), (market.no, 1.0 - belief)):
            offered = asks_within(self.view, market, token) if tradable else []
            worth = self._worth(p, offered[0][0]) if offered else 0.0
            rows = offered if self.config.hedge else [r for r in offered if r[0] < worth]
            near = depth_near(self.view, market, token, self.config.depth_reach)
            if self.config.depth_cap is not None and near is not None:
                rows = _first(rows, self.config.depth_cap * near)
            sides.append(rows)
        return sides

    def _others(self, markets: Sequence[str], own: int, scenarios: Scenarios) -> list[Offer]:
        believed = scenarios.weights @ scenarios.payouts
        offers = []
        for k, id in enumerate(markets):
            if k == own:
                continue
            yes, no = self._sides(self.view.market(id), float(believed[k]))
            offers += [Offer(k, side, rows) for side, rows in ((True, yes), (False, no)) if rows]
        return offers


def _first(levels: Sequence[tuple[float, float]], most: float) -> list[tuple[float, float]]:
    """The levels up to so many shares."""
    rows = []
    for paid, size in levels:
        taken = min(size, most)
        most -= taken
        if taken > 0.0:
            rows.append((paid, taken))
    return rows


def _sized(shares: float, bet: _Bet, note: Mapping[str, float], limit: str) -> Sized:
    """The answer in size units; what is not known is left out of the note."""
    said = tuple((name, round(float(v), 6)) for name, v in note.items() if math.isfinite(v))
    return Sized(int(shares * 10**bet.market.size_decimals), said, limit)
