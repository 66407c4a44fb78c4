"""Reads configuration files strictly: what JSON leaves open is refused with file and line."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from polyframe.errors import ConfigError
from polyframe.runtime.explain import NEXT

SECRET_KEY = re.compile(
    r"(private_?key|secret|api_?key|passphrase|password|passwd|mnemonic|seed_?phrase"
    r"|(auth|access|bot|bearer|refresh)_?token|credential)",
    re.IGNORECASE,
)
SECRET_VALUE = re.compile(r"^sk-[\w-]{16,}$|-----BEGIN [A-Z ]*PRIVATE KEY|://[^/@\s]+:[^/@\s]+@")


def read_json(file: Path) -> dict[str, Any]:
    """The object in a configuration file.

    Raises:
        ConfigError: no file, no JSON (with line and column), a key twice, a number that is not
            finite, no object, or a secret.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(
            f"configuration file {file} does not exist", hint="polyframe init"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"configuration file {file} cannot be read: {error}") from None
    try:
        value = parse_json(text)
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"{file}:{error.lineno}:{error.colno}: no JSON: {error.msg}",
            expected="one JSON object",
            hint=f"correct line {error.lineno}, then: {NEXT}",
        ) from None
    except RecursionError:
        raise ConfigError(
            f"{file} is nested too deep",
            expected="one JSON object",
            hint=NEXT,
        ) from None
    except ValueError as error:
        raise ConfigError(f"{file}: {error}", hint=NEXT) from None
    if not isinstance(value, dict):
        raise ConfigError(
            f"{file} holds a {type(value).__name__}", expected="one JSON object", hint=NEXT
        )
    value.pop("$schema", None)  # editors look for it; it configures nothing
    refuse_secrets(value, str(file))
    return value


def parse_json(text: str) -> Any:
    """Strict JSON: no key twice, no NaN, no infinity.

    Raises:
        ValueError: one of those, or no JSON.
    """
    return json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse, parse_float=_finite)


def refuse_secrets(value: Mapping[str, Any], source: str) -> None:
    """Raises where a key or text looks like a secret; its content is not repeated.

    Raises:
        ConfigError: naming the path.
    """
    for path, key, leaf in leaves(value):
        found = SECRET_KEY.search(key) or (isinstance(leaf, str) and SECRET_VALUE.search(leaf))
        if found and leaf not in ("", None):
            raise ConfigError(
                f"{source}: {path} looks like a secret",
                expected="secrets in the environment or in .env, never in a configuration",
                hint="move it to .env (see .env.example), and renew it if the file was shared",
            )


def leaves(value: Any, path: str = "", key: str = "") -> Iterator[tuple[str, str, Any]]:
    """Path, last key and value of everything that is no container, and of empty ones."""
    if isinstance(value, Mapping) and value:
        for name, part in value.items():
            yield from leaves(part, f"{path}.{name}" if path else str(name), str(name))
    elif isinstance(value, (list, tuple)) and value:
        for i, part in enumerate(value):
            yield from leaves(part, f"{path}[{i}]", key)
    else:
        yield path, key, value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"key {key!r} stands twice in one object")
        found[key] = value
    return found


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in a configuration")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is too large")
    return number
