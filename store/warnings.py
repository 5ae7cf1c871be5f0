"""Warnings in the database: what a look changes, what people do with them, and their lists.

Orange and red ones open a hazard of their own, by a report through the ordinary door; all are told on ``risk.warnings``.
"""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import uuid_utils.compat as uuid_utils

from models.levels import Level
from models.reports import Door, check
from models.roles import Actor
from models.units import UnitTree
from models.warnings.cluster import Standing
from models.warnings.course import Held, Outcome, Status, Steps
from models.warnings.findings import Finding, Kind
from store import live, outbox, reports
from store.db import Connection, jsonb
from store.pages import BadCursor
from store.reports import Entry

SCHEMA = 1
# Counts of false warnings look this far back: long enough for rare kinds, short enough to show a change of rules.
COUNTED = timedelta(days=91)
ACTOR = "system:warn"
_LOCK = 2
_NAME = re.compile("“[^”]*”")
_COLUMNS = (
    "id, kind, key, unit, unit_path, units, downward, subcategory, grade, reason, sentence, evidence, hazards, state, opened_at, "
    "held_at, acknowledged_at, acknowledged_by, closed_at, closed_by, outcome, closing, report"
)


class Over(Exception):
    """The warning is closed already: nothing is left to acknowledge or close."""


async def lead(conn: Connection) -> bool:
    """Be the one that looks, until this transaction ends. Another keeper that looks this moment has it: then leave it be."""
    cur = await conn.execute("SELECT pg_try_advisory_xact_lock(%s, %s) AS led", (outbox.LOCK_SPACE, _LOCK))
    row = await cur.fetchone()
    return bool(row and row["led"])


async def held(conn: Connection, now: datetime) -> list[Held]:
    """Warnings that are not closed, and the latest of those whose key rests."""
    cur = await conn.execute(
        "SELECT DISTINCT ON (key) key, kind, grade, held_at, CASE WHEN closed_at IS NULL THEN NULL ELSE rests_until END AS rests_until "
        "FROM warnings WHERE closed_at IS NULL OR rests_until > %s ORDER BY key, closed_at DESC NULLS FIRST",
        (now,),
    )
    return [Held(**row | {"kind": Kind(row["kind"]), "grade": Level(row["grade"])}) for row in await cur.fetchall()]


async def standing(conn: Connection, now: datetime) -> list[Standing]:
    """Clusters that go on, or that somebody closed lately: the same units again are the same cluster."""
    cur = await conn.execute(
        "SELECT key, evidence->>'group' AS category, units FROM warnings WHERE kind = 'cluster' "
        "AND (closed_at IS NULL OR rests_until > %s) ORDER BY opened_at DESC",
        (now,),
    )
    return [Standing(row["key"], row["category"], frozenset(row["units"])) for row in await cur.fetchall()]


async def take(conn: Connection, steps: Steps, tree: UnitTree, door: Door, now: datetime) -> int:
    """Write what a look changed, in the caller's transaction; how many warnings were opened, raised or closed."""
    changed = 0
    for finding in steps.open:
        changed += await _open(conn, finding, tree, door, now)
    for finding, raised in steps.go_on:
        changed += await _go_on(conn, finding, raised, tree, door, now)
    for key in steps.gone:
        changed += await _gone(conn, key, now)
    if changed:
        await live.touch(conn, now)
    return changed


async def _open(conn: Connection, finding: Finding, tree: UnitTree, door: Door, now: datetime) -> int:
    id = uuid_utils.uuid7()
    cur = await conn.execute(
        "INSERT INTO warnings (id, kind, key, unit, unit_path, units, paths, downward, subcategory, grade, reason, sentence, "
        "evidence, hazards, state, opened_at, held_at, rest) VALUES (%(id)s, %(kind)s, %(key)s, %(unit)s, %(unit_path)s, "
        "%(units)s, %(paths)s, %(downward)s, %(subcategory)s, %(grade)s, %(reason)s, %(sentence)s, %(evidence)s, %(hazards)s, "
        "'open', %(now)s, %(now)s, %(rest)s) ON CONFLICT (key) WHERE closed_at IS NULL DO NOTHING RETURNING *",
        _values(finding, tree) | {"id": id, "kind": finding.kind.value, "downward": finding.downward, "now": now},
    )
    row = await cur.fetchone()
    if row is None:
        return 0
    await _tell(conn, row, "opened", ACTOR, now, {"reason": finding.reason, "evidence": dict(finding.evidence)})
    await _open_hazard(conn, row, door, now)
    return 1


def _values(finding: Finding, tree: UnitTree) -> dict[str, Any]:
    return {
        "key": finding.key,
        "unit": finding.unit,
        "unit_path": tree[finding.unit].path,
        "units": list(finding.units),
        "paths": [tree[unit].path for unit in finding.units],
        "subcategory": finding.subcategory,
        "grade": finding.grade.value,
        "reason": finding.reason,
        "sentence": finding.sentence,
        "evidence": jsonb(dict(finding.evidence)),
        "hazards": list(finding.hazards),
        "rest": finding.rest,
    }


