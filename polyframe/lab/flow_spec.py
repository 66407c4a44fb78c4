"""What order flow to make: a market of agents, or one that shows its best prices only."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from polyframe.domain.units import MILLISECOND, SECOND, Ns
from polyframe.errors import UserError

START: Ns = 1_788_220_800 * SECOND
"""2026-09-01 00:00 UTC."""
MOST_EVENTS = 100_000_000
HINT = "the fields with their ranges: docs/synthetic-flow.md"


class FlowSpec(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind",
    tag="agents",
):  # fmt: skip
    """A binary market of makers and takers whose price ends at 0 or 1.

    What is believed: ``start_probability`` of YES when it opens, ``seconds`` of life.
    ``information`` is the volatility of what is learnt, in log-odds: v^2 t / (1 - t) is known when
    a share t of the life has passed. ``jumps`` are expected over the life, each of a log-likelihood
    ratio of ``jump_size`` in the mean; with the probability ``sweep`` a jump is followed by a taker
    of everything that it leaves mispriced.

    Makers, ``makers`` of them, have one bid and one offer each. They leave a quote for ``hold``
    seconds in the mean. Their view errs by ``noise`` ticks, they keep ``half_spread`` ticks to each
    side of it at the least and spread their orders evenly over ``depth`` ticks more. Sizes are
    lognormal: ``order_size`` shares in the median, ``order_spread`` the standard deviation of ln.

    Takers come ``takers`` times a second in the long run. Each causes ``branching`` others, and the
    excitement fades at ``fade`` a second; 0 is a Poisson process. A share ``informed`` knows what
    is believed at that moment and trades where it gains ``edge`` ticks or more, else not at all.
    The others buy with the probability ``buys`` and go ``reach`` ticks beyond the best price. Sizes
    are lognormal: ``take_size`` shares in the median, ``take_spread``.

    The venue: ``tick`` and ``lot`` in the market's integers, ``feed`` ns until a row is known.

    The defaults give the spread, depth and arrivals of recorded 15-minute markets, see
    ``flow_targets.RECORDED``. What these do not tell is set as follows. ``information`` 1 and three
    small jumps leave most of what is to be known to the last third of the life, as a threshold on
    a price does. Recorded books are full to twelve ticks and thinner at the best price, as where
    many makers err by 0.7 ticks; still the best price holds twice what was recorded there. Fits to
    the recorded trades of four markets give a branching of 0.28 to 0.76: 0.5 is in the middle. With
    a tenth of informed takers makers earn at the touch, with a half they no longer do.
    """

    start_probability: float = 0.5
    seconds: float = 900.0
    information: float = 1.0
    jumps: float = 3.0
    jump_size: float = 0.6
    sweep: float = 1.0
    makers: int = 120
    hold: float = 2.5
    noise: float = 0.7
    half_spread: float = 0.09
    depth: float = 12.0
    order_size: float = 15.3
    order_spread: float = 1.2
    takers: float = 3.84
    branching: float = 0.5
    fade: float = 2.0
    informed: float = 0.1
    edge: float = 0.5
    reach: float = 2.0
    buys: float = 0.5
    take_size: float = 8.25
    take_spread: float = 1.32
    tick: int = 100
    lot: int = 10_000
    start: Ns = START
    feed: Ns = 50 * MILLISECOND

    def __post_init__(self) -> None:
        shares = dict.fromkeys(("start_probability", "sweep", "informed", "buys"), (0.0, 1.0))
        _within(self, {
            **shares,
            "seconds": (1.0, 1e8), "information": (0.0, 20.0), "jumps": (0.0, 1e4),
            "jump_size": (0.0, 20.0), "makers": (1, 100_000), "hold": (1e-6, 1e6),
            "noise": (0.0, 1e3), "half_spread": (0.0, 1e3), "depth": (0.0, 1e3),
            "order_size": (1e-6, 1e7), "order_spread": (0.0, 4.0), "takers": (0.0, 1e6),
            "branching": (0.0, 0.99), "fade": (1e-6, 1e6), "edge": (0.0, 1e3),
            "reach": (0.0, 1e3), "take_size": (1e-6, 1e7), "take_spread": (0.0, 4.0),
            "lot": (1, 10**9), "start": (0, 2**61), "feed": (0, 10**12),
        })  # fmt: skip
        if not 0.0 < self.start_probability < 1.0:
            raise _bad(self, "start_probability", "a probability between 0 and 1, neither of them")
        if self.tick < 10 or 10_000 % self.tick:
            raise _bad(self, "tick", "10 or more 1e-4 that divide 1: 10 (0.001), 100 (0.01)")
        _countable(self.seconds * (self.makers / self.hold + self.takers))


class TouchSpec(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind",
    tag="touch",
):  # fmt: skip
    """A market that shows its best bid and offer, with fills of a known rate at every distance.

    The mid is geometric Brownian motion from ``price``, ``volatility`` of its logarithm in a year,
    looked at ``moves`` times a second. Both quotes stand ``half_spread`` ticks from it. Of each
    side ``takers`` come a second, each willing to go an exponential distance of mean ``reach``
    ticks from the mid: a quote at d ticks is reached takers exp(-d / reach) times a second. Sizes
    are lognormal: ``rest_size`` and ``take_size`` in the median, with the standard deviations
    ``rest_spread`` and ``take_spread`` of ln. ``tick`` and ``lot`` in the market's integers.

    The defaults are of the size of a bitcoin book: 0.01 is a tick, the spread one dollar, a trade
    of each side every half second.
    """

    price: float = 60_000.0
    seconds: float = 3_600.0
    volatility: float = 0.5
    moves: float = 5.0
    half_spread: int = 50
    takers: float = 2.0
    reach: float = 100.0
    rest_size: float = 0.5
    rest_spread: float = 1.0
    take_size: float = 0.01
    take_spread: float = 1.5
    price_decimals: int = 2
    size_decimals: int = 5
    tick: int = 1
    lot: int = 1
    start: Ns = START
    feed: Ns = 5 * MILLISECOND

    def __post_init__(self) -> None:
        _within(self, {
            "price": (1e-9, 1e9), "seconds": (1.0, 1e8), "volatility": (0.0, 20.0),
            "moves": (1e-6, 1e6), "half_spread": (1, 10**6), "takers": (0.0, 1e6),
            "reach": (1e-3, 1e6), "rest_size": (1e-9, 1e7), "rest_spread": (0.0, 4.0),
            "take_size": (1e-9, 1e7), "take_spread": (0.0, 4.0), "price_decimals": (0, 8),
            "size_decimals": (0, 8), "tick": (1, 10**9), "lot": (1, 10**9), "start": (0, 2**61),
            "feed": (0, 10**12),
        })  # fmt: skip
        if self.price_decimals + self.size_decimals < 6:
            raise _bad(self, "size_decimals", "6 decimals or more together with those of prices")
        steps = self.price * 10**self.price_decimals / self.tick
        if not 4 * self.half_spread < steps < 2**40:
            raise _bad(self, "price", "more than four half spreads, in fewer than 2^40 ticks")
        _countable(self.seconds * (self.moves + 2.0 * self.takers))


Spec = FlowSpec | TouchSpec


def _within(spec: Any, limits: dict[str, tuple[float, float]]) -> None:
    for name, (low, high) in limits.items():
        value = getattr(spec, name)
        if not (math.isfinite(value) and low <= value <= high):
            raise _bad(spec, name, f"{low:g} to {high:g}")


def _countable(events: float) -> None:
    if events > MOST_EVENTS:
        raise UserError(
            f"order flow of some {events / 1e6:.0f} million events in one market",
            expected=f"{MOST_EVENTS / 1e6:.0f} million at the most, which fill some 20 GB",
            hint="fewer seconds, or several tapes with other seeds",
        )


def _bad(spec: Any, name: str, expected: str) -> UserError:
    return UserError(f"order flow: {name} is {getattr(spec, name)!r}", expected=expected, hint=HINT)
