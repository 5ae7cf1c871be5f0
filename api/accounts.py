"""Administering accounts, within the administrator's subtree: list, create, grant, revoke, close and open, link identities."""

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from api.access import Hats, same_origin
from api.myself import shown, weak
from api.oidc import provider, within
from api.problems import Problem
from api.sessions import Password, hashed
from api.state import Conn, Held, State, now
from models.accounts import MAX_LOGIN, login_fault, normal_login, password_fault
from models.reports import Problem as FieldProblem
from models.roles import Actor, Role
from store import accounts, acts, identities
from store.accounts import Account

router = APIRouter(prefix="/api/v1/accounts", tags=["accounts"], dependencies=[Depends(same_origin)])


def administering(hats: Hats) -> tuple[Actor, ...]:
    """The caller's hats as an administrator; 403 without one."""
    own = tuple(hat for hat in hats if hat.role is Role.ADMIN)
    if not own:
        raise Problem(403, "forbidden", f"账号由{Role.ADMIN.label}管理", who=[Role.ADMIN.value])
    return own


Admins = Annotated[tuple[Actor, ...], Depends(administering)]


class GrantRequest(BaseModel):
    """A role in a unit and all below it."""

    model_config = ConfigDict(extra="forbid")
    role: Literal["informant", "assessor", "handler", "supervisor", "leader", "admin", "auditor"]
    unit: Annotated[str, Field(min_length=1, max_length=64)]


class AccountRequest(BaseModel):
    """A person to be let in. Without a password one is made up and shown once."""

    model_config = ConfigDict(extra="forbid")
    login: Annotated[str, Field(min_length=1, max_length=MAX_LOGIN)]
    name: Annotated[str, Field(min_length=1, max_length=64)]
    grants: Annotated[list[GrantRequest], Field(min_length=1, max_length=20)]
    password: Password | None = None


class EnableRequest(BaseModel):
    """Without a password one is made up and shown once. ``reset_second_factor``: authenticator and recovery codes are void too."""

    model_config = ConfigDict(extra="forbid")
    password: Password | None = None
    reset_second_factor: bool = False


class IdentityRequest(BaseModel):
    """Who somebody is at a provider: the ``sub`` that the sign-in page shows them."""

    model_config = ConfigDict(extra="forbid")
    provider: Annotated[str, Field(max_length=32)]
    subject: Annotated[str, Field(min_length=1, max_length=255)]


@router.get("")
async def listed(
    own: Admins,
    conn: Conn,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
    cursor: UUID | None = None,
) -> dict[str, Any]:
    """Accounts that hold, or held, a role in the subtree, by login; ``cursor`` is the last one of the page before."""
    rows = await accounts.listed(conn, [hat.path for hat in own], limit=limit + 1, after=cursor)
    items = [_shown(account, own) for account in rows[:limit]]
    return {"items": items, "next": items[-1]["id"] if len(rows) > limit else None}


def _shown(account: Account, own: tuple[Actor, ...]) -> dict[str, Any]:
    """An account as an administrator sees it: roles elsewhere are not theirs to see."""
    return {
        "id": str(account.id),
        "login": account.login,
        "name": account.name,
        "second_factor": account.confirmed,
        "created_at": account.created_at.isoformat(),
        "disabled_at": account.disabled_at and account.disabled_at.isoformat(),
        "grants": [
            {"id": str(grant.id), "role": grant.role.value, "unit": grant.unit}
            for grant in account.live
            if _covers(own, grant.path)
        ],
    }


def _covers(own: tuple[Actor, ...], path: str) -> bool:
    return any(hat.covers(path) for hat in own)


@router.post("", status_code=201)
async def create(wanted: AccountRequest, own: Admins, held: Held) -> dict[str, Any]:
    """A new account with its first roles."""
    login = normal_login(wanted.login)
    if fault := login_fault(login):
        raise Problem(422, "bad-field", fault, errors=[FieldProblem("login", "bad_login", fault)])
    if wanted.password is not None and (fault := password_fault(wanted.password, login)):
        raise weak("password", fault)
    given = [(Role(grant.role), _unit(own, held, grant.unit)) for grant in wanted.grants]
    password = wanted.password or accounts.invented()
    kept = await hashed(password)
    try:
        # Taken only now: hashing may have to wait for others', and nobody waits for hashing with a connection in hand.
        async with held.pool.connection() as conn:
            id = await accounts.create(conn, login, wanted.name, kept, given, own[0].id, now())
    except accounts.Taken as error:
        raise Problem(409, "not-allowed", str(error)) from None
    return {"id": str(id), "login": login} | ({} if wanted.password else {"password": password})


def _unit(own: tuple[Actor, ...], held: State, unit: str) -> str:
    """The unit, if it lies in the administrator's subtree; nobody grants above or beside their own unit."""
    if unit in held.tree and _covers(own, held.tree[unit].path):
        return unit
    raise Problem(404, "not-found", f"没有单位 {unit}，或不在您的管理范围内")


