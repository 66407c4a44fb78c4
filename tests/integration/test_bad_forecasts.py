"""Forecasts, outcomes and questions that cannot be used as they are: refused, or told apart."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from polyframe.cli.main import main
from polyframe.domain.forecast import Forecast
from polyframe.errors import DataError

EVIL = "[bold red]Will\x1b[2J\x9b\u202e it?[/] <script>alert(1)</script> {0} %s"


def ns(text: str) -> int:
    return pd.Timestamp(text, tz="UTC").value


MARKET = {
    "outcome_0": "Yes", "outcome_1": "No", "opened": ns("2026-01-01"), "closes": ns("2026-02-01"),
    "category": "economics", "tick": "0.01", "min_size": "5",
}  # fmt: skip

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys) -> Run:
    def call(*arguments: object) -> tuple[int, str, str]:
        code = main([str(argument) for argument in arguments])
        done = capsys.readouterr()
        return code, done.out, done.err

    return call


def write(folder: Path, name: str, rows: list[dict[str, Any]]) -> Path:
    path = folder / f"{name}.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def market(n: int, **changes: Any) -> dict[str, Any]:
    row = {"market_id": f"m{n}", "question": f"Will {n}?", "token_0": f"y{n}", "token_1": f"n{n}"}
    return {**row, **MARKET, **changes}


@pytest.fixture
def catalogue(run, tmp_path) -> Callable[..., Path]:
    """A catalogue of these markets, each with hourly prices and, where it ended, an outcome."""

    def make(*markets: dict[str, Any], forecasts: list[dict[str, Any]] | None = None) -> Path:
        into = tmp_path / "data"
        hours = pd.date_range("2026-01-02", "2026-01-20", freq="1h", tz="UTC")
        prices = [
            {"token": row["token_0"], "ts": ts.value, "price": 3_000 + 20 * (i % 50)}
            for row in markets for i, ts in enumerate(hours)
        ]  # fmt: skip
        for kind, rows in (("markets", list(markets)), ("prices", prices)):
            code, _, err = run("data", "import", kind, write(tmp_path, kind, rows), "--into", into)
            assert code == 0, err
        if forecasts is not None:
            file = write(tmp_path, "forecasts", forecasts)
            code, _, err = run("data", "import", "forecasts", file, "--into", into)
            assert code == 0, err
        return into

    return make


# ---- forecasts ---------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [0.0, 1.0, -0.1, 1.1, float("nan"), float("inf"), 1])
def test_no_forecast_can_claim_certainty_or_nothing(p):
    with pytest.raises(DataError, match="strictly between 0 and 1") as found:
        Forecast("m", p, 1, "x")
    assert "market m has probability" in str(found.value)


@pytest.mark.parametrize(
    ("p", "words"), [(0, "probability"), (1, "probability"), ("nan", "probability"), (2, "probab")]
)
def test_an_imported_forecast_that_says_nothing_is_set_aside(run, tmp_path, catalogue, p, words):
    into = catalogue(market(1))
    good = {"market_id": "m1", "source": "x", "as_of": ns("2026-01-05"), "probability": 0.4}
    bad = {**good, "as_of": ns("2026-01-06"), "probability": p}
    file = write(tmp_path, "forecasts", [good, bad])
    code, out, _ = run("data", "import", "forecasts", file, "--into", into, "--json")
    found = json.loads(out)["files"][0]
    assert code == 0
    assert found["added"] == 1
    ((reason, count),) = found["set_aside"].items()
    assert (words in reason, count) == (True, 1)


def test_a_forecast_made_after_the_end_is_refused(run, tmp_path, catalogue):
    ended = {"winner": 0, "resolved_at": ns("2026-01-20")}
    into = catalogue(market(1, **ended))
    rows = [{"market_id": "m1", "source": "x", "as_of": ns("2026-01-21"), "probability": 0.4}]
    code, out, err = run(
        "data", "import", "forecasts", write(tmp_path, "forecasts", rows), "--into", into
    )
    assert code == 3
    assert "m1" in out + err
    assert "after" in out + err


FORECASTER = '''
from polyframe import Forecast, Forecaster

class Mine(Forecaster):
    """Answers wrongly."""

    pure = True

    async def forecast(self, question, evidence, snapshot, as_of):
        return {answer}
'''
ANSWERS = {
    "0": ('Forecast(question.market, 0.0, as_of, "mine")', 2, "probability 0.0"),
    "1": ('Forecast(question.market, 1.0, as_of, "mine")', 2, "probability 1.0"),
    "NaN": ('Forecast(question.market, float("nan"), as_of, "mine")', 2, "probability nan"),
    "later": ('Forecast(question.market, 0.4, as_of + 1, "mine")', 3, "was ready at"),
    "slow": ('Forecast(question.market, 0.4, as_of, "mine", latency=1)', 3, "was ready at"),
    "other": ('Forecast("another", 0.4, as_of, "mine")', 2, "a Forecast for market"),
    "number": ("0.4", 2, "a Forecast for market"),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_a_forecaster_that_answers_so_stops_the_backtest_by_name(run, tmp_path, what):
    answer, code, words = ANSWERS[what]
    folder = tmp_path / "user_data"
    (folder / "forecasters").mkdir(parents=True)
    (folder / "forecasters" / "mine.py").write_text(FORECASTER.format(answer=answer))
    (tmp_path / "config.json").write_text(json.dumps(
        {"version": 1, "strategies": [{"use": "LLMForecast"}],
         "forecasters": {"default": {"use": "Mine"}}}
    ))  # fmt: skip
    done, out, err = run("backtest", "-c", tmp_path / "config.json", "--user-data", folder)
    assert (done, out) == (code, "")
    assert words in err
    assert "Mine" in err or "default" in err
    assert not list(folder.glob("runs/*"))


# ---- what happened -----------------------------------------------------------------------------


def said(tmp_path: Path, *rows: tuple[object, ...], names="question_id,prob,outcome") -> Path:
    path = tmp_path / "said.csv"
    path.write_text("\n".join([names, *(",".join(map(str, row)) for row in rows)]) + "\n")
    return path


@pytest.mark.parametrize("p", [0, 1, "nan", "", 1.2, -3])
def test_evaluate_refuses_a_forecast_without_a_score(run, tmp_path, p):
    path = said(tmp_path, ("a", 0.4, "yes"), ("b", p, "no"), ("c", 0.3, "no"))
    code, _, err = run("forecast", "evaluate", path)
    assert code == 3
    assert "Next: " in err
    expected = "--clamp" if p in (0, 1) else "percent" if p == 1.2 else "--skip-bad"
    assert expected in err
    assert run("forecast", "evaluate", path, "--skip-bad")[0] == 0


@pytest.mark.parametrize("outcome", ["yes", "no"])
def test_one_class_says_nothing(run, tmp_path, outcome):
    path = said(tmp_path, *[(i, 0.1 + 0.05 * i, outcome) for i in range(12)])
    code, _, err = run("forecast", "evaluate", path)
    assert code == 3
    assert "all 12 outcomes are" in err
    assert "Next: " in err


def test_a_question_asked_again_is_no_new_observation(run, tmp_path):
    rows = [(i, 0.2 + 0.05 * (i % 12), "yes" if i % 3 == 0 else "no") for i in range(40)]
    once = json.loads(run("forecast", "evaluate", said(tmp_path, *rows), "--json")[1])
    again = json.loads(run("forecast", "evaluate", said(tmp_path, *rows * 5), "--json")[1])
    assert again["rows"] == 5 * once["rows"]
    assert again["events"] == once["events"] == 40
    assert again["verdict"]["code"] == once["verdict"]["code"]
    for end in ("mean", "low", "high"):
        assert again["brier"][end] == pytest.approx(once["brier"][end], abs=1e-3)
    assert any("one vote an event" in note for note in again["notes"])


def test_repeated_rows_without_an_event_are_told(run, tmp_path):
    rows = [(0.3, "yes"), (0.3, "yes"), (0.4, "no")]
    path = said(tmp_path, *rows, names="prob,outcome")
    found = json.loads(run("forecast", "evaluate", path, "--json")[1])
    assert any("1 rows repeat another one" in note for note in found["notes"])


# ---- events and questions ------------------------------------------------------------------------


def test_an_exclusive_event_that_ended_twice_is_found(run, catalogue):
    group = {"group": "g", "group_kind": "exclusive", "winner": 0, "resolved_at": ns("2026-01-25")}
    into = catalogue(market(1, **group), market(2, **group))
    code, out, _ = run("data", "check", into)
    assert code == 3
    assert "exclusive group ended YES as well" in " ".join(out.split())


def test_an_event_called_exclusive_and_not_is_refused(run, tmp_path, catalogue):
    """Which markets exclude each other decides what can be lost: it is not guessed."""
    into = catalogue(
        market(1, group="g", group_kind="exclusive"), market(2, group="g", group_kind="independent")
    )
    code, out, _ = run("data", "check", into)
    assert code == 3
    assert "disagree about the group's kind (m1, m2)" in " ".join(out.split())
    folder = tmp_path / "user_data"
    code, out, err = run("backtest", "-s", "LLMForecast", "--data", into, "--user-data", folder)
    assert (code, out) == (3, "")
    assert "group g is called exclusive and independent" in err
    assert "Next: " in err


def test_two_markets_with_one_question_are_two_markets(run, catalogue):
    into = catalogue(market(1, question="Same?"), market(2, question="Same?"))
    assert run("data", "check", into)[0] == 0
    assert json.loads(run("data", "list", into, "--json")[1])


def test_a_question_with_markup_steers_neither_terminal_nor_page(run, tmp_path, catalogue):
    ended = {"winner": 0, "resolved_at": ns("2026-01-25")}
    rows = [
        {"market_id": "m1", "source": "x", "as_of": ns(f"2026-01-{day:02}"), "probability": 0.7}
        for day in range(3, 19)
    ]
    category = "[red]cat"
    into = catalogue(market(1, question=EVIL, category=category, **ended), forecasts=rows)
    folder = tmp_path / "user_data"
    page = tmp_path / "page.html"
    backtest = ("backtest", "-s", "LLMForecast", "--data", into, "--user-data", folder)
    for shows, arguments in (
        ("", ("data", "list", into)),
        ("", ("data", "check", into)),
        (category, ("data", "show", "m1", "--data", into)),
        ("", backtest),
        ("", ("report", "--user-data", folder, "--html", page)),
        ("m1", ("decisions", "--user-data", folder)),
    ):
        code, out, err = run(*arguments)
        assert code == 0, (arguments, err)
        assert not set("\x1b\x9b\u202e") & set(out + err), arguments
        assert shows in out, arguments
    assert "<script>alert(1)" not in page.read_text()
