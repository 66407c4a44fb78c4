"""Finds the code blocks of a page and runs them. The convention is written in CONTRIBUTING.md.

As a script it prints a page's commands that install the project, one a line:

    python tests/docs/docs_blocks.py README.md
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 240

# Commands that act on the checkout or on the machine: checked for sense, not run inside a test.
CHECKED_ONLY = (
    "pip ",
    "python -m pip ",
    "python -m venv ",
    "source ",
    "pytest",
    "python -m pytest",
    "python -m benchmarks",
    "ruff ",
    "mypy",
    "lint-imports",
    "bash .ci/run",
    ".ci/run",
    "git ",
    "docker ",
)


class PageError(AssertionError):
    """A block does not do what its page says."""


@dataclass(frozen=True)
class Block:
    """One fenced block: where it stands, its language, its tags and its text."""

    page: Path
    line: int
    language: str
    tags: frozenset[str]
    file: str
    text: str

    @property
    def place(self) -> str:
        return f"{self.page.name}:{self.line}"


@dataclass
class Command:
    """One command, the exit code it must have and the output shown below it."""

    line: int
    text: str
    exit_code: int = 0
    shown: list[str] = field(default_factory=list)


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found: list[Block] = []
    fence, start, info, body = "", 0, "", []
    for number, line in enumerate(page.read_text().splitlines(), 1):
        opened = re.match(r"\s*(`{3,})(.*)", line)
        if not fence and opened:
            fence, start, info, body = opened[1], number, opened[2], []
        elif fence and line.strip() == fence:
            found.append(_block(page, start, info, body))
            fence = ""
        elif fence:
            body.append(line)
    if fence:
        raise PageError(f"{page.name}:{start}: the block is never closed")
    return found


def _block(page: Path, line: int, info: str, body: list[str]) -> Block:
    language, *words = info.split() or [""]
    file = next((w.removeprefix("file=") for w in words if w.startswith("file=")), "")
    tags = frozenset(word for word in words if "=" not in word)
    if unknown := tags - {"no-run"}:
        raise PageError(f"{page.name}:{line}: unknown tag {sorted(unknown)}; there is: no-run")
    return Block(page, line, language, tags, file, "\n".join(body) + "\n")


def commands(block: Block) -> list[Command]:
    """The commands of a console block (lines after ``$``) or of a bash block (every line)."""
    prompt = block.language == "console"
    found: list[Command] = []
    open_command = False
    for number, line in enumerate(block.text.splitlines(), block.line + 1):
        if open_command:
            found[-1].text += "\n" + line.removeprefix("> ")
        elif prompt and line.startswith("$ "):
            found.append(Command(number, line[2:]))
        elif not prompt and line.strip() and not line.startswith("#"):
            found.append(Command(number, line))
        elif found and prompt:
            found[-1].shown.append(line.rstrip())
            continue
        else:
            continue
        open_command = found[-1].text.endswith("\\")
    for command in found:
        if match := re.search(r"\s+# exit (\d+)$", command.text):
            command.text = command.text[: match.start()]
            command.exit_code = int(match[1])
        while command.shown and not command.shown[-1]:
            command.shown.pop()
    return found


def parts(command: str) -> tuple[list[str], str]:
    """The parts of ``a && b`` that are only checked, and what is left to run."""
    checked, run = [], []
    for part in command.split(" && "):
        (checked if part.startswith(CHECKED_ONLY) else run).append(part)
    return checked, " && ".join(run)


def check(part: str) -> None:
    """Refuses a command that names an extra, a test path or a benchmark that does not exist."""
    words = shlex.split(part)
    if words[:2] == ["pip", "install"] or words[:4] == ["python", "-m", "pip", "install"]:
        for match in re.finditer(r"(?:\.|polyframe)\[([\w,-]+)\]", part):
            if unknown := set(match[1].split(",")) - _extras():
                raise PageError(f"{part!r} names no extra of this project: {sorted(unknown)}")
    elif "pytest" in words[:3]:
        for word in words[words.index("pytest") + 1 :]:
            if "/" in word and not (ROOT / word.split("::")[0]).exists():
                raise PageError(f"{part!r} names {word}, which does not exist")
    elif words[:3] == ["python", "-m", "benchmarks"]:
        names = [word for word in words[3:4] if not word.startswith("-")]
        if unknown := set(names) - _benchmarks():
            raise PageError(f"{part!r} names no benchmark: {sorted(unknown)}")


def _extras() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return set(project["optional-dependencies"])


def _benchmarks() -> set[str]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--list"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def shipped(folder: str) -> list[Path]:
    """The project's own files below a folder: those git knows, without git all that are there."""
    words = ["git", "ls-files", "-z", "--", folder]
    try:
        listed = subprocess.run(words, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return [
            f for f in (ROOT / folder).rglob("*") if f.is_file() and "__pycache__" not in f.parts
        ]
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def environment() -> dict[str, str]:
    """The variables of a page's commands: a plain terminal, nothing set for polyframe."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("POLYFRAME")}
    return kept | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "TERM": "dumb",
    }


class Desk:
    """A folder that looks like a fresh checkout, and the shell whose state its commands share."""

    def __init__(self, folder: Path, programs: Path | None = None) -> None:
        """``programs`` is a folder whose programs come before all others."""
        self.folder = folder / "checkout"
        self.folder.mkdir(parents=True)
        self._state = folder / "shell-state"
        self._state.write_text("")
        home = folder / "home"
        home.mkdir()
        self._env = environment() | {"HOME": str(home)}
        if programs is not None:
            self._env["PATH"] = f"{programs}{os.pathsep}{self._env['PATH']}"
        # What the project ships, not what a user has put beside it since.
        for file in [*shipped("user_data"), *shipped("docs"), ROOT / "config.json"]:
            target = self.folder / file.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)

    def run(self, page: Path) -> int:
        """Carries out a page from top to bottom; returns how many things ran."""
        return sum(self._block(block) for block in blocks(page))

    def _block(self, block: Block) -> int:
        if block.language == "python":
            return self._python(block)
        if block.language in {"json", "toml"} and "no-run" not in block.tags:
            read = json.loads if block.language == "json" else tomllib.loads
            try:
                read(block.text)
            except ValueError as error:
                raise PageError(f"{block.place}: no valid {block.language}: {error}") from None
        if block.file:
            self._write(block)
        if block.language not in {"console", "bash"}:
            return 0
        return sum(self._command(block, command) for command in commands(block))

    def _write(self, block: Block) -> None:
        path = self.folder / block.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text)

    def _python(self, block: Block) -> int:
        session = block.text.lstrip().startswith(">>>")
        if not session:
            try:
                compile(block.text, block.place, "exec")
            except SyntaxError as error:
                raise PageError(f"{block.place}: {error}") from None
        if block.file:
            self._write(block)
        if block.file or "no-run" in block.tags:
            return 0
        script = self.folder.parent / ("session.txt" if session else "script.py")
        script.write_text(block.text)
        flags = ["-m", "doctest", "-o", "ELLIPSIS", "-o", "NORMALIZE_WHITESPACE"]
        words = [sys.executable, *(flags if session else []), str(script)]
        code, output = self._shell(shlex.join(words))
        if code:
            raise PageError(f"{block.place}: the Python block fails:\n{output}")
        return 1

    def _command(self, block: Block, command: Command) -> int:
        place = f"{block.page.name}:{command.line}"
        syntax = subprocess.run(["bash", "-n", "-c", command.text], capture_output=True, text=True)
        if syntax.returncode:
            raise PageError(f"{place}: no valid command: {syntax.stderr}")
        if "no-run" in block.tags:
            return 0
        checked, rest = parts(command.text)
        for part in checked:
            check(part)
        if not rest:
            return 0
        code, output = self._shell(rest)
        if code != command.exit_code:
            raise PageError(
                f"{place}: {rest!r} ended with {code}, not {command.exit_code}:\n{output}"
            )
        if command.shown and not matches(command.shown, output):
            shown = "\n".join(command.shown)
            raise PageError(f"{place}: {rest!r} does not print\n{shown}\n--- but\n{output}")
        return 1

    def _shell(self, text: str) -> tuple[int, str]:
        # The folder and the exported variables go on to the next command, as at a real prompt.
        script = (
            f"source {shlex.quote(str(self._state))}\n{text}\ncode=$?\n"
            f"{{ export -p; printf 'cd %q\\n' \"$PWD\"; }} > {shlex.quote(str(self._state))}\n"
            "exit $code\n"
        )
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self._env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
        )
        return done.returncode, done.stdout


def matches(shown: list[str], output: str) -> bool:
    """True when the output is what is shown: ``...`` is anything, runs of spaces are equal."""
    pattern = "".join(_line_pattern(" ".join(line.split())) for line in shown)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", output)
    lines = [" ".join(line.split()) + "\n" for line in plain.strip().splitlines()]
    return re.fullmatch(pattern, "".join(lines)) is not None


def _line_pattern(line: str) -> str:
    if line == "...":
        return r"(?:[^\n]*\n)*?"
    return r"[^\n]*".join(re.escape(text) for text in line.split("...")) + r"\n"


def install_commands(page: Path) -> Iterator[str]:
    """The commands of a page that install the project and then do something with it."""
    for block in blocks(page):
        if block.language in {"console", "bash"} and "no-run" not in block.tags:
            for command in commands(block):
                if command.text.startswith("pip install ") and " && " in command.text:
                    yield command.text


if __name__ == "__main__":
    print("\n".join(install_commands(Path(sys.argv[1]))))
