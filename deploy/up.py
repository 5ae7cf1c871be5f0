"""``campus-risk up``: everything on this machine, in order, under one supervisor."""

import asyncio
import contextlib
import functools
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from deploy import demo
from deploy.runtime import checks, web
from deploy.runtime.child import Child
from deploy.runtime.local import LocalRuntime
from store import db, health, units
from store.settings import Settings
from streams import topics

PROJECT = Path(__file__).parent.parent
_CORPUS = PROJECT / "models" / "classifier" / "corpus"

# A report lands within a second. One that waits this long although it was sent tells of agents that have stalled.
_STALLED = 90.0
# The worker needs some five seconds on a quiet machine to load, join and judge the first reports.
_SETTLE = 30.0


async def up(settings: Settings, console: Console) -> None:
    """Start, say where, and keep running until a signal. Raises ``CannotStart``."""

    def say(line: str) -> None:
        console.print(f"  {line}", markup=False)

    checks.check_port(settings.port, "CAMPUS_RISK_PORT", settings.host)
    runtime = LocalRuntime(
        settings.local,
        settings.kafka_port,
        settings.database_port,
        say=say,
        with_kafka=settings.kafka is None,
        with_database=settings.database is None,
    )

    async def body() -> None:
        async with runtime:
            await _serve(settings, runtime, console, say)

    await runtime.supervisor.guard(body())
    say("stopped")


async def _serve(settings: Settings, runtime: LocalRuntime, console: Console, say: Callable[[str], None]) -> None:
    settings.kafka = settings.kafka or runtime.kafka
    settings.database = settings.database or runtime.dsn
    local = settings.local.absolute()
    async with asyncio.TaskGroup() as steps:
        steps.create_task(web.build(PROJECT / "web", local / "logs" / "web.log", say))
        steps.create_task(asyncio.to_thread(_ensure_classifier, settings, say))
        steps.create_task(_ensure_data(settings, say))
    await runtime.supervisor.start(*_children(settings, runtime))
    accounts = await demo.prepare(settings, say) if settings.demo else []
    if settings.demo:
        await _settled(str(settings.database), say)
    _welcome(settings, accounts, console)
    await runtime.supervisor.forever()


def _ensure_classifier(settings: Settings, say: Callable[[str], None]) -> None:
    from models.classifier.predict import Classifier
    from models.classifier.train import train

    try:
        Classifier.load(settings.models_dir)
    except (FileNotFoundError, ValueError):
        say("classifier: training it once (some seconds)")
        train(_CORPUS / "train", settings.models_dir, lambda line: None)


async def _ensure_data(settings: Settings, say: Callable[[str], None]) -> None:
    applied = await asyncio.to_thread(db.migrate, str(settings.database))
    if applied:
        say(f"database: {len(applied)} migrations applied")
    made = await asyncio.to_thread(topics.create, settings)
    if made:
        say(f"kafka: {len(made)} topics made")
    async with db.connect(str(settings.database)) as conn:
        if settings.demo and await units.city(conn) is None:
            say(f"city: {await demo.load_city(conn, datetime.now(UTC))} units of the demo city loaded")


def _children(settings: Settings, runtime: LocalRuntime) -> list[Child]:
    env = os.environ | {
        "CAMPUS_RISK_KAFKA": str(settings.kafka),
        "CAMPUS_RISK_DATABASE": str(settings.database),
        "CAMPUS_RISK_LOCAL": str(settings.local.absolute()),
        "CAMPUS_RISK_DEMO": "1" if settings.demo else "0",
    }
    command = [sys.executable, "-m", "deploy"]
    return [
        Child(name="keeper", command=[*command, "keeper"], env=env),
        Child(
            name="worker",
            command=[*command, "worker"],
            env=env,
            stalled=Stall(str(settings.database), functools.partial(runtime.supervisor.restarts, "worker")),
        ),
        # Last, so that it stops first: no report is taken that nobody would land.
        Child(
            name="api",
            command=[*command, "api"],
            env=env,
            ready=functools.partial(answers, settings.host, settings.port),
        ),
    ]


async def _settled(dsn: str, say: Callable[[str], None]) -> None:
    """Wait until what was reported before has landed: the worker takes some seconds to load and to join its group, and a
    newcomer's first report should not have to wait for that. Not for ever: a wall fills by itself."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_SETTLE), db.connect(dsn, autocommit=True) as conn:
            while (await health.gauges(conn, datetime.now(UTC)))["waiting"]:  # noqa: ASYNC110 - the database has no event for it
                await asyncio.sleep(0.2)
            return
    say("the worker is still busy with earlier reports; new ones follow them")


class Stall:
    """Tells whether the worker hangs. Each of its lives gets the whole patience: it must load and join its group first."""

    def __init__(self, dsn: str, restarts: Callable[[], int]) -> None:
        self._dsn, self._restarts = dsn, restarts
        self._life, self._since = -1, 0.0

    async def __call__(self) -> str | None:
        """The reason to restart it, or None."""
        if self._restarts() != self._life:
            self._life, self._since = self._restarts(), time.monotonic()
        if time.monotonic() - self._since < _STALLED:
            return None
        async with db.connect(self._dsn) as conn:
            if await health.stuck(conn, datetime.now(UTC), _STALLED):
                return f"a report has waited for more than {_STALLED:.0f} s though it was sent, and none has landed meanwhile"
        return None


async def answers(host: str, port: int) -> bool:
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.write(b"GET /health/ready HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
    status = await reader.readline()
    writer.close()
    return b" 200 " in status or b" 503 " in status


def _welcome(settings: Settings, accounts: list[demo.Account], console: Console) -> None:
    address = f"http://{settings.host}:{settings.port}"
    console.print()
    console.print(f"  驾驶舱 the wall   {address}", style="bold", markup=False)
    console.print(f"  随手报 a phone    {address}/officer.html", style="bold", markup=False)
    if accounts:
        console.print("  演示账号 demo accounts (Authorization: Bearer <key>):", markup=False)
        for account in accounts:
            console.print(
                f"    {account.key}  {account.role.label} {account.unit} {account.unit_name}",
                markup=False,
                soft_wrap=True,
            )
        unit = accounts[0].unit
        console.print("  上报一条 post a hazard:", markup=False)
        console.print(
            f"    curl -s {address}/api/v1/reports -H 'Content-Type: application/json' "
            f'-d \'{{"source":"officer","unit":"{unit}","text":"三号楼二层安全出口被锁","place":"3号楼2层"}}\'',
            markup=False,
            soft_wrap=True,
        )
        console.print("  让它动起来 bring it to life: .venv/bin/campus-risk simulate --rate 2", markup=False)
    else:
        console.print(
            "  建立账号 let somebody in: .venv/bin/campus-risk account create --login <login> --name <name> --grant admin@<unit>",
            markup=False,
            soft_wrap=True,
        )
    console.print("  Ctrl-C stops everything; the data stays.", markup=False)
