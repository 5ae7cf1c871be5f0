"""Climbing: by level when a hazard's level asks for a higher tier, by time when a deadline is missed, and at once where nobody is on duty."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from models.chain import Chain, ClimbReason, climbed, step_for_level
from models.deadlines import Clock, Kind
from models.duty import manned_step
from models.hazards import Hazard
from models.levels import Level
from models.loop import OPEN_STATES, Action
from models.roles import system
from models.transition import Change, plan
from store import deadlines, duty, hazards, outbox
from store.db import Connection

_ESCALATE, _CLOCK = system("escalate"), system("clock")

_OPEN = f"h.state IN ({', '.join(repr(state.value) for state in sorted(OPEN_STATES))})"

# A sweep's transaction stays short, so that officers never wait behind it; a storm takes several sweeps a second.
BATCH = 200


async def route(conn: Connection, ids: Sequence[UUID], now: datetime, clock: Clock) -> int:
    """Lift hazards to the tier that their level asks for. How many climbed; those already there, or ended, do not."""
    changes = []
    for hazard in await hazards.locked(conn, ids):
        if hazard.state.is_open and not hazard.routed:
            filed = _filed(hazard, step_for_level(hazard.level, hazard.chain), ClimbReason.LEVEL)
            changes.append(plan(hazard, Action.CLIMB, _ESCALATE, filed, now))
    await _write(conn, changes, clock)
    return len(changes)


async def sweep(conn: Connection, now: datetime, clock: Clock, limit: int = BATCH) -> int:
    """Find missed deadlines, lift their hazards one tier each, begin the next rounds. How many were missed.

    Hazards that somebody is changing this moment are skipped and met again by the next sweep: their change may be the
    very act that meets the deadline.
    """
    ids = await deadlines.due(conn, now, limit)
    missed = 0
    for hazard in await hazards.locked(conn, ids, skip=True) if ids else []:
        current = hazard
        for row in await deadlines.miss(conn, hazard.id, now):
            missed += 1
            change = _missed(current, row, now)
            await _write(conn, [change], clock)
            current = change.after
            kind = Kind(row["kind"])
            # The city has been told once the hazard stands where its level belongs: then no further round of it begins.
            if kind.climbs and not (kind is Kind.REPORT and current.routed):
                await deadlines.begin(conn, current, kind, now, clock)
    return missed


async def unmanned(conn: Connection, now: datetime, clock: Clock, limit: int = BATCH) -> int:
    """Lift hazards that stand where nobody is on duty for what they owe, to the nearest tier where somebody is.

    Only units that keep a roster can be unmanned; what counts duty time waits for its hours. How many climbed; at the top
    they stay, for there is nobody above.
    """
    empty = (await duty.book(conn, clock=clock)).unmanned(now)
    if not empty:
        return 0
    cur = await conn.execute(
        "SELECT h.id, h.level, h.unit_path, h.chain, h.step, array_agg(d.kind) AS kinds FROM hazards h "
        f"JOIN deadlines d ON d.hazard = h.id WHERE h.stands_at = ANY(%s) AND {_OPEN} AND {deadlines.RUNNING} "
        "AND h.step < jsonb_array_length(h.chain) - 1 GROUP BY h.id ORDER BY min(d.due_at)",
        (sorted({unit for unit, _ in empty}),),
    )
    steps: dict[UUID, int] = {}
    for row in await cur.fetchall():
        running = Level(row["level"]).urgent or clock.at(row["unit_path"]).calendar.roll(now) <= now
        chain = Chain.from_json(row["chain"])
        step = max(manned_step(chain, row["step"], Kind(kind), empty) for kind in row["kinds"])
        if running and step > row["step"] and len(steps) < limit:
            steps[row["id"]] = step
    changes = [
        plan(hazard, Action.CLIMB, _CLOCK, _filed(hazard, steps[hazard.id], ClimbReason.UNMANNED), now)
        for hazard in (await hazards.locked(conn, list(steps), skip=True) if steps else [])
        # Somebody may have acted between the look and the lock.
        if hazard.state.is_open and hazard.step < steps[hazard.id]
    ]
    await _write(conn, changes, clock)
    return len(changes)


def _missed(hazard: Hazard, row: dict[str, Any], now: datetime) -> Change:
    told = {"kind": row["kind"], "round": row["round"], "due_at": row["due_at"].isoformat()}
    step = climbed(hazard.step, hazard.chain)
    if not Kind(row["kind"]).climbs or step == hazard.step:
        return plan(hazard, Action.MISS, _CLOCK, told, now)
    return plan(hazard, Action.CLIMB, _CLOCK, _filed(hazard, step, ClimbReason.DEADLINE) | told, now)


def _filed(hazard: Hazard, step: int, reason: ClimbReason) -> dict[str, Any]:
    link, target = hazard.chain.at(hazard.step), hazard.chain.at(step)
    return {
        "reason": reason.value,
        "to_step": step,
        "from_unit": link.unit,
        "from_tier": link.tier,
        "to_unit": target.unit,
        "to_tier": target.tier,
    }


async def _write(conn: Connection, changes: Sequence[Change], clock: Clock) -> None:
    if not changes:
        return
    await hazards.write(conn, changes, clock)
    recorded = [(change, _row(change)) for change in changes]
    async with conn.cursor() as cur:
        await cur.executemany(
            "INSERT INTO escalations (hazard, seq, at, reason, kind, round, due_at, from_unit, from_tier, to_unit, to_tier) "
            "VALUES (%(hazard)s, %(seq)s, %(at)s, %(reason)s, %(kind)s, %(round)s, %(due_at)s, "
            "%(from_unit)s, %(from_tier)s, %(to_unit)s, %(to_tier)s)",
            [row for _, row in recorded],
        )
    await outbox.put(
        conn,
        [
            outbox.Message("escalations", change.after.unit, f"escalation.{row['reason']}", _told(change, row))
            for change, row in recorded
        ],
    )


def _row(change: Change) -> dict[str, Any]:
    link, data = change.after.chain.at(change.after.step), change.event.data
    return {
        "hazard": change.after.id,
        "seq": change.event.seq,
        "at": change.event.at,
        "reason": data.get("reason", ClimbReason.DEADLINE.value),
        "kind": data.get("kind"),
        "round": data.get("round"),
        "due_at": data.get("due_at"),
        "from_unit": data.get("from_unit", link.unit),
        "from_tier": data.get("from_tier", link.tier),
        "to_unit": data.get("to_unit", link.unit),
        "to_tier": data.get("to_tier", link.tier),
    }


def _told(change: Change, row: dict[str, Any]) -> dict[str, Any]:
    hazard = change.after
    return {
        "schema": 1,
        **{name: row[name] for name in ("seq", "reason", "kind", "round", "due_at", "from_unit", "to_unit")},
        "id": str(hazard.id),
        "at": change.event.at.isoformat(),
        "from_tier": row["from_tier"],
        "to_tier": row["to_tier"],
        "unit": hazard.unit,
        "level": hazard.level.value,
        "subcategory": hazard.subcategory,
    }
