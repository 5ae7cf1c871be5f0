"""Settings from the environment (``CAMPUS_RISK_*``); the defaults run everything on this machine."""

import json
from functools import cache
from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Unusable(ValueError):
    """A setting that nothing can run with; says which one, and the cure."""


class Settings(BaseSettings):
    """What a deployment sets. ``kafka`` and ``database`` point at existing servers; where absent, they are embedded."""

    model_config = SettingsConfigDict(env_prefix="CAMPUS_RISK_", extra="ignore")

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=1, le=65535)
    kafka: str | None = None
    database: str | None = None
    kafka_port: int = Field(19092, ge=1, le=65535)
    database_port: int = Field(15432, ge=1, le=65535)
    local: Path = Path(".local")
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
        return self.local / "models"


@cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
