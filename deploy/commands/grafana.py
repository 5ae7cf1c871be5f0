"""``grafana apply|diff|remove|files``: dashboards, data source, alert rules and contact points in a Grafana, as code says."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import psycopg.conninfo
import typer
from rich.console import Console

from deploy import connection
from deploy.runtime.checks import CannotStart
from grafana.apply import Change, Step, plan
from grafana.contacts import BadContact
from grafana.datasource import Database
from grafana.house import House, wanted
from grafana.live import Live, Unreachable
from grafana.provisioning import write
from store.settings import Settings

console = Console(highlight=False)
grafana_app = typer.Typer(help="Grafana：看板、数据源、告警与联络点，以代码为准", no_args_is_help=True)

_ENV = "CAMPUS_RISK_GRAFANA_"
Url = Annotated[str, typer.Option(envvar=f"{_ENV}URL", help="of the Grafana, such as https://grafana.example.edu")]
Address = Annotated[
    str | None,
    typer.Option(envvar=f"{_ENV}DB_ADDRESS", help="host:port of the database as Grafana sees it; ours, unless set"),
]
Name = Annotated[str | None, typer.Option(envvar=f"{_ENV}DB_NAME", help="the database's name; ours, unless set")]
User = Annotated[str, typer.Option(envvar=f"{_ENV}DB_USER", help="a login that is a member of campus_risk_grafana")]
Ssl = Annotated[str, typer.Option(envvar=f"{_ENV}DB_SSL", help="disable, require, verify-ca or verify-full")]
Runbooks = Annotated[
    str | None,
    typer.Option(
        envvar=f"{_ENV}RUNBOOKS", help="where docs/runbooks can be read; below the public address, unless set"
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="for machines: one line a change")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(grafana_app, name="grafana")


@grafana_app.command("apply")
def apply(
    url: Url = "",
    db_address: Address = None,
    db_name: Name = None,
    db_user: User = "grafana",
    db_ssl: Ssl = "require",
    runbooks: Runbooks = None,
    renew_password: Annotated[bool, typer.Option(help="send the data source's password again")] = False,
    as_json: AsJson = False,
) -> None:
    """Bring a Grafana to what the code says. The second time nothing changes. CAMPUS_RISK_GRAFANA_TOKEN and
    CAMPUS_RISK_GRAFANA_DB_PASSWORD must be set; CAMPUS_RISK_GRAFANA_CONTACTS may be."""
    house = _house(db_address, db_name, db_user, db_ssl, runbooks)
    with _reached(url) as live:
        steps = _planned(live, house, renew_password=renew_password)
        _carry_out(
            live, steps, "What is listed above was done; the rest will be when it is applied again", as_json=as_json
        )
    _sum_up(steps, as_json=as_json)


@grafana_app.command("diff")
def diff(
    url: Url = "",
    db_address: Address = None,
    db_name: Name = None,
    db_user: User = "grafana",
    db_ssl: Ssl = "require",
    runbooks: Runbooks = None,
    as_json: AsJson = False,
) -> None:
    """What ``apply`` would change, and where something was changed by hand. Ends with 1 where there is a difference."""
    house = _house(db_address, db_name, db_user, db_ssl, runbooks)
    with _reached(url) as live:
        steps = _planned(live, house)
    _tell([step for step in steps if step.alters], as_json=as_json)
    _sum_up(steps, as_json=as_json)
    if any(step.alters for step in steps):
        raise typer.Exit(1)


@grafana_app.command("remove")
def remove(
    url: Url = "",
    yes: Annotated[bool, typer.Option("--yes", help="without being asked")] = False,
    as_json: AsJson = False,
) -> None:
    """Take away all that is ours. What others made stays, and the folders in which it lies."""
    with _reached(url) as live:
        steps = _planned(live, None)
        going = sum(step.alters for step in steps)
        if going and not yes and (as_json or not typer.confirm(f"移除 {going} 项？Remove them?")):
            raise CannotStart("Nothing was removed: say --yes to remove without being asked.")
        _carry_out(live, steps, "What is listed above was removed", as_json=as_json)
    _tell([step for step in steps if step.change is Change.KEEP], as_json=as_json)
    _sum_up(steps, as_json=as_json)


@grafana_app.command("files")
def write_files(
    folder: Annotated[Path, typer.Argument(help="the container's provisioning folder")], runbooks: Runbooks = None
) -> None:
    """Write the same as provisioning files, for a container. Nothing secret is in them."""
    try:
        written = write(folder, _runbooks(runbooks, Settings()))
    except OSError as error:
        raise CannotStart(f"{folder} cannot be written ({error.strerror}): name a folder of yours.") from None
    for path in written:
        console.print(str(path), markup=False, soft_wrap=True)
    console.print(f"写入 {len(written)} 个文件" if written else "没有变化")


def _secret(name: str, what: str) -> str:
    """From the environment only: what stands on a command line is everybody's to read."""
    value = os.environ.get(_ENV + name, "")
    if not value:
        raise CannotStart(f"{_ENV}{name} is not set: it holds {what}.")
    return value


