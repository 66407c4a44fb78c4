"""What ``polyframe forecast`` prints for a person."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from polyframe.cli.data_tables import plain_table

if TYPE_CHECKING:
    from polyframe.lab.evaluation_form import (
        Band,
        BeyondMarket,
        Calibration,
        Contaminated,
        Evaluation,
    )

COLOUR = {"better": "green", "worse": "red", "not distinguishable": "yellow", "contaminated": "red"}


def evaluation_page(found: Evaluation) -> Any:
    """The verdict, then scores, what is known beyond the market, calibration, categories."""
    parts: list[Any] = [
        Text(found.verdict.text, f"bold {COLOUR[found.verdict.code]}"),
        Text(
            f"{found.name}: {found.rows:,} of {found.read:,} rows, {found.events:,} events; "
            f"{found.base_rate:.1%} happened",
            "dim",
        ),
        "",
        _scores(found),
    ]
    if found.beyond_market is not None:
        parts += ["", _beyond(found.beyond_market, found.events)]
    parts += ["", _calibration(found.calibration)]
    if found.categories:
        parts += ["", _categories(found)]
    if found.contaminated is not None:
        parts += ["", Text(_contaminated(found.contaminated, found.verdict.against), "yellow")]
    told = [f"{n:,} rows left out: {why}" for why, n in found.left_out.items()]
    if told or found.notes:
        parts += ["", *(Text(f"- {line}", "dim") for line in (*told, *found.notes))]
    return Group(*parts)


def _contaminated(found: Contaminated, against: str) -> str:
    return (
        f"Contaminated: {found.rows:,} rows, {found.events:,} events, of questions that ended "
        "before the model's knowledge does; it may have read how. Scored apart, in no figure "
        f"above: Brier {found.brier:.4f}, {against} {found.reference:.4f}, gain "
        f"{found.gain.mean:+.4f} ({_ends(found.gain)})."
    )


def _scores(found: Evaluation) -> Table:
    names = ("", "Brier", "log score", "skill", "Brier gain", "95 %")
    table = _numbers("Scores (lower is better; a gain above 0: these forecasts were better)", names)
    own = (f"{found.brier.mean:.4f}", f"{found.log_score.mean:.4f}")
    table.add_row("these forecasts", *own, "", "", "", style="bold")
    for other in found.references:
        table.add_row(
            other.name, f"{other.brier:.4f}", f"{other.log_score:.4f}", _share(other.skill),
            f"{other.brier_gain.mean:+.4f}", _ends(other.brier_gain),
        )  # fmt: skip
    return table


def _beyond(found: BeyondMarket, events: int) -> Table:
    table = plain_table("What the forecasts know beyond the market")
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("meaning")
    slope = "unknown" if found.slope is None else f"{found.slope:+.3f}"
    if found.slope_low is not None and found.slope_high is not None:
        slope += f" ({found.slope_low:+.3f} to {found.slope_high:+.3f})"
    table.add_row("encompassing slope", slope, "0: the price knows it all; 1: the forecast does")
    z = "unknown" if found.score_z is None else f"{found.score_z:+.2f}"
    table.add_row("score test z", z, "beyond 1.96: the price does not know it all")
    table.add_row("e-value", f"{found.e_value:.3g}", "20 or more rejects that the price is right")
    table.add_row("claimed edge", f"{found.claimed_edge:.1%}", "root mean square of p - price")
    needed = "never" if math.isinf(found.needed_brier) else f"{math.ceil(found.needed_brier):,}"
    table.add_row(
        "events needed", needed, f"of which {events:,} are here: power 80 %, were the claim right"
    )
    return table


def _calibration(found: Calibration) -> Group:
    line = "no line: the rows do not determine it"
    if found.slope is not None and found.intercept is not None:
        line = (
            f"slope {found.slope:.3f} ± {found.slope_error:.3f}, intercept {found.intercept:+.3f} "
            f"± {found.intercept_error:.3f} (right: 1 and 0; slope below 1: too sure)"
        )
    table = _numbers("Calibration", ("said", "rows", "events", "mean", "happened", "95 %"))
    for point in found.curve:
        inside = point.happened.low is not None and point.happened.high is not None
        off = inside and not point.happened.low <= point.said <= point.happened.high  # type: ignore[operator]
        table.add_row(
            f"{point.low:.0%} to {point.high:.0%}", f"{point.rows:,}", f"{point.happened.events:,}",
            f"{point.said:.1%}", f"{point.happened.mean:.1%}",
            f"{point.happened.low:.1%} to {point.happened.high:.1%}" if inside else "",
            style="yellow" if off else "",
        )  # fmt: skip
    error = (
        f"error {found.error:.3f}; by luck alone {found.noise:.3f}, at most {found.noise_high:.3f}"
    )
    return Group(table, Text(line), Text(error))


def _categories(found: Evaluation) -> Table:
    title = f"By category, against the {found.verdict.against}"
    table = _numbers(title, ("category", "rows", "events", "Brier", "its Brier", "gain", "95 %"))
    for row in found.categories:
        table.add_row(
            Text(row.name), f"{row.rows:,}", f"{row.events:,}", f"{row.brier:.4f}",
            f"{row.reference:.4f}", f"{row.gain.mean:+.4f}" if row.gain else "",
            _ends(row.gain) if row.gain else "too few events",
        )  # fmt: skip
    return table


def _numbers(title: str, names: tuple[str, ...]) -> Table:
    table = plain_table(title)
    for i, name in enumerate(names):
        table.add_column(name, justify="right" if i else "left", no_wrap=i > 0)
    return table


def _ends(band: Band) -> str:
    if band.low is None or band.high is None:
        return "unknown"
    return f"{band.low:+.4f} to {band.high:+.4f}"


def _share(value: float) -> str:
    return "" if math.isnan(value) else f"{value:+.1%}"
