"""``retention show|run``, ``export`` and ``refusals``: how long records are kept, taken along, and who was refused."""

import asyncio
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from deploy import connection
from deploy.runtime.checks import CannotStart
from models.calendar import DAY, SHANGHAI
from models.policy import Wrong
from models.retention import RULES, Kept, Term, terms
from store import db, export, refusals, retention, units
from store.db import Connection
from store.retention import Due
from streams.context import now

console = Console(highlight=False)
retention_app = typer.Typer(help="保存期限：什么保存多久，到期后按规则删除", no_args_is_help=True)

# Whoever runs the command line has the database itself; the tombstone says that it was done here.
_BY = "cli"
AsJson = Annotated[bool, typer.Option("--json", help="for machines")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(retention_app, name="retention")
    app.command("export")(export_trail)
    app.command("refusals")(list_refusals)


@retention_app.command("show")
def show(as_json: AsJson = False) -> None:
    """What is kept for how long, by which rule, how many have been kept for their term, and what has gone."""
    lines, stones = asyncio.run(_shown())
    if as_json:
        told = {"terms": [_told(line) for line in lines], "removed": stones}
        console.print(json.dumps(told, ensure_ascii=False, default=str), soft_wrap=True, markup=False)
        return
    table = Table("种类", "保存", "不短于", "依据", "到期于 UTC", "已到期")
    for line in lines:
        rule = RULES[line.kind]
        table.add_row(
            line.kind.label, line.term.said, rule.floor.said, rule.article, f"{line.before:%Y-%m-%d}", str(line.count)
        )
    console.print(table)
    if stones:
        gone = Table("删除于 UTC", "种类", "条数", "截至 UTC", "由谁")
        for row in stones:
            at, until = f"{row['at']:%Y-%m-%d %H:%M}", f"{row['until']:%Y-%m-%d}"
            gone.add_row(at, Kept(row["kind"]).label, str(row["count"]), until, row["by"])
        console.print(gone)


async def _shown() -> tuple[list[Due], list[dict[str, Any]]]:
    async with db.connect(str(connection.resolved().database)) as conn:
        return await retention.due(conn, await _terms(conn), now()), await retention.stones(conn)


@retention_app.command("run")
def run(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would go, remove nothing")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove what has been kept for its term, in small batches. The keeper does the same once a day."""
    lines, _ = asyncio.run(_shown())
    due = [line for line in lines if line.count]
    if not as_json:
        for line in due:
            said = f"{line.kind.label}：{line.count} 条，{line.before:%Y-%m-%d %H:%M} UTC 之前（保存 {line.term.said}）"
            console.print(said, markup=False)
    went: dict[Kept, int] = {}
    if due and not dry_run:
        if not yes and (as_json or not typer.confirm("按规则删除以上记录，不可恢复。继续吗？Remove them for good?")):
            raise CannotStart("Nothing was removed: say --yes to remove without being asked.")
        went = asyncio.run(_run(due, quiet=as_json))
    if as_json:
        told = {"due": {line.kind: line.count for line in lines}, "removed": went, "dry_run": dry_run}
        console.print(json.dumps(told), soft_wrap=True, markup=False)
    elif not due:
        console.print("没有到期的记录")
    elif not dry_run:
        console.print("已删除：" + "，".join(f"{kind.label} {n}" for kind, n in went.items()), markup=False)


async def _run(due: list[Due], *, quiet: bool) -> dict[Kept, int]:
    went: dict[Kept, int] = {}
    with _progress(quiet) as bar:
        async with db.connect(str(connection.resolved().database)) as conn:
            for line in due:
                task = bar.add_task(line.kind.label, total=line.count)
                went[line.kind] = 0
                while n := await _batch(conn, line):
                    went[line.kind] += n
                    bar.advance(task, n)
    return went


async def _batch(conn: Connection, line: Due) -> int:
    try:
        async with conn.transaction():
            return await retention.forget(conn, line.kind, line.term, _BY, now())
    except psycopg.errors.RestrictViolation as error:
        raise CannotStart(f"The database refused: {str(error).splitlines()[0]}.") from None


async def _terms(conn: Connection) -> dict[Kept, Term]:
    city = await units.city(conn)
    try:
        return terms(city["profile"].get("retention") if city else None)
    except Wrong as wrong:
        raise CannotStart(f"[retention] {wrong}。{wrong.cure}。") from None


def _told(line: Due) -> dict[str, Any]:
    rule = RULES[line.kind]
    return {
        "kind": line.kind.value,
        "term": line.term.said,
        "floor": rule.floor.said,
        "article": rule.article,
        "before": line.before.isoformat(),
        "due": line.count,
    }


def export_trail(
    unit: Annotated[str, typer.Option(help="the unit; all below it are exported too")],
    out: Annotated[Path, typer.Option(help="a folder that does not exist yet, or is empty")],
    since: Annotated[
        str | None, typer.Option("--from", metavar="YYYY-MM-DD", help="opened on this day or later")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", metavar="YYYY-MM-DD", help="opened on this day or earlier")
    ] = None,
    unmasked: Annotated[
        bool, typer.Option("--unmasked", help="all words as they were written; logged as a reading")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Write hazards with their trail, deadlines and escalations as JSON Lines and CSV, with a manifest that proves them."""
    first, last = _midnight(since), _midnight(until)
    try:
        out.mkdir(parents=True, exist_ok=True)
        if any(out.iterdir()):
            raise CannotStart(f"{out} is not empty: name a new folder, so that no older export is overwritten.")
        manifest = asyncio.run(_export(unit, out, first, last and last + DAY, unmasked, quiet=as_json))
    except OSError as error:
        raise CannotStart(f"{out} cannot be written ({error.strerror}): name a folder of yours with room.") from None
    if as_json:
        console.print(json.dumps(manifest, ensure_ascii=False), soft_wrap=True, markup=False)
        return
    for name, said in manifest["files"].items():
        console.print(f"{out / name}  {said['rows']} 行", markup=False, soft_wrap=True)
    console.print(f"{out / export.MANIFEST}  SHA-256 {manifest['sha256']}", markup=False, soft_wrap=True)
    console.print(f"核对：campus-risk audit --export {out}", markup=False, soft_wrap=True)


def _midnight(day: str | None) -> datetime | None:
    if day is None:
        return None
    try:
        return datetime.combine(date.fromisoformat(day), datetime.min.time(), SHANGHAI).astimezone(UTC)
    except ValueError:
        raise typer.BadParameter(f"'{day}' is no day: write it like 2026-05-12") from None


async def _export(
    unit: str, out: Path, since: datetime | None, until: datetime | None, unmasked: bool, *, quiet: bool
) -> dict[str, Any]:
    async with db.connect(str(connection.resolved().database)) as conn:
        await conn.set_isolation_level(psycopg.IsolationLevel.REPEATABLE_READ)
        tree = await units.tree(conn)
        if unit not in tree:
            raise CannotStart(f"There is no unit {unit}: GET /api/v1/units lists the codes.")
        wanted = export.Wanted(unit, tree[unit].path, since, until, unmasked)
        with _progress(quiet) as bar:
            task = bar.add_task("导出 exporting", total=await export.count(conn, wanted))
            return await export.write(conn, wanted, out, _BY, now(), lambda n: bar.advance(task, n))


def _progress(quiet: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=quiet,
    )


def list_refusals(
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a line")] = False,
) -> None:
    """Attempts against separation of duties, at gates of major hazards and at closed records, newest first."""
    rows = asyncio.run(_refusals(limit))
    if as_json:
        for row in rows:
            console.print(json.dumps(row, default=str), soft_wrap=True, markup=False)
        return
    table = Table("时间 UTC", "谁", "角色@单位", "隐患", "动作", "规则")
    for row in rows:
        who = f"{row['role']}@{row['unit']}"
        table.add_row(
            f"{row['at']:%Y-%m-%d %H:%M:%S}", row["actor"], who, str(row["hazard"]), row["action"], row["rule"]
        )
    console.print(table if rows else "没有拒绝记录")


async def _refusals(limit: int) -> list[dict[str, Any]]:
    async with db.connect(str(connection.resolved().database)) as conn:
        rows, _ = await refusals.page(conn, ["/"], limit=limit)
        return rows
