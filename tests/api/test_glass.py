"""Closed records: shut in the database itself, opened with a reason and another's approval, and every reading logged."""

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from models.levels import Level
from models.roles import Role
from store import glass
from store.db import Connection
from store.scope import Viewer, reading
from tests import factories
from tests.conftest import Callers
from tests.factories import CITY, DISTRICT, SCHOOL, SIBLING
from tests.store.test_landing import accepted, land

pytestmark = pytest.mark.runtime

SECRET = "几名学生长期欺负同班同学"
CLOSED = ("hazards", "trail", "deadlines", "escalations", "intake", "reports")


async def secret(conn: Connection) -> str:
    """A confidential hazard of a school; its id."""
    report = await accepted(conn, datetime.now(UTC), text=SECRET, category="1001")
    await land(conn, report, subcategory="1001", level=Level.RED)
    await conn.commit()
    row = await (await conn.execute("SELECT id FROM hazards")).fetchone()
    assert row
    return str(row["id"])


async def counts(conn: Connection) -> dict[str, int]:
    """Rows of each closed table, by queries that have forgotten their WHERE."""
    found = {}
    for table in CLOSED:
        row = await (await conn.execute(f"SELECT count(*) AS n FROM {table}")).fetchone()
        assert row
        found[table] = row["n"]
    return found


@pytest.mark.parametrize("unit", [CITY, DISTRICT, SCHOOL])
async def test_a_forgotten_where_shows_nothing_of_a_confidential_record(conn: Connection, unit: str) -> None:
    await secret(conn)
    async with reading(conn, Viewer((factories.tree()[unit].path,))):
        assert set((await counts(conn)).values()) == {0}


async def test_a_forgotten_where_shows_nothing_of_a_sibling(conn: Connection) -> None:
    report = await accepted(conn, datetime.now(UTC))
    await land(conn, report)
    async with reading(conn, Viewer((factories.tree()[SIBLING].path,), (SIBLING,))):
        assert set((await counts(conn)).values()) == {0}
    async with reading(conn, Viewer((factories.tree()[SCHOOL].path,))):
        found = await counts(conn)
    assert min(found[table] for table in ("hazards", "trail", "deadlines", "intake", "reports")) > 0


async def test_a_reader_who_is_nobody_sees_nothing(conn: Connection) -> None:
    report = await accepted(conn, datetime.now(UTC))
    await land(conn, report)
    await conn.execute("SELECT set_config('role', 'campus_risk_reader', true)")
    assert set((await counts(conn)).values()) == {0}


