"""The picture in the README shows what the command below it prints today."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from polyframe.cli.main import main

TEXT = "{http://www.w3.org/2000/svg}text"
REDRAW = "polyframe backtest --strategy LLMForecast && polyframe report --svg docs/img/backtest.svg"


def lines(picture: Path) -> list[str]:
    """The lines of the terminal in a picture, runs of spaces made one."""
    rows: dict[float, list[tuple[float, str]]] = {}
    for text in ET.parse(picture).iter(TEXT):
        if text.get("clip-path"):  # the window's title has none
            rows.setdefault(float(text.get("y", 0)), []).append(
                (float(text.get("x", 0)), (text.text or "").replace("\xa0", " "))
            )
    shown = ["".join(part for _, part in sorted(rows[y])) for y in sorted(rows)]
    return [" ".join(line.split()) for line in shown]


def figures(picture: Path) -> list[str]:
    """Lines with figures in them, without what differs from run to run."""
    text = "\n".join(lines(picture))
    text = re.sub(r"polyframe \d{8}T\d{6}-[0-9a-f]{12}", "polyframe RUN", text)
    text = re.sub(r"manifest [0-9a-f]{12} · [\d.]+ s", "manifest HASH", text)
    return [line for line in text.splitlines() if re.search(r"\d", line)]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The picture of a backtest made now, with the defaults alone."""
    folder = tmp_path_factory.mktemp("picture")
    user_data = ["--user-data", str(folder / "user_data")]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)  # where no configuration is found
        assert main(["backtest", "--strategy", "LLMForecast", "--json", *user_data]) == 0
        assert main(["report", "--svg", "fresh.svg", *user_data]) == 0
    return folder / "fresh.svg"


def test_the_picture_shows_the_figures_of_a_run_made_now(root: Path, fresh: Path) -> None:
    drawn = figures(root / "docs" / "img" / "backtest.svg")
    assert drawn == figures(fresh), f"draw it again: {REDRAW}"
    assert len(drawn) > 40


def test_the_reader_is_shown_that_picture(root: Path) -> None:
    readme = (root / "README.md").read_text()
    assert 'src="docs/img/backtest.svg"' in readme
    words = "\n".join(lines(root / "docs" / "img" / "backtest.svg"))
    for part in ("SYNTHETIC DATA", "Edge after costs", "independent events", "joined"):
        assert part in words


def test_what_the_readme_says_about_the_picture_is_in_it(root: Path) -> None:
    words = "\n".join(lines(root / "docs" / "img" / "backtest.svg")).lower()
    assert "not distinguishable from zero" in words
    assert re.search(r"(?m)^.*total \+[\d,.]+ \(\+[\d.]+%\)", words)  # "the cash grew"
