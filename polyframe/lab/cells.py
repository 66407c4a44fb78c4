"""Numbers, amounts and empty tables as the terminal shows them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from decimal import Decimal

from rich import box
from rich.table import Table

from polyframe.domain.plain import one_line


def new_table(title: str, first: str, rest: Sequence[str]) -> Table:
    """An empty table: one wide column whose texts may take several lines, then figures."""
    table = Table(
        title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, expand=True,
        padding=(0, 1), show_edge=False,
    )  # fmt: skip
    table.add_column(first, ratio=1, overflow="fold")
    for name in rest:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def names_of(markets: Iterable[tuple[str, str]]) -> dict[str, str]:
    """What markets are called, by id: their question, with the id where several ask the same."""
    plain = {id: plain_question(question) for id, question in markets}
    times = Counter(plain.values())
    return {id: text if times[text] == 1 else f"{text} ({id})" for id, text in plain.items()}


def colour(value: float) -> str:
    """Green above zero, red below."""
    return "green" if value > 0 else "red" if value < 0 else "default"


def amount(text: str) -> str:
    """An amount of money with two decimals."""
    return f"{Decimal(text):,.2f}"


def signed(text: str) -> str:
    """An amount with its sign."""
    return f"{Decimal(text):+z,.2f}"


def percent(value: float | None) -> str:
    """A share as a signed percentage."""
    return "-" if value is None else f"{value:+z.1%}"


def share(value: float | None) -> str:
    """A share of a whole in percent, without a sign."""
    return "-" if value is None else f"{value:.1%}"


def ticks(value: float | None) -> str:
    """A distance in ticks with its sign."""
    return "-" if value is None else f"{value:+z.2f}"


def rounded(value: float | str | None) -> str:
    """An amount without decimals where they say little."""
    if value is None:
        return "-"
    return f"{float(value):,.0f}" if abs(float(value)) >= 100 else f"{float(value):.4g}"


def plain_question(text: str) -> str:
    """A market's question; that it is synthetic is said once, in the headline."""
    return one_line(text.removeprefix("[synthetic] "))


def number(value: float | None, decimals: int = 2) -> str:
    """A plain number, a dash where there is none."""
    return "-" if value is None else f"{value:,.{decimals}f}"


def span(low: float | None, high: float | None) -> str:
    """The interval of an amount, a dash where there is none."""
    return "-" if low is None or high is None else f"[{low:+z,.2f}, {high:+z,.2f}]"
