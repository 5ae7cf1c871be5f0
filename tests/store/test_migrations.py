"""Migrations: applied once; and what the schema refuses for good."""

import asyncio
from datetime import UTC, datetime

import psycopg
import pytest

from deploy import demo
from deploy.runtime.local import LocalRuntime
from models.loop import Action
from store import audit, db
from store.db import Connection
from tests.conftest import fresh_database
from tests.store.test_hazards import ASSESSOR, act
from tests.store.test_landing import opened, query

pytestmark = pytest.mark.runtime

OLD = datetime(2021, 3, 1, 2, 0, tzinfo=UTC)
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
@pytest.mark.parametrize("statement", ["UPDATE {} SET schema = 9", "DELETE FROM {}", "TRUNCATE {}"])
async def test_the_trail_and_the_reports_refuse_every_change(conn: Connection, table: str, statement: str) -> None:
    await opened(conn)
    with pytest.raises(psycopg.errors.RestrictViolation, match=f"{table} is append-only"):
        async with conn.transaction():
            await conn.execute(statement.format(table))
    assert await query(conn, f"SELECT count(*) AS n FROM {table} WHERE schema < 9") == [{"n": 1}]


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


async def land_rejected(conn: Connection) -> None:
    """A hazard of long ago that was none."""
    await demo.load_city(conn, OLD)
    await act(conn, await opened(conn, at=OLD), (Action.REJECT, ASSESSOR, {"reason": "误报"}), at=OLD)


async def test_an_application_s_role_that_is_no_superuser_migrates_and_is_bound_by_the_rule(
    runtime: LocalRuntime,
) -> None:
    """With a DBA who made the two roles beforehand. The server is shared, so the role is taken away again."""
    name, database = "app_without_powers", "d_without_powers"
    administrator = await psycopg.AsyncConnection.connect(runtime.dsn, autocommit=True)
    async with administrator as dba:
        for role in ("campus_risk_reader", "campus_risk_keeper"):
            await dba.execute(
                f"DO $$ BEGIN CREATE ROLE {role} NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
            )
        await dba.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'test' CREATEROLE")
        await dba.execute(
            f"GRANT campus_risk_reader, campus_risk_keeper TO {name} WITH ADMIN TRUE, SET FALSE, INHERIT FALSE"
        )
        await dba.execute(f"CREATE DATABASE {database} OWNER {name}")
        try:
            head, _, rest = runtime.dsn.partition("@")
            dsn = f"{head.partition('://')[0]}://{name}:test@{rest.rpartition('/')[0]}/{database}"
            assert await asyncio.to_thread(db.migrate, dsn)
            async with db.connect(dsn) as own:
                for statement, error in (
                    ("SELECT forget('hazards', now() - interval '1 year', 1, 'x')", psycopg.errors.RestrictViolation),
                    ("DELETE FROM trail", psycopg.errors.RestrictViolation),
                    ("SET LOCAL session_replication_role = replica", psycopg.errors.InsufficientPrivilege),
                    ("SET ROLE campus_risk_keeper", psycopg.errors.InsufficientPrivilege),
                ):
                    with pytest.raises(error):
                        async with own.transaction():
                            await own.execute(statement)
                await land_rejected(own)
                assert await query(own, "SELECT forget('hazards', now() - interval '3 years', 1, 'x') AS went") == [
                    {"went": 1}
                ]
                assert (await audit.examine(own, datetime.now(UTC))).whole
        finally:
            await dba.execute(f"DROP DATABASE {database} WITH (FORCE)")
            await dba.execute(f"DROP OWNED BY {name}")
            await dba.execute(f"DROP ROLE {name}")
