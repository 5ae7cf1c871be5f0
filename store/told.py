"""Who was told of what, read: by the person, by the hazard, and by what has reached nobody."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from models.levels import Level
from models.notices import Happening
from models.notices_text import Told
from store.db import Connection
from store.notices import LIVE


async def page(
    conn: Connection, account: UUID, open: bool | None, limit: int, after: UUID | None
) -> list[dict[str, Any]]:
    """Somebody's notices, newest first; ``after`` is the last one of the page before (ids are in the order of time)."""
    cur = await conn.execute(
        "SELECT * FROM notices WHERE account = %(account)s AND (%(after)s::uuid IS NULL OR id < %(after)s) "
        f"AND (%(open)s::boolean IS NULL OR ({LIVE}) = %(open)s) ORDER BY id DESC LIMIT %(limit)s",
        {"account": account, "after": after, "open": open, "limit": limit},
    )
    return await cur.fetchall()


async def found(conn: Connection, account: UUID, id: UUID) -> dict[str, Any] | None:
    """One of somebody's notices, or None."""
    cur = await conn.execute("SELECT * FROM notices WHERE id = %s AND account = %s", (id, account))
    return await cur.fetchone()


async def of_hazard(conn: Connection, hazard: UUID) -> list[dict[str, Any]]:
    """All notices of a hazard, oldest first, with the person's ``name`` and their ``deliveries``: ``at, kind, sent, reason``."""
    cur = await conn.execute(
        "SELECT n.*, a.name, coalesce((SELECT jsonb_agg(jsonb_build_object('at', d.at, 'kind', c.kind, 'sent', d.sent, "
        "'reason', d.reason) ORDER BY d.at) FROM deliveries d JOIN channels c ON c.id = d.channel "
        "WHERE d.recipient = n.recipient AND d.at >= n.created_at AND n.id = ANY(d.notices)), '[]') AS deliveries "
        "FROM notices n LEFT JOIN accounts a ON a.id = n.account WHERE n.hazard = %s ORDER BY n.id",
        (hazard,),
    )
    return await cur.fetchall()


# What operators ask for: everything that is open, what is to be sent, and what has reached nobody.
WANTED = {
    "list": "true",
    "pending": LIVE,
    "failing": f"{LIVE} AND first_told_at IS NULL AND (failures > 0 OR held = 'no_channel')",
}


async def listed(conn: Connection, wanted: str, limit: int) -> list[dict[str, Any]]:
    """Notices of everybody, newest first: a key of ``WANTED``."""
    cur = await conn.execute(f"SELECT * FROM notices WHERE {WANTED[wanted]} ORDER BY id DESC LIMIT %s", (limit,))
    return await cur.fetchall()


def told(row: Mapping[str, Any]) -> Told:
    """What a message tells of a row."""
    return Told(
        hazard=row["hazard"],
        level=Level(row["level"]),
        happening=Happening(row["happening"]),
        subcategory=row["subcategory"],
        unit_name=row["unit_name"],
        due_kind=row["due_kind"],
        due_at=row["due_at"],
    )
