"""Single sign-on (OpenID Connect, Authorization Code with PKCE): to a provider, back from it, and the code that is still asked for."""

import hmac
import logging
import secrets
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field

from api.access import same_origin
from api.problems import Problem
from api.providers import Providers, Unreachable
from api.sessions import Code, admitted, with_session, wrong
from api.state import Held, State, now
from models import identity
from models.identity import BadToken, Proof, Provider, derived, safe_back
from store import accounts, identities, sign_in
from store.db import Connection
from store.identities import UnderWay
from store.sealing import sealer

log = logging.getLogger(__name__)
router = APIRouter(prefix="/api/v1", tags=["sessions"], dependencies=[Depends(same_origin)])

# Lax, for it must come along when the provider sends the browser back; it opens nothing by itself.
COOKIE = "campus_risk_oidc"
_PATH = "/api/v1/oidc"
PAGE = "/sign-in.html"
_providers = Providers()


class BeginRequest(BaseModel):
    """Where the page came from: a path of this site, to go back to."""

    model_config = ConfigDict(extra="forbid")
    back: Annotated[str | None, Field(max_length=2000)] = None


class FinishRequest(BaseModel):
    """What is still asked for: a code of the authenticator or a recovery code; a link code for an identity that is unknown."""

    model_config = ConfigDict(extra="forbid")
    code: Code | None = None
    link_code: Code | None = None


def offered(held: State) -> dict[str, Provider]:
    """The city's providers, by id."""
    return identity.providers(held.city["profile"]) if held.city else {}


def provider(held: State, id: str) -> Provider:
    """One of them; 404 where there is none."""
    found = offered(held).get(id)
    if found is None or found.unit not in held.tree:
        raise Problem(404, "not-found", f"没有登录方式 {id}")
    return found


@router.get("/session/providers")
async def listed(held: Held) -> dict[str, Any]:
    """Where else one can sign in: the buttons of the sign-in page."""
    items = [
        {"id": one.id, "label": one.label, "unit": one.unit, "unit_name": held.tree[one.unit].name}
        for one in offered(held).values()
        if one.unit in held.tree
    ]
    return {"items": items, "next": None}


@router.post("/oidc/{id}/begin")
async def begin(id: str, wanted: BeginRequest, request: Request, response: Response, held: Held) -> dict[str, str]:
    """Where the browser goes to sign in at a provider."""
    return {"location": await sent(provider(held, id), safe_back(wanted.back), request, response, held)}