def _house(address: str | None, name: str | None, user: str, ssl: str, runbooks: str | None) -> House:
    settings = connection.resolved()
    ours = psycopg.conninfo.conninfo_to_dict(str(settings.database))
    try:
        database = Database(
            address or f"{ours.get('host', 'localhost')}:{ours.get('port', 5432)}",
            name or str(ours.get("dbname", "")),
            user,
            _secret("DB_PASSWORD", f"the password of the login {user}"),
            ssl,  # type: ignore[arg-type]  # checked there, with a sentence
        )
    except ValueError as error:
        raise CannotStart(f"{error}.") from None
    contacts = tuple(os.environ.get(f"{_ENV}CONTACTS", "").split())
    return House(database, _runbooks(runbooks, settings), contacts)


def _runbooks(given: str | None, settings: Settings) -> str:
    return given or f"{settings.base_url}/docs/runbooks"


def _reached(url: str) -> Live:
    if not urlsplit(url).hostname:
        raise CannotStart(f"{_ENV}URL is not set: it says where the Grafana is, such as https://grafana.example.edu.")
    try:
        return Live(url, _secret("TOKEN", "a token of a service account with the role Admin"))
    except Unreachable as error:
        raise CannotStart(f"{error}.") from None


def _planned(live: Live, house: House | None, *, renew_password: bool = False) -> list[Step]:
    try:
        asked = wanted(house) if house else []
        return plan(asked, live.found(asked), renew_password=renew_password)
    except (BadContact, Unreachable) as error:
        raise CannotStart(f"{error}.") from None


def _carry_out(live: Live, steps: list[Step], so_far: str, *, as_json: bool) -> None:
    try:
        for step in live.carry_out(steps):
            _tell([step], as_json=as_json)
    except Unreachable as error:
        raise CannotStart(f"{error}. {so_far}.") from None


def _tell(steps: Iterable[Step], *, as_json: bool) -> None:
    for step in steps:
        one = step.resource
        if as_json:
            line = {"change": step.change, "kind": one.kind, "uid": one.uid, "title": one.title, "why": step.why}
            console.print(json.dumps(line, ensure_ascii=False), soft_wrap=True, markup=False)
            continue
        console.print(f"{step.change.label} {one.kind.label} {one.title}（{one.uid}）", markup=False, soft_wrap=True)
        for why in step.why:
            console.print(f"    {why}", markup=False, soft_wrap=True)


def _sum_up(steps: list[Step], *, as_json: bool) -> None:
    if as_json:
        return
    counts = {change: sum(step.change is change for step in steps) for change in Change}
    console.print("，".join(f"{change.label} {n}" for change, n in counts.items() if n) or "没有属于本平台的内容")
