"""Who is calling, and what they may do. A role holds in its unit and below (domain §2, §3)."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request

from api.problems import Problem
from api.state import Held, now
from models.roles import Actor, Role
from models.units import Unit
from store import keys

COOKIE = "campus_risk_session"
LOOPBACK = ("127.0.0.1", "::1")

REPORTING = frozenset(
    {Role.INFORMANT, Role.ASSESSOR, Role.HANDLER, Role.SUPERVISOR, Role.LEADER, Role.ADMIN, Role.MACHINE}
)
READING = frozenset(Role) - {Role.WALL, Role.SYSTEM}
# Confidential lanes are open to the named roles of the unit concerned itself, to nobody above or below it.
CONFIDENTIAL = frozenset({Role.ASSESSOR, Role.HANDLER, Role.SUPERVISOR, Role.LEADER})


async def caller(request: Request, held: Held) -> Actor:
    """The caller: a bearer key, a session cookie, or (on a loopback demo) a visitor. 401 otherwise.

    On a connection of its own, given back before the endpoint asks for one: callers that each held one while they wait
    for another would starve each other.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if token:
        async with held.pool.connection() as conn:
            if scheme.lower() == "bearer" and (actor := await keys.actor(conn, token.strip())):
                return actor
        raise _unknown("密钥无效或已停用")
    if session := request.cookies.get(COOKIE):
        async with held.pool.connection() as conn:
            if actor := await keys.session_actor(conn, session, now()):
                return actor
    if held.settings.demo and held.tree.root and _on_loopback(request):
        return visitor(held.tree.root)
    raise _unknown("请以 Authorization: Bearer <密钥> 调用，或先登录")


def _unknown(detail: str) -> Problem:
    return Problem(401, "unauthenticated", detail, headers={"WWW-Authenticate": "Bearer"})


def _on_loopback(request: Request) -> bool:
    return request.client is not None and request.client.host in LOOPBACK


def visitor(city: Unit) -> Actor:
    """Somebody on the machine of a demo: may report and see figures, nothing of any person or text."""
    return Actor(id="demo:visitor", name="演示访客", role=Role.WALL, unit=city.code, path=city.path)


def is_visitor(actor: Actor) -> bool:
    """Whether this is the demo's visitor, who may report besides."""
    return actor.id == "demo:visitor"


Caller = Annotated[Actor, Depends(caller, scope="function")]


def require(allowed: frozenset[Role], doing: str) -> Callable[[Actor], Actor]:
    """A dependency that lets these roles through, and tells others who could."""

    def check(actor: Caller) -> Actor:
        if actor.role in allowed:
            return actor
        who = "、".join(role.label for role in Role if role in allowed)
        raise Problem(403, "forbidden", f"{actor.role.label}不能{doing}；可由{who}进行", who=sorted(allowed))

    return check


def reporter(actor: Caller) -> Actor:
    """Who may report: everybody but a wall; a demo's visitor too."""
    if is_visitor(actor):
        return actor
    return require(REPORTING, "上报")(actor)


Reader = Annotated[Actor, Depends(require(READING, "查看隐患"))]
Reporting = Annotated[Actor, Depends(reporter)]


def sees_confidential(actor: Actor, unit: str) -> bool:
    """Whether a confidential hazard of this unit is open to the caller."""
    return actor.role in CONFIDENTIAL and actor.unit == unit


def scope(actor: Actor, held: Held, unit: str | None) -> Unit:
    """The unit asked for, or the caller's own; 404 for one outside the caller's subtree, as for one that does not exist."""
    code = unit or actor.unit
    if code in held.tree and actor.covers(held.tree[code].path):
        return held.tree[code]
    raise Problem(404, "not-found", f"没有单位 {code}，或您无权查看")
