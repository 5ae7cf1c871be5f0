"""Hazards: lists, one with its trail, and the transitions."""

import re
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from api.access import READING, Hats, Reader, scope, sees_confidential
from api.problems import Problem
from api.refusals import hidden, watched
from api.state import Conn, Held, now
from api.state import State as Platform
from models.hazards import Hazard
from models.levels import Level
from models.loop import Action, State, allowed, rows
from models.privacy import mask_text
from models.reports import Attachment
from models.reports import Problem as FieldProblem
from models.roles import Actor
from models.scales import scored
from models.taxonomy import subcategories, subcategory
from store import deadlines, glass, hazards, pages, reports, suggestions, trail
from store.db import Connection
from store.pages import BadCursor, Wanted
from store.scope import Viewer, reading

router = APIRouter(prefix="/api/v1/hazards", tags=["hazards"])


def _no_nul(value: str) -> str:
    if "\x00" in value:
        raise ValueError("含有空字符（NUL）；请去掉后重发")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError("含有不成字符的编码（单独的代理项）；请去掉后重发") from None
    return value


Text = Annotated[str, AfterValidator(_no_nul)]
Words = Annotated[Text, Field(max_length=4000)]


class ScoreRequest(BaseModel):
    """A score by which an assessor grades: ``ls`` or ``lec``, with its parts (``GET /api/v1/scales`` has their words)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    scale: Literal["ls", "lec"]
    parts: dict[Annotated[str, Field(max_length=16)], float]


class ActionRequest(BaseModel):
    """One transition, with what it needs: ``models/loop.py`` says which action needs what."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    action: Literal[
        "assess", "reject", "merge", "unmerge", "dispatch", "settle", "start", "submit", "return", "close", "extend",
        "list", "review", "archive", "reopen", "instruct", "feedback",
    ]  # fmt: skip
    reason: Words | None = None
    text: Words | None = None
    level: Level | None = None
    score: ScoreRequest | None = None
    category: Annotated[str, Field(pattern=r"^\d{4}$")] | None = None
    into: UUID | None = None
    handler: Annotated[Text, Field(max_length=64)] | None = None
    settlements: dict[Literal["responsibility", "measures", "funds", "time_limit", "plan"], Words] | None = None
    evidence: Words | None = None
    attachments: Annotated[tuple[Attachment, ...], Field(max_length=20)] | None = None
    acceptance: Annotated[Text, Field(max_length=200)] | None = None
    kind: Literal["control", "rectify"] | None = None
    until: AwareDatetime | None = None
    approve: bool | None = None
    on: bool | None = None
    lesson: Words | None = None

    def filed(self) -> dict[str, Any]:
        """What came with the action; absent fields left out."""
        given = self.model_dump(exclude_none=True, exclude={"action", "score"})
        given |= {name: mask_text(given[name]) for name in ("reason", "text", "evidence", "lesson") if name in given}
        return given | ({"into": str(self.into)} if self.into else {})


def viewer(hats: tuple[Actor, ...]) -> Viewer:
    """What somebody may see, with all their hats that read."""
    reading = [hat for hat in hats if hat.role in READING] or list(hats)
    return Viewer(
        paths=tuple(hat.path for hat in reading),
        confidential_units=tuple(hat.unit for hat in reading if sees_confidential(hat, hat.unit)),
        actor=hats[0].id,
        units=tuple(hat.unit for hat in reading),
    )


def fitting(hats: tuple[Actor, ...], hazard: Hazard, action: Action) -> Actor:
    """The hat in which an action may be done, or else one that covers the hazard: whose refusal then says who could."""
    covering = [hat for hat in hats if hat.covers(hazard.unit_path)] or list(hats)
    may = {role for row in rows(action, hazard.state) for role in row.roles}
    return next((hat for hat in covering if hat.role in may), covering[0])


def brief(hazard: Hazard, extra: dict[str, Any]) -> dict[str, Any]:
    """A hazard in a list."""
    return {
        "id": str(hazard.id),
        "version": hazard.version,
        "unit": hazard.unit,
        "unit_name": hazard.chain.at(0).name,
        "subcategory": hazard.subcategory,
        "label": subcategory(hazard.subcategory).name,
        "level": hazard.level.value,
        "state": hazard.state.value,
        "phase": hazard.state.phase,
        "tier": hazard.tier,
        "place": hazard.place,
        "text": hazard.text,
        "report_count": hazard.report_count,
        "major": hazard.major,
        "listed": hazard.listed,
        "confidential": hazard.confidential,
        "minors": hazard.minors,
        "opened_at": hazard.opened_at.isoformat(),
        "due": {"kind": extra["due_kind"], "at": extra["due_at"].isoformat()} if extra.get("due_at") else None,
        "overdue": extra.get("overdue"),
    }


