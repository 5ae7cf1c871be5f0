"""What has been kept for long enough, and how it goes: small batches, through the database's own rule where law guards it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.retention import Kept, Term
from store.db import Connection

# A batch's locks are held for some tens of milliseconds, and a hazard brings some forty rows with it.
BATCH = 200
# Rows of logs are single ones.
_BATCH_OF = {Kept.HAZARDS: BATCH, Kept.REPORTS: 1000}
_LOG_BATCH = 5000


@dataclass(frozen=True, slots=True)
class Due:
    """How many of a kind have been kept for their term, and up to when."""

    kind: Kept
    term: Term
    before: datetime
    count: int


# Each counts what its deletion would take; of hazards those that stand alone and those merged into them.
_COUNT: Mapping[Kept, str] = {
    Kept.HAZARDS: "SELECT count(*) AS n FROM hazards x JOIN hazards h ON h.id = coalesce(x.merged_into, x.id) "
    "WHERE h.merged_into IS NULL AND h.opened_at < %(before)s "
    "AND ((h.state = 'archived' AND h.archived_at < %(before)s) OR h.state = 'rejected') "
    "AND NOT EXISTS (SELECT 1 FROM hazards f JOIN trail t ON t.hazard = f.id "
    "WHERE (f.id = h.id OR f.merged_into = h.id) AND t.at >= %(before)s) "
    "AND NOT EXISTS (SELECT 1 FROM glass g JOIN hazards f ON f.id = g.hazard WHERE (f.id = h.id OR f.merged_into = h.id) "
    "AND coalesce(g.expires_at, g.asked_at) >= now() - keeping_floor('access_log'))",
    Kept.REPORTS: "SELECT count(*) AS n FROM intake i WHERE i.outcome = 'quiet' AND i.landed_at < %(before)s "
    "AND EXISTS (SELECT 1 FROM reports r WHERE r.id = i.id)",
    Kept.ACCESS_LOG: "SELECT count(*) AS n FROM access_log WHERE at < %(before)s",
    Kept.REFUSALS: "SELECT count(*) AS n FROM refusals WHERE at < %(before)s",
    Kept.DELIVERIES: "SELECT count(*) AS n FROM deliveries WHERE at < %(before)s",
    Kept.SESSIONS: "SELECT count(*) AS n FROM sessions WHERE expires_at < %(before)s",
    Kept.ATTEMPTS: "SELECT count(*) AS n FROM attempts WHERE last_at < %(before)s",
}
# No law guards these, so no stone is set for them.
_DELETE: Mapping[Kept, str] = {
    Kept.DELIVERIES: "DELETE FROM deliveries WHERE ctid IN (SELECT ctid FROM deliveries WHERE at < %(before)s ORDER BY at "
    "LIMIT %(most)s)",
    Kept.SESSIONS: "DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions WHERE expires_at < %(before)s LIMIT %(most)s)",
    Kept.ATTEMPTS: "DELETE FROM attempts WHERE bucket IN (SELECT bucket FROM attempts WHERE last_at < %(before)s "
    "LIMIT %(most)s FOR UPDATE SKIP LOCKED)",
}


async def due(conn: Connection, terms: Mapping[Kept, Term], now: datetime) -> list[Due]:
    """What would go now, a line a kind."""
    found = []
    for kind in Kept:
        before = terms[kind].before(now)
        row = await (await conn.execute(_COUNT[kind], {"before": before})).fetchone()
        found.append(Due(kind, terms[kind], before, int(row["n"]) if row else 0))
    return found


async def forget(conn: Connection, kind: Kept, term: Term, by: str, now: datetime) -> int:
    """One batch of a kind, in the caller's transaction; how many rows of it went. 0: none are left.

    Raises ``psycopg.errors.RestrictViolation`` where the database finds them too young.
    """
    values = {"kind": kind.value, "before": term.before(now), "most": _BATCH_OF.get(kind, _LOG_BATCH), "by": by}
    if not kind.guarded:
        return (await conn.execute(_DELETE[kind], values)).rowcount
    # A clock here that runs seconds ahead of the database's must not ask for what is seconds too young.
    cur = await conn.execute(
        "SELECT forget(%(kind)s, least(%(before)s, now() - keeping_floor(%(kind)s)), %(most)s, %(by)s) AS went", values
    )
    row = await cur.fetchone()
    return int(row["went"]) if row else 0


async def stones(conn: Connection, limit: int = 50) -> list[dict[str, Any]]:
    """What went by the rule, newest first: ``id, at, kind, count, until, by, heads``."""
    cur = await conn.execute(
        "SELECT id, at, kind, count, until, by, encode(heads, 'hex') AS heads FROM tombstones ORDER BY id DESC LIMIT %s",
        (limit,),
    )
    return await cur.fetchall()
