"""Lists of hazards: filters, search, and a cursor that neither skips nor repeats while rows are added."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from models.hazards import Hazard
from store import hazards
from store.db import Connection
from store.scope import Viewer, reading

MOST = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filters; None does not filter. ``q`` searches text and place."""

    state: tuple[str, ...] | None = None
    level: tuple[str, ...] | None = None
    category: str | None = None
    tier: str | None = None
    unit_path: str | None = None
    overdue: bool | None = None
    q: str | None = None


class BadCursor(ValueError):
    """A cursor that this list did not give."""


_NEXT = (
    "LEFT JOIN LATERAL (SELECT kind AS due_kind, due_at FROM deadlines WHERE hazard = h.id AND met_at IS NULL "
    "AND dropped_at IS NULL ORDER BY due_at LIMIT 1) d ON true"
)
_OVERDUE = (
    "EXISTS (SELECT 1 FROM deadlines x WHERE x.hazard = h.id AND x.met_at IS NULL AND x.dropped_at IS NULL "
    "AND (x.missed_at IS NOT NULL OR x.due_at <= %(now)s))"
)

_FILTERS: Mapping[str, str] = {
    "state": "h.state = ANY(%(state)s)",
    "level": "h.level = ANY(%(level)s)",
    "category": "h.subcategory ^@ %(category)s",
    "tier": "h.tier = %(tier)s",
    "unit_path": "h.unit_path ^@ %(unit_path)s",
    "overdue": f"{_OVERDUE} = %(overdue)s",
    "q": "(strpos(lower(h.text), lower(%(q)s)) > 0 OR strpos(lower(coalesce(h.place, '')), lower(%(q)s)) > 0)",
}


async def page(
    conn: Connection, viewer: Viewer, wanted: Wanted, now: datetime, *, limit: int = 50, cursor: str | None = None
) -> tuple[list[tuple[Hazard, dict[str, Any]]], str | None]:
    """Hazards, newest first, each with ``due_kind, due_at, overdue``; and the cursor of the next page, or None.

    Raises ``BadCursor``.
    """
    values: dict[str, Any] = {"paths": list(viewer.paths), "now": now}
    # What may be seen is the database's to say; the prefix is repeated here for its index.
    where = ["h.unit_path ^@ ANY(%(paths)s)"]
    for name, clause in _FILTERS.items():
        value = getattr(wanted, name)
        if value is not None:
            where.append(clause)
            values[name] = list(value) if isinstance(value, tuple) else value
    if cursor:
        where.append("(h.opened_at, h.id) < (%(after_at)s, %(after_id)s)")
        values["after_at"], values["after_id"] = _decode(cursor)
    columns = ", ".join(f"h.{column}" for column in hazards.COLUMNS)
    async with reading(conn, viewer):
        cur = await conn.execute(
            f"SELECT {columns}, d.due_kind, d.due_at, {_OVERDUE} AS overdue FROM hazards h {_NEXT} "
            f"WHERE {' AND '.join(where)} ORDER BY h.opened_at DESC, h.id DESC LIMIT {limit + 1}",
            values,
        )
        rows = await cur.fetchall()
    following = _encode(rows[limit - 1]) if len(rows) > limit else None
    return [(hazards.typed(row), row) for row in rows[:limit]], following


async def visible(conn: Connection, id: UUID, viewer: Viewer) -> Hazard:
    """One hazard, as far as the viewer may see it. Raises ``store.hazards.NotFound``, for a hidden one too."""
    columns = ", ".join(f"h.{column}" for column in hazards.COLUMNS)
    async with reading(conn, viewer):
        cur = await conn.execute(f"SELECT {columns} FROM hazards h WHERE h.id = %s", (id,))
        row = await cur.fetchone()
    if row is None:
        raise hazards.NotFound(f"no hazard {id}")
    return hazards.typed(row)


async def open_to(conn: Connection, id: UUID, viewer: Viewer) -> bool:
    """Whether the words about a hazard are open to the viewer: then its trail is."""
    async with reading(conn, viewer):
        cur = await conn.execute("SELECT EXISTS (SELECT 1 FROM trail WHERE hazard = %s) AS open", (id,))
        row = await cur.fetchone()
    return bool(row and row["open"])


def _encode(row: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(f"{row['opened_at'].isoformat()}|{row['id']}".encode()).decode()


def _decode(cursor: str) -> tuple[datetime, UUID]:
    try:
        at, _, id = base64.urlsafe_b64decode(cursor.encode()).decode().partition("|")
        return datetime.fromisoformat(at), UUID(id)
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise BadCursor("游标无效：请原样使用上一页给出的 next") from None
