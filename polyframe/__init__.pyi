import types as _types

from polyframe.api.exchange import Broker as Broker
from polyframe.api.exchange import Clocked as Clocked
from polyframe.api.exchange import Exchange as Exchange
from polyframe.api.exchange import Feed as Feed
from polyframe.api.execution import (
    Child as Child,
)
from polyframe.api.execution import (
    ExecutionStyle as ExecutionStyle,
)
from polyframe.api.execution import (
    Parent as Parent,
)
from polyframe.api.exits import Exit as Exit
from polyframe.api.exits import Exits as Exits
from polyframe.api.exits import PortfolioTrailing as PortfolioTrailing
from polyframe.api.exits import Thesis as Thesis
from polyframe.api.exits import Trailing as Trailing
from polyframe.api.forecaster import (
    Forecaster as Forecaster,
)
from polyframe.api.forecaster import (
    ForecastSource as ForecastSource,
)
from polyframe.api.forecaster import (
    ResolvedPair as ResolvedPair,
)
from polyframe.api.hookspecs import hookimpl as hookimpl
from polyframe.api.making import aversion_for as aversion_for
from polyframe.api.making import endless_depths as endless_depths
from polyframe.api.making import horizon_depths as horizon_depths
from polyframe.api.making import income_a_day as income_a_day
from polyframe.api.making import left_of as left_of
from polyframe.api.making import log_odds_of as log_odds_of
from polyframe.api.making import near_depth as near_depth
from polyframe.api.making import note_fills as note_fills
from polyframe.api.making import points_a_share as points_a_share
from polyframe.api.making import probability_of as probability_of
from polyframe.api.making import resolution_price as resolution_price
from polyframe.api.making import rival_points as rival_points
from polyframe.api.making import spread_term as spread_term
from polyframe.api.making import trend_of as trend_of
from polyframe.api.making import weighted_mid as weighted_mid
from polyframe.api.market_filter import MarketFilter as MarketFilter
from polyframe.api.market_filter import MarketStats as MarketStats
from polyframe.api.objective import (
    Objective as Objective,
)
from polyframe.api.objective import (
    Observer as Observer,
)
from polyframe.api.objective import (
    Searcher as Searcher,
)
from polyframe.api.param import Choice as Choice
from polyframe.api.param import Int as Int
from polyframe.api.param import Real as Real
from polyframe.api.plugin import API as API
from polyframe.api.plugin import Plugin as Plugin
from polyframe.api.plugin import PluginConfig as PluginConfig
from polyframe.api.protection import Halt as Halt
from polyframe.api.protection import Proposal as Proposal
from polyframe.api.protection import Protection as Protection
from polyframe.api.quoting import Quoter as Quoter
from polyframe.api.quoting import compilable as compilable
from polyframe.api.quoting import quote_kernel as quote_kernel
from polyframe.api.sizer import Sized as Sized
from polyframe.api.sizer import Sizer as Sizer
from polyframe.api.stakes import Stake as Stake
from polyframe.api.stakes import all_in as all_in
from polyframe.api.stakes import asks_within as asks_within
from polyframe.api.stakes import depth_near as depth_near
from polyframe.api.stakes import mid_of as mid_of
from polyframe.api.stakes import stake_in as stake_in
from polyframe.api.strategy import Strategy as Strategy
from polyframe.api.subscription import (
    Answered as Answered,
)
from polyframe.api.subscription import (
    Data as Data,
)
from polyframe.api.subscription import (
    Ended as Ended,
)
from polyframe.api.subscription import (
    Every as Every,
)
from polyframe.api.subscription import (
    Moved as Moved,
)
from polyframe.api.subscription import (
    Subscription as Subscription,
)
from polyframe.api.subscription import (
    Traded as Traded,
)
from polyframe.api.subscription import (
    Wallets as Wallets,
)
from polyframe.api.view import View as View
from polyframe.domain.book import Book as Book
from polyframe.domain.book import BookShape as BookShape
from polyframe.domain.book import Level as Level
from polyframe.domain.book import Quote as Quote
from polyframe.domain.effects import (
    FillBooked as FillBooked,
)
from polyframe.domain.effects import (
    OrderChanged as OrderChanged,
)
from polyframe.domain.effects import (
    PositionSettled as PositionSettled,
)
from polyframe.domain.effects import (
    TradingHalted as TradingHalted,
)
from polyframe.domain.events import (
    BarClosed as BarClosed,
)
from polyframe.domain.events import (
    BarSignalled as BarSignalled,
)
from polyframe.domain.events import (
    BookUpdated as BookUpdated,
)
from polyframe.domain.events import CancelRejected as CancelRejected
from polyframe.domain.events import (
    Event as Event,
)
from polyframe.domain.events import (
    ForecastFailed as ForecastFailed,
)
from polyframe.domain.events import (
    ForecastMade as ForecastMade,
)
from polyframe.domain.events import OperationFailed as OperationFailed
from polyframe.domain.events import OrderAccepted as OrderAccepted
from polyframe.domain.events import OrderCancelled as OrderCancelled
from polyframe.domain.events import OrderExpired as OrderExpired
from polyframe.domain.events import OrderFilled as OrderFilled
from polyframe.domain.events import OrderRejected as OrderRejected
from polyframe.domain.events import PositionMerged as PositionMerged
from polyframe.domain.events import PositionRedeemed as PositionRedeemed
from polyframe.domain.events import PositionSplit as PositionSplit
from polyframe.domain.events import (
    SessionEnded as SessionEnded,
)
from polyframe.domain.events import (
    SessionStarted as SessionStarted,
)
from polyframe.domain.events import (
    TimerFired as TimerFired,
)
from polyframe.domain.events import (
    TradePrinted as TradePrinted,
)
from polyframe.domain.events import (
    WalletTraded as WalletTraded,
)
from polyframe.domain.events import (
    Woken as Woken,
)
from polyframe.domain.forecast import (
    Evidence as Evidence,
)
from polyframe.domain.forecast import (
    EvidenceItem as EvidenceItem,
)
from polyframe.domain.forecast import (
    Forecast as Forecast,
)
from polyframe.domain.forecast import (
    MarketSnapshot as MarketSnapshot,
)
from polyframe.domain.forecast import (
    Question as Question,
)
from polyframe.domain.market import (
    FeeSchedule as FeeSchedule,
)
from polyframe.domain.market import (
    Group as Group,
)
from polyframe.domain.market import (
    GroupKind as GroupKind,
)
from polyframe.domain.market import (
    Market as Market,
)
from polyframe.domain.market import (
    Resolution as Resolution,
)
from polyframe.domain.market import (
    ResolutionKind as ResolutionKind,
)
from polyframe.domain.market import (
    Token as Token,
)
from polyframe.domain.orders import ApprovedOrder as ApprovedOrder
from polyframe.domain.orders import (
    Kind as Kind,
)
from polyframe.domain.orders import (
    Order as Order,
)
from polyframe.domain.orders import (
    OrderState as OrderState,
)
from polyframe.domain.orders import (
    OrderView as OrderView,
)
from polyframe.domain.orders import Seal as Seal
from polyframe.domain.orders import (
    Side as Side,
)
from polyframe.domain.orders import (
    TimeInForce as TimeInForce,
)
from polyframe.domain.portfolio import Account as Account
from polyframe.domain.portfolio import Fill as Fill
from polyframe.domain.portfolio import Position as Position
from polyframe.domain.units import (
    DAY as DAY,
)
from polyframe.domain.units import (
    HOUR as HOUR,
)
from polyframe.domain.units import (
    MILLISECOND as MILLISECOND,
)
from polyframe.domain.units import (
    MINUTE as MINUTE,
)
from polyframe.domain.units import (
    SECOND as SECOND,
)
from polyframe.domain.units import (
    money as money,
)
from polyframe.domain.verdict import Ruling as Ruling
from polyframe.domain.verdict import Verdict as Verdict
from polyframe.domain.wishes import (
    AskForecast as AskForecast,
)
from polyframe.domain.wishes import (
    CancelOrder as CancelOrder,
)
from polyframe.domain.wishes import (
    Intent as Intent,
)
from polyframe.domain.wishes import (
    MergePairs as MergePairs,
)
from polyframe.domain.wishes import (
    QuoteLevel as QuoteLevel,
)
from polyframe.domain.wishes import (
    Quotes as Quotes,
)
from polyframe.domain.wishes import (
    WakeAt as WakeAt,
)
from polyframe.domain.wishes import (
    Wish as Wish,
)
from polyframe.errors import (
    ConfigError as ConfigError,
)
from polyframe.errors import (
    DataError as DataError,
)
from polyframe.errors import (
    ExchangeError as ExchangeError,
)
from polyframe.errors import (
    ForecastError as ForecastError,
)
from polyframe.errors import InvariantError as InvariantError
from polyframe.errors import (
    LookaheadError as LookaheadError,
)
from polyframe.errors import (
    PluginError as PluginError,
)
from polyframe.errors import (
    PolyframeError as PolyframeError,
)
from polyframe.errors import (
    UserError as UserError,
)
from polyframe.lab.notebook import backtest as backtest
from polyframe.lab.notebook import compare as compare
from polyframe.quant.bars import as_known as as_known
from polyframe.quant.bars import resample as resample
from polyframe.quant.calibration import Beta as Beta
from polyframe.quant.calibration import GroupedPlatt as GroupedPlatt
from polyframe.quant.calibration import Isotonic as Isotonic
from polyframe.quant.calibration import Platt as Platt
from polyframe.quant.calibration import beta_fit as beta_fit
from polyframe.quant.calibration import isotonic_fit as isotonic_fit
from polyframe.quant.calibration import platt_by_group as platt_by_group
from polyframe.quant.calibration import platt_fit as platt_fit
from polyframe.quant.carry import hold_vs_exit as hold_vs_exit
from polyframe.quant.carry import settlement_yield as settlement_yield
from polyframe.quant.correlation import Scenarios as Scenarios
from polyframe.quant.correlation import cluster_scenarios as cluster_scenarios
from polyframe.quant.correlation import effective_bets as effective_bets
from polyframe.quant.depth_kelly import DepthBet as DepthBet
from polyframe.quant.depth_kelly import kelly_linear_impact as kelly_linear_impact
from polyframe.quant.depth_kelly import kelly_order_book as kelly_order_book
from polyframe.quant.event_kelly import Held as Held
from polyframe.quant.event_kelly import Offer as Offer
from polyframe.quant.event_kelly import kelly_event as kelly_event
from polyframe.quant.event_kelly import kelly_walk as kelly_walk
from polyframe.quant.group_kelly import kelly_mutually_exclusive as kelly_mutually_exclusive
from polyframe.quant.group_kelly import kelly_scenarios as kelly_scenarios
from polyframe.quant.group_kelly import kelly_two_correlated as kelly_two_correlated
from polyframe.quant.hierarchy import HierarchicalPlatt as HierarchicalPlatt
from polyframe.quant.hierarchy import horizon_name as horizon_name
from polyframe.quant.hierarchy import platt_hierarchy as platt_hierarchy
from polyframe.quant.multipliers import CATEGORY as CATEGORY
from polyframe.quant.multipliers import CONFIDENCE as CONFIDENCE
from polyframe.quant.multipliers import REGIME as REGIME
from polyframe.quant.multipliers import capped_stake as capped_stake
from polyframe.quant.multipliers import drawdown_heat as drawdown_heat
from polyframe.quant.multipliers import drawdown_heat_linear as drawdown_heat_linear
from polyframe.quant.multipliers import graded as graded
from polyframe.quant.multipliers import scaled_fraction as scaled_fraction
from polyframe.quant.multipliers import timeline_multiplier as timeline_multiplier
from polyframe.quant.multipliers import volatility_multiplier as volatility_multiplier
from polyframe.quant.outcomes import event_beliefs as event_beliefs
from polyframe.quant.outcomes import event_scenarios as event_scenarios
from polyframe.quant.outcomes import exclusive_beliefs as exclusive_beliefs
from polyframe.quant.outcomes import exclusive_scenarios as exclusive_scenarios
from polyframe.quant.outcomes import ladder_beliefs as ladder_beliefs
from polyframe.quant.outcomes import ladder_scenarios as ladder_scenarios
from polyframe.quant.pool_weights import PoolWeights as PoolWeights
from polyframe.quant.pool_weights import adaptive_weights as adaptive_weights
from polyframe.quant.pool_weights import fit_pool_weights as fit_pool_weights
from polyframe.quant.pool_weights import horizon_weights as horizon_weights
from polyframe.quant.pooling import clamp as clamp
from polyframe.quant.pooling import log_odds_pool as log_odds_pool
from polyframe.quant.pooling import logit as logit
from polyframe.quant.pooling import mean_probability as mean_probability
from polyframe.quant.pooling import median_probability as median_probability
from polyframe.quant.pooling import sigmoid as sigmoid
from polyframe.quant.pooling import trimmed_logit_mean as trimmed_logit_mean
from polyframe.quant.regime import Regime as Regime
from polyframe.quant.regime import market_regime as market_regime
from polyframe.quant.sizing import buy_cost as buy_cost
from polyframe.quant.sizing import edge_after_fee as edge_after_fee
from polyframe.quant.sizing import kelly_fraction as kelly_fraction
from polyframe.quant.sizing import kelly_reservation as kelly_reservation
from polyframe.quant.sizing import kelly_time_value as kelly_time_value
from polyframe.quant.sizing import kelly_uncertainty_shrink as kelly_uncertainty_shrink
from polyframe.quant.sizing import kelly_void_risk as kelly_void_risk
from polyframe.quant.sizing import sell_net as sell_net

