"""``audit`` and ``loop``: that nothing is lost, and what the rules are."""

import asyncio
import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from deploy import connection
from models.gates import LABELS
from models.loop import TABLE, Transition
from store import audit as audits
from store import db, exported
from streams.context import now

console = Console(highlight=False)
HEADINGS = ("动作", "从", "到", "由谁", "门槛")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (audit, loop):
        app.command()(command)


def audit(
    as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False,
    export: Annotated[Path | None, typer.Option(help="a folder of `export`, proved from its own files alone")] = None,
) -> None:
    """Prove that every accepted report landed, every open hazard has a next deadline, and the trail is whole."""
    if export is not None:
        _prove(export, as_json)
        return
    found = asyncio.run(_examine())
    told = {
        "whole": found.whole,
        "reports_not_landed": found.waiting,
        "hazards_without_deadline": found.without_deadline,
        "hazards_below_their_tier": found.unrouted,
        "trails_broken": {str(id): seq for id, seq in found.broken.items()},
        "records_gone": [str(id) for id in found.gone],
        "removed_by_rule": found.removed,
        "dead_letters": found.dead,
        "outbox_age_seconds": round(found.outbox_age, 1),
    }
    if as_json:
        console.print(json.dumps(told), soft_wrap=True, markup=False)
    else:
        table = Table("检查", "结果")
        for name, value in told.items():
            table.add_row(name, str(value))
        console.print(table)
    if not found.whole:
        raise typer.Exit(1)


def _prove(folder: Path, as_json: bool) -> None:
    """Offline: neither database nor settings are looked at."""
    with Progress(console=Console(stderr=True), transient=True, disable=as_json) as bar:
        task = bar.add_task("核对 checking", total=None)
        proof = exported.prove(folder, lambda n: bar.advance(task, n))
    told: dict[str, Any] = {"whole": proof.whole, "rows": proof.rows, "hazards": proof.hazards}
    told |= {"steps_unproven": proof.unproven, "amiss": proof.amiss}
    if as_json:
        console.print(json.dumps(told, ensure_ascii=False), soft_wrap=True, markup=False)
    else:
        said = f"{proof.hazards} 条隐患、{proof.rows} 行" + ("，完整无改动" if proof.whole else "")
        console.print(said, *proof.amiss, sep="\n", markup=False, soft_wrap=True)
    if not proof.whole:
        raise typer.Exit(1)


async def _examine() -> audits.Findings:
    async with db.connect(str(connection.resolved().database)) as conn:
        return await audits.examine(conn, now())


def loop(table: Annotated[bool, typer.Option("--table", help="as a table (the only form so far)")] = True) -> None:
    """Show the loop: which action leads from where to where, by whom, through which gates."""
    shown = Table(*HEADINGS)
    for row in TABLE:
        shown.add_row(*cells(row))
    console.print(shown)


def cells(row: Transition) -> tuple[str, ...]:
    """A row of the loop in an officer's words, under ``HEADINGS``."""
    return (
        f"{row.action.label} {row.action.value}",
        "、".join(state.label for state in row.sources),
        row.target.label if row.target else "（不变）",
        "、".join(role.label for role in row.roles),
        "、".join(LABELS[gate.__name__] for gate in row.gates),
    )
