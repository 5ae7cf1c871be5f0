"""What another site's page may not do with somebody's session, and what a browser sends by itself."""

import pytest

from models.roles import Role
from store.db import Connection
from tests.api.test_reports import problem
from tests.api.test_sessions import PASSWORD, Browser, account, signed_in
from tests.conftest import Callers
from tests.factories import SCHOOL

pytestmark = pytest.mark.runtime


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 204),
        ({"Origin": "http://test"}, 204),
        ({"Origin": "https://test"}, 204),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "https://test.evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://["}, 403),
        ({"Sec_Fetch_Site": "same-origin"}, 204),
        ({"Sec_Fetch_Site": "none"}, 204),
        ({"Sec_Fetch_Site": "same-site"}, 403),
        ({"Sec_Fetch_Site": "cross-site", "Origin": "http://test"}, 403),
    ],
)
async def test_another_site_s_page_changes_nothing(
    api: Callers, conn: Connection, headers: dict[str, str], status: int
) -> None:
    await account(conn, "li.si", (Role.HANDLER, SCHOOL))
    browser = await signed_in(api, "li.si")
    sent = {"source": "officer", "unit": SCHOOL, "text": "灭火器过期"}
    report = await browser("POST", "/reports", sent, **headers)
    assert report.status_code == (202 if status == 204 else 403)
    assert (await browser("GET", "/me", **headers)).status_code == 200, "what only reads is answered"
    signing = await browser("POST", "/session", {"login": "li.si", "password": PASSWORD}, **headers)
    assert signing.status_code == status
    assert (await browser("DELETE", "/session", **headers)).status_code == status


async def test_a_key_s_session_is_held_to_that_too_and_a_bearer_key_is_not(api: Callers) -> None:
    key = await api.key(Role.INFORMANT, SCHOOL)
    browser, sent = Browser(api), {"source": "officer", "unit": SCHOOL, "text": "灭火器过期"}
    assert (await browser("POST", "/session", {"key": key})).status_code == 204
    problem(await browser("POST", "/reports", sent, Origin="https://evil.example"), 403, "forbidden")
    assert (await browser("POST", "/reports", sent)).status_code == 202
    machine = await Browser(api)("POST", "/reports", sent, Authorization=f"Bearer {key}", Origin="https://any.example")
    assert machine.status_code == 202


async def test_what_a_browser_sends_by_itself_does_not_open_the_door(api: Callers, conn: Connection) -> None:
    await account(conn, "li.si", (Role.HANDLER, SCHOOL))
    headers = {"Authorization": "Basic eDp5", "Origin": "https://evil.example"}
    browser = Browser(api)
    problem(await browser("POST", "/session", {"login": "li.si", "password": PASSWORD}, **headers), 403, "forbidden")
    problem(await browser("DELETE", "/session", **headers), 403, "forbidden")
