"""A stored run is made again; whatever the result depends on is named when it has changed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from polyframe.cli.main import main
from polyframe.lab.synth import sample_dir
from polyframe.store.catalogue import Catalogue

MINE = """
from polyframe import HOUR, Every, Intent, Side, Strategy, Subscription


class Mine(Strategy):
    def subscribe(self, markets):
        return Subscription(wake=(Every(24 * HOUR),))

    def on_wake(self, event, view):
        for market in view.markets()[:5]:
            quote = view.book(market.yes.id)
            if quote.trusted and quote.ask and not view.position(market.yes.id).shares:
                yield Intent(token=market.yes.id, side=Side.BUY, price=quote.ask, size=SIZE,
                             probability=0.9)
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user directory with a strategy of its own and a copy of the data."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "user_data" / "strategies").mkdir(parents=True)
    strategy("10**7")
    shutil.copytree(sample_dir(), tmp_path / "data")
    return tmp_path


def strategy(size: str) -> None:
    Path("user_data/strategies/mine.py").write_text(MINE.replace("SIZE", size))


def backtest(*more: str) -> Path:
    words = ["backtest", "-s", "Mine", "--data", "data", "--category", "finance", "--json", *more]
    assert main(words) == 0
    return max(Path("user_data/runs").glob("*/report.json"), key=lambda p: p.stat().st_mtime_ns)