async def test_the_named_roles_of_the_unit_itself_see_it(conn: Connection) -> None:
    await secret(conn)
    async with reading(conn, Viewer((factories.tree()[SCHOOL].path,), (SCHOOL,))):
        found = await counts(conn)
    assert found["hazards"] == found["reports"] == found["intake"] == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE hazards SET level = 'blue'",
        "DELETE FROM trail",
        "INSERT INTO access_log VALUES (now(), 'x', 'x', 'x', gen_random_uuid(), 'x')",
        "SELECT * FROM glass",
        "SELECT * FROM keys",
        "SELECT * FROM dead_letters",
        "SELECT * FROM outbox",
    ],
)
async def test_a_reader_can_neither_write_nor_read_what_is_not_theirs(conn: Connection, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        async with conn.transaction(), reading(conn, Viewer(("/",))):
            await conn.execute(statement)


async def get(api: Callers, path: str, headers: dict[str, str]) -> Any:
    return await api.anonymous.get(f"/api/v1{path}", headers=headers)


async def test_glass_is_broken_with_a_reason_and_anothers_approval(api: Callers, conn: Connection) -> None:
    id = await secret(conn)
    asker = await api.headers(Role.SUPERVISOR, DISTRICT)
    leader = await api.headers(Role.LEADER, SCHOOL)
    assert (await get(api, f"/hazards/{id}", asker)).status_code == 404
    asked = await api.anonymous.post(f"/api/v1/hazards/{id}/glass", json={"reason": "配合公安机关调查"}, headers=asker)
    assert asked.status_code == 202
    assert (await get(api, f"/hazards/{id}", asker)).status_code == 404, "asking alone opens nothing"
    shown = (await get(api, "/glass", leader)).json()["items"]
    assert [(item["hazard"], item["reason"]) for item in shown] == [(id, "配合公安机关调查")]
    refused = await api.anonymous.post(f"/api/v1/glass/{asked.json()['id']}/approve", headers=asker)
    assert refused.status_code == 404, "nobody lets themselves in"
    approved = await api.anonymous.post(f"/api/v1/glass/{asked.json()['id']}/approve", headers=leader)
    assert approved.status_code == 200
    assert (await get(api, f"/hazards/{id}", asker)).json()["text"] == SECRET
    assert (await get(api, f"/hazards/{id}", await api.headers(Role.SUPERVISOR, DISTRICT))).status_code == 404
    readers = (await get(api, f"/hazards/{id}/readers", leader)).json()["items"]
    assert [(r["what"], r["role"], r["glass"] is not None) for r in readers] == [("read", "supervisor", True)]


async def test_broken_glass_is_whole_again_after_four_hours(api: Callers, conn: Connection) -> None:
    id = await secret(conn)
    asker, leader = await api.headers(Role.SUPERVISOR, DISTRICT), await api.headers(Role.LEADER, SCHOOL)
    asked = await api.anonymous.post(f"/api/v1/hazards/{id}/glass", json={"reason": "配合公安机关调查"}, headers=asker)
    await api.anonymous.post(f"/api/v1/glass/{asked.json()['id']}/approve", headers=leader)
    await conn.execute("UPDATE glass SET expires_at = now() - interval '1 second'")
    await conn.commit()
    assert (await get(api, f"/hazards/{id}", asker)).status_code == 404


async def test_a_request_needs_a_reason_and_a_closed_record_of_ones_subtree(api: Callers, conn: Connection) -> None:
    id = await secret(conn)
    asker, stranger = await api.headers(Role.SUPERVISOR, DISTRICT), await api.headers(Role.SUPERVISOR, SIBLING)
    post = api.anonymous.post
    assert (await post(f"/api/v1/hazards/{id}/glass", json={"reason": " "}, headers=asker)).status_code == 422
    assert (await post(f"/api/v1/hazards/{id}/glass", json={"reason": "想看一看"}, headers=stranger)).status_code in (
        404,
        422,
    )
    unknown = f"/api/v1/hazards/{factories.new_id()}/glass"
    assert (await post(unknown, json={"reason": "配合公安机关调查"}, headers=asker)).status_code == 404


@pytest.mark.parametrize(("path", "what"), [("", "read"), ("/trail", "trail")])
async def test_every_reading_of_a_confidential_record_is_logged(
    api: Callers, conn: Connection, path: str, what: str
) -> None:
    id = await secret(conn)
    assessor = await api.headers(Role.ASSESSOR, SCHOOL)
    await get(api, f"/hazards/{id}{path}", assessor)
    await get(api, "/hazards", assessor)
    readers = (await get(api, f"/hazards/{id}/readers", await api.headers(Role.AUDITOR, CITY))).json()["items"]
    assert sorted(r["what"] for r in readers) == sorted(["list", what])
    assert {r["role"] for r in readers} == {"assessor"}
    assert (await get(api, f"/hazards/{id}/readers", assessor)).status_code == 404


async def test_the_access_log_is_append_only(conn: Connection) -> None:
    await secret(conn)
    row = await (await conn.execute("SELECT id FROM hazards")).fetchone()
    assert row
    await glass.log(conn, factories.actor(Role.ASSESSOR), [row["id"]], "read", datetime.now(UTC))
    with pytest.raises(psycopg.errors.RestrictViolation):
        await conn.execute("UPDATE access_log SET actor = 'nobody'")
