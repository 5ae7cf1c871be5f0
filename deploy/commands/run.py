"""``up``, and what it starts: ``api``, ``worker``, ``keeper``; ``migrate``, ``topics``, ``reset``.

Each process imports what it serves with, and no more: the others start in a fraction of the time.
"""

import asyncio
import contextlib
import shutil
import signal
from collections.abc import Coroutine
from typing import Annotated, Any

import typer
import uvloop
from rich.console import Console

from deploy import beat, connection, logs
from deploy.commands import check
from deploy.runtime import folder
from deploy.runtime.checks import CannotStart
from store import db
from store.settings import Settings
from streams import topics as topic_admin

console = Console(highlight=False)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (up, api, worker, keeper, migrate, topics, reset):
        app.command()(command)


def up(
    demo: Annotated[
        bool, typer.Option("--demo", help="with the demo city, demo accounts and some first reports")
    ] = False,
) -> None:
    """Start everything on this machine, and keep it running until Ctrl-C."""
    from deploy.up import up as bring_up

    settings = Settings()
    settings.demo = settings.demo or demo
    uvloop.run(bring_up(settings, console))


def api() -> None:
    """Serve the API and the pages."""
    import uvicorn

    from api.app import create as create_api

    logs.configure()
    settings = connection.resolved()
    check.at_start(settings, "api")
    uvicorn.run(
        create_api(settings),
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        # Open live streams end by themselves within a second; what is left after three is cut.
        timeout_graceful_shutdown=3,
    )


def worker() -> None:
    """Run the Faust agents: classify and escalate."""
    from deploy.up import Stall
    from streams import worker as workers

    logs.configure()
    settings = connection.resolved()
    check.at_start(settings, "worker")
    stalled = Stall(str(settings.database), lambda: 0)
    _serve(workers.run(settings), beat.beat(beat.path(settings.local, "worker"), stalled))


def keeper() -> None:
    """Run the relay, the clock and the mending."""
    from streams import keeper as keepers

    logs.configure()
    settings = connection.resolved()
    check.at_start(settings, "keeper")
    _serve(keepers.run(settings), beat.beat(beat.path(settings.local, "keeper")))


def _serve(body: Coroutine[Any, Any, None], beating: Coroutine[Any, Any, None]) -> None:
    async def alive() -> None:
        pulse = asyncio.ensure_future(beating)
        try:
            await body
        finally:
            pulse.cancel()

    async def until_stopped() -> None:
        task, loop = asyncio.ensure_future(alive()), asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await task

    uvloop.run(until_stopped())


def migrate() -> None:
    """Bring the database's schema up to date."""
    applied = db.migrate(str(connection.resolved().database))
    console.print(f"applied: {', '.join(applied)}" if applied else "up to date")


def topics() -> None:
    """Make the Kafka topics that are missing."""
    made = topic_admin.create(connection.resolved())
    console.print(f"made: {', '.join(made)}" if made else "all there")


def reset(yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False) -> None:
    """Remove ALL local data (database, Kafka, logs) of this machine. Asks first."""
    local = Settings().local.absolute()
    if not local.exists():
        console.print(f"nothing at {local}")
        return
    if not yes and not typer.confirm(f"Remove {local} with every report, hazard and trail in it?", default=False):
        raise CannotStart("Nothing was removed.")
    with folder.held(local):
        shutil.rmtree(local)
    console.print(f"removed {local}")
