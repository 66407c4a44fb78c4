"""Synthetic markets whose prices are fair by construction, and forecasts of a stated skill.

Every price is the posterior probability of an outcome drawn beforehand (see
:mod:`polyframe.lab.beliefs`), so it is a martingale that ends at the outcome: without forecasts
nobody can beat it. Forecasts know the market and, in the stated measure, a private signal more.

``python -m polyframe.lab.synth --write DIR --seed N`` writes a catalogue; with the default seed
it is the one shipped with the package.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from polyframe.domain.forecast import CONFIDENCE
from polyframe.domain.market import GroupKind
from polyframe.domain.quality import Flag
from polyframe.domain.units import SECOND
from polyframe.errors import PolyframeError, UserError
from polyframe.lab.beliefs import Floats, Rng, opinions
from polyframe.lab.lives import Event, SynthConfig, exclusive, ladder, lone, stream
from polyframe.store.catalogue import MANIFEST, Catalogue

__all__ = [
    "SOURCE",
    "SynthConfig",
    "Synthetic",
    "generate",
    "is_synthetic",
    "main",
    "sample_dir",
    "write",
]

SOURCE = "synthetic"
NEAR_ROWS = 3
WIDTHS = (0.05, 0.12)
"""Half an interval's width up to which a forecast calls its confidence HIGH, and MEDIUM."""


@dataclass
class Synthetic:
    """The tables, column by column as a catalogue wants them.

    ``posterior`` holds the exact price behind every row of ``prices``, before ticks and flags.
    """

    markets: list[dict[str, Any]] = field(default_factory=list)
    prices: dict[str, list[Any]] = field(default_factory=dict)
    forecasts: dict[str, list[Any]] = field(default_factory=dict)
    posterior: Floats = field(default_factory=lambda: np.empty(0))


def generate(config: SynthConfig | None = None) -> Synthetic:
    """Markets, hourly prices and forecasts. The same config gives the same tables."""
    config = config or SynthConfig()
    plan = stream(config, 0)
    annulled = plan.permutation(config.lone)[: config.splits + config.voids].tolist()
    ends = {n: "split" if k < config.splits else "void" for k, n in enumerate(annulled)}
    events = [lone(config, n, ends.get(n, "winner")) for n in range(config.lone)]
    events += [exclusive(config, n) for n in range(config.exclusive)]
    events += [ladder(config, n) for n in range(config.ladders)]
    loose = [
        (e, c)
        for e, event in enumerate(events)
        for c in range(event.beliefs.shape[1])
        if event.scenery.kind is not GroupKind.LADDER
    ]
    picked = plan.permutation(len(loose))[: config.leading]
    unquoted = {loose[int(i)]: int(plan.integers(12, 60)) for i in picked}
    return _tables(config, events, unquoted)


# ---- tables ------------------------------------------------------------------------------------


def _tables(
    config: SynthConfig, events: list[Event], unquoted: dict[tuple[int, int], int]
) -> Synthetic:
    made = Synthetic()
    exact: list[Floats] = []
    for e, event in enumerate(events):
        latency = stream(config, 4, e)
        for column, market in enumerate(event.scenery.markets):
            made.markets.append(_market_row(config, event, column))
            exact.append(event.beliefs[:, column])
            price, flag = _recorded(config, exact[-1], unquoted.get((e, column), 0))
            _extend(
                made.prices,
                {
                    "market_id": [market.id] * event.ts.size,
                    "token": [f"{market.id}-yes"] * event.ts.size,
                    "ts": event.ts.tolist(),
                    "price": price.tolist(),
                    "flag": flag.tolist(),
                    "source": [SOURCE] * event.ts.size,
                    "known_at": event.ts.tolist(),
                },
            )
            _extend(made.forecasts, _forecast_rows(config, event, column, latency))
    made.posterior = np.concatenate(exact)
    return made


def _extend(table: dict[str, list[Any]], rows: dict[str, list[Any]]) -> None:
    for name, values in rows.items():
        table.setdefault(name, []).extend(values)