async def sent(
    to: Provider, back: str, request: Request, response: Response, held: State, links: sign_in.Session | None = None
) -> str:
    """Begin a sign-in at a provider, bound to this browser; the address to go to. ``links``: whose account it is linked to."""
    try:
        known = await _providers.at(to)
    except Unreachable as error:
        log.warning("sign-in by %s: %s", to.id, error)
        raise Problem(503, "busy", f"暂时连不上{to.label}，请稍后再试", headers={"Retry-After": "10"}) from None
    browser = secrets.token_urlsafe(32)
    async with held.pool.connection() as conn:
        await identities.begin(conn, browser, to.id, back, now(), links=(links.account, links.id) if links else None)
    response.set_cookie(
        COOKIE,
        browser,
        max_age=2 * int(identities.UNDER_WAY.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
        path=_PATH,
    )
    return identity.authorization(to, known.metadata["authorization_endpoint"], _redirect(to, request, held), browser)


def _redirect(to: Provider, request: Request, held: State) -> str:
    """One address a provider: what another provider sends back does not fit (mix-up, RFC 9207 §4)."""
    base = held.settings.public_url or str(request.base_url)
    return f"{base.rstrip('/')}{_PATH}/{to.id}/callback"


@router.get("/oidc/{id}/callback", include_in_schema=False)
async def callback(
    id: str,
    request: Request,
    held: Held,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=4000)] = "",
    iss: Annotated[str | None, Query(max_length=1000)] = None,
    error: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """The provider sends the browser back. Whatever comes of it is said by the sign-in page."""
    browser = request.cookies.get(COOKIE, "")
    # Not the browser that began: somebody else's sign-in is being pushed at it, or it took too long.
    if not browser or not hmac.compare_digest(state.encode(), derived(browser, "state").encode()):
        return _page("/", "expired")
    async with held.pool.connection() as conn:
        under_way = await identities.returned(conn, browser, id, now())
    if under_way is None:
        return _page("/", "expired")
    if error:
        return _page(under_way.back, "denied" if error == "access_denied" else "failed")
    try:
        to = provider(held, id)
        known = await _providers.at(to)
        required = known.metadata.get("authorization_response_iss_parameter_supported") is True
        if iss != to.issuer and (required or iss is not None):
            raise BadToken("another issuer answered")
        proof = await _providers.proof(to, held.settings.oidc_secret(id), code, browser, _redirect(to, request, held))
    except (Unreachable, BadToken, Problem) as fault:
        log.warning("sign-in by %s was not believed: %s", id, fault)
        return _page(under_way.back, "failed")
    async with held.pool.connection() as conn:
        if under_way.account and under_way.session:
            outcome, token = await _linked(conn, under_way, to, proof, held), None
        else:
            outcome, token = await _recognised(conn, browser, to, proof, held)
        if outcome not in ("code", "unknown"):
            await identities.finish(conn, browser)
    answer = _page(under_way.back, outcome)
    return with_session(answer, token, request) if token else answer


def _page(back: str, outcome: str) -> Response:
    answer = RedirectResponse(f"{PAGE}?back={quote(back, safe='/')}#oidc={outcome}", status_code=303)
    if outcome not in ("code", "unknown"):
        answer.delete_cookie(COOKIE, path=_PATH)
    answer.headers["Cache-Control"] = "no-store"
    return answer


async def _linked(conn: Connection, under_way: UnderWay, to: Provider, proof: Proof, held: State) -> str:
    """Link an identity to the account whose session asked for it: only while that goes on."""
    account, session = under_way.account, under_way.session
    if account is None or session is None or not await sign_in.alive(conn, account, session, now()):
        return "expired"
    if not await within(conn, account, to, held):
        return "no-role"
    try:
        await identities.link(conn, account, proof.issuer, proof.subject, f"account:{account}", now())
    except identities.Taken:
        return "taken"
    return "linked"


async def within(conn: Connection, account: Any, to: Provider, held: State) -> bool:
    """Whether an open account has a role in the provider's subtree: elsewhere it signs nobody in."""
    found = await accounts.found(conn, account)
    path = held.tree[to.unit].path
    return found is not None and found.disabled_at is None and any(g.path.startswith(path) for g in found.live)


async def _recognised(
    conn: Connection, browser: str, to: Provider, proof: Proof, held: State
) -> tuple[str, str | None]:
    """What comes of somebody who came back, and a session's token where nothing is lacking."""
    linked = await identities.linked(conn, proof.issuer, proof.subject)
    if linked is None:
        await identities.prove(conn, browser, proof, now())
        return "unknown", None
    kept = await sign_in.owner(conn, linked[1])
    if kept is None or not await within(conn, kept.id, to, held):
        return "no-role", None
    if kept.totp is not None and not proof.factor:
        await identities.prove(conn, browser, proof, now())
        return "code", None
    return "done", await _session(conn, linked, to, held, factor=proof.factor)


async def _session(conn: Connection, linked: tuple[Any, Any], to: Provider, held: State, *, factor: bool) -> str:
    id, account = linked
    await identities.used(conn, id, now())
    return await sign_in.begin(conn, account, now(), factor=factor, by=(id, held.tree[to.unit].path))


