"""Signing in with a password, what a session may do, and ending it."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pyotp
import pytest
from argon2 import PasswordHasher

from api.access import COOKIE
from models.roles import Role
from store import accounts
from store.db import Connection
from tests.api.test_reports import problem
from tests.conftest import Callers
from tests.factories import CITY, DISTRICT, SCHOOL
from tests.store.test_landing import count, query

pytestmark = pytest.mark.runtime

V1 = "/api/v1"
PASSWORD = "第三盏路灯-也还亮着呢"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


class Browser:
    """A browser with cookies of its own, on the shared in-process client."""

    def __init__(self, api: Callers) -> None:
        self._client, self.token = api.anonymous, ""

    async def __call__(self, method: str, path: str, json: Any = None, **headers: str) -> httpx.Response:
        """One call; a cookie that comes back is kept."""
        self._client.cookies.clear()
        if self.token:
            headers["Cookie"] = f"{COOKIE}={self.token}"
        answer = await self._client.request(
            method, V1 + path, json=json, headers={k.replace("_", "-"): v for k, v in headers.items()}
        )
        self.token = answer.cookies.get(COOKIE, self.token)
        self._client.cookies.clear()
        return answer

    async def sign_in(self, login: str, code: str | None = None, password: str = PASSWORD) -> httpx.Response:
        """POST /session."""
        given = {"login": login, "password": password} | ({"code": code} if code else {})
        return await self("POST", "/session", given)


async def account(conn: Connection, login: str, *grants: tuple[Role, str], password: str = PASSWORD) -> UUID:
    """An account, its password cheaply hashed."""
    kept = accounts.hashed(password, CHEAP)
    id = await accounts.create(conn, login, f"姓名{login}", kept, grants, "test", datetime.now(UTC))
    await conn.commit()
    return id


async def with_factor(conn: Connection, id: UUID) -> pyotp.TOTP:
    """A confirmed second factor for an account."""
    secret = pyotp.random_base32()
    await conn.execute("UPDATE accounts SET totp_secret = %s WHERE id = %s", (secret, id))
    await conn.commit()
    return pyotp.TOTP(secret)


def next_code(totp: pyotp.TOTP) -> str:
    """For a second code in one test, as a step serves once: the next step's is taken already, and serves whether a step ends meanwhile or not."""
    return totp.at(datetime.now(UTC) + timedelta(seconds=30))


async def signed_in(api: Callers, login: str, code: str | None = None) -> Browser:
    """A browser with a session."""
    browser = Browser(api)
    answer = await browser.sign_in(login, code)
    assert answer.status_code == 204, answer.text
    return browser


async def test_a_person_signs_in_and_out(api: Callers, conn: Connection) -> None:
    id = await account(conn, "zhang.san", (Role.HANDLER, SCHOOL))
    browser = await signed_in(api, " Zhang.San ")
    body = (await browser("GET", "/me")).json()
    assert (body["name"], body["role"], body["unit"]["code"]) == ("姓名zhang.san", "handler", SCHOOL)
    kept = (await query(conn, "SELECT hash, account, key FROM sessions"))[0]
    assert (kept["account"], kept["key"]) == (id, None)
    assert browser.token.encode() not in bytes(kept["hash"])
    assert (await browser("DELETE", "/session")).status_code == 204
    problem(await browser("GET", "/me"), 401, "unauthenticated")


async def test_the_cookie_is_one_that_no_script_and_no_other_site_uses(api: Callers, conn: Connection) -> None:
    await account(conn, "zhang.san", (Role.HANDLER, SCHOOL))
    answer = await Browser(api).sign_in("zhang.san")
    parts = {part.strip() for part in answer.headers["set-cookie"].lower().split(";")}
    assert {"httponly", "samesite=strict", "path=/", "max-age=43200"} <= parts


async def test_what_was_wrong_is_not_said(api: Callers, conn: Connection) -> None:
    totp = await with_factor(conn, await account(conn, "zhang.san", (Role.SUPERVISOR, SCHOOL)))
    await account(conn, "closed", (Role.HANDLER, SCHOOL))
    await conn.execute("UPDATE accounts SET disabled_at = now() WHERE login = 'closed'")
    await conn.commit()
    told = []
    for login, password, code in [
        ("zhang.san", "wrong password", None),
        ("nobody.there", PASSWORD, None),
        ("closed", PASSWORD, None),
        ("zhang.san", PASSWORD, totp.at(datetime.now(UTC) - timedelta(hours=1))),
    ]:
        browser = Browser(api)
        told.append(problem(await browser.sign_in(login, code, password), 401, "unauthenticated"))
        assert not browser.token
    assert all(body == told[0] for body in told)
    assert "need" not in told[0]


