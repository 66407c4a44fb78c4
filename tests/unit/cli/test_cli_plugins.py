"""``polyframe plugins``."""

from __future__ import annotations

import json

import pytest

from polyframe.cli.console import console
from polyframe.cli.main import main


@pytest.fixture
def user_data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(console, "width", 200)
    folder = tmp_path / "user_data" / "strategies"
    folder.mkdir(parents=True)
    (folder / "my_idea.py").write_text(
        "from polyframe import Strategy, hookimpl\n\n"
        "class MyIdea(Strategy):\n"
        "    def on_bar(self, event, view):\n        return ()\n\n"
        "@hookimpl\ndef fill_booked(effect): ...\n"
    )
    (folder / "bad.py").write_text("import nowhere_to_be_found\n\nclass Bad: ...\n")
    return folder.parent


def answer(capsys, *line: str, code: int = 0):
    assert main(["plugins", *line, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_json_says_what_there_is_and_what_is_broken(user_data, capsys):
    found = answer(capsys)
    mine = next(p for p in found["plugins"] if p["name"] == "MyIdea")
    assert mine["kind"] == "strategy"
    assert mine["origin"] == "file"
    assert mine["methods"] == ["on_bar"]
    assert len(mine["sha256"]) == 64
    assert any(p["origin"] == "built-in" for p in found["plugins"])
    (broken,) = found["broken"]
    assert broken["line"] == 1
    assert broken["names"] == ["Bad"]
    assert "nowhere_to_be_found" in broken["error"]


def test_broken_has_an_exit_code_of_its_own(user_data, capsys):
    (broken,) = answer(capsys, "--broken", code=2)["broken"]
    assert "Traceback" in broken["traceback"]
    assert main(["plugins", "--broken"]) == 2
    text = capsys.readouterr().out
    assert "bad.py:1" in text
    assert "ModuleNotFoundError" in text
    assert answer(capsys, "--broken", "--safe") == {"broken": []}


def test_hooks_say_who_hears_them(user_data, capsys):
    hooks = {hook["name"]: hook for hook in answer(capsys, "--hooks")["hooks"]}
    assert hooks["fill_booked"]["heard_by"] == ["polyframe_user.strategies.my_idea"]
    assert hooks["fill_booked"]["what"] == "An execution is in the books."
    assert hooks["order_changed"]["heard_by"] == []


def test_the_table_shows_all_of_it(user_data, capsys):
    assert main(["plugins"]) == 0
    text = capsys.readouterr().out
    for word in ("MyIdea", "my_idea.py", "LLMForecast", "built-in", "bad.py", "plugins --broken"):
        assert word in text
    assert main(["plugins", "--hooks"]) == 0
    assert "polyframe_user.strategies.my_idea" in capsys.readouterr().out


def test_two_of_one_name_stop_the_command(user_data, capsys):
    (user_data / "strategies" / "twin.py").write_text(
        "from polyframe import Strategy\nclass MyIdea(Strategy): ...\n"
    )
    assert main(["plugins"]) == 2
    assert "my_idea.py" in (text := capsys.readouterr().err)
    assert "twin.py" in text
