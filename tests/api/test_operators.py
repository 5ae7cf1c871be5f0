"""Health, metrics, the description of the API, and errors that no endpoint makes itself."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from api.app import create
from deploy.runtime.local import LocalRuntime
from models.roles import Role
from store import db
from store.db import Connection
from store.settings import Settings
from tests import factories
from tests.api.test_reports import problem
from tests.conftest import Callers, fresh_database, settings_for
from tests.factories import CITY, SCHOOL
from tests.store.test_landing import accepted, opened

pytestmark = pytest.mark.runtime

V1 = "/api/v1"


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an application of its own."""
    app = create(settings)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield client


async def test_live_and_ready(api: Callers, conn: Connection) -> None:
    await accepted(conn)
    await conn.commit()
    assert (await api.anonymous.get("/health/live")).json() == {"status": "live"}
    answer = await api.anonymous.get("/health/ready")
    body = answer.json()
    assert (answer.status_code, body["status"], body["outbox"], body["reports_waiting"]) == (200, "ready", 1, 1)
    assert body["units"] > 400


async def test_without_a_city_it_is_not_ready_and_says_the_cure(runtime: LocalRuntime, trained: Path) -> None:
    async with fresh_database(runtime, "template0") as empty:
        await asyncio.to_thread(db.migrate, empty)
        async with serving(settings_for(runtime, trained, empty)) as client:
            answer = await client.get("/health/ready")
            assert answer.status_code == 503
            assert "campus-risk city load" in answer.json()["status"]
            assert (await client.get("/health/live")).status_code == 200
            problem(await client.get(f"{V1}/me"), 401, "unauthenticated")


async def test_metrics_name_routes_and_never_paths(api: Callers, conn: Connection) -> None:
    hazard = await opened(conn)
    await conn.commit()
    headers = await api.headers(Role.ADMIN, CITY)
    ids = [factories.new_id() for _ in range(20)]
    for id in ids:
        await api.anonymous.get(f"{V1}/hazards/{id}", headers=headers)
        await api.anonymous.get(f"{V1}/reports/{id}", headers=headers)
        await api.anonymous.get(f"{V1}/nothing/{id}", headers=headers)
    await api.anonymous.get(f"{V1}/hazards/{hazard.id}/trail", headers=headers)
    text = (await api.anonymous.get("/metrics")).text
    assert not [id for id in [hazard.id, *ids] if str(id) in text]
    routes = set(re.findall(r'route="([^"]*)"', text))
    assert {"/api/v1/hazards/{id}", "/api/v1/reports/{id}", "/api/v1/hazards/{id}/trail"} <= routes
    assert not [route for route in routes if re.search(r"[0-9a-f]{8}-", route)]
    await api.anonymous.get(f"{V1}/nothing/at-all", headers=headers)
    again = set(re.findall(r'route="([^"]*)"', (await api.anonymous.get("/metrics")).text))
    assert again - routes <= {"/metrics"}, "an address that nobody serves makes no label of its own"
    assert 'campus_risk_hazards_open{level="yellow"} 1.0' in text
    assert "campus_risk_outbox_messages 2.0" in text


async def test_the_api_describes_itself(api: Callers) -> None:
    body = (await api.anonymous.get(f"{V1}/openapi.json")).json()
    assert body["openapi"].startswith("3.1")
    assert {
        f"{V1}/reports",
        f"{V1}/reports/batch",
        f"{V1}/reports/{{id}}",
        f"{V1}/classify",
        f"{V1}/hazards",
        f"{V1}/hazards/{{id}}",
        f"{V1}/hazards/{{id}}/trail",
        f"{V1}/hazards/{{id}}/actions",
        f"{V1}/units",
        f"{V1}/taxonomy",
        f"{V1}/me",
        f"{V1}/session",
        f"{V1}/cockpit",
        f"{V1}/cockpit/stream",
    } <= body["paths"].keys()


@pytest.mark.parametrize("path", [f"{V1}/nothing", f"{V1}/", "/api/v2/reports", f"{V1}/hazards/x/y/z"])
async def test_an_unknown_path_is_a_problem(api: Callers, path: str) -> None:
    problem(await api.anonymous.get(path), 404, "not-found")


@pytest.mark.parametrize(
    ("method", "path"),
    [("DELETE", "/reports"), ("PUT", "/hazards"), ("PATCH", "/me"), ("POST", "/units"), ("DELETE", "/cockpit")],
)
async def test_another_method_is_a_problem(api: Callers, method: str, path: str) -> None:
    problem(await api.anonymous.request(method, V1 + path), 405, "method")


