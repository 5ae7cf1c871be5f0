"""``account create|list|disable|enable|grant|revoke|reset-…|acts``: people's accounts, by their login. Links: ``identities.py``."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from deploy import connection
from deploy.runtime.checks import CannotStart
from models.accounts import GRANTABLE, login_fault, normal_login, password_fault
from models.roles import Role
from store import accounts, acts, db, sign_in, units
from store.accounts import Account
from store.acts import Act
from store.db import Connection
from streams.context import now

console = Console(highlight=False)
account_app = typer.Typer(help="账号：人的登录、角色与双重验证", no_args_is_help=True)

# Whoever runs the command line has the database itself; the grants say that it was done here.
BY = "cli"
_ONCE = "（只显示这一次）"
T = TypeVar("T")

Login = Annotated[str, typer.Option(help="the name to sign in with")]
GrantText = Annotated[str, typer.Argument(metavar="ROLE@UNIT", help="such as supervisor@330203-001")]
Ask = Annotated[bool, typer.Option("--ask", help="ask for the password instead of making one up")]
AsJson = Annotated[bool, typer.Option("--json", help="for machines")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(account_app, name="account")


def run(work: Callable[[Connection], Awaitable[T]]) -> T:
    """Do it in one transaction on the deployment's database."""

    async def inside() -> T:
        async with db.connect(str(connection.resolved().database)) as conn:
            return await work(conn)

    return asyncio.run(inside())


def _split(text: str) -> tuple[Role, str]:
    role, _, unit = text.partition("@")
    names = [known.value for known in GRANTABLE]
    if role not in names or not unit:
        raise typer.BadParameter(f"'{text}' is no ROLE@UNIT: a role is one of {', '.join(names)}")
    return Role(role), unit


async def known(conn: Connection, login: str) -> Account:
    """The account with a login. Raises ``CannotStart``."""
    account = await accounts.by_login(conn, normal_login(login))
    if account is None:
        raise CannotStart(f"There is no account {login}: `campus-risk account list` shows them all.")
    return account


async def _check_units(conn: Connection, given: list[tuple[Role, str]]) -> None:
    tree = await units.tree(conn)
    for _, unit in given:
        if unit not in tree:
            raise CannotStart(f"There is no unit {unit}: GET /api/v1/units lists the codes.")


def _password(ask: bool, login: str) -> str:
    """One asked for twice, or one made up. Raises ``CannotStart`` for a weak one."""
    if not ask:
        return accounts.invented()
    password: str = typer.prompt("口令 password", hide_input=True, confirmation_prompt=True)
    if fault := password_fault(password, login):
        raise CannotStart(f"{fault} (The password is too weak: choose another.)")
    return password


def _tell(login: str, password: str, ask: bool, as_json: bool) -> None:
    if as_json:
        told = {"login": login} | ({} if ask else {"password": password})
        console.print(json.dumps(told, ensure_ascii=False), soft_wrap=True, markup=False)
    else:
        console.print(login if ask else f"{login}\n{password}\n{_ONCE}", markup=False, soft_wrap=True)


@account_app.command("create")
def create(
    login: Login,
    name: Annotated[str, typer.Option(help="the person's name, as others see it")],
    grant: Annotated[list[str], typer.Option(metavar="ROLE@UNIT", help="a role in a unit and below; may be repeated")],
    ask: Ask = False,
    as_json: AsJson = False,
) -> None:
    """Let somebody in. A password that is made up is shown this once."""
    login, given = normal_login(login), [_split(text) for text in grant]
    if fault := login_fault(login):
        raise typer.BadParameter(fault)
    password = _password(ask, login)

    async def work(conn: Connection) -> None:
        await _check_units(conn, given)
        try:
            await accounts.create(conn, login, name, accounts.hashed(password), given, BY, now())
        except accounts.Taken:
            raise CannotStart(f"The login {login} is taken: choose another.") from None

    run(work)
    _tell(login, password, ask, as_json)


