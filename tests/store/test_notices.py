"""Notices in the database: what the schema refuses, and nothing lost under any order of events, looks and acknowledgements."""

import random
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from models.levels import Level
from models.loop import State
from models.notices import Happening, Target
from models.notices_channel import ChannelKind, channel
from models.roles import Role
from store import accounts, channels, claims, notices, told
from store.channels import Owner
from store.db import Connection
from store.notices import Plan
from store.sealing import Sealer, sealer
from store.settings import Settings
from tests.factories import NOW, SCHOOL
from tests.store.test_landing import CLOCK, count, opened, query

pytestmark = pytest.mark.runtime

MINUTE = timedelta(minutes=1)


async def person(conn: Connection, login: str = "a.one", role: Role = Role.ASSESSOR) -> UUID:
    return await accounts.create(conn, login, "某人", "no password", [(role, SCHOOL)], "test", NOW)


async def reached(conn: Connection, account: UUID) -> UUID:
    made = channel(ChannelKind.WEBHOOK, "https://hook.example/token-very-secret")
    return await channels.add(conn, Owner(account=account), made, None, Sealer("x"), "test", NOW)


async def planned(conn: Connection, level: Level = Level.YELLOW, at: Any = NOW, **fields: Any) -> Plan:
    hazard = await opened(conn, level, at=at)
    given: dict[str, Any] = {"targets": (Target(Happening.OPENED, 0, (Role.ASSESSOR,)),), "state": State.REPORTED}
    plan = Plan(**{"hazard": hazard, "key": "seq:1", "seq": 1, "level": level} | given | fields)
    await notices.plan(conn, [plan], at, CLOCK)
    return plan


async def test_the_same_event_again_changes_nothing(conn: Connection) -> None:
    await person(conn)
    plan = await planned(conn)
    before = await query(conn, "SELECT * FROM notices")
    assert await notices.plan(conn, [plan, plan], NOW + MINUTE, CLOCK) == 0
    assert await query(conn, "SELECT * FROM notices") == before


async def test_whoever_did_it_is_not_told(conn: Connection) -> None:
    one, two = await person(conn), await person(conn, "a.two")
    await planned(conn, but=one)
    assert [row["account"] for row in await query(conn, "SELECT account FROM notices")] == [two]


@pytest.mark.parametrize("statement", ["UPDATE deliveries SET reason = 'x'", "TRUNCATE deliveries"])
async def test_deliveries_are_append_only(conn: Connection, statement: str) -> None:
    with pytest.raises(psycopg.errors.RestrictViolation):
        await conn.execute(statement)


async def test_a_channel_has_one_owner_and_its_address_is_sealed(conn: Connection, tmp_path: Path) -> None:
    one = await person(conn)
    id = await reached(conn, one)
    row = await channels.found(conn, id)
    assert row
    assert "very-secret" not in str(row)
    assert Sealer("x").open(row["sealed"]).startswith("jsons://hook.example/")
    assert sealer(Settings(local=tmp_path)).seal("x") != row["sealed"]
    for owner in ((None, None), (one, SCHOOL)):
        with pytest.raises(psycopg.errors.CheckViolation):
            async with conn.transaction():
                await conn.execute("UPDATE channels SET account = %s, unit = %s", owner)


async def test_people_may_not_read_the_tables_past_their_endpoints(conn: Connection) -> None:
    await conn.execute("SET LOCAL ROLE campus_risk_reader")
    for table in ("channels", "notices", "deliveries"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with conn.transaction():
                await conn.execute(f"SELECT 1 FROM {table}")


async def test_a_channel_that_failed_comes_last_for_a_while(conn: Connection) -> None:
    one = await person(conn)
    first, second = await reached(conn, one), await reached(conn, one)
    await channels.record(conn, UUID(int=1), f"account:{one}", first, "http_500", [], NOW)
    assert [way.id for way in await channels.ways(conn, f"account:{one}", NOW + MINUTE)] == [second, first]
    assert [way.id for way in await channels.ways(conn, f"account:{one}", NOW + 11 * MINUTE)] == [first, second]


@pytest.mark.parametrize("seed", range(4))
async def test_under_any_order_each_notice_is_told_acknowledged_or_ended_with_a_reason(
    conn: Connection, seed: int
) -> None:
    draw, one = random.Random(seed), await person(conn)
    await reached(conn, one)
    at, plans = NOW, [await planned(conn, draw.choice(list(Level))) for _ in range(3)]
    for _ in range(60):
        at += draw.randint(0, 20) * MINUTE
        match draw.choice(["plan", "again", "send", "fail", "die", "ack", "move"]):
            case "plan":
                plans.append(await planned(conn, draw.choice(list(Level)), at=at))
            case "again":
                await notices.plan(conn, draw.sample(plans, 2), at, CLOCK)
            case "ack":
                ids = [row["id"] for row in await told.page(conn, one, True, 100, None)]
                await notices.acknowledge(conn, one, draw.sample(ids, min(2, len(ids))), [SCHOOL], at)
            case "move":
                hazard = draw.choice(plans).hazard
                await conn.execute("UPDATE hazards SET state = 'assessed' WHERE id = %s", (hazard.id,))
                await notices.end_moved_on(conn, {hazard.id: 2}, at)
            case way:
                claim = await claims.claim(conn, f"account:{one}", at, CLOCK)
                for part in claim.parts if claim else ():
                    assert len(set(part.lot.notices)) == len(part.lot.notices), "nobody is told twice in a message"
                    if way != "die":
                        await claims.record(conn, claim, part.lot, way == "send", at)  # type: ignore[arg-type]
    assert await count(conn, "notices") >= len(plans)
    for _ in range(300):
        at += 15 * MINUTE
        claim = await claims.claim(conn, f"account:{one}", at, CLOCK)
        for part in claim.parts if claim else ():
            await claims.record(conn, claim, part.lot, True, at)  # type: ignore[arg-type]
        ids = [row["id"] for row in await told.page(conn, one, True, 200, None) if row["times"]]
        await notices.acknowledge(conn, one, ids, [SCHOOL], at)
    lost = "SELECT * FROM notices WHERE first_told_at IS NULL AND acknowledged_at IS NULL AND ended IS NULL AND account = %s"
    assert await query(conn, lost, one) == []
