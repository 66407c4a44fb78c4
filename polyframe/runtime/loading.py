"""Imports a plugin file under a name of its own, or leaves no trace of it."""

from __future__ import annotations

import ast
import hashlib
import sys
import traceback
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType, TracebackType

from polyframe.errors import PluginError

USER = "polyframe_user"
"""The package under which files of a user directory are imported, so that their classes pickle."""

_HASHES: dict[str, str] = {}


class _Uncached(SourceFileLoader):
    """Compiles the file as it stands: a cached compilation may be older than a quick edit."""

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.get_data(self.path), self.path)


def sha256_of(file: Path) -> str:
    """The hash of a file's bytes."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def plugin_files(folder: Path) -> list[Path]:
    """A folder's plugin files in name order: no tests, nothing that starts with _ or a dot."""
    if not folder.is_dir():
        return []
    return sorted(
        file
        for file in folder.glob("*.py")
        if not file.name.startswith(("_", ".", "test_")) and file.name != "conftest.py"
    )


def import_file(file: Path, folder: str) -> ModuleType:
    """The module of one plugin file, as ``polyframe_user.<folder>.<stem>``.

    A file that was imported before and has not changed keeps its module, so that its classes stay
    the same objects.
    """
    if not file.stem.isidentifier():
        raise PluginError(
            f"plugin file {file} cannot be imported under its name",
            expected="letters, digits and underscores, not beginning with a digit",
            hint=f"rename {file.name}",
        )
    name = f"{USER}.{folder}.{file.stem}"
    digest = sha256_of(file)
    known = sys.modules.get(name)
    same_file = known is not None and getattr(known, "__file__", None) == str(file)
    if known is not None and same_file and _HASHES.setdefault(name, digest) == digest:
        return known
    _package(f"{USER}.{folder}", file.parent)
    loader = _Uncached(name, str(file))
    spec = spec_from_file_location(name, file, loader=loader)
    assert spec is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    _HASHES[name] = digest
    setattr(sys.modules[f"{USER}.{folder}"], file.stem, module)
    return module


def discard(module: ModuleType) -> None:
    """Takes a module out of the interpreter's list, so that nothing imports its remains."""
    if sys.modules.get(module.__name__) is module:
        del sys.modules[module.__name__]
    _HASHES.pop(module.__name__, None)


def failed_at(error: BaseException, file: Path | None) -> int:
    """The line of ``file`` at which an import failed: the deepest of its frames."""
    if isinstance(error, SyntaxError) and (file is None or error.filename == str(file)):
        return error.lineno or 0
    line = 0
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        if file is not None and trace.tb_frame.f_code.co_filename == str(file):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def formatted(error: BaseException) -> str:
    """The whole traceback as text."""
    return "".join(traceback.format_exception(error))


def class_names(file: Path) -> list[str]:
    """The classes a file would define, read without running it (its stem, if unreadable)."""
    camel = "".join(part.capitalize() for part in file.stem.split("_"))
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError, OSError):
        return [camel]
    return [node.name for node in tree.body if isinstance(node, ast.ClassDef)] or [camel]


def _package(name: str, folder: Path) -> None:
    """Makes the parent packages exist; a plugin file may import its neighbours through them."""
    for package, path in ((USER, None), (name, str(folder))):
        module = sys.modules.get(package)
        if module is None:
            spec = ModuleSpec(package, None, is_package=True)
            spec.submodule_search_locations = []
            module = module_from_spec(spec)
            sys.modules[package] = module
        if path is not None and path not in module.__path__:
            module.__path__.insert(0, path)
