"""Who is on duty: rosters, absences, hand-overs, gaps; and open hazards that follow an old chain."""

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from api.access import Hats, Reader, SignedIn, same_origin, scope
from api.hazards import Words, viewer
from api.problems import Problem
from api.state import Conn, Held, State, now
from models.duty import MAX_DAYS, MAX_PEOPLE, ROSTERED, Absence, Holidays, Roster, Turn, Watch, gap_days
from models.reports import Problem as FieldProblem
from models.roles import Actor, Role
from models.units import Unit
from store import chains, duty, rosters, units
from store.duty import Book
from store.scope import reading

router = APIRouter(prefix="/api/v1", tags=["duty"], dependencies=[Depends(same_origin)])

RosteredRole = Literal["assessor", "handler", "supervisor", "leader"]
# They answer for who is there.
SETTING = frozenset({Role.LEADER, Role.ADMIN})
# Gaps of the next four weeks: as far as a school plans.
_AHEAD = 28


class RosterRequest(BaseModel):
    """Turns of one role in one unit, in order."""

    model_config = ConfigDict(extra="forbid")
    first_day: date
    people: Annotated[list[UUID], Field(min_length=1, max_length=MAX_PEOPLE)]
    turn: Turn = Turn.WEEK
    handover: time = time(8, 0)
    holidays: Holidays = Holidays.SAME
    holiday_people: Annotated[list[UUID], Field(max_length=MAX_PEOPLE)] = []


class AbsenceRequest(BaseModel):
    """The caller is away, and who stands in."""

    model_config = ConfigDict(extra="forbid")
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    deputy: UUID | None = None


class HandoverRequest(BaseModel):
    """A watch handed over, with what the next one has to know."""

    model_config = ConfigDict(extra="forbid")
    unit: Annotated[str, Field(min_length=1, max_length=64)]
    role: RosteredRole
    note: Words


def _setting(hats: tuple[Actor, ...], held: State, code: str) -> tuple[Actor, Unit]:
    """The hat in which the caller may set a unit's roster, and the unit."""
    for hat in hats:
        if hat.role in SETTING and code in held.tree and hat.covers(held.tree[code].path):
            return hat, held.tree[code]
    if not any(hat.role in SETTING for hat in hats):
        who = "、".join(role.label for role in Role if role in SETTING)
        raise Problem(403, "forbidden", f"值班表由{who}编排", who=sorted(SETTING))
    raise Problem(404, "not-found", f"没有单位 {code}，或不在您的管理范围内")


def _shown(watch: Watch, book: Book) -> dict[str, Any]:
    def person(id: UUID | None) -> dict[str, str] | None:
        return None if id is None else {"id": str(id), "name": book.names.get(id, "")}

    return {
        "from": watch.starts_at.isoformat(),
        "to": watch.ends_at.isoformat(),
        "on_duty": person(watch.account),
        "instead_of": person(watch.instead_of),
    }


@router.get("/duty")
async def on_duty(
    actor: Reader, held: Held, conn: Conn, unit: Annotated[str | None, Query(max_length=64)] = None
) -> dict[str, Any]:
    """Who is on duty now in a unit of the caller's subtree and in the tiers above it, role by role, bottom up."""
    upward = held.tree.upward(scope(actor, held, unit).code)
    book = await duty.book(conn, [one.code for one in upward])
    return {
        "as_of": now().isoformat(),
        "items": [
            {
                "unit": one.code,
                "unit_name": one.name,
                "tier": one.tier,
                "roles": [
                    {
                        "role": role.value,
                        "label": role.label,
                        "roster": (one.code, role) in book.rosters,
                        "people": [
                            {"id": str(p.account), "name": p.name, "instead_of": p.instead_of and str(p.instead_of)}
                            for p in book.people(one.code, role, now())
                        ],
                    }
                    for role in ROSTERED
                ],
            }
            for one in upward
        ],
    }


@router.get("/duty/plan")
async def plan(
    actor: Reader,
    held: Held,
    conn: Conn,
    role: RosteredRole,
    unit: Annotated[str | None, Query(max_length=64)] = None,
    days: Annotated[int, Query(ge=1, le=MAX_DAYS)] = _AHEAD,
) -> dict[str, Any]:
    """The watches of the next days; ``on_duty`` null where nobody is there."""
    code = scope(actor, held, unit).code
    book = await duty.book(conn, [code])
    watches = book.plan(code, Role(role), now(), now() + timedelta(days=days))
    return {"unit": code, "role": role, "items": [_shown(one, book) for one in watches]}


@router.get("/duty/gaps")
async def gaps(
    actor: Reader, held: Held, conn: Conn, days: Annotated[int, Query(ge=1, le=MAX_DAYS)] = _AHEAD
) -> dict[str, Any]:
    """Units of the caller's subtree that will be without somebody on their roster, longest gap first."""
    book = await duty.book(conn)
    start = now()
    items = []
    for unit, role in sorted(book.rosters):
        if not actor.covers(held.tree[unit].path):
            continue
        watches = book.plan(unit, role, start, start + timedelta(days=days))
        empty = [one for one in watches if one.account is None]
        if empty:
            hours = round(gap_days(watches) / timedelta(hours=1), 1)
            items.append({"unit": unit, "role": role.value, "hours": hours, "first": empty[0].starts_at.isoformat()})
    return {"items": sorted(items, key=lambda one: -float(str(one["hours"])))}


