"""``polyframe new``: what it writes runs and passes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from polyframe.cli.main import main
from polyframe.cli.scaffold import SUITES, stem_of
from polyframe.runtime.plugins import Registry


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("kind", SUITES)
def test_what_is_written_loads_and_passes_its_suite(kind, here, capsys):
    name = "My" + kind.title().replace("_", "") + "2"
    assert main(["new", kind, name, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    plugin, test = (here / path for path in answer["written"])
    lines = plugin.read_text().splitlines()
    assert len(lines) <= 120
    assert "$" not in plugin.read_text() + test.read_text()
    assert Registry.load(here / "user_data", entry_points=False).find(kind, name).file == plugin

    command = [sys.executable, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += ["-p", "no:asyncio", str(test)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("my_idea", "MyIdea?"),
        ("my-idea", "MyIdea?"),
        ("../evil", "Evil?"),
        ("class", "Class?"),
        ("2nd", "a name like MyIdea"),
        ("", "a name like MyIdea"),
        ("Größe", "a name like MyIdea"),
        ("Strategy", "another name"),
    ],
)
def test_a_name_that_is_no_class_name_is_refused(name, expected, here, capsys):
    assert main(["new", "strategy", name]) == 2
    assert expected.split()[0] in capsys.readouterr().err
    assert not list(here.iterdir())


def test_nothing_is_overwritten(here, capsys):
    assert main(["new", "protection", "MyGuard"]) == 0
    file = here / "user_data" / "protections" / "my_guard.py"
    file.write_text("# mine\n")
    assert main(["new", "protection", "MyGuard"]) == 2
    assert "my_guard.py exists" in capsys.readouterr().err
    assert file.read_text() == "# mine\n"


def test_a_test_that_exists_keeps_both_files_unwritten(here, capsys):
    test = here / "user_data" / "tests" / "test_my_guard.py"
    test.parent.mkdir(parents=True)
    test.write_text("# mine\n")
    assert main(["new", "protection", "MyGuard"]) == 2
    assert not (here / "user_data" / "protections").exists()


def test_a_registered_name_is_refused(capsys):
    assert main(["new", "strategy", "LLMForecast"]) == 2
    assert "already" in capsys.readouterr().err


def test_an_unknown_kind_gets_the_nearest(capsys):
    assert main(["new", "stratgy", "MyIdea"]) == 2
    assert "strategy?" in capsys.readouterr().err


def test_a_place_that_cannot_be_written_is_named(here, capsys):
    (here / "user_data").write_text("a file")
    assert main(["new", "strategy", "MyIdea"]) == 2
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("MyIdea", "my_idea"),
        ("LLMForecast", "llm_forecast"),
        ("A", "a"),
        ("Idea2Go", "idea2_go"),
        ("UseLLM", "use_llm"),
    ],
)
def test_file_names_follow_class_names(name, stem):
    assert stem_of(name) == stem
