"""Taking notices out to send: claimed by one sender at a time, recorded when it is known what became of them. Sending itself: ``store/sending.py``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import uuid_utils.compat as uuid_utils

from models.deadlines import Clock
from models.levels import Level
from models.loop import State
from models.notices import Happening, leader_above
from models.notices_schedule import CLAIM, Lot, Outlook, Pending, again_at, backoff, look
from models.notices_text import Told
from models.roles import Role
from store import channels, hazards, notices, told
from store.channels import Way
from store.db import Connection


@dataclass(frozen=True, slots=True)
class Part:
    """One message: its id, which notices, and what it tells of each."""

    id: UUID
    lot: Lot
    told: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """Messages of one recipient that this process is to send, and must record before the claim runs out."""

    id: UUID
    recipient: str
    ways: tuple[Way, ...]
    parts: tuple[Part, ...]


async def recipients_due(conn: Connection, now: datetime, limit: int) -> list[str]:
    """Recipients with something due, the gravest and longest waiting first. None that somebody is sending to."""
    cur = await conn.execute(
        f"SELECT recipient FROM notices WHERE {notices.LIVE} AND next_at <= %(now)s GROUP BY recipient "
        "HAVING coalesce(max(claimed_until), '-infinity') < %(now)s "
        "ORDER BY bool_or(level IN ('red', 'orange')) DESC, min(next_at) LIMIT %(limit)s",
        {"now": now, "limit": limit},
    )
    return [row["recipient"] for row in await cur.fetchall()]


async def claim(conn: Connection, recipient: str, now: datetime, clock: Clock) -> Claim | None:
    """Look at all that is pending for a recipient, write down what waits or ends, and take what is to be sent now; None for nothing.

    One look a recipient at a time, whoever sends: a group split between two senders would be two messages.
    """
    cur = await conn.execute(
        "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0)) AS got", (f"notices {recipient}",)
    )
    row = await cur.fetchone()
    if not row or not row["got"]:
        return None
    cur = await conn.execute(
        "SELECT n.*, h.state AS stands FROM notices n JOIN hazards h ON h.id = n.hazard "
        "WHERE n.recipient = %s AND n.acknowledged_at IS NULL AND n.ended_at IS NULL ORDER BY n.id FOR UPDATE OF n SKIP LOCKED",
        (recipient,),
    )
    rows = {row["id"]: row for row in await cur.fetchall()}
    if any(row["claimed_until"] is not None and row["claimed_until"] > now for row in rows.values()):
        return None
    found_ways = await channels.ways(conn, recipient, now)
    outlook = look([_pending(row) for row in rows.values()], [way.quiet for way in found_ways], now)
    await _write(conn, outlook, now)
    await _raise(conn, [rows[id] for id in outlook.raised], now, clock)
    if not outlook.lots:
        return None
    claim_id = uuid_utils.uuid7()
    await conn.execute(
        "UPDATE notices SET claim = %s, claimed_until = %s, held = NULL WHERE id = ANY(%s)",
        (claim_id, now + CLAIM, [id for lot in outlook.lots for id in lot.notices]),
    )
    parts = tuple(
        Part(uuid_utils.uuid7(), lot, tuple(told.told(rows[id]) for id in lot.notices)) for lot in outlook.lots
    )
    return Claim(claim_id, recipient, tuple(found_ways), parts)


def _pending(row: Mapping[str, Any]) -> Pending:
    return Pending(
        id=row["id"],
        unit=row["unit"],
        level=Level(row["level"]),
        happening=Happening(row["happening"]),
        state=State(row["state"]),
        stands=State(row["stands"]),
        created_at=row["created_at"],
        next_at=row["next_at"],
        first_told_at=row["first_told_at"],
        held=row["held"],
        raised=row["raised"],
    )


async def _write(conn: Connection, outlook: Outlook, now: datetime) -> None:
    async with conn.cursor() as cur:
        await cur.executemany(
            "UPDATE notices SET ended_at = %s, ended = %s, held = NULL WHERE id = %s",
            [(now, why, id) for id, why in outlook.ended],
        )
        await cur.executemany(
            "UPDATE notices SET held = %s, next_at = %s WHERE id = %s", [(why, at, id) for id, why, at in outlook.waits]
        )


async def _raise(conn: Connection, rows: Sequence[Mapping[str, Any]], now: datetime, clock: Clock) -> None:
    """Tell the leader that nobody answered, once for each of these notices."""
    if not rows:
        return
    plans = []
    for row in rows:
        hazard = await hazards.get(conn, row["hazard"])
        target = leader_above(hazard.chain, row["at_unit"], was_leader=row["role"] == Role.LEADER)
        if target is not None:
            key = row["key"] if row["key"].startswith("unanswered:") else f"unanswered:{row['key']}"
            level, state = Level(row["level"]), State(row["state"])
            plans.append(
                notices.Plan(hazard, f"{key}@{target.step}", (target,), row["seq"], level, state, but=row["account"])
            )
    await notices.plan(conn, plans, now, clock)
    await conn.execute("UPDATE notices SET raised = true WHERE id = ANY(%s)", ([row["id"] for row in rows],))


async def record(conn: Connection, claim: Claim, lot: Lot, sent: bool, now: datetime) -> None:
    """A message of a claim went through, or did not: when it is told again. A claim that another has taken over changes nothing."""
    cur = await conn.execute(
        "SELECT id, level, times, failures FROM notices WHERE id = ANY(%s) AND claim = %s FOR UPDATE",
        (list(lot.notices), claim.id),
    )
    updates = [
        {
            "id": row["id"],
            "now": now,
            "sent": sent,
            "next": again_at(Level(row["level"]), row["times"] + 1, now)
            if sent
            else now + backoff(row["failures"] + 1),
        }
        for row in await cur.fetchall()
    ]
    async with conn.cursor() as write:
        await write.executemany(
            "UPDATE notices SET claim = NULL, claimed_until = NULL, next_at = %(next)s, "
            "times = times + %(sent)s::boolean::int, failures = CASE WHEN %(sent)s THEN 0 ELSE failures + 1 END, "
            "told_at = CASE WHEN %(sent)s THEN %(now)s ELSE told_at END, "
            "first_told_at = CASE WHEN %(sent)s THEN coalesce(first_told_at, %(now)s) ELSE first_told_at END WHERE id = %(id)s",
            updates,
        )
