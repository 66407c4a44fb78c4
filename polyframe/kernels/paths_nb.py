"""Prices that nobody can beat: beliefs that end at 0 or 1, and geometric Brownian motion.

A belief is the probability of an outcome, drawn beforehand, given the signals so far. Its log-odds
move with Brownian information, whose rate grows towards the end, and with jumps, each of which is a
yes-or-no answer that is right with a stated probability. As a conditional probability it is a
martingale exactly, whatever the signals are, and not only in the limit of small steps.

Shapes: belief (B_SIZE_OF,) float64.
Units: log-odds; the share of the market's life that has passed.
"""

from __future__ import annotations

import math
from typing import Final

from numba import float64, int64, types, uint64

from polyframe.kernels.compile_nb import kernel
from polyframe.kernels.random_nb import exp, exponential, normal, sigmoid, uniform

B_ODDS: Final = 0
B_PASSED: Final = 1
B_SIGN: Final = 2
"""+1 when the outcome is YES, -1 when it is NO"""
B_INFORMATION: Final = 3
"""the square of the volatility of information over the market's life"""
B_JUMP: Final = 4
"""mean log-likelihood ratio of a jump"""
B_SIZE_OF: Final = 5

_LAST: Final = 1.0 - 1e-9
"""information has no end where the life ends"""

_flat = types.Array(float64, 1, "C")
_read = types.Array(float64, 1, "C", readonly=True)
_stream = types.Array(uint64, 1, "C")


@kernel(float64(_flat, _stream, float64))
def learn(belief, stream, passed):  # type: ignore[no-untyped-def]
    """Moves a belief on to a later moment; returns the probability there.

    Shapes: see module. Units: see module.

    Source: Brody, Hughston and Macrina 2008, "Information-based asset pricing": v^2 t / (1 - t) is
    gathered up to t by a Brownian bridge pinned at the outcome.
    """
    passed = min(passed, _LAST)
    before = belief[B_PASSED]
    if passed > before:
        span = (passed - before) / ((1.0 - passed) * (1.0 - before))
        gained = belief[B_INFORMATION] * span
        noise = math.sqrt(gained) * normal(stream)
        belief[B_ODDS] += belief[B_SIGN] * 0.5 * gained + noise
        belief[B_PASSED] = passed
    return sigmoid(belief[B_ODDS])


@kernel(float64(_flat, _stream))
def jump(belief, stream):  # type: ignore[no-untyped-def]
    """Moves a belief by one jump; returns the probability after it.

    The log-likelihood ratio is the mean of two waiting times, the answer right with the
    probability that this ratio means.

    Shapes: see module. Units: see module.

    Source: Bayes' rule.
    """
    ratio = belief[B_JUMP] * 0.5 * (exponential(stream) + exponential(stream))
    right = uniform(stream) < sigmoid(ratio)
    belief[B_ODDS] += belief[B_SIGN] * (ratio if right else -ratio)
    return sigmoid(belief[B_ODDS])


@kernel(int64(_flat, _stream, float64, _read, _flat))
def belief_path(belief, stream, jumps, times, out):  # type: ignore[no-untyped-def]
    """The belief at each of some moments; returns how often it jumped.

    Shapes: times and out (n,), times ascending within [0, 1). Units: ``jumps`` expected over the
    whole life; times as shares of it; probabilities.
    """
    count = int64(0)
    due = belief[B_PASSED] + exponential(stream) / jumps if jumps > 0.0 else 2.0
    for i in range(times.shape[0]):
        while due <= times[i]:
            learn(belief, stream, due)
            jump(belief, stream)
            count += 1
            due += exponential(stream) / jumps
        out[i] = learn(belief, stream, times[i])
    return count


@kernel(float64(_stream, float64, float64))
def gbm_step(stream, price, spread):  # type: ignore[no-untyped-def]
    """A price without drift one step later, exactly lognormal.

    Shapes: stream (1,). Units: price; ``spread`` the standard deviation of ln price over the step.

    Source: dS = v S dW.
    """
    return price * exp(spread * normal(stream) - 0.5 * spread * spread)
