"""Finds plugins and knows them by kind and name.

Built-ins, installed packages and files of a user directory go through the same door: a module's own
classes that derive from a port are registered, and its hooks. A module that cannot be imported or
breaks a contract is set aside whole and reported; it stops nobody who does not ask for it.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import metadata
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pluggy

from polyframe import __version__
from polyframe.api import hookspecs
from polyframe.api.plugin import Plugin
from polyframe.errors import PluginError
from polyframe.runtime.kinds import KINDS, Kind, kind_of
from polyframe.runtime.loading import (
    class_names,
    discard,
    failed_at,
    formatted,
    import_file,
    plugin_files,
    sha256_of,
)
from polyframe.runtime.manifest import HOOKS, Entry, Manifest, Origin
from polyframe.runtime.shipped import BUILTINS
from polyframe.runtime.vetting import MARK, overridden, vet, vet_hooks

ENTRY_POINTS = "polyframe"
"""The entry-point group of installed packages."""
RESTRICT = "POLYFRAME_PLUGINS"
"""Environment variable: only these packages, entry points or file stems are loaded, by commas."""


@dataclass(frozen=True)
class Registered:
    """One plugin class that can be used."""

    kind: str
    name: str
    cls: type[Plugin]
    origin: Origin
    file: Path
    methods: tuple[str, ...]

    @property
    def sha256(self) -> str:
        """The hash of the file that defines it."""
        return sha256_of(self.file)


@dataclass(frozen=True)
class Broken:
    """One module that was set aside, and why. ``names`` are the classes it would have had."""

    origin: Origin
    module: str
    file: Path | None
    line: int
    error: str
    names: tuple[str, ...]
    traceback: str
    expected: str | None = None

    @property
    def place(self) -> str:
        """File and line."""
        return f"{self.file or self.module}:{self.line}" if self.line else str(self.file)


class Registry:
    """All plugins of one process."""

    def __init__(self) -> None:
        self.broken: list[Broken] = []
        self.hooks = pluggy.PluginManager("polyframe")
        self.hooks.add_hookspecs(hookspecs)
        self.hook_modules: dict[str, tuple[Origin, Path]] = {}
        self._found: dict[tuple[str, str], Registered] = {}

    @classmethod
    def load(
        cls,
        user_data: Path | None = None,
        *,
        entry_points: bool = True,
        safe: bool = False,
        extra_paths: Iterable[Path] = (),
        env: Mapping[str, str] | None = None,
    ) -> Registry:
        """Built-ins, then packages, then files. ``safe`` stops after the built-ins.

        ``extra_paths`` are further plugin files, or directories laid out like a user directory.

        Raises:
            PluginError: two plugins of one kind have the same name.
        """
        registry = cls()
        builtin = Origin("built-in", f"polyframe=={__version__}")
        for name in BUILTINS:
            registry.add(builtin, name, lambda name=name: importlib.import_module(name))  # type: ignore[misc]
        if safe:
            return registry
        allowed = _allowed(os.environ if env is None else env)
        if entry_points:
            registry._add_packages(allowed)
        for folder, file in _user_files(user_data, extra_paths):
            if allowed is None or file.stem in allowed:
                registry.add_file(file, folder)
        return registry

    @classmethod
    def from_manifest(cls, manifest: Manifest) -> Registry:
        """The same registry in another process, without looking for plugins anew.

        Raises:
            PluginError: a file is gone, fails, or holds other code than the manifest says.
        """
        registry = cls()
        for entry in manifest.entries:
            loaded = entry.load()
            registry.add(entry.origin, entry.name, lambda loaded=loaded: loaded)  # type: ignore[misc]
        for broken in registry.broken:
            raise PluginError(
                f"plugin {broken.module} could not be loaded from {broken.place}: {broken.error}",
                hint="polyframe plugins --broken",
            )
        return registry

    def manifest(self) -> Manifest:
        """What every plugin is, down to the hash of its file."""
        found = [
            Entry(r.kind, r.name, r.origin, r.cls.__module__, str(r.file), r.sha256)
            for r in self.all()
        ]
        hooked = [
            Entry(HOOKS, module.rpartition(".")[2], origin, module, str(file), sha256_of(file))
            for module, (origin, file) in self.hook_modules.items()
        ]
        return Manifest(tuple(found + hooked))

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of plugins."""
        return tuple(KINDS)

    def all(self, kind: str | None = None) -> list[Registered]:
        """Every plugin of a kind (of all kinds), in kind and name order."""
        order = list(KINDS)
        chosen = [r for r in self._found.values() if kind is None or r.kind == _kind(kind).name]
        return sorted(chosen, key=lambda r: (order.index(r.kind), r.name.lower()))

    def find(self, kind: str, name: str) -> Registered:
        """One plugin with its origin.

        Raises:
            PluginError: there is none of that name, or its file could not be loaded.
        """
        found = self._found.get((_kind(kind).name, name))
        if found is not None:
            return found
        raise self._missing(kind, name)

    def get(self, kind: str, name: str) -> type[Any]:
        """One plugin's class.

        Raises:
            PluginError: there is none of that name, or its file could not be loaded.
        """
        return self.find(kind, name).cls

    def add_file(self, file: Path, folder: str) -> None:
        """Loads one plugin file."""
        file = file.resolve()
        self.add(Origin("file", str(file)), f"{file.stem}", lambda: import_file(file, folder), file)

    def add(
        self, origin: Origin, name: str, load: Callable[[], Any], file: Path | None = None
    ) -> None:
        """Loads one module (or class) and registers what it holds, all of it or nothing."""
        loaded: Any = None
        try:
            loaded = load()
            hooks = _marked(loaded)
            if isinstance(loaded, ModuleType):
                vet_hooks(loaded, hooks)
            classes = _classes(loaded, hooks)
            for kind, found in classes:
                vet(found, kind, builtin=origin.kind == "built-in")
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a plugin file does
            self._set_aside(origin, name, file, loaded, error)
            return
        for kind, found in classes:
            given = file if found is loaded else None
            self._register(kind, found, origin, given or _file_of(sys.modules[found.__module__]))
        if hooks and self.hooks.get_plugin(loaded.__name__) is None:
            self.hooks.register(loaded, name=loaded.__name__)
            self.hook_modules[loaded.__name__] = (origin, _file_of(loaded))

    def _register(self, kind: Kind, cls: type[Plugin], origin: Origin, file: Path) -> None:
        key = (kind.name, cls.__name__)
        known = self._found.get(key)
        if known is not None and known.cls is not cls:
            raise PluginError(
                f"two {kind.folder} are named {cls.__name__}: {known.file} "
                f"({known.origin.kind}) and {file} ({origin.kind})",
                expected="every name once",
                hint=f"rename the class in {file}",
            )
        if known is None:
            methods = tuple(overridden(cls, kind))
            self._found[key] = Registered(kind.name, cls.__name__, cls, origin, file, methods)

    def _set_aside(
        self, origin: Origin, name: str, file: Path | None, loaded: Any, error: BaseException
    ) -> None:
        if isinstance(loaded, ModuleType) and origin.kind == "file":
            discard(loaded)
        if file is None and isinstance(loaded, ModuleType):
            file = _file_of(loaded)
        ours = error if isinstance(error, PluginError) else None
        self.broken.append(
            Broken(
                origin=origin,
                module=name,
                file=file,
                line=failed_at(error, file),
                error=ours.message if ours else f"{type(error).__name__}: {error}",
                names=tuple(class_names(file)) if file else (name,),
                traceback=formatted(error),
                expected=ours.expected if ours else None,
            )
        )

    def _add_packages(self, allowed: frozenset[str] | None) -> None:
        points = sorted(metadata.entry_points(group=ENTRY_POINTS), key=lambda p: (p.name, p.value))
        for point in points:
            dist = point.dist
            label = f"{dist.name}=={dist.version}" if dist else point.value
            names = {point.name, point.module, dist.name if dist else ""}
            if allowed is None or names & allowed:
                self.add(Origin("package", label), point.value, point.load)

    def _missing(self, kind: str, name: str) -> PluginError:
        for broken in self.broken:
            if name in broken.names:
                return PluginError(
                    f"{kind} {name} could not be loaded from {broken.place}: {broken.error}",
                    expected=broken.expected,
                    hint="polyframe plugins --broken",
                )
        names = [r.name for r in self.all(kind)]
        near = get_close_matches(name, names, n=3)
        near = near or [n for n in names if n.lower() == name.lower()]
        elsewhere = [r.kind for r in self._found.values() if r.name == name]
        aside = f"; {name} is a {elsewhere[0]}" if elsewhere else ""
        expected = f"{' or '.join(near)}?" if near else f"one of {', '.join(names) or 'none yet'}"
        return PluginError(
            f"there is no {kind} named {name}{aside}", expected=expected, hint="polyframe plugins"
        )


