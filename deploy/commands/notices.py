"""``notices list|pending|failing`` and ``channel list|test``: what was told, what waits, what reached nobody, and whether a channel works."""

from typing import Annotated
from uuid import UUID

import typer
import uuid_utils.compat as uuid_utils
from rich.console import Console

from deploy import connection
from deploy.commands.asked import in_database, tell
from deploy.runtime.checks import CannotStart
from models.notices_text import trial
from store import channels, sending, told
from store.channels import Owner
from store.db import Connection
from store.sealing import sealer
from streams.context import now

console = Console(highlight=False)
notices_app = typer.Typer(help="通知：发给了谁，还有什么在等，什么没有送达", no_args_is_help=True)
channel_app = typer.Typer(help="通知渠道：哪些在失败，某一个能否送达", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="for machines: one line a notice")]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="how many")]
_SHOWN = ("id", "hazard", "recipient", "role", "happening", "level", "unit", "created_at", "first_told_at", "times", "next_at",
          "held", "failures", "acknowledged_at", "ended")  # fmt: skip


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(notices_app, name="notices")
    app.add_typer(channel_app, name="channel")


@notices_app.command("list")
def listed(limit: Limit = 100, as_json: AsJson = False) -> None:
    """All notices, newest first."""
    tell(in_database(lambda conn: told.listed(conn, "list", limit)), _SHOWN, as_json)


@notices_app.command("pending")
def pending(limit: Limit = 100, as_json: AsJson = False) -> None:
    """Neither acknowledged nor over: to be sent, or sent again."""
    tell(in_database(lambda conn: told.listed(conn, "pending", limit)), _SHOWN, as_json)


@notices_app.command("failing")
def failing(limit: Limit = 100, as_json: AsJson = False) -> None:
    """What has reached nobody: no channel, or none that takes it. Ends with 1 where there is any."""
    rows = in_database(lambda conn: told.listed(conn, "failing", limit))
    tell(rows, _SHOWN, as_json)
    if rows:
        raise typer.Exit(1)


_CHANNEL = ("id", "account", "unit", "kind", "masked", "failures", "failed_at", "reason")


@channel_app.command("failing")
def failing_channels(as_json: AsJson = False) -> None:
    """Channels whose last message did not go through."""
    tell(in_database(channels.failing), _CHANNEL, as_json)


@channel_app.command("test")
def test(id: Annotated[UUID, typer.Argument(help="of the channel")]) -> None:
    """Send a trial by a channel, and say what became of it. Ends with 1 where it was not taken."""
    settings = connection.resolved()

    async def work(conn: Connection) -> str | None:
        row = await channels.found(conn, id)
        if row is None:
            raise CannotStart(f"There is no channel {id}: `campus-risk channel failing` shows those that fail.")
        # No transaction is held while the receiver is spoken to.
        await conn.commit()
        reason = await sending.deliver(row["sealed"], trial(settings.base_url), settings, sealer(settings))
        owner = Owner(account=row["account"], unit=row["unit"])
        await channels.record(conn, uuid_utils.uuid7(), owner.recipient, id, reason, [], now())
        return reason

    if reason := in_database(work):
        console.print(f"没有送达：{reason}", markup=False)
        raise typer.Exit(1)
    console.print("已送达", markup=False)
