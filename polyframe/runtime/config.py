"""Loads the configuration: defaults, files, profiles, environment, command line; later ones win.

Objects are merged key by key, lists are replaced whole. Every value remembers where it came from.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from polyframe.api.plugin import Plugin, PluginConfig
from polyframe.errors import ConfigError
from polyframe.runtime.explain import NEXT, explained
from polyframe.runtime.jsonfile import leaves, parse_json, read_json, refuse_secrets
from polyframe.runtime.settings import Config

__all__ = ["Config", "LoadedConfig", "find_files", "load_config", "plugin_config", "validated"]

PREFIX = "POLYFRAME__"
"""Environment variables of the form ``POLYFRAME__SECTION__KEY`` are settings."""
COMMAND_LINE = "command line"
DEFAULT = "default"


@dataclass(frozen=True)
class LoadedConfig:
    """A configuration and where each of its values came from."""

    config: Config
    sources: dict[str, str]
    files: tuple[Path, ...]
    user_data: Path
    profile: str | None = None

    def source(self, path: str) -> str:
        """The file, variable or option that set a value, or ``default``."""
        return self.sources.get(path, DEFAULT)


@dataclass
class _Merged:
    """Values with their sources, while layers are put on top of each other."""

    values: dict[str, Any]
    sources: dict[str, str] = field(default_factory=dict)

    def put(self, layer: Mapping[str, Any], source: str, at: str = "") -> None:
        """Puts an object on top of what is there."""
        self._merge(self.values, layer, source, at)

    def set(self, into: Any, key: Any, value: Any, source: str, path: str) -> None:
        """Puts one value in its place; objects are merged, everything else is replaced."""
        old = into[key] if isinstance(into, list) else into.get(key)
        if isinstance(value, Mapping) and isinstance(old, dict):
            self._merge(old, value, source, path)
            return
        into[key] = _copied(value)
        within = (f"{path}.", f"{path}[")
        self.sources = {
            p: s for p, s in self.sources.items() if p != path and not p.startswith(within)
        }
        self.sources |= {p: source for p, _, _ in leaves(value, path)}

    def _merge(self, into: dict[str, Any], layer: Mapping[str, Any], source: str, at: str) -> None:
        for key, value in layer.items():
            self.set(into, key, value, source, f"{at}.{key}" if at else str(key))


def find_files(user_data: Path, cwd: Path | None = None) -> list[Path]:
    """The configuration file used when none is named: the user directory's, else the one here."""
    places = (user_data / "config.json", (cwd or Path()) / "config.json")
    return [file for file in places if file.is_file()][:1]


def load_config(
    files: Sequence[Path] = (),
    *,
    profile: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    env: Mapping[str, str] | None = None,
    user_data: Path = Path("user_data"),
) -> LoadedConfig:
    """The configuration from all its places.

    A profile is ``config.<profile>.json`` beside a file, or a part of the file's ``profiles``
    object; it may stand in both. ``overrides`` are options of the command line: nested, or with
    dotted keys (``{"account.cash": "500"}``).

    Raises:
        ConfigError: with the path, what was found and what is expected.
    """
    merged = _Merged(Config().plain())
    profiles: set[str] = set()
    for file in files:
        profiles |= _put_file(merged, Path(file), profile)
    if profile is not None and profile not in profiles:
        names = ", ".join(sorted(profiles)) or "none"
        raise ConfigError(
            f"there is no profile {profile!r} in or beside {_named(files)}",
            expected=f"one of the profiles there are: {names}",
            hint=f"write config.{profile}.json beside the configuration",
        )
    _put_environment(merged, os.environ if env is None else env)
    if overrides:
        nested = _nested(overrides)
        refuse_secrets(nested, COMMAND_LINE)
        merged.put(nested, COMMAND_LINE)
    config = validated(merged.values, merged.sources)
    place = Path(config.session.user_data) if config.session.user_data else user_data
    return LoadedConfig(config, merged.sources, tuple(map(Path, files)), place, profile)


def validated(values: Mapping[str, Any], sources: Mapping[str, str] | None = None) -> Config:
    """The checked configuration.

    Raises:
        ConfigError: naming every wrong path, what was found and what is expected.
    """
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        raise explained(error, Config, "", sources or {}) from None


def plugin_config(
    cls: type[Plugin],
    values: Mapping[str, Any],
    path: str,
    sources: Mapping[str, str] | None = None,
) -> PluginConfig:
    """A plugin's own settings, checked by its Config. ``path`` is where they stand.

    Raises:
        ConfigError: naming the full path (``strategies[0].config.min_edg``).
    """
    try:
        return cls.Config.model_validate(dict(values))
    except ValidationError as error:
        raise explained(error, cls.Config, path, sources or {}) from None


def _put_file(merged: _Merged, file: Path, profile: str | None) -> set[str]:
    values = read_json(file)
    inner = values.pop("profiles", {})
    if not isinstance(inner, dict):
        raise ConfigError(f"{file}: profiles is no object", expected='{"dev": {...}}', hint=NEXT)
    merged.put(values, str(file))
    beside = {
        other.name[len(file.stem) + 1 : -len(file.suffix)]: other
        for other in sorted(file.parent.glob(f"{file.stem}.*{file.suffix}"))
    }
    if profile in inner:
        if not isinstance(inner[profile], dict):
            raise ConfigError(f"{file}: profiles.{profile} is no object", hint=NEXT)
        merged.put(inner[profile], f"{file} (profile {profile})")
    if profile in beside:
        merged.put(read_json(beside[profile]), str(beside[profile]))
    return set(inner) | set(beside)


def _put_environment(merged: _Merged, env: Mapping[str, str]) -> None:
    for variable in sorted(env):
        if not variable.upper().startswith(PREFIX):
            continue
        path = variable[len(PREFIX) :].split("__")
        if not all(path):
            raise ConfigError(
                f"environment variable {variable} names no setting",
                expected=f"{PREFIX}SECTION__KEY, for example {PREFIX}ACCOUNT__CASH",
            )
        try:
            value: Any = parse_json(env[variable])
        except ValueError:
            value = env[variable]  # plain text needs no quotes
        _put_path(merged, path, value, variable)


def _put_path(merged: _Merged, path: list[str], value: Any, variable: str) -> None:
    """Sets one value by its path: keys in any case, items of a list by number."""
    here: Any = merged.values
    where = ""
    for i, part in enumerate(path):
        key: Any
        if isinstance(here, list):
            key = int(part) if part.isdecimal() else -1
            if not 0 <= key <= len(here):
                raise ConfigError(
                    f"environment variable {variable}: {where} has no item {part}",
                    expected=f"a number from 0 to {len(here)}",
                )
            if key == len(here):
                here.append({})
            where = f"{where}[{key}]"
        elif isinstance(here, dict):
            key = next((k for k in here if k.lower() == part.lower()), part.lower())
            where = f"{where}.{key}" if where else key
        else:
            raise ConfigError(
                f"environment variable {variable}: {where} holds a value, it has no {part}"
            )
        if i == len(path) - 1:
            refuse_secrets({key: value}, f"environment variable {variable}")
            merged.set(here, key, value, variable, where)
        elif isinstance(here, dict):
            here = here.setdefault(key, {})
        else:
            here = here[key]


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    nested: dict[str, Any] = {}
    for dotted, value in flat.items():
        *parents, last = dotted.split(".")
        here = nested
        for parent in parents:
            here = here.setdefault(parent, {})
        here[last] = value
    return nested


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copied(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_copied(part) for part in value]
    return value


def _named(files: Iterable[Path]) -> str:
    return ", ".join(str(file) for file in files) or "the defaults (no file is used)"