async def _go_on(conn: Connection, finding: Finding, raised: bool, tree: UnitTree, door: Door, now: datetime) -> int:
    """The cause is as it is now; a grade once given only rises, and then its sentence, evidence and hazards with it."""
    cur = await conn.execute(
        "UPDATE warnings SET held_at = %(now)s, unit = %(unit)s, unit_path = %(unit_path)s, units = %(units)s, paths = %(paths)s, "
        "sentence = %(sentence)s, evidence = %(evidence)s, hazards = %(hazards)s, rest = %(rest)s, "
        "grade = CASE WHEN %(raised)s THEN %(grade)s ELSE grade END, reason = CASE WHEN %(raised)s THEN %(reason)s ELSE reason END "
        "WHERE key = %(key)s AND closed_at IS NULL RETURNING *",
        _values(finding, tree) | {"raised": raised, "now": now},
    )
    row = await cur.fetchone()
    if row is None or not raised:
        return 0
    await _tell(conn, row, "raised", ACTOR, now, {"reason": finding.reason, "evidence": dict(finding.evidence)})
    await _open_hazard(conn, row, door, now)
    return 1


async def _gone(conn: Connection, key: str, now: datetime) -> int:
    cur = await conn.execute(
        "UPDATE warnings SET state = 'closed', closed_at = %s, closed_by = %s, outcome = 'gone' "
        "WHERE key = %s AND closed_at IS NULL RETURNING *",
        (now, ACTOR, key),
    )
    row = await cur.fetchone()
    if row is None:
        return 0
    await _tell(conn, row, "closed", ACTOR, now, {"outcome": Outcome.GONE.value})
    return 1


async def _open_hazard(conn: Connection, row: dict[str, Any], door: Door, now: datetime) -> None:
    """Orange and red: a report of the platform's own, judged and landed like any other. Its id comes from the warning's."""
    if not Level(row["grade"]).urgent or row["report"] is not None:
        return
    record = {
        "id": str(uuid5(NAMESPACE_URL, f"campus-risk:warning:{row['id']}")),
        "source": "system",
        "source_id": f"warning-{row['id']}",
        "unit": row["unit"],
        "text": report_text(Kind(row["kind"]), row["sentence"]),
        "category": row["subcategory"],
        "level": row["grade"],
        "reported_at": now.isoformat(),
    }
    (admission,) = await reports.accept(conn, [Entry(check(record, door))], ACTOR, now)
    await conn.execute("UPDATE warnings SET report = %s WHERE id = %s", (admission.id, row["id"]))


def report_text(kind: Kind, sentence: str) -> str:
    """What the report says: without the category's name, in which the classifier would read the matter itself, and its own level."""
    return f"平台{kind.label}预警：{_NAME.sub('', sentence)}"


async def _tell(
    conn: Connection, row: dict[str, Any], action: str, actor: str, now: datetime, data: dict[str, Any]
) -> None:
    """The event, and the message: ids, codes and grades. Sentence and evidence stay here, for they may hold shared words."""
    await conn.execute(
        "INSERT INTO warning_events (warning, at, action, actor, grade, data) VALUES (%s, %s, %s, %s, %s, %s)",
        (row["id"], now, action, actor, row["grade"], jsonb(data)),
    )
    payload = {name: row[name] for name in ("kind", "unit", "units", "subcategory", "grade", "state", "outcome")}
    payload |= {"schema": SCHEMA, "id": str(row["id"]), "action": action, "at": now.isoformat()}
    await outbox.put(conn, [outbox.Message("warnings", row["unit"], f"warning.{action}", payload)])


async def acknowledge(conn: Connection, id: UUID, actor: Actor, now: datetime) -> None:
    """Somebody knows. Again changes nothing. Raises ``Over``."""
    row = await _locked(conn, id)
    if row["state"] != Status.OPEN:
        return
    cur = await conn.execute(
        "UPDATE warnings SET state = 'acknowledged', acknowledged_at = %s, acknowledged_by = %s WHERE id = %s RETURNING *",
        (now, actor.id, id),
    )
    await _tell(conn, await cur.fetchone() or row, "acknowledged", actor.id, now, {})
    await live.touch(conn, now)


async def close(conn: Connection, id: UUID, actor: Actor, outcome: Outcome, reason: str, now: datetime) -> None:
    """A person ends it: ``handled`` or ``false``, with a reason. Its key rests then. Raises ``Over``."""
    row = await _locked(conn, id)
    cur = await conn.execute(
        "UPDATE warnings SET state = 'closed', closed_at = %(now)s, closed_by = %(by)s, outcome = %(outcome)s, "
        "closing = %(reason)s, rests_until = %(now)s + rest WHERE id = %(id)s RETURNING *",
        {"now": now, "by": actor.id, "outcome": outcome.value, "reason": reason, "id": id},
    )
    data = {"outcome": outcome.value, "reason": reason}
    await _tell(conn, await cur.fetchone() or row, "closed", actor.id, now, data)
    await live.touch(conn, now)


