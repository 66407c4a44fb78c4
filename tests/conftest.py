"""Settings that every test shares."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

ROOT = Path(__file__).resolve().parent.parent

# Deadlines fail on a busy machine, not on a wrong program. Derandomised, a failure is the same
# failure everywhere; `pytest --hypothesis-profile=explore` looks further.
settings.register_profile(
    "steady",
    deadline=None,
    derandomize=True,
    max_examples=100,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("explore", deadline=None, max_examples=2_000)
settings.load_profile("steady")


@pytest.hookimpl(tryfirst=True)
def pytest_collection() -> None:
    """Keeps this run's options from the pytest that a test starts in a process of its own.

    Not earlier: workers that run tests side by side have taken them over by now. Not later: test
    modules copy the environment when they are imported.
    """
    os.environ.pop("PYTEST_ADDOPTS", None)


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared(root: Path) -> Path:
    """Reference data beside the checkout; tests that need it skip where it is absent."""
    folder = root.parent / "shared"
    if not folder.is_dir():
        pytest.skip("the reference data folder ../shared is not beside this checkout")
    return folder


@pytest.fixture(scope="session")
def payloads(shared: Path) -> Path:
    """Answers of the real venue, as they were recorded."""
    folder = shared / "payloads"
    if not folder.is_dir():
        pytest.skip("../shared/payloads is absent")
    return folder


@pytest.fixture(scope="session")
def vectors(shared: Path) -> dict[str, dict[str, object]]:
    """Reference vectors of the formulas, by name."""
    path = shared / "reference" / "vectors.json"
    if not path.is_file():
        pytest.skip("../shared/reference/vectors.json is absent")
    loaded: dict[str, dict[str, object]] = json.loads(path.read_text())
    return loaded
