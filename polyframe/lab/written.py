"""Text files that appear complete or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from polyframe.domain.plain import visible
from polyframe.errors import UserError


def write_whole(path: Path, text: str, what: str) -> None:
    """Writes a text without what would control a reader; ``what`` names it in the error.

    Raises:
        UserError: the file cannot be written.
    """
    path = path.resolve()  # a link is written through
    if path.exists() and not path.is_file():
        raise UserError(
            f"the {what} cannot be written to {path}: it is no regular file",
            expected="the name of a file",
        )
    name = ""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, suffix=path.suffix)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(visible(text))
        os.chmod(name, 0o644)  # a temporary file is its owner's alone, this one is for showing
        os.replace(name, path)
    except OSError as found:
        if name:
            Path(name).unlink(missing_ok=True)
        raise UserError(
            f"the {what} cannot be written to {path}: {found.strerror}",
            expected="a file name in a directory that exists",
        ) from found
