"""What a console shows, as an SVG picture of a terminal that loads nothing from elsewhere."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from polyframe.lab.written import write_whole

# xml:space: without it some programs drop the spaces at the beginning of a cell.
FORMAT = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  font-size: {char_height}px;
  line-height: {line_height}px;
}}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})"
   clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix" xml:space="preserve">
{matrix}
</g>
</g>
</svg>
"""
"""The form that ``Console.export_svg`` fills in."""


def write_svg(console: Console, path: Path, title: str) -> None:
    """Writes what a recording console has shown; the file appears complete or not at all.

    Raises:
        UserError: the file cannot be written.
    """
    write_whole(path, console.export_svg(title=title, code_format=FORMAT), "picture")
