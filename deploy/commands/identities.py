"""``account identities|link|link-code|unlink|seal``: single sign-on of people's accounts, and second factors that lie open."""

from typing import Annotated, Any
from uuid import UUID

import typer
from rich.table import Table

from deploy import connection
from deploy.commands.people import BY, Login, console, known, run
from deploy.runtime.checks import CannotStart
from models.identity import Provider, providers
from store import identities, sign_in, units
from store.db import Connection
from store.sealing import sealer
from streams.context import now


def register(account_app: typer.Typer) -> None:
    """Add the commands."""
    for name, command in (
        ("identities", listed),
        ("link", link),
        ("link-code", link_code),
        ("unlink", unlink),
        ("seal", seal),
    ):
        account_app.command(name)(command)


def listed(login: Login) -> None:
    """Who somebody is at the city's identity providers."""

    async def work(conn: Connection) -> list[dict[str, Any]]:
        return await identities.listed(conn, (await known(conn, login)).id)

    table = Table("编号", "身份提供方", "标识 sub", "关联 UTC", "最近使用 UTC")
    for row in run(work):
        used = f"{row['used_at']:%Y-%m-%d %H:%M}" if row["used_at"] else ""
        table.add_row(str(row["id"]), row["issuer"], row["subject"], f"{row['linked_at']:%Y-%m-%d %H:%M}", used)
    console.print(table)


async def _provider(conn: Connection, id: str) -> tuple[Provider, str]:
    """A provider of the loaded city, and the path of its unit."""
    city, tree = await units.city(conn), await units.tree(conn)
    found = providers(city["profile"] if city else {})
    if id not in found:
        raise CannotStart(
            f"There is no identity provider {id}: [[sign_in]] in city.toml sets them, `campus-risk city load` loads them."
        )
    return found[id], tree[found[id].unit].path


def link(
    login: Login,
    provider: Annotated[str, typer.Option(help="the id of [[sign_in]] in city.toml")],
    subject: Annotated[str, typer.Option(help="the `sub` that the sign-in page shows its owner")],
) -> None:
    """Link an identity to an account: its owner may sign in by that provider."""

    async def work(conn: Connection) -> None:
        account, (to, path) = await known(conn, login), await _provider(conn, provider)
        if account.disabled_at or not any(grant.path.startswith(path) for grant in account.live):
            raise CannotStart(f"{login} is disabled, or has no role in {to.unit} or below: grant one first.")
        try:
            await identities.link(conn, account.id, to.issuer, subject, BY, now())
        except identities.Taken:
            raise CannotStart(
                "This identity is linked to another account: `campus-risk account unlink` there first."
            ) from None

    run(work)
    console.print(f"{login} 已关联 {provider}", markup=False)


def link_code(login: Login) -> None:
    """A code to hand to the account's owner, good once: with it they link their identity on the sign-in page."""

    async def work(conn: Connection) -> str:
        account = await known(conn, login)
        if account.disabled_at:
            raise CannotStart(f"The account {login} is disabled: `campus-risk account enable` opens it.")
        code, until = await identities.new_code(conn, account.id, BY, now())
        return f"{code}\n（只显示这一次，{until:%Y-%m-%d %H:%M} UTC 前有效）"

    console.print(run(work), markup=False)


def unlink(login: Login, id: Annotated[UUID, typer.Argument(help="the number from `account identities`")]) -> None:
    """Take a link back; sessions begun with it end."""

    async def work(conn: Connection) -> None:
        if not await identities.unlink(conn, (await known(conn, login)).id, id, BY, now()):
            raise CannotStart(f"{login} has no identity {id}: `campus-risk account identities` shows the numbers.")

    run(work)
    console.print(f"{id} 已解除", markup=False)


def seal() -> None:
    """Seal the secrets of second factors that earlier versions left open in the database."""

    async def work(conn: Connection) -> int:
        return await sign_in.seal_all(conn, sealer(connection.resolved()))

    console.print(f"{run(work)} 个已加密", markup=False)
