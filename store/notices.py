"""Notices in the database: planned once an event and recipient, acknowledged, ended. Read: ``store/told.py``. Taking them out to send: ``store/claims.py``."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import uuid_utils.compat as uuid_utils

from models.deadlines import Clock
from models.hazards import Hazard
from models.levels import Level
from models.loop import State
from models.notices import Happening, Target
from models.notices_schedule import first_at
from models.roles import Role
from store import channels, duty, hazards
from store.db import Connection
from store.deadlines import RUNNING
from store.duty import Book

LIVE = "acknowledged_at IS NULL AND ended_at IS NULL"


@dataclass(frozen=True, slots=True)
class Plan:
    """An event of a hazard and whom it tells; ``but`` is the account of who did it, and needs no telling."""

    hazard: Hazard
    key: str
    targets: tuple[Target, ...]
    seq: int
    level: Level
    state: State
    due: tuple[str, datetime] | None = None
    but: UUID | None = None


async def of_hazards(conn: Connection, ids: Sequence[UUID]) -> dict[UUID, Hazard]:
    """Hazards by id, as they are now; not locked, for nothing of them is changed."""
    columns = ", ".join(hazards.COLUMNS)
    cur = await conn.execute(f"SELECT {columns} FROM hazards WHERE id = ANY(%s)", (list(set(ids)),))
    return {row["id"]: hazards.typed(row) for row in await cur.fetchall()}


async def actors(conn: Connection, events: Sequence[tuple[UUID, int]]) -> dict[tuple[UUID, int], str]:
    """Who did these events, by hazard and number."""
    cur = await conn.execute(
        "SELECT t.hazard, t.seq, t.actor FROM trail t JOIN unnest(%s::uuid[], %s::int[]) e(hazard, seq) "
        "ON t.hazard = e.hazard AND t.seq = e.seq",
        ([hazard for hazard, _ in events], [seq for _, seq in events]),
    )
    return {(row["hazard"], row["seq"]): row["actor"] for row in await cur.fetchall()}


async def plan(conn: Connection, plans: Sequence[Plan], now: datetime, clock: Clock) -> int:
    """Write who is to be told of what; how many notices are new. The same event again changes nothing.

    Where nobody of a unit is on duty in any of the roles, those of the next unit of the chain are told; where there is
    nobody up to the top, the unit itself is, so that it shows among what reached nobody.
    """
    if not plans:
        return 0
    units = sorted({link.unit for one in plans for link in one.hazard.chain.links})
    book, groups = await duty.book(conn, units, clock), await channels.have(conn, units)
    rows = [row for one in plans for row in _rows(one, book, groups, now)]
    last = await _last(conn, sorted({row["recipient"] for row in rows}))
    due = await _due(conn, sorted({one.hazard.id for one in plans}))
    new = 0
    async with conn.cursor() as cur:
        for row in rows:
            kind, at = row.pop("due") or due.get(row["hazard"], (None, None))
            level = row["level"]
            row |= {
                "due_kind": kind,
                "due_at": at,
                "next_at": first_at(level, now, last.get((row["recipient"], level))),
            }
            await cur.execute(
                f"INSERT INTO notices ({', '.join(row)}) VALUES ({', '.join(f'%({name})s' for name in row)}) "
                "ON CONFLICT (hazard, key, recipient) DO NOTHING",
                row,
            )
            new += cur.rowcount
    return new


def _rows(plan: Plan, book: Book, groups: set[str], now: datetime) -> list[dict[str, Any]]:
    rows: dict[str, dict[str, Any]] = {}
    for target in plan.targets:
        step, people = _nearest(plan, target, book, now)
        unit = plan.hazard.chain.at(step).unit
        for person in people:
            if person.account != plan.but:
                rows.setdefault(f"account:{person.account}", _row(plan, target, unit, person.role, person.account, now))
        # A group of a unit may hold people who are not named for its confidential lanes.
        # That nobody answered is no news to nobody: what reached nobody shows as such already.
        if (unit in groups and not plan.hazard.confidential) or not (
            people or target.happening is Happening.UNANSWERED
        ):
            rows.setdefault(f"unit:{unit}", _row(plan, target, unit, None, None, now))
    return [{"recipient": recipient, **row} for recipient, row in rows.items()]


def _nearest(plan: Plan, target: Target, book: Book, now: datetime) -> tuple[int, list[duty.Recipient]]:
    """The first step from the target's upwards where somebody is on duty; the target's own, and nobody, where nobody is."""
    chain = plan.hazard.chain
    # Whoever did not answer does not answer for it either, should they be the leader too.
    silent = plan.but if target.happening is Happening.UNANSWERED else None
    for step in range(target.step, chain.top + 1):
        people = [one for role in target.roles for one in book.people(chain.at(step).unit, role, now)]
        if people := [one for one in people if one.account != silent]:
            return step, people
    return target.step, []


def _row(
    plan: Plan, target: Target, unit: str, role: Role | None, account: UUID | None, now: datetime
) -> dict[str, Any]:
    hazard = plan.hazard
    return {
        "id": uuid_utils.uuid7(),
        "hazard": hazard.id,
        "key": plan.key,
        "seq": plan.seq,
        "account": account,
        "at_unit": unit,
        "role": role,
        "happening": target.happening,
        "level": plan.level,
        "state": plan.state,
        "unit": hazard.unit,
        "unit_name": hazard.chain.at(0).name,
        "subcategory": hazard.subcategory,
        "created_at": now,
        "due": plan.due,
    }


async def _last(conn: Connection, recipients: Sequence[str]) -> dict[tuple[str, str], datetime]:
    """When each recipient was last told of each level."""
    cur = await conn.execute(
        "SELECT recipient, level, max(told_at) AS at FROM notices WHERE recipient = ANY(%s) AND told_at IS NOT NULL "
        "GROUP BY recipient, level",
        (list(recipients),),
    )
    return {(row["recipient"], row["level"]): row["at"] for row in await cur.fetchall()}


async def _due(conn: Connection, ids: Sequence[UUID]) -> dict[UUID, tuple[str, datetime]]:
    """The next running deadline of each hazard."""
    cur = await conn.execute(
        f"SELECT DISTINCT ON (hazard) hazard, kind, due_at FROM deadlines WHERE hazard = ANY(%s) AND {RUNNING} "
        "ORDER BY hazard, due_at",
        (list(ids),),
    )
    return {row["hazard"]: (row["kind"], row["due_at"]) for row in await cur.fetchall()}


async def end_moved_on(conn: Connection, changed: Mapping[UUID, int], now: datetime) -> None:
    """A hazard has another state since the event of this number: what asked for an act before it is over, told or not.

    By event and not by state alone, for a state may come again: handed in, sent back, handed in.
    """
    await conn.execute(
        "UPDATE notices n SET ended_at = %(now)s, ended = 'moved_on', held = NULL FROM unnest(%(ids)s::uuid[], %(seqs)s::int[]) c(id, seq) "
        f"WHERE n.hazard = c.id AND {LIVE} AND n.seq < c.seq "
        "AND n.happening <> 'instructed' AND (n.first_told_at IS NOT NULL OR n.happening = ANY(%(asking)s))",
        {
            "now": now,
            "ids": list(changed),
            "seqs": list(changed.values()),
            "asking": [happening.value for happening in Happening if happening.asks],
        },
    )
    await conn.execute(
        f"UPDATE notices n SET next_at = %(now)s WHERE n.held = 'bigger' AND {LIVE} AND n.recipient IN "
        "(SELECT recipient FROM notices WHERE hazard = ANY(%(ids)s) AND ended_at = %(now)s)",
        {"now": now, "ids": list(changed)},
    )


async def acknowledge(
    conn: Connection, account: UUID, ids: Sequence[UUID] | None, units: Sequence[str], now: datetime
) -> int:
    """One's own notices of these ids (None: all), as received; how many were open. The hazard's state is nobody's business here.

    ``units`` are those whose own channels one may answer for: their notices of the same events are acknowledged with it.
    What was held back below an acknowledged one is looked at again at once.
    """
    who = f"account:{account}"
    cur = await conn.execute(
        f"UPDATE notices SET acknowledged_at = %s, acknowledged_by = %s, held = NULL WHERE account = %s AND {LIVE} "
        "AND (%s::uuid[] IS NULL OR id = ANY(%s)) RETURNING hazard, key, unit",
        (now, who, account, None if ids is None else list(ids), None if ids is None else list(ids)),
    )
    rows = await cur.fetchall()
    if rows:
        await conn.execute(
            f"UPDATE notices n SET acknowledged_at = %s, acknowledged_by = %s, held = NULL "
            f"FROM unnest(%s::uuid[], %s::text[]) a(hazard, key) WHERE n.hazard = a.hazard AND n.key = a.key AND {LIVE} "
            "AND n.account IS NULL AND n.at_unit = ANY(%s)",
            (now, who, [row["hazard"] for row in rows], [row["key"] for row in rows], list(units)),
        )
        await conn.execute(
            f"UPDATE notices SET next_at = %s WHERE held = 'bigger' AND {LIVE} AND unit = ANY(%s) "
            "AND recipient = ANY(%s)",
            (now, sorted({row["unit"] for row in rows}), [who, *(f"unit:{unit}" for unit in units)]),
        )
    return len(rows)
