"""The tape shipped with the package: four synthetic markets over a day and a half.

``python -m polyframe.lab.sample_tape --write DIR`` writes it again, byte for byte.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from polyframe.domain.market import Market, Resolution
from polyframe.domain.units import HOUR, SECOND
from polyframe.errors import PolyframeError, UserError
from polyframe.lab import flow
from polyframe.lab.flow_spec import FlowSpec
from polyframe.lab.synth import SOURCE
from polyframe.store.catalogue import MANIFEST, TAPE, Catalogue
from polyframe.store.tape_writer import TapeWriter

__all__ = ["NAME", "SEED", "SPECS", "main", "tape_sample_dir", "write"]

NAME = "synthetic"
"""The source of the tape: what ``--tape`` calls it."""
SEED = 20_260_901
LIFE = 36 * 3_600.0
"""Seconds on the tape."""

_DAY = 86_400.0
_THIN: dict[str, Any] = {
    "makers": 40, "hold": 3_000.0, "depth": 8.0, "noise": 0.8, "order_size": 32.0, "takers": 0.009,
    "take_size": 9.0, "fade": 0.01,
}  # fmt: skip
SPECS: tuple[tuple[FlowSpec, str, str], ...] = (
    (FlowSpec(seconds=14 * _DAY, information=1.2, jumps=10.0, **_THIN),
     "politics", "Does the motion pass?"),
    (FlowSpec(seconds=30 * _DAY, start_probability=0.24, jumps=20.0, **_THIN),
     "economics", "Is the rate cut at the next meeting?"),
    (FlowSpec(seconds=9 * _DAY, start_probability=0.7, jumps=6.0, **_THIN),
     "geopolitics", "Does the summit take place?"),
    (FlowSpec(seconds=30 * 3_600.0, start_probability=0.6, **_THIN),
     "sports", "Does the home side win?"),
)  # fmt: skip
"""Markets with their categories and questions.

Spread, depth and sizes of trades are near those of the recorded markets that the defaults of
``FlowSpec`` are calibrated to (1.15 ticks, 289 shares a level, 8 shares); orders and trades come
some four hundred times less often, so that a day and a half is small enough to ship.
"""


def tape_sample_dir() -> Path:
    """The directory of the synthetic tape's catalogue shipped with the package."""
    return Path(str(files("polyframe.lab") / "sample_books"))


def write(directory: Path) -> flow.Flow:
    """Stores the tape as a new catalogue that says that it is synthetic.

    Raises:
        UserError: there is a catalogue already.
    """
    import pandas as pd  # noqa: PLC0415 - heavy

    if (directory / MANIFEST).exists():
        raise UserError(
            f"{directory} holds a catalogue already",
            expected="an empty directory: synthetic data is not mixed with other data",
            hint="python -m polyframe.lab.sample_tape --write OTHER-DIR",
        )
    made = flow.generate([spec for spec, _, _ in SPECS], SEED, seconds=LIFE)
    note = {"generator": "polyframe.lab.sample_tape", "seed": SEED, "seconds": LIFE}
    catalogue = Catalogue.create(directory)
    catalogue.manifest[SOURCE] = True
    ended = {resolution.market: resolution for resolution in made.note.resolutions}
    rows = [
        _market_row(market, category, question, ended.get(market.id))
        for market, (_, category, question) in zip(made.note.markets, SPECS, strict=True)
    ]
    catalogue.write_markets(pd.DataFrame(rows), note)
    writer = TapeWriter(directory / TAPE / NAME, made.note.instruments)
    writer.append(made.columns)
    segment = writer.close()
    assert segment is not None
    facts = {
        "rows": segment.rows,
        "instruments": list(segment.instruments),
        "first": segment.first_ts,
        "last": segment.last_ts,
    }
    catalogue.add_segment(NAME, segment.path, facts, note)
    return made


def _market_row(
    market: Market, category: str, question: str, ended: Resolution | None
) -> dict[str, Any]:
    return {
        "market_id": market.id,
        "condition_id": "",
        "slug": market.slug,
        "question": f"[synthetic] {question}",
        "group": "",
        "group_kind": "independent",
        "category": category,
        "tags": SOURCE,
        "strike": None,
        "token_0": market.yes.id,
        "outcome_0": market.yes.outcome,
        "token_1": market.no.id,
        "outcome_1": market.no.outcome,
        "tick": market.show_price(market.tick),
        "min_size": market.show_size(market.min_size),
        "lot": market.show_size(market.lot),
        "opened": market.opened,
        "closes": market.closes,
        "resolution": "winner" if ended else None,
        "winner": ended.payouts.index(max(ended.payouts)) if ended else None,
        "resolved_at": ended.known_at if ended else None,
        "fee_rate": None,
        "fee_exponent": None,
        "source": SOURCE,
        "known_at": market.opened,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the tape; the entry of ``python -m polyframe.lab.sample_tape``."""
    parser = argparse.ArgumentParser(
        prog="python -m polyframe.lab.sample_tape", description="Write the shipped tape again."
    )
    parser.add_argument("--write", type=Path, metavar="DIR", required=True)
    given = parser.parse_args(arguments)
    try:
        made = write(given.write)
    except PolyframeError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    hours = LIFE * SECOND / HOUR
    sys.stdout.write(
        f"{given.write}: {len(made.note.markets)} markets, {len(made.truth)} rows of {hours:g} "
        "hours, all synthetic\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