async def _account(conn: Conn, id: UUID, own: tuple[Actor, ...]) -> Account:
    """An account that the administrator sees, and that is not their own: nobody makes themselves more than they are."""
    account = await accounts.found(conn, id)
    if account is None or not any(_covers(own, grant.path) for grant in account.grants):
        raise Problem(404, "not-found", f"没有账号 {id}，或不在您的管理范围内")
    if own[0].id == f"account:{id}":
        raise Problem(403, "forbidden", "不能更改自己的账号；请由另一位管理员办理")
    return account


@router.post("/{id}/grants", status_code=201)
async def grant(id: UUID, wanted: GrantRequest, own: Admins, held: Held, conn: Conn) -> dict[str, str]:
    """Give a role. The same again is the grant in force."""
    account, unit = await _account(conn, id, own), _unit(own, held, wanted.unit)
    if account.disabled_at:
        raise Problem(409, "not-allowed", "账号已停用")
    return {"id": str(await accounts.grant(conn, id, Role(wanted.role), unit, own[0].id, now()))}


@router.delete("/{id}/grants/{grant}", status_code=204)
async def revoke(id: UUID, grant: UUID, own: Admins, conn: Conn) -> None:
    """Take a role back. It holds no longer from the person's next request on."""
    account = await _account(conn, id, own)
    within = any(held.id == grant and _covers(own, held.path) for held in account.live)
    if not within or not await accounts.revoke(conn, id, grant, own[0].id, now()):
        raise Problem(404, "not-found", f"没有授权 {grant}，或不在您的管理范围内")


@router.post("/{id}/disable", status_code=204)
async def disable(id: UUID, own: Admins, conn: Conn) -> None:
    """Close an account; its sessions end at once. Only for those whose roles all lie in the subtree."""
    await _whole(conn, id, own)
    await accounts.disable(conn, id, own[0].id, now())


async def _whole(conn: Conn, id: UUID, own: tuple[Actor, ...]) -> Account:
    """An account whose roles all lie in the subtree: whoever opens or closes one acts on all that it may do."""
    account = await _account(conn, id, own)
    if not all(_covers(own, grant.path) for grant in account.live):
        raise Problem(403, "forbidden", "此人在您的管理范围外还有角色；请收回您范围内的授权，或由上级管理员办理")
    return account


@router.post("/{id}/enable")
async def enable(id: UUID, wanted: EnableRequest, own: Admins, held: Held) -> dict[str, str]:
    """Open a closed account with a new password. Sessions and linked identities do not come back."""
    async with held.pool.connection() as conn:
        account = await _whole(conn, id, own)
    if wanted.password is not None and (fault := password_fault(wanted.password, account.login)):
        raise weak("password", fault)
    password = wanted.password or accounts.invented()
    kept = await hashed(password)
    async with held.pool.connection() as conn:
        await _whole(conn, id, own)
        if not await accounts.enable(conn, id, kept, own[0].id, now()):
            raise Problem(409, "not-allowed", "账号没有停用")
        if wanted.reset_second_factor:
            await accounts.reset_factor(conn, id, own[0].id, now())
    return {"login": account.login} | ({} if wanted.password else {"password": password})


@router.get("/{id}/acts")
async def history(id: UUID, own: Admins, conn: Conn) -> dict[str, Any]:
    """What was done to an account, by whom, newest first."""
    await _account(conn, id, own)
    items = [row | {"at": row["at"].isoformat()} for row in await acts.listed(conn, id)]
    return {"items": items, "next": None}


@router.get("/{id}/identities")
async def linked(id: UUID, own: Admins, held: Held, conn: Conn) -> dict[str, Any]:
    """An account's identities at providers."""
    await _account(conn, id, own)
    return {"items": shown(await identities.listed(conn, id), held), "next": None}


@router.post("/{id}/identities", status_code=201)
async def link(id: UUID, wanted: IdentityRequest, own: Admins, held: Held, conn: Conn) -> dict[str, str]:
    """Link an identity that somebody showed. The same again is the link in force."""
    await _whole(conn, id, own)
    to = provider(held, wanted.provider)
    if not await within(conn, id, to, held):
        raise Problem(409, "not-allowed", f"账号已停用，或在{held.tree[to.unit].name}范围内没有角色")
    try:
        return {"id": str(await identities.link(conn, id, to.issuer, wanted.subject, own[0].id, now()))}
    except identities.Taken as error:
        raise Problem(409, "not-allowed", str(error)) from None


@router.delete("/{id}/identities/{identity}", status_code=204)
async def unlink(id: UUID, identity: UUID, own: Admins, conn: Conn) -> None:
    """Take a link back; sessions begun with it end."""
    await _whole(conn, id, own)
    if not await identities.unlink(conn, id, identity, own[0].id, now()):
        raise Problem(404, "not-found", f"没有关联 {identity}")


@router.post("/{id}/link-code", status_code=201)
async def link_code(id: UUID, own: Admins, conn: Conn) -> dict[str, str]:
    """A code to hand to the account's owner, shown this once: with it they link their identity themselves."""
    if (await _whole(conn, id, own)).disabled_at:
        raise Problem(409, "not-allowed", "账号已停用")
    code, until = await identities.new_code(conn, id, own[0].id, now())
    return {"code": code, "expires_at": until.isoformat()}
