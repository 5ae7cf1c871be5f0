"""Proof that nothing got lost, and the mending of what is safe to mend (design §5, step 6)."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from models.deadlines import Clock
from models.levels import Level
from store import escalations, outbox, trail
from store.db import Connection

# Landing takes well under a second; a report that waits this long was lost on the way (a broker that lost its disk),
# and sending it again is harmless, because landing is idempotent.
PATIENCE = timedelta(minutes=2)
# A worker that is only away finds its reports where they were: sending them again and again would pile them up for it.
_RESEND = timedelta(minutes=10)
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Findings:
    """What an audit found. All zero and empty: whole."""

    waiting: int
    outbox_age: float
    without_deadline: int
    unrouted: int
    dead: int
    broken: dict[UUID, int]
    gone: tuple[UUID, ...] = ()
    removed: dict[str, int] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether nothing is amiss (dead letters wait for people, and what the rule removed has its stone; they are no breakage)."""
        return not (self.waiting or self.without_deadline or self.unrouted or self.broken or self.gone)


async def examine(conn: Connection, now: datetime) -> Findings:
    """Read everything once: accepted reports landed, open hazards have a next deadline, the trail is whole."""
    counted = await _count(conn, now)
    _, oldest = await outbox.age(conn, now)
    broken, gone, removed = await trail.broken(conn), await _gone(conn), await _removed(conn)
    return Findings(**counted, outbox_age=oldest, broken=broken, gone=gone, removed=removed)


async def _gone(conn: Connection) -> tuple[UUID, ...]:
    """Hazards, and reports, that were here once, are here no longer, and have no tombstone: a hand took them, not the rule."""
    cur = await conn.execute(
        "WITH stones AS (SELECT unnest(gone) AS id FROM tombstones), missing AS ("
        "SELECT i.hazard AS id FROM intake i WHERE i.hazard IS NOT NULL AND NOT EXISTS (SELECT 1 FROM hazards h WHERE h.id = i.hazard) "
        "UNION SELECT t.hazard FROM trail t WHERE NOT EXISTS (SELECT 1 FROM hazards h WHERE h.id = t.hazard) "
        "UNION SELECT coalesce(i.hazard, i.id) FROM intake i WHERE NOT EXISTS (SELECT 1 FROM reports r WHERE r.id = i.id)) "
        "SELECT id FROM missing WHERE id NOT IN (SELECT id FROM stones) ORDER BY id LIMIT %s",
        (_MOST,),
    )
    return tuple(row["id"] for row in await cur.fetchall())


async def _removed(conn: Connection) -> dict[str, int]:
    """How many of each kind the rule has removed."""
    cur = await conn.execute("SELECT kind, sum(count)::bigint AS n FROM tombstones GROUP BY kind ORDER BY kind")
    return {row["kind"]: row["n"] for row in await cur.fetchall()}


async def _count(conn: Connection, now: datetime) -> dict[str, Any]:
    cur = await conn.execute(
        "SELECT (SELECT count(*) FROM intake WHERE landed_at IS NULL AND received_at < %(late)s) AS waiting, "
        "(SELECT count(*) FROM hazards h WHERE state IN ('reported', 'assessed', 'dispatched', 'handling', 'submitted') "
        "AND NOT EXISTS (SELECT 1 FROM deadlines d WHERE d.hazard = h.id AND d.met_at IS NULL AND d.missed_at IS NULL "
        "AND d.dropped_at IS NULL)) AS without_deadline, "
        "(SELECT count(*) FROM (" + _UNROUTED + ") r) AS unrouted, "
        "(SELECT count(*) FROM dead_letters WHERE replayed_at IS NULL AND dismissed_at IS NULL) AS dead",
        {"late": now - PATIENCE, "limit": _MOST},
    )
    return await cur.fetchone() or {}


_UNROUTED = (
    "SELECT id FROM hazards WHERE state IN ('reported', 'assessed', 'dispatched', 'handling', 'submitted') "
    f"AND ((level = '{Level.RED}' AND step < jsonb_array_length(chain) - 1) "
    f"OR (level = '{Level.ORANGE}' AND step < least(1, jsonb_array_length(chain) - 1))) "
    "AND opened_at < %(late)s ORDER BY opened_at LIMIT %(limit)s"
)


async def mend(conn: Connection, now: datetime, clock: Clock) -> dict[str, int]:
    """Send again what was accepted and never landed; lift what never was routed. How many of each."""
    cur = await conn.execute(
        "SELECT r.id, r.schema, r.source, i.source_id, r.unit, r.text, r.place, r.lon, r.lat, r.crs, r.occurred_at, "
        "r.reported_at, r.category, r.level, r.people_affected, r.minors_involved, r.drill, r.attachments "
        "FROM intake i JOIN reports r ON r.id = i.id WHERE i.landed_at IS NULL AND i.received_at < %s "
        "AND (i.resent_at IS NULL OR i.resent_at < %s) AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.aggregatetype = 'reports' AND o.payload->>'id' = i.id::text) "
        "ORDER BY i.received_at LIMIT %s",
        (now - PATIENCE, now - _RESEND, _MOST),
    )
    lost = [_record(row) for row in await cur.fetchall()]
    await outbox.put(conn, [outbox.Message("reports", r["unit"], "report.resent", r) for r in lost])
    await conn.execute("UPDATE intake SET resent_at = %s WHERE id = ANY(%s)", (now, [r["id"] for r in lost]))
    cur = await conn.execute(_UNROUTED, {"late": now - PATIENCE, "limit": _MOST})
    routed = await escalations.route(conn, [row["id"] for row in await cur.fetchall()], now, clock)
    return {"resent": len(lost), "routed": routed}


def _record(row: dict[str, Any]) -> dict[str, Any]:
    """The stored report as the record that once was sent."""
    lon, lat, crs = row.pop("lon"), row.pop("lat"), row.pop("crs")
    record = {name: value for name, value in row.items() if value is not None}
    if lon is not None:
        record["location"] = {"lon": lon, "lat": lat, "crs": crs}
    for name in ("occurred_at", "reported_at"):
        if row[name]:
            record[name] = row[name].isoformat()
    return {**record, "id": str(row["id"])}
