"""``polyframe report`` with a page, with periods, and on a report that an older version wrote."""

import runpy
from pathlib import Path

import pytest

from polyframe.cli.main import main
from polyframe.lab.results import load_report, write_run


@pytest.fixture(scope="module")
def run(root, tmp_path_factory) -> Path:
    built = runpy.run_path(str(root / "tests/unit/lab/lab_records.py"))["sample_record"]
    folder = tmp_path_factory.mktemp("page")
    return write_run(built(1_790_000_000 * 10**9), folder / "runs").directory


@pytest.fixture
def old(root, tmp_path) -> Path:
    """A run directory of the first form of the report."""
    folder = tmp_path / "old-run"
    folder.mkdir()
    stored = (root / "tests" / "golden" / "report_first_form.json").read_bytes()
    (folder / "report.json").write_bytes(stored)
    assert b"robustness" not in stored
    return folder


def test_a_page_is_written_beside_the_tables(run, tmp_path, capsys) -> None:
    assert main(["report", str(run), "--html", str(tmp_path / "r.html")]) == 0
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")
    out = capsys.readouterr().out
    for part in ("Beside the result", "read again", "Simulated, 5,000 draws", "Worst cases"):
        assert part in out


@pytest.mark.parametrize("period", ["day", "week", "month"])
def test_a_stored_run_is_split_by_periods(run, capsys, period) -> None:
    assert main(["report", str(run), "--breakdown", period]) == 0
    assert f"Result by {period} of the close" in capsys.readouterr().out


def test_an_unknown_period_is_refused(run, capsys) -> None:
    assert main(["report", str(run), "--breakdown", "year"]) == 2
    assert "day, week, month" in capsys.readouterr().err


def test_an_older_report_is_still_read_and_shown(old, tmp_path, capsys) -> None:
    # Nothing vouches for it any more: it is read as a file of its own.
    old = old / "report.json"
    report = load_report(old)
    assert report.robustness is None
    assert report.baselines == []
    assert report.trades[0].order == ""
    page = tmp_path / "old.html"
    assert main(["report", str(old), "--html", str(page), "--breakdown", "week"]) == 0
    out = capsys.readouterr().out
    assert "Edge after costs" in out
    assert "Result by week" in out
    assert "Beside the result" not in out
    assert "not in the record of this run" in page.read_text()
