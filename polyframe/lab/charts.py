"""Inline SVG of equity with its band, drawdown, calibration and bars. Colours come from CSS."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape
from math import ceil, floor, log10, sqrt
from typing import NamedTuple

from polyframe.lab.schema import Bin, Report, Slice

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 900, 76, 14, 12, 26
BARS = 12
SQUARE = 420
DAY = 86_400e9
CLOCK_BELOW = 5 * DAY
_Z = 1.96


class Frame(NamedTuple):
    """A plot's size and ranges; ``x`` and ``y`` place a value in it."""

    width: int
    height: int
    first: float
    last: float
    low: float
    high: float

    def x(self, value: float) -> float:
        """From the left, in pixels."""
        span = (self.last - self.first) or 1.0
        return LEFT + (value - self.first) / span * (self.width - LEFT - RIGHT)

    def y(self, value: float) -> float:
        """From the top, in pixels."""
        span = (self.high - self.low) or 1.0
        return TOP + (self.high - value) / span * (self.height - TOP - BOTTOM)


def ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Round numbers between two ends, about as many as wanted."""
    span = high - low
    if span <= 0:
        return [low]
    raw = span / wanted
    scale = 10.0 ** floor(log10(raw))
    step = next(m * scale for m in (1, 2, 2.5, 5, 10) if m * scale >= raw)
    return [n * step for n in range(ceil(low / step), floor(high / step) + 1)]


def svg(width: int, height: int, title: str, parts: Sequence[str]) -> str:
    """A picture with a title for whoever cannot see it."""
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">'
        f"<title>{escape(title)}</title>{''.join(parts)}</svg>"
    )


def text_at(x: float, y: float, words: str, anchor: str = "middle", kind: str = "label") -> str:
    """Words at a place."""
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text class="{kind}" {place}>{escape(words)}</text>'


def _points(frame: Frame, rows: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{frame.x(x):.1f},{frame.y(y):.1f}" for x, y in rows)


def _stairs(rows: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """What is known stays until the next value is."""
    out: list[tuple[float, float]] = []
    for x, y in rows:
        if out:
            out.append((x, out[-1][1]))
        out.append((x, y))
    return out


def money_axis(frame: Frame, unit: str = "") -> list[str]:
    """Round values from top to bottom, each with a line across."""
    parts = []
    for value in ticks(frame.low, frame.high):
        y = frame.y(value)
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{frame.width - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        )
        parts.append(text_at(LEFT - 8, y + 4, f"{value:,.10g}{unit}", "end"))
    return parts


def time_axis(frame: Frame) -> list[str]:
    """Days under a long stretch of time, times of day under a short one."""
    span = frame.last - frame.first
    form = "%Y-%m-%d" if span >= CLOCK_BELOW else "%m-%d %H:%M" if span >= DAY else "%H:%M:%S"
    parts = []
    for n in range(6):
        ts = frame.first + span * n / 5
        text = datetime.fromtimestamp(ts / 1e9, UTC).strftime(form)
        anchor = "start" if n == 0 else "end" if n == 5 else "middle"
        parts.append(text_at(frame.x(ts), frame.height - 6, text, anchor))
    return parts


def equity_chart(report: Report) -> str:
    """Equity at the bid over the band of resampled events; empty when no time passed."""
    rows = [(float(ts), float(value)) for ts, value in report.equity]
    if len(rows) < 2 or rows[0][0] == rows[-1][0]:
        return ""
    band = report.robustness.band if report.robustness else []
    values = [y for _, y in rows] + [y for _, low, high in band for y in (low, high)]
    room = 0.04 * (max(values) - min(values) or 1.0)
    low, high = min(values) - room, max(values) + room
    frame = Frame(WIDTH, 300, rows[0][0], rows[-1][0], low, high)
    parts = money_axis(frame) + time_axis(frame)
    if band:
        upper = _stairs([(float(ts), top) for ts, _, top in band])
        lower = _stairs([(float(ts), bottom) for ts, bottom, _ in band])
        shape = _points(frame, upper + lower[::-1])
        parts.append(f'<polygon class="band" points="{shape}"/>')
    start = float(report.summary.start_cash)
    if low <= start <= high:
        y = frame.y(start)
        parts.append(
            f'<line class="zero" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        )
    parts.append(f'<polyline class="line" points="{_points(frame, _stairs(rows))}"/>')
    return svg(WIDTH, 300, f"Equity from {rows[0][1]:,.2f} to {rows[-1][1]:,.2f}", parts)


def drawdown_chart(report: Report) -> str:
    """The fall from the highest equity so far, in percent of it."""
    rows, peak = [], 0.0
    for ts, text in report.equity:
        value = float(text)
        peak = max(peak, value)
        rows.append((float(ts), -100.0 * (peak - value) / peak if peak > 0 else 0.0))
    if len(rows) < 2 or rows[0][0] == rows[-1][0]:
        return ""
    deepest = min(y for _, y in rows)
    frame = Frame(WIDTH, 150, rows[0][0], rows[-1][0], min(deepest * 1.05, -0.01), 0.0)
    shape = _points(frame, [(rows[0][0], 0.0), *_stairs(rows), (rows[-1][0], 0.0)])
    parts = [*money_axis(frame, " %"), f'<polygon class="water" points="{shape}"/>']
    title = f"Drawdown, deepest shown {deepest:.1f} %"
    return svg(WIDTH, 150, title, parts + time_axis(frame))


def wilson(share: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a share seen in n independent cases.

    Source: Wilson 1927, "Probable inference, the law of succession, and statistical inference".
    """
    centre = share + _Z * _Z / (2 * n)
    half = _Z * sqrt(share * (1 - share) / n + _Z * _Z / (4 * n * n))
    whole = 1 + _Z * _Z / n
    return (centre - half) / whole, (centre + half) / whole


