"""``polyframe report`` on stored runs, through the command's own entry."""

import json
import os
import runpy
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from polyframe.cli.main import main
from polyframe.lab.results import RunRecord, write_run

START = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def record(root) -> RunRecord:
    built = runpy.run_path(str(root / "tests/unit/lab/lab_records.py"))["sample_record"]
    return built(1_790_000_000 * 10**9)


@pytest.fixture
def runs(record, tmp_path) -> tuple[Path, list[str]]:
    """A user directory with three runs, an hour apart, the oldest written last."""
    names = [
        write_run(record, tmp_path / "runs", created=START + timedelta(hours=h)).run
        for h in (2, 1, 0)
    ]
    (tmp_path / "runs" / ".writing-abc").mkdir()  # what a killed writer leaves
    return tmp_path, sorted(names)


def report(*arguments: object) -> int:
    return main(["report", *map(str, arguments)])


def test_the_newest_run_is_shown_by_default(runs, capsys) -> None:
    user_data, names = runs
    assert report("--user-data", user_data) == 0
    out = capsys.readouterr().out
    assert names[-1] in out
    assert "SYNTHETIC DATA" in out
    assert "Edge after costs" in out


@pytest.mark.parametrize("length", [13, None])
def test_a_run_is_named_by_its_id_or_the_beginning_of_it(runs, capsys, length) -> None:
    user_data, names = runs
    assert report(names[0][:length], "--user-data", user_data, "--json") == 0
    assert json.loads(capsys.readouterr().out)["run"] == names[0]


def test_a_run_is_named_by_its_directory(runs, capsys) -> None:
    user_data, names = runs
    assert report(user_data / "runs" / names[1], "--json") == 0
    assert json.loads(capsys.readouterr().out)["run"] == names[1]


def test_json_is_the_stored_report(runs, capsys) -> None:
    user_data, names = runs
    assert report("--json", "--user-data", user_data) == 0
    stored = json.loads((user_data / "runs" / names[-1] / "report.json").read_text())
    assert json.loads(capsys.readouterr().out) == stored


def test_the_schema_is_printed_without_any_run(tmp_path, capsys) -> None:
    assert report("--schema", "--user-data", tmp_path) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["$ref"] == "#/$defs/Report"


def test_no_run_says_how_to_make_one(tmp_path, capsys) -> None:
    assert report("--user-data", tmp_path) == 2
    assert "polyframe backtest" in capsys.readouterr().err


def test_an_unknown_run_names_the_nearest_and_the_newest(runs, capsys) -> None:
    user_data, names = runs
    wrong = f"{names[0][:-1]}x"
    assert report(wrong, "--user-data", user_data) == 2
    said = capsys.readouterr().err
    assert f"no run is called '{wrong}'" in said
    assert all(name in said for name in names)
    assert f"polyframe report {names[0]}" in said


def test_an_ambiguous_beginning_lists_the_runs(runs, capsys) -> None:
    user_data, names = runs
    assert report("2026", "--user-data", user_data) == 2
    said = capsys.readouterr().err
    assert "3 runs begin with" in said
    assert all(name in said for name in names)


def test_another_schema_version_is_refused(runs, capsys) -> None:
    user_data, names = runs
    file = user_data / "runs" / names[-1] / "report.json"
    file.write_text(file.read_text().replace('"schema": 1', '"schema": 2', 1))
    assert report("--user-data", user_data) == 3
    said = capsys.readouterr().err
    assert "report schema 2" in said
    assert "schema 1" in said


def test_a_truncated_report_is_refused(runs, capsys) -> None:
    user_data, names = runs
    file = user_data / "runs" / names[-1] / "report.json"
    file.write_bytes(file.read_bytes()[:-200])
    assert report("--user-data", user_data) == 3
    assert "is not a report" in capsys.readouterr().err


def test_the_picture_is_written_beside_the_tables(runs, tmp_path, capsys) -> None:
    user_data, _ = runs
    assert report("--user-data", user_data, "--svg", tmp_path / "report.svg") == 0
    assert (tmp_path / "report.svg").read_text().startswith("<svg")
    assert "Edge after costs" in capsys.readouterr().out


def test_a_report_is_shown_without_loading_numerical_packages(runs) -> None:
    user_data, _ = runs
    code = (
        "import sys; from polyframe.cli.main import main; "
        f"code = main(['report', '--user-data', {str(user_data)!r}]); "
        "print([m for m in ('numpy', 'pandas', 'pyarrow', 'numba') if m in sys.modules]); "
        "sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "COLUMNS": "100"},
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_writing_a_sample_is_a_command_of_its_own(tmp_path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "polyframe.lab.synth",
            "--write",
            str(tmp_path / "s"),
            "--days",
            "14",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "all synthetic" in done.stdout
    wrong = subprocess.run(
        [
            sys.executable,
            "-m",
            "polyframe.lab.synth",
            "--write",
            str(tmp_path / "t"),
            "--skill",
            "2",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert wrong.returncode == 2
    assert "skill is 2.0" in wrong.stderr
    assert not (tmp_path / "t").exists()
