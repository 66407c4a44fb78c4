"""What every plugin has to keep to, whatever its kind."""

from __future__ import annotations

import ast
import inspect
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import polyframe
from polyframe.api.plugin import API, Plugin, PluginConfig
from polyframe.runtime.kinds import kind_of
from polyframe.runtime.plugins import Registry
from polyframe.runtime.vetting import vet


def load_plugin(kind: str, name: str, user_data: Path | None = None) -> type[Any]:
    """A plugin's class by kind and name, as a session would find it.

    Raises:
        PluginError: there is none, or its file could not be loaded.
    """
    return Registry.load(user_data).get(kind, name)


class PluginSuite:
    """Subclass the suite of your plugin's kind and set ``plugin``.

    ``config`` are settings for one that has no defaults, or to test others.
    """

    plugin: ClassVar[type[Plugin]]
    config: ClassVar[Mapping[str, Any]] = {}

    def make(self) -> Any:
        """A new instance with its settings."""
        return self.plugin(self.plugin.Config.model_validate(dict(self.config)))

    def test_it_keeps_the_contract_of_its_port(self) -> None:
        """Api version, signatures, config and state are what the port asks for."""
        kind = kind_of(self.plugin)
        assert kind is not None, f"{self.plugin.__name__} derives from no port"
        assert self.plugin.api == API
        vet(self.plugin, kind, builtin=self.plugin.__module__.startswith("polyframe."))

    def test_its_settings_survive_being_written_and_read(self) -> None:
        """Config to JSON and back is the same, and unknown settings are refused."""
        config = self.make().config
        assert isinstance(config, PluginConfig)
        assert type(config).model_validate_json(config.model_dump_json()) == config
        assert type(config).model_config.get("extra") == "forbid"

    def test_an_instance_travels_to_another_process(self) -> None:
        """It pickles, and comes back as the same class with the same settings."""
        made = self.make()
        back = pickle.loads(pickle.dumps(made))  # noqa: S301 - our own bytes
        assert type(back) is type(made)
        assert back.config == made.config

    def test_it_uses_public_names_only(self) -> None:
        """Its file imports from ``polyframe`` itself, never from inside."""
        file = inspect.getsourcefile(self.plugin)
        assert file is not None
        wrong = private_imports(Path(file))
        assert not wrong, "imports from inside polyframe: " + "; ".join(wrong)


def private_imports(file: Path) -> list[str]:
    """Imports of a plugin file that reach into polyframe, with their lines."""
    wrong = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            inside = [a.name for a in node.names if a.name.startswith("polyframe.")]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            module = node.module or ""
            inside = [module] if module.startswith("polyframe.") else []
            if module == "polyframe":
                inside = [a.name for a in node.names if a.name not in vars(polyframe)["__all__"]]
        else:
            continue
        wrong += [f"line {node.lineno}: {name}" for name in inside]
    return wrong
