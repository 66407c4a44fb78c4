"""A stored run made again, and once more under every worst case."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from polyframe.domain.units import MONEY_DECIMALS, format_units
from polyframe.lab.backtest import Progress, played, played_again
from polyframe.lab.bands import result_of
from polyframe.lab.making_form import Scenario
from polyframe.lab.reproduce import ready_again
from polyframe.lab.scenarios import scenarios_of
from polyframe.runtime.plugins import Registry
from polyframe.store.journal import JournalWriter


@dataclass(frozen=True)
class WorstCases:
    """What a run came to, what each worst case would have made of it, and what is not as it was."""

    run: str
    pnl: str
    fills: int
    scenarios: list[Scenario]
    differences: list[str]


def worst_cases_of(
    directory: Path,
    registry: Registry,
    *,
    data: Path | None = None,
    anyway: bool = False,
    progress: Progress | None = None,
) -> WorstCases:
    """Makes a stored run again and then each worst case.

    Raises:
        DataError: something that the result depends on differs, or the run cannot be read.
        UserError: the catalogue or a plugin is gone.
    """
    stored, loaded, differing = ready_again(directory, registry, data, "worst-cases", anyway=anyway)
    loaded = replace(loaded, manifest=stored.manifest)
    record, _ = played(loaded, JournalWriter.null(), progress=progress)
    if record.book is not None:
        loaded = replace(loaded, mids=record.book.mids)
    again = partial(played_again, loaded)
    found = scenarios_of(loaded.config, loaded.data, record, again)
    pnl = format_units(result_of(record), MONEY_DECIMALS)
    return WorstCases(directory.name, pnl, len(record.fills), found, differing)
