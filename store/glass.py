"""Break-glass: into a closed record with a reason, another person's approval and an end; and the log of who read what."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import uuid_utils.compat as uuid_utils

from models.roles import Actor
from store.db import Connection

# A shift's hand-over at most: who needs longer asks again, and the log shows it.
OPEN_FOR = timedelta(hours=4)


async def ask(conn: Connection, hazard: UUID, actor: Actor, reason: str, now: datetime) -> UUID:
    """Ask to see a closed record; the number of the request."""
    id = uuid_utils.uuid7()
    await conn.execute(
        "INSERT INTO glass (id, hazard, actor, actor_name, unit, reason, asked_at) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (id, hazard, actor.id, actor.name, actor.unit, reason, now),
    )
    return id


async def waiting(conn: Connection, unit: str) -> list[dict[str, Any]]:
    """Requests for records of a unit that nobody has answered yet, oldest first."""
    cur = await conn.execute(
        "SELECT g.id, g.hazard, g.actor_name, g.unit, g.reason, g.asked_at FROM glass g JOIN hazards h ON h.id = g.hazard "
        "WHERE g.approved_at IS NULL AND h.unit = %s ORDER BY g.asked_at",
        (unit,),
    )
    return await cur.fetchall()


async def approve(conn: Connection, id: UUID, approver: Actor, now: datetime) -> bool:
    """Let somebody in; whether there was a request that this person may approve (never one's own, only of one's own unit)."""
    cur = await conn.execute(
        "UPDATE glass g SET approved_by = %s, approved_at = %s, expires_at = %s FROM hazards h "
        "WHERE g.id = %s AND g.approved_at IS NULL AND g.actor <> %s AND h.id = g.hazard AND h.unit = %s",
        (approver.id, now, now + OPEN_FOR, id, approver.id, approver.unit),
    )
    return cur.rowcount == 1


async def log(conn: Connection, actor: Actor, hazards: Sequence[UUID], what: str, now: datetime) -> None:
    """Note who read these records. Written before they are handed out, in the same transaction."""
    async with conn.cursor() as cur:
        await cur.executemany(
            "INSERT INTO access_log (at, actor, role, unit, hazard, what, glass) SELECT %(now)s, %(actor)s, %(role)s, "
            "%(unit)s, %(hazard)s, %(what)s, (SELECT id FROM glass WHERE hazard = %(hazard)s AND actor = %(actor)s "
            "AND expires_at > %(now)s ORDER BY expires_at DESC LIMIT 1)",
            [
                {"now": now, "actor": actor.id, "role": actor.role, "unit": actor.unit, "hazard": h, "what": what}
                for h in hazards
            ],
        )


async def read_of(conn: Connection, hazard: UUID) -> list[dict[str, Any]]:
    """Who read a record, newest first."""
    cur = await conn.execute(
        "SELECT at, actor, role, unit, what, glass FROM access_log WHERE hazard = %s ORDER BY at DESC", (hazard,)
    )
    return await cur.fetchall()
