"""Dead letters: what never can land, with the reason and the original bytes, so that nothing is lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from models.reports import BadReport
from store import live, outbox
from store.db import Connection


@dataclass(frozen=True, slots=True)
class Letter:
    """One record that was refused. ``id`` is derived from where it stood, so that a second landing adds nothing."""

    id: UUID
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    reason: str
    field: str
    detail: str


def letter(
    id: UUID, topic: str, partition: int, offset: int, key: bytes | None, value: bytes | None, error: BadReport
) -> Letter:
    """The letter for a record that failed its check."""
    first = error.problems[0]
    return Letter(id, topic, partition, offset, key, value, first.code, first.field, str(error))


async def put(conn: Connection, letters: Sequence[Letter], now: datetime) -> None:
    """Keep letters and tell ``risk.dead`` (without the bytes: those stay in the database)."""
    if not letters:
        return
    cur = await conn.execute("SELECT id FROM dead_letters WHERE id = ANY(%s)", ([x.id for x in letters],))
    known = {row["id"] for row in await cur.fetchall()}
    letters = [x for x in letters if x.id not in known]
    async with conn.cursor() as many:
        await many.executemany(
            'INSERT INTO dead_letters (id, at, topic, partition, "offset", key, value, reason, field, detail) '
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (id) DO NOTHING",
            [(x.id, now, x.topic, x.partition, x.offset, x.key, x.value, x.reason, x.field, x.detail) for x in letters],
        )
    await outbox.put(
        conn,
        [
            outbox.Message(
                "dead",
                x.topic,
                "dead.letter",
                {"schema": 1, "id": str(x.id), "topic": x.topic, "partition": x.partition, "offset": x.offset}
                | {"reason": x.reason, "field": x.field, "at": now.isoformat()},
            )
            for x in letters
        ],
    )
    await live.touch(conn, now)


async def listed(conn: Connection, *, limit: int = 100, replayed: bool = False) -> list[dict[str, Any]]:
    """Letters, newest first; those already replayed only on demand."""
    cur = await conn.execute(
        'SELECT id, at, topic, partition, "offset", key, value, reason, field, detail, replayed_at, dismissed_at, dismissal '
        "FROM dead_letters WHERE %s OR (replayed_at IS NULL AND dismissed_at IS NULL) ORDER BY at DESC, id LIMIT %s",
        (replayed, limit),
    )
    return await cur.fetchall()


async def get(conn: Connection, ids: Sequence[UUID]) -> list[dict[str, Any]]:
    """Letters by id, locked for a replay."""
    cur = await conn.execute(
        "SELECT id, topic, key, value, reason FROM dead_letters WHERE id = ANY(%s) ORDER BY at FOR UPDATE", (list(ids),)
    )
    return await cur.fetchall()


async def mark_replayed(conn: Connection, ids: Sequence[UUID], now: datetime) -> None:
    """Remember that these were sent again. Where one is refused again, it comes back as a letter of its own."""
    await conn.execute("UPDATE dead_letters SET replayed_at = %s WHERE id = ANY(%s)", (now, list(ids)))


async def dismiss(conn: Connection, ids: Sequence[UUID], reason: str, now: datetime) -> int:
    """Settle letters that need no replay (a file that was corrected and taken in again), with the reason; how many."""
    cur = await conn.execute(
        "UPDATE dead_letters SET dismissed_at = %s, dismissal = %s WHERE id = ANY(%s) AND dismissed_at IS NULL",
        (now, reason, list(ids)),
    )
    return cur.rowcount
