"""polyframe: plugin-based strategies for prediction markets.

Everything a plugin author needs is importable from here; names are loaded when first used, so that
``import polyframe`` stays light.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_FROM: dict[str, str] = {
    name: module
    for module, names in {
        "polyframe.api.plugin": "API Plugin PluginConfig",
        "polyframe.api.param": "Int Real Choice",
        "polyframe.api.subscription": (
            "Answered Data Ended Every Moved Subscription Traded Wallets"
        ),
        "polyframe.api.view": "View",
        "polyframe.api.strategy": "Strategy",
        "polyframe.api.quoting": "Quoter compilable quote_kernel",
        "polyframe.api.making": (
            "aversion_for endless_depths horizon_depths income_a_day left_of log_odds_of "
            "near_depth note_fills points_a_share probability_of resolution_price rival_points "
            "spread_term trend_of weighted_mid"
        ),
        "polyframe.api.exits": "Exit Exits PortfolioTrailing Thesis Trailing",
        "polyframe.api.protection": "Halt Proposal Protection",
        "polyframe.api.forecaster": "Forecaster ForecastSource ResolvedPair",
        "polyframe.api.sizer": "Sized Sizer",
        "polyframe.api.stakes": "Stake all_in asks_within depth_near mid_of stake_in",
        "polyframe.api.exchange": "Broker Clocked Exchange Feed",
        "polyframe.api.execution": "Child ExecutionStyle Parent Step",
        "polyframe.api.parts": (
            "NEVER Sides Taken children_of deadline edge_at least_part part_of part_within "
            "post_price price_within rests seconds sides_of taking taking_within unit_price wind_up"
        ),
        "polyframe.api.market_filter": "MarketFilter MarketStats",
        "polyframe.api.objective": "Objective Observer Searcher",
        "polyframe.api.hookspecs": "hookimpl",
        "polyframe.domain.book": "Book BookShape Level Quote",
        "polyframe.domain.forecast": ("Evidence EvidenceItem Forecast MarketSnapshot Question"),
        "polyframe.domain.market": (
            "FeeSchedule Group GroupKind Market Resolution ResolutionKind Token"
        ),
        "polyframe.domain.orders": (
            "ApprovedOrder Kind Order OrderState OrderView Seal Side TimeInForce"
        ),
        "polyframe.domain.portfolio": "Account Fill Position",
        "polyframe.domain.verdict": "Ruling Verdict",
        "polyframe.domain.wishes": (
            "AskForecast CancelOrder Intent MergePairs QuoteLevel Quotes WakeAt Wish"
        ),
        "polyframe.domain.events": (
            "BarClosed BarSignalled BookUpdated CancelRejected Event ForecastFailed ForecastMade "
            "OperationFailed OrderAccepted OrderCancelled OrderExpired OrderFilled OrderRejected "
            "PositionMerged PositionRedeemed PositionSplit SessionEnded SessionStarted TimerFired "
            "TradePrinted WalletTraded Woken"
        ),
        "polyframe.domain.effects": "FillBooked OrderChanged PositionSettled TradingHalted",
        "polyframe.domain.units": "DAY HOUR MILLISECOND MINUTE SECOND money",
        "polyframe.quant.bars": "as_known resample",
        "polyframe.quant.pooling": (
            "clamp log_odds_pool logit mean_probability median_probability sigmoid "
            "trimmed_logit_mean"
        ),
        "polyframe.quant.pool_weights": (
            "PoolWeights adaptive_weights fit_pool_weights horizon_weights"
        ),
        "polyframe.quant.calibration": (
            "Beta GroupedPlatt Isotonic Platt beta_fit isotonic_fit platt_by_group platt_fit"
        ),
        "polyframe.quant.hierarchy": "HierarchicalPlatt horizon_name platt_hierarchy",
        "polyframe.quant.sizing": (
            "buy_cost edge_after_fee kelly_fraction kelly_reservation kelly_time_value "
            "kelly_uncertainty_shrink kelly_void_risk sell_net"
        ),
        "polyframe.quant.execution": "Schedule Top Walk almgren_chriss microprice walk_book",
        "polyframe.quant.slippage": "Circumstances Slippage circumstances fit_slippage",
        "polyframe.quant.carry": "hold_vs_exit settlement_yield",
        "polyframe.quant.depth_kelly": "DepthBet kelly_linear_impact kelly_order_book",
        "polyframe.quant.correlation": "Scenarios cluster_scenarios effective_bets",
        "polyframe.quant.outcomes": (
            "event_beliefs event_scenarios exclusive_beliefs exclusive_scenarios "
            "ladder_beliefs ladder_scenarios"
        ),
        "polyframe.quant.event_kelly": "Held Offer kelly_event kelly_walk",
        "polyframe.quant.regime": "Regime market_regime",
        "polyframe.quant.group_kelly": (
            "kelly_mutually_exclusive kelly_scenarios kelly_two_correlated"
        ),
        "polyframe.quant.multipliers": (
            "CATEGORY CONFIDENCE REGIME capped_stake drawdown_heat drawdown_heat_linear graded "
            "scaled_fraction timeline_multiplier volatility_multiplier"
        ),
        "polyframe.errors": (
            "ConfigError DataError ExchangeError ForecastError InvariantError LookaheadError "
            "PluginError PolyframeError UserError"
        ),
    }.items()
    for name in names.split()
}

_LAB: dict[str, str] = dict.fromkeys(("backtest", "compare"), "polyframe.lab.notebook")
"""Functions for notebooks: the only names from above the floors that a plugin may rely on."""

_MODULES: dict[str, str] = {"seen": "polyframe.kernels.seencolumns_nb"}
"""Modules that are reached by a name of their own."""

__all__ = ["__version__", *sorted([*_FROM, *_MODULES])]  # noqa: PLE0604 - names are loaded on first use


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(_MODULES[name])
    module = _FROM.get(name) or _LAB.get(name)
    if module is None:
        raise AttributeError(f"module 'polyframe' has no attribute {name!r}")
    value = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_FROM) | set(_LAB) | set(_MODULES))
