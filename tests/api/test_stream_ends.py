"""The live stream ends when the session or key it was opened with does: within the bound, over real HTTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import httpx
import psycopg
import pytest
import pytest_asyncio
import uvicorn

from api import cockpit
from api.access import COOKIE
from api.app import create as create_api
from deploy.runtime.checks import free_port
from deploy.runtime.local import LocalRuntime
from models.roles import Role
from store import accounts, keys, sign_in
from store.db import Connection
from tests.api.test_sessions import account
from tests.conftest import settings_for
from tests.factories import CITY, DISTRICT, SCHOOL

pytestmark = pytest.mark.runtime

Taking: TypeAlias = Callable[[Connection], Awaitable[object]]
# The second that the queue is waited for, the check of these tests, and a busy machine.
BOUND = 4.0


@pytest_asyncio.fixture(loop_scope="session")
async def url(dsn: str, runtime: LocalRuntime, trained: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """The API on a port of its own: the in-process transport hands out no stream."""
    monkeypatch.setattr(cockpit, "CHECK", 0.2)
    port = free_port()
    app = create_api(settings_for(runtime, trained, dsn))
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    app.state.held.hub.close()
    server.should_exit = True
    await serving


async def ends(url: str, headers: dict[str, str], take: Callable[[], Awaitable[object]], unit: str = "") -> bool:
    """Whether an open stream ends within the bound after something was taken away."""
    client = httpx.AsyncClient(base_url=url, headers=headers, timeout=30)
    async with client, client.stream("GET", f"/api/v1/cockpit/stream{unit}") as answer:
        assert answer.status_code == 200
        lines = answer.aiter_lines()
        assert "hello" in [await anext(lines), await anext(lines)][1]
        await take()
        try:
            async with asyncio.timeout(BOUND):
                async for _ in lines:
                    pass
        except TimeoutError:
            return False
    return True


async def _session(conn: Connection) -> tuple[dict[str, str], str]:
    id = await account(conn, "li.si", (Role.HANDLER, SCHOOL), (Role.AUDITOR, DISTRICT))
    token = await sign_in.begin(conn, id, datetime.now(UTC), factor=False)
    await conn.commit()
    return {"Cookie": f"{COOKIE}={token}"}, token


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM sessions",
        "UPDATE sessions SET expires_at = now()",
        "UPDATE accounts SET disabled_at = now()",
        "UPDATE grants SET revoked_at = now(), revoked_by = 'test' WHERE role = 'auditor'",
    ],
)
async def test_a_person_s_stream(url: str, conn: Connection, statement: str) -> None:
    """Revoked, expired, disabled, or without the role that let it see the unit."""
    headers, _ = await _session(conn)

    async def take() -> None:
        await conn.execute(statement)
        await conn.commit()

    assert await ends(url, headers, take, f"?unit={DISTRICT}")


async def test_a_key_s_stream_and_that_of_its_session(url: str, conn: Connection) -> None:
    for by_session in (False, True):
        id, token = await keys.create(conn, "wall", CITY, Role.WALL, datetime.now(UTC))
        session = await keys.begin_session(conn, token, datetime.now(UTC))
        await conn.commit()
        headers = {"Cookie": f"{COOKIE}={session}"} if by_session else {"Authorization": f"Bearer {token}"}

        async def take(id: object = id) -> None:
            await keys.revoke(conn, id, datetime.now(UTC))  # type: ignore[arg-type]
            await conn.commit()

        assert await ends(url, headers, take)


async def test_others_streams_go_on(url: str, conn: Connection) -> None:
    headers, _ = await _session(conn)
    other = await account(conn, "someone", (Role.HANDLER, SCHOOL))

    async def take() -> None:
        await accounts.disable(conn, other, "test", datetime.now(UTC))
        await conn.commit()

    assert not await ends(url, headers, take)


async def test_a_database_that_is_away_ends_no_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise psycopg.OperationalError("away")

    monkeypatch.setattr(cockpit, "people", away)
    assert await cockpit._may_still(None, None, None)  # type: ignore[arg-type]


def test_the_bound_is_what_the_docs_say() -> None:
    assert cockpit.CHECK == 5.0
