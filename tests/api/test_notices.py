"""Channels and notices over HTTP: one's own, a unit's for its administrators, and nobody else's."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio

from api.app import create as create_api
from deploy.runtime.local import LocalRuntime
from models.deadlines import Clock
from models.levels import Level
from models.loop import State
from models.notices import Happening, Target
from models.roles import Role
from store import notices
from store.db import Connection
from store.notices import Plan
from tests.api.test_accounts import admin
from tests.api.test_reports import problem
from tests.api.test_sessions import account, signed_in
from tests.conftest import Callers, settings_for
from tests.factories import CITY, DISTRICT, SCHOOL, SIBLING
from tests.receivers import Hook, listening
from tests.store.test_landing import opened, query

pytestmark = pytest.mark.runtime

HOOK = {"kind": "webhook", "address": "https://8.8.8.8/hook?token=very-secret"}


@pytest.fixture
def hook() -> Iterator[Hook]:
    with listening() as found:
        yield found


@pytest_asyncio.fixture(loop_scope="session")
async def inner(dsn: str, runtime: LocalRuntime, trained: Path) -> AsyncIterator[Callers]:
    """The API where receivers on this machine are allowed."""
    app = create_api(settings_for(runtime, trained, dsn, notify_private=True))
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield Callers(dsn, client)


async def noticed(conn: Connection, *targets: Target, confidential: bool = False) -> UUID:
    """A hazard with notices of its opening; its id."""
    hazard = await opened(conn, Level.RED, subcategory="1001" if confidential else "0101")
    targets = targets or (Target(Happening.OPENED, 0, (Role.ASSESSOR,)),)
    plan = Plan(hazard, "seq:1", targets, 1, hazard.level, State.REPORTED)
    await notices.plan(conn, [plan], datetime.now(UTC), Clock())
    await conn.commit()
    return hazard.id


async def test_a_channel_is_added_shown_masked_and_removed(api: Callers, conn: Connection) -> None:
    await account(conn, "a.one", (Role.ASSESSOR, SCHOOL))
    browser = await signed_in(api, "a.one")
    made = await browser("POST", "/channels", HOOK)
    assert made.status_code == 201, made.text
    shown = made.json()
    assert (shown["address"], shown["quiet"]) == ("8.8.8.8/…", {"start": "22:00", "end": "07:00"})
    assert (await browser("GET", "/channels")).json()["items"] == [shown]
    kept = await query(conn, "SELECT * FROM channels")
    assert "very-secret" not in str(kept) + made.text
    assert (await browser("DELETE", f"/channels/{shown['id']}")).status_code == 204
    assert (await browser("GET", "/channels")).json()["items"] == []
    await conn.commit()
    assert (await query(conn, "SELECT sealed FROM channels")) == [{"sealed": None}]
    problem(await browser("DELETE", f"/channels/{shown['id']}"), 404, "not-found")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"address": "http://127.0.0.1/x"}, "address"),
        ({"address": "http://169.254.169.254/latest"}, "address"),
        ({"address": "http://10.1.2.3/"}, "address"),
        ({"address": "http://[::1]:8000/"}, "address"),
        ({"address": "slack://a/b/c"}, "address"),
        ({"kind": "email", "address": "li@school.example"}, "address"),
        ({"quiet": {"start": "07:00", "end": "07:00"}}, "quiet"),
        ({"kind": "fax"}, "kind"),
    ],
)
async def test_what_cannot_be_a_channel_is_refused_by_its_field(
    api: Callers, conn: Connection, change: dict[str, Any], field: str
) -> None:
    await account(conn, "a.one", (Role.ASSESSOR, SCHOOL))
    browser = await signed_in(api, "a.one")
    said = problem(await browser("POST", "/channels", HOOK | change), 422, "bad-field")
    assert said["errors"][0]["field"] == field
    assert await query(conn, "SELECT 1 FROM channels") == []


async def test_one_has_ten_channels_at_most(api: Callers, conn: Connection) -> None:
    await account(conn, "a.one", (Role.ASSESSOR, SCHOOL))
    browser = await signed_in(api, "a.one")
    for _ in range(10):
        assert (await browser("POST", "/channels", HOOK)).status_code == 201
    problem(await browser("POST", "/channels", HOOK), 409, "not-allowed")


async def test_another_persons_channel_is_not_found(api: Callers, conn: Connection) -> None:
    await account(conn, "a.one", (Role.ASSESSOR, SCHOOL))
    await account(conn, "a.two", (Role.ASSESSOR, SCHOOL))
    id = (await (await signed_in(api, "a.one"))("POST", "/channels", HOOK)).json()["id"]
    other = await signed_in(api, "a.two")
    assert (await other("GET", "/channels")).json()["items"] == []
    problem(await other("DELETE", f"/channels/{id}"), 404, "not-found")
    problem(await other("POST", f"/channels/{id}/test"), 404, "not-found")
    boss = await admin(api, conn, CITY)
    problem(await boss("DELETE", f"/channels/{id}"), 404, "not-found")


async def test_a_units_channels_are_its_administrators(api: Callers, conn: Connection) -> None:
    await account(conn, "a.one", (Role.ASSESSOR, SCHOOL))
    one = await signed_in(api, "a.one")
    problem(await one("POST", "/channels", HOOK | {"unit": SCHOOL}), 403, "forbidden")
    problem(await one("GET", f"/channels?unit={SCHOOL}"), 403, "forbidden")
    boss = await admin(api, conn, DISTRICT)
    made = await boss("POST", "/channels", HOOK | {"unit": SCHOOL, "quiet": None})
    assert (made.json()["unit"], made.json()["quiet"]) == (SCHOOL, None)
    assert len((await boss("GET", f"/channels?unit={SCHOOL}")).json()["items"]) == 1
    problem(await one("DELETE", f"/channels/{made.json()['id']}"), 404, "not-found")
    problem(await boss("POST", "/channels", HOOK | {"unit": CITY}), 404, "not-found")
    problem(await boss("GET", "/channels?unit=no-such-unit"), 404, "not-found")


async def test_a_trial_is_sent_and_its_outcome_told_and_recorded(inner: Callers, conn: Connection, hook: Hook) -> None:
    await account(conn, "a.one", (Role.ASSESSOR, SCHOOL))
    browser = await signed_in(inner, "a.one")
    made = (await browser("POST", "/channels", HOOK | {"address": hook.url})).json()
    assert (await browser("POST", f"/channels/{made['id']}/test")).json() == {"sent": True, "reason": None}
    assert hook.titles == ["【测试】通知渠道测试"]
    too_soon = await browser("POST", f"/channels/{made['id']}/test")
    problem(too_soon, 429, "too-many")
    assert too_soon.headers["retry-after"] == "10"
    hook.status = 500
    broken = (await browser("POST", "/channels", HOOK | {"address": hook.url})).json()
    assert (await browser("POST", f"/channels/{broken['id']}/test")).json() == {"sent": False, "reason": "http_500"}
    listed = (await browser("GET", "/channels")).json()["items"]
    assert [(one["failing"], one["reason"]) for one in listed] == [(False, None), (True, "http_500")]
    assert len(await query(conn, "SELECT 1 FROM deliveries WHERE notices = '{}'")) == 2


async def test_ones_notices_come_in_pages_and_are_acknowledged(api: Callers, conn: Connection) -> None:
    one = await account(conn, "a.one", (Role.ASSESSOR, SCHOOL))
    await account(conn, "a.two", (Role.ASSESSOR, SCHOOL))
    made = [str(await noticed(conn)) for _ in range(5)]
    browser, other = await signed_in(api, "a.one"), await signed_in(api, "a.two")
    seen: list[str] = []
    cursor = ""
    while cursor is not None:
        page = (await browser("GET", f"/notices?limit=2{f'&cursor={cursor}' if cursor else ''}")).json()
        seen += [item["hazard"] for item in page["items"]]
        cursor = page["next"]
    assert seen == made[::-1]
    first = (await browser("GET", "/notices")).json()["items"][0]
    assert (first["level"], first["happening"], first["label"]) == ("red", "opened", "疏散通道与安全出口")
    done = await browser("POST", f"/notices/{first['id']}/acknowledge")
    assert done.json()["acknowledged_at"]
    assert (await browser("POST", f"/notices/{first['id']}/acknowledge")).json() == done.json()
    problem(await other("POST", f"/notices/{first['id']}/acknowledge"), 404, "not-found")
    assert len((await browser("GET", "/notices?open=true")).json()["items"]) == 4
    assert (await browser("POST", "/notices/acknowledge", {})).json() == {"acknowledged": 4}
    assert (await browser("POST", "/notices/acknowledge", {})).json() == {"acknowledged": 0}
    assert len((await other("GET", "/notices?open=true")).json()["items"]) == 5, "another's are another's"
    states = await query(conn, "SELECT DISTINCT state, version FROM hazards")
    assert states == [{"state": "reported", "version": 1}], "acknowledged is not solved"
    assert {row["acknowledged_by"] for row in await query(conn, "SELECT acknowledged_by FROM notices WHERE account = %s", one)} == {f"account:{one}"}  # fmt: skip


async def test_who_was_told_is_for_those_who_see_the_hazard(api: Callers, conn: Connection) -> None:
    await account(conn, "a.one", (Role.ASSESSOR, SCHOOL))
    await account(conn, "a.far", (Role.ASSESSOR, SIBLING))
    id = await noticed(conn)
    answer = await (await signed_in(api, "a.one"))("GET", f"/hazards/{id}/notices")
    (item,) = answer.json()["items"]
    assert (item["name"], item["role"], item["happening"], item["deliveries"]) == (
        "姓名a.one",
        "assessor",
        "opened",
        [],
    )
    problem(await (await signed_in(api, "a.far"))("GET", f"/hazards/{id}/notices"), 404, "not-found")


async def test_of_a_confidential_hazard_only_its_named_roles_learn_who_was_told_and_it_is_logged(
    api: Callers, conn: Connection
) -> None:
    await account(conn, "a.one", (Role.ASSESSOR, SCHOOL))
    await account(conn, "a.city", (Role.ASSESSOR, CITY))
    id = await noticed(conn, Target(Happening.OPENED, 0, (Role.ASSESSOR,)), Target(Happening.CLIMBED, 2, (Role.ASSESSOR,)), confidential=True)  # fmt: skip
    assert (await (await signed_in(api, "a.one"))("GET", f"/hazards/{id}/notices")).status_code == 200
    city = await signed_in(api, "a.city")
    problem(await city("GET", f"/hazards/{id}/notices"), 404, "not-found")
    assert [item["label"] for item in (await city("GET", "/notices")).json()["items"]] == ["保密通道隐患"]
    assert [row["what"] for row in await query(conn, "SELECT what FROM access_log")] == ["notices"]


@pytest.mark.parametrize("path", ["/channels", "/notices"])
async def test_strangers_and_keys_have_none(api: Callers, path: str) -> None:
    assert (await api.anonymous.get(f"/api/v1{path}")).status_code == 401
    key = await api.headers(Role.ASSESSOR, SCHOOL)
    assert (await api.anonymous.get(f"/api/v1{path}", headers=key)).status_code == 403


@pytest.mark.parametrize("path", ["/channels", "/notices/acknowledge"])
async def test_another_sites_page_changes_nothing(api: Callers, conn: Connection, path: str) -> None:
    await account(conn, "a.one", (Role.ASSESSOR, SCHOOL))
    browser = await signed_in(api, "a.one")
    problem(await browser("POST", path, HOOK, Sec_Fetch_Site="cross-site"), 403, "forbidden")
