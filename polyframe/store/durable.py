"""Bytes that are on the disk when we say so: whole writes, syncs, locks and their errors."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import BinaryIO, Protocol

from polyframe.errors import DataError, PolyframeError, UserError

JOINED = 1 << 16
"""Parts of less bytes in all are written at once: copying them costs less than a second call."""


class Sink(Protocol):
    """Where a writer's bytes go."""

    def append(self, *parts: bytes | bytearray, sync: bool) -> None:
        """Adds all parts or nothing; with ``sync`` they are on the disk on return.

        Raises:
            DataError: the disk refused.
        """

    def close(self) -> None:
        """Gives the file back."""


class NullSink:
    """Keeps nothing: for runs whose record nobody wants."""

    def append(self, *parts: bytes | bytearray, sync: bool) -> None:
        """Forgets them."""

    def close(self) -> None:
        """Nothing to give back."""


class FileSink:
    """Appends to one file, locked against a second writer.

    A write that fails half-way is taken back, so that the file always ends where the last whole
    append ended (unless the machine stops in the middle of one).
    """

    def __init__(self, path: Path, *, new: bool) -> None:
        self.path = path
        flags = os.O_RDWR | (os.O_CREAT | os.O_EXCL if new else 0)
        if new:
            _make_directory(path.parent)
        try:
            self._fd = os.open(path, flags, 0o644)
        except FileExistsError:
            raise UserError(
                f"{path} exists already and a recording is never overwritten",
                expected="a new path, or resuming this recording",
                hint=f"move it away: mv '{path}' '{path}.old'",
            ) from None
        except OSError as error:
            raise storage_error("opened for writing", path, error) from error
        try:
            _lock(self._fd, path)
            self.size = os.lseek(self._fd, 0, os.SEEK_END)
            if new:
                sync_directory(path.parent)
        except BaseException:
            os.close(self._fd)
            raise

    def append(self, *parts: bytes | bytearray, sync: bool) -> None:
        """Adds all parts or nothing.

        Raises:
            DataError: the disk refused; the file is as before.
        """
        try:
            if sum(map(len, parts)) < JOINED:
                parts = (b"".join(parts),)
            for part in parts:
                _write_all(self._fd, part)
            if sync:
                sync_file(self._fd)
        except OSError as error:
            self.cut(self.size)
            raise storage_error(f"written at byte {self.size}", self.path, error) from error
        self.size += sum(map(len, parts))

    def cut(self, size: int) -> None:
        """Shortens the file to ``size`` bytes.

        Raises:
            DataError: the disk refused that as well.
        """
        try:
            os.ftruncate(self._fd, size)
            os.lseek(self._fd, size, os.SEEK_SET)
        except OSError as error:
            raise storage_error(f"cut at byte {size}", self.path, error) from error
        self.size = size

    def close(self) -> None:
        """Syncs and gives the file back."""
        if self._fd < 0:
            return
        fd, self._fd = self._fd, -1
        try:
            sync_file(fd)
        except OSError as error:
            raise storage_error("synced", self.path, error) from error
        finally:
            os.close(fd)


def _make_directory(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise UserError(
            f"{path} is a file", expected="a directory", hint=f"ls -l '{path.parent}'"
        ) from error
    except OSError as error:
        raise storage_error("made", path, error) from error


def _write_all(fd: int, data: bytes | bytearray) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def sync_file(fd: int) -> None:
    """Waits until the file's bytes are on the disk."""
    if sys.platform == "linux":
        os.fdatasync(fd)
    else:
        os.fsync(fd)


def sync_directory(path: Path) -> None:
    """Waits until the names in a directory are on the disk."""
    if sys.platform == "win32":
        return  # a directory cannot be opened there; its names are journalled by the file system
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _lock(fd: int, path: Path) -> None:
    if sys.platform == "win32":
        return
    import fcntl  # noqa: PLC0415 - not on every platform

    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UserError(
            f"{path} is being written by another process",
            expected="one writer a recording",
            hint=f"see who has it: lsof '{path}'",
        ) from None


def storage_error(action: str, path: Path, error: OSError) -> PolyframeError:
    """What an operating system's error about a file means to the person at the terminal."""
    reason = error.strerror or type(error).__name__
    if isinstance(error, FileNotFoundError):
        return DataError(f"{path} is not there", expected="a recording", hint=f"ls '{path.parent}'")
    if isinstance(error, PermissionError):
        return UserError(
            f"{path} could not be {action}: {reason}",
            expected="permission to use it",
            hint=f"ls -l '{path}'",
        )
    return DataError(
        f"{path} could not be {action}: {reason}",
        expected="a disk with room that works",
        hint=f"df -h '{path.parent}'",
    )


def open_to_read(path: Path) -> BinaryIO:
    """The file, opened.

    Raises:
        DataError: it is not there or cannot be read.
    """
    try:
        return path.open("rb")
    except OSError as error:
        raise storage_error("read", path, error) from error
