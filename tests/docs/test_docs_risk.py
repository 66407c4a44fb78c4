"""The page of the guards says what the code does by default."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from polyframe.runtime.plugins import Registry
from polyframe.runtime.settings import DEFAULT_GUARDS

REGISTRY = Registry.load(None, entry_points=False, safe=True)
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "risk.md").read_text()
ROWS = {m[1]: m[0] for m in re.finditer(r"^\| `(\w+)` \|.*$", PAGE, re.MULTILINE)}


def shown(value: object) -> str:
    if isinstance(value, float) and value == int(value):
        return str(int(value))
    return str(value)


def test_every_default_guard_has_its_row_and_no_other():
    assert set(ROWS) == set(DEFAULT_GUARDS)


@pytest.mark.parametrize("name", DEFAULT_GUARDS)
def test_a_guards_row_names_its_settings_with_their_defaults(name):
    settings = REGISTRY.get("protection", name)().config.model_dump()
    for field, value in settings.items():
        if field == "steps":
            steps = ", ".join(f"({shown(a)}, {shown(b)})" for a, b in value)
            assert f"`{field}` {steps}" in ROWS[name]
        elif field == "categories":
            caps = ", ".join(f"{category} {shown(cap)}" for category, cap in value.items())
            assert f"`{field}` {caps}" in ROWS[name]
        elif field == "blocked":
            assert f"`{field}` {', '.join(value)}" in ROWS[name]
        else:
            # Whole: 0.2 is not 0.25.
            assert re.search(rf"`{field}` {re.escape(shown(value))}(?![\d.]*\d)", ROWS[name])
    named = set(re.findall(r"`(\w+)`", ROWS[name])) - set(DEFAULT_GUARDS)
    assert named - {"polyframe"} == set(settings)
