"""Settings from the environment (``CAMPUS_RISK_*``); the defaults run everything on this machine."""

import json
import os
from functools import cache
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote, urlsplit

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from store import secret_files

PREFIX = "CAMPUS_RISK_"


class Unusable(ValueError):
    """A setting that nothing can run with; says which one, and the cure."""


class _FromFiles(PydanticBaseSettingsSource):
    """Every setting may come from a file; what is wrong with a file is raised as ``Unusable``."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """One setting: unused, for all are read at once."""
        return self().get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        found = secret_files.read(self.settings_cls.model_fields, os.environ, PREFIX)
        if found.wrong:
            raise Unusable("; ".join(found.wrong))
        return dict(found.values)


class Settings(BaseSettings):
    """What a deployment sets. ``kafka`` and ``database`` point at existing servers; where absent, they are embedded.

    Each may come from a file instead: ``CAMPUS_RISK_SECRET_FILE`` names the one that holds ``CAMPUS_RISK_SECRET``.
    """

    # A sentence about a wrong setting never repeats its value: it could be a secret in the wrong place.
    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", hide_input_in_errors=True)

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=1, le=65535)
    kafka: str | None = None
    # Not in any repr: an address may hold a password.
    database: str | None = Field(None, repr=False)
    # Put into the address above, so that the address itself is no secret.
    database_password: SecretStr | None = None
    kafka_port: int = Field(19092, ge=1, le=65535)
    database_port: int = Field(15432, ge=1, le=65535)
    local: Path = Path(".local")
    # Where the trained classifier lies; an image carries its own. Where absent, below the local folder.
    models: Path | None = None
    topic_prefix: str = ""
    # Six partitions let six worker processes share a city's stream; a partition costs a broker next to nothing.
    partitions: int = Field(6, ge=1, le=1000)
    replication: int = Field(1, ge=1, le=9)
    demo: bool = False
    # Seals what the database must give back (store/sealing.py); where absent, one is made in the local folder.
    secret: SecretStr | None = None
    # How browsers reach the pages, such as https://risk.example.edu.cn: a provider sends people back there.
    public_url: str | None = None
    # The secrets that identity providers gave us: a JSON object, provider's id to secret.
    oidc_secrets: SecretStr | None = None
    # The deployment's mail server for notices, as an Apprise URL: mailtos://user:password@smtp.example.edu?from=duty@example.edu
    mail: SecretStr | None = None
    # Receivers that people name may lie in the campus's own network; off, so that nobody reaches inner services through a webhook.
    notify_private: bool = False
    # Consumer group of the agents; tests and side-by-side deployments on one broker choose another.
    group: str = "campus-risk"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """What is given in code, then the environment, then the files that the environment names."""
        return init_settings, env_settings, _FromFiles(settings_cls)

    @model_validator(mode="after")
    def _whole_address(self) -> Self:
        if self.database is not None and self.database_password is not None:
            self.database = _with_password(self.database, self.database_password.get_secret_value())
            # Once: an address that is whole is validated again where settings are copied.
            self.database_password = None
        return self

    def oidc_secret(self, provider: str) -> str | None:
        """What an identity provider gave us; None for a public client. Raises ``Unusable`` and never repeats what is set."""
        if self.oidc_secrets is None:
            return None
        try:
            given = json.loads(self.oidc_secrets.get_secret_value())
        except ValueError:
            given = None
        if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
            raise Unusable('CAMPUS_RISK_OIDC_SECRETS is no JSON object: write {"<id of [[sign_in]]>": "<secret>"}')
        return given.get(provider)

    @property
    def base_url(self) -> str:
        """The address of the pages, without a slash at its end."""
        return (self.public_url or f"http://{self.host}:{self.port}").rstrip("/")

    @property
    def models_dir(self) -> Path:
        """Where the trained classifier lies."""
        return self.models or self.local / "models"


class _FilesApart(Settings):
    """The same without files, so that what is wrong beside them is found too."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings


def wrong() -> list[str]:
    """Everything that makes the settings unusable, one sentence each, and no value that could be a secret."""
    found = secret_files.read(Settings.model_fields, os.environ, PREFIX)
    told = list(found.wrong)
    try:
        _FilesApart(**found.values)  # type: ignore[arg-type]
    except ValidationError as error:
        told += [_sentence(one["loc"], one["msg"], one["input"]) for one in error.errors()]
    return told


# What can be repeated to help somebody find a slip: no secret is ever meant to stand there.
_HARMLESS = {
    "port", "kafka_port", "database_port", "partitions", "replication", "demo", "notify_private",
}  # fmt: skip


def _sentence(where: tuple[int | str, ...], message: str, given: object) -> str:
    message = message.removeprefix("Value error, ")
    if not where:
        return message
    name = str(where[0])
    told = f"{PREFIX}{name.upper()}: {message[:1].lower()}{message[1:]}"
    return f"{told}, not {given!r}" if name in _HARMLESS else told


def _with_password(address: str, password: str) -> str:
    parts = urlsplit(address)
    person, at, place = parts.netloc.rpartition("@")
    if not parts.scheme.startswith("postgres"):
        raise ValueError(f"{PREFIX}DATABASE begins with postgresql:// where {PREFIX}DATABASE_PASSWORD is set")
    if not at or ":" in person:
        lack = (
            "already holds a password: remove it there"
            if at
            else "names no user: write postgresql://<user>@<host>/<name>"
        )
        raise ValueError(f"{PREFIX}DATABASE {lack}, for {PREFIX}DATABASE_PASSWORD is set")
    return parts._replace(netloc=f"{person}:{quote(password, safe='')}@{place}").geturl()


@cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
