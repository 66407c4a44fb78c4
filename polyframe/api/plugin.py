"""What every plugin class has: an api version, a typed config and a name."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec
from pydantic import BaseModel, ConfigDict

API = 1
"""The plugin interface's major version. A plugin declaring another one is refused by name."""


class PluginConfig(BaseModel):
    """A plugin's settings. Unknown keys, NaN and infinity are refused; nothing changes later."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False
    )


class NoState(msgspec.Struct):
    """The state of a plugin that keeps none."""


class Plugin:
    """Base of the ports. ``config`` is an instance of the class's own ``Config``."""

    api: ClassVar[int] = API
    Config: ClassVar[type[PluginConfig]] = PluginConfig
    config: Any

    def __init__(self, config: PluginConfig | None = None) -> None:
        self.config = config if config is not None else type(self).Config()