def whole(
    hazard: Hazard, rounds: list[dict[str, Any]], hats: tuple[Actor, ...], may_be: dict[str, Any] | None
) -> dict[str, Any]:
    """One hazard with everything its readers need. ``may_be``: the open hazard that it may be, told anew."""
    running = [r for r in rounds if r["met_at"] is None and r["dropped_at"] is None]
    first = min(running, key=lambda r: r["due_at"], default={"kind": None, "due_at": None})
    extra = {"due_kind": first["kind"], "due_at": first["due_at"], "overdue": any(r["missed_at"] for r in running)}
    return brief(hazard, extra) | {
        "chain": hazard.chain.as_json(),
        "step": hazard.step,
        "machine": {
            "subcategory": hazard.machine_subcategory,
            "level": hazard.machine_level,
            "direct": hazard.direct,
            "confidence": hazard.confidence,
            "reasons": list(hazard.reasons),
            "model": hazard.model,
        },
        "settlements": hazard.settlements,
        "merged_into": hazard.merged_into and str(hazard.merged_into),
        "may_be": may_be,
        "deadlines": [{name: _iso(value) for name, value in r.items()} for r in rounds],
        "actions": list(
            dict.fromkeys(
                action.value
                for hat in hats
                if hat.covers(hazard.unit_path)
                for action in allowed(hazard.state, hat.role)
            )
        ),
    }