async def test_an_unknown_login_costs_the_work_of_a_known_one(
    api: Callers, conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One hash is verified either way, so that the time of the answer tells nobody which logins exist."""
    await account(conn, "zhang.san")
    whole, verified = accounts.verified, []

    def counting(*given: Any) -> Any:
        verified.append(given[0] is None)
        return whole(*given)

    monkeypatch.setattr(accounts, "verified", counting)
    for login in ("zhang.san", "nobody.there"):
        problem(await Browser(api).sign_in(login, password="not this one"), 401, "unauthenticated")
    assert verified == [False, True]


async def test_sessions_are_listed_and_ended(api: Callers, conn: Connection) -> None:
    await account(conn, "li.si", (Role.HANDLER, SCHOOL))
    await account(conn, "someone", (Role.HANDLER, SCHOOL))
    one, two, stranger = [await signed_in(api, login) for login in ("li.si", "li.si", "someone")]
    items = (await one("GET", "/sessions")).json()["items"]
    assert [item["current"] for item in items] == [False, True]
    problem(await stranger("DELETE", f"/sessions/{items[0]['id']}"), 404, "not-found")
    assert (await one("DELETE", f"/sessions/{items[0]['id']}")).status_code == 204
    problem(await two("GET", "/me"), 401, "unauthenticated")
    three = await signed_in(api, "li.si")
    assert (await one("DELETE", "/sessions")).status_code == 204
    for browser in (one, three):
        problem(await browser("GET", "/me"), 401, "unauthenticated")
    assert (await stranger("GET", "/me")).status_code == 200


async def test_a_new_password_ends_the_other_sessions(api: Callers, conn: Connection) -> None:
    await account(conn, "li.si", (Role.HANDLER, SCHOOL))
    one, two = [await signed_in(api, "li.si") for _ in range(2)]
    new = "完全不同的另一个口令-9"
    for given, status, code in [
        ({"current": "wrong one here", "new": new}, 403, "forbidden"),
        ({"current": PASSWORD, "new": "qwertyuiop123"}, 422, "bad-field"),
        ({"current": PASSWORD, "new": PASSWORD}, 422, "bad-field"),
        ({"current": PASSWORD, "new": "short"}, 422, "bad-field"),
    ]:
        answer = await one("POST", "/account/password", given)
        problem(answer, status, code)
        assert given["new"] not in answer.text
    assert (await two("GET", "/me")).status_code == 200
    assert (await one("POST", "/account/password", {"current": PASSWORD, "new": new})).status_code == 204
    assert (await one("GET", "/me")).status_code == 200
    problem(await two("GET", "/me"), 401, "unauthenticated")
    problem(await Browser(api).sign_in("li.si"), 401, "unauthenticated")
    assert (await Browser(api).sign_in("li.si", password=new)).status_code == 204


async def test_a_disabled_account_s_sessions_end_at_once(api: Callers, conn: Connection) -> None:
    id = await account(conn, "li.si", (Role.HANDLER, SCHOOL))
    browser = await signed_in(api, "li.si")
    assert await accounts.disable(conn, id, "test", datetime.now(UTC))
    await conn.commit()
    problem(await browser("GET", "/me"), 401, "unauthenticated")
    problem(await browser.sign_in("li.si"), 401, "unauthenticated")


async def test_a_key_has_no_account(api: Callers) -> None:
    headers = await api.headers(Role.SUPERVISOR, SCHOOL)
    problem(await Browser(api)("GET", "/sessions", **headers), 403, "forbidden")
    problem(await Browser(api)("GET", "/sessions"), 401, "unauthenticated")
    problem(await Browser(api)("GET", "/sessions", Authorization="Bearer wrong"), 401, "unauthenticated")


async def test_with_several_roles_each_action_finds_the_one_that_may(api: Callers, conn: Connection) -> None:
    await account(conn, "li.si", (Role.INFORMANT, SCHOOL), (Role.AUDITOR, CITY), (Role.HANDLER, DISTRICT))
    browser = await signed_in(api, "li.si")
    body = (await browser("GET", "/me")).json()
    assert (body["role"], body["unit"]["code"]) == ("auditor", CITY), "the one that reaches furthest reads"
    sent = {"source": "officer", "unit": SCHOOL, "text": "灭火器过期"}
    assert (await browser("POST", "/reports", sent)).status_code == 202, "an auditor alone could not"
    grants = (await browser("GET", "/account")).json()["grants"]
    assert {(grant["role"], grant["unit"]) for grant in grants} == {
        ("informant", SCHOOL),
        ("auditor", CITY),
        ("handler", DISTRICT),
    }


async def test_without_a_role_a_person_may_nothing(api: Callers, conn: Connection) -> None:
    await account(conn, "li.si")
    browser = await signed_in(api, "li.si")
    problem(await browser("GET", "/me"), 403, "forbidden")
    assert (await browser("GET", "/account")).json()["grants"] == []


@pytest.mark.parametrize(
    "body",
    [{"login": "li.si"}, {"login": "", "password": "x"}, {"login": "x", "password": "y" * 129}, {"login": "x", "password": 5},
     {"login": "x", "password": "secret-word", "key": "k" * 20}, {"login": "x", "password": "secret-word", "code": "1"}, [], 5, None],
)  # fmt: skip
async def test_a_sign_in_that_makes_no_sense(api: Callers, conn: Connection, body: Any) -> None:
    answer = await Browser(api)("POST", "/session", body)
    problem(answer, 422, "bad-field")
    assert "secret-word" not in answer.text
    assert await count(conn, "attempts") == 0
