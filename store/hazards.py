"""Hazards in the database. ``apply`` is the one way in which a hazard changes (design §1, rule 3)."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from models.chain import Chain
from models.deadlines import Clock
from models.hazards import Hazard, notice
from models.levels import Level
from models.loop import OPEN_STATES, Action, State
from models.roles import Actor, system
from models.transition import Change, plan
from store import deadlines, live, outbox, suggestions, trail
from store.db import Connection, jsonb

_JSON = ("reasons", "settlements", "lowering", "extension")
COLUMNS = tuple(f.name for f in fields(Hazard))
_DERIVED = ("tier", "stands_at", "confidential")
_FIXED = (
    "id",
    "unit",
    "unit_path",
    "chain",
    "opened_at",
    "drill",
    "machine_subcategory",
    "machine_level",
)
_MUTABLE = tuple(c for c in (*COLUMNS, *_DERIVED) if c not in _FIXED)


_MASTER = system("master")
# From these a hazard is reopened; what was merged into it goes with it.
_ENDED = (State.CLOSED, State.REVIEWING)


class NotFound(LookupError):
    """No hazard has this id (or none that the caller may see)."""


class Stale(Exception):
    """The hazard has changed since the caller looked: ``current`` is its version now."""

    def __init__(self, current: int) -> None:
        super().__init__(f"the hazard has changed meanwhile: its version is {current}")
        self.current = current


def typed(row: Mapping[str, Any]) -> Hazard:
    """A row of the table as a ``Hazard``."""
    values = {name: row[name] for name in COLUMNS}
    return Hazard(
        **values
        | {
            "level": Level(row["level"]),
            "state": State(row["state"]),
            "chain": Chain.from_json(row["chain"]),
            "machine_level": row["machine_level"] and Level(row["machine_level"]),
            "reasons": tuple(row["reasons"]),
            "reporters": frozenset(row["reporters"]),
            "handlers": frozenset(row["handlers"]),
            "trail_hash": bytes(row["trail_hash"]),
        }
    )


def _value(hazard: Hazard, column: str) -> Any:
    value = getattr(hazard, column)
    if column == "chain":
        return jsonb(value.as_json())
    if column in _JSON:
        return jsonb(list(value) if isinstance(value, tuple) else value and dict(value))
    return sorted(value) if isinstance(value, frozenset) else value


async def get(conn: Connection, id: UUID, *, lock: bool = False) -> Hazard:
    """One hazard; with ``lock``, nobody else changes it until the transaction ends. Raises ``NotFound``."""
    cur = await conn.execute(
        f"SELECT {', '.join(COLUMNS)} FROM hazards WHERE id = %s {'FOR UPDATE' if lock else ''}",
        (id,),
    )
    row = await cur.fetchone()
    if row is None:
        raise NotFound(f"no hazard {id}")
    return typed(row)


async def locked(conn: Connection, ids: Sequence[UUID], *, skip: bool = False) -> list[Hazard]:
    """Several hazards, locked in the order of their ids so that two transactions cannot wait for each other.

    With ``skip``, those that somebody else holds are left out: they will be met again.
    """
    cur = await conn.execute(
        f"SELECT {', '.join(COLUMNS)} FROM hazards WHERE id = ANY(%s) ORDER BY id "
        f"FOR UPDATE {'SKIP LOCKED' if skip else ''}",
        (list(ids),),
    )
    return [typed(row) for row in await cur.fetchall()]


async def insert(conn: Connection, hazards: Sequence[Hazard]) -> None:
    """New hazards."""
    columns = (*COLUMNS, *_DERIVED)
    async with conn.cursor() as cur:
        await cur.executemany(
            f"INSERT INTO hazards ({', '.join(columns)}) VALUES ({', '.join(['%s'] * len(columns))})",
            [tuple(_value(hazard, column) for column in columns) for hazard in hazards],
        )


async def write(conn: Connection, changes: Sequence[Change], clock: Clock) -> None:
    """Write changes of locked hazards: the rows, their events, their deadlines, what Kafka and the wall are told."""
    async with conn.cursor() as cur:
        await cur.executemany(
            f"UPDATE hazards SET {', '.join(f'{c} = %s' for c in _MUTABLE)} WHERE id = %s",
            [(*(_value(c.after, column) for column in _MUTABLE), c.after.id) for c in changes],
        )
    await trail.append(conn, [(change.event, change.after.trail_hash) for change in changes])
    for change in changes:
        await deadlines.carry_out(conn, change, clock)
    await outbox.put(conn, [message(change) for change in changes])
    await live.tell_changes(conn, changes)


def message(change: Change) -> outbox.Message:
    """What ``risk.hazards`` is told of a change."""
    payload = notice(change.after, change.event.action, change.event.at, change.event.data)
    return outbox.Message("hazards", change.after.unit, f"hazard.{change.event.action}", payload)


async def apply(
    conn: Connection,
    id: UUID,
    action: Action,
    actor: Actor,
    filed: Mapping[str, Any],
    now: datetime,
    clock: Clock,
    *,
    version: int | None = None,
) -> Change:
    """Apply one transition, in the caller's transaction.

    Raises ``NotFound``, ``Stale`` where ``version`` is not the current one, ``models.loop.Refused`` where the loop
    forbids it, and ``ValueError`` for a merge into a hazard that cannot take it.
    """
    hazard = await get(conn, id, lock=True)
    if version is not None and version != hazard.version:
        raise Stale(hazard.version)
    change = plan(hazard, action, actor, filed, now)
    if action is Action.MERGE:
        await _check_master(conn, hazard, change.after.merged_into)
    await write(conn, [change], clock)
    await suggestions.answer(conn, change, now)
    await lead(conn, change, now, clock)
    return change


async def lead(conn: Connection, change: Change, now: datetime, clock: Clock) -> None:
    """Hazards that were merged into this one close with it, and are merged into an open one again when it reopens."""
    reopened = change.event.action == Action.REOPEN and change.event.before in _ENDED
    if change.event.action != Action.CLOSE and not reopened:
        return
    was = State.MERGED if change.after.state is State.CLOSED else State.CLOSED
    cur = await conn.execute(
        "SELECT id FROM hazards WHERE merged_into = %s AND state = %s ORDER BY id", (change.after.id, was)
    )
    followers = await locked(conn, [row["id"] for row in await cur.fetchall()])
    told = {"into": str(change.after.id)}
    await write(conn, [plan(follower, Action.FOLLOW, _MASTER, told, now) for follower in followers], clock)


async def _check_master(conn: Connection, hazard: Hazard, into: UUID | None) -> None:
    cur = await conn.execute("SELECT 1 FROM hazards WHERE merged_into = %s LIMIT 1", (hazard.id,))
    if await cur.fetchone():
        raise ValueError("已有其他隐患并入本隐患，不能再并入别处；请先取消那些合并")
    cur = await conn.execute("SELECT id, unit, state FROM hazards WHERE id = %s", (into,))
    master = await cur.fetchone()
    if master is None or master["id"] == hazard.id or master["unit"] != hazard.unit:
        raise ValueError("合并目标须是同一单位的另一条隐患")
    if master["state"] not in OPEN_STATES:
        raise ValueError(f"合并目标已是「{State(master['state']).label}」，只能并入未销号的隐患")
