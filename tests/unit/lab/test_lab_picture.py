"""Pictures of the terminal: for everybody to read, with nothing loaded from elsewhere."""

from __future__ import annotations

import re
import stat
import xml.etree.ElementTree as ET
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from polyframe.errors import UserError
from polyframe.lab.picture import write_svg


def shown(text: str) -> Console:
    console = Console(record=True, width=40, file=StringIO(), color_system="truecolor")
    console.print(text)
    return console


def test_a_picture_names_no_address(tmp_path: Path) -> None:
    file = tmp_path / "a.svg"
    write_svg(shown("[red]one[/] < two"), file, "title")
    words = "".join(ET.parse(file).getroot().itertext()).replace("\xa0", " ")
    assert "one" in words
    assert "< two" in words
    addresses = set(re.findall(r"[a-z]+://[^\"')\s]+", file.read_text()))
    assert addresses == {"http://www.w3.org/2000/svg"}  # the name of the format itself


def test_everybody_may_read_it(tmp_path: Path) -> None:
    file = tmp_path / "a.svg"
    write_svg(shown("one"), file, "title")
    assert stat.S_IMODE(file.stat().st_mode) == 0o644


def test_a_picture_that_cannot_be_put_in_place_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "taken.svg").mkdir()
    with pytest.raises(UserError, match="cannot be written"):
        write_svg(shown("one"), tmp_path / "taken.svg", "title")
    assert [path.name for path in tmp_path.iterdir()] == ["taken.svg"]
