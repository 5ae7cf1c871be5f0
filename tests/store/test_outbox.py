"""The outbox: in order, forgotten only when told to, one relay at a time."""

from datetime import timedelta

import pytest

from store import db, outbox
from store.db import Connection
from store.outbox import Message
from tests.factories import NOW
from tests.store.test_landing import query

pytestmark = pytest.mark.runtime


def message(n: int) -> Message:
    return Message("reports", f"unit-{n % 3}", "report.accepted", {"n": n, "text": "甲"})


async def test_messages_come_back_in_the_order_they_were_put(conn: Connection) -> None:
    await outbox.put(conn, [message(n) for n in range(5)])
    await outbox.put(conn, [message(n) for n in range(5, 10)])
    rows = await outbox.peek(conn, 7)
    assert [row["payload"]["n"] for row in rows] == list(range(7))
    assert len({row["id"] for row in rows}) == 7
    assert (rows[0]["aggregatetype"], rows[0]["aggregateid"], rows[0]["type"]) == (
        "reports",
        "unit-0",
        "report.accepted",
    )


async def test_what_kafka_acknowledged_is_forgotten_and_nothing_else(conn: Connection) -> None:
    await outbox.put(conn, [message(n) for n in range(4)])
    rows = await outbox.peek(conn, 10)
    await outbox.remove(conn, [rows[0]["id"], rows[2]["id"]])
    assert [row["payload"]["n"] for row in await outbox.peek(conn, 10)] == [1, 3]


async def test_nothing_put_is_nothing_told(conn: Connection) -> None:
    await outbox.put(conn, [])
    assert await outbox.peek(conn, 10) == []


async def test_a_rolled_back_message_is_never_told(dsn: str, conn: Connection) -> None:
    async with db.connect(dsn) as other:
        await outbox.put(other, [message(1)])
        assert await outbox.peek(conn, 10) == []
        await other.rollback()
    assert await outbox.peek(conn, 10) == []


async def test_a_put_wakes_the_relay_when_it_commits(dsn: str, conn: Connection) -> None:
    async with db.connect(dsn, autocommit=True) as relay:
        await relay.execute(f"LISTEN {outbox.CHANNEL}")
        await outbox.put(conn, [message(1)])
        assert [notice async for notice in relay.notifies(timeout=0.1)] == []
        await conn.commit()
        heard = [notice async for notice in relay.notifies(timeout=5, stop_after=1)]
    assert [notice.channel for notice in heard] == [outbox.CHANNEL]


async def test_one_leads_and_the_next_takes_over_when_it_is_gone(dsn: str) -> None:
    async with db.connect(dsn, autocommit=True) as second:
        async with db.connect(dsn, autocommit=True) as first:
            assert await outbox.lead(first)
            assert not await outbox.lead(second)
        assert await outbox.lead(second)


async def test_age_is_that_of_the_oldest(conn: Connection) -> None:
    assert await outbox.age(conn, NOW) == (0, 0.0)
    await outbox.put(conn, [message(n) for n in range(3)])
    for n, row in enumerate(await outbox.peek(conn, 10)):
        at = NOW - timedelta(seconds=90 - 30 * n)
        await conn.execute("UPDATE outbox SET created_at = %s WHERE id = %s", (at, row["id"]))
    assert await outbox.age(conn, NOW) == (3, 90.0)
    assert await outbox.age(conn, NOW - timedelta(hours=1)) == (3, 0.0), "clocks that differ give no negative age"


async def test_a_message_keeps_its_identity_for_debezium(conn: Connection) -> None:
    await outbox.put(conn, [message(1)])
    first = (await outbox.peek(conn, 1))[0]
    assert (await outbox.peek(conn, 1))[0]["id"] == first["id"]
    rows = await query(conn, "SELECT aggregatetype, aggregateid, type, payload->>'n' AS n FROM outbox")
    assert rows == [{"aggregatetype": "reports", "aggregateid": "unit-1", "type": "report.accepted", "n": "1"}]
