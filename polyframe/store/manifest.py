"""The manifest of a catalogue: which files it has, with their hashes and where they came from."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from polyframe.errors import DataError
from polyframe.store.parquet import replace_whole
from polyframe.store.schema import VERSION

MANIFEST = "catalogue.json"

FAULTS = {
    "missing file": "the catalogue lists it, it is not there",
    "unlisted file": "no import wrote it",
    "changed file": "its content is not what the import wrote",
}
"""What can be wrong with a file as a whole."""


def read_manifest(file: Path) -> dict[str, Any]:
    """What ``catalogue.json`` says.

    Raises:
        DataError: it is damaged or of another version.
    """
    try:
        manifest = json.loads(file.read_text(encoding="utf-8"))
        version, files = manifest["version"], manifest["files"]
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise DataError(
            f"{file} is damaged: {type(error).__name__} {error}",
            expected="the manifest that polyframe data import writes",
            hint="import the data again into an empty directory",
        ) from None
    if version != VERSION or not isinstance(files, dict):
        raise DataError(
            f"{file} has version {version!r}",
            expected=f"version {VERSION}",
            hint="import the data again with this version of polyframe",
        )
    return dict(manifest)


def list_file(
    manifest: dict[str, Any],
    directory: Path,
    name: str,
    facts: Mapping[str, Any],
    note: Mapping[str, Any] | None,
) -> None:
    """Writes down a file as it is now and the import that wrote it.

    Raises:
        PolyframeError: the disk refused.
    """
    entry = manifest["files"].setdefault(name, {"imports": []})
    entry |= {**facts, "sha256": sha256_of(directory / name)}
    if note is not None:
        entry["imports"] = [n for n in entry["imports"] if n != dict(note)] + [dict(note)]
    text = json.dumps(manifest, indent=1, sort_keys=True)
    replace_whole(directory / MANIFEST, lambda part: part.write_text(text, encoding="utf-8"))


def file_name(source: str) -> str:
    """A source's label as a file name; labels that differ get names that differ."""
    plain = re.sub(r"[^a-z0-9]+", "-", source.lower()).strip("-")[:60]
    if plain == source:
        return plain
    return f"{plain}-{hashlib.sha256(source.encode()).hexdigest()[:6]}".lstrip("-")


def sha256_of(path: Path) -> str:
    """A file's hash."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
