"""How good forecasts were: scores, skill against the market, calibration, and what luck explains.

Rows of one event have one vote together in every figure: repeated rounds of one question are one
observation, and so are the markets of one event.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from polyframe.errors import DataError
from polyframe.lab.evaluation_form import (
    Band,
    BeyondMarket,
    Calibration,
    CategoryScore,
    Code,
    Contaminated,
    CurvePoint,
    Evaluation,
    Reference,
    Verdict,
)
from polyframe.lab.makers import rivals_of
from polyframe.lab.score_form import enough_events
from polyframe.lab.scored_rows import Scored
from polyframe.quant.rows import event_numbers
from polyframe.quant.scoring import (
    BINS,
    bin_of,
    brier_index,
    brier_skill,
    calibration_error,
    calibration_line,
    calibration_noise,
    log_losses,
)
from polyframe.quant.significance import (
    bootstrap_mean,
    e_value,
    encompassing,
    event_means,
    paired_difference,
    power_questions,
    wilson_interval,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

LEAST_EVENTS = 10
"""A category with fewer events gets no interval: it would only look like one."""
FEW_EVENTS = 30


def evaluate(rows: Scored, *, seed: int = 0) -> Evaluation:
    """Scores forecasts, leading with what can be said about them.

    Raises:
        DataError: fewer than two events, or all outcomes alike.
    """
    rows, apart = _parted(rows)
    events = int(event_numbers(rows.event, rows.p.size).max()) + 1
    if rows.y.min() == rows.y.max():
        raise DataError(
            f"{rows.name}: all {rows.y.size:,} outcomes are {rows.y[0]:.0f}",
            expected="rows of both outcomes, or nothing tells skill from saying always the same",
            hint="score more questions, or look whether --y is the outcome and --where too narrow",
        )
    if events < 2:
        raise DataError(
            f"{rows.name}: all {rows.p.size:,} rows belong to one event",
            expected="two events or more",
            hint="name the column that tells them apart: --event COLUMN",
        )
    brier, log = (rows.p - rows.y) ** 2, log_losses(rows.p, rows.y)
    rivals, told = _rivals(rows)
    references = tuple(_compared(name, rows, p, brier, log, seed) for name, p in rivals.items())
    main = references[-1]
    own = Band.of(bootstrap_mean(event_means(brier, rows.event), seed=seed))
    notes = [*rows.notes, *told]
    if rows.p.size > events:
        notes.append(f"{rows.p.size:,} rows are {events:,} observations: one vote an event")
    return Evaluation(
        name=rows.name,
        read=rows.read,
        rows=int(rows.p.size),
        events=events,
        left_out=dict(rows.left_out),
        notes=tuple(notes),
        columns=dict(rows.columns),
        verdict=_verdict(main, events) if rows.contaminated is None else _worthless(main),
        brier=own,
        brier_index=brier_index(own.mean),
        log_score=Band.of(bootstrap_mean(event_means(log, rows.event), seed=seed)),
        base_rate=float(event_means(rows.y, rows.event).mean()),
        references=references,
        calibration=_calibration(rows, seed),
        beyond_market=_beyond(rows) if rows.market is not None else None,
        categories=_categories(rows, brier, (rivals[main.name] - rows.y) ** 2, seed),
        contaminated=_apart(apart, main.name, float(rows.y.mean()), seed),
    )


def _parted(rows: Scored) -> tuple[Scored, Scored | None]:
    """The rows that say something, and those whose end the model may have read."""
    known = rows.contaminated
    if known is None or not known.any():
        return replace(rows, contaminated=None), None
    rest = rows.y[~known]
    if rest.size < 2 or rest.min() == rest.max() or len(set(rows.event[~known].tolist())) < 2:
        # Nothing else can be scored: the verdict says what the figures are worth.
        left = f"rows that are not contaminated, too few to be scored: {rest.size:,}"
        notes = [*rows.notes, *([left] if rest.size else [])]
        worthless = np.ones(int(known.sum()), dtype=np.bool_)
        return replace(_chosen(rows, known), contaminated=worthless, notes=notes), None
    return _chosen(rows, ~known), _chosen(rows, known)


def _chosen(rows: Scored, which: NDArray[np.bool_]) -> Scored:
    return replace(
        rows,
        p=rows.p[which],
        y=rows.y[which],
        market=None if rows.market is None else rows.market[which],
        event=rows.event[which],
        category=None if rows.category is None else rows.category[which],
        order=rows.order[which],
        contaminated=None,
        maker=None if rows.maker is None else rows.maker[which],
    )


def _apart(rows: Scored | None, against: str, rate: float, seed: int) -> Contaminated | None:
    if rows is None:
        return None
    rival = {"market": rows.market}.get(against)
    if rival is None:
        rival = np.full(rows.p.size, rate)
    own, theirs = (rows.p - rows.y) ** 2, (rival - rows.y) ** 2
    means = event_means(own, rows.event)
    return Contaminated(
        int(rows.p.size),
        means.size,
        float(means.mean()),
        float(event_means(theirs, rows.event).mean()),
        Band.of(paired_difference(own, theirs, rows.event, seed=seed)),
    )


def _rivals(rows: Scored) -> tuple[dict[str, Floats], list[str]]:
    """Probabilities of others for the same rows, the last one the one that matters most; notes."""
    means = event_means(rows.y, rows.event)
    # The rate of these very events. That of all others but the row's own would be worse than any
    # constant that happens to lie near it, and whoever knows nothing would beat it.
    edge = 1.0 / (means.size + 1)
    rate = float(np.clip(means.mean(), edge, 1.0 - edge))
    rivals = {"one half": np.full(rows.p.size, 0.5), "base rate": np.full(rows.p.size, rate)}
    found, notes = rivals_of(rows)
    last = {} if rows.market is not None else {"base rate": rivals.pop("base rate")}
    rivals |= found | last
    if rows.market is not None:
        rivals["market"] = rows.market
    return rivals, notes


def _compared(
    name: str, rows: Scored, rival: Floats, brier: Floats, log: Floats, seed: int
) -> Reference:
    theirs, their_log = (rival - rows.y) ** 2, log_losses(rival, rows.y)
    score = float(event_means(theirs, rows.event).mean())
    return Reference(
        name,
        score,
        float(event_means(their_log, rows.event).mean()),
        brier_skill(float(event_means(brier, rows.event).mean()), score),
        Band.of(paired_difference(brier, theirs, rows.event, seed=seed)),
        Band.of(paired_difference(log, their_log, rows.event, seed=seed)),
    )


def _verdict(main: Reference, events: int) -> Verdict:
    gain = main.brier_gain
    code: Code = "not distinguishable"
    if gain.low is not None and gain.high is not None and enough_events(events):
        code = "better" if gain.low > 0.0 else "worse" if gain.high < 0.0 else code
    said = {
        "better": f"Better than the {main.name}",
        "worse": f"Worse than the {main.name}",
        "not distinguishable": f"Not distinguishable from the {main.name}",
    }[code]
    text = f"{said}: Brier gain {gain.mean:+z.4f}"
    if gain.low is not None and gain.high is not None:
        text += f" ({gain.low:+z.4f} to {gain.high:+z.4f})"
    text += f" over {events:,} events."
    if not enough_events(events):
        text += " So few can tell nothing, whatever they show."
    elif events < FEW_EVENTS:
        text += " That is few: an interval from so few events is itself uncertain."
    return Verdict(code, main.name, text)


def _worthless(main: Reference) -> Verdict:
    text = (
        "Contaminated: these are questions that ended before the model's knowledge does. "
        "It may have read how; whatever they score says nothing about forecasting."
    )
    return Verdict("contaminated", main.name, text)


def _single(rows: Scored) -> NDArray[np.int64]:
    """One row an event, its first in time, the events in the order of these rows."""
    order = np.argsort(rows.order, kind="stable")
    _, first = np.unique(rows.event[order], return_index=True)
    return order[np.sort(first)]


def _vote(rows: Scored) -> Floats:
    """1 / k for each of k rows of one event."""
    which = event_numbers(rows.event, rows.p.size)
    found: Floats = 1.0 / np.bincount(which)[which]
    return found


def _calibration(rows: Scored, seed: int) -> Calibration:
    single = _single(rows)
    noise = calibration_noise(rows.p[single], seed=seed)
    try:
        line = calibration_line(rows.p, rows.y, weights=_vote(rows))
    except DataError:
        line = None  # a line through rows that it parts perfectly, or forecasts all alike
    return Calibration(
        line.slope if line else None,
        line.slope_error if line else None,
        line.intercept if line else None,
        line.intercept_error if line else None,
        calibration_error(rows.p[single], rows.y[single]),
        noise.mean,
        noise.high,
        _curve(rows),
    )


def _curve(rows: Scored) -> tuple[CurvePoint, ...]:
    which = bin_of(rows.p)
    points = []
    for k in np.unique(which):
        inside = which == k
        said = event_means(rows.p[inside], rows.event[inside])
        happened = event_means(rows.y[inside], rows.event[inside])
        points.append(
            CurvePoint(
                float(k) / BINS,
                float(k + 1) / BINS,
                int(inside.sum()),
                float(said.mean()),
                Band.of(wilson_interval(float(happened.mean()), happened.size)),
            )
        )
    return tuple(points)


def _beyond(rows: Scored) -> BeyondMarket:
    assert rows.market is not None
    single = _single(rows)
    gaps = event_means((rows.p - rows.market) ** 2, rows.event)
    spread = event_means(rows.market * (1.0 - rows.market), rows.event)
    edge = math.sqrt(float(gaps.mean()))
    try:
        found = encompassing(rows.p, rows.market, rows.y, rows.event)
    except DataError:
        found = None  # the forecasts are the prices, or the rows do not determine the slope
    needed = power_questions(edge, float(spread.mean())) if edge > 0.0 else None
    return BeyondMarket(
        slope=found.slope if found else None,
        slope_low=found.slope - 1.96 * found.error if found else None,
        slope_high=found.slope + 1.96 * found.error if found else None,
        score_z=found.score_z if found else None,
        e_value=e_value(rows.p[single], rows.market[single], rows.y[single]),
        claimed_edge=edge,
        needed_brier=needed.brier_difference if needed else math.inf,
        needed_edge=needed.realised_edge if needed else math.inf,
        needed_e_value=needed.e_value if needed else math.inf,
    )


def _categories(
    rows: Scored, brier: Floats, reference: Floats, seed: int
) -> tuple[CategoryScore, ...]:
    if rows.category is None:
        return ()
    found = []
    for name in np.unique(rows.category):
        inside = rows.category == name
        event = rows.event[inside]
        own, theirs = event_means(brier[inside], event), event_means(reference[inside], event)
        gain = None
        if own.size >= LEAST_EVENTS:
            gain = Band.of(paired_difference(brier[inside], reference[inside], event, seed=seed))
        found.append(
            CategoryScore(
                str(name),
                int(inside.sum()),
                own.size,
                float(own.mean()),
                float(theirs.mean()),
                gain,
            )
        )
    return tuple(sorted(found, key=lambda c: (-c.events, c.name)))
