"""Notices of the weather service. A translator of CAP 1.2 and the plain JSON of the API both end in ``announce``."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

import orjson

from models.levels import Level
from models.warnings.weather import AHEAD, Event, Notice
from store.db import Connection


class Conflict(ValueError):
    """The id is known with another body: a changed notice needs an id of its own, and names the one that it replaces."""


async def announce(
    conn: Connection, notice: Notice, headline: str | None, replaces: Sequence[str], caller: str, now: datetime
) -> bool:
    """Keep a notice, and end those that it replaces; whether it was new. The same body again changes nothing. Raises ``Conflict``."""
    body = [notice.event, notice.severity, notice.areas, notice.onset, notice.expires, notice.exercise, headline]
    digest = hashlib.sha256(orjson.dumps([*body, list(replaces)])).digest()
    cur = await conn.execute(
        "INSERT INTO weather (id, digest, event, severity, areas, onset, expires, headline, exercise, received_at, caller) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (id) DO NOTHING",
        (
            notice.id,
            digest,
            notice.event.value,
            notice.severity.value,
            list(notice.areas),
            notice.onset,
            notice.expires,
            headline,
            notice.exercise,
            now,
            caller,
        ),
    )
    if not cur.rowcount:
        row = await (await conn.execute("SELECT digest FROM weather WHERE id = %s", (notice.id,))).fetchone()
        if row is None or bytes(row["digest"]) != digest:
            raise Conflict(notice.id)
        return False
    await end(conn, replaces, notice.id, now)
    return True


async def end(conn: Connection, ids: Sequence[str], by: str, now: datetime) -> int:
    """End notices before their hour (a cancel, or a later one); how many were in force."""
    cur = await conn.execute(
        "UPDATE weather SET ended_at = %s, ended_by = %s WHERE id = ANY(%s) AND ended_at IS NULL AND id <> %s",
        (now, by, list(ids), by),
    )
    return cur.rowcount


async def areas(conn: Connection, ids: Sequence[str]) -> dict[str, list[str]]:
    """The areas of known notices, by id."""
    cur = await conn.execute("SELECT id, areas FROM weather WHERE id = ANY(%s)", (list(ids),))
    return {row["id"]: row["areas"] for row in await cur.fetchall()}


async def in_force(conn: Connection, now: datetime) -> list[Notice]:
    """Notices that hold now or within a day; exercises too, which warn of nothing."""
    cur = await conn.execute(
        "SELECT id, event, severity, areas, onset, expires, exercise FROM weather "
        "WHERE ended_at IS NULL AND expires > %s AND onset <= %s ORDER BY onset, id",
        (now, now + AHEAD),
    )
    return [
        Notice(**row | {"event": Event(row["event"]), "severity": Level(row["severity"]), "areas": tuple(row["areas"])})
        for row in await cur.fetchall()
    ]
