"""Signing in and out: a key, or login, password and code, for a session cookie; one's sessions, and ending them."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from api.access import COOKIE, SignedIn, same_origin
from api.problems import Problem
from api.state import Conn, Held, State, now
from models.accounts import MAX_LOGIN, MAX_PASSWORD, normal_login
from models.identity import providers
from store import accounts, keys, sign_in
from store.sealing import sealer
from store.sign_in import Bucket, Secrets

router = APIRouter(prefix="/api/v1", tags=["sessions"], dependencies=[Depends(same_origin)])

# Two at once: a storm of sign-ins takes 128 MiB and two threads, and leaves those that take reports alone.
_hashing = ThreadPoolExecutor(2, thread_name_prefix="argon2")

Password = Annotated[str, Field(min_length=1, max_length=MAX_PASSWORD)]
Code = Annotated[str, Field(min_length=6, max_length=40)]


class KeyRequest(BaseModel):
    """A key, to be changed for a session."""

    model_config = ConfigDict(extra="forbid")
    key: Annotated[str, Field(min_length=8, max_length=200)]


class PasswordRequest(BaseModel):
    """A person who signs in. ``code``: of the authenticator, or a recovery code."""

    model_config = ConfigDict(extra="forbid")
    login: Annotated[str, Field(min_length=1, max_length=MAX_LOGIN)]
    password: Password
    code: Code | None = None


def _kind(given: Any) -> str:
    return "key" if isinstance(given, KeyRequest) or (isinstance(given, dict) and "key" in given) else "password"


SessionRequest = Annotated[
    Annotated[KeyRequest, Tag("key")] | Annotated[PasswordRequest, Tag("password")], Discriminator(_kind)
]


@router.post("/session", status_code=204)
async def begin(wanted: SessionRequest, request: Request, held: Held) -> Response:
    """Sign in. A browser's stream cannot send headers, so a key is changed for a cookie too."""
    if isinstance(wanted, KeyRequest):
        async with held.pool.connection() as conn:
            token = await keys.begin_session(conn, wanted.key, now())
        if token is None:
            raise Problem(401, "unauthenticated", "密钥无效或已停用")
    else:
        token = await _begin(wanted, request, held)
    return with_session(Response(status_code=204), token, request)


def with_session(response: Response, token: str, request: Request) -> Response:
    """An answer that gives the browser its session."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(keys.SESSION.total_seconds()),
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
        path="/",
    )
    return response


async def _begin(wanted: PasswordRequest, request: Request, held: State) -> str:
    read, counted = await proven(held, request, normal_login(wanted.login), wanted.password)
    async with held.pool.connection() as conn:
        kept = await sign_in.locked(conn, read)
        if kept is None:
            raise wrong()
        lacking = kept.totp is not None and wanted.code is None
        if (
            kept.totp is not None
            and wanted.code is not None
            and not await sign_in.take_code(conn, kept, wanted.code, now(), sealer(held.settings))
        ):
            raise wrong()
        # A right password alone takes back its own attempt only: else it would wipe out wrong codes between them.
        await sign_in.forgive(conn, counted, known=not lacking)
        token = "" if lacking else await sign_in.begin(conn, kept.id, now(), factor=kept.totp is not None)
    if lacking:
        raise Problem(401, "unauthenticated", "请再输入验证器上的验证码", need="code")
    return token


def wrong(status: int = 401) -> Problem:
    """Something was wrong, and it is not said what. 403 for somebody who has a session and keeps it."""
    code = "unauthenticated" if status == 401 else "forbidden"
    return Problem(status, code, "登录名、口令或验证码不对，或账号已停用")


async def admitted(held: State, request: Request, login: str) -> tuple[Bucket, Bucket]:
    """Count an attempt; what it was counted for. 429 where login or address must wait."""
    counted = sign_in.buckets(login, request.client.host if request.client else "")
    async with held.pool.connection() as conn:
        pause = await sign_in.count(conn, counted, now())
    if pause is not None:
        seconds = max(1, ceil(pause.total_seconds()))
        raise Problem(429, "too-many", f"尝试过于频繁，请 {seconds} 秒后再试", headers={"Retry-After": str(seconds)})
    return counted


async def proven(
    held: State, request: Request, login: str, password: str, *, status: int = 401
) -> tuple[Secrets, tuple[Bucket, Bucket]]:
    """Whose login and password these are, and what the attempt was counted for, to be forgiven when all else is right.

    Raises ``wrong(status)`` after the same work for a login that nobody has, and 429. Takes connections of its own.
    """
    counted = await admitted(held, request, login)
    async with held.pool.connection() as conn:
        read = await sign_in.secrets_of(conn, login)
    kept = read.password if read else None
    good = await asyncio.get_running_loop().run_in_executor(_hashing, accounts.verified, kept, password)
    if read is None or not good:
        raise wrong(status)
    return read, counted


async def hashed(password: str) -> str:
    """A password as it is kept."""
    return await asyncio.get_running_loop().run_in_executor(_hashing, accounts.hashed, password)


@router.delete("/session", status_code=204)
async def end(request: Request, conn: Conn) -> Response:
    """Sign out."""
    await keys.end_session(conn, request.cookies.get(COOKIE, ""))
    return _signed_out()


def _signed_out() -> Response:
    response = Response(status_code=204)
    response.delete_cookie(COOKIE, path="/")
    return response


@router.get("/sessions")
async def listed(own: SignedIn, conn: Conn, held: Held) -> dict[str, Any]:
    """One's own sessions, newest first; ``provider`` names who signed in for one, by its label."""
    labels = {one.issuer: one.label for one in providers(held.city["profile"] if held.city else {}).values()}
    items = [
        {"id": str(row["id"]), "current": row["id"] == own.id, "second_factor": row["factor"]}
        | {"provider": row["issuer"] and labels.get(row["issuer"], row["issuer"])}
        | {name: row[name].isoformat() for name in ("created_at", "expires_at")}
        for row in await sign_in.sessions(conn, own.account, now())
    ]
    return {"items": items, "next": None}


@router.delete("/sessions/{id}", status_code=204)
async def end_one(id: UUID, own: SignedIn, conn: Conn) -> Response:
    """End one of one's own sessions."""
    if not await sign_in.end(conn, own.account, id):
        raise Problem(404, "not-found", f"没有会话 {id}")
    return _signed_out() if id == own.id else Response(status_code=204)


@router.delete("/sessions", status_code=204)
async def end_all(own: SignedIn, conn: Conn) -> Response:
    """End all of one's own sessions, this one too."""
    await sign_in.end_all(conn, own.account)
    return _signed_out()