def _kind(name: str) -> Kind:
    try:
        return KINDS[name]
    except KeyError:
        raise PluginError(
            f"there is no kind of plugin named {name}", expected=f"one of {', '.join(KINDS)}"
        ) from None


def _allowed(env: Mapping[str, str]) -> frozenset[str] | None:
    text = env.get(RESTRICT)
    if text is None:
        return None
    return frozenset(part.strip() for part in text.split(",") if part.strip())


def _user_files(user_data: Path | None, extra_paths: Iterable[Path]) -> Iterator[tuple[str, Path]]:
    for root in (*((user_data,) if user_data else ()), *extra_paths):
        if root.is_file():
            yield "extra", root
        for kind in KINDS.values():
            for file in plugin_files(root / kind.folder):
                yield kind.folder, file


def _marked(loaded: Any) -> Sequence[tuple[str, FunctionType]]:
    if not isinstance(loaded, ModuleType):
        return ()
    return [
        (name, value)
        for name, value in vars(loaded).items()
        if isinstance(value, FunctionType) and isinstance(getattr(value, MARK, None), dict)
    ]


def _classes(
    loaded: Any, hooks: Sequence[tuple[str, FunctionType]]
) -> list[tuple[Kind, type[Plugin]]]:
    """The plugin classes of a module (or an entry point's class), each once."""
    found: dict[type[Plugin], Kind] = {}
    for value in [loaded] if isinstance(loaded, type) else list(vars(loaded).values()):
        if not isinstance(value, type) or value.__name__.startswith("_"):
            continue
        kind = kind_of(value)
        if kind is not None and (value is loaded or _belongs(value, loaded.__name__)):
            found[value] = kind
    if isinstance(loaded, type) and not found:
        raise PluginError(
            f"{loaded.__module__}.{loaded.__qualname__} derives from no port",
            expected="a subclass of Strategy, Forecaster, Protection ...",
        )
    by_hook = {kind.hook: kind for kind in KINDS.values()}
    for name, function in hooks:
        if name in by_hook:
            found.update(_answered(by_hook[name], function))
    return [(kind, cls) for cls, kind in found.items()]


def _answered(kind: Kind, function: FunctionType) -> dict[type[Plugin], Kind]:
    classes = list(function())
    for cls in classes:
        if not (isinstance(cls, type) and issubclass(cls, kind.port)):
            raise PluginError(
                f"hook {kind.hook} in {function.__code__.co_filename} returned {cls!r}",
                expected=f"subclasses of {kind.port.__name__}",
            )
    return dict.fromkeys(classes, kind)


def _belongs(cls: type, module: str) -> bool:
    return cls.__module__ == module or cls.__module__.startswith(f"{module}.")


def _file_of(module: ModuleType) -> Path:
    return Path(str(module.__file__))


def load_worker(manifest: Manifest) -> None:
    """Makes a manifest's plugins importable: the initializer of a pool of worker processes.

    It runs before the first task is unpickled, so that the plugins' classes are found.
    """
    Registry.from_manifest(manifest)
