"""What a result may be trusted for: its hash, its guards, its output."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from polyframe.cli.main import main

BUYS = """
from polyframe import HOUR, Every, Intent, Side, Strategy, Subscription
{more}

class Mine(Strategy):
    def subscribe(self, markets):
        return Subscription(wake=(Every(24 * HOUR),))

    def on_wake(self, event, view):
        {first}
        for market in view.markets()[:5]:
            quote = view.book(market.yes.id)
            if quote.trusted and quote.ask and not view.position(market.yes.id).shares:
                yield Intent(token=market.yes.id, side=Side.BUY, price=quote.ask, {size},
                             probability=0.9)
"""

GUARD = """
from polyframe import Protection


class Broken(Protection):
    def review(self, proposal, view):
        {body}
"""

FORECASTER = """
from polyframe import Forecaster


class Wrong(Forecaster):
    pure = True

    async def forecast(self, question, evidence, snapshot, as_of):
        raise ValueError("my bug")
"""


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for kind in ("strategies", "protections", "forecasters"):
        (tmp_path / "user_data" / kind).mkdir(parents=True)
    return tmp_path / "user_data"


def strategy(user: Path, *, more: str = "", first: str = "pass", size: str = "size=10**7") -> None:
    text = BUYS.format(more=more, first=first, size=size)
    (user / "strategies" / "mine.py").write_text(text)


def report(capsys: pytest.CaptureFixture[str], *words: str, code: int = 0) -> dict:
    assert main(["backtest", "-s", "Mine", "--json", *words]) == code
    return json.loads(capsys.readouterr().out)


def test_an_imported_neighbour_is_part_of_the_hash(user, capsys):
    strategy(user, more="from polyframe_user.strategies._limits import LOW")
    hashes = []
    for value in ("1", "2"):
        (user / "strategies" / "_limits.py").write_text(f"LOW = {value}\n")
        hashes.append(report(capsys)["hash"])
    assert hashes[0] != hashes[1]
    assert report(capsys)["hash"] == hashes[1]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("raise RuntimeError('my bug')", "Broken.review"),
        ("return self.alow(proposal)", "AttributeError"),
        ("return None", "AttributeError"),
        ("return 7", "Broken.review failed"),
    ],
)
def test_a_broken_guard_stops_a_backtest(user, capsys, body, said):
    strategy(user)
    (user / "protections" / "broken.py").write_text(GUARD.format(body=body))
    (user / "config.json").write_text(json.dumps({"protections": [{"use": "Broken"}]}))
    error = report(capsys, code=2)["error"]
    assert said in error["message"]
    assert list((user / "runs").glob("*")) == []


def test_a_broken_forecaster_is_named_with_its_line(user, capsys):
    (user / "forecasters" / "wrong.py").write_text(FORECASTER)
    (user / "config.json").write_text(json.dumps({"forecasters": {"default": {"use": "Wrong"}}}))
    assert main(["backtest", "-s", "LLMForecast", "--json"]) == 2
    message = json.loads(capsys.readouterr().out)["error"]["message"]
    assert "Wrong.forecast" in message
    assert "wrong.py:9" in message


def test_what_a_strategy_prints_does_not_spoil_the_document(user, capsys):
    strategy(user, first="print('hello')")
    assert main(["backtest", "-s", "Mine", "--json"]) == 0
    told = capsys.readouterr()
    assert json.loads(told.out)["summary"]
    assert "hello" in told.err


def test_plenty_of_cash_trades_no_less_than_little(user, capsys):
    strategy(user, size="reason='x'")
    fills = [
        len([t for t in report(capsys, "--cash", cash)["trades"] if t["side"] == "buy"])
        for cash in ("1e6", "1e9")
    ]
    assert 0 < fills[0] <= fills[1]


def test_a_setting_that_is_no_number_is_refused(user, capsys):
    config = {"strategies": [{"use": "LLMForecast", "config": {"min_edge": "NaN"}}]}
    (user / "config.json").write_text(json.dumps(config))
    assert main(["backtest", "--json"]) == 2
    assert "min_edge" in json.loads(capsys.readouterr().out)["error"]["message"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["-s", "LLMForecast", "-s", "LLMForecast"], 2, "LLMForecast is named twice"),
        (["-s", "LLMForecast", "--category", "nope"], 2, "no market of category 'nope'"),
        (["-s", "LLMForecast", "--market", "nope"], 2, "market 'nope' is not in the catalogue"),
        (["-s", "LLMForecast", "--missing", "error"], 5, "UTC: no recorded forecast"),
    ],
)
def test_exit_codes_are_those_of_the_documentation(user, capsys, words, code, said):
    assert main(["backtest", "--json", *words]) == code
    assert said in json.loads(capsys.readouterr().out)["error"]["message"]


def test_a_reader_that_goes_away_has_an_exit_code_of_its_own(user):
    polyframe = Path(sys.executable).parent / "polyframe"
    with subprocess.Popen([polyframe, "config", "schema"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read(1)
        process.stdout.close()
        assert process.wait() in (0, 141)
    shell = f"{polyframe} plugins | (exec 0<&-; sleep 2); exit ${{PIPESTATUS[0]}}"
    assert subprocess.run(["bash", "-c", shell], check=False).returncode == 141
