"""Exits that a strategy declares: the engine carries them out for every position of its ledger.

::

    class MyIdea(Strategy):
        stop_loss = 0.20
        take_profit = ((0.15, 1 / 2), (0.30, 1 / 2))
        max_holding = 240 * HOUR

Gains are parts of the average cost, after the fee of the sale. Nothing is on unless declared.
"""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import msgspec

from polyframe.domain.units import HOUR, INT64_SAFE, MINUTE, Ns
from polyframe.errors import PluginError

MOST_STEPS = 8
MOST_GAIN = 10_000.0
"""A share bought at 0.0001 that pays 1."""
MOST_PERIOD = 255
LONGEST_REASON = 120

Ladder: TypeAlias = tuple[tuple[float, float], ...]
"""Steps of (threshold, part of the position sold there): ascending, at most 1 in all."""


class Trailing(msgspec.Struct, frozen=True, kw_only=True):
    """A stop that follows the best price.

    ``distance`` counts in gain: sold when the gain has fallen so far from its best. ``atr`` counts
    in true ranges: sold when the bid has fallen so many mean changes of the last ``period`` prices
    below the best bid. ``arm`` is the gain from which it counts.
    """

    distance: float | None = None
    atr: float | None = None
    period: int = 14
    arm: float = 0.0


class Thesis(msgspec.Struct, frozen=True, kw_only=True):
    """Sell when the newest forecast says that a share is worth less than its sale brings.

    ``margin`` is how much less, a fraction of 1 a share. ``annual_rate`` is what money earns
    elsewhere. When the log-odds of the price moved by more than ``moved`` since the forecast, the
    forecast decides nothing any more and is asked for anew.
    """

    margin: float = 0.0
    annual_rate: float = 0.0
    moved: float = 0.4
    forecaster: str = ""


class PortfolioTrailing(msgspec.Struct, frozen=True, kw_only=True):
    """Close everything when a recovery ends.

    After all positions together were worth less than they cost for ``under``, their gain is watched
    once it is ``gain`` or more, and all are sold when it has fallen by ``distance`` from its best.
    Units: ns; parts of what the positions cost.
    """

    under: Ns = 12 * HOUR
    gain: float = 0.02
    distance: float = 0.01


class Exit(msgspec.Struct, frozen=True):
    """What ``custom_exit`` answers to sell a part: ``fraction`` of what is held, and why."""

    fraction: float = 1.0
    reason: str = "exit"


class Exits(msgspec.Struct, frozen=True, kw_only=True):
    """All that a strategy declares about leaving, and about what it may enter."""

    stop_loss: float | None = None
    take_profit: float | Ladder | None = None
    trailing: float | Trailing | None = None
    breakeven: float | None = None
    max_holding: Ns | Ladder | None = None
    near_resolution: Ns | None = None
    thesis: bool | Thesis | None = None
    portfolio_trailing: bool | PortfolioTrailing | None = None
    max_open: int | None = None
    position_adjustment: bool | None = None
    retry: Ns = MINUTE
    """pause between two attempts to sell"""

    @classmethod
    def default(cls) -> Exits:
        """Stop at 20 %, target at 30 %, at most 240 hours."""
        return cls(stop_loss=0.20, take_profit=0.30, max_holding=240 * HOUR)

    @property
    def selling(self) -> bool:
        """True when anything declared may sell."""
        declared = (getattr(self, name) for name in SELLING)
        return any(value is not None and value is not False for value in declared)

    @property
    def takes(self) -> Ladder:
        """The profit's ladder."""
        return _ladder(self.take_profit)

    @property
    def holds(self) -> Ladder:
        """The ladder of the holding time, thresholds in ns."""
        return _ladder(self.max_holding)

    @property
    def trail(self) -> Trailing | None:
        """The trailing stop."""
        if self.trailing is None or isinstance(self.trailing, Trailing):
            return self.trailing
        return Trailing(distance=self.trailing)

    @property
    def belief(self) -> Thesis | None:
        """The thesis exit."""
        return self.thesis if isinstance(self.thesis, Thesis) else Thesis() if self.thesis else None

    @property
    def recovery(self) -> PortfolioTrailing | None:
        """The trailing stop of all positions together."""
        found = self.portfolio_trailing
        if isinstance(found, PortfolioTrailing):
            return found
        return PortfolioTrailing() if found else None


