"""One's own account: what it is, its password, its second factor, its identities at providers."""

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api import oidc
from api.access import Enrolling, SignedIn, same_origin
from api.problems import Problem
from api.sessions import Code, Password, admitted, hashed, proven, wrong
from api.state import Conn, Held, State, now
from models.accounts import enrolment_uri, password_fault
from models.reports import Problem as FieldProblem
from store import accounts, identities, sign_in
from store.sealing import sealer

router = APIRouter(prefix="/api/v1/account", tags=["account"], dependencies=[Depends(same_origin)])


# A sign-in at a provider counts as proof for this long.
FRESH = timedelta(minutes=10)


class PasswordChange(BaseModel):
    """The password in force, and the one to come."""

    model_config = ConfigDict(extra="forbid")
    current: Password
    new: Password


class EnrolRequest(BaseModel):
    """One's password; where a second factor is in force already, a code of it too.

    Without a password only just after a provider signed one in, and only for a first factor.
    """

    model_config = ConfigDict(extra="forbid")
    password: Password | None = None
    code: Code | None = None


class LinkRequest(BaseModel):
    """A provider, and what proves that the account's owner asks."""

    model_config = ConfigDict(extra="forbid")
    provider: Annotated[str, Field(max_length=32)]
    password: Password
    code: Code | None = None


class CodeRequest(BaseModel):
    """A code of the authenticator."""

    model_config = ConfigDict(extra="forbid")
    code: Code


@router.get("")
async def myself(own: Enrolling, held: Held, conn: Conn) -> dict[str, Any]:
    """Login, name, roles, and whether a second factor is asked for, in force, and ``given`` in this session."""
    return {
        "login": own.login,
        "name": own.name,
        "grants": [
            {
                "role": hat.role.value,
                "role_label": hat.role.label,
                "unit": hat.unit,
                "unit_name": held.tree[hat.unit].name,
            }
            for hat in own.hats
        ],
        "second_factor": {
            "needed": own.needs_factor,
            "confirmed": own.confirmed,
            "given": own.factor,
            "recovery_codes_left": await sign_in.recovery_left(conn, own.account),
        },
    }


def weak(field: str, fault: str) -> Problem:
    """422: a password that will not do."""
    return Problem(422, "bad-field", fault, errors=[FieldProblem(field, "weak_password", fault)])


@router.post("/password", status_code=204)
async def change_password(wanted: PasswordChange, own: SignedIn, request: Request, held: Held) -> None:
    """Change one's password. All other sessions end."""
    if fault := password_fault(wanted.new, own.login):
        raise weak("new", fault)
    if wanted.new == wanted.current:
        raise weak("new", "新口令与原口令相同")
    read, counted = await proven(held, request, own.login, wanted.current, status=403)
    new = await hashed(wanted.new)
    async with held.pool.connection() as conn:
        if await sign_in.locked(conn, read) is None:
            raise wrong(403)
        await accounts.set_password(conn, own.account, new, now())
        await sign_in.end_all(conn, own.account, but=own.id)
        await sign_in.forgive(conn, counted, known=False)


@router.post("/second-factor")
async def enrol(wanted: EnrolRequest, own: Enrolling, request: Request, held: Held) -> dict[str, str]:
    """Begin to set up a second factor: its secret, shown this once. A factor in force stays until the new one is confirmed."""
    if wanted.password is None:
        return await _enrol_by_provider(own, held)
    read, counted = await proven(held, request, own.login, wanted.password, status=403)
    seal = sealer(held.settings)
    async with held.pool.connection() as conn:
        kept = await sign_in.locked(conn, read)
        if kept is None:
            raise wrong(403)
        # Without a code the attempt stays counted: whoever has a factor knows that one is needed.
        if kept.totp is not None and not await sign_in.take_code(conn, kept, wanted.code or "", now(), seal):
            raise wrong(403)
        secret = await sign_in.enrol(conn, own.account, seal)
        await sign_in.forgive(conn, counted, known=False)
    return {"secret": secret, "uri": enrolment_uri(secret, own.login)}


