"""Deadlines in the database: begun, met, moved, missed. Always under the lock of their hazard's row."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from models.deadlines import Clock, Kind
from models.hazards import Hazard
from models.policy import EARLIEST_MARK, held
from models.transition import Change
from store.db import Connection

RUNNING = "met_at IS NULL AND missed_at IS NULL AND dropped_at IS NULL"
_UNMET = "met_at IS NULL AND dropped_at IS NULL"
# Most rounds are met before any mark of any policy, and then need no look at all (store/reminders.py).
_FIRST_LOOK = f"%(start)s::timestamptz + {EARLIEST_MARK} * (%(due)s::timestamptz - %(start)s::timestamptz)"


async def open_all(conn: Connection, begun: Sequence[tuple[UUID, Kind, datetime, datetime]]) -> None:
    """The first rounds of new hazards: ``(hazard, kind, begun_at, due_at)``."""
    async with conn.cursor() as cur:
        await cur.executemany(
            "INSERT INTO deadlines (hazard, kind, round, begun_at, due_at, remind_at) "
            f"VALUES (%(hazard)s, %(kind)s, 1, %(start)s, %(due)s, {_FIRST_LOOK})",
            [{"hazard": hazard, "kind": kind, "start": start, "due": due} for hazard, kind, start, due in begun],
        )


async def carry_out(conn: Connection, change: Change, clock: Clock) -> None:
    """What a change means for its hazard's deadlines."""
    hazard, now, todo = change.after, change.event.at, change.effects
    if todo.meet:
        await _end(conn, hazard.id, todo.meet, "met_at", now)
    if todo.drop:
        await _end(conn, hazard.id, todo.drop, "dropped_at", now)
    if todo.regrade:
        await _regrade(conn, hazard, clock, now)
    for kind in todo.begin:
        await begin(conn, hazard, kind, now, clock)
    if change.extended:
        kind, until = change.extended
        await _move(conn, hazard.id, kind, until, now)


async def begin(conn: Connection, hazard: Hazard, kind: Kind, start: datetime, clock: Clock) -> datetime | None:
    """Begin the next round of a kind; the instant it falls due, or None where it is not owed.

    Not owed is what the hazard's policy does not ask of its level, and a report to the city where nobody stands above or
    where the hazard has climbed to the tier of its level: then it has been told, and nothing would ever meet the round.
    """
    due = _clock(hazard, clock).due(kind, hazard.level, start)
    told = hazard.chain.top == 0 or (hazard.step > 0 and hazard.routed)
    if due is None or (kind is Kind.REPORT and told):
        return None
    await conn.execute(
        "INSERT INTO deadlines (hazard, kind, round, begun_at, due_at, remind_at) "
        f"SELECT %(hazard)s, %(kind)s, coalesce(max(round), 0) + 1, %(start)s, %(due)s, {_FIRST_LOOK} "
        "FROM deadlines WHERE hazard = %(hazard)s AND kind = %(kind)s",
        {"hazard": hazard.id, "kind": kind, "start": start, "due": due},
    )
    return due


def _clock(hazard: Hazard, clock: Clock) -> Clock:
    """The hazard's own clock: its unit's calendar, and the policy it was opened under."""
    return clock.at(hazard.unit_path, held(hazard.policy))


async def _end(conn: Connection, hazard: UUID, kinds: Sequence[Kind], column: str, now: datetime) -> None:
    await conn.execute(
        f"UPDATE deadlines SET {column} = %s WHERE hazard = %s AND kind = ANY(%s) AND {_UNMET}",
        (now, hazard, list(kinds)),
    )


