"""The executor itself: it runs what a page says and notices when that is not so."""

from __future__ import annotations

from pathlib import Path

import pytest
from docs_blocks import Desk, PageError, blocks, commands, install_commands, matches, parts


def run(tmp_path: Path, text: str) -> int:
    page = tmp_path / "page.md"
    page.write_text(text)
    return Desk(tmp_path / "desk").run(page)


def test_commands_share_a_folder_and_variables(tmp_path: Path) -> None:
    page = (
        "```console\n$ mkdir inner && cd inner\n$ export WORD=there\n```\n"
        "text\n"
        '```console\n$ echo "hi $WORD"; basename "$PWD"\nhi there\ninner\n```\n'
    )
    assert run(tmp_path, page) == 3


def test_a_file_block_is_there_for_the_commands_after_it(tmp_path: Path) -> None:
    page = (
        "```python file=sub/double.py\nprint(2 * 21)\n```\n"
        '```json file=c.json\n{"a": 1}\n```\n'
        "```console\n$ python sub/double.py\n42\n$ cat c.json\n{...}\n```\n"
    )
    assert run(tmp_path, page) == 2


def test_a_command_may_be_said_to_fail(tmp_path: Path) -> None:
    assert run(tmp_path, "```console\n$ (exit 3)  # exit 3\n```\n") == 1


def test_a_bash_block_is_commands_without_a_prompt(tmp_path: Path) -> None:
    assert run(tmp_path, "```bash\n# a remark\necho one\ntest -n \\\n  two\n```\n") == 2


def test_python_runs_as_a_script_or_as_a_session(tmp_path: Path) -> None:
    page = (
        "```python\nimport json\n```\n```python\n>>> 40 + 2\n42\n>>> object()\n<object ...>\n```\n"
    )
    assert run(tmp_path, page) == 2


def test_other_blocks_are_left_alone(tmp_path: Path) -> None:
    page = "```text\n$ rm everything\n```\n```python no-run\nopen('never')\n```\n"
    assert run(tmp_path, page) == 0


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("```console\n$ false\n```\n", "page.md:2: 'false' ended with 1, not 0"),
        ("```console\n$ true  # exit 2\n```\n", "ended with 0, not 2"),
        ("```console\n$ echo two\none\n```\n", "does not print\none\n--- but\ntwo"),
        ("```console\n$ echo 'open\n```\n", "no valid command"),
        ("```bash\nfalse\n```\n", "ended with 1"),
        ("```python\nraise SystemExit(1)\n```\n", "page.md:1: the Python block fails"),
        ("```python no-run\ndef (\n```\n", "page.md:1"),
        ("```python\n>>> 1 + 1\n3\n```\n", "the Python block fails"),
        ("```json\n{'a': 1}\n```\n", "no valid json"),
        ("```console skip\n$ true\n```\n", "unknown tag ['skip']"),
        ("```console\n$ true\n", "page.md:1: the block is never closed"),
        ("```console\n$ pip install '.[tests]' && true\n```\n", "names no extra"),
        ("```console\n$ pytest tests/nowhere\n```\n", "tests/nowhere, which does not exist"),
        ("```console\n$ python -m benchmarks warp\n```\n", "names no benchmark"),
    ],
)
def test_a_page_that_does_not_hold_is_noticed(tmp_path: Path, page: str, message: str) -> None:
    with pytest.raises(PageError) as caught:
        run(tmp_path, page)
    assert message in str(caught.value)


def test_what_acts_on_the_machine_is_checked_and_the_rest_runs() -> None:
    assert parts("pip install . && polyframe --help") == (["pip install ."], "polyframe --help")
    assert parts("pip install '.[test]' && pytest -q")[1] == ""


@pytest.mark.parametrize(
    ("shown", "output", "same"),
    [
        (["a", "b"], "a\nb\n", True),
        (["a", "...", "d"], "a\nb\nc\nd\n", True),
        (["a", "..."], "a\n", True),
        (["a"], "a\nb\n", False),
        (["b"], "a\nb\n", False),
        (["took ... s"], "took 1.25 s\n", True),
        (["name  size"], "name      size   \n", True),
        (["name size"], "namesize\n", False),
        (["x.y"], "xzy\n", False),
        (["green"], "\x1b[32mgreen\x1b[0m\n", True),
    ],
)
def test_shown_output_is_compared_line_by_line(shown: list[str], output: str, same: bool) -> None:
    assert matches(shown, output) is same


def test_commands_that_install_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "```console\n$ pip install . && polyframe --help\nusage\n```\n"
        "```bash\npip install '.[test]' && pytest\n```\n"
        "```console no-run\n$ pip install x && y\n```\n"
        "```text\n$ pip install z && y\n```\n"
    )
    assert list(install_commands(page)) == [
        "pip install . && polyframe --help",
        "pip install '.[test]' && pytest",
    ]


def test_a_block_knows_its_line(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("one\n\n```console\n$ a\nout\n\n$ b\n```\n")
    (block,) = blocks(page)
    assert block.place == "page.md:3"
    assert [(c.line, c.text, c.shown) for c in commands(block)] == [(4, "a", ["out"]), (7, "b", [])]
