"""The trail: append-only, one hash chain a hazard."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from models.events import Event, broken_at
from store.db import Connection, jsonb


async def append(conn: Connection, events: Sequence[tuple[Event, bytes]]) -> None:
    """Add events with their hashes. The key makes a second landing of one impossible."""
    async with conn.cursor() as cur:
        await cur.executemany(
            "INSERT INTO trail (hazard, seq, at, schema, action, actor, role, before, after, data, hash) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    e.hazard,
                    e.seq,
                    e.at,
                    e.schema,
                    e.action,
                    e.actor,
                    e.role,
                    e.before,
                    e.after,
                    jsonb(dict(e.data)),
                    digest,
                )
                for e, digest in events
            ],
        )


async def of(conn: Connection, hazard: UUID) -> list[dict[str, Any]]:
    """A hazard's trail, oldest first, with hashes."""
    cur = await conn.execute(
        "SELECT seq, at, schema, action, actor, role, before, after, data, hash FROM trail WHERE hazard = %s ORDER BY seq",
        (hazard,),
    )
    return await cur.fetchall()


async def broken(conn: Connection) -> dict[UUID, int]:
    """Hazards whose trail does not hold together, or does not end where the hazard says, with the first bad ``seq``."""
    found: dict[UUID, int] = {}
    async with conn.cursor(name="audit_trail") as cur:
        await cur.execute(
            "SELECT h.id AS hazard, h.version, h.trail_hash, t.seq, t.at, t.schema, t.action, t.actor, t.role, "
            "t.before, t.after, t.data, t.hash FROM hazards h LEFT JOIN trail t ON t.hazard = h.id ORDER BY h.id, t.seq"
        )
        rows: list[dict[str, Any]] = []
        async for row in cur:
            if rows and row["hazard"] != rows[0]["hazard"]:
                _judge(rows, found)
                rows = []
            rows.append(row)
        if rows:
            _judge(rows, found)
    return found


def _judge(rows: list[dict[str, Any]], found: dict[UUID, int]) -> None:
    head = rows[0]
    chain = [(_event(row), bytes(row["hash"])) for row in rows if row["seq"] is not None]
    at = broken_at(chain)
    if at is None and (len(chain) != head["version"] or not chain or chain[-1][1] != bytes(head["trail_hash"])):
        at = len(chain) + 1
    if at is not None:
        found[head["hazard"]] = at


def _event(row: dict[str, Any]) -> Event:
    return Event(**{name: row[name] for name in Event.__slots__})
