"""Lives of synthetic events: when they run, what is believed hour by hour, how they end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.units import DAY, HOUR, SECOND, Ns
from polyframe.errors import UserError
from polyframe.lab import beliefs
from polyframe.lab.beliefs import Floats, Rng, Signals
from polyframe.lab.scenery import Scenery, exclusive_scenery, ladder_scenery, lone_scenery

SEED = 20_260_901
START: Ns = 1_788_220_800 * SECOND
"""2026-09-01 00:00 UTC."""


@dataclass(frozen=True)
class SynthConfig:
    """What to generate.

    ``skill`` is the share of the remaining uncertainty, p(1 - p), that a forecaster's private
    signal explains; ``noise`` the standard deviation of its error in log-odds; ``persistence`` how
    much of either it keeps between forecasts on one event. ``leading`` markets begin with a stretch
    of one half behind which no quote stood. ``splits`` and ``voids`` lone markets are annulled.

    Units: times ns, ``tick`` in 1e-4.
    """

    seed: int = SEED
    start: Ns = START
    days: int = 42
    lone: int = 34
    exclusive: int = 10
    ladders: int = 9
    skill: float = 0.15
    noise: float = 0.25
    persistence: float = 0.8
    forecast_every: Ns = DAY
    latency: Ns = 90 * SECOND
    leading: int = 8
    splits: int = 2
    voids: int = 1
    tick: int = 10

    def __post_init__(self) -> None:
        limits = {
            "skill": 0.0 <= self.skill < 1.0,
            "noise": self.noise >= 0.0,
            "persistence": 0.0 <= self.persistence <= 1.0,
            "days": self.days >= 14,
            "tick": 1 <= self.tick <= 100 and 10_000 % self.tick == 0,
            "forecast_every": self.forecast_every >= HOUR,
            "latency": self.latency >= 0,
            "splits": self.splits >= 0 and self.voids >= 0,
            "lone": self.lone >= 2 * (self.splits + self.voids),
            "leading": self.leading >= 0,
        }
        for name, held in limits.items():
            if not held:
                raise UserError(
                    f"synthetic data: {name} is {getattr(self, name)!r}",
                    expected=(
                        "skill in [0, 1), noise >= 0, persistence in [0, 1], days >= 14, a tick "
                        "that divides 10000, forecast_every of an hour or more, at most half of "
                        "the lone markets annulled"
                    ),
                    hint="python -m polyframe.lab.synth --help",
                )


@dataclass(frozen=True)
class Event:
    """One event's life: markets by column, beliefs and forecasts by row."""

    scenery: Scenery
    ts: NDArray[np.int64]
    closes: Ns
    beliefs: Floats
    payouts: list[float]
    asked: NDArray[np.int64]
    forecasts: Floats
    resolution: str
    resolved_at: Ns


