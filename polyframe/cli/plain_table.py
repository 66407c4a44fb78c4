"""A table of texts from outside."""

from __future__ import annotations

from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text


class PlainTable(Table):
    """A table whose texts are shown as they are: brackets in them are no markup."""

    def add_row(self, *cells: RenderableType | None, **options: Any) -> None:
        """Adds a row."""
        super().add_row(*(Text(c) if isinstance(c, str) else c for c in cells), **options)
