"""Looks for everything that can be wrong with a catalogue."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from polyframe.errors import DataError
from polyframe.store.catalogue import FAULTS, Catalogue
from polyframe.store.findings import Finding, Severity, Unquoted
from polyframe.store.parquet import empty_frame, read_frame
from polyframe.store.schema import BARS, FORECASTS, MARKETS, PRICES, TRADES, Table

if TYPE_CHECKING:
    from pandas import DataFrame

    from polyframe.store.unquoted import UnquotedRules

MENDED = {
    "missing file": "import the original again",
    "unlisted file": "move it away and import it",
    "changed file": "move it away and import the original again",
}
"""What a person does about a file of which ``FAULTS`` tells."""


@dataclass(slots=True)
class CheckReport:
    """All findings of a check, the gravest first."""

    path: str
    files: int = 0
    findings: list[Finding] = field(default_factory=list)
    unquoted: list[Unquoted] = field(default_factory=list)
    reflagged: dict[str, int] = field(default_factory=dict)
    """price rows whose flags or markets were rewritten, by file"""

    @property
    def errors(self) -> int:
        """Number of findings that make data unusable."""
        return sum(f.severity is Severity.ERROR for f in self.findings)


def check_catalogue(
    catalogue: Catalogue, rules: UnquotedRules | None = None, *, write: bool = False
) -> CheckReport:
    """Checks every file. With ``write``, flags that no longer hold are rewritten.

    Nothing is rewritten while a file is missing, damaged or changed.

    Raises:
        PolyframeError: flags were to be written and the disk refused.
    """
    from polyframe.store.bar_checks import check_bars  # noqa: PLC0415 - with pandas
    from polyframe.store.market_checks import check_markets  # noqa: PLC0415 - with pandas
    from polyframe.store.price_checks import (  # noqa: PLC0415 - with numpy
        check_prices,
        check_sources,
        count_flags,
    )
    from polyframe.store.row_checks import check_forecasts, check_trades  # noqa: PLC0415
    from polyframe.store.tape_checks import check_tapes  # noqa: PLC0415 - with numba

    report = CheckReport(str(catalogue.path))
    frames = _readable(catalogue, report)
    markets = next((f for of, _, f in frames if of is MARKETS), empty_frame(MARKETS))
    # Rewriting a file that somebody changed would make the change look like ours.
    if write and not report.errors:
        report.reflagged = {k: n for k, n in catalogue.reflag(rules).items() if n}
        frames = _readable(catalogue, CheckReport(""))
    for of, path, frame in frames:
        name = catalogue.name(path)
        if of is MARKETS:
            report.findings += check_markets(name, frame)
        elif of is PRICES:
            report.findings += check_prices(name, frame, markets, rules)
            report.unquoted.append(count_flags(name, frame))
        elif of is BARS:
            report.findings += check_bars(name, frame, markets)
        elif of is TRADES:
            report.findings += check_trades(name, frame)
        elif of is FORECASTS:
            report.findings += check_forecasts(name, frame, markets)
    report.findings += check_tapes(catalogue)
    prices = [(catalogue.name(path), frame) for of, path, frame in frames if of is PRICES]
    report.findings += check_sources(prices)
    gravest = list(Severity)
    report.findings.sort(key=lambda f: (gravest.index(f.severity), f.check, f.file, f.market))
    return report


def _readable(catalogue: Catalogue, report: CheckReport) -> list[tuple[Table, Path, DataFrame]]:
    """The files that can be read; what is wrong with the others goes into the report."""
    frames = []
    present = catalogue.present()
    segments = {catalogue.name(path) for path in catalogue.segments()}
    report.files = len(present) + len(segments)
    for name in sorted(set(catalogue.manifest["files"]) - set(present) - segments):
        report.findings.append(_whole(name, "missing file"))
    for name in sorted(segments):
        if fault := catalogue.fault(name):
            report.findings.append(_whole(name, fault))
    for name, (of, path) in present.items():
        try:
            frames.append((of, path, read_frame(path, of)))
        except DataError as error:
            report.findings.append(
                Finding(Severity.ERROR, "unreadable", name, error.message.replace(str(path), "it"))
            )
            continue
        if fault := catalogue.fault(name):
            report.findings.append(_whole(name, fault))
    return frames


def _whole(name: str, fault: str) -> Finding:
    return Finding(Severity.ERROR, fault, name, f"{FAULTS[fault]}; {MENDED[fault]}")
