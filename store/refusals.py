"""Refusals that matter, append-only: who tried what at which hazard, and which rule refused it. Never a word."""

import base64
import binascii
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import uuid_utils.compat as uuid_utils

from models.roles import Actor
from store.db import Connection
from store.pages import BadCursor


async def note(
    conn: Connection, actor: Actor, hazard: UUID, hazard_path: str, action: str, rule: str, now: datetime
) -> None:
    """Keep one refusal, in the caller's transaction: of its own, for the refused one is rolled back."""
    await conn.execute(
        "INSERT INTO refusals (id, at, actor, role, unit, hazard, hazard_path, action, rule) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (uuid_utils.uuid7(), now, actor.id, actor.role, actor.unit, hazard, hazard_path, action, rule),
    )


async def closed_path(conn: Connection, hazard: UUID) -> str | None:
    """The path of a hazard's unit where its words are closed; None where there is none such."""
    cur = await conn.execute("SELECT unit_path FROM hazards WHERE id = %s AND (confidential OR minors)", (hazard,))
    row = await cur.fetchone()
    return row["unit_path"] if row else None


async def page(
    conn: Connection, paths: Sequence[str], *, limit: int = 50, cursor: str | None = None
) -> tuple[list[dict[str, Any]], str | None]:
    """Refusals at hazards within these paths, newest first, and the cursor of the next page. Raises ``BadCursor``."""
    after = _decode(cursor) if cursor else None
    cur = await conn.execute(
        "SELECT id, at, actor, role, unit, hazard, action, rule FROM refusals WHERE hazard_path ^@ ANY(%(paths)s) "
        "AND (%(id)s::uuid IS NULL OR (at, id) < (%(at)s, %(id)s)) ORDER BY at DESC, id DESC LIMIT %(limit)s",
        {"paths": list(paths), "at": after and after[0], "id": after and after[1], "limit": limit + 1},
    )
    rows = await cur.fetchall()
    following = _encode(rows[limit - 1]) if len(rows) > limit else None
    return rows[:limit], following


def _encode(row: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(f"{row['at'].isoformat()}|{row['id']}".encode()).decode()


def _decode(cursor: str) -> tuple[datetime, UUID]:
    try:
        at, _, id = base64.urlsafe_b64decode(cursor.encode()).decode().partition("|")
        return datetime.fromisoformat(at), UUID(id)
    except (binascii.Error, UnicodeError, ValueError):
        raise BadCursor("游标无效：请原样使用上一页给出的 next") from None
