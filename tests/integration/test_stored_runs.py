"""What a run directory proves when one of its files was changed, exchanged or taken away."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from polyframe.cli.main import main

NARROW = ("--timerange", "2026-09-10..2026-09-13", "--no-robust")


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A user directory with one run."""
    folder = tmp_path_factory.mktemp("user_data")
    assert main(["backtest", "-s", "LLMForecast", *NARROW, "--user-data", str(folder)]) == 0
    return folder


@pytest.fixture
def user(made, tmp_path) -> Path:
    """A copy that a test may damage."""
    return shutil.copytree(made, tmp_path / "user_data")


@pytest.fixture
def run(user) -> Path:
    (path,) = (user / "runs").iterdir()
    return path


def asked(capsys, user: Path, *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main([*arguments, "--user-data", str(user)])
    out, err = capsys.readouterr()
    return code, out, err


def test_a_report_without_its_manifest_is_not_taken(capsys, user, run) -> None:
    (run / "manifest.json").unlink()
    code, _, err = asked(capsys, user, "report")
    assert code == 3
    assert "nothing vouches for its report" in err
    assert "manifest.json is gone" in asked(capsys, user, "list", "runs")[1]


def test_a_run_that_lost_its_report_is_named(capsys, user, run) -> None:
    (run / "report.json").unlink()
    code, _, err = asked(capsys, user, "report")
    assert code == 2
    assert run.name in err
    assert asked(capsys, user, "decisions", "--verify")[0] == 0


def test_an_edited_report_is_marked_in_the_list(capsys, user, run) -> None:
    report = run / "report.json"
    report.write_text(report.read_text().replace('"trials"', '"trials" '))
    assert "report.json was edited" in asked(capsys, user, "list", "runs")[1]


def test_a_cut_journal_shows_no_decisions(capsys, user, run) -> None:
    journal = run / "journal.bin"
    journal.write_bytes(journal.read_bytes()[:-100])
    code, out, err = asked(capsys, user, "decisions")
    assert (code, out) == (3, "")
    assert "it was edited or cut" in err
    assert "decisions" in err.split("Next:")[1]


def test_the_journal_of_another_run_proves_nothing(capsys, user, run, tmp_path) -> None:
    other = tmp_path / "other"
    args = ["backtest", "-s", "LLMForecast", *NARROW, "--seed", "5", "--user-data", str(other)]
    assert main(args) == 0
    shutil.copy(next(other.glob("runs/*/journal.bin")), run / "journal.bin")
    code, _, err = asked(capsys, user, "decisions", "--verify")
    assert code == 3
    assert "not the journal of its run" in err


def test_what_a_run_keeps_of_itself_is_no_trial(capsys, user) -> None:
    for record in ("none", "all"):
        asked(capsys, user, "backtest", "-s", "LLMForecast", *NARROW, "--record", record)
    code, out, _ = asked(capsys, user, "report", "--json")
    assert code == 0
    assert json.loads(out)["summary"]["trials"] == 1


def test_a_run_ends_with_its_period(capsys, user) -> None:
    code, out, _ = asked(capsys, user, "report", "--json")
    report = json.loads(out)
    assert code == 0
    assert report["summary"]["start"][:10] == "2026-09-10"
    assert report["summary"]["end"][:10] == "2026-09-13"
    code, out, _ = asked(capsys, user, "decisions", "--since", "2026-09-14", "--json")
    assert json.loads(out)["rows"] == []


def test_a_page_is_written_through_a_link_and_never_over_a_device(capsys, user, tmp_path) -> None:
    page, link = tmp_path / "page.html", tmp_path / "link.html"
    link.symlink_to(page)
    assert asked(capsys, user, "report", "--html", str(link))[0] == 0
    assert link.is_symlink()
    assert page.read_text().startswith("<!doctype html>")
    code, _, err = asked(capsys, user, "report", "--html", "/dev/null")
    assert code == 2
    assert "no regular file" in err
    assert not Path("/dev/null").is_file()
