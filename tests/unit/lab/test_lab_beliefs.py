"""A posterior is a martingale that ends at the outcome, for every kind of event."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from polyframe.lab import beliefs
from polyframe.lab.beliefs import Signals

TIMES = np.arange(120) / 120
SIGNALS = Signals(volatility=1.0, jumps=3.0, jump_size=0.8)
RUNS = 3_000
Z = 4.5  # chance of one false alarm in all buckets below: less than one in a thousand


def stream(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(seed))


def assert_fair(now: np.ndarray, later: np.ndarray) -> None:
    """In every bucket of the price now, the mean change to later is zero within its error."""
    checked = 0
    for low in np.arange(0.0, 1.0, 0.1):
        inside = (now >= low) & (now < low + 0.1)
        if inside.sum() < 50:
            continue
        change = (later - now)[inside]
        error = change.std(ddof=1) / np.sqrt(inside.sum())
        assert abs(change.mean()) <= Z * error + 1e-12, (low, change.mean(), error)
        checked += 1
    assert checked >= 5


@pytest.fixture(scope="module")
def lone() -> tuple[np.ndarray, np.ndarray]:
    rng = stream(1)
    priors = rng.uniform(0.05, 0.95, RUNS)
    runs = [beliefs.two_outcomes(float(p), TIMES, SIGNALS, rng) for p in priors]
    return np.array([float(happened) for happened, _ in runs]), np.array([p for _, p in runs])


@pytest.fixture(scope="module")
def exclusive() -> tuple[np.ndarray, np.ndarray]:
    rng = stream(2)
    ends, paths = [], []
    for _ in range(1_000):
        prior = rng.dirichlet(np.full(4, 1.5))
        truth, posterior = beliefs.many_outcomes(prior, TIMES, SIGNALS, rng)
        ends.extend(np.arange(4) == truth)
        paths.extend(posterior.T)
    return np.array(ends, dtype=float), np.array(paths)


@pytest.fixture(scope="module")
def ladder() -> tuple[np.ndarray, np.ndarray]:
    rng = stream(3)
    signals = Signals(1.0, jumps=2.0, jump_size=0.4)
    strikes = np.array([-1.0, -0.4, 0.1, 0.7])
    ends, paths = [], []
    for n in range(1_200):
        level = beliefs.one_level(TIMES, signals, rng)
        # One strike an event: strikes of one event end together and would count four times.
        strike = strikes[n % 4 : n % 4 + 1]
        paths.append(beliefs.above(level.path, TIMES, strike, signals)[:, 0])
        ends.append(float(level.end > strike[0]))
    return np.array(ends), np.array(paths)


@pytest.mark.parametrize("kind", ["lone", "exclusive", "ladder"])
@pytest.mark.parametrize(("first", "second"), [(10, 30), (30, 31), (40, 80), (80, 119)])
def test_prices_do_not_drift(kind, first, second, request) -> None:
    _, paths = request.getfixturevalue(kind)
    assert_fair(paths[:, first], paths[:, second])


@pytest.mark.parametrize("kind", ["lone", "exclusive", "ladder"])
@pytest.mark.parametrize("row", [20, 50, 80])
def test_prices_are_calibrated(kind, row, request) -> None:
    ends, paths = request.getfixturevalue(kind)
    assert_fair(paths[:, row], ends)


@pytest.mark.parametrize("kind", ["lone", "exclusive", "ladder"])
def test_the_end_is_known_better_and_better(kind, request) -> None:
    ends, paths = request.getfixturevalue(kind)
    scores = [float(np.mean((paths[:, row] - ends) ** 2)) for row in (0, 60, 110, 119)]
    assert scores == sorted(scores, reverse=True)
    assert scores[-1] < 0.3 * scores[0]


def test_the_check_of_fairness_sees_a_drift(lone) -> None:
    _, paths = lone
    with pytest.raises(AssertionError):
        assert_fair(paths[:, 40], np.clip(paths[:, 80] + 0.06, 0, 1))


def test_jumps_move_prices_further_than_diffusion() -> None:
    calm = [
        beliefs.two_outcomes(0.5, TIMES, Signals(0.5, 0.0, 0.8), stream(n))[1] for n in range(50)
    ]
    wild = [
        beliefs.two_outcomes(0.5, TIMES, Signals(0.5, 5.0, 2.0), stream(n))[1] for n in range(50)
    ]
    early = slice(0, 60)
    assert max(np.abs(np.diff(p[early])).max() for p in calm) < 0.2
    assert max(np.abs(np.diff(p[early])).max() for p in wild) > 0.3


@given(st.integers(0, 2**32 - 1), st.integers(2, 6))
@settings(max_examples=25, deadline=None)
def test_classes_sum_to_one_at_every_time(seed, classes) -> None:
    rng = stream(seed)
    prior = rng.dirichlet(np.ones(classes))
    _, posterior = beliefs.many_outcomes(prior, TIMES, SIGNALS, rng)
    assert np.allclose(posterior.sum(axis=1), 1.0, atol=1e-12)
    assert np.allclose(posterior[0], prior, atol=1e-9)


@given(st.integers(0, 2**32 - 1), st.floats(0.0, 5.0), st.floats(0.0, 0.9))
@settings(max_examples=25, deadline=None)
def test_a_higher_strike_is_never_likelier(seed, jumps, share) -> None:
    signals = Signals(1.0, jumps, share)
    level = beliefs.one_level(TIMES, signals, stream(seed))
    table = beliefs.above(level.path, TIMES, np.array([-1.5, -0.2, 0.0, 0.9]), signals)
    assert np.all(np.diff(table, axis=1) <= 1e-15)
    assert np.all((table >= 0.0) & (table <= 1.0))


@pytest.mark.parametrize("skill", [0.05, 0.2, 0.5, 0.8])
def test_a_private_signal_is_worth_what_is_stated(skill) -> None:
    rng = stream(7)
    p = rng.uniform(0.05, 0.95, 8_000)
    happened = rng.random(p.size) < p
    information = beliefs.private_information(skill, p)
    told = np.where(happened, 0.5, -0.5) * information
    told += np.sqrt(information) * rng.standard_normal(p.size)
    forecast = beliefs.sigmoid(beliefs.log_odds(p) + told)
    gained = (p - happened) ** 2 - (forecast - happened) ** 2
    wanted = skill * p * (1 - p)
    error = (gained - wanted).std() / np.sqrt(p.size)
    assert abs((gained - wanted).mean()) < 4 * error


def test_errors_of_a_forecaster_persist() -> None:
    rows = np.array([beliefs.persistent_noise(2, 0.8, stream(n))[:, 0] for n in range(4_000)])
    assert np.corrcoef(rows.T)[0, 1] == pytest.approx(0.8, abs=0.03)
    assert rows.std() == pytest.approx(1.0, abs=0.03)


def test_normal_distribution_function() -> None:
    x = np.array([[-3.0, 0.0], [1.0, 8.0]])
    assert beliefs.normal_cdf(x) == pytest.approx(
        np.array([[0.0013498980316301035, 0.5], [0.8413447460685429, 1.0]]), abs=1e-15
    )


def test_opinions_hold_what_was_meant_and_tell_information_from_error():
    rng = np.random.Generator(np.random.PCG64(7))
    meant = np.clip(rng.random(20_000), 0.02, 0.98)
    noise = 0.25
    stated = beliefs.sigmoid(beliefs.log_odds(meant) + noise * rng.standard_normal(meant.size))
    said = beliefs.opinions(stated, 0.15, noise)
    inside = ((said.low <= meant) & (meant <= said.high)).mean()
    assert 0.945 < inside < 0.955
    assert (said.low < stated).all()
    assert (stated < said.high).all()
    assert ((said.quality > 0.0) & (said.quality < 1.0)).all()
    assert (beliefs.opinions(stated[:1_000], 0.15, 0.0).quality == 1.0).all()
    assert (beliefs.opinions(stated, 0.0, noise).quality < 1e-6).all()
