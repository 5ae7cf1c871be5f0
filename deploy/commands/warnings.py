"""``warnings list|close``: what is warned of, and ending one by hand; ``warnings figures`` counts, false ones too."""

from typing import Annotated
from uuid import UUID

import typer
from rich.console import Console

from deploy.commands.asked import in_database, tell
from deploy.runtime.checks import CannotStart
from models.privacy import mask_text
from models.roles import system
from models.warnings.course import Outcome
from models.warnings.findings import Kind
from store import warnings
from store.db import Connection
from store.warnings import Wanted
from streams.context import now

console = Console(highlight=False)
warnings_app = typer.Typer(help="预警：有哪些，为什么；按理由关闭；误报计数", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="for machines: one line a warning")]
_SHOWN = ("id", "kind", "grade", "state", "unit", "opened_at", "held_at", "sentence", "outcome", "closing")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(warnings_app, name="warnings")


@warnings_app.command("list")
def listed(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="how many")] = 100,
    everything: Annotated[bool, typer.Option("--all", help="closed ones too")] = False,
    as_json: AsJson = False,
) -> None:
    """Warnings that are not closed, newest first."""
    wanted = Wanted(state=None if everything else ("open", "acknowledged"))
    rows, _ = in_database(lambda conn: warnings.page(conn, wanted, limit=limit))
    tell(rows, _SHOWN, as_json)


@warnings_app.command("close")
def close(
    id: Annotated[UUID, typer.Argument(help="of the warning")],
    reason: Annotated[str, typer.Option(help="why, for those who read its course")],
    false: Annotated[
        bool, typer.Option("--false", help="it was false, and is counted so; else it was dealt with")
    ] = False,
) -> None:
    """End one by hand."""
    if not reason.strip():
        raise CannotStart("A warning is closed with a reason: give --reason.")

    async def work(conn: Connection) -> None:
        outcome = Outcome.FALSE if false else Outcome.HANDLED
        await warnings.close(conn, id, system("operator"), outcome, mask_text(reason.strip()), now())

    try:
        in_database(work)
    except warnings.Over:
        raise CannotStart(f"There is no open warning {id}: `campus-risk warnings list` shows those that are.") from None
    console.print("已关闭", markup=False)


@warnings_app.command("figures")
def figures(as_json: AsJson = False) -> None:
    """Of the last quarter, by kind: opened, open, ended by themselves, dealt with, false."""
    rows = [row | {"label": Kind(row["kind"]).label} for row in in_database(lambda conn: warnings.counts(conn, now()))]
    tell(rows, ("kind", "label", "opened", "open", "gone", "handled", "false"), as_json)
