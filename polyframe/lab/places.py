"""Where a catalogue and the stored runs are."""

from __future__ import annotations

from pathlib import Path

KEPT = ("report.json", "manifest.json", "journal.bin")


def catalogue_dir(option: Path | None, configured: str, user_data: Path) -> Path:
    """The catalogue to use: the option's, the configured one, the user's own, the shipped one."""
    if option is not None:
        return option
    if configured:
        return Path(configured)
    own = user_data / "data"
    if (own / "catalogue.json").is_file():
        return own
    from polyframe.lab.synth import sample_dir  # noqa: PLC0415 - needs numpy, and seldom used

    return sample_dir()


def tape_dir(directory: Path) -> Path:
    """The catalogue for strategies that play books: the shipped one has its tape beside it."""
    prices, books = shipped_dirs()
    return books if directory == prices else directory


def shipped_dir(label: str) -> Path:
    """The shipped catalogue of this name, the one with prices where there is none."""
    shipped = {path.name: path for path in shipped_dirs()}
    return shipped.get(label, shipped_dirs()[0])


def shipped_dirs() -> tuple[Path, Path]:
    """The catalogues shipped with the package: with prices and forecasts, and with books."""
    from polyframe.lab.sample_tape import tape_sample_dir  # noqa: PLC0415 - as above
    from polyframe.lab.synth import sample_dir  # noqa: PLC0415 - as above

    return sample_dir(), tape_sample_dir()


def run_dirs(runs: Path) -> list[Path]:
    """The directories of finished runs, the newest first, those that lost a file included."""
    found = {file.parent for name in KEPT for file in runs.glob(f"[!.]*/{name}")}
    return sorted(found, key=_age, reverse=True)


def _age(directory: Path) -> tuple[str, int, str]:
    """Sorts by the time in the id, then by when it was written."""
    stamp = directory.name.partition("-")[0]
    files = [directory / name for name in KEPT if (directory / name).is_file()]
    return stamp, files[0].stat().st_mtime_ns, directory.name
