"""Channels: by what ways one is told, or, for administrators, a unit. Addresses go in whole and come out masked."""

from datetime import time
from typing import Annotated, Any
from uuid import UUID

import uuid_utils.compat as uuid_utils
from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from api.access import Hats, SignedIn
from api.hazards import Text
from api.problems import Problem
from api.state import Conn, Held, State, now
from models.notices_channel import MOST, BadChannel, ChannelKind, channel
from models.notices_schedule import Quiet
from models.notices_text import trial
from models.reports import Problem as FieldProblem
from models.roles import Actor, Role
from store import channels, sending
from store.channels import Owner
from store.sealing import sealer
from store.sign_in import Session

router = APIRouter(prefix="/channels")


class QuietHours(BaseModel):
    """Hours of Asia/Shanghai in which yellow and blue wait; over midnight where ``start`` is later than ``end``."""

    model_config = ConfigDict(extra="forbid")
    start: time = time(22, 0)
    end: time = time(7, 0)


class ChannelRequest(BaseModel):
    """A channel from plain parts; ``address`` may be an Apprise URL too. ``unit``: for that unit, by its administrators."""

    model_config = ConfigDict(extra="forbid")
    kind: ChannelKind
    address: Annotated[Text, Field(min_length=1, max_length=MOST)]
    secret: Annotated[Text, Field(max_length=200)] | None = None
    quiet: QuietHours | None = QuietHours()
    unit: Annotated[Text, Field(max_length=64)] | None = None


def _owner(own: Session, hats: tuple[Actor, ...], held: State, unit: str | None) -> Owner:
    """Oneself, or a unit that one administers; 403 and 404 as for accounts."""
    if unit is None:
        return Owner(account=own.account)
    admins = [hat for hat in hats if hat.role is Role.ADMIN]
    if not admins:
        raise Problem(403, "forbidden", f"单位的通知渠道由{Role.ADMIN.label}管理", who=[Role.ADMIN.value])
    if unit not in held.tree or not any(hat.covers(held.tree[unit].path) for hat in admins):
        raise Problem(404, "not-found", f"没有单位 {unit}，或不在您的管理范围内")
    return Owner(unit=unit)


async def _own(conn: Conn, id: UUID, own: Session, hats: tuple[Actor, ...], held: State) -> dict[str, Any]:
    """A channel of one's own or of a unit that one administers; 404 for any other."""
    row = await channels.found(conn, id)
    missing = Problem(404, "not-found", f"没有通知渠道 {id}")
    if row is None or (row["unit"] is None and row["account"] != own.account):
        raise missing
    if row["unit"] is not None:
        try:
            _owner(own, hats, held, row["unit"])
        except Problem:
            raise missing from None
    return row


@router.get("")
async def listed(
    own: SignedIn, hats: Hats, held: Held, conn: Conn, unit: Annotated[Text | None, Query(max_length=64)] = None
) -> dict[str, Any]:
    """One's own channels, or a unit's, oldest first: the first that works is used."""
    rows = await channels.listed(conn, _owner(own, hats, held, unit))
    return {"items": [_shown(row) for row in rows], "next": None}


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    quiet = channels.quiet_of(row)
    return {
        "id": str(row["id"]),
        "kind": row["kind"],
        "kind_label": ChannelKind(row["kind"]).label,
        "address": row["masked"],
        "unit": row["unit"],
        "quiet": quiet and {"start": f"{quiet.start:%H:%M}", "end": f"{quiet.end:%H:%M}"},
        "created_at": row["created_at"].isoformat(),
        "failing": row["failures"] > 0,
        "failures": row["failures"],
        "failed_at": row["failed_at"] and row["failed_at"].isoformat(),
        "reason": row["reason"],
    }


@router.post("", status_code=201)
async def add(wanted: ChannelRequest, own: SignedIn, hats: Hats, held: Held) -> dict[str, Any]:
    """A new channel. Its address is checked and sealed; nothing is sent to it yet."""
    owner = _owner(own, hats, held, wanted.unit)
    try:
        quiet = Quiet(wanted.quiet.start, wanted.quiet.end) if wanted.quiet else None
        made = channel(wanted.kind, wanted.address, wanted.secret)
        # A look-up of a name may take seconds: in a thread, and before a connection is taken.
        await sending.checked(made, held.settings)
    except BadChannel as error:
        raise _bad("address", str(error)) from None
    except ValueError as error:
        raise _bad("quiet", str(error)) from None
    try:
        async with held.pool.connection() as conn:
            id = await channels.add(conn, owner, made, quiet, sealer(held.settings), f"account:{own.account}", now())
            row = await channels.found(conn, id)
    except channels.TooMany as error:
        raise Problem(409, "not-allowed", str(error)) from None
    assert row  # noqa: S101 - added above
    return _shown(row)


def _bad(field: str, said: str) -> Problem:
    return Problem(422, "bad-field", said, errors=[FieldProblem(field, "bad_channel", said)])


@router.post("/{id}/test")
async def test(id: UUID, own: SignedIn, hats: Hats, held: Held) -> dict[str, Any]:
    """Send a trial, and say whether it was taken. Once in ten seconds. No connection is held while the receiver is spoken to."""
    async with held.pool.connection() as conn:
        row = await _own(conn, id, own, hats, held)
        if not await channels.tried(conn, id, now()):
            wait = str(int(channels.TRIAL_EVERY.total_seconds()))
            raise Problem(429, "too-many", f"每个渠道 {wait} 秒内只能测试一次", headers={"Retry-After": wait})
    text, ours = trial(held.settings.base_url), sealer(held.settings)
    reason = await sending.deliver(row["sealed"], text, held.settings, ours)
    recipient = Owner(account=row["account"], unit=row["unit"]).recipient
    async with held.pool.connection() as conn:
        await channels.record(conn, uuid_utils.uuid7(), recipient, id, reason, [], now())
    return {"sent": reason is None, "reason": reason}


@router.delete("/{id}", status_code=204)
async def remove(id: UUID, own: SignedIn, hats: Hats, held: Held, conn: Conn) -> None:
    """Take a channel out; its address is forgotten, what was sent by it stays recorded."""
    await _own(conn, id, own, hats, held)
    await channels.remove(conn, id, f"account:{own.account}", now())