@router.put("/duty/rosters/{unit}/{role}")
async def put_roster(
    wanted: RosterRequest,
    hats: Hats,
    held: Held,
    conn: Conn,
    unit: Annotated[str, Path(max_length=64)],
    role: RosteredRole,
) -> dict[str, str]:
    """Put a roster in force in place of the one before."""
    hat, at = _setting(hats, held, unit)
    try:
        roster = Roster(
            **wanted.model_dump(exclude={"people", "holiday_people"}),
            unit=at.code,
            role=Role(role),
            people=tuple(wanted.people),
            holiday_people=tuple(wanted.holiday_people),
        )
        return {"id": str(await rosters.put(conn, roster, hat.id, now()))}
    except ValueError as error:
        field = "people" if isinstance(error, rosters.Unable) else "holiday_people"
        raise Problem(422, "bad-field", str(error), errors=[FieldProblem(field, "bad_value", str(error))]) from None


@router.delete("/duty/rosters/{unit}/{role}", status_code=204)
async def end_roster(
    hats: Hats, held: Held, conn: Conn, unit: Annotated[str, Path(max_length=64)], role: RosteredRole
) -> None:
    """End a roster: from now on whoever holds the role is meant, at any hour."""
    hat, at = _setting(hats, held, unit)
    if not await rosters.end(conn, at.code, Role(role), hat.id, now()):
        raise Problem(404, "not-found", f"{unit} 没有「{Role(role).label}」值班表")


@router.get("/duty/absences")
async def my_absences(session: SignedIn, conn: Conn) -> dict[str, Any]:
    """The caller's own absences that are not over."""
    rows = await rosters.absences(conn, session.account, now())
    return {"items": [{name: _text(row[name]) for name in ("id", "starts_at", "ends_at", "deputy")} for row in rows]}


def _text(value: Any) -> str | None:
    return value.isoformat() if isinstance(value, datetime) else value and str(value)


@router.post("/duty/absences", status_code=201)
async def go_away(wanted: AbsenceRequest, session: SignedIn, conn: Conn) -> dict[str, str]:
    """Say that one is away, and who stands in. Never why."""
    if wanted.ends_at <= wanted.starts_at or wanted.ends_at <= now():
        raise _bad("ends_at", "结束时间须晚于开始时间，也须晚于现在")
    if wanted.deputy == session.account:
        raise _bad("deputy", "代班人不能是本人")
    absence = Absence(session.account, wanted.starts_at, wanted.ends_at, wanted.deputy)
    if wanted.deputy is not None and not await rosters.is_known(conn, wanted.deputy):
        raise _bad("deputy", f"没有账号 {wanted.deputy}")
    return {"id": str(await rosters.away(conn, absence, f"account:{session.account}", now()))}


def _bad(field: str, sentence: str) -> Problem:
    return Problem(422, "bad-field", sentence, errors=[FieldProblem(field, "bad_value", sentence)])


@router.delete("/duty/absences/{id}", status_code=204)
async def come_back(id: UUID, session: SignedIn, conn: Conn) -> None:
    """Withdraw an absence of one's own."""
    if not await rosters.back(conn, id, session.account, f"account:{session.account}", now()):
        raise Problem(404, "not-found", f"没有您的请假 {id}")


@router.post("/duty/handovers", status_code=201)
async def hand_over(wanted: HandoverRequest, session: SignedIn, hats: Hats, held: Held, conn: Conn) -> dict[str, Any]:
    """Hand one's watch over: the note goes to whoever the roster names next, with what is open at this moment."""
    role = Role(wanted.role)
    if not any(hat.role is role and hat.unit == wanted.unit for hat in hats):
        raise Problem(403, "forbidden", f"您在 {wanted.unit} 没有「{role.label}」角色，不能交班", who=[role.value])
    book = await duty.book(conn, [wanted.unit])
    watch = book.watch(wanted.unit, role, now())
    following = book.plan(wanted.unit, role, now(), now() + timedelta(days=_AHEAD))
    others = (one.account for one in following if one.account not in (None, session.account))
    taker = next(others, None) if watch is not None else None
    id = await rosters.hand_over(conn, wanted.unit, role, session.account, taker, wanted.note, now())
    return {"id": str(id), "to": taker and str(taker)}


@router.get("/duty/handovers")
async def handovers(
    hats: Hats,
    conn: Conn,
    unit: Annotated[str, Query(max_length=64)],
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: UUID | None = None,
) -> dict[str, Any]:
    """Hand-overs of a unit, newest first: for those who hold a role in it."""
    if not any(hat.unit == unit and hat.role in ROSTERED for hat in hats):
        raise Problem(404, "not-found", f"没有单位 {unit}，或您在该单位没有值班角色")
    rows = await rosters.handovers(conn, unit, limit + 1, cursor)
    items = [{n: [str(id) for id in v] if n == "hazards" else _text(v) for n, v in row.items()} for row in rows[:limit]]
    return {"items": items, "next": items[-1]["id"] if len(rows) > limit else None}


@router.post("/duty/handovers/{id}/take", status_code=204)
async def take_over(id: UUID, session: SignedIn, hats: Hats, conn: Conn) -> None:
    """Confirm that one has taken over."""
    found = await rosters.handover(conn, id)
    mine = found and any(hat.unit == found["unit"] and hat.role == found["role"] for hat in hats)
    if not mine or not await rosters.take_over(conn, id, session.account, now()):
        raise Problem(404, "not-found", f"没有等您接班的交接 {id}")


@router.get("/chains/left")
async def left(actor: Reader, hats: Hats, conn: Conn) -> dict[str, Any]:
    """Open hazards that still follow a chain from before the tree was changed, by unit."""
    # What this process knows of the tree may be a minute old: just the minute in which somebody asks.
    tree = await units.tree(conn)
    async with reading(conn, viewer(hats)):
        found = await chains.left(conn, tree, actor.path)
    return {"items": [one.as_dict() for one in found], "count": sum(one.count for one in found)}
