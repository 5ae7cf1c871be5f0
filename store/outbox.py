"""The outbox: what is to be told on Kafka, written in the transaction that made it true."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import uuid_utils.compat as uuid_utils

from store.db import Connection, jsonb

# LISTEN/NOTIFY channel that wakes the relay; a notice that is lost costs one poll interval, never a message.
CHANNEL = "outbox"
# First number of the advisory locks of this application, so that they cannot meet another's.
LOCK_SPACE = 4077
_RELAY_LOCK = 1


@dataclass(frozen=True, slots=True)
class Message:
    """One message: ``aggregate`` chooses the topic (``risk.<aggregate>``), ``key`` is the Kafka key."""

    aggregate: str
    key: str
    type: str
    payload: Any


async def put(conn: Connection, messages: Sequence[Message]) -> None:
    """Add messages, in order, and wake the relay when the transaction commits."""
    if not messages:
        return
    async with conn.cursor() as cur:
        await cur.executemany(
            "INSERT INTO outbox (id, aggregatetype, aggregateid, type, payload) VALUES (%s, %s, %s, %s, %s)",
            [(uuid_utils.uuid7(), m.aggregate, m.key, m.type, jsonb(m.payload)) for m in messages],
        )
    await conn.execute("SELECT pg_notify(%s, '')", (CHANNEL,))


async def lead(conn: Connection) -> bool:
    """Become the one relay, until this connection ends. A second relay stands by, so that order holds."""
    cur = await conn.execute("SELECT pg_try_advisory_lock(%s, %s) AS led", (LOCK_SPACE, _RELAY_LOCK))
    row = await cur.fetchone()
    return bool(row and row["led"])


async def peek(conn: Connection, limit: int) -> list[dict[str, Any]]:
    """The oldest messages: ``seq, id, aggregatetype, aggregateid, type, payload``."""
    cur = await conn.execute(
        "SELECT seq, id, aggregatetype, aggregateid, type, payload FROM outbox ORDER BY seq LIMIT %s", (limit,)
    )
    return await cur.fetchall()


async def remove(conn: Connection, ids: Sequence[UUID]) -> None:
    """Forget what Kafka acknowledged."""
    await conn.execute("DELETE FROM outbox WHERE id = ANY(%s)", (list(ids),))


async def age(conn: Connection, now: datetime) -> tuple[int, float]:
    """How many messages wait, and for how many seconds the oldest has."""
    cur = await conn.execute("SELECT count(*) AS n, min(created_at) AS oldest FROM outbox")
    row = await cur.fetchone()
    if not row or row["oldest"] is None:
        return 0, 0.0
    return row["n"], max(0.0, (now - row["oldest"]).total_seconds())
