"""A strategy that never quotes says so, and why, whichever way it is called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tape_cases import tape_data
from tape_ledger import played

from polyframe.lab.silence import silences
from polyframe.runtime.plugins import Registry

CASES: dict[str, tuple[dict[str, Any], str]] = {
    "size": ({"size": 0.5, "rewards": False}, "below the venue's minimum of 5 (size, capital)"),
    "end": ({"halt_hours": 1e6}, "less than 1e+06 h to the close (halt_hours)"),
    "reduce": ({"reduce_hours": 1e6}, "less than 1e+06 h to the close (reduce_hours)"),
    "pay": ({"maker_fee": 0.5, "rewards": False}, "no quote was expected to pay (objective)"),
}


@pytest.mark.parametrize("path", ["auto", "python"])
@pytest.mark.parametrize("case", CASES)
def test_a_market_maker_says_why_it_never_quoted(tmp_path: Path, case: str, path: str) -> None:
    config, words = CASES[case]
    data = tape_data(tmp_path, 5, 2, 400, 2)
    config = config | {"max_spread": 1.0, "lowest": 0.0, "sweep": 0.0, "jump": 2.0}
    values = {"strategies": [{"use": "MarketMaker", "config": config}], "account": {"cash": "1000"}}
    made, told, _ = played(Registry.load(), data, values, path)
    notes = silences(made, told.review_log())
    assert len(notes) == 1
    assert notes[0].startswith("MarketMaker never quoted in any market: ")
    assert words in notes[0]


@pytest.mark.parametrize("path", ["auto", "python"])
def test_a_kernel_that_wants_nothing_is_told_of(tmp_path: Path, path: str) -> None:
    folder = tmp_path / "user"
    (folder / "strategies").mkdir(parents=True)
    (folder / "strategies" / "mute.py").write_text(
        "from polyframe import Quoter, quote_kernel\n\n\n"
        "@quote_kernel\ndef mute(sight, own, p, wanted):\n    return 0\n\n\n"
        "class Mute(Quoter):\n    quote = mute\n"
    )
    data = tape_data(tmp_path, 5, 2, 100, 2)
    values = {"strategies": [{"use": "Mute"}], "account": {"cash": "1000"}}
    made, told, _ = played(Registry.load(folder), data, values, path)
    assert silences(made, told.review_log()) == ["Mute never quoted in any market"]


def test_who_quotes_is_not_told_of(tmp_path: Path) -> None:
    data = tape_data(tmp_path, 5, 1, 400, 1)
    config = {"objective": False, "max_spread": 1.0, "lowest": 0.0, "reduce_hours": 0}
    config |= {"halt_hours": 0, "sweep": 0.0, "jump": 2.0}
    values = {"strategies": [{"use": "MarketMaker", "config": config}], "account": {"cash": "1000"}}
    made, told, _ = played(Registry.load(), data, values, "auto")
    assert silences(made, told.review_log()) == []


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [("size", 0, "size is 0; it must be above 0"), ("base_ticks", -5, "must be 0 or more"),
     ("refill", 1.5, "from 0 to 1"), ("lowest", 0.5, "from 0 to below 0.5")],
)  # fmt: skip
def test_a_setting_that_cannot_be_is_named(setting: str, value: float, words: str) -> None:
    config = Registry.load(safe=True).get("strategy", "MarketMaker").Config
    with pytest.raises(ValueError, match=words):
        config(**{setting: value})