@pytest.mark.parametrize("path", ["/session", "/classify"])
@pytest.mark.parametrize("body", [b"{not json", b"[" * 100_000])
async def test_broken_json_is_a_problem_where_the_framework_reads_it(api: Callers, path: str, body: bytes) -> None:
    headers = await api.headers(Role.INFORMANT, SCHOOL, **{"Content-Type": "application/json"})
    answer = await api.anonymous.post(V1 + path, content=body, headers=headers)
    assert answer.status_code in (400, 422)
    problem(answer, answer.status_code, "bad-field" if answer.status_code == 422 else "bad-json")


async def test_a_demo_serves_its_own_machine_only(runtime: LocalRuntime, trained: Path, dsn: str) -> None:
    with pytest.raises(ValueError, match="127\\.0\\.0\\.1"):
        create(settings_for(runtime, trained, dsn, demo=True, host="0.0.0.0"))  # noqa: S104
    with pytest.raises(ValueError, match="CAMPUS_RISK_DATABASE"):
        create(Settings(database=None))
    async with serving(settings_for(runtime, trained, dsn, demo=True)) as client:
        assert (await client.get(f"{V1}/me", headers={"Host": "elsewhere.test"})).status_code == 400
        me = await client.get(f"{V1}/me", headers={"Host": "127.0.0.1"})
        assert (me.status_code, me.json()["demo"]) == (200, True)
        hazards = await client.get(f"{V1}/hazards", headers={"Host": "127.0.0.1"})
        assert hazards.status_code == 403


async def _ask_everything(client: httpx.AsyncClient, headers: dict[str, str]) -> list[httpx.Response]:
    id = factories.new_id()

    def ask(method: str, path: str, **more: Any) -> Any:
        return client.request(method, path, headers=headers, **more)

    return await asyncio.gather(
        ask("POST", f"{V1}/reports", json=factories.record()),
        ask("GET", f"{V1}/reports/{id}"),
        ask("GET", f"{V1}/hazards"),
        ask("GET", f"{V1}/hazards/{id}"),
        ask("GET", f"{V1}/cockpit"),
        ask("GET", f"{V1}/cockpit/stream"),
        ask("GET", f"{V1}/me"),
        ask("POST", f"{V1}/session", json={"key": "x" * 40}),
        ask("GET", "/health/ready"),
        ask("GET", "/metrics"),
    )


async def test_while_the_database_is_away_everything_says_come_back_and_then_goes_on(
    api: Callers, dsn: str, runtime: LocalRuntime
) -> None:
    name = dsn.rpartition("/")[2]
    headers = await api.headers(Role.ADMIN, CITY)
    assert (await api.anonymous.get(f"{V1}/me", headers=headers)).status_code == 200
    async with await psycopg.AsyncConnection.connect(runtime.dsn, autocommit=True) as admin:
        await admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        await admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        try:
            answers = await _ask_everything(api.anonymous, headers)
            assert (await api.anonymous.get("/health/live")).status_code == 200
        finally:
            await admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
    for answer in answers:
        problem(answer, 503, "busy")
        assert int(answer.headers["retry-after"]) > 0
    async with asyncio.timeout(60):
        while (await api.anonymous.get(f"{V1}/me", headers=headers)).status_code != 200:
            await asyncio.sleep(0.5)
    assert (await api.anonymous.post(f"{V1}/reports", json=factories.record(), headers=headers)).status_code == 202


async def test_a_connection_lost_in_the_middle_of_a_transaction_is_503(
    api: Callers, conn: Connection, runtime: LocalRuntime
) -> None:
    hazard = await opened(conn)
    await conn.commit()
    headers = await api.headers(Role.ASSESSOR, SCHOOL, **{"If-Match": '"1"'})
    await conn.execute("SELECT 1 FROM hazards WHERE id = %s FOR UPDATE", (hazard.id,))
    url = f"{V1}/hazards/{hazard.id}/actions"
    waiting = asyncio.create_task(api.anonymous.post(url, json={"action": "assess"}, headers=headers))
    async with await psycopg.AsyncConnection.connect(runtime.dsn, autocommit=True) as admin, asyncio.timeout(20):
        killed = 0
        while not killed:
            cur = await admin.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                "WHERE datname = %s AND wait_event_type = 'Lock'",
                (conn.info.dbname,),
            )
            killed = (await cur.fetchone() or (0,))[0]
            await asyncio.sleep(0.05)
        answer = await waiting
    problem(answer, 503, "busy")
    await conn.rollback()
    assert (await api.anonymous.post(url, json={"action": "assess"}, headers=headers)).status_code == 200
