"""Reminders before a deadline: at the marks of the hazard's policy, each once, only while there is still time to act.

``deadlines.remind_at`` says when to look at a round next; what was sent is a row of ``reminders``. A look finds which
marks have passed and sends the last of them alone: after a pause nobody is told twice at once.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from models.deadlines import Clock, Kind
from models.hazards import Hazard
from models.policy import held
from store import hazards, outbox
from store.db import Connection
from store.deadlines import RUNNING

# Looks are cheap (most find nothing to send and set the next look), so a batch may hold more than a sweep's.
BATCH = 500

_SCHEMA = 1


async def sweep(conn: Connection, now: datetime, clock: Clock, limit: int = BATCH) -> int:
    """Send what is due to be reminded of; how many reminders were sent.

    Hazards that somebody is changing this moment are skipped and met again by the next sweep.
    """
    cur = await conn.execute(
        f"SELECT hazard FROM deadlines WHERE {RUNNING} AND remind_at <= %s ORDER BY remind_at LIMIT %s", (now, limit)
    )
    ids = sorted({row["hazard"] for row in await cur.fetchall()})
    found = {hazard.id: hazard for hazard in await hazards.locked(conn, ids, skip=True)} if ids else {}
    sent, looks = [], []
    for row in await _rounds(conn, list(found), now):
        hazard = found[row["hazard"]]
        mark, again = _look(hazard, row, now, clock)
        looks.append((again, hazard.id, row["kind"], row["round"]))
        if mark is not None:
            sent.append((hazard, row, mark))
    await _write(conn, sent, looks, now)
    return len(sent)


async def _rounds(conn: Connection, ids: Sequence[UUID], now: datetime) -> list[dict[str, Any]]:
    """Rounds to look at, read under their hazards' locks, with the last mark that was sent."""
    cur = await conn.execute(
        "SELECT hazard, kind, round, begun_at, due_at, moved_from, (SELECT max(mark) FROM reminders r WHERE "
        "r.hazard = d.hazard AND r.kind = d.kind AND r.round = d.round AND r.due_at = d.due_at) AS sent "
        f"FROM deadlines d WHERE hazard = ANY(%s) AND {RUNNING} AND remind_at <= %s ORDER BY due_at, hazard, kind",
        (list(ids), now),
    )
    return await cur.fetchall()


def _look(hazard: Hazard, row: dict[str, Any], now: datetime, clock: Clock) -> tuple[float | None, datetime | None]:
    """The mark to remind of now, if any, and when to look again. Nothing after closing, nothing once it is too late."""
    if not hazard.state.is_open or row["due_at"] <= now:
        return None, None
    # A granted extension is a span of its own, from where the deadline was first; one cut shorter counts from its beginning.
    moved = row["moved_from"]
    start = moved if moved is not None and moved < row["due_at"] else row["begun_at"]
    moments = clock.at(hazard.unit_path, held(hazard.policy)).reminders(
        Kind(row["kind"]), hazard.level, start, row["due_at"]
    )
    passed = [mark for mark, at in moments if at <= now]
    again = next((at for _, at in moments if at > now), None)
    mark = passed[-1] if passed and passed[-1] > (row["sent"] or 0) else None
    return mark, again


async def _write(
    conn: Connection,
    sent: Sequence[tuple[Hazard, dict[str, Any], float]],
    looks: Sequence[tuple[datetime | None, UUID, str, int]],
    now: datetime,
) -> None:
    async with conn.cursor() as cur:
        await cur.executemany(
            "UPDATE deadlines SET remind_at = %s WHERE hazard = %s AND kind = %s AND round = %s", looks
        )
        await cur.executemany(
            "INSERT INTO reminders (hazard, kind, round, due_at, mark, sent_at) VALUES (%s, %s, %s, %s, %s, %s)",
            [(h.id, row["kind"], row["round"], row["due_at"], mark, now) for h, row, mark in sent],
        )
    await outbox.put(conn, [_told(hazard, row, mark, now) for hazard, row, mark in sent])


def _told(hazard: Hazard, row: dict[str, Any], mark: float, now: datetime) -> outbox.Message:
    """What ``risk.escalations`` is told: ids, codes and instants; no word and no person."""
    payload = {
        "schema": _SCHEMA,
        "id": str(hazard.id),
        "unit": hazard.unit,
        "level": hazard.level.value,
        "kind": row["kind"],
        "round": row["round"],
        "due_at": row["due_at"].isoformat(),
        "mark": mark,
        "at": now.isoformat(),
    }
    return outbox.Message("escalations", hazard.unit, "reminder.due", payload)
