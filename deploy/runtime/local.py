"""Kafka and PostgreSQL on this machine, for `campus-risk up` and for the tests."""

import asyncio
import functools
import signal
from pathlib import Path
from types import TracebackType

from deploy.runtime import checks, folder, kafka, postgres
from deploy.runtime.child import Child, Say
from deploy.runtime.supervisor import Supervisor

# An unclean stop makes the broker check its last segments (64 MiB each) at the next start; a checkpoint of 512 MB takes
# a slow disk as long.
_STOP_AFTER = 30.0

# A first start on a busy two-core machine was seen to take 12 s; recovery after a kill comes on top.
_READY_WITHIN = 120.0


class LocalRuntime:
    """`async with LocalRuntime(local) as runtime:` — then `runtime.kafka` and `runtime.dsn` are addresses that answer.

    local: the data folder, kept between runs. Ports None: free ones are chosen. durable False: for tests, without fsync.
    with_kafka, with_database: False for one that is given from outside. Further children go to `supervisor.start`;
    leaving the block stops everything, last started first. Raises checks.CannotStart with one sentence.
    """

    def __init__(
        self,
        local: Path,
        kafka_port: int | None = None,
        database_port: int | None = None,
        durable: bool = True,
        *,
        say: Say = lambda line: None,
        with_kafka: bool = True,
        with_database: bool = True,
    ) -> None:
        self.local = local.absolute()
        self.supervisor = Supervisor(self.local, say)
        self._say = say
        self._durable = durable
        self._kafka_port = kafka_port
        self._database_port = database_port
        self._with_kafka = with_kafka
        self._with_database = with_database
        self._held = folder.held(self.local)

    @property
    def kafka(self) -> str:
        """The broker's address, `127.0.0.1:<port>`."""
        return f"{checks.LOOPBACK}:{self._kafka_port}"

    @property
    def dsn(self) -> str:
        """The platform's database, with its password."""
        return postgres.dsn(self.local, self._port(self._database_port))

    def kill(self, name: str) -> int:
        """SIGKILL "kafka" or "postgres"; the supervisor starts it again → the pid killed."""
        return self.supervisor.kill(name)

    async def until_ready(self, name: str, within: float = 60.0) -> None:
        """Wait until a killed child answers again."""
        await self.supervisor.until_ready(name, within)

    async def __aenter__(self) -> "LocalRuntime":
        self._held.__enter__()
        try:
            await self._start()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    async def _stop(self) -> None:
        try:
            await self.supervisor.stop()
        finally:
            self._held.__exit__(None, None, None)

    async def _start(self) -> None:
        checks.check_layout(self.local)
        checks.check_disk(self.local)
        # Orphans first: they hold the very ports that are looked at next.
        await folder.stop_orphans(self.local, self._say)
        if self._with_kafka:
            self._kafka_port = self._choose(self._kafka_port, "CAMPUS_RISK_KAFKA_PORT")
        if self._with_database:
            self._database_port = self._choose(self._database_port, "CAMPUS_RISK_DATABASE_PORT")
        try:
            async with asyncio.TaskGroup() as both:
                database = both.create_task(self._prepare_database())
                broker = both.create_task(self._prepare_kafka())
        except ExceptionGroup as failed:
            # One sentence at a time: the first failure has cancelled the other preparation.
            raise failed.exceptions[0] from None
        # The database first, so that it is stopped last: whatever stops after the broker can still land its work.
        if child := database.result():
            await self.supervisor.start(child)
            await postgres.ensure_database(self.local, self._port(self._database_port))
        if child := broker.result():
            await self.supervisor.start(child)

    @staticmethod
    def _choose(port: int | None, variable: str) -> int:
        if port is None:
            return checks.free_port()
        checks.check_port(port, variable)
        return port

    @staticmethod
    def _port(port: int | None) -> int:
        if port is None:
            raise RuntimeError("the local runtime has not been started")
        return port

    async def _prepare_database(self) -> Child | None:
        if not self._with_database:
            return None
        port = self._port(self._database_port)
        await postgres.prepare(self.local, durable=self._durable)
        return Child(
            name="postgres",
            command=postgres.command(self.local, port, durable=self._durable),
            prefix=postgres.not_root(self.local / "postgres"),
            cwd=self.local / "postgres",
            ready=functools.partial(postgres.ready, self.local, port),
            before=functools.partial(postgres.clear, self.local),
            # Fast shutdown: SIGTERM would wait for every client to leave.
            stop_signal=signal.SIGINT,
            stop_after=_STOP_AFTER,
            ready_within=_READY_WITHIN,
        )

    async def _prepare_kafka(self) -> Child | None:
        if not self._with_kafka:
            return None
        checks.java()
        port = self._port(self._kafka_port)
        libs = await kafka.resolve(self.local, self._say)
        await kafka.prepare(self.local, libs, port, checks.free_port())
        return Child(
            name="kafka",
            command=kafka.command(self.local, libs),
            ready=functools.partial(kafka.ready, checks.LOOPBACK, port),
            stop_after=_STOP_AFTER,
            ready_within=_READY_WITHIN,
        )
