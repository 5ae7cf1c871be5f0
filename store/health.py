"""A few cheap figures for operators: what waits, how long, what is amiss."""

from datetime import datetime
from typing import Any

from models.levels import Level
from store import outbox
from store.db import Connection
from store.deadlines import RUNNING


async def gauges(conn: Connection, now: datetime) -> dict[str, Any]:
    """``outbox, outbox_age`` (s)``, waiting, dead, overdue, open`` (by level)."""
    cur = await conn.execute(
        "SELECT (SELECT count(*) FROM intake WHERE landed_at IS NULL) AS waiting, "
        "(SELECT count(*) FROM dead_letters WHERE replayed_at IS NULL AND dismissed_at IS NULL) AS dead, "
        f"(SELECT count(*) FROM deadlines WHERE {RUNNING} AND due_at <= %s) AS overdue",
        (now,),
    )
    row = await cur.fetchone() or {}
    cur = await conn.execute(
        "SELECT level, count(*) AS n FROM hazards "
        "WHERE state IN ('reported', 'assessed', 'dispatched', 'handling', 'submitted') GROUP BY level"
    )
    counts = {found["level"]: found["n"] for found in await cur.fetchall()}
    waiting, age = await outbox.age(conn, now)
    return {**row, "outbox": waiting, "outbox_age": age, "open": {level.value: counts.get(level, 0) for level in Level}}


async def stuck(conn: Connection, now: datetime, seconds: float) -> bool:
    """Whether a report waits this long although it was sent, and none has landed meanwhile: then the agents have stalled."""
    cur = await conn.execute(
        "SELECT EXISTS (SELECT 1 FROM intake WHERE landed_at IS NULL AND received_at < %s - make_interval(secs => %s)) "
        "AND NOT EXISTS (SELECT 1 FROM outbox WHERE aggregatetype = 'reports') "
        "AND NOT EXISTS (SELECT 1 FROM intake WHERE landed_at > %s - make_interval(secs => %s)) AS stuck",
        (now, seconds, now, seconds),
    )
    row = await cur.fetchone()
    return bool(row and row["stuck"])