def told(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    capsys.readouterr()
    assert main(["reproduce", *words]) == code
    found = capsys.readouterr()
    return found.out if code == 0 else found.err


def test_a_run_is_made_again_to_the_byte(place, capsys):
    run = backtest("--record", "all").parent
    report = json.loads((run / "report.json").read_text())
    assert len(report["trades"]) > 10
    said = told(capsys)
    assert f"identical: {len(report['trades'])} trades; journal identical, byte for byte" in said
    for name in (run.name, run.name[:14], report["hash"], report["hash"][:8], str(run)):
        assert "identical:" in told(capsys, name)
    document = json.loads(told(capsys, "--json"))
    assert document["identical"] is True
    assert "Next: polyframe reproduce " in told(capsys, "nope", code=2)
    assert len(list(Path("user_data/runs").iterdir())) == 1  # nothing is stored, nothing is left


def test_two_runs_of_one_hash_are_one_run(place, capsys):
    one, two = backtest().parent, backtest().parent
    assert one.name != two.name
    assert "identical:" in told(capsys, json.loads((two / "manifest.json").read_text())["hash"])


def test_one_changed_price_names_its_market(place, capsys):
    backtest()
    old = Catalogue.open(sample_dir())
    frame = old.frame("prices").copy()
    market = next(m.id for m in old.markets() if m.category == "finance")
    row = frame.index[frame["market_id"] == market][3]
    frame.loc[row, "price"] += 1
    shutil.rmtree("data")
    new = Catalogue.create("data")
    new.write_markets(old.frame("markets"))
    new.append_prices(frame)
    new.append_forecasts(old.frame("forecasts"))
    said = told(capsys, code=3)
    assert f"prices of market {market}" in said
    assert "--anyway" in said
    # One ten-thousandth in one early row need not change a trade; that it was changed is told.
    capsys.readouterr()
    assert main(["reproduce", "--anyway"]) in (0, 3)
    assert f"differs  prices of market {market}" in capsys.readouterr().out


def test_a_changed_file_of_data_is_named(place, capsys):
    backtest()
    file = next(Path("data/prices").glob("*.parquet"))
    file.write_bytes(file.read_bytes()[:-1])
    assert file.name in told(capsys, code=3)


def test_a_changed_plugin_is_named_and_its_first_other_trade(place, capsys):
    backtest()
    strategy("2 * 10**7")
    said = told(capsys, code=3)
    assert "strategy Mine" in said
    assert "the code of polyframe" not in said
    again = told(capsys, "--anyway", code=3)
    assert "came out otherwise: trade 1, " in again
    assert "stored shares '10', now '20'" in again


def test_a_changed_setting_is_named_by_its_path(place, capsys):
    run = backtest().parent
    manifest = run / "manifest.json"
    plain = json.loads(manifest.read_text())
    plain["config"]["config"]["account"]["cash"] = "2000"
    manifest.write_text(json.dumps(plain))
    said = told(capsys, code=3)
    assert "setting account.cash in manifest.json: was '1000', is '2000'" in said


def test_other_code_is_named(place, capsys):
    run = backtest().parent
    for name in ("manifest.json", "report.json"):
        text = (run / name).read_text()
        plain = json.loads(text)
        code = (plain if name[0] == "m" else plain["manifest"])["code"]
        code["sha256"] = "0" * 64
        (run / name).write_text(json.dumps(plain))
    assert "the code of polyframe: was" in told(capsys, code=3)


def test_an_edited_report_is_refused_and_its_first_lie_is_named(place, capsys):
    run = backtest().parent
    file = run / "report.json"
    plain = json.loads(file.read_text())
    plain["trades"][2]["fee"] = "0"
    file.write_text(json.dumps(plain))
    capsys.readouterr()
    assert main(["report", run.name]) == 3
    said = capsys.readouterr().err
    assert "was edited" in said
    assert f"polyframe reproduce {run.name}" in said
    assert "report.json: was written with digest" in told(capsys, code=3)
    assert "trade 3, " in told(capsys, "--anyway", code=3)
    assert main(["report", str(file)]) == 0  # to look at it nevertheless
    assert "nothing vouches for" in capsys.readouterr().err


def test_data_that_moved_is_asked_for(place, capsys):
    backtest()
    Path("data").rename("elsewhere")
    said = told(capsys, code=2)
    assert "--data DIR" in said
    assert "identical:" in told(capsys, "--data", "elsewhere")


@pytest.mark.parametrize(
    ("text", "said"),
    [("{", "is no manifest"), ('{"seed": 1}', "is no manifest"), (None, "no manifest at")],
)
def test_a_broken_manifest_is_told(place, capsys, text, said):
    manifest = backtest().parent / "manifest.json"
    if text is None:
        manifest.unlink()
    else:
        manifest.write_text(text)
    assert said in told(capsys, code=2 if text is None else 3)


def test_variants_on_the_same_data_are_counted_as_trials(place, capsys):
    counts = []
    for seed in ("1", "1", "2", "3"):
        file = backtest("--seed", seed)
        counts.append(json.loads(file.read_text())["summary"]["trials"])
    assert counts == [1, 1, 2, 3]
    summary = json.loads(file.read_text())["summary"]
    one, all_three = summary["per_event"], summary["adjusted"]
    assert all_three["level"] == pytest.approx(1 - 0.05 / 3)
    # Seven independent results are the fewest that can tell anything at this level.
    if one["events"] >= 7:
        assert all_three["low"] < one["low"] < one["high"] < all_three["high"]
    else:
        assert all_three["low"] is None


def test_an_edited_or_cut_journal_is_named(place, capsys):
    run = backtest("--record", "all").parent
    journal = run / "journal.bin"
    whole = journal.read_bytes()
    journal.write_bytes(whole[:-1])
    assert "journal.bin: was written with digest" in told(capsys, code=3)
    journal.unlink()
    assert ", is gone" in told(capsys, code=3)


def test_a_run_of_an_older_form_is_made_again(place, capsys):
    run = backtest().parent
    manifest = run / "manifest.json"
    plain = json.loads(manifest.read_text())
    for key in ("report", "journal", "rows"):
        del plain[key]
    del plain["plugins"]["sources"], plain["data"]["path"], plain["data"]["forecasted"]
    manifest.write_text(json.dumps(plain))
    assert main(["report", run.name]) == 0
    assert "identical:" in told(capsys, "--data", "data")  # it did not say where its data was
    strategy("2 * 10**7")
    assert "the plugins: was " in told(capsys, "--data", "data", code=3)
