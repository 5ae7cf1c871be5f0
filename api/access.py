"""Who is calling, and what they may do. A role holds in its unit and below (domain §2, §3)."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request

from api.problems import Problem
from api.state import Held, now
from models.accounts import furthest_first
from models.roles import Actor, Role
from models.units import Unit
from store import keys, sign_in

COOKIE = "campus_risk_session"
LOOPBACK = ("127.0.0.1", "::1")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

REPORTING = frozenset(
    {Role.INFORMANT, Role.ASSESSOR, Role.HANDLER, Role.SUPERVISOR, Role.LEADER, Role.ADMIN, Role.MACHINE}
)
READING = frozenset(Role) - {Role.WALL, Role.SYSTEM}
# Confidential lanes are open to the named roles of the unit concerned itself, to nobody above or below it.
CONFIDENTIAL = frozenset({Role.ASSESSOR, Role.HANDLER, Role.SUPERVISOR, Role.LEADER})


async def people(request: Request, held: Held) -> tuple[Actor, ...]:
    """Who calls, with every hat they wear, the one that reaches furthest first; all hats of one person have one ``id``.

    A bearer key or a key's session is one hat; a person's session has one a grant; a visitor of a loopback demo has one.
    401 for nobody; 403 for a person without a role, for one who must set up a second factor first, and for another site's page.

    On a connection of its own, given back before the endpoint asks for one: callers that each held one while they wait
    for another would starve each other.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if token:
        async with held.pool.connection() as conn:
            if scheme.lower() == "bearer" and (actor := await keys.actor(conn, token.strip())):
                return (actor,)
        raise _unknown("密钥无效或已停用")
    if cookie := request.cookies.get(COOKIE):
        same_origin(request)
        async with held.pool.connection() as conn:
            if actor := await keys.session_actor(conn, cookie, now()):
                return (actor,)
            if session := await sign_in.session(conn, cookie, now()):
                return _hats(session)
    if held.settings.demo and held.tree.root and _on_loopback(request):
        return (visitor(held.tree.root),)
    raise _unknown("请以 Authorization: Bearer <密钥> 调用，或先登录")


def _hats(session: sign_in.Session) -> tuple[Actor, ...]:
    if session.enrols_only:
        raise Problem(
            403, "forbidden", "您的角色须先启用双重验证：POST /api/v1/account/second-factor", need="second-factor"
        )
    if not session.hats:
        raise Problem(403, "forbidden", "您的账号还没有任何角色；请联系本单位管理员")
    return furthest_first(session.hats, READING)


def same_origin(request: Request) -> None:
    """403 where a browser says that another site's page is calling; callers that are no browsers say nothing.

    Only host and port are compared: behind a proxy that ends TLS the scheme seen here is not the browser's.
    """
    # A page cannot make a browser send a bearer key; what a browser adds by itself (Basic, for a proxy) proves nothing.
    if request.method in _SAFE or request.headers.get("authorization", "").lower().startswith("bearer "):
        return
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        own = site in ("same-origin", "none")
    else:
        own = origin is None or origin.partition("://")[2].lower() == request.headers.get("host", "").lower()
    if not own:
        raise Problem(403, "forbidden", "来自其他网站页面的请求不予受理")


async def signed_in(request: Request, held: Held) -> sign_in.Session:
    """The caller's own session, even one that may only set up a second factor. 401 without one; 403 for keys, which have no account."""
    same_origin(request)
    cookie = request.cookies.get(COOKIE)
    if cookie and "authorization" not in request.headers:
        async with held.pool.connection() as conn:
            if session := await sign_in.session(conn, cookie, now()):
                return session
    await people(request, held)
    raise Problem(403, "forbidden", "密钥没有账号；请以登录名与口令登录")


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


Hats = Annotated[tuple[Actor, ...], Depends(people, scope="function")]


async def caller(hats: Hats) -> Actor:
    """The caller in the hat that reaches furthest for reading."""
    return hats[0]


Caller = Annotated[Actor, Depends(caller, scope="function")]
Enrolling = Annotated[sign_in.Session, Depends(signed_in, scope="function")]


def _whole(session: Enrolling) -> sign_in.Session:
    if session.enrols_only:
        _hats(session)
    return session


# Somebody who signed in with all that their roles ask for.
SignedIn = Annotated[sign_in.Session, Depends(_whole, scope="function")]


def require(allowed: frozenset[Role], doing: str) -> Callable[[tuple[Actor, ...]], Actor]:
    """A dependency that lets these roles through, in the hat that reaches furthest, and tells others who could."""

    def check(hats: Hats) -> Actor:
        for hat in hats:
            if hat.role in allowed:
                return hat
        own, who = (
            "、".join(role.label for role in Role if role in some) for some in ({h.role for h in hats}, allowed)
        )
        raise Problem(403, "forbidden", f"{own}不能{doing}；可由{who}进行", who=sorted(allowed))

    return check


def reporter(hats: Hats) -> Actor:
    """Who may report: everybody but a wall; a demo's visitor too."""
    if is_visitor(hats[0]):
        return hats[0]
    return require(REPORTING, "上报")(hats)


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
