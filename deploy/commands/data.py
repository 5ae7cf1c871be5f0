"""``ingest``, ``simulate``, ``dead list|replay``, ``city load``: reports and units, in and again."""

import asyncio
import json
import random
import signal
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console
from rich.table import Table

from deploy import connection, demo
from deploy.commands.duty import show_left
from deploy.dead_letters import replay as replay_letters
from deploy.ingest import Outcome
from deploy.ingest import ingest as take_in
from deploy.simulate import Simulator
from models.reports import Door, check
from models.taxonomy import subcategories
from store import chains, db, dead, reports, units
from store.reports import Entry
from streams.context import now

console = Console(highlight=False)
dead_app = typer.Typer(help="死信：不能落库的记录，附原因与原始字节", no_args_is_help=True)
city_app = typer.Typer(help="城市：单位与配置", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (ingest, simulate):
        app.command()(command)
    app.add_typer(dead_app, name="dead")
    app.add_typer(city_app, name="city")


def ingest(
    file: Annotated[Path, typer.Argument(help="CSV, XLSX or JSON lines")],
    wait: Annotated[bool, typer.Option(help="wait until every report has landed")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object, for machines")] = False,
) -> None:
    """Take in a file of reports. The same file again adds nothing."""
    outcome = asyncio.run(take_in(connection.resolved(), file, wait=wait, quiet=as_json, console=console))
    if as_json:
        console.print(json.dumps(outcome.as_dict(), ensure_ascii=False), soft_wrap=True, markup=False)
    else:
        _say(outcome, file)
    if outcome.refused:
        raise typer.Exit(2)


def _say(outcome: Outcome, file: Path) -> None:
    console.print(
        f"{file.name}: {outcome.accepted} 条新收下，{outcome.known} 条已有，{outcome.refused} 条不能收下", markup=False
    )
    for note in outcome.notes:
        console.print(f"  {note}", markup=False)
    if outcome.landed:
        console.print("  落库：" + "，".join(f"{name} {n}" for name, n in outcome.landed.items()), markup=False)
    for _, error in outcome.errors[:20]:
        console.print(f"  {error}", style="red", markup=False)
    if outcome.refused:
        console.print("  不能收下的行连同原文都在死信里：campus-risk dead list", markup=False)


def simulate(
    rate: Annotated[float, typer.Option(min=0.001, help="reports a second")] = 1.0,
    seconds: Annotated[float | None, typer.Option(min=0.1, help="stop after this long; without it, Ctrl-C")] = None,
    rhythm: Annotated[bool, typer.Option(help="follow the day, the week and the terms")] = False,
    seed: Annotated[int | None, typer.Option(help="the same seed draws the same texts")] = None,
) -> None:
    """Send realistic Chinese reports through the door: duplicates, drills and messy text among them."""
    sent = asyncio.run(
        _simulate(rate, seconds, rhythm, random.SystemRandom().randrange(2**31) if seed is None else seed)
    )
    console.print(f"{sent} 条已收下", markup=False)


async def _simulate(rate: float, seconds: float | None, rhythm: bool, seed: int) -> int:
    settings = connection.resolved()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if seconds is not None:
        loop.call_later(seconds, stop.set)
    async with db.connect(str(settings.database)) as conn:
        tree = await units.tree(conn)
        if tree.root is None:
            raise typer.BadParameter("no city is loaded: run `campus-risk city load` first")
        # The seed is part of the source, so that another run's numbers are not taken for a resend.
        simulator = Simulator(tree, subcategories(), seed, source=f"simulate-{seed}")
        await conn.commit()
        with console.status(f"约每秒 {rate:g} 条；Ctrl-C 停止") as status:
            total = 0

            async def send(batch: list[dict[str, Any]]) -> None:
                nonlocal total
                door = Door(tree=tree, now=now())
                async with conn.transaction():
                    await reports.accept(conn, [Entry(check(record, door)) for record in batch], "simulate", now())
                total += len(batch)
                status.update(f"约每秒 {rate:g} 条；已收下 {total} 条；Ctrl-C 停止")

            return await simulator.pump(send, rate, rhythm, stop)


@dead_app.command("list")
def dead_list(
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    everything: Annotated[bool, typer.Option("--all", help="those already replayed too")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object a line, with the original bytes")] = False,
) -> None:
    """What could not land, newest first, with the reason."""
    rows = asyncio.run(_dead_rows(limit, everything))
    if as_json:
        for row in rows:
            told = {name: str(row[name]) for name in ("id", "at", "replayed_at") if row[name]}
            told |= {name: row[name] for name in ("topic", "partition", "offset", "reason", "field", "detail")}
            told |= {name: bytes(row[name]).hex() for name in ("key", "value") if row[name] is not None}
            console.print(json.dumps(told, ensure_ascii=False), soft_wrap=True, markup=False)
        return
    table = Table("编号", "时间 UTC", "来自", "原因", "字段", "说明")
    for row in rows:
        place = f"{row['topic']}[{row['partition']}]@{row['offset']}"
        table.add_row(
            str(row["id"]), f"{row['at']:%m-%d %H:%M:%S}", place, row["reason"], row["field"], row["detail"][:80]
        )
    console.print(table if rows else "没有死信")


async def _dead_rows(limit: int, everything: bool) -> list[dict[str, Any]]:
    async with db.connect(str(connection.resolved().database)) as conn:
        return await dead.listed(conn, limit=limit, replayed=everything)


@dead_app.command("replay")
def dead_replay(
    ids: Annotated[list[UUID] | None, typer.Argument(help="numbers from `dead list`")] = None,
    everything: Annotated[bool, typer.Option("--all", help="all that were not replayed yet")] = False,
) -> None:
    """Send the original bytes again, after what was wrong has been mended (a unit added, a platform upgraded)."""
    if not ids and not everything:
        raise typer.BadParameter("name the letters, or say --all")
    count = asyncio.run(replay_letters(connection.resolved(), ids or None))
    console.print(f"{count} 条已重新发送；仍不能落库的会再次出现在 dead list", markup=False)


@dead_app.command("dismiss")
def dead_dismiss(
    ids: Annotated[list[UUID], typer.Argument(help="numbers from `dead list`")],
    reason: Annotated[str, typer.Option(help="how it was settled")],
) -> None:
    """Settle letters that need no replay; they stay, with the reason, under `dead list --all`."""
    console.print(f"{asyncio.run(_dismiss(ids, reason))} 条已了结", markup=False)


async def _dismiss(ids: list[UUID], reason: str) -> int:
    async with db.connect(str(connection.resolved().database)) as conn:
        return await dead.dismiss(conn, ids, reason, now())


@city_app.command("load")
def city_load(
    folder: Annotated[Path, typer.Argument(help="a folder with city.toml and units.csv")] = demo.NINGBO,
) -> None:
    """Load a city's units and profile; known units are brought up to date."""
    count, left = asyncio.run(_load(folder))
    console.print(f"{count} 个单位已就位", markup=False)
    if left:
        console.print("以下未销号隐患仍按开立时的链条流转（以后新开的按新链条）：", markup=False)
        show_left(left)


async def _load(folder: Path) -> tuple[int, list[chains.Left]]:
    async with db.connect(str(connection.resolved().database)) as conn:
        count = await demo.load_city(conn, now(), folder)
        return count, await chains.left(conn, await units.tree(conn))
