"""The page about faults has every fault, all of its fields, and examples that are plans."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from polyframe.sandbox.faults import read
from polyframe.sandbox.faults.fault import Fault
from polyframe.sandbox.faults.plan import KINDS
from polyframe.sandbox.faults.presets import PRESETS
from polyframe.sandbox.faults.target import CHANNELS, EVENTS, PREFIXES


@pytest.fixture(scope="module")
def page(root: Path) -> str:
    return (root / "docs" / "sandbox-faults.md").read_text()


@pytest.fixture(scope="module")
def rows(page: str) -> dict[str, list[str]]:
    """The cells of each fault's row."""
    lines = [line.strip()[1:-1] for line in page.splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.split("|")] for line in lines]
    named = [(re.match(r"`([a-z_]+)`", row[0]), row) for row in cells if len(row) == 4]
    return {found[1]: row for found, row in named if found}


def test_every_fault_has_a_row(rows: dict[str, list[str]]) -> None:
    assert list(rows) == list(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_says_what_is_so(rows: dict[str, list[str]], kind: str) -> None:
    row, model = rows[kind], KINDS[kind]
    own = {
        name: field for name, field in model.model_fields.items() if name not in Fault.model_fields
    }
    fields = row[2]
    assert set(re.findall(r"`([a-z_]+)`", fields)) >= set(own)
    for name, field in own.items():
        default = field.default
        if isinstance(default, bool) or default is None:
            default = json.dumps(default)
        if isinstance(default, (int, float)):
            assert f"`{name}` {default:g}" in fields.replace("1300000", "1.3e+06"), (name, fields)
        elif default in {"true", "false", "null"}:
            assert f"`{name}` {default}" in fields, (name, fields)
    own_chance = model.model_fields["probability"].default
    assert own_chance == 1 or f"probability {own_chance}" in row[1]
    assert (" W" in row[0]) is model.rolls
    (fault,) = read(json.loads(row[-1].strip("`"))).faults
    assert fault.fault == kind


def test_every_preset_prefix_channel_and_event_is_named(page: str) -> None:
    for name in (*PRESETS, *PREFIXES, *CHANNELS, *EVENTS):
        assert f"`{name}`" in page
    for name in Fault.model_fields:
        assert f"| `{name}` |" in page
