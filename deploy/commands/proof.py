"""``audit`` and ``loop``: that nothing is lost, and what the rules are."""

import asyncio
import json
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from deploy import connection
from models.gates import LABELS
from models.loop import TABLE, Transition
from store import audit as audits
from store import db
from streams.context import now

console = Console(highlight=False)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (audit, loop):
        app.command()(command)


def audit(as_json: Annotated[bool, typer.Option("--json", help="for machines")] = False) -> None:
    """Prove that every accepted report landed, every open hazard has a next deadline, and the trail is whole."""
    found = asyncio.run(_examine())
    told = {
        "whole": found.whole,
        "reports_not_landed": found.waiting,
        "hazards_without_deadline": found.without_deadline,
        "hazards_below_their_tier": found.unrouted,
        "trails_broken": {str(id): seq for id, seq in found.broken.items()},
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


async def _examine() -> audits.Findings:
    async with db.connect(str(connection.resolved().database)) as conn:
        return await audits.examine(conn, now())


def loop(table: Annotated[bool, typer.Option("--table", help="as a table (the only form so far)")] = True) -> None:
    """Show the loop: which action leads from where to where, by whom, through which gates."""
    shown = Table("动作", "从", "到", "由谁", "门槛")
    for row in TABLE:
        shown.add_row(*_cells(row))
    console.print(shown)


def _cells(row: Transition) -> tuple[str, ...]:
    return (
        f"{row.action.label} {row.action.value}",
        "、".join(state.label for state in row.sources),
        row.target.label if row.target else "（不变）",
        "、".join(role.label for role in row.roles),
        "、".join(LABELS[gate.__name__] for gate in row.gates),
    )
