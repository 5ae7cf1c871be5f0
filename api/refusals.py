"""Refusals that matter: kept though their request is rolled back, and read by auditors."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from api.access import Hats, require
from api.metrics import TRANSITIONS_REFUSED
from api.problems import Problem
from api.state import Conn, now
from models.hazards import Hazard
from models.loop import Action, Refused
from models.refusals import HIDDEN, RULES, STALE, matters
from models.reports import Problem as FieldProblem
from models.roles import Actor, Role
from store import refusals
from store.db import Connection
from store.hazards import Stale
from store.pages import MOST, BadCursor

router = APIRouter(prefix="/api/v1/refusals", tags=["refusals"])

_READING = frozenset({Role.AUDITOR})
Auditor = Annotated[Actor, Depends(require(_READING, "查看拒绝记录"))]


@router.get("")
async def list_refusals(
    auditor: Auditor,
    hats: Hats,
    conn: Conn,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> dict[str, Any]:
    """Attempts against separation of duties, at gates of major hazards and at closed records, newest first."""
    paths = [hat.path for hat in hats if hat.role in _READING]
    try:
        rows, following = await refusals.page(conn, paths, limit=limit, cursor=cursor)
    except BadCursor as error:
        raise Problem(422, "bad-field", str(error), errors=[FieldProblem("cursor", "cursor", str(error))]) from None
    return {"items": [as_json(row) for row in rows], "next": following}


def as_json(row: dict[str, Any]) -> dict[str, Any]:
    """One refusal as the API and the command line give it."""
    return row | {"id": str(row["id"]), "at": row["at"].isoformat(), "hazard": str(row["hazard"])}


@asynccontextmanager
async def watched(conn: Connection, hazard: Hazard, action: Action, actor: Actor) -> AsyncIterator[None]:
    """What is refused inside is counted, and kept where it matters; the refusal itself goes on its way."""
    try:
        yield
    except Refused as error:
        count(error.rule)
        closed = hazard.confidential or hazard.minors
        if matters(error.rule, action, hazard.facts(), actor, closed=closed):
            await _keep(conn, actor, hazard.id, hazard.unit_path, action, error.rule)
        raise
    except Stale:
        count(STALE)
        raise


async def hidden(conn: Connection, id: UUID, actor: Actor, action: str) -> None:
    """Somebody asked for a record that they may not see: kept where there is one, and it is a closed one."""
    path = await refusals.closed_path(conn, id)
    if path is not None:
        count(HIDDEN)
        await _keep(conn, actor, id, path, action, HIDDEN)


async def _keep(conn: Connection, actor: Actor, id: UUID, path: str, action: str, rule: str) -> None:
    """On the request's own connection, for a second one could be waited for in vain: what was refused is undone first."""
    await conn.rollback()
    await refusals.note(conn, actor, id, path, action, rule, now())
    await conn.commit()


def count(rule: str) -> None:
    """Count a refused transition; the label is one of a bounded set."""
    TRANSITIONS_REFUSED.labels(rule if rule in RULES else "other").inc()