async def _locked(conn: Connection, id: UUID) -> dict[str, Any]:
    row = await (await conn.execute("SELECT * FROM warnings WHERE id = %s FOR UPDATE", (id,))).fetchone()
    if row is None or row["closed_at"] is not None:
        raise Over(f"warning {id} is closed")
    return row


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filters of a list; None does not filter."""

    state: tuple[str, ...] | None = None
    kind: tuple[str, ...] | None = None
    grade: tuple[str, ...] | None = None
    unit_path: str | None = None


async def page(
    conn: Connection, wanted: Wanted, *, limit: int = 50, cursor: str | None = None
) -> tuple[list[dict[str, Any]], str | None]:
    """Warnings, newest first, and the cursor of the next page. Read as somebody (``store.scope``). Raises ``BadCursor``."""
    after = _decode(cursor) if cursor else (None, None)
    cur = await conn.execute(
        f"SELECT {_COLUMNS} FROM warnings WHERE (%(state)s::text[] IS NULL OR state = ANY(%(state)s)) "
        "AND (%(kind)s::text[] IS NULL OR kind = ANY(%(kind)s)) AND (%(grade)s::text[] IS NULL OR grade = ANY(%(grade)s)) "
        "AND (%(path)s::text IS NULL OR unit_path ^@ %(path)s OR EXISTS (SELECT 1 FROM unnest(paths) p WHERE p ^@ %(path)s)) "
        "AND (%(id)s::uuid IS NULL OR (opened_at, id) < (%(at)s, %(id)s)) ORDER BY opened_at DESC, id DESC LIMIT %(limit)s",
        {
            **{n: list(v) if (v := getattr(wanted, n)) else None for n in ("state", "kind", "grade")},
            "path": wanted.unit_path,
            "at": after[0],
            "id": after[1],
            "limit": limit + 1,
        },
    )
    rows = await cur.fetchall()
    return rows[:limit], _encode(rows[limit - 1]) if len(rows) > limit else None


async def found(conn: Connection, id: UUID) -> dict[str, Any] | None:
    """One warning, or None; read as somebody. ``seen``: those of its hazards that the reader may see, newest first."""
    cur = await conn.execute(
        f"SELECT {_COLUMNS}, ARRAY(SELECT h.id FROM hazards h WHERE h.id = ANY(w.hazards) ORDER BY h.opened_at DESC, h.id) AS seen, "
        "(SELECT i.hazard FROM intake i WHERE i.id = w.report) AS hazard FROM warnings w WHERE id = %s",
        (id,),
    )
    return await cur.fetchone()


async def events(conn: Connection, id: UUID) -> list[dict[str, Any]]:
    """What happened to a warning, oldest first; read as somebody."""
    cur = await conn.execute(
        "SELECT at, action, actor, grade, data FROM warning_events WHERE warning = %s ORDER BY id", (id,)
    )
    return await cur.fetchall()


async def counts(conn: Connection, now: datetime) -> list[dict[str, Any]]:
    """Of the last quarter, by kind: ``opened, open, gone, handled, false``. Read as somebody."""
    cur = await conn.execute(
        "SELECT kind, count(*) AS opened, count(*) FILTER (WHERE closed_at IS NULL) AS open, "
        "count(*) FILTER (WHERE outcome = 'gone') AS gone, count(*) FILTER (WHERE outcome = 'handled') AS handled, "
        "count(*) FILTER (WHERE outcome = 'false') AS false FROM warnings WHERE opened_at >= %s GROUP BY kind",
        (now - COUNTED,),
    )
    rows = {row["kind"]: row for row in await cur.fetchall()}
    none = dict.fromkeys(("opened", "open", "gone", "handled", "false"), 0)
    return [{"kind": kind.value, **none, **rows.get(kind.value, {})} for kind in Kind]


async def shown(conn: Connection, most: int) -> list[dict[str, Any]]:
    """Warnings that are not closed, gravest and latest first; read as somebody."""
    grades: Sequence[str] = [level.value for level in Level]
    cur = await conn.execute(
        "SELECT w.id, w.kind, w.grade, w.state, w.unit, u.name AS unit_name, w.subcategory, w.sentence, w.opened_at, "
        "cardinality(w.units) AS units FROM warnings w JOIN units u ON u.code = w.unit WHERE w.closed_at IS NULL "
        "ORDER BY array_position(%s::text[], w.grade), w.opened_at DESC, w.id DESC LIMIT %s",
        (grades, most),
    )
    return await cur.fetchall()


def _encode(row: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(f"{row['opened_at'].isoformat()}|{row['id']}".encode()).decode()


def _decode(cursor: str) -> tuple[datetime, UUID]:
    try:
        at, _, id = base64.urlsafe_b64decode(cursor.encode()).decode().partition("|")
        return datetime.fromisoformat(at), UUID(id)
    except (binascii.Error, UnicodeError, ValueError):
        raise BadCursor("游标无效：请原样使用上一页给出的 next") from None
