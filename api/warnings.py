"""Early warning: what is warned of and why, acknowledging and closing it, and the door for the weather service's notices."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.access import Hats, Reader, require, same_origin, scope
from api.hazards import Text, Words, viewer
from api.problems import Problem
from api.state import Conn, Held, now
from models.levels import Level
from models.privacy import mask_text
from models.reports import Problem as FieldProblem
from models.roles import Actor, Role
from models.taxonomy import subcategory
from models.warnings.course import Outcome, Status
from models.warnings.findings import Kind
from models.warnings.weather import SEVERITY, Event, Notice
from store import warnings, weather
from store.pages import MOST, BadCursor
from store.scope import reading
from store.warnings import Wanted

router = APIRouter(prefix="/api/v1/warnings", tags=["warnings"], dependencies=[Depends(same_origin)])

# Whoever judges, verifies or answers for a unit says whether a warning of it is dealt with, or was false.
CLOSING = frozenset({Role.ASSESSOR, Role.SUPERVISOR, Role.LEADER})
# Another system, or an administrator by hand.
ANNOUNCING = frozenset({Role.MACHINE, Role.ADMIN})
Announcer = Annotated[Actor, Depends(require(ANNOUNCING, "报送气象预警"))]


class CloseRequest(BaseModel):
    """How it ended, and why."""

    model_config = ConfigDict(extra="forbid")
    outcome: Literal["handled", "false"]
    reason: Annotated[Words, Field(min_length=1)]


class WeatherRequest(BaseModel):
    """A notice, in the fields of CAP 1.2. ``ends``: ids of notices that this one replaces or cancels."""

    model_config = ConfigDict(extra="forbid")
    id: Annotated[Text, Field(min_length=1, max_length=128)]
    event: Event
    severity: Literal["Extreme", "Severe", "Moderate", "Minor"]
    areas: Annotated[list[Annotated[str, Field(max_length=64)]], Field(min_length=1, max_length=500)]
    onset: AwareDatetime
    expires: AwareDatetime
    headline: Annotated[Text, Field(max_length=200)] | None = None
    exercise: bool = False
    cancel: bool = False
    ends: Annotated[list[Annotated[Text, Field(max_length=128)]], Field(max_length=50)] = []


@router.get("")
async def list_warnings(
    actor: Reader,
    hats: Hats,
    held: Held,
    conn: Conn,
    state: Annotated[list[Status] | None, Query()] = None,
    kind: Annotated[list[Kind] | None, Query()] = None,
    grade: Annotated[list[Level] | None, Query()] = None,
    unit: Annotated[str | None, Query(max_length=64)] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> dict[str, Any]:
    """Warnings of the caller's units, or that concern them, newest first."""
    path = scope(actor, held, unit).path if unit else None
    wanted = Wanted(
        state=tuple(state) if state else None,
        kind=tuple(kind) if kind else None,
        grade=tuple(grade) if grade else None,
        unit_path=path,
    )
    try:
        async with reading(conn, viewer(hats)):
            rows, following = await warnings.page(conn, wanted, limit=limit, cursor=cursor)
    except BadCursor as error:
        raise Problem(422, "bad-field", str(error), errors=[FieldProblem("cursor", "cursor", str(error))]) from None
    return {"items": [_brief(row, held, hats) for row in rows], "next": following}


@router.get("/figures")
async def figures(actor: Reader, hats: Hats, conn: Conn) -> dict[str, Any]:
    """Of the last quarter, by kind: how many were opened, are open, ended by themselves, were dealt with, were false."""
    async with reading(conn, viewer(hats)):
        rows = await warnings.counts(conn, now())
    items = []
    for row in rows:
        closed = row["gone"] + row["handled"] + row["false"]
        items.append(
            {"label": Kind(row["kind"]).label, **row} | {"false_rate": row["false"] / closed if closed else None}
        )
    return {"days": warnings.COUNTED.days, "items": items}


@router.post("/weather", status_code=202)
async def announce(wanted: WeatherRequest, announcer: Announcer, hats: Hats, held: Held, conn: Conn) -> dict[str, Any]:
    """Take a notice of the weather service. The same again changes nothing; a changed one needs an id of its own."""
    own = [hat for hat in hats if hat.role in ANNOUNCING]
    known = await weather.areas(conn, wanted.ends)
    for field, codes in (("areas", wanted.areas), ("ends", [code for areas in known.values() for code in areas])):
        strange = [
            code for code in codes if code not in held.tree or not any(h.covers(held.tree[code].path) for h in own)
        ]
        if strange:
            detail = f"没有单位 {strange[0]}，或不在您的管理范围内"
            raise Problem(422, "bad-field", detail, errors=[FieldProblem(field, "unknown_unit", detail)])
    if wanted.expires <= max(wanted.onset, now()):
        detail = "失效时间须晚于生效时间，也须晚于现在"
        raise Problem(422, "bad-field", detail, errors=[FieldProblem("expires", "bad_value", detail)])
    if wanted.cancel:
        return {"id": wanted.id, "new": False, "ended": await weather.end(conn, wanted.ends, wanted.id, now())}
    notice = Notice(
        id=wanted.id,
        event=wanted.event,
        severity=SEVERITY[wanted.severity],
        areas=tuple(sorted(set(wanted.areas))),
        onset=wanted.onset,
        expires=wanted.expires,
        exercise=wanted.exercise,
    )
    try:
        new = await weather.announce(conn, notice, wanted.headline, wanted.ends, announcer.id, now())
    except weather.Conflict:
        raise Problem(
            409,
            "conflict",
            f"编号 {wanted.id} 已用于另一份内容不同的气象预警；更新须用新编号，并在 ends 中写明所替代的编号",
        ) from None
    return {"id": wanted.id, "new": new, "ended": len(known)}


