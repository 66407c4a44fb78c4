"""Keys and passwords: from the environment or a ``.env`` file, never from a configuration."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from polyframe.errors import ConfigError

MASK = "********"


class Secrets(BaseSettings):
    """What must not be written down. Field names in capitals are the variables' names."""

    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_file_encoding="utf-8")

    enable_live_trading: bool = False
    """Third of the three gates before real money."""

    polymarket_private_key: SecretStr | None = None
    polymarket_funder: SecretStr | None = None
    polymarket_api_key: SecretStr | None = None
    polymarket_api_secret: SecretStr | None = None
    polymarket_api_passphrase: SecretStr | None = None
    openai_api_key: SecretStr | None = None
    anthropic_api_key: SecretStr | None = None
    google_api_key: SecretStr | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the library's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment is handed over by :func:`load_secrets`; files come after it."""
        return init_settings, dotenv_settings

    def masked(self) -> dict[str, str | bool | None]:
        """Each secret's name, and a mask where it is set."""
        return {
            name.upper(): value if isinstance(value, bool) else MASK if value else None
            for name, value in self
        }


def load_secrets(
    user_data: Path, *, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Secrets:
    """Secrets from the environment, else from ``.env`` here, else from the user directory's.

    Raises:
        ConfigError: a ``.env`` file holds settings, or a value has the wrong type.
    """
    env = os.environ if env is None else env
    files = [
        place / ".env" for place in (user_data, cwd or Path.cwd()) if (place / ".env").is_file()
    ]
    for file in files:
        for name in dotenv_values(file):
            if name.upper().startswith("POLYFRAME__"):
                raise ConfigError(
                    f"{file}: {name} is a setting",
                    expected="only secrets in .env",
                    hint="put it into config.json or into the environment",
                )
    upper = {name.upper(): value for name, value in env.items()}
    given: dict[str, Any] = {
        name: upper[name.upper()] for name in Secrets.model_fields if upper.get(name.upper())
    }
    try:
        return Secrets(_env_file=files or None, **given)
    except ValidationError as error:
        detail = error.errors(include_input=False)[0]
        name = str(detail["loc"][0]).upper()
        raise ConfigError(
            f"{name} cannot be read", expected=detail["msg"].replace("Input should be ", "")
        ) from None
