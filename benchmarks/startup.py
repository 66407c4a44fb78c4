"""What a person waits for before anything happens, measured in fresh processes."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, figure, missing, peak_rss_mb, timed

POLYFRAME = str(Path(sys.executable).parent / "polyframe")
WORK = [
    ("python -c pass", [sys.executable, "-c", "pass"], None),
    ("import polyframe", [sys.executable, "-c", "import polyframe"], 0.15),
    (
        "from polyframe import Strategy",
        [sys.executable, "-c", "from polyframe import Strategy"],
        0.4,
    ),
    ("polyframe --help", [POLYFRAME, "--help"], 0.3),
    ("polyframe sandbox, ready", [POLYFRAME, "sandbox", "--port", "0", "--json"], 2.0),
]


def measure(quick: bool) -> Iterator[Figure]:
    """The median of fresh processes after two that warm the file cache; targets stand beside."""
    runs = 5 if quick else 21
    for name, words, target in WORK:

        def once(words: list[str] = words) -> None:
            if "sandbox" in words:
                _until_it_says_something(words)
            else:
                subprocess.run(words, check=True, capture_output=True)

        peer = "python" if target is None else "polyframe"
        try:
            times = timed(once, runs, warm=2)
        except (OSError, subprocess.CalledProcessError) as error:
            yield missing(peer, name, f"does not run: {error}")
            continue
        yield figure(
            name,
            1,
            times.median,
            peer=peer,
            unit="starts",
            rss_mb=peak_rss_mb(resource.RUSAGE_CHILDREN),
            target_s=target,
            **times.spread(),
        )


def _until_it_says_something(words: list[str]) -> None:
    """Starts what runs for ever, and ends it once its first line is there."""
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as started:
        line = started.stdout.readline() if started.stdout is not None else b""
        started.kill()
    if not line:
        raise subprocess.CalledProcessError(started.returncode, words)