SELLING = (
    "stop_loss", "take_profit", "trailing", "breakeven", "max_holding", "near_resolution", "thesis",
    "portfolio_trailing",
)  # fmt: skip
ATTRIBUTES = (*SELLING, "max_open", "position_adjustment")
"""What a strategy may declare as an attribute of its own."""


def _steps(value: Any) -> Any:
    """A ladder that was written as lists; anything else as it is."""
    if not isinstance(value, (list, tuple)):
        return value
    return tuple(tuple(step) if isinstance(step, list) else step for step in value)


def _ladder(value: float | Ladder | None) -> Ladder:
    if value is None:
        return ()
    return value if isinstance(value, tuple) else ((value, 1.0),)


def declared(strategy: Any, changes: dict[str, Any] | None = None, where: str = "") -> Exits:
    """The exits of a strategy (its class or an instance), checked.

    Attributes stand over the ``exits`` they may come with, ``changes`` over both. ``where`` is the
    place the changes come from.

    Raises:
        PluginError: naming the class, the attribute and what it holds.
    """
    cls = strategy if isinstance(strategy, type) else type(strategy)
    given = _read(strategy, cls, "exits")
    if given is not None and not isinstance(given, (Exits, property)):
        raise _wrong(f"{cls.__name__}.exits", given, "an Exits: exits = Exits.default()")
    found = given if isinstance(given, Exits) else Exits()
    own = {name: _read(strategy, cls, name) for name in ATTRIBUTES}
    own = {k: _steps(v) for k, v in own.items() if v is not None and not isinstance(v, property)}
    for name in ("retry", *ATTRIBUTES):
        _check(f"{cls.__name__}.exits.{name}", name, getattr(found, name))
    for name, value in own.items():
        _check(f"{cls.__name__}.{name}", name, value)
    for name, value in (changes or {}).items():
        _check(f"{where}.{name}", name, value)
    return msgspec.structs.replace(found, **{**own, **(changes or {})})