@account_app.command("list")
def listed() -> None:
    """All accounts and the roles they hold."""

    async def work(conn: Connection) -> list[Account]:
        rows: list[Account] = []
        while page := await accounts.listed(conn, limit=1000, after=rows[-1].id if rows else None):
            rows += page
        return rows

    table = Table("登录名", "姓名", "角色@单位", "双重验证", "创建 UTC", "停用 UTC")
    for row in run(work):
        table.add_row(
            row.login,
            row.name,
            "\n".join(f"{grant.role.value}@{grant.unit}" for grant in row.live),
            "是" if row.confirmed else "",
            f"{row.created_at:%Y-%m-%d %H:%M}",
            f"{row.disabled_at:%Y-%m-%d %H:%M}" if row.disabled_at else "",
        )
    console.print(table)


@account_app.command("grant")
def grant(login: Login, given: GrantText) -> None:
    """Give a role in a unit and below."""
    role, unit = _split(given)

    async def work(conn: Connection) -> None:
        account = await known(conn, login)
        await _check_units(conn, [(role, unit)])
        await accounts.grant(conn, account.id, role, unit, BY, now())

    run(work)
    console.print(f"{login} {role.value}@{unit} 已授权", markup=False)


@account_app.command("revoke")
def revoke(login: Login, given: GrantText) -> None:
    """Take a role back, from the next request on."""
    role, unit = _split(given)

    async def work(conn: Connection) -> None:
        account = await known(conn, login)
        held = [g.id for g in account.live if (g.role, g.unit) == (role, unit)]
        if not held:
            raise CannotStart(f"{login} does not hold {given}: `campus-risk account list` shows what they hold.")
        await accounts.revoke(conn, account.id, held[0], BY, now())

    run(work)
    console.print(f"{login} {role.value}@{unit} 已收回", markup=False)


@account_app.command("disable")
def disable(login: Login) -> None:
    """Close an account and end its sessions at once."""

    async def work(conn: Connection) -> None:
        account = await known(conn, login)
        if not await accounts.disable(conn, account.id, BY, now()):
            raise CannotStart(f"The account {login} is disabled already.")

    run(work)
    console.print(f"{login} 已停用", markup=False)


@account_app.command("enable")
def enable(login: Login, ask: Ask = False, as_json: AsJson = False) -> None:
    """Open a closed account, with a new password. Sessions and linked identities do not come back; the second factor stays."""
    password = _password(ask, normal_login(login))

    async def work(conn: Connection) -> None:
        account = await known(conn, login)
        if not await accounts.enable(conn, account.id, accounts.hashed(password), BY, now()):
            raise CannotStart(f"The account {login} is not disabled.")

    run(work)
    _tell(normal_login(login), password, ask, as_json)


@account_app.command("acts")
def history(login: Login) -> None:
    """What was done to an account, by whom, newest first."""

    async def work(conn: Connection) -> list[dict[str, Any]]:
        return await acts.listed(conn, (await known(conn, login)).id)

    table = Table("时间 UTC", "操作", "由谁", "说明")
    for row in run(work):
        table.add_row(f"{row['at']:%Y-%m-%d %H:%M}", row["act"], row["by"], row["detail"] or "")
    console.print(table)


@account_app.command("reset-password")
def reset_password(login: Login, ask: Ask = False, as_json: AsJson = False) -> None:
    """A new password for somebody who forgot theirs; all their sessions end. The second factor stays."""
    password = _password(ask, normal_login(login))

    async def work(conn: Connection) -> None:
        account = await known(conn, login)
        await accounts.set_password(conn, account.id, accounts.hashed(password), now())
        await sign_in.end_all(conn, account.id)
        await acts.record(conn, account.id, Act.PASSWORD, BY, now())

    run(work)
    _tell(normal_login(login), password, ask, as_json)


@account_app.command("reset-second-factor")
def reset_second_factor(login: Login) -> None:
    """For somebody who lost authenticator and recovery codes: all sessions end, and the next sign-in enrols anew."""

    async def work(conn: Connection) -> None:
        await accounts.reset_factor(conn, (await known(conn, login)).id, BY, now())

    run(work)
    console.print(f"{login} 的双重验证已重置", markup=False)
