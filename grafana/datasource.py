"""The data source: PostgreSQL, by a login that is a member of ``campus_risk_grafana`` and of nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from grafana.resource import Kind, Resource
from grafana.words import DATASOURCE, DATASOURCE_TYPE

Ssl = Literal["disable", "require", "verify-ca", "verify-full"]
_TITLE = "校园风险（只读）"
# A dashboard asks some ten questions at once; a wall of browsers must not take the platform's own connections.
_CONNECTIONS = 5


@dataclass(frozen=True, slots=True)
class Database:
    """How Grafana reaches the database: ``address`` is ``host:port`` as seen from where Grafana runs."""

    address: str
    name: str
    user: str
    password: str = field(repr=False)
    ssl: Ssl = "require"

    def __post_init__(self) -> None:
        if self.ssl not in get_args(Ssl):
            raise ValueError(f"'{self.ssl}' is no way of TLS: one of {', '.join(get_args(Ssl))}")


def datasource(database: Database) -> Resource:
    """The data source. Its password is sent when it is made, and when Grafana has none; it can never be read back."""
    body = described(database) | {"secureJsonData": {"password": database.password}}
    return Resource(Kind.DATASOURCE, DATASOURCE, _TITLE, body)


def described(database: Database) -> dict[str, Any]:
    """All of it but the password."""
    return {
        "uid": DATASOURCE,
        "name": _TITLE,
        "type": DATASOURCE_TYPE,
        "access": "proxy",
        "url": database.address,
        "user": database.user,
        "isDefault": False,
        "jsonData": {
            "database": database.name,
            "sslmode": database.ssl,
            "maxOpenConns": _CONNECTIONS,
            "maxIdleConns": _CONNECTIONS,
            # Seconds: a connection is renewed within the hour, so that a changed password takes hold.
            "connMaxLifetime": 3600,
            # Grafana's macros then use plain PostgreSQL, which TimescaleDB understands too.
            "timescaledb": False,
        },
    }


def lacks_password(found: Mapping[str, Any]) -> bool:
    """Whether a found data source has no password at all."""
    return not (found.get("secureJsonFields") or {}).get("password")