@router.get("/oidc/waiting")
async def waiting(request: Request, held: Held) -> dict[str, Any]:
    """What a sign-in that came back waits for: a ``code`` of the authenticator, or a ``link-code`` for an unknown identity."""
    async with held.pool.connection() as conn:
        under_way = await identities.waiting(conn, request.cookies.get(COOKIE, ""), now())
        if under_way is None or under_way.proof is None:
            raise _over()
        proof = under_way.proof
        known = await identities.linked(conn, proof.issuer, proof.subject) is not None
    to = provider(held, under_way.provider)
    return {"need": "code" if known else "link-code", "provider": to.label} | (
        {} if known else {"provider_id": to.id, "subject": proof.subject}
    )


def _over() -> Problem:
    return Problem(401, "unauthenticated", "这次登录已过期，请重新开始")


@router.post("/oidc/session", status_code=204)
async def finish(wanted: FinishRequest, request: Request, held: Held) -> Response:
    """Sign in with what was still asked for. An unknown identity is linked by a link code, which holds once."""
    browser = request.cookies.get(COOKIE, "")
    async with held.pool.connection() as conn:
        under_way = await identities.waiting(conn, browser, now())
        if under_way is None or under_way.proof is None:
            raise _over()
        proof = under_way.proof
        linked = await identities.linked(conn, proof.issuer, proof.subject)
        read = await sign_in.owner(conn, linked[1]) if linked else None
    to = provider(held, under_way.provider)
    if linked is None and wanted.link_code is None:
        raise Problem(401, "unauthenticated", unknown(to), need="link-code")
    counted = await admitted(held, request, read.login if read else f"{proof.issuer} {proof.subject}")
    async with held.pool.connection() as conn:
        # Once more, and held from here on: two at a time would take one code twice.
        if await identities.waiting(conn, browser, now()) is None:
            raise _over()
        token = await _finished(conn, to, proof, wanted, held)
        if token:
            await identities.finish(conn, browser)
            await sign_in.forgive(conn, counted, known=True)
    if token is None:
        async with held.pool.connection() as conn:
            await sign_in.forgive(conn, counted, known=False)
        raise Problem(401, "unauthenticated", "请再输入验证器上的验证码", need="code")
    answer = with_session(Response(status_code=204), token, request)
    answer.delete_cookie(COOKIE, path=_PATH)
    return answer


def unknown(to: Provider) -> str:
    """What somebody is told whose identity is linked to no account."""
    return (
        f"您的{to.label}身份还没有关联到本平台的账号。请向本单位管理员索取一次性关联码并在此输入；"
        "已有账号的，也可先用登录名与口令登录，再在“登录方式”里关联"
    )


async def _finished(conn: Connection, to: Provider, proof: Proof, wanted: FinishRequest, held: State) -> str | None:
    """A session's token; None where a code is lacking, and then nothing may be changed yet."""
    linked = await identities.linked(conn, proof.issuer, proof.subject)
    account = linked[1] if linked else await identities.code_owner(conn, wanted.link_code or "", now())
    kept = await sign_in.owner(conn, account) if account else None
    if account is None or kept is None:
        raise wrong() if linked else Problem(401, "unauthenticated", "关联码不对、已用过或已过期；请向管理员索取新的")
    if not await within(conn, account, to, held):
        raise Problem(403, "forbidden", f"您的账号在{held.tree[to.unit].name}范围内没有角色；请联系本单位管理员")
    # To link, the platform's own factor is asked for even where the provider showed one: a link code is but a piece of paper.
    asked = kept.totp is not None and not (linked and proof.factor)
    if asked and wanted.code is None:
        return None
    if asked and not await sign_in.take_code(conn, kept, wanted.code or "", now(), sealer(held.settings)):
        raise wrong()
    if linked is None:
        by = await identities.take_code(conn, wanted.link_code or "", now())
        if by is None:
            raise _over()
        linked = await identities.link(conn, account, proof.issuer, proof.subject, by, now()), account
    return await _session(conn, linked, to, held, factor=asked or proof.factor)
