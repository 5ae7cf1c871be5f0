"""The trail: whole as the platform writes it; a hand that reaches past the platform is found."""

from datetime import timedelta

import pytest

from models.events import GENESIS
from models.hazards import Hazard
from models.loop import Action
from models.roles import Role
from store import hazards, trail
from store.db import Connection
from tests import factories
from tests.factories import NOW
from tests.store.test_landing import CLOCK, opened

pytestmark = pytest.mark.runtime

ON_DUTY = factories.actor(Role.LEADER)


async def with_three_events(conn: Connection) -> Hazard:
    """A hazard whose trail has events of several shapes of data."""
    hazard = await opened(conn)
    for n in (1, 2):
        said = {"text": f"第{n}次督办：“今日”内办结 ✅", "reason": None}
        await hazards.apply(conn, hazard.id, Action.INSTRUCT, ON_DUTY, said, NOW + timedelta(microseconds=n), CLOCK)
    return await hazards.get(conn, hazard.id)


async def test_what_the_platform_writes_is_whole(conn: Connection) -> None:
    hazard = await with_three_events(conn)
    await opened(conn)
    assert await trail.broken(conn) == {}
    rows = await trail.of(conn, hazard.id)
    assert [(row["seq"], row["action"]) for row in rows] == [(1, "open"), (2, "instruct"), (3, "instruct")]
    assert bytes(rows[-1]["hash"]) == hazard.trail_hash
    assert len({bytes(row["hash"]) for row in rows}) == 3


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE trail SET actor = 'somebody' WHERE seq = 2", 2),
        ('UPDATE trail SET data = data || \'{"text": "已办结"}\' WHERE seq = 3', 3),
        ("UPDATE trail SET at = at + interval '1 microsecond' WHERE seq = 1", 1),
        ("UPDATE trail SET after = 'closed' WHERE seq = 3", 3),
        ("UPDATE trail SET hash = sha256('x') WHERE seq = 2", 2),
        ("DELETE FROM trail WHERE seq = 1", 1),
        ("DELETE FROM trail WHERE seq = 2", 2),
        ("DELETE FROM trail WHERE seq = 3", 3),
        ("TRUNCATE trail", 1),
        ("UPDATE trail SET seq = seq + 1 WHERE seq = 3", 3),
        ("UPDATE hazards SET trail_hash = sha256('x')", 4),
        ("UPDATE hazards SET version = 2", 4),
        ("UPDATE hazards SET version = 4", 4),
    ],
)
async def test_a_change_past_the_platform_is_found_where_it_begins(
    conn: Connection, statement: str, found: int
) -> None:
    hazard = await with_three_events(conn)
    await conn.execute("ALTER TABLE trail DISABLE TRIGGER ALL")
    await conn.execute(statement)
    assert await trail.broken(conn) == {hazard.id: found}


async def test_an_event_slipped_in_is_found(conn: Connection) -> None:
    hazard = await with_three_events(conn)
    await conn.execute(
        "INSERT INTO trail SELECT hazard, 4, at, schema, action, actor, role, before, after, data, %s FROM trail WHERE seq = 3",
        (GENESIS,),
    )
    assert await trail.broken(conn) == {hazard.id: 4}


async def test_only_the_touched_one_is_named_among_many(conn: Connection) -> None:
    whole = [await opened(conn) for _ in range(3)]
    touched = await with_three_events(conn)
    await conn.execute("ALTER TABLE trail DISABLE TRIGGER ALL")
    await conn.execute("UPDATE trail SET role = 'wall' WHERE hazard = %s AND seq = 1", (touched.id,))
    found = await trail.broken(conn)
    assert found == {touched.id: 1}
    assert not found.keys() & {hazard.id for hazard in whole}
