"""What an installation of the core weighs, in an empty environment made for it."""

from __future__ import annotations

import subprocess
import tempfile
import time
import venv
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure, figure

CHECKOUT = Path(__file__).resolve().parent.parent
TARGET_MB = 600


def measure(quick: bool) -> Iterator[Figure]:  # noqa: ARG001 - there is one way to weigh
    """Total megabytes and the three largest parts."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "env"
        venv.create(home, with_pip=True)
        packages = next((home / "lib").glob("python*/site-packages"))
        empty = _bytes(packages)
        start = time.perf_counter()
        subprocess.run(
            [home / "bin" / "python", "-m", "pip", "install", "--quiet", str(CHECKOUT)], check=True
        )
        seconds = time.perf_counter() - start
        total = _megabytes(_bytes(packages) - empty)
        bytecode = _megabytes(sum(p.stat().st_size for p in packages.rglob("*.pyc")))
        made = f"{bytecode} MB of it bytecode that pip compiled"
        yield figure(
            "core install", total, seconds, unit="MB", rss_mb=0.0, target_MB=TARGET_MB, note=made
        )
        parts = {
            part.name: _megabytes(_bytes(part))
            for part in packages.iterdir()
            if part.is_dir() and part.suffix != ".dist-info" and part.name != "pip"
        }
        for name in sorted(parts, key=lambda name: parts[name], reverse=True)[:3]:
            share = f"{parts[name] / total:.0%} of the core"
            yield figure(f"part: {name}", parts[name], None, unit="MB", rss_mb=0.0, note=share)


def _bytes(folder: Path) -> int:
    return sum(p.lstat().st_size for p in folder.rglob("*") if p.is_file() and not p.is_symlink())


def _megabytes(size: int) -> float:
    return round(size / 1e6, 1)
