"""Migrations: applied once; and what the schema refuses for good."""

import asyncio

import psycopg
import pytest

from deploy.runtime.local import LocalRuntime
from store import db
from store.db import Connection
from tests.conftest import fresh_database
from tests.store.test_landing import opened, query

pytestmark = pytest.mark.runtime

_SHAPE = (
    "SELECT table_name, column_name, data_type FROM information_schema.columns "
    "WHERE table_schema = 'public' ORDER BY table_name, ordinal_position"
)


async def test_applying_twice_does_nothing(dsn: str, conn: Connection) -> None:
    await opened(conn)
    before = await query(conn, _SHAPE)
    await conn.commit()
    assert await asyncio.to_thread(db.migrate, dsn) == []
    assert await query(conn, _SHAPE) == before
    assert await query(conn, "SELECT count(*) AS n FROM hazards") == [{"n": 1}]


async def test_two_processes_starting_at_once_apply_each_migration_once(runtime: LocalRuntime) -> None:
    async with fresh_database(runtime, "template0") as empty:
        applied = await asyncio.gather(*(asyncio.to_thread(db.migrate, empty) for _ in range(2)))
    names = [name for some in applied for name in some]
    assert sorted(names) == sorted(path.stem for path in db.MIGRATIONS.glob("*.sql"))


def test_another_kind_of_address_is_refused_with_the_cure() -> None:
    with pytest.raises(ValueError, match="postgresql://"):
        db.migrate("mysql://somewhere/else")


@pytest.mark.parametrize("table", ["trail", "reports"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET schema = 2", "DELETE FROM {}", "TRUNCATE {}"])
async def test_the_trail_and_the_reports_refuse_every_change(conn: Connection, table: str, statement: str) -> None:
    await opened(conn)
    with pytest.raises(psycopg.errors.RestrictViolation, match=f"{table} is append-only"):
        async with conn.transaction():
            await conn.execute(statement.format(table))
    assert await query(conn, f"SELECT schema FROM {table}") == [{"schema": 1}]


async def test_no_change_of_nothing_passes_either(conn: Connection) -> None:
    with pytest.raises(psycopg.errors.RestrictViolation):
        await conn.execute("DELETE FROM trail WHERE false")


async def test_the_outbox_has_the_columns_of_debezium_s_router(conn: Connection) -> None:
    shape = await query(
        conn,
        "SELECT column_name AS name, udt_name AS type, is_nullable AS nullable FROM information_schema.columns "
        "WHERE table_name = 'outbox' AND column_name IN ('id', 'aggregatetype', 'aggregateid', 'type', 'payload')",
    )
    assert {row["name"]: (row["type"], row["nullable"]) for row in shape} == {
        "id": ("uuid", "NO"),
        "aggregatetype": ("text", "NO"),
        "aggregateid": ("text", "NO"),
        "type": ("text", "NO"),
        "payload": ("jsonb", "NO"),
    }
