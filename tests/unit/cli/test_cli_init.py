"""``polyframe init``."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from polyframe.cli.init import FOLDERS
from polyframe.cli.main import main
from polyframe.cli.scaffold import template
from polyframe.runtime.config import Config, load_config
from polyframe.runtime.plugins import Registry
from polyframe.runtime.secrets import load_secrets

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def test_a_user_directory_that_works_at_once(here, capsys):
    assert main(["init", "--yes", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    made = here / "user_data"
    assert all((made / name).is_dir() for name in FOLDERS)
    assert answer["kept"] == []
    assert load_config([made / "config.json"], env={}).config == Config()
    registry = Registry.load(made, entry_points=False, env={})
    assert registry.get("strategy", "FirstIdea")
    assert not registry.broken
    assert main(["config", "check"]) == 0
    assert "user_data/config.json" in capsys.readouterr().out


def test_what_exists_is_kept(here, capsys):
    made = here / "mine"
    made.mkdir()
    (made / "config.json").write_text('{"account": {"cash": 7}}')
    assert main(["init", "mine", "--yes"]) == 0
    assert "kept" in capsys.readouterr().out
    assert "7" in (made / "config.json").read_text()
    before = {file: file.read_bytes() for file in made.rglob("*") if file.is_file()}
    assert main(["init", "mine", "--yes"]) == 0
    assert {file: file.read_bytes() for file in made.rglob("*") if file.is_file()} == before


def test_without_anybody_to_ask_it_needs_yes(here, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert main(["init"]) == 2
    assert "polyframe init --yes" in capsys.readouterr().err
    assert not list(here.iterdir())


def test_a_file_in_the_way_is_named(here, capsys):
    (here / "user_data").write_text("")
    assert main(["init", "--yes"]) == 2
    assert "user_data is a file" in capsys.readouterr().err


def test_the_example_environment_names_every_secret_and_is_readable(here):
    names = {
        line.partition("=")[0]
        for line in template("env").splitlines()
        if line and not line.startswith("#")
    }
    (here / ".env").write_text(template("env"))
    secrets = load_secrets(here, env={}, cwd=here)
    assert names == set(secrets.masked())
    assert not any(secrets.masked().values())


def test_the_shipped_files_and_the_templates_are_one():
    assert template("config.json") == (ROOT / "config.json").read_text()