def _read(strategy: Any, cls: type, name: str) -> Any:
    """An attribute; it may be a property that reads the strategy's settings."""
    try:
        return getattr(strategy, name, None)
    except (ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise PluginError(
            f"{cls.__name__}.{name} failed with {type(error).__name__}: {error}",
            expected="a value, or a property that answers one",
        ) from error


# ---- what each attribute may hold --------------------------------------------------------------


def _check(path: str, name: str, value: Any) -> None:
    if value is None and name != "retry":
        return
    match name:
        case "stop_loss":
            _number(path, value, "a part of the cost above 0, at most 1", above=0.0, most=1.0)
        case "breakeven":
            _number(path, value, "the gain above 0 that arms it", above=0.0, most=MOST_GAIN)
        case "take_profit":
            _check_ladder(path, value, "a gain above 0", most=MOST_GAIN)
        case "max_holding":
            _check_ladder(path, value, "ns above 0, 4 * HOUR say", most=INT64_SAFE, whole=True)
        case "near_resolution" | "retry":
            _whole(path, value, "ns above 0, 24 * HOUR say", INT64_SAFE)
        case "max_open":
            _whole(path, value, "a number of markets above 0", 1_000_000)
        case "position_adjustment":
            if type(value) is not bool:
                raise _wrong(path, value, "True or False")
        case "trailing":
            _check_trailing(path, value)
        case "thesis":
            _check_thesis(path, value)
        case "portfolio_trailing":
            _check_recovery(path, value)


def _check_trailing(path: str, value: Any) -> None:
    if not isinstance(value, Trailing):
        _number(path, value, "a distance above 0, or a Trailing", above=0.0, most=MOST_GAIN)
        return
    if (value.distance is None) == (value.atr is None):
        raise _wrong(path, value, "either a distance or a number of true ranges (atr)")
    if value.distance is not None:
        _number(f"{path}.distance", value.distance, "above 0", above=0.0, most=MOST_GAIN)
    if value.atr is not None:
        _number(f"{path}.atr", value.atr, "true ranges above 0, at most 100", above=0.0, most=100)
    _whole(f"{path}.period", value.period, f"prices from 1 to {MOST_PERIOD}", MOST_PERIOD)
    _number(f"{path}.arm", value.arm, "a gain of 0 or more", above=-1e-12, most=MOST_GAIN)


def _check_thesis(path: str, value: Any) -> None:
    if type(value) is bool:
        return
    if not isinstance(value, Thesis):
        raise _wrong(path, value, "True, or a Thesis")
    _number(f"{path}.margin", value.margin, "from 0 to 1", above=-1e-12, most=1.0)
    _number(f"{path}.annual_rate", value.annual_rate, "from 0 to 10", above=-1e-12, most=10.0)
    _number(f"{path}.moved", value.moved, "log-odds above 0", above=0.0, most=100.0)
    if type(value.forecaster) is not str:
        raise _wrong(f"{path}.forecaster", value.forecaster, "the name of a forecaster, or none")


def _check_recovery(path: str, value: Any) -> None:
    if type(value) is bool:
        return
    if not isinstance(value, PortfolioTrailing):
        raise _wrong(path, value, "True, or a PortfolioTrailing")
    _whole(f"{path}.under", value.under, "ns above 0, 12 * HOUR say", INT64_SAFE)
    _number(f"{path}.gain", value.gain, "a gain of 0 or more", above=-1e-12, most=MOST_GAIN)
    _number(f"{path}.distance", value.distance, "a distance above 0", above=0.0, most=MOST_GAIN)


def _check_ladder(
    path: str, value: Any, threshold: str, *, most: float, whole: bool = False
) -> None:
    form = f"{threshold}, or at most {MOST_STEPS} steps ((threshold, part), ...)"
    if not isinstance(value, tuple):
        (_whole if whole else _number)(path, value, form, most)
        return
    if not value or len(value) > MOST_STEPS:
        raise _wrong(path, value, form)
    last, total = 0.0, 0.0
    for i, step in enumerate(value):
        if not isinstance(step, tuple) or len(step) != 2:
            raise _wrong(f"{path}[{i}]", step, "a pair of a threshold and a part")
        at, part = step
        (_whole if whole else _number)(f"{path}[{i}]", at, threshold, most)
        _number(f"{path}[{i}]", part, "a part above 0, at most 1", 1.0)
        if at <= last:
            raise _wrong(path, value, f"thresholds that ascend: {at!r} follows {last!r}")
        last, total = at, total + part
    if total > 1.0 + 1e-9:
        raise _wrong(path, value, f"parts of at most 1 in all, they make {total:g}")


def _number(path: str, value: Any, expected: str, most: float, above: float = 0.0) -> None:
    plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not plain or not math.isfinite(value) or not above < value <= most:
        raise _wrong(path, value, expected)


def _whole(path: str, value: Any, expected: str, most: float) -> None:
    if type(value) is not int or not 0 < value <= most:
        raise _wrong(path, value, expected)


def _wrong(path: str, value: Any, expected: str) -> PluginError:
    return PluginError(f"{path} is {value!r}", expected=expected)


def sound_exit(answer: object, method: str) -> Exit | None:
    """What ``custom_exit`` answered, if it is an answer.

    Raises:
        PluginError: it is something else; ``method`` is named.
    """
    if answer is None:
        return None
    found = Exit(reason=answer) if type(answer) is str else answer
    if type(found) is Exit:
        fraction, reason = found.fraction, found.reason
        said = type(reason) is str and len(reason.strip()) > 0 and len(reason) <= LONGEST_REASON
        number = type(fraction) in (int, float)
        if said and reason.isprintable() and number and 0.0 < fraction <= 1.0:
            return found
    raise PluginError(
        f"{method} answered {answer!r}",
        expected="None, a short text that says why, or Exit(fraction, reason), 0 < fraction <= 1",
    )
