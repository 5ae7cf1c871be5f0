"""Where the database and Kafka are: as set, or those that ``campus-risk up`` runs on this machine."""

from deploy.runtime import checks, postgres
from deploy.runtime.checks import CannotStart
from store.settings import Settings


def resolved() -> Settings:
    """The settings with both addresses in place. Raises ``CannotStart`` where there is neither."""
    settings = Settings()
    local = settings.local.absolute()
    if settings.database is None:
        if not (local / "postgres" / "password").exists():
            raise CannotStart(
                f"There is no database in {local}: start one with `make run`, or point CAMPUS_RISK_DATABASE at an existing one."
            )
        settings.database = postgres.dsn(local, settings.database_port)
    if settings.kafka is None:
        settings.kafka = f"{checks.LOOPBACK}:{settings.kafka_port}"
    return settings
