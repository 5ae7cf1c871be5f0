"""Break-glass over HTTP: ask, see who asks, approve; and who read a closed record."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api.access import Hats, Reader, sees_confidential
from api.hazards import Words
from api.problems import Problem
from api.state import Conn, now
from models.hazards import Hazard
from models.roles import Actor, Role
from store import glass, hazards

router = APIRouter(prefix="/api/v1", tags=["glass"])

# They answer for the unit: one of them must have said yes.
APPROVING = frozenset({Role.LEADER, Role.SUPERVISOR})


class GlassRequest(BaseModel):
    """Why a closed record must be seen."""

    model_config = ConfigDict(extra="forbid")
    reason: Annotated[Words, Field(min_length=5)]


@router.post("/hazards/{id}/glass", status_code=202)
async def ask(id: UUID, wanted: GlassRequest, actor: Reader, hats: Hats, conn: Conn) -> dict[str, Any]:
    """Ask to see a closed record of one's subtree: confidential, or about minors. Somebody who answers for its unit must approve."""
    hazard = await hazards.get(conn, id)
    if not any(hat.covers(hazard.unit_path) for hat in hats) or not (hazard.confidential or hazard.minors):
        raise hazards.NotFound(f"no hazard {id}")
    return {"id": str(await glass.ask(conn, id, actor, wanted.reason.strip(), now())), "status": "waiting"}


@router.get("/glass")
async def waiting(hats: Hats, conn: Conn) -> dict[str, Any]:
    """Requests that wait for the caller's units."""
    rows = [row for hat in _approving(hats) for row in await glass.waiting(conn, hat.unit)]
    items = [r | {"id": str(r["id"]), "hazard": str(r["hazard"]), "asked_at": r["asked_at"].isoformat()} for r in rows]
    return {"items": items, "next": None}


@router.post("/glass/{id}/approve")
async def approve(id: UUID, hats: Hats, conn: Conn) -> dict[str, Any]:
    """Let somebody in, for four hours. Never oneself."""
    for hat in _approving(hats):
        if await glass.approve(conn, id, hat, now()):
            break
    else:
        raise Problem(404, "not-found", f"没有可由您批准的申请 {id}")
    return {"id": str(id), "status": "approved"}


@router.get("/hazards/{id}/readers")
async def readers(id: UUID, hats: Hats, conn: Conn) -> dict[str, Any]:
    """Who read a closed record: for those of its unit who answer for it, and for auditors above it."""
    hazard = await hazards.get(conn, id)
    if not any(_answers_for(hat, hazard) for hat in hats):
        raise hazards.NotFound(f"no hazard {id}")
    rows = await glass.read_of(conn, id)
    items = [r | {"at": r["at"].isoformat(), "glass": r["glass"] and str(r["glass"])} for r in rows]
    return {"items": items, "next": None}


def _answers_for(hat: Actor, hazard: Hazard) -> bool:
    if hat.role is Role.AUDITOR:
        return hat.covers(hazard.unit_path)
    return hat.role in APPROVING and sees_confidential(hat, hazard.unit)


def _approving(hats: tuple[Actor, ...]) -> list[Actor]:
    """The hats in which somebody may approve; 403 where there is none."""
    found = [hat for hat in hats if hat.role in APPROVING]
    if not found:
        who = "、".join(role.label for role in Role if role in APPROVING)
        raise Problem(403, "forbidden", f"{hats[0].role.label}不能审批查看申请；可由{who}进行", who=sorted(APPROVING))
    return found
