"""Which plugins a run uses, down to the hash of each file.

A manifest is a plain value: it goes into a run's record, and into worker processes, which rebuild
the registry from it and refuse to work with other code than the run began with.
"""

from __future__ import annotations

import hashlib
import importlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from polyframe.errors import PluginError
from polyframe.runtime.loading import USER, import_file, sha256_of

HOOKS = "hooks"
"""The kind of an entry that stands for a module's hooks."""
NEIGHBOUR = "neighbour"
"""The kind of an entry that stands for a file which plugin files may import."""


@dataclass(frozen=True)
class Origin:
    """Where a plugin comes from: ``label`` is name==version of a distribution or a file."""

    kind: Literal["built-in", "package", "file"]
    label: str

    @property
    def version(self) -> str:
        """The distribution's version, empty for a file."""
        return self.label.partition("==")[2]


@dataclass(frozen=True)
class Entry:
    """One plugin: where it is and what its file held."""

    kind: str
    name: str
    origin: Origin
    module: str
    file: str
    sha256: str

    @property
    def identity(self) -> tuple[str, str, str, str, str]:
        """What makes it this plugin, on whatever machine: no absolute paths."""
        label = self.origin.label if self.origin.kind != "file" else Path(self.file).name
        return (self.kind, self.name, self.origin.kind, label, self.sha256)

    def load(self) -> object:
        """The class (for hooks: the module), imported here from the very same code.

        Raises:
            PluginError: its file is gone or holds other code than it did.
        """
        self._verify()
        if self.module.startswith(f"{USER}."):
            import_file(Path(self.file), self.module.split(".")[1])
        else:
            importlib.import_module(self.module)
        module = sys.modules[self.module]
        return module if self.kind in (HOOKS, NEIGHBOUR) else getattr(module, self.name)

    def _verify(self) -> None:
        file = Path(self.file)
        if not file.is_file():
            raise PluginError(
                f"{self.kind} {self.name}: its file {file} is gone", hint="start the run again"
            )
        found = sha256_of(file)
        if found != self.sha256:
            raise PluginError(
                f"{self.kind} {self.name}: {file} changed since the run began "
                f"({self.sha256[:12]} became {found[:12]})",
                expected="the same code in every worker",
                hint="start the run again",
            )


@dataclass(frozen=True)
class Manifest:
    """The plugins of a run."""

    entries: tuple[Entry, ...]

    def digest(self) -> str:
        """One hash over all plugins: equal on every machine that has the same ones."""
        identities = sorted(entry.identity for entry in self.entries)
        return hashlib.sha256(msgspec.json.encode(identities)).hexdigest()

    def only(self, chosen: set[tuple[str, str]]) -> Manifest:
        """The part that one run uses, given as (kind, name) pairs; hooks always belong to it.

        Once a plugin of a user's is used all files loaded from the user directory count: which of
        them it imports, and when, cannot be told from outside.
        """
        used = [e for e in self.entries if e.kind == HOOKS or (e.kind, e.name) in chosen]
        roots = {Path(e.file).parents[1] for e in used if e.origin.kind == "file"}
        known = {e.file for e in used}
        beside = [e for e in neighbours() if Path(e.file).parents[1] in roots]
        return Manifest((*used, *(e for e in beside if e.file not in known)))


def neighbours() -> list[Entry]:
    """Every file that was imported from a user directory, by its content now."""
    found = []
    for name, module in sorted(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name.startswith(f"{USER}.") and file and Path(file).is_file():
            origin = Origin("file", Path(file).name)
            found.append(Entry(NEIGHBOUR, name, origin, name, str(file), sha256_of(Path(file))))
    return found