def calibration_chart(bins: Sequence[Bin]) -> str:
    """How often forecasts of each tenth came true, with intervals that count events."""
    if not bins:
        return ""
    frame = Frame(SQUARE, SQUARE, 0.0, 1.0, 0.0, 1.0)
    parts = []
    for value in (0.0, 0.25, 0.5, 0.75, 1.0):
        x, y = frame.x(value), frame.y(value)
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{SQUARE - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        )
        parts.append(text_at(LEFT - 8, y + 4, f"{value:g}", "end"))
        parts.append(text_at(x, SQUARE - 6, f"{value:g}"))
    parts.append(f'<polyline class="zero" points="{_points(frame, [(0, 0), (1, 1)])}"/>')
    most = max(row.n for row in bins)
    for row in bins:
        low, high = wilson(row.happened, max(row.events or row.n, 1))
        x, size = frame.x(row.forecast), 3 + 5 * sqrt(row.n / most)
        parts.append(
            f'<line class="whisker" x1="{x:.1f}" x2="{x:.1f}" '
            f'y1="{frame.y(low):.1f}" y2="{frame.y(high):.1f}"/>'
        )
        words = (
            f"said {row.forecast:.2f}, market {row.market:.2f}, happened {row.happened:.2f}, "
            f"{row.n} forecasts of {row.events or row.n} events"
        )
        parts.append(
            f'<circle class="dot" cx="{x:.1f}" cy="{frame.y(row.happened):.1f}" r="{size:.1f}">'
            f"<title>{escape(words)}</title></circle>"
        )
    line = _points(frame, [(row.forecast, row.happened) for row in bins])
    parts.append(f'<polyline class="line thin" points="{line}"/>')
    return svg(SQUARE, SQUARE, "Calibration: forecast against how often it happened", parts)


def bars(rows: Sequence[Slice], title: str) -> str:
    """Results as bars to both sides of zero; the smallest in the middle are left to the table."""
    if not rows:
        return ""
    shown = list(rows) if len(rows) <= BARS else [*rows[: BARS // 2], *rows[-BARS // 2 :]]
    values = [float(row.pnl) for row in shown]
    width, name, figure, step = 480, 130, 84, 28
    low, high = min(0.0, *values), max(0.0, *values)
    span = (high - low) or 1.0
    room = width - name - 2 * figure

    def x(value: float) -> float:
        return name + figure + (value - low) / span * room

    parts = []
    for n, (row, value) in enumerate(zip(shown, values, strict=True)):
        y = 8 + n * step
        left, right = sorted((x(0.0), x(value)))
        kind = "gain" if value >= 0 else "loss"
        label = row.name if len(row.name) <= 18 else row.name[:17] + "…"
        parts.append(text_at(name - 6, y + 14, label, "end"))
        parts.append(
            f'<rect class="{kind}" x="{left:.1f}" y="{y}" width="{max(right - left, 1):.1f}" '
            f'height="{step - 9}"/>'
        )
        at, anchor = (right + 5, "start") if value >= 0 else (left - 5, "end")
        parts.append(text_at(at, y + 14, f"{value:+z,.2f}", anchor))
    height = 16 + len(shown) * step
    zero = x(0.0)
    parts.append(f'<line class="zero" x1="{zero:.1f}" x2="{zero:.1f}" y1="2" y2="{height - 8}"/>')
    return svg(width, height, title, parts)
