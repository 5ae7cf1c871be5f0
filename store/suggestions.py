"""Suggestions: a hazard that may be another one told anew. Landing makes them, the assessor's act answers them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from models.duplicates import Found
from models.loop import OPEN_STATES, Action
from models.transition import Change
from store.db import Connection, jsonb
from store.scope import Viewer, reading

# What an assessor does with a hazard that carries a suggestion. Any of them but the merge says: it is one of its own.
_ANSWERS = frozenset({Action.MERGE, Action.ASSESS, Action.REJECT})


async def put(conn: Connection, made: Sequence[tuple[UUID, Found]], now: datetime) -> None:
    """New suggestions, of hazards that were opened in this transaction."""
    async with conn.cursor() as cur:
        await cur.executemany(
            "INSERT INTO suggestions (hazard, into_hazard, score, reasons, made_at) VALUES (%s, %s, %s, %s, %s)",
            [(hazard, found.id, found.score, jsonb(list(found.reasons)), now) for hazard, found in made],
        )


async def answer(conn: Connection, change: Change, now: datetime) -> None:
    """Keep whether the assessor took or refused the suggestion, once: from these the share of right ones is counted."""
    if change.event.action not in _ANSWERS:
        return
    await conn.execute(
        "UPDATE suggestions SET answer = CASE WHEN into_hazard = %s THEN 'taken' ELSE 'refused' END, answered_at = %s "
        "WHERE hazard = %s AND answer IS NULL",
        (change.after.merged_into, now, change.after.id),
    )


async def of(conn: Connection, hazard: UUID, viewer: Viewer) -> dict[str, Any] | None:
    """The unanswered suggestion of a hazard: ``id``, ``score``, ``reasons``. None where there is none, the other one is no longer open,
    or the viewer may not see it. Reasons name things and places: they are left out where either is about minors."""
    async with reading(conn, viewer):
        cur = await conn.execute(
            "SELECT s.into_hazard AS id, s.score, CASE WHEN h.minors OR o.minors THEN '[]'::jsonb ELSE s.reasons END AS reasons "
            "FROM suggestions s JOIN hazards h ON h.id = s.hazard JOIN hazards o ON o.id = s.into_hazard "
            "WHERE s.hazard = %s AND s.answer IS NULL AND o.state = ANY(%s)",
            (hazard, [state.value for state in OPEN_STATES]),
        )
        row = await cur.fetchone()
    return row and {"id": str(row["id"]), "score": round(row["score"], 4), "reasons": row["reasons"]}