def stream(config: SynthConfig, *key: int) -> Rng:
    """An own random stream an event, so that adding one leaves the others as they are."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([config.seed, *key])))


def _life(config: SynthConfig, rng: Rng, shortest: int, longest: int) -> tuple[Ns, int]:
    """Opening time and length in hours of a market that ends within the dataset."""
    hours = int(rng.integers(24 * shortest, min(24 * longest, 24 * config.days) + 1))
    first = int(rng.integers(0, 24 * config.days - hours + 1))
    return config.start + first * HOUR, hours


def _asked(config: SynthConfig, rows: int) -> NDArray[np.int64]:
    step = max(1, config.forecast_every // HOUR)
    return np.arange(min(6, rows - 1), rows, step, dtype=np.int64)


def _disturbed(config: SynthConfig, fair: Floats, rng: Rng) -> Floats:
    """Probabilities with a forecaster's own error in log-odds.

    Shapes: (n, k), kept.
    """
    bounded = np.clip(fair, 1e-4, 1.0 - 1e-4)
    error = beliefs.persistent_noise(fair.shape[0], config.persistence, rng, fair.shape[1])
    return beliefs.sigmoid(beliefs.log_odds(bounded) + config.noise * error)


def lone(config: SynthConfig, n: int, resolution: str) -> Event:
    """A question of its own; annulled when ``resolution`` is not ``winner``."""
    rng = stream(config, 1, n)
    opened, hours = _life(config, rng, 5, 30)
    times = np.arange(hours) / hours
    signals = Signals(rng.uniform(0.6, 1.5), rng.uniform(0.5, 4.0), 0.8)
    p0 = float(np.clip(rng.beta(1.4, 1.4), 0.04, 0.96))
    happened, posterior = beliefs.two_outcomes(p0, times, signals, rng)
    announced = rng.uniform(0.5, 1.0)
    # Any lone market may be annulled in the second half of its life; while that has not happened
    # its chance shrinks, and the price carries it.
    chance = (config.splits + config.voids) / config.lone
    over = np.clip(2.0 * times - 1.0, 0.0, 1.0)
    void = chance * (1.0 - over) / (1.0 - chance * over)
    price = (1.0 - void) * posterior + 0.5 * void
    rows = hours if resolution == "winner" else max(int(np.sum(times < announced)), 1)
    asked = _asked(config, rows)
    p = np.clip(posterior[asked], 1e-6, 1.0 - 1e-6)
    private = beliefs.private_information(config.skill, p)
    shock = beliefs.persistent_noise(asked.size, config.persistence, rng)[:, 0]
    told = (0.5 if happened else -0.5) * private + np.sqrt(private) * shock
    knowing = beliefs.sigmoid(beliefs.log_odds(p) + told)
    fair = (1.0 - void[asked]) * knowing + 0.5 * void[asked]
    ts = opened + np.arange(rows, dtype=np.int64) * HOUR
    closes = opened + hours * HOUR
    ended = closes if resolution == "winner" else int(ts[-1]) + HOUR
    return Event(
        lone_scenery(n, closes, rng),
        ts,
        closes,
        price[:rows, None],
        [float(happened)] if resolution == "winner" else [0.5],
        asked,
        _disturbed(config, fair[:, None], rng),
        resolution,
        ended + int(rng.integers(1, 7)) * HOUR,
    )


def exclusive(config: SynthConfig, n: int) -> Event:
    """An event of which at most one market ends YES."""
    rng = stream(config, 2, n)
    opened, hours = _life(config, rng, 10, 35)
    times = np.arange(hours) / hours
    listed = int(rng.integers(3, 6))
    open_field = n % 2 == 1  # another outcome that has no market
    prior = rng.dirichlet(np.full(listed + open_field, 1.6))
    prior = 0.97 * prior + 0.03 / prior.size
    signals = Signals(rng.uniform(0.5, 1.1), rng.uniform(0.5, 3.0), 0.8)
    truth, posterior = beliefs.many_outcomes(prior, times, signals, rng)
    asked = _asked(config, hours)
    private = float(beliefs.private_information(config.skill, np.array([0.5]))[0]) / 2.0
    weight = np.log(np.maximum(posterior[asked], 1e-12)) - 0.5 * private
    weight += np.sqrt(private) * beliefs.persistent_noise(
        asked.size, config.persistence, rng, prior.size
    )
    weight[:, truth] += private
    likely = np.exp(weight - weight.max(axis=1, keepdims=True))
    fair = (likely / likely.sum(axis=1, keepdims=True))[:, :listed]
    closes = opened + hours * HOUR
    return Event(
        exclusive_scenery(n, listed, closes, rng),
        opened + np.arange(hours, dtype=np.int64) * HOUR,
        closes,
        posterior[:, :listed],
        [float(k == truth) for k in range(listed)],
        asked,
        _disturbed(config, fair, rng),
        "winner",
        closes + int(rng.integers(1, 7)) * HOUR,
    )


def ladder(config: SynthConfig, n: int) -> Event:
    """An event of thresholds over one value."""
    rng = stream(config, 3, n)
    opened, hours = _life(config, rng, 5, 14)
    times = np.arange(hours) / hours
    closes = opened + hours * HOUR
    scenery, strikes = ladder_scenery(n, int(rng.integers(4, 7)), closes, rng)
    signals = Signals(1.0, rng.uniform(0.5, 3.0), rng.uniform(0.1, 0.4))
    level = beliefs.one_level(times, signals, rng)
    posterior = beliefs.above(level.path, times, strikes, signals)
    asked = _asked(config, hours)
    left, known = level.remaining[asked], config.skill
    shock = beliefs.persistent_noise(asked.size, config.persistence, rng)[:, 0]
    # Seeing a share of what is to come is like standing later in the market's life.
    seen = level.path[asked] + known * (level.end - level.path[asked])
    seen += np.sqrt(known * (1.0 - known) * left) * shock
    fair = beliefs.above(seen, 1.0 - (1.0 - known) * left, strikes, signals)
    return Event(
        scenery,
        opened + np.arange(hours, dtype=np.int64) * HOUR,
        closes,
        posterior,
        [float(level.end > strike) for strike in strikes],
        asked,
        _disturbed(config, fair, rng),
        "winner",
        closes + int(rng.integers(1, 7)) * HOUR,
    )
