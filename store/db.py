"""Connections to the database, and its migrations. Nothing here knows what is stored."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import orjson
import psycopg
import yoyo
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Jsonb, set_json_dumps, set_json_loads
from psycopg_pool import AsyncConnectionPool

from store.settings import Unusable

Connection: TypeAlias = psycopg.AsyncConnection[DictRow]
Pool: TypeAlias = AsyncConnectionPool[Connection]

MIGRATIONS = Path(__file__).parent / "migrations"

# A server that takes a connection and says nothing is as good as none; a person waits no longer than this for an answer.
CONNECT_TIMEOUT = 5

set_json_dumps(orjson.dumps)
set_json_loads(orjson.loads)


def jsonb(value: Any) -> Jsonb | None:
    """A value as jsonb, and None as NULL (``Jsonb(None)`` would be the JSON word null)."""
    return None if value is None else Jsonb(value)


def pool(dsn: str, *, size: int = 8) -> Pool:
    """A pool that is not open yet: ``async with pool(dsn) as connections``.

    A broken connection is replaced on the next use, so that a restarted database needs no restart here.
    """
    return AsyncConnectionPool(
        dsn,
        min_size=1,
        max_size=size,
        open=False,
        connection_class=psycopg.AsyncConnection[DictRow],
        kwargs={"row_factory": dict_row, "options": "-c timezone=UTC", "connect_timeout": CONNECT_TIMEOUT},
        check=AsyncConnectionPool.check_connection,
        # A caller waits this long for a connection before it hears 503: shorter than a browser's patience.
        timeout=5,
    )


@asynccontextmanager
async def connect(dsn: str, *, autocommit: bool = False) -> AsyncIterator[Connection]:
    """One connection of its own, for listening and for the command line."""
    connection = await psycopg.AsyncConnection.connect(
        dsn, autocommit=autocommit, row_factory=dict_row, options="-c timezone=UTC", connect_timeout=CONNECT_TIMEOUT
    )
    async with connection:
        yield connection


async def pending(conn: Connection) -> list[str]:
    """The migrations that are not applied yet, by name; looks and changes nothing."""
    cur = await conn.execute("SELECT to_regclass('_yoyo_migration') IS NOT NULL AS begun")
    row = await cur.fetchone()
    applied: set[str] = set()
    if row and row["begun"]:
        cur = await conn.execute("SELECT migration_id FROM _yoyo_migration")
        applied = {found["migration_id"] for found in await cur.fetchall()}
    return [name for name in sorted(path.stem for path in MIGRATIONS.glob("*.sql")) if name not in applied]


def migrate(dsn: str) -> list[str]:
    """Bring the schema up to date; the migrations that were applied now, by name. Safe to call from several at once."""
    scheme, rest = dsn.split("://", 1)
    if scheme not in ("postgresql", "postgres"):
        raise Unusable("CAMPUS_RISK_DATABASE begins with postgresql://, for no other database is spoken to.")
    backend = yoyo.get_backend(f"postgresql+psycopg://{rest}")
    try:
        with backend.lock():
            todo = backend.to_apply(yoyo.read_migrations(str(MIGRATIONS)))
            names = [migration.id for migration in todo]
            backend.apply_migrations(todo)
    finally:
        backend.connection.close()
    return names
