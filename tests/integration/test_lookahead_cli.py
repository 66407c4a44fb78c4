"""``polyframe lookahead`` as a person runs it."""

from __future__ import annotations

import json

import pytest

from polyframe.cli.main import main

STRATEGY = """
from polyframe import Strategy


class Mine(Strategy):
    timeframe = "4h"
    startup_bars = {startup}

    def features(self, bars):
        {column}
        bars["enter"] = bars["close"] < bars["mine"]
        bars["exit"] = ~bars["enter"]
        return bars
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "user_data" / "strategies").mkdir(parents=True)
    return tmp_path / "user_data"


def write(here, column: str, startup: int = 6) -> None:
    text = STRATEGY.format(column=column, startup=startup)
    (here / "strategies" / "mine.py").write_text(text)


def test_an_honest_strategy_passes(here, capsys):
    write(here, 'bars["mine"] = bars["close"].rolling(6).mean()')
    assert main(["lookahead", "-s", "Mine", "--rows", "20"]) == 0
    assert capsys.readouterr().out.startswith("no look-ahead found in 20 cuts of 20 markets")


def test_a_leak_is_named_with_the_column_and_the_exit_code(here, capsys):
    write(here, 'bars["mine"] = bars["close"].shift(-1)')
    assert main(["lookahead", "-s", "Mine", "--rows", "20", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["features"]["leaks"][0]["column"] in {"enter", "exit"}
    assert "mine" in {leak["column"] for leak in found["features"]["leaks"]}


def test_too_little_history_is_named(here, capsys):
    write(here, 'bars["mine"] = bars["close"].ewm(span=60, adjust=False).mean()', startup=2)
    assert main(["lookahead", "-s", "Mine", "--rows", "40"]) == 1
    assert capsys.readouterr().out.startswith("TOO LITTLE HISTORY: ")


def test_features_that_fail_are_named_with_their_line(here, capsys):
    write(here, 'bars["mine"] = bars["nothing"]')
    assert main(["lookahead", "-s", "Mine"]) == 2
    text = " ".join(capsys.readouterr().err.split())
    assert "Mine.features" in text
    assert "mine.py:10" in text


def test_a_strategy_without_anything_is_refused(here, capsys):
    (here / "strategies" / "mine.py").write_text(
        "from polyframe import Strategy\n\n\nclass Mine(Strategy):\n    pass\n"
    )
    assert main(["lookahead", "-s", "Mine"]) == 2
    assert "has neither features nor a method that decides" in capsys.readouterr().err


def test_an_unknown_strategy_is_refused(here, capsys):
    assert main(["lookahead", "-s", "LLMForcast"]) == 2
    assert "LLMForecast" in capsys.readouterr().err


MEMORY = """
from polyframe import Every, QuoteLevel, Quotes, SECOND, Strategy, Subscription

ASKED = []


class Mine(Strategy):
    books = True
    quotes_only = True

    def subscribe(self, markets):
        return Subscription(wake=(Every(600 * SECOND),))

    def on_wake(self, event, view):
        ASKED.append(1)
        for market in view.markets():
            bid = view.book(market.yes.id).bid - 100 * ({what} % 5)
            if bid > 0:
                yield Quotes(token=market.yes.id, bids=(QuoteLevel(bid, 5_000_000),))
"""


def test_a_strategy_of_books_is_cut_as_its_tape_is(here, capsys):
    (here / "strategies" / "mine.py").write_text(MEMORY.format(what="0"))
    assert main(["lookahead", "-s", "Mine", "--cuts", "3"]) == 0
    assert "decisions cut 3 times" in capsys.readouterr().out
    (here / "strategies" / "mine.py").write_text(MEMORY.format(what="len(ASKED)"))
    assert main(["lookahead", "-s", "Mine", "--cuts", "3"]) == 1
    assert capsys.readouterr().out.startswith("LOOK-AHEAD: decisions change in ")
