"""A process that has imported polyframe and loaded its kernels; commands are forked from it.

A ``polyframe`` command spends most of its time on becoming one: imports, machine code from the
disk. Here that is paid once a test run. Each command still is a process of its own, with its own
arguments, environment, folder, standard streams and exit code, as nothing was run in the process
that it is forked from. What is not alike is said in ``OWN`` and ``ALIKE``: such commands are run as
they are.

As a script it is that process: ``python docs_warm.py SOCKET``.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

OWN = frozenset({"init", "new", "reproduce", "sandbox"})
"""Verbs that always get a process that began by itself: a session makes sockets, threads and
workers, and a run must come out the same in a process whose sets have another order."""

ALIKE = ("LANG", "LC_", "PYTHON", "NUMBA_", "COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "TERM")
"""Variables that Python or a library reads when it begins: a command that changes one of them gets
a process that began by itself."""

ROOMS = (
    "cli", "lab", "runtime", "engine", "store", "strategies", "forecasters", "protections",
    "sizers", "styles", "exchanges/sim", "kernels",
)  # fmt: skip
LIBRARIES = ("pandas", "pyarrow.compute", "pyarrow.parquet", "pydantic_settings", "rich.table")

CLIENT = """#!{python} -IS
import json, os, socket, sys
asked = dict(argv=sys.argv[1:], env=dict(os.environ), cwd=os.getcwd())
def own():
    os.execv({real!r}, ["polyframe", *asked["argv"]])
if (asked["argv"] or [""])[0] in {own!r}:
    own()
line = socket.socket(socket.AF_UNIX)
line.connect({place!r})
line.sendall(b"?")
socket.send_fds(line, [b"!"], [0, 1, 2])
line.sendall(json.dumps(asked).encode() + b"\\n")
answer = line.makefile("rb").readline()
if answer == b"own\\n":
    own()
os._exit(int(answer or 70))
"""


def alike(env: dict[str, str]) -> dict[str, str]:
    """The variables that matter when a process begins."""
    return {name: text for name, text in env.items() if name.startswith(ALIKE)}


@contextlib.contextmanager
def warmed(env: dict[str, str]) -> Iterator[Path]:
    """A folder with a ``polyframe`` whose commands are forked from a process begun here."""
    real = shutil.which("polyframe", path=env["PATH"])
    assert real is not None, "polyframe is not installed"
    # Not in the test's own folder: the name of a socket may have a hundred letters.
    with tempfile.TemporaryDirectory(prefix="polyframe-") as name:
        folder = Path(name)
        place, shown, client = folder / "socket", folder / "log", folder / "bin" / "polyframe"
        client.parent.mkdir()
        client.write_text(
            CLIENT.format(python=sys.executable, real=real, own=sorted(OWN), place=str(place))
        )
        client.chmod(0o755)
        words = [sys.executable, __file__, str(place), real]
        with shown.open("wb") as log:
            process = subprocess.Popen(
                words, cwd=folder, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip
        try:
            while not place.exists():
                assert process.poll() is None, shown.read_text()
                time.sleep(0.02)
            yield client.parent
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def load() -> None:
    """All that a command may need. Nothing is run: what a run leaves behind would be shared."""
    import polyframe
    from polyframe.kernels.compile_nb import compile_all

    for room in ROOMS:
        folder = Path(polyframe.__path__[0]) / room
        for module in pkgutil.iter_modules([str(folder)], f"polyframe.{room.replace('/', '.')}."):
            if not module.ispkg and module.name.rpartition(".")[2] not in OWN:
                importlib.import_module(module.name)
    for name in LIBRARIES:
        importlib.import_module(name)
    compile_all()
    gc.collect()
    gc.freeze()


def next_asked(place: Path) -> tuple[list[str], dict[str, str], str]:
    """Waits for commands; returns in a new process for each of them, which becomes it."""
    mine = alike(dict(os.environ))
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(f"{place}.begun")
    listening.listen(16)
    Path(f"{place}.begun").rename(place)  # it is there when it can be used
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # children that ended are nobody's concern
    while True:
        line, _ = listening.accept()
        if os.fork():
            line.close()
            continue
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        listening.close()
        line.recv(1)
        _, streams, _, _ = socket.recv_fds(line, 1, 3)
        asked = json.loads(line.makefile("rb").readline())
        if alike(asked["env"]) != mine:
            line.sendall(b"own\n")
            os._exit(0)
        if child := os.fork():
            _, status = os.waitpid(child, 0)
            code = os.waitstatus_to_exitcode(status)
            line.sendall(b"%d\n" % (code if code >= 0 else 128 - code))
            os._exit(0)
        line.close()
        for stream, fd in enumerate(streams):
            os.dup2(fd, stream)
            os.close(fd)
        return asked["argv"], asked["env"], asked["cwd"]


def become(script: str, argv: list[str], env: dict[str, str], cwd: str) -> None:
    """Takes on the arguments, variables and folder of the command."""
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    time.tzset()
    sys.argv = [script, *argv]


def end(code: int) -> None:
    """What an interpreter does when it ends, except that it takes nothing apart: all that was
    shared until now would be copied for it."""
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    place, script = sys.argv[1:]
    # As for the installed command, whose folder has no modules.
    sys.path[0] = str(Path(script).parent)
    load()
    become(script, *next_asked(Path(place)))
    end(sys.modules["polyframe.cli.main"].main())