@router.get("/{id}")
async def get_warning(id: UUID, actor: Reader, hats: Hats, held: Held, conn: Conn) -> dict[str, Any]:
    """One warning with its evidence, the hazards among it that the caller may see, and its course."""
    return await _whole(id, hats, held, conn)


@router.post("/{id}/acknowledge")
async def acknowledge(id: UUID, hats: Hats, held: Held, conn: Conn) -> dict[str, Any]:
    """Say that one knows. It goes on, and closes with its cause or by a person."""
    hat = await _acting(id, hats, held, conn, "确认预警")
    try:
        await warnings.acknowledge(conn, id, hat, now())
    except warnings.Over:
        raise _over() from None
    return await _whole(id, hats, held, conn)


@router.post("/{id}/close")
async def close(id: UUID, wanted: CloseRequest, hats: Hats, held: Held, conn: Conn) -> dict[str, Any]:
    """End it: dealt with, or false. False ones are counted by kind. A hazard that it opened goes its own way."""
    hat = await _acting(id, hats, held, conn, "关闭预警")
    if not wanted.reason.strip():
        raise Problem(422, "bad-field", "请写明理由", errors=[FieldProblem("reason", "missing", "请写明理由")])
    try:
        await warnings.close(conn, id, hat, Outcome(wanted.outcome), mask_text(wanted.reason.strip()), now())
    except warnings.Over:
        raise _over() from None
    return await _whole(id, hats, held, conn)


async def _acting(id: UUID, hats: tuple[Actor, ...], held: Held, conn: Conn, doing: str) -> Actor:
    """The hat in which a warning may be acted on: of the unit that it is for, or above. 404 for one that the caller cannot see."""
    require(CLOSING, doing)(hats)
    row = await _found(id, hats, conn)
    for hat in hats:
        if hat.role in CLOSING and hat.covers(row["unit_path"]):
            return hat
    raise Problem(403, "forbidden", f"这条预警由{held.tree[row['unit']].name}或其上级处理", who=sorted(CLOSING))


async def _found(id: UUID, hats: tuple[Actor, ...], conn: Conn) -> dict[str, Any]:
    async with reading(conn, viewer(hats)):
        row = await warnings.found(conn, id)
    if row is None:
        raise Problem(404, "not-found", "没有这条预警，或您无权查看")
    return row


def _over() -> Problem:
    return Problem(409, "not-allowed", "这条预警已经关闭")


async def _whole(id: UUID, hats: tuple[Actor, ...], held: Held, conn: Conn) -> dict[str, Any]:
    row = await _found(id, hats, conn)
    async with reading(conn, viewer(hats)):
        course = await warnings.events(conn, id)
    return _brief(row, held, hats) | {
        "reason": row["reason"],
        "evidence": row["evidence"],
        "hazards": [str(hazard) for hazard in row["seen"]],
        "hazard": row["hazard"] and str(row["hazard"]),
        "acknowledged_by": row["acknowledged_by"],
        "closed_by": row["closed_by"],
        "closing": row["closing"],
        "events": [event | {"at": event["at"].isoformat()} for event in course],
    }


def _brief(row: dict[str, Any], held: Held, hats: tuple[Actor, ...]) -> dict[str, Any]:
    """A warning in a list. Of the units concerned, those in the caller's subtrees are named; the others are counted."""
    kind = Kind(row["kind"])
    mine = [code for code in row["units"] if code in held.tree and any(h.covers(held.tree[code].path) for h in hats)]
    return {
        "id": str(row["id"]),
        "kind": kind.value,
        "label": kind.label,
        "grade": row["grade"],
        "state": row["state"],
        "unit": row["unit"],
        "unit_name": held.tree[row["unit"]].name if row["unit"] in held.tree else row["unit"],
        "units": [{"code": code, "name": held.tree[code].name} for code in mine],
        "units_count": len(row["units"]),
        "subcategory": row["subcategory"],
        "subcategory_label": subcategory(row["subcategory"]).name,
        "sentence": row["sentence"],
        "opened_at": row["opened_at"].isoformat(),
        "held_at": row["held_at"].isoformat(),
        "acknowledged_at": _iso(row["acknowledged_at"]),
        "closed_at": _iso(row["closed_at"]),
        "outcome": row["outcome"],
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
