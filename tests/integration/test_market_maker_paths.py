"""MarketMaker over tapes: compiled and step by step the same, and from the command line at once."""

from __future__ import annotations

import filecmp
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tape_cases import tape_data
from test_tape_compiled import same

from polyframe.cli.main import main
from polyframe.domain import events as ev
from polyframe.kernels import tables_nb as t
from polyframe.lab import sample_tape
from polyframe.lab.places import catalogue_dir, shipped_dir, tape_dir
from polyframe.lab.synth import sample_dir
from polyframe.runtime import build
from polyframe.runtime.plugins import Registry
from polyframe.runtime.settings import Config
from polyframe.store.catalogue import Catalogue
from polyframe.store.journal import JournalWriter

SETTINGS: tuple[dict[str, Any], ...] = (
    {"fair": "mid", "model": "avellaneda_stoikov", "one_sided": "reduce", "volatility_widen": 2.0},
    {"fair": "microprice", "model": "glft", "toxicity": 3.0, "markout_seconds": 5.0, "trend": 1.0},
    {"fair": "forecast", "model": "logit", "resolution_skew": "always", "soft": 0.05, "hard": 0.1},
    {"model": "cara", "pairs": "bid", "refill": 0.9, "refresh_part": 0.0, "move_ticks": 0},
    {"mode": "reduce"},
    {"flatten_at": 0.11, "soft": 0.05, "hard": 0.1, "jump": 0.02, "sweep": 0.4, "size": 30.0},
)


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry.load(safe=True)


@pytest.mark.parametrize("n", range(len(SETTINGS)))
def test_both_paths_give_the_same_orders(registry: Registry, tmp_path: Path, n: int) -> None:
    rng = np.random.default_rng(n)
    data = tape_data(tmp_path, 40 + n, 2, 3_000, 1 + n % 2)
    # The books of these tapes jump and gape: the bounds that would pull every quote are wide.
    wide = {"cooloff_seconds": 2.0, "max_spread": 0.5, "jump": 0.2, "sweep": 1.5}
    values = {
        "account": {"cash": "1000"},
        "strategies": [
            {"use": "MarketMaker", "config": {**wide, "refresh_ms": 500, **SETTINGS[n]}}
        ],
        "venue": {"sim": {"latency_entry_ms": int(rng.choice([0, 50, 250]))}},
    }
    counts = same(registry, data, values)
    assert SETTINGS[n].get("mode") == "reduce" or counts["fills"] >= 5


def test_pairs_are_merged_step_by_step(registry: Registry, tmp_path: Path) -> None:
    data = tape_data(tmp_path, 7, 2, 3_000)
    values = {
        "account": {"cash": "1000"},
        "strategies": [
            {
                "use": "MarketMaker",
                "config": {"pairs": "merge", "max_spread": 0.5, "jump": 0.2, "cooloff_seconds": 2},
            }
        ],
    }
    counts: Counter[str] = Counter()
    merged = 0

    def watch(event: Any, effects: Any) -> None:
        nonlocal merged
        counts.update(type(effect).__name__ for effect in effects)
        if isinstance(event, ev.PositionMerged):
            merged += event.size
            counts["merged"] += 1

    made = build.replay(
        Config.model_validate(values), registry, data, session="s",
        journal=JournalWriter.null(), watch=watch, tables=True,
    )  # fmt: skip
    made.replay.run()
    assert any("MarketMaker merges pairs" in note for note in made.parts.notes)
    assert counts["merged"] >= 2
    assert counts["MergePositions"] == counts["merged"]
    state = made.engine.state
    # What was bought is held, was merged or redeemed: nothing is lost and nothing held back.
    assert not made.engine.parts.life.merging
    assert merged > 0
    tokens = state.tables.tokens
    assert (tokens[t.T_SHARES] >= 0).all()
    held_back = sum(o.reserved_shares for o in state.orders.values())
    assert tokens[t.T_RESERVED, 0].sum() == held_back


def test_the_shipped_tape_is_made_again_byte_for_byte(tmp_path: Path) -> None:
    sample_tape.main(["--write", str(tmp_path / "again")])
    shipped = sample_tape.tape_sample_dir()
    names = sorted(p.relative_to(shipped) for p in shipped.rglob("*") if p.is_file())
    made = sorted(p.relative_to(tmp_path / "again") for p in (tmp_path / "again").rglob("*")
                  if p.is_file())  # fmt: skip
    assert made == names
    columns = [str(name) for name in names if name.suffix == ".npy"]
    _, different, failed = filecmp.cmpfiles(shipped, tmp_path / "again", columns, shallow=False)
    assert (different, failed) == ([], [])
    old, new = Catalogue.open(shipped), Catalogue.open(tmp_path / "again")
    assert new.markets() == old.markets()
    assert new.resolutions() == old.resolutions()
    assert sum(p.stat().st_size for p in shipped.rglob("*") if p.is_file()) < 1_700_000
    assert sample_tape.main(["--write", str(tmp_path / "again")]) == 2


def test_the_shipped_tape_has_pairs_and_a_market_that_resolves() -> None:
    catalogue = Catalogue.open(sample_tape.tape_sample_dir())
    catalogue.verify()
    tape = catalogue.tape(sample_tape.NAME)
    tape.verify()
    last = tape.segments[-1].last_ts
    assert [market.binary for market in catalogue.markets()] == [True] * 4
    (ended,) = catalogue.resolutions().values()
    assert ended.known_at < last
    assert sum(market.closes > last for market in catalogue.markets()) == 3


def test_the_catalogue_follows_from_the_strategy(tmp_path: Path) -> None:
    assert catalogue_dir(None, "", tmp_path) == sample_dir()
    assert tape_dir(sample_dir()) == sample_tape.tape_sample_dir()
    assert tape_dir(tmp_path) == tmp_path
    assert shipped_dir("sample_books") == sample_tape.tape_sample_dir()
    assert shipped_dir("sample") == shipped_dir("elsewhere") == sample_dir()


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    code = main(["backtest", "--no-robust", "--json", *arguments])
    assert code == 0
    return dict(json.loads(capsys.readouterr().out))


def test_the_default_quotes_trades_and_is_not_in_the_way_of_the_guards(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    report = run(capsys, "--strategy", "MarketMaker")
    assert report["synthetic"]
    assert "the tape was played in compiled code" in report["notes"]
    summary = report["summary"]
    assert summary["fills"] > 300
    assert sum(report["denials"].values()) < 0.02 * summary["reviewed"]
    assert summary["markets_traded"] == 4
    # Nobody gains or loses much by making markets for a day and a half.
    assert abs(float(summary["pnl"])) < 60
    again = run(capsys, "--strategy", "MarketMaker", "--tape", "synthetic")
    assert again["summary"]["fills"] == summary["fills"]


def test_a_tape_that_is_not_there_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["backtest", "--strategy", "MarketMaker", "--tape", "mine"]) == 2
    assert "no tape of source 'mine'" in capsys.readouterr().err


def test_a_run_that_merges_pairs_is_reported_to_the_unit(tmp_path, capsys) -> None:
    config = {"version": 1, "strategies": [{"use": "MarketMaker", "config": {"pairs": "merge"}}]}
    (tmp_path / "config.json").write_text(json.dumps(config))
    words = ["-c", str(tmp_path / "config.json"), "--user-data", str(tmp_path / "user")]
    # The tape's second day: in a run with merges every step goes through the engine.
    words += ["--timerange", "2026-09-02..2026-09-03"]
    assert main(["backtest", *words, "--no-robust", "--no-bands", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    reasons = {row["name"] for row in report["by_reason"]}
    assert "merged" in reasons