def _recorded(
    config: SynthConfig, exact: Floats, unquoted: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Prices on the tick grid, never 0 or 1, and their flags."""
    ticks = np.rint(exact * 10_000 / config.tick).astype(np.int64) * config.tick
    price = np.clip(ticks, config.tick, 10_000 - config.tick)
    flag = np.zeros(exact.size, dtype=np.int64)
    if unquoted:
        price[:unquoted] = 5_000
        flag[:unquoted] = Flag.LEADING
        flag[unquoted : unquoted + NEAR_ROWS] = Flag.NEAR
    return price, flag


def _market_row(config: SynthConfig, event: Event, column: int) -> dict[str, Any]:
    market, scenery = event.scenery.markets[column], event.scenery
    opened = int(event.ts[0])
    won = event.resolution == "winner"
    return {
        "market_id": market.id,
        "condition_id": "",
        "slug": market.id,
        "question": market.question,
        "group": scenery.group,
        "group_kind": scenery.kind.value,
        "category": scenery.category,
        "tags": "synthetic",
        "strike": market.strike,
        "token_0": f"{market.id}-yes",
        "outcome_0": "Yes",
        "token_1": f"{market.id}-no",
        "outcome_1": "No",
        "tick": f"{config.tick / 10_000:.4f}".rstrip("0"),
        "min_size": "5",
        "lot": "0.01",
        "opened": opened,
        "closes": event.closes,
        "resolution": event.resolution,
        "winner": (0 if event.payouts[column] == 1.0 else 1) if won else None,
        "resolved_at": event.resolved_at,
        "fee_rate": None,
        "fee_exponent": None,
        "source": SOURCE,
        "known_at": opened,
    }


def _forecast_rows(
    config: SynthConfig, event: Event, column: int, rng: Rng
) -> dict[str, list[Any]]:
    n = event.asked.size
    as_of = event.ts[event.asked]
    took = np.rint(config.latency * rng.uniform(0.5, 2.0, size=n) / SECOND).astype(np.int64)
    took *= SECOND
    p = np.clip(event.forecasts[:, column], 1e-3, 0.999)
    said = opinions(p, config.skill, config.noise)
    return {
        "market_id": [event.scenery.markets[column].id] * n,
        "as_of": as_of.tolist(),
        "latency": took.tolist(),
        # Four decimals are what anybody states, and they do not depend on the last bit of a double.
        "probability": [round(float(x), 4) for x in p],
        "source": [SOURCE] * n,
        "model": [f"private signal, skill {config.skill:g}, noise {config.noise:g}"] * n,
        "cutoff": [0] * n,
        "cost": [0] * n,
        "blind": [False] * n,
        "known_at": (as_of + took).tolist(),
        "confidence": [CONFIDENCE[2 - int(wide)] for wide in np.searchsorted(WIDTHS, said.wide)],
        "evidence_quality": [round(float(x), 2) for x in said.quality],
        "low": [round(float(x), 4) for x in said.low],
        "high": [round(float(x), 4) for x in said.high],
    }


def is_synthetic(catalogue: Catalogue) -> bool:
    """True when a catalogue says so, or any of its files holds synthetic rows."""
    files_of = catalogue.manifest["files"].values()
    return bool(catalogue.manifest.get(SOURCE)) or any(SOURCE in f["sources"] for f in files_of)


def sample_dir() -> Path:
    """The directory of the synthetic catalogue shipped with the package."""
    return Path(str(files("polyframe.lab") / "sample"))


def write(made: Synthetic, directory: Path, note: Mapping[str, Any]) -> None:
    """Stores the tables as a new catalogue whose every file says that it is synthetic.

    The catalogue flags prices by its own rules, as for any other data.

    Raises:
        UserError: there is a catalogue already.
    """
    import pandas as pd  # noqa: PLC0415 - heavy

    if (directory / MANIFEST).exists():
        raise UserError(
            f"{directory} holds a catalogue already",
            expected="an empty directory: synthetic data is not mixed with other data",
            hint="python -m polyframe.lab.synth --write OTHER-DIR",
        )
    catalogue = Catalogue.create(directory)
    catalogue.manifest[SOURCE] = True
    catalogue.write_markets(pd.DataFrame(made.markets), note)
    catalogue.append_prices(pd.DataFrame(made.prices), note)
    catalogue.append_forecasts(pd.DataFrame(made.forecasts), note)


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes a synthetic catalogue; the entry of ``python -m polyframe.lab.synth``."""
    parser = argparse.ArgumentParser(
        prog="python -m polyframe.lab.synth", description="Write a synthetic catalogue."
    )
    parser.add_argument("--write", type=Path, metavar="DIR", required=True)
    for name, kind in (("seed", int), ("days", int), ("skill", float), ("noise", float)):
        default = next(f.default for f in fields(SynthConfig) if f.name == name)
        parser.add_argument(f"--{name}", type=kind, default=default, help=f"default {default}")
    given = parser.parse_args(arguments)
    try:
        config = SynthConfig(seed=given.seed, days=given.days, skill=given.skill, noise=given.noise)
        made = generate(config)
        write(made, given.write, {"generator": "polyframe.lab.synth", **asdict(config)})
    except PolyframeError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    sys.stdout.write(
        f"{given.write}: {len(made.markets)} markets, {len(made.posterior)} prices, "
        f"{len(made.forecasts['as_of'])} forecasts, all synthetic\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
