"""What recorded data can tell guards, and what a run says of guards that cannot be checked."""

from __future__ import annotations

from polyframe.api.protection import Protection
from polyframe.domain.forecast import Forecast
from polyframe.domain.market import Market, Token
from polyframe.engine.guards import Guarded
from polyframe.lab.synth import sample_dir
from polyframe.runtime import build
from polyframe.runtime.inputs import ASKS, known_inputs, unchecked
from polyframe.runtime.plugins import Registry
from polyframe.runtime.settings import Config
from polyframe.store.catalogue import Catalogue
from polyframe.store.journal import JournalWriter


def market(closes: int) -> Market:
    return Market("m", "?", (Token("y", "Yes"), Token("n", "No")), closes=closes)


def test_an_input_is_known_when_any_row_has_it():
    assert known_inputs([market(0)], []) == frozenset()
    assert known_inputs([market(0), market(5)], []) == {"closes"}
    plain = Forecast("m", 0.5, 0, "x")
    said = Forecast("m", 0.5, 0, "x", confidence="LOW", evidence_quality=0.0)
    assert known_inputs([], [plain]) == frozenset()
    assert known_inputs([], [plain, said]) == {"confidence", "evidence"}


def guarded(*kernels: str) -> list[Guarded]:
    made = []
    for kernel in kernels:
        cls = type(kernel.title().replace("_", ""), (Protection,), {"kernel": kernel})
        made.append(Guarded(cls(), None))
    return made


def test_only_guards_in_force_that_lack_their_input_are_named_once():
    in_force = guarded("liquidity", "liquidity", "timeline", "max_stake")
    assert unchecked(in_force, frozenset({"closes"})) == [
        "Liquidity not checked: the data records no liquidity of its markets"
    ]
    assert unchecked(guarded(*ASKS), frozenset(name for name, _ in ASKS.values())) == []


def test_a_run_without_forecasters_has_no_forecast_to_check():
    in_force = guarded("evidence", "confidence")
    assert len(unchecked(in_force, frozenset())) == 2
    assert unchecked(in_force, frozenset(), forecasted=False) == []


def test_a_backtest_asks_its_guards_for_what_its_data_has():
    config = Config().choosing(["LLMForecast"])
    registry = Registry.load(None, entry_points=False, safe=True)
    data = build.recorded(Catalogue.open(sample_dir()), config)
    journal = JournalWriter.null()
    session = build.replay(config, registry, data, session="s", journal=journal)
    assert data.inputs == session.engine.setup.inputs == {"closes", "confidence", "evidence"}
