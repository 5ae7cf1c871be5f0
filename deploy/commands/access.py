"""``key create|list|revoke``: a machine's token, shown once; and people's accounts (``people.py``)."""

import asyncio
import json
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from deploy import connection
from deploy.commands import identities, people
from deploy.runtime.checks import CannotStart
from models.roles import Role
from store import db, keys, units
from streams.context import now

console = Console(highlight=False)
key_app = typer.Typer(help="密钥：对接系统、大屏与演示", no_args_is_help=True)

_GRANTED = [role.value for role in Role if role is not Role.SYSTEM]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(key_app, name="key")
    people.register(app)
    identities.register(people.account_app)


@key_app.command("create")
def create(
    name: Annotated[str, typer.Option(help="who or what holds it")],
    unit: Annotated[str, typer.Option(help="the unit it is good for, with all below")],
    role: Annotated[str, typer.Option(help=", ".join(_GRANTED))],
    as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
) -> None:
    """Make a key. The token is shown this once and kept as a hash only."""
    if role not in _GRANTED:
        raise typer.BadParameter(f"no role {role}: choose one of {', '.join(_GRANTED)}")
    id, token = asyncio.run(_create(name, unit, Role(role)))
    if as_json:
        console.print(json.dumps({"id": str(id), "token": token}), soft_wrap=True, markup=False)
    else:
        console.print(f"{id}\n{token}\n（只显示这一次）", markup=False, soft_wrap=True)


async def _create(name: str, unit: str, role: Role) -> tuple[UUID, str]:
    async with db.connect(str(connection.resolved().database)) as conn:
        if unit not in await units.tree(conn):
            raise CannotStart(f"There is no unit {unit}: GET /api/v1/units lists the codes.")
        return await keys.create(conn, name, unit, role, now())


@key_app.command("list")
def listed() -> None:
    """All keys, without their tokens."""
    table = Table("编号", "名称", "单位", "角色", "创建 UTC", "停用 UTC")
    for row in asyncio.run(_listed()):
        ended = f"{row['revoked_at']:%Y-%m-%d %H:%M}" if row["revoked_at"] else ""
        table.add_row(
            str(row["id"]), row["name"], row["unit"], row["role"], f"{row['created_at']:%Y-%m-%d %H:%M}", ended
        )
    console.print(table)


async def _listed() -> list[dict[str, Any]]:
    async with db.connect(str(connection.resolved().database)) as conn:
        return await keys.listed(conn)


@key_app.command("revoke")
def revoke(id: Annotated[UUID, typer.Argument(help="the number from `key list`")]) -> None:
    """End a key, and the sessions made with it, at once."""
    if not asyncio.run(_revoke(id)):
        raise CannotStart(f"There is no key {id} to end: `campus-risk key list` shows the numbers.")
    console.print(f"{id} 已停用", markup=False)


async def _revoke(id: UUID) -> bool:
    async with db.connect(str(connection.resolved().database)) as conn:
        return await keys.revoke(conn, id, now())
