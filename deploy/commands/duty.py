"""``roster list|set|plan|gaps|end``, ``chain left``: who is on duty, and hazards that follow an old chain."""

import json
from datetime import datetime, time, timedelta
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from deploy.commands.asked import in_database
from deploy.runtime.checks import CannotStart
from models.accounts import normal_login
from models.calendar import SHANGHAI
from models.duty import ROSTERED, Holidays, Roster, Turn, gap_days
from models.roles import Role
from store import accounts, chains, duty, rosters, units
from store.db import Connection
from streams.context import now

console = Console(highlight=False)
roster_app = typer.Typer(help="值班：班次、代班、缺口", no_args_is_help=True)
chain_app = typer.Typer(help="三级链条", no_args_is_help=True)

_BY = "cli"
RoleName = Annotated[str, typer.Option("--role", help="assessor, handler, supervisor or leader")]
UnitCode = Annotated[str, typer.Option("--unit", help="a unit's code")]
Days = Annotated[int, typer.Option(min=1, max=366, help="how far to look")]
AsJson = Annotated[bool, typer.Option("--json", help="for machines")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(roster_app, name="roster")
    app.add_typer(chain_app, name="chain")


def _role(name: str) -> Role:
    if name not in {role.value for role in ROSTERED}:
        raise typer.BadParameter(f"'{name}' keeps no roster: one of {', '.join(ROSTERED)}")
    return Role(name)


@roster_app.command("set")
def roster_set(
    unit: UnitCode,
    role: RoleName,
    people: Annotated[list[str], typer.Argument(help="logins, in the order of their turns")],
    first_day: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="the first one's first day")],
    turn: Annotated[Turn, typer.Option(help="how long a turn lasts")] = Turn.WEEK,
    handover: Annotated[str, typer.Option(help="local time of the hand-over")] = "08:00",
    holidays: Annotated[Holidays, typer.Option(help="weekends and holidays")] = Holidays.SAME,
    holiday_people: Annotated[list[str] | None, typer.Option("--holiday", help="logins, with --holidays own")] = None,
) -> None:
    """Put a roster in force in place of the one before."""

    async def work(conn: Connection) -> None:
        if unit not in await units.tree(conn):
            raise CannotStart(f"There is no unit {unit}: GET /api/v1/units lists the codes.")
        try:
            roster = Roster(
                unit=unit,
                role=_role(role),
                first_day=first_day.date(),
                people=tuple([await _account(conn, login) for login in people]),
                turn=turn,
                handover=time.fromisoformat(handover),
                holidays=holidays,
                holiday_people=tuple([await _account(conn, login) for login in holiday_people or ()]),
            )
            await rosters.put(conn, roster, _BY, now())
        except ValueError as error:
            raise CannotStart(str(error)) from None

    in_database(work)
    console.print(f"{unit} 的「{_role(role).label}」值班表已生效", markup=False)


async def _account(conn: Connection, login: str) -> UUID:
    account = await accounts.by_login(conn, normal_login(login))
    if account is None:
        raise CannotStart(f"There is no account {login}: `campus-risk account list` shows them all.")
    return account.id


@roster_app.command("end")
def roster_end(unit: UnitCode, role: RoleName) -> None:
    """End a roster: whoever holds the role is meant again, at any hour."""

    async def work(conn: Connection) -> bool:
        return await rosters.end(conn, unit, _role(role), _BY, now())

    console.print("值班表已停用" if in_database(work) else "本来就没有这份值班表", markup=False)


@roster_app.command("list")
def roster_list(as_json: AsJson = False) -> None:
    """Rosters in force, and who is on duty now."""

    async def work(conn: Connection) -> list[dict[str, Any]]:
        book = await duty.book(conn)
        found = []
        for unit, role in sorted(book.rosters):
            there = book.people(unit, role, now())
            found.append({"unit": unit, "role": role.value, "on_duty": there[0].name if there else None})
        return found

    _show(in_database(work), ("unit", "role", "on_duty"), ("单位", "角色", "现在值班"), as_json, "没有值班表")


@roster_app.command("plan")
def roster_plan(unit: UnitCode, role: RoleName, days: Days = 28, as_json: AsJson = False) -> None:
    """The watches of the next days."""

    async def work(conn: Connection) -> list[dict[str, Any]]:
        book = await duty.book(conn, [unit])
        return [
            {
                "from": _local(one.starts_at),
                "to": _local(one.ends_at),
                "on_duty": one.account and book.names.get(one.account),
                "instead_of": one.instead_of and book.names.get(one.instead_of),
            }
            for one in book.plan(unit, _role(role), now(), now() + timedelta(days=days))
        ]

    names = ("from", "to", "on_duty", "instead_of")
    _show(in_database(work), names, ("从", "到", "值班", "代替"), as_json, "该单位没有这份值班表")


def _local(instant: datetime) -> str:
    return f"{instant.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


@roster_app.command("gaps")
def roster_gaps(days: Days = 28, as_json: AsJson = False) -> None:
    """Where nobody will be on duty. Ends with 1 where there is a gap."""

    async def work(conn: Connection) -> list[dict[str, Any]]:
        book, start = await duty.book(conn), now()
        found = []
        for unit, role in sorted(book.rosters):
            watches = book.plan(unit, role, start, start + timedelta(days=days))
            if empty := [one for one in watches if one.account is None]:
                hours = round(gap_days(watches) / timedelta(hours=1), 1)
                found.append({"unit": unit, "role": role.value, "first": _local(empty[0].starts_at), "hours": hours})
        return found

    found = in_database(work)
    _show(
        found,
        ("unit", "role", "first", "hours"),
        ("单位", "角色", "最早从", "共多少小时"),
        as_json,
        "没有无人值守的时段",
    )
    if found:
        raise typer.Exit(1)


@chain_app.command("left")
def chain_left(as_json: AsJson = False) -> None:
    """Open hazards that still follow a chain from before the tree of units was changed."""
    show_left(in_database(_left), as_json)


async def _left(conn: Connection) -> list[chains.Left]:
    return await chains.left(conn, await units.tree(conn))


def show_left(found: list[chains.Left], as_json: bool = False) -> None:
    """The table of ``chain left``."""
    rows = [one.as_dict() | {"then": " → ".join(one.then), "now": " → ".join(one.now)} for one in found]
    _show(
        rows,
        ("unit", "count", "then", "now"),
        ("单位", "未销号", "仍按旧链", "现在的链"),
        as_json,
        "所有未销号隐患都按现在的链条",
    )


def _show(
    rows: list[dict[str, Any]], names: tuple[str, ...], titles: tuple[str, ...], as_json: bool, none: str
) -> None:
    if as_json:
        for row in rows:
            console.print(json.dumps(row, ensure_ascii=False), soft_wrap=True, markup=False)
        return
    table = Table(*titles)
    for row in rows:
        table.add_row(*("—" if row[name] is None else str(row[name]) for name in names))
    console.print(table if rows else none)
