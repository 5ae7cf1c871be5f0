"""Keeping: what is old enough goes by the database's own rule alone, and the audit can tell it from a hand."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from models.hazards import Hazard
from models.levels import Level
from models.loop import Action
from models.retention import Kept, Term, terms
from models.roles import Role
from store import audit, glass, hazards, refusals, retention
from store.db import Connection
from tests import factories
from tests.store.test_hazards import ASSESSOR, SUPERVISOR, TO_CLOSED, act
from tests.store.test_landing import accepted, count, land, opened, query

pytestmark = pytest.mark.runtime

OLD = datetime(2021, 3, 1, 2, 0, tzinfo=UTC)
NOW = datetime.now(UTC)
TERMS = terms(None)
ARCHIVED = (*TO_CLOSED, (Action.ARCHIVE, SUPERVISOR, {"lesson": "换推杆锁"}))
OF_A_HAZARD = ("hazards", "trail", "reports", "deadlines", "escalations", "reminders", "glass")


async def archived(conn: Connection, at: datetime = OLD, **fields: Any) -> Hazard:
    """A hazard that was opened, settled and archived."""
    return await act(conn, await opened(conn, at=at, **fields), *ARCHIVED, at=at)


async def forget(conn: Connection, kind: Kept = Kept.HAZARDS, given: Mapping[Kept, Term] = TERMS) -> int:
    """All batches of a kind."""
    total = 0
    while went := await retention.forget(conn, kind, given[kind], "test", NOW):
        total += went
    return total


async def due(conn: Connection) -> dict[Kept, int]:
    """What would go."""
    return {line.kind: line.count for line in await retention.due(conn, TERMS, NOW)}


async def test_an_old_archived_hazard_goes_with_all_that_belongs_to_it(conn: Connection) -> None:
    hazard = await archived(conn)
    assert (await due(conn))[Kept.HAZARDS] == 1
    assert await forget(conn) == 1
    assert {table: await count(conn, table) for table in OF_A_HAZARD} == dict.fromkeys(OF_A_HAZARD, 0)
    assert await count(conn, "intake") == 1, "that it was accepted once stays known"
    stone = (await query(conn, "SELECT * FROM tombstones"))[0]
    assert (stone["kind"], stone["count"], stone["by"], stone["gone"]) == ("hazards", 1, "test", [hazard.id])
    assert stone["until"] == TERMS[Kept.HAZARDS].before(NOW)
    assert bytes(stone["heads"]) == hashlib.sha256(hazard.id.bytes + hazard.trail_hash).digest()
    found = await audit.examine(conn, NOW)
    assert (found.whole, found.gone, found.removed) == (True, (), {"hazards": 1})
    assert await due(conn) == dict.fromkeys(Kept, 0)


async def test_what_is_young_open_or_only_closed_stays(conn: Connection) -> None:
    await archived(conn, NOW - timedelta(days=1090))
    await opened(conn, at=OLD)
    await act(conn, await opened(conn, at=OLD), *TO_CLOSED, at=OLD)
    reopened = await act(conn, await opened(conn, at=OLD), (Action.REJECT, ASSESSOR, {"reason": "误报"}), at=OLD)
    await act(conn, reopened, (Action.REOPEN, ASSESSOR, {"reason": "确有其事"}), at=NOW)
    assert (await due(conn))[Kept.HAZARDS] == 0
    assert await forget(conn) == 0
    assert (await count(conn, "hazards"), await count(conn, "tombstones")) == (4, 0)


async def test_a_rejected_one_counts_from_its_last_event(conn: Connection) -> None:
    rejected = await opened(conn, at=OLD)
    await act(conn, rejected, (Action.REJECT, ASSESSOR, {"reason": "误报"}), at=OLD)
    young = await opened(conn, at=OLD)
    await act(conn, young, (Action.REJECT, ASSESSOR, {"reason": "误报"}), at=NOW - timedelta(days=100))
    assert await forget(conn) == 1
    assert (await query(conn, "SELECT id FROM hazards"))[0]["id"] == young.id


async def test_what_was_merged_goes_with_its_master_and_never_before(conn: Connection) -> None:
    master, follower = await opened(conn, at=OLD), await opened(conn, at=OLD)
    await act(conn, follower, (Action.MERGE, ASSESSOR, {"into": str(master.id)}), at=OLD)
    assert await forget(conn) == 0
    await act(conn, master, *ARCHIVED, at=OLD)
    assert (await due(conn))[Kept.HAZARDS] == 2
    assert await forget(conn) == 2
    assert (await query(conn, "SELECT gone FROM tombstones"))[0]["gone"] == sorted([master.id, follower.id])


async def test_a_record_that_was_asked_for_lately_stays_with_the_request(conn: Connection) -> None:
    hazard = await archived(conn)
    await glass.ask(conn, hazard.id, factories.actor(Role.AUDITOR), "配合调查", NOW)
    assert ((await due(conn))[Kept.HAZARDS], await forget(conn)) == (0, 0)


async def test_quiet_reports_and_logs_go_after_their_own_terms(conn: Connection) -> None:
    actor, hazard = factories.actor(), factories.new_id()
    for at in (OLD, NOW - timedelta(days=200)):
        await land(conn, await accepted(conn, at, drill=True), now=at)
        await glass.log(conn, actor, [hazard], "read", at)
        await refusals.note(conn, actor, hazard, "/330200/", "close", "not_own_work", at)
    longer = {**TERMS, Kept.ACCESS_LOG: Term(12 * 40)}
    assert await forget(conn, Kept.ACCESS_LOG, longer) == 0, "a city's longer term holds"
    for kind, table in (
        (Kept.REPORTS, "reports"),
        (Kept.ACCESS_LOG, "access_log"),
        (Kept.REFUSALS, "refusals"),
    ):
        assert (await due(conn))[kind] == 1
        assert await forget(conn, kind) == 1
        assert await count(conn, table) == 1
    assert (await audit.examine(conn, NOW)).whole
    assert [row["kind"] for row in await retention.stones(conn)] == ["refusals", "access_log", "reports"]


async def test_sessions_attempts_and_deliveries_go_without_a_stone(conn: Connection) -> None:
    await conn.execute("INSERT INTO keys VALUES (gen_random_uuid(), 'k', '330200', 'wall', 'h', %s)", (OLD,))
    for n, at in enumerate((OLD, NOW)):
        await conn.execute(
            "INSERT INTO sessions (hash, key, created_at, expires_at) SELECT %s, id, %s, %s FROM keys",
            (bytes([n]), at, at),
        )
        await conn.execute("INSERT INTO attempts VALUES (%s, 1, %s)", (bytes([n]), at))
    await conn.execute(
        "INSERT INTO channels (id, unit, kind, sealed, masked, created_at, created_by) "
        "VALUES (gen_random_uuid(), '330200', 'email', 's', 'm', %s, 'x')",
        (OLD,),
    )
    for at in (OLD, NOW):
        await conn.execute(
            "INSERT INTO deliveries SELECT gen_random_uuid(), id, %s, 'unit:330200', true, NULL, '{}' FROM channels",
            (at,),
        )
    for kind in (Kept.SESSIONS, Kept.ATTEMPTS, Kept.DELIVERIES):
        assert (await due(conn))[kind] == 1
        assert await forget(conn, kind) == 1
        assert await count(conn, kind.value) == 1
    assert await count(conn, "tombstones") == 0


FLOORED = ("hazards", "reports", "access_log", "refusals")


@pytest.mark.parametrize("kind", FLOORED)
@pytest.mark.parametrize("age", ["0 days", "5 months 27 days", "-1 years"])
async def test_the_database_itself_refuses_what_is_younger_than_the_floor(
    conn: Connection, kind: str, age: str
) -> None:
    await archived(conn)
    with pytest.raises(psycopg.errors.RestrictViolation, match="are kept at least"):
        async with conn.transaction():
            await conn.execute("SELECT forget(%s, now() - %s::interval, 100, 'somebody')", (kind, age))
    if kind in ("hazards", "reports"):
        with pytest.raises(psycopg.errors.RestrictViolation):
            async with conn.transaction():
                await conn.execute("SELECT forget(%s, now() - interval '2 years 364 days', 100, 'somebody')", (kind,))
    assert (await count(conn, "hazards"), await count(conn, "tombstones")) == (1, 0)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ("'hazards', NULL, 100, 'x'", psycopg.errors.RestrictViolation),
        ("'hazards', 'infinity', 100, 'x'", psycopg.errors.RestrictViolation),
        ("'hazards', '-infinity', 100, 'x'", psycopg.errors.RestrictViolation),
        ("'hazards', '2022-01-01', NULL, 'x'", psycopg.errors.InvalidParameterValue),
        ("'hazards', '2022-01-01', 0, 'x'", psycopg.errors.InvalidParameterValue),
        ("'hazards', '2022-01-01', 10001, 'x'", psycopg.errors.InvalidParameterValue),
        ("'hazards', '2022-01-01', 100, ' '", psycopg.errors.InvalidParameterValue),
        ("'hazards', '2022-01-01', 100, NULL", psycopg.errors.InvalidParameterValue),
        ("'trail', '2022-01-01', 100, 'x'", psycopg.errors.InvalidParameterValue),
        ("NULL, '2022-01-01', 100, 'x'", psycopg.errors.InvalidParameterValue),
    ],
)
async def test_wrong_arguments_remove_nothing(conn: Connection, arguments: str, error: type[Exception]) -> None:
    await archived(conn)
    with pytest.raises(error):
        async with conn.transaction():
            await conn.execute(f"SELECT forget({arguments})")
    assert await count(conn, "hazards") == 1


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM trail",
        "DELETE FROM reports",
        "DELETE FROM access_log",
        "DELETE FROM refusals",
        "DELETE FROM intake",
        "UPDATE refusals SET actor = 'x'",
        "UPDATE tombstones SET count = 2",
        "DELETE FROM tombstones",
        "INSERT INTO tombstones (at, kind, count, until, by, gone) VALUES (now(), 'hazards', 1, now(), 'x', '{}')",
    ],
)
async def test_past_the_rule_nothing_goes_and_no_stone_is_set(conn: Connection, statement: str) -> None:
    with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
        await conn.execute(statement)


async def test_a_reader_may_not_ask_for_it(conn: Connection) -> None:
    await conn.execute("SELECT set_config('role', 'campus_risk_reader', true)")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await conn.execute("SELECT forget('hazards', '2020-01-01', 1, 'x')")


@pytest.mark.parametrize("what", ["hazard", "report", "trail left"])
async def test_a_hand_that_reaches_past_the_rule_is_told_from_it(conn: Connection, what: str) -> None:
    await archived(conn)
    await forget(conn)
    victim = await opened(conn, Level.BLUE, at=NOW)
    quiet = await accepted(conn, NOW, drill=True)
    await land(conn, quiet, now=NOW)
    await conn.execute("SET LOCAL session_replication_role = replica")
    if what == "report":
        await conn.execute("DELETE FROM reports WHERE id = %s", (quiet.id,))
    else:
        for table, key in (("deadlines", "hazard"), ("hazards", "id")) + ((("trail", "hazard"),) * (what == "hazard")):
            await conn.execute(f"DELETE FROM {table} WHERE {key} = %s", (victim.id,))
    found = await audit.examine(conn, NOW)
    assert (found.whole, found.gone) == (False, (quiet.id if what == "report" else victim.id,))
    assert found.removed == {"hazards": 1}


async def test_a_batch_takes_no_more_than_it_may(conn: Connection) -> None:
    for _ in range(3):
        await archived(conn)
    before = TERMS[Kept.HAZARDS].before(NOW)
    cur = await conn.execute("SELECT forget('hazards', %s, 2, 'x') AS went", (before,))
    assert await cur.fetchone() == {"went": 2}
    assert await forget(conn) == 1


async def test_a_resend_of_what_has_gone_is_still_known(conn: Connection) -> None:
    report = await accepted(conn, OLD)
    await land(conn, report, now=OLD)
    hazard = (await query(conn, "SELECT hazard FROM intake"))[0]["hazard"]
    await act(conn, await hazards.get(conn, hazard), *ARCHIVED, at=OLD)
    assert await forget(conn) == 1
    assert (await land(conn, report, now=NOW))["before"] == 1