async def _regrade(conn: Connection, hazard: Hazard, clock: Clock, now: datetime) -> None:
    """A new level sets the running rounds anew, from when they began; what it does not owe is dropped, what it newly owes begins.

    A granted extension outlives a milder level; a graver one than it was granted for ends it.
    """
    cur = await conn.execute(
        f"SELECT kind, round, begun_at, due_at, moved_from FROM deadlines WHERE hazard = %s AND {RUNNING}",
        (hazard.id,),
    )
    own = _clock(hazard, clock)
    for row in await cur.fetchall():
        due = own.due(Kind(row["kind"]), hazard.level, row["begun_at"])
        if due is not None and row["moved_from"] is not None and due >= row["moved_from"]:
            due = max(due, row["due_at"])
        await conn.execute(
            "UPDATE deadlines SET due_at = coalesce(%(due)s, due_at), remind_at = %(now)s, "
            "dropped_at = CASE WHEN %(due)s::timestamptz IS NULL THEN %(now)s END "
            "WHERE hazard = %(hazard)s AND kind = %(kind)s AND round = %(round)s",
            {"due": due, "now": now, "hazard": hazard.id, "kind": row["kind"], "round": row["round"]},
        )
    cur = await conn.execute(
        "SELECT 1 FROM deadlines WHERE hazard = %s AND kind = %s AND dropped_at IS NULL", (hazard.id, Kind.REPORT)
    )
    if await cur.fetchone() is None:
        await begin(conn, hazard, Kind.REPORT, now, clock)


async def _move(conn: Connection, hazard: UUID, kind: Kind, until: datetime, now: datetime) -> None:
    """A granted extension: the running round falls due later; where the last one was missed already, a new one begins.

    Raises ``ValueError`` where nothing of this kind is owed any more.
    """
    cur = await conn.execute(
        "UPDATE deadlines SET moved_from = coalesce(moved_from, due_at), due_at = %s, remind_at = %s "
        f"WHERE hazard = %s AND kind = %s AND {RUNNING}",
        (until, now, hazard, kind),
    )
    if cur.rowcount:
        return
    cur = await conn.execute(
        "INSERT INTO deadlines (hazard, kind, round, begun_at, due_at, remind_at) "
        f"SELECT %(hazard)s, %(kind)s, max(round) + 1, %(start)s, %(due)s, {_FIRST_LOOK} FROM deadlines "
        f"WHERE hazard = %(hazard)s AND kind = %(kind)s AND {_UNMET} HAVING count(*) > 0",
        {"hazard": hazard, "kind": kind, "start": now, "due": until},
    )
    if cur.rowcount == 0:
        raise ValueError(f"「{kind.label}」期限已完成或不适用，不能延期")


async def due(conn: Connection, now: datetime, limit: int) -> list[UUID]:
    """Hazards with a running round past its instant, earliest first."""
    cur = await conn.execute(
        "SELECT hazard FROM (SELECT hazard, min(due_at) AS due_at FROM "
        f"(SELECT hazard, due_at FROM deadlines WHERE {RUNNING} AND due_at <= %s ORDER BY due_at LIMIT %s) d "
        "GROUP BY hazard) e ORDER BY due_at",
        (now, limit),
    )
    return [row["hazard"] for row in await cur.fetchall()]


async def miss(conn: Connection, hazard: UUID, now: datetime) -> list[dict[str, Any]]:
    """Mark what is past its instant as missed: ``kind, round, due_at`` each, earliest first."""
    cur = await conn.execute(
        f"UPDATE deadlines SET missed_at = %s WHERE hazard = %s AND {RUNNING} AND due_at <= %s "
        "RETURNING kind, round, due_at",
        (now, hazard, now),
    )
    return sorted(await cur.fetchall(), key=lambda row: (row["due_at"], row["kind"]))


async def of(conn: Connection, hazard: UUID) -> list[dict[str, Any]]:
    """All rounds of a hazard's deadlines, as they began."""
    cur = await conn.execute(
        "SELECT kind, round, begun_at, due_at, moved_from, met_at, missed_at, dropped_at FROM deadlines "
        "WHERE hazard = %s ORDER BY begun_at, kind, round",
        (hazard,),
    )
    return await cur.fetchall()
