"""Settings from the environment (``CAMPUS_RISK_*``); the defaults run everything on this machine."""

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
    # Consumer group of the agents; tests and side-by-side deployments on one broker choose another.
    group: str = "campus-risk"

    @property
    def models_dir(self) -> Path:
        """Where the trained classifier lies."""
        return self.local / "models"


@cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
