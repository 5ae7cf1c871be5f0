"""One real Kafka and one real PostgreSQL a session; a database of its own a test, a topic prefix of its own a pipeline."""

import os
import shutil
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import pytest_asyncio

from api.app import create as create_api
from deploy import demo
from deploy.runtime.checks import free_port
from deploy.runtime.child import Child
from deploy.runtime.local import LocalRuntime
from deploy.up import answers
from models.classifier.predict import Classifier
from models.roles import Role
from store import db, keys
from store.settings import Settings
from streams import topics
from tests.artifact import artifact

TEMPLATE = "campus_template"


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with a trained classifier in it."""
    local = tmp_path_factory.mktemp("local")
    shutil.copytree(artifact(), local / "models")
    return local


@pytest.fixture(scope="session")
def classifier(trained: Path) -> Classifier:
    """The classifier, loaded once a session."""
    return Classifier.load(trained / "models")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def runtime(trained: Path) -> AsyncIterator[LocalRuntime]:
    """Kafka and PostgreSQL, the same as `make run` starts."""
    async with LocalRuntime(trained, durable=False) as started:
        yield started


def _database(dsn: str, name: str) -> str:
    return dsn.rpartition("/")[0] + "/" + name


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def template(runtime: LocalRuntime) -> str:
    """A migrated database with the demo city's units: the tests' databases are copies of it."""
    return await migrated_template(runtime)


async def migrated_template(runtime: LocalRuntime) -> str:
    """Make that database; its name."""
    await _admin(runtime, f'CREATE DATABASE "{TEMPLATE}"')
    dsn = _database(runtime.dsn, TEMPLATE)
    db.migrate(dsn)
    async with db.connect(dsn) as conn:
        await demo.load_city(conn, datetime.now(UTC))
    return TEMPLATE


async def _admin(runtime: LocalRuntime, statement: str) -> None:
    async with await psycopg.AsyncConnection.connect(runtime.dsn, autocommit=True) as conn:
        await conn.execute(statement)


@asynccontextmanager
async def fresh_database(runtime: LocalRuntime, template: str) -> AsyncIterator[str]:
    """A database of its own; dropped afterwards."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    await _admin(runtime, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield _database(runtime.dsn, name)
    finally:
        await _admin(runtime, f'DROP DATABASE "{name}" WITH (FORCE)')


# Copying a database costs a third of a second, emptying one a hundredth: what a test leaves whole serves the next one.
_idle: list[str] = []

_SHAPE = (
    "SELECT md5(string_agg(t, ',' ORDER BY t)) AS shape FROM (SELECT format('%s.%s %s %s', table_name, column_name, data_type, "
    "is_nullable) FROM information_schema.columns WHERE table_schema = 'public' UNION ALL SELECT format('%s %s', tgname, tgenabled) "
    "FROM pg_trigger UNION ALL SELECT md5(string_agg(u::text, '' ORDER BY code)) FROM units u UNION ALL "
    "SELECT md5(string_agg(code || name || profile::text, '' ORDER BY code)) FROM city) AS s(t)"
)
_EMPTY = (
    "DO $$ DECLARE name text; BEGIN SET LOCAL session_replication_role = replica; FOR name IN SELECT tablename FROM pg_tables "
    "WHERE schemaname = 'public' AND tablename NOT IN ('units', 'city') AND tablename !~ '^_?yoyo' LOOP "
    "EXECUTE format('DELETE FROM %I', name); END LOOP; END $$"
)


async def _emptied(address: str, shape: str) -> bool:
    """Whether a database could be emptied and is as it was: same tables, triggers, units and city."""
    try:
        async with await psycopg.AsyncConnection.connect(address, autocommit=True) as conn:
            await conn.execute(_EMPTY)
            row = await (await conn.execute(_SHAPE)).fetchone()
    except psycopg.Error:
        return False
    return row is not None and row[0] == shape


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shape(runtime: LocalRuntime, template: str) -> str:
    """What the template looks like."""
    async with fresh_database(runtime, template) as address, await psycopg.AsyncConnection.connect(address) as conn:
        row = await (await conn.execute(_SHAPE)).fetchone()
    assert row
    return str(row[0])