__version__: str
__all__: list[str]
from polyframe.api.execution import Step as Step
from polyframe.api.parts import NEVER as NEVER
from polyframe.api.parts import Sides as Sides
from polyframe.api.parts import Taken as Taken
from polyframe.api.parts import children_of as children_of
from polyframe.api.parts import deadline as deadline
from polyframe.api.parts import edge_at as edge_at
from polyframe.api.parts import least_part as least_part
from polyframe.api.parts import part_of as part_of
from polyframe.api.parts import part_within as part_within
from polyframe.api.parts import post_price as post_price
from polyframe.api.parts import price_within as price_within
from polyframe.api.parts import rests as rests
from polyframe.api.parts import seconds as seconds
from polyframe.api.parts import sides_of as sides_of
from polyframe.api.parts import taking as taking
from polyframe.api.parts import taking_within as taking_within
from polyframe.api.parts import unit_price as unit_price
from polyframe.api.parts import wind_up as wind_up
from polyframe.quant.execution import Schedule as Schedule
from polyframe.quant.execution import Top as Top
from polyframe.quant.execution import Walk as Walk
from polyframe.quant.execution import almgren_chriss as almgren_chriss
from polyframe.quant.execution import microprice as microprice
from polyframe.quant.execution import walk_book as walk_book
from polyframe.quant.slippage import Circumstances as Circumstances
from polyframe.quant.slippage import Slippage as Slippage
from polyframe.quant.slippage import circumstances as circumstances
from polyframe.quant.slippage import fit_slippage as fit_slippage

seen: _types.ModuleType
