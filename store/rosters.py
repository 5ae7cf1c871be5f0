"""Keeping rosters, absences and hand-overs. What was in force before stays, with who ended it."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

import uuid_utils.compat as uuid_utils

from models.duty import Absence, Roster
from models.loop import OPEN_STATES
from models.roles import Role
from store.db import Connection

_COLUMNS = tuple(field.name for field in fields(Roster))


class Unable(ValueError):
    """Somebody in a roster who could not act there: not one of those who hold the role."""


async def put(conn: Connection, roster: Roster, by: str, now: datetime) -> UUID:
    """Put a roster in force in place of the one before. Raises ``Unable`` where somebody does not hold the role there."""
    people = sorted({*roster.people, *roster.holiday_people})
    lacking = set(people) - await _holding(conn, people, roster.role, roster.unit)
    if lacking:
        raise Unable(
            f"{'、'.join(map(str, sorted(lacking)))} 在 {roster.unit} 没有「{roster.role.label}」角色，不能排班"
        )
    await end(conn, roster.unit, roster.role, by, now)
    id = uuid_utils.uuid7()
    await conn.execute(
        f"INSERT INTO rosters (id, set_at, set_by, {', '.join(_COLUMNS)}) VALUES (%s, %s, %s{', %s' * len(_COLUMNS)})",
        (id, now, by, *(_stored(getattr(roster, column)) for column in _COLUMNS)),
    )
    return id


def _stored(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


async def _holding(conn: Connection, people: Sequence[UUID], role: Role, unit: str) -> set[UUID]:
    cur = await conn.execute(
        "SELECT DISTINCT g.account FROM grants g JOIN units held ON held.code = g.unit JOIN units u ON u.code = %s "
        "JOIN accounts a ON a.id = g.account AND a.disabled_at IS NULL "
        "WHERE g.account = ANY(%s) AND g.role = %s AND g.revoked_at IS NULL AND u.path ^@ held.path",
        (unit, list(people), role),
    )
    return {row["account"] for row in await cur.fetchall()}


async def end(conn: Connection, unit: str, role: Role, by: str, now: datetime) -> bool:
    """End the roster in force: from now on whoever holds the role is meant. Whether there was one."""
    cur = await conn.execute(
        "UPDATE rosters SET ended_at = %s, ended_by = %s WHERE unit = %s AND role = %s AND ended_at IS NULL",
        (now, by, unit, role),
    )
    return cur.rowcount > 0


async def away(conn: Connection, absence: Absence, by: str, now: datetime) -> UUID:
    """Note that somebody is away. Raises ``psycopg.errors.CheckViolation`` on an end before its beginning, or a deputy who is the same."""
    id = uuid_utils.uuid7()
    await conn.execute(
        "INSERT INTO absences (id, account, starts_at, ends_at, deputy, set_at, set_by) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (id, absence.account, absence.starts_at, absence.ends_at, absence.deputy, now, by),
    )
    return id


async def absences(conn: Connection, account: UUID, now: datetime) -> list[dict[str, Any]]:
    """Somebody's absences that are not over: ``id, starts_at, ends_at, deputy``."""
    cur = await conn.execute(
        "SELECT id, account, starts_at, ends_at, deputy FROM absences WHERE account = %s AND withdrawn_at IS NULL AND ends_at > %s "
        "ORDER BY starts_at",
        (account, now),
    )
    return await cur.fetchall()


async def back(conn: Connection, id: UUID, account: UUID, by: str, now: datetime) -> bool:
    """Withdraw an absence of somebody; whether there was one."""
    cur = await conn.execute(
        "UPDATE absences SET withdrawn_at = %s, withdrawn_by = %s WHERE id = %s AND account = %s AND withdrawn_at IS NULL",
        (now, by, id, account),
    )
    return cur.rowcount > 0


async def hand_over(
    conn: Connection, unit: str, role: Role, giver: UUID, taker: UUID | None, note: str, now: datetime
) -> UUID:
    """Hand a watch over, with a note and with what is open in the unit at this moment."""
    id = uuid_utils.uuid7()
    await conn.execute(
        "INSERT INTO handovers (id, unit, role, at, from_account, to_account, note, hazards) "
        "SELECT %s, %s, %s, %s, %s, %s, %s, coalesce(array_agg(h.id ORDER BY h.opened_at), '{}') FROM hazards h "
        "WHERE h.stands_at = %s AND h.state = ANY(%s)",
        (id, unit, role, now, giver, taker, note, unit, sorted(OPEN_STATES)),
    )
    return id


async def take_over(conn: Connection, id: UUID, taker: UUID, now: datetime) -> bool:
    """Confirm a hand-over; whether it still waited. Whom it is meant for confirms it, or anybody else than the giver where it is open."""
    cur = await conn.execute(
        "UPDATE handovers SET taken_at = %s, taken_by = %s WHERE id = %s AND taken_at IS NULL AND from_account <> %s "
        "AND (to_account IS NULL OR to_account = %s)",
        (now, taker, id, taker, taker),
    )
    return cur.rowcount > 0


async def handovers(conn: Connection, unit: str, limit: int, before: UUID | None = None) -> list[dict[str, Any]]:
    """Hand-overs of a unit, newest first; ``before`` is the last one of the page before."""
    cur = await conn.execute(
        "SELECT id, unit, role, at, from_account, to_account, note, hazards, taken_at, taken_by FROM handovers "
        "WHERE unit = %(unit)s AND (%(before)s::uuid IS NULL OR id < %(before)s) ORDER BY id DESC LIMIT %(limit)s",
        {"unit": unit, "before": before, "limit": limit},
    )
    return await cur.fetchall()


async def handover(conn: Connection, id: UUID) -> dict[str, Any] | None:
    """One hand-over's ``unit, role``."""
    cur = await conn.execute("SELECT unit, role FROM handovers WHERE id = %s", (id,))
    return await cur.fetchone()


async def is_known(conn: Connection, account: UUID) -> bool:
    """Whether an account is there and open."""
    cur = await conn.execute("SELECT 1 FROM accounts WHERE id = %s AND disabled_at IS NULL", (account,))
    return await cur.fetchone() is not None