@pytest_asyncio.fixture(loop_scope="session")
async def dsn(runtime: LocalRuntime, template: str, shape: str) -> AsyncIterator[str]:
    """The address of a test's own database, with the demo city in it and nothing else."""
    if _idle:
        address = _idle.pop()
    else:
        name = f"t_{uuid.uuid4().hex[:12]}"
        await _admin(runtime, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        address = _database(runtime.dsn, name)
    yield address
    if await _emptied(address, shape):
        _idle.append(address)
    else:
        await _admin(runtime, f'DROP DATABASE IF EXISTS "{address.rpartition("/")[2]}" WITH (FORCE)')


@pytest_asyncio.fixture(loop_scope="session")
async def conn(dsn: str) -> AsyncIterator[db.Connection]:
    """A connection to the test's own database."""
    async with db.connect(dsn) as connection:
        yield connection


def settings_for(runtime: LocalRuntime, local: Path, dsn: str, **more: Any) -> Settings:
    """Settings of a deployment of its own on the shared servers."""
    mark = uuid.uuid4().hex[:8]
    given: dict[str, Any] = {
        "kafka": runtime.kafka,
        "database": dsn,
        "local": local,
        "topic_prefix": f"{mark}.",
        "group": f"test-{mark}",
        "partitions": 3,
    }
    return Settings(**given | more)


class Deployment:
    """A running platform of its own: keeper, worker and API as real processes."""

    def __init__(self, settings: Settings, runtime: LocalRuntime) -> None:
        self.settings, self.runtime = settings, runtime
        self.mark = settings.topic_prefix.rstrip(".")
        self.url = f"http://127.0.0.1:{settings.port}"
        self._started: list[str] = []

    def name(self, part: str) -> str:
        """The supervisor's name of a part: ``worker``, ``keeper``, ``api``."""
        return f"{part}-{self.mark}"

    @property
    def env(self) -> dict[str, str]:
        """The environment of its processes and of its command line."""
        s = self.settings
        return os.environ | {
            "CAMPUS_RISK_KAFKA": str(s.kafka),
            "CAMPUS_RISK_DATABASE": str(s.database),
            "CAMPUS_RISK_LOCAL": str(s.local),
            "CAMPUS_RISK_TOPIC_PREFIX": s.topic_prefix,
            "CAMPUS_RISK_GROUP": s.group,
            "CAMPUS_RISK_PORT": str(s.port),
            "CAMPUS_RISK_DEMO": str(int(s.demo)),
            "CAMPUS_RISK_PARTITIONS": str(s.partitions),
        }

    def topic(self, aggregate: str) -> str:
        """The deployment's own topic."""
        return topics.name(self.settings, aggregate)

    def log(self, part: str) -> str:
        """What a part has said so far."""
        return self.runtime.supervisor.log(self.name(part)).read_text("utf-8")

    async def start(self, *parts: str) -> None:
        """Start parts, in order."""
        s = self.settings
        for part in parts:
            self._started.append(self.name(part))

            async def ready() -> bool:
                return await answers(s.host, s.port)

            await self.runtime.supervisor.start(
                Child(
                    name=self.name(part),
                    command=[sys.executable, "-m", "deploy", part],
                    env=self.env,
                    ready=ready if part == "api" else None,
                )
            )

    async def stop(self) -> None:
        """Stop what was started, last first."""
        while self._started:
            await self.runtime.supervisor.end(self._started.pop())


@asynccontextmanager
async def deployed(
    runtime: LocalRuntime, template: str, local: Path, *parts: str, **more: Any
) -> AsyncIterator[Deployment]:
    """A deployment with these parts running."""
    async with fresh_database(runtime, template) as address:
        deployment = Deployment(settings_for(runtime, local, address, port=free_port(), **more), runtime)
        topics.create(deployment.settings)
        try:
            await deployment.start(*parts)
            yield deployment
        finally:
            await deployment.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def platform(runtime: LocalRuntime, template: str, trained: Path) -> AsyncIterator[Deployment]:
    """The whole platform, running, shared by the tests of one module; a loopback demo."""
    async with deployed(runtime, template, trained, "keeper", "worker", "api", demo=True) as deployment:
        yield deployment


class Callers:
    """Clients of an API by role and unit; each has a key of its own."""

    def __init__(self, dsn: str, client: httpx.AsyncClient) -> None:
        self._dsn, self.anonymous = dsn, client

    async def key(self, role: Role, unit: str) -> str:
        """A new key."""
        async with db.connect(self._dsn) as conn:
            _, token = await keys.create(conn, f"test {role.value}", unit, role, datetime.now(UTC))
        return token

    async def headers(self, role: Role, unit: str, **more: str) -> dict[str, str]:
        """Headers of a new caller."""
        return {"Authorization": f"Bearer {await self.key(role, unit)}", **more}


@pytest_asyncio.fixture(loop_scope="session")
async def api(dsn: str, runtime: LocalRuntime, trained: Path) -> AsyncIterator[Callers]:
    """The API in this process, on the test's own database; no demo, no agents."""
    app = create_api(settings_for(runtime, trained, dsn))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield Callers(dsn, client)


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests do not depend on what is set outside."""
    for name in list(os.environ):
        if name.startswith("CAMPUS_RISK_"):
            monkeypatch.delenv(name)