def _iso(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value


@router.get("")
async def list_hazards(
    actor: Reader,
    hats: Hats,
    held: Held,
    conn: Conn,
    state: Annotated[list[State] | None, Query()] = None,
    level: Annotated[list[Level] | None, Query()] = None,
    category: Annotated[str | None, Query(pattern=r"^\d{2}(\d{2})?$")] = None,
    tier: Annotated[Text | None, Query(max_length=32)] = None,
    unit: Annotated[Text | None, Query(max_length=64)] = None,
    overdue: bool | None = None,
    q: Annotated[Text | None, Query(min_length=1, max_length=100)] = None,
    limit: Annotated[int, Query(ge=1, le=pages.MOST)] = 50,
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> dict[str, Any]:
    """Hazards of the caller's subtree, newest first; ``next`` is the cursor of the following page."""
    wanted = Wanted(
        state=tuple(state) if state else None,
        level=tuple(level) if level else None,
        category=category,
        tier=tier,
        unit_path=scope(actor, held, unit).path if unit else None,
        overdue=overdue,
        q=q,
    )
    try:
        found, following = await pages.page(conn, viewer(hats), wanted, now(), limit=limit, cursor=cursor)
    except BadCursor as error:
        raise Problem(422, "bad-field", str(error), errors=[FieldProblem("cursor", "cursor", str(error))]) from None
    await glass.log(conn, actor, [hazard.id for hazard, _ in found if _closed(hazard)], "list", now())
    return {"items": [brief(hazard, extra) for hazard, extra in found], "next": following}


async def _opened(conn: Connection, id: UUID, hats: tuple[Actor, ...], actor: Actor, what: str) -> Hazard:
    """One hazard that the caller may see; that a closed one was opened, or tried at, is kept. Raises ``NotFound``."""
    try:
        hazard = await pages.visible(conn, id, viewer(hats))
    except hazards.NotFound:
        await hidden(conn, id, actor, what)
        raise
    if _closed(hazard):
        await glass.log(conn, actor, [id], what, now())
    return hazard


def _closed(hazard: Hazard) -> bool:
    return hazard.confidential or hazard.minors


async def _worded(conn: Connection, id: UUID, hats: tuple[Actor, ...], actor: Actor, what: str) -> Hazard:
    """One hazard whose words the caller may see too. Raises ``NotFound``, and ``Problem`` where the words are closed to them."""
    hazard = await _opened(conn, id, hats, actor, what)
    if hazard.minors and not await pages.open_to(conn, id, viewer(hats)):
        await hidden(conn, id, actor, what)
        raise Problem(
            403,
            "forbidden",
            f"涉及未成年人，原文与履历须经审批查看：POST /api/v1/hazards/{id}/glass，说明理由，由该单位负责人或督导员批准",
            need="glass",
        )
    return hazard


@router.get("/{id}")
async def get_hazard(id: UUID, actor: Reader, hats: Hats, conn: Conn, response: Response) -> dict[str, Any]:
    """One hazard; its ``ETag`` is what ``If-Match`` of an action must bring."""
    hazard = await _opened(conn, id, hats, actor, "read")
    response.headers["ETag"] = f'"{hazard.version}"'
    may_be = await suggestions.of(conn, id, viewer(hats))
    return whole(hazard, await deadlines.of(conn, id), hats, may_be)


@router.get("/{id}/trail")
async def get_trail(id: UUID, actor: Reader, hats: Hats, conn: Conn) -> dict[str, Any]:
    """Everything that happened to it, oldest first, with the hashes that bind it. 403 where minors' words are closed."""
    await _worded(conn, id, hats, actor, "trail")
    events = await trail.of(conn, id)
    return {
        "items": [event | {"at": event["at"].isoformat(), "hash": bytes(event["hash"]).hex()} for event in events],
        "next": None,
    }


@router.get("/{id}/reports")
async def get_reports(id: UUID, actor: Reader, hats: Hats, conn: Conn) -> dict[str, Any]:
    """What was reported about it, in the reporters' own words, oldest first. 403 where minors' words are closed."""
    await _worded(conn, id, hats, actor, "reports")
    async with reading(conn, viewer(hats)):
        rows = await reports.of(conn, id)
    return {
        "items": [{name: _iso(value) for name, value in row.items()} | {"id": str(row["id"])} for row in rows],
        "next": None,
    }


@router.post("/{id}/actions")
async def act(
    id: UUID,
    wanted: ActionRequest,
    actor: Reader,
    hats: Hats,
    held: Held,
    conn: Conn,
    response: Response,
    if_match: Annotated[str | None, Header()] = None,
) -> dict[str, Any]:
    """One transition. ``If-Match`` brings the version that the caller saw, so that nobody overwrites unseen."""
    seen = await _opened(conn, id, hats, actor, wanted.action)
    action = Action(wanted.action)
    if wanted.category is not None and wanted.category not in subcategories():
        unknown = FieldProblem(
            "category", "unknown_category", f"没有类别 {wanted.category}；可用的四位代码见 GET /api/v1/taxonomy"
        )
        raise Problem(422, "bad-field", f"category: {unknown.message}", errors=[unknown])
    hat, version, filed = fitting(hats, seen, action), _version(if_match), wanted.filed() | _scored(wanted, held)
    try:
        async with watched(conn, seen, action, hat):
            change = await hazards.apply(conn, id, action, hat, filed, now(), held.clock, version=version)
    except ValueError as error:
        raise Problem(422, "bad-field", str(error)) from None
    response.headers["ETag"] = f'"{change.after.version}"'
    try:
        await pages.visible(conn, id, viewer(hats))
    except hazards.NotFound:
        # Moved into a lane that is closed to the very person who moved it: done, and no word more.
        return {"id": str(id), "version": change.after.version, "confidential": True, "actions": []}
    may_be = await suggestions.of(conn, id, viewer(hats))
    return whole(change.after, await deadlines.of(conn, id), hats, may_be)


def _scored(wanted: ActionRequest, held: Platform) -> dict[str, Any]:
    """What a score adds to an assessment: itself with its words, and its level where the assessor named none.

    The assessor's word is the last: below the score's level it needs a reason (domain §4). 422 for what is no score.
    """
    if wanted.score is None:
        return {}
    try:
        if wanted.action != "assess":
            raise ValueError("评分只能随研判定级（assess）提交")
        score = scored(wanted.score.scale, wanted.score.parts, held.bands)
        if wanted.level is not None and wanted.level.rank > score.level.rank and not wanted.reason:
            raise ValueError(f"评分结果为{score.level.label}色，定为{wanted.level.label}色须在 reason 中说明理由")
    except ValueError as error:
        raise Problem(422, "bad-field", str(error), errors=[FieldProblem("score", "bad_value", str(error))]) from None
    return {"score": score.as_dict(), "level": wanted.level or score.level}


def _version(if_match: str | None) -> int:
    if if_match is None:
        raise Problem(428, "if-match", "请先读取隐患，并在 If-Match 中带上它的 ETag")
    found = re.fullmatch(r'(?:W/)?"?(\d{1,9})"?', if_match.strip())
    if found is None:
        raise Problem(412, "stale", f"If-Match {if_match} 不是本隐患的 ETag")
    return int(found.group(1))
