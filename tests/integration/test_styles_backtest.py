"""The shipped sample through the CLI with every execution style."""

from __future__ import annotations

import json

import pytest

from polyframe.cli.main import main
from polyframe.domain import effects as fx
from polyframe.runtime.plugins import Registry
from polyframe.store.journal import JournalReader

STYLES = [found.name for found in Registry.load(safe=True).all("execution_style")]


def backtest(capsys, folder, style=None, **config):
    """The report of a run and the effects of its journal."""
    strategy = {"use": "LLMForecast"}
    if style:
        strategy["style"] = {"use": style, "config": config}
    file = folder / "config.json"
    file.write_text(json.dumps({"version": 1, "strategies": [strategy]}))
    user = folder / "user"
    words = ["-c", str(file), "--user-data", str(user), "--no-robust", "--record", "all"]
    assert main(["backtest", *words, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    (journal,) = user.rglob("journal.bin")
    effects = [e for step in JournalReader(journal).steps() for e in step.effects]
    return report, effects


def kept(effects):
    """Parents by id, and what was sent for each."""
    parents = {e.order.id: e.order for e in effects if isinstance(e, fx.ParentApproved)}
    children = [e.order for e in effects if isinstance(e, fx.SubmitOrder)]
    return parents, children


@pytest.mark.parametrize("style", STYLES)
def test_a_strategys_orders_go_out_in_its_style(style, tmp_path, capsys):
    report, effects = backtest(capsys, tmp_path, style)
    parents, children = kept(effects)
    assert len(parents) > 50
    assert {order.style for order in parents.values()} == {style}
    assert {order.parent for order in children} <= parents.keys() | {""}
    assert sum(1 for order in children if order.parent) > 50
    for order in children:
        if order.parent:
            parent = parents[order.parent]
            assert order.side * (parent.price - order.price) >= 0
            assert order.reason == parent.reason
    filled: dict[str, int] = {}
    parent_of = {order.id: order.parent for order in children}
    for effect in effects:
        if isinstance(effect, fx.FillBooked):
            id = parent_of[effect.fill.order]
            filled[id] = filled.get(id, 0) + effect.fill.size
    assert filled, "nothing was traded"
    assert all(size <= parents[id].size for id, size in filled.items() if id)
    ended = {e.order for e in effects if isinstance(e, fx.OrderChanged) and not e.state.open}
    assert len(parents.keys() - ended) <= 3, "only what the end of the data cut off is open"
    assert report["manifest"]["config"]["config"]["strategies"][0]["style"]["use"] == style


def test_what_is_small_is_carried_out_as_if_it_had_no_style(tmp_path, capsys):
    for name in ("plain", "iceberg"):
        (tmp_path / name).mkdir()
    plain, _ = backtest(capsys, tmp_path / "plain")
    iceberg, _ = backtest(capsys, tmp_path / "iceberg", "Iceberg")
    for name in ("pnl", "fills", "fees", "turnover"):
        assert plain["summary"][name] == iceberg["summary"][name]


def test_an_unknown_style_stops_before_anything_runs(tmp_path, capsys):
    file = tmp_path / "config.json"
    file.write_text(
        json.dumps({"version": 1, "strategies": [{"use": "LLMForecast", "style": {"use": "Twap"}}]})
    )
    for command in (["config", "check"], ["backtest", "--no-robust"]):
        assert main([*command, "-c", str(file)]) == 2
        told = capsys.readouterr().err
        assert "no execution_style named Twap" in told
        assert "TWAP?" in told