async def _enrol_by_provider(own: sign_in.Session, held: State) -> dict[str, str]:
    """Whoever came from a provider a moment ago proved as much as a password would, unless their account reaches beyond it."""
    if own.identity is None or not own.whole or own.confirmed or now() - own.begun > FRESH:
        raise Problem(403, "forbidden", "请输入口令；或重新用统一身份认证登录后立即设置", need="password")
    async with held.pool.connection() as conn:
        kept = await sign_in.owner(conn, own.account)
        if kept is None or kept.totp is not None:
            raise wrong(403)
        secret = await sign_in.enrol(conn, own.account, sealer(held.settings))
    return {"secret": secret, "uri": enrolment_uri(secret, own.login)}


@router.post("/second-factor/confirm")
async def confirm(wanted: CodeRequest, own: Enrolling, request: Request, held: Held) -> dict[str, list[str]]:
    """Put the new second factor in force by its first code: recovery codes, shown this once. All other sessions end."""
    counted = await admitted(held, request, own.login)
    async with held.pool.connection() as conn:
        kept = await sign_in.owner(conn, own.account)
        codes = await sign_in.confirm(conn, own, kept, wanted.code, now(), sealer(held.settings)) if kept else None
        if codes is None:
            raise wrong(403)
        await sign_in.forgive(conn, counted, known=False)
    return {"recovery_codes": codes}


@router.post("/second-factor/recovery-codes")
async def renew_recovery_codes(
    wanted: CodeRequest, own: SignedIn, request: Request, held: Held
) -> dict[str, list[str]]:
    """New recovery codes, shown this once, for a code; those before are void."""
    counted = await admitted(held, request, own.login)
    async with held.pool.connection() as conn:
        kept = await sign_in.owner(conn, own.account)
        if kept is None or not await sign_in.take_code(conn, kept, wanted.code, now(), sealer(held.settings)):
            raise wrong(403)
        codes = await sign_in.new_recovery_codes(conn, own.account)
        await sign_in.forgive(conn, counted, known=False)
    return {"recovery_codes": codes}


@router.get("/identities")
async def listed(own: SignedIn, held: Held, conn: Conn) -> dict[str, Any]:
    """One's identities at providers."""
    return {"items": shown(await identities.listed(conn, own.account), held), "next": None}


def shown(rows: list[dict[str, Any]], held: State) -> list[dict[str, Any]]:
    """Identities as they are told; ``provider`` is a label, or the issuer of one that is no longer configured."""
    labels = {one.issuer: one.label for one in oidc.offered(held).values()}
    return [
        {
            "id": str(row["id"]),
            "provider": labels.get(row["issuer"], row["issuer"]),
            "subject": row["subject"],
            "linked_at": row["linked_at"].isoformat(),
            "used_at": row["used_at"] and row["used_at"].isoformat(),
        }
        for row in rows
    ]


@router.post("/identities")
async def link(wanted: LinkRequest, own: SignedIn, request: Request, response: Response, held: Held) -> dict[str, str]:
    """Link a further identity: where the browser goes to prove it. A stolen session alone must not leave a door behind."""
    to = oidc.provider(held, wanted.provider)
    read, counted = await proven(held, request, own.login, wanted.password, status=403)
    async with held.pool.connection() as conn:
        kept = await sign_in.locked(conn, read)
        if kept is None:
            raise wrong(403)
        if kept.totp is not None and not await sign_in.take_code(
            conn, kept, wanted.code or "", now(), sealer(held.settings)
        ):
            raise wrong(403)
        await sign_in.forgive(conn, counted, known=False)
    return {"location": await oidc.sent(to, oidc.PAGE, request, response, held, own)}


@router.delete("/identities/{id}", status_code=204)
async def unlink(id: UUID, own: SignedIn, conn: Conn) -> None:
    """Take a link back; sessions begun with it end."""
    if not await identities.unlink(conn, own.account, id, f"account:{own.account}", now()):
        raise Problem(404, "not-found", f"没有登录方式 {id}")
