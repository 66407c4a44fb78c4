"""Inline SVG of a quoted market: own quotes and fills around the mid, and the inventory below."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from polyframe.lab.charts import LEFT, RIGHT, WIDTH, Frame, money_axis, svg, time_axis
from polyframe.lab.making_form import Quoted

QUOTES, INVENTORY = 320, 150


def quotes_chart(row: Quoted) -> str:
    """The mid, the own best bid and offer where they stood, and fills; empty without a mid."""
    points = row.points
    mids = [p[1] for p in points if p[1] > 0]
    prices = [
        *mids,
        *(v for p in points for v in p[2:4] if v > 0),
        *(fill[1] for fill in row.fills),
    ]
    if len(points) < 2 or not prices:
        return ""
    room = max(0.04 * (max(prices) - min(prices)), row.tick)
    frame = Frame(
        WIDTH, QUOTES, points[0][0], points[-1][0], min(prices) - room, max(prices) + room
    )
    parts = money_axis(frame) + time_axis(frame)
    for column, kind in ((2, "bid"), (3, "offer")):
        parts += _standing(frame, [(p[0], p[column]) for p in points], kind)
    parts += _pieces(frame, [(p[0], p[1]) for p in points])
    for ts, price, side, shares in row.fills:
        words = f"{'bought' if side > 0 else 'sold'} {shares:,.2f} at {price:,.8g}"
        parts.append(_mark(frame.x(ts), frame.y(price), side, words))
    return svg(WIDTH, QUOTES, f"Own quotes, fills and the mid of {row.question}", parts)


def _pieces(frame: Frame, rows: Sequence[tuple[float, float]]) -> list[str]:
    """A line with a hole wherever nothing is known."""
    parts, piece = [], []
    for ts, value in [*rows, (rows[-1][0], 0.0)]:
        if value > 0:
            piece.append(f"{frame.x(ts):.1f},{frame.y(value):.1f}")
        elif piece:
            parts.append(f'<polyline class="mid" points="{" ".join(piece)}"/>')
            piece = []
    return parts


def _standing(frame: Frame, rows: Sequence[tuple[float, float]], kind: str) -> list[str]:
    """A short line at each moment at which a quote was seen standing."""
    step = (frame.width - LEFT - RIGHT) / max(len(rows) - 1, 1)
    path = "".join(
        f"M{frame.x(ts):.1f} {frame.y(price):.1f}h{step:.1f}"
        for ts, price in rows[:-1]
        if price > 0
    )
    return [f'<path class="{kind}" d="{path}"/>'] if path else []


def _mark(x: float, y: float, side: int, words: str) -> str:
    """A triangle that points up for what was bought."""
    tip, foot = y - 5 * side, y + 4 * side
    kind = "bought" if side > 0 else "sold"
    return (
        f'<polygon class="{kind}" points="{x:.1f},{tip:.1f} {x - 4:.1f},{foot:.1f} '
        f'{x + 4:.1f},{foot:.1f}"><title>{escape(words)}</title></polygon>'
    )


def inventory_chart(row: Quoted) -> str:
    """Shares of the first outcome less those of the second."""
    points = [(float(p[0]), p[4]) for p in row.points]
    if len(points) < 2:
        return ""
    low, high = min(0.0, *(v for _, v in points)), max(0.0, *(v for _, v in points))
    room = 0.05 * ((high - low) or 1.0)
    frame = Frame(WIDTH, INVENTORY, points[0][0], points[-1][0], low - room, high + room)
    zero = frame.y(0.0)
    stairs, before = [(points[0][0], 0.0)], 0.0
    for ts, value in points:
        stairs += [(ts, before), (ts, value)]
        before = value
    stairs.append((points[-1][0], 0.0))
    shape = " ".join(f"{frame.x(ts):.1f},{frame.y(value):.1f}" for ts, value in stairs)
    parts = [
        *money_axis(frame), f'<polygon class="held" points="{shape}"/>',
        f'<line class="zero" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{zero:.1f}" y2="{zero:.1f}"/>',
        *time_axis(frame),
    ]  # fmt: skip
    title = f"Inventory of {row.question}, from {low:,.0f} to {high:,.0f} shares"
    return svg(WIDTH, INVENTORY, title, parts)
