"""Notices: one's own, acknowledging them, and who was told of a hazard. Acknowledged is not solved: no hazard changes here."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from api.access import Hats, Reader, SignedIn, same_origin
from api.channels import router as channels_router
from api.hazards import viewer
from api.problems import Problem
from api.state import Conn, now
from models.levels import Level
from models.loop import State
from models.notices import Happening
from models.roles import Role
from store import glass, notices, pages, told

router = APIRouter(prefix="/api/v1", tags=["notices"], dependencies=[Depends(same_origin)])
router.include_router(channels_router)


class AcknowledgeRequest(BaseModel):
    """Which notices; without ``ids`` all that are open."""

    model_config = ConfigDict(extra="forbid")
    ids: Annotated[list[UUID], Field(min_length=1, max_length=1000)] | None = None


@router.get("/notices")
async def mine(
    own: SignedIn,
    conn: Conn,
    open: bool | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: UUID | None = None,
) -> dict[str, Any]:
    """What one was told, or is to be told, newest first; ``open`` true: neither acknowledged nor over. ``cursor`` is the last one of the page before."""
    rows = await told.page(conn, own.account, open, limit + 1, cursor)
    items = [_shown(row) for row in rows[:limit]]
    return {"items": items, "next": items[-1]["id"] if len(rows) > limit else None}


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    what = told.told(row)
    return {
        "id": str(row["id"]),
        "hazard": str(row["hazard"]),
        "happening": what.happening.value,
        "happening_label": what.happening.label,
        "level": what.level.value,
        "label": what.label,
        "unit": row["unit"],
        "unit_name": what.unit_name,
        "state": State(row["state"]).value,
        "due": {"kind": what.due_kind, "at": _iso(what.due_at)} if what.due_at else None,
        **_course(row),
    }


def _course(row: dict[str, Any]) -> dict[str, Any]:
    """What became of a notice."""
    return {
        "at": _iso(row["created_at"]),
        "role": row["role"],
        "role_label": Role(row["role"]).label if row["role"] else None,
        "at_unit": row["at_unit"],
        "told_at": _iso(row["first_told_at"]),
        "times": row["times"],
        "held": row["held"],
        "failing": row["failures"] > 0,
        "acknowledged_at": _iso(row["acknowledged_at"]),
        "ended": row["ended"],
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None


@router.post("/notices/acknowledge")
async def acknowledge(wanted: AcknowledgeRequest, own: SignedIn, conn: Conn) -> dict[str, int]:
    """Say that one has received these, or all: they are not sent again. How many were open."""
    units = sorted({hat.unit for hat in own.hats})
    return {"acknowledged": await notices.acknowledge(conn, own.account, wanted.ids, units, now())}


@router.post("/notices/{id}/acknowledge")
async def acknowledge_one(id: UUID, own: SignedIn, conn: Conn) -> dict[str, Any]:
    """The same for one; 404 for another's. Acknowledging again changes nothing."""
    units = sorted({hat.unit for hat in own.hats})
    await notices.acknowledge(conn, own.account, [id], units, now())
    row = await told.found(conn, own.account, id)
    if row is None:
        raise Problem(404, "not-found", f"没有通知 {id}")
    return _shown(row)


@router.get("/hazards/{id}/notices")
async def told_of(id: UUID, actor: Reader, hats: Hats, conn: Conn) -> dict[str, Any]:
    """Who was told of a hazard, oldest first, and what became of it: for those who may see the hazard."""
    hazard = await pages.visible(conn, id, viewer(hats))
    if hazard.confidential:
        await glass.log(conn, actor, [id], "notices", now())
    rows = await told.of_hazard(conn, id)
    items = [
        {
            "happening": row["happening"],
            "happening_label": Happening(row["happening"]).label,
            "level": Level(row["level"]).value,
            "recipient": row["recipient"],
            "name": row["name"],
            **_course(row),
            "deliveries": row["deliveries"],
        }
        for row in rows
    ]
    return {"items": items, "next": None}
