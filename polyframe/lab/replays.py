"""The same run once more: orders one row late, dearer, slower, other fills, other parameters.

Each is a whole replay with everything the strategy would have decided differently; nothing is
estimated from the fills of the first run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from polyframe.api.param import search_ranges
from polyframe.domain.units import MONEY_DECIMALS, Money, format_units
from polyframe.errors import ConfigError
from polyframe.exchanges.sim.settings import SimSettings
from polyframe.lab.record import Replayed, RunRecord
from polyframe.lab.robustness import HOW, LATE, by_event, events_of
from polyframe.lab.trips import fold
from polyframe.runtime.config import plugin_config
from polyframe.runtime.overriding import with_sim
from polyframe.runtime.plugins import Registry
from polyframe.runtime.settings import Config

Robust: TypeAlias = Literal["none", "small", "all"]
Again: TypeAlias = Callable[[Config], RunRecord]

SMALL = 20_000
"""A run of at most so many steps is replayed with late fills without being asked."""
JITTERS = 4
JITTER = 0.20
MOVED = f"parameters moved by up to {JITTER:.0%}"


class Plan(NamedTuple):
    """What is changed for one replay: settings of the simulated exchange."""

    name: str
    note: str
    sim: Mapping[str, Any]


def replayed(
    config: Config, registry: Registry, again: Again, robust: Robust, steps: int, *,
    tape: bool = False,
) -> list[Replayed]:  # fmt: skip
    """The run under each assumption that was asked for; what was not run says how to.

    ``steps`` is how many the run itself took, ``tape`` says that it was over recorded books.
    """
    late, *others = plans_of_books(config) if tape else plans(config)
    if robust == "none" or (robust == "small" and steps > SMALL):
        why = HOW if robust == "none" else f"{HOW} (the run took {steps:,} steps)"
        return [Replayed(late.name, why), *_not_run(others)]
    rows = [_under(config, late, again)]
    if robust != "all":
        return [*rows, *_not_run(others)]
    rows += [_under(config, plan, again) for plan in others]
    return [*rows, _jittered(config, registry, again)]


def _not_run(others: list[Plan]) -> list[Replayed]:
    return [Replayed(name, HOW) for name in (*(plan.name for plan in others), MOVED)]


def plans(config: Config) -> list[Plan]:
    """Late fills first, then the stresses on costs, latency and the fill model."""
    now = SimSettings.model_validate(config.venue.sim)
    other = "last" if now.fill_at == "next" else "next"
    return [
        Plan(LATE, "every order waits for the next row", {"delay_rows": now.delay_rows + 1}),
        Plan(
            "spread, impact and fee doubled",
            "depth halved; decisions follow",
            {"cost_multiplier": min(2 * now.cost_multiplier, 20.0)},
        ),
        _dearer(now),
        _slower(now),
        Plan(
            "the other fill model", f"fill_at {other} instead of {now.fill_at}", {"fill_at": other}
        ),
    ]


def plans_of_books(config: Config) -> list[Plan]:
    """What changes a run over recorded books: neither rows nor a modelled spread do there."""
    now = SimSettings.model_validate(config.venue.sim)
    return [_slower(now), _dearer(now)]


def _dearer(now: SimSettings) -> Plan:
    fee = {"fee_multiplier": min(1.5 * now.fee_multiplier, 20.0)}
    return Plan("fee half as much again", "decisions follow", fee)


def _slower(now: SimSettings) -> Plan:
    return Plan("latency three times", "orders, cancels and answers", tripled(now))


def tripled(now: SimSettings) -> dict[str, float]:
    """Every leg of the latency three times, measured ones too."""
    names = (
        "latency_entry_ms", "latency_cancel_ms", "latency_response_ms", "latency_feed_ms",
        "latency_multiplier",
    )  # fmt: skip
    return {name: 3 * getattr(now, name) for name in names}


def _under(config: Config, plan: Plan, again: Again) -> Replayed:
    record = again(with_sim(config, plan.sim))
    return Replayed(plan.name, plan.note, _results(record), len(record.fills))


def _results(record: RunRecord) -> dict[str, Money]:
    """The result of each independent event, by its name."""
    books = fold(record)
    names = [books.columns.events[n] for n in events_of(books).tolist()]
    return dict(zip(names, by_event(books).tolist(), strict=True))


# ---- other parameters --------------------------------------------------------------------------


def _jittered(config: Config, registry: Registry, again: Again) -> Replayed:
    """The worst of a few runs with every searchable number of the strategies moved a little."""
    name = MOVED
    rng = np.random.default_rng([config.session.seed, 6])
    drawn = [moved(config, registry, rng) for _ in range(JITTERS)]
    if drawn[0] is None:
        return Replayed(name, "not run: no strategy declares a range (Int, Real) to search")
    found: list[tuple[Money, int, dict[str, Money], int]] = []
    for other in filter(None, drawn):
        try:
            record = again(other)
        except ConfigError:
            continue  # numbers that do not go together are no parameters of this strategy
        results = _results(record)
        found.append((sum(results.values()), len(found), results, len(record.fills)))
    if not found:
        return Replayed(name, "not run: no draw gave settings that the strategy accepts")
    shown = ", ".join(f"{float(format_units(total, MONEY_DECIMALS)):+z,.2f}" for total, *_ in found)
    _, _, results, fills = min(found)
    return Replayed(name, f"the worst of {len(found)} draws: {shown}", results, fills)


def moved(config: Config, registry: Registry, rng: np.random.Generator) -> Config | None:
    """The configuration with each searchable number of its strategies moved, within its range.

    None when there is nothing to move.
    """
    values, any_moved = config.plain(), False
    for i, use in enumerate(config.strategies):
        cls = registry.get("strategy", use.use)
        standing = plugin_config(cls, use.config, f"strategies[{i}].config")
        for field, search in search_ranges(type(standing)).items():
            kind, value = search["kind"], getattr(standing, field)
            if kind not in ("int", "real") or isinstance(value, bool) or value is None:
                continue
            to = min(
                max(value * rng.uniform(1 - JITTER, 1 + JITTER), search["low"]), search["high"]
            )
            values["strategies"][i]["config"][field] = round(to) if kind == "int" else float(to)
            any_moved = True
    return Config.model_validate(values) if any_moved else None
