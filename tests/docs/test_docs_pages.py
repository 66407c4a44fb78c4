"""Every page of the project is carried out, and leads where it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from docs_blocks import ROOT, Desk, environment, install_commands
from docs_warm import warmed

PAGES = sorted(
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "user_data").rglob("*.md")]
)


WHOLE = {"README.md", "docs/getting-started.md"}
"""Pages of which every command is a process that begins by itself, as a user's are."""


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.fixture(scope="module")
def programs() -> Iterator[Path]:
    """A folder with a ``polyframe`` that is imported already."""
    with warmed(environment()) as folder:
        yield folder


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_page_does_what_it_says(page: Path, tmp_path: Path, programs: Path) -> None:
    Desk(tmp_path, None if name_of(page) in WHOLE else programs).run(page)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_inside_the_project_lead_somewhere(page: Path) -> None:
    text = re.sub(r"(?s)```.*?```", "", page.read_text())
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        target, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        path = (page.parent / target) if target else page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            broken.append(link)
    assert broken == []


def anchors(page: Path) -> set[str]:
    if page.suffix != ".md":
        return set()
    text = re.sub(r"(?s)```.*?```", "", page.read_text())
    titles = re.findall(r"(?m)^#+\s+(.*)$", text)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_table_of_contents_lists_every_page() -> None:
    index = (ROOT / "docs" / "index.md").read_text()
    pages = {p.relative_to(ROOT / "docs").as_posix() for p in (ROOT / "docs").rglob("*.md")}
    assert sorted(page for page in pages - {"index.md"} if f"({page})" not in index) == []


def test_the_readme_states_the_two_commands() -> None:
    first, second = list(install_commands(ROOT / "README.md"))[:2]
    assert first == "pip install . && polyframe backtest --strategy LLMForecast"
    assert second.startswith("pip install '.[test]' && ")
    assert "pytest" in second
