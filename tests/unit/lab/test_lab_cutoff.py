"""``forecast evaluate`` scores what a model may have read apart from what it forecast."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_lab_evaluation import rows

from polyframe.lab.evaluation import evaluate
from polyframe.lab.scored_rows import read_rows

HEAD = "question_id,prob,outcome,resolved_at,cutoff\n"


def written(tmp_path: Path, *lines: str, head: str = HEAD) -> Path:
    path = tmp_path / "said.csv"
    path.write_text(head + "\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("price", [True, False])
def test_contaminated_rows_are_in_no_figure_but_their_own(price):
    every = rows(300, skill=1.0, copies=2, price=price)
    known = np.arange(600) < 200
    marked = evaluate(replace(every, contaminated=known))
    columns = ("p", "y", "market", "event", "category", "order")
    clean = evaluate(
        replace(every, **{c: None if getattr(every, c) is None else getattr(every, c)[~known]
                          for c in columns})
    )  # fmt: skip
    assert marked.contaminated is not None
    assert (marked.contaminated.rows, marked.contaminated.events) == (200, 100)
    assert (marked.rows, marked.events) == (400, 200)
    for name in ("verdict", "brier", "log_score", "references", "calibration", "categories"):
        assert getattr(marked, name) == getattr(clean, name)
    own = ((every.p - every.y) ** 2)[known]
    assert marked.contaminated.brier == pytest.approx(own.mean())


def test_when_the_model_may_have_read_every_end_that_is_the_verdict():
    every = rows(1_500, skill=1.0)
    assert evaluate(every).verdict.code == "better"
    known = evaluate(replace(every, contaminated=np.ones(1_500, dtype=np.bool_)))
    assert known.verdict.code == "contaminated"
    assert known.verdict.text.startswith("Contaminated: these are questions")
    assert known.contaminated is None
    most = np.arange(1_500) > 0
    found = evaluate(replace(every, contaminated=most))
    assert (found.verdict.code, found.rows) == ("contaminated", 1_499)
    assert "rows that are not contaminated, too few to be scored: 1" in found.notes


def test_a_file_tells_by_the_end_and_the_cutoff_and_the_end_itself_counts(tmp_path):
    found = read_rows(
        written(
            tmp_path, "a,0.9,yes,2024-03-01,2024-10-01", "b,0.2,no,2024-10-01,2024-10-01",
            "c,0.6,no,2024-10-02,2024-10-01", "d,0.3,yes,2024-10-02,",
        )
    )  # fmt: skip
    assert found.contaminated is not None
    assert found.contaminated.tolist() == [True, True, False, False]


def test_an_unknown_end_is_told(tmp_path):
    found = read_rows(written(tmp_path, "a,0.9,yes,,2024-10-01", "b,0.2,no,2024-01-01,2024-10-01"))
    assert found.contaminated is not None
    assert found.contaminated.tolist() == [False, True]
    assert any("cannot be told" in note for note in found.notes)


def test_without_a_cutoff_nothing_is_parted(tmp_path):
    path = written(tmp_path, "a,0.9,yes", "b,0.2,no", head="question_id,prob,outcome\n")
    assert read_rows(path).contaminated is None
