"""Signing in with password and code, what a session may do, ending it, and what another site's page may not."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pyotp
import pytest
from argon2 import PasswordHasher

from api.access import COOKIE
from models.roles import Role
from store import accounts, sign_in
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


async def test_with_a_factor_a_code_is_asked_for_and_taken_once(api: Callers, conn: Connection) -> None:
    totp = await with_factor(conn, await account(conn, "wang.wu", (Role.LEADER, DISTRICT)))
    browser = Browser(api)
    body = problem(await browser.sign_in("wang.wu"), 401, "unauthenticated")
    assert body["need"] == "code"
    assert not browser.token
    code = totp.now()
    assert (await browser.sign_in("wang.wu", code)).status_code == 204
    assert (await browser("GET", "/me")).json()["role"] == "leader"
    problem(await Browser(api).sign_in("wang.wu", code), 401, "unauthenticated")


async def test_one_code_begins_one_session_even_at_the_same_moment(api: Callers, conn: Connection) -> None:
    totp = await with_factor(conn, await account(conn, "wang.wu", (Role.LEADER, DISTRICT)))
    code = totp.now()
    answers = await asyncio.gather(*(Browser(api).sign_in("wang.wu", code) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [204, 401, 401, 401]
    assert await count(conn, "sessions") == 1


async def test_a_recovery_code_is_taken_once(api: Callers, conn: Connection) -> None:
    id = await account(conn, "wang.wu", (Role.LEADER, DISTRICT))
    await with_factor(conn, id)
    codes = await sign_in.new_recovery_codes(conn, id)
    await conn.commit()
    assert len(set(codes)) == 10
    assert (await Browser(api).sign_in("wang.wu", codes[0].lower().replace("-", " "))).status_code == 204
    problem(await Browser(api).sign_in("wang.wu", codes[0]), 401, "unauthenticated")
    browser = await signed_in(api, "wang.wu", codes[1])
    assert (await browser("GET", "/account")).json()["second_factor"]["recovery_codes_left"] == 8


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.LEADER, Role.ADMIN])
async def test_who_closes_or_administers_enrols_first(api: Callers, conn: Connection, role: Role) -> None:
    id = await account(conn, "li.si", (role, SCHOOL), (Role.INFORMANT, SCHOOL))
    browser = await signed_in(api, "li.si")
    for method, path in [("GET", "/me"), ("GET", "/hazards"), ("GET", "/sessions"), ("DELETE", "/sessions"), ("GET", "/cockpit"), ("GET", "/accounts"), ("POST", "/account/second-factor/recovery-codes")]:  # fmt: skip
        body = problem(await browser(method, path, {"code": "123456"} if method == "POST" else None), 403, "forbidden")
        assert body["need"] == "second-factor"
    change = {"current": PASSWORD, "new": "完全不同的另一个口令-9"}
    assert problem(await browser("POST", "/account/password", change), 403, "forbidden")["need"] == "second-factor"
    assert (await browser("GET", "/account")).json()["second_factor"] == {
        "needed": True,
        "confirmed": False,
        "recovery_codes_left": 0,
    }
    other = await signed_in(api, "li.si")
    problem(await browser("POST", "/account/second-factor", {"password": "wrong"}), 403, "forbidden")
    enrolled = (await browser("POST", "/account/second-factor", {"password": PASSWORD})).json()
    totp = pyotp.parse_uri(enrolled["uri"])
    assert isinstance(totp, pyotp.TOTP)
    assert totp.secret == enrolled["secret"]
    far = totp.at(datetime.now(UTC) + timedelta(hours=3))
    problem(await browser("POST", "/account/second-factor/confirm", {"code": far}), 403, "forbidden")
    code = totp.now()
    confirmed = await browser("POST", "/account/second-factor/confirm", {"code": code})
    assert len(confirmed.json()["recovery_codes"]) == 10
    assert (await browser("GET", "/me")).status_code == 200
    problem(await other("GET", "/account"), 401, "unauthenticated")
    problem(await Browser(api).sign_in("li.si", code), 401, "unauthenticated")
    await conn.execute("UPDATE accounts SET totp_step = 0 WHERE id = %s", (id,))
    await conn.commit()
    assert (await Browser(api).sign_in("li.si", totp.now())).status_code == 204


async def test_a_role_that_needs_a_factor_shuts_a_session_without_one_at_once(api: Callers, conn: Connection) -> None:
    id = await account(conn, "li.si", (Role.HANDLER, SCHOOL))
    browser = await signed_in(api, "li.si")
    assert (await browser("GET", "/me")).status_code == 200
    await accounts.grant(conn, id, Role.SUPERVISOR, SCHOOL, "test", datetime.now(UTC))
    await conn.commit()
    assert problem(await browser("GET", "/me"), 403, "forbidden")["need"] == "second-factor"


async def test_a_new_factor_needs_the_old_one(api: Callers, conn: Connection) -> None:
    totp = await with_factor(conn, await account(conn, "li.si", (Role.HANDLER, SCHOOL)))
    browser = await signed_in(api, "li.si", totp.at(datetime.now(UTC) - timedelta(seconds=30)))
    problem(await browser("POST", "/account/second-factor", {"password": PASSWORD}), 403, "forbidden")
    answer = await browser("POST", "/account/second-factor", {"password": PASSWORD, "code": totp.now()})
    assert answer.status_code == 200
    assert (await query(conn, "SELECT totp_secret AS s FROM accounts"))[0]["s"] == totp.secret, "until it is confirmed"


async def test_recovery_codes_anew(api: Callers, conn: Connection) -> None:
    id = await account(conn, "li.si", (Role.HANDLER, SCHOOL))
    totp = await with_factor(conn, id)
    old = await sign_in.new_recovery_codes(conn, id)
    await conn.commit()
    browser = await signed_in(api, "li.si", old[0])
    path = "/account/second-factor/recovery-codes"
    new = (await browser("POST", path, {"code": totp.now()})).json()["recovery_codes"]
    assert not set(old) & set(new)
    problem(await Browser(api).sign_in("li.si", old[1]), 401, "unauthenticated")
    assert (await Browser(api).sign_in("li.si", new[0])).status_code == 204


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


async def test_after_five_failures_a_login_waits_even_with_the_right_password(api: Callers, conn: Connection) -> None:
    await account(conn, "li.si", (Role.HANDLER, SCHOOL))
    for _ in range(5):
        problem(await Browser(api).sign_in("li.si", password="guess"), 401, "unauthenticated")
    answer = await Browser(api).sign_in("li.si")
    problem(answer, 429, "too-many")
    assert 10 <= int(answer.headers["retry-after"]) <= 15
    await account(conn, "someone", (Role.HANDLER, SCHOOL))
    assert (await Browser(api).sign_in("someone")).status_code == 204, "others are not held up"
    await conn.execute("UPDATE attempts SET blocked_until = now()")
    await conn.commit()
    assert (await Browser(api).sign_in("li.si")).status_code == 204


async def test_many_guesses_at_once_are_no_way_round(api: Callers, conn: Connection) -> None:
    await account(conn, "li.si", (Role.HANDLER, SCHOOL))
    answers = await asyncio.gather(*(Browser(api).sign_in("li.si", password=f"guess {n}") for n in range(12)))
    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 7


async def test_the_right_password_does_not_wipe_out_wrong_codes(api: Callers, conn: Connection) -> None:
    totp = await with_factor(conn, await account(conn, "li.si", (Role.LEADER, SCHOOL)))
    for n in range(5):
        problem(await Browser(api).sign_in("li.si"), 401, "unauthenticated")
        wrong = f"{(int(totp.now()) + 500_000 + n) % 1_000_000:06}"
        problem(await Browser(api).sign_in("li.si", wrong), 401, "unauthenticated")
    problem(await Browser(api).sign_in("li.si", totp.now()), 429, "too-many")


async def test_one_s_own_sign_in_does_not_free_an_address_to_guess_on(api: Callers, conn: Connection) -> None:
    await account(conn, "own", (Role.HANDLER, SCHOOL))
    statuses = []
    for n in range(21):
        statuses.append((await Browser(api).sign_in(f"victim-{n}", password="guess")).status_code)
        if n in (5, 10, 15):
            await signed_in(api, "own")
    assert statuses == [401] * 20 + [429]


async def test_no_word_of_a_sign_in_is_logged_or_kept(
    api: Callers, conn: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    totp = await with_factor(conn, await account(conn, "zhang.san", (Role.LEADER, SCHOOL)))
    code = totp.now()
    problem(await Browser(api).sign_in("mistyped-Secret-99"), 401, "unauthenticated")
    await signed_in(api, "zhang.san", code)
    ours = [r for r in caplog.records if not r.name.startswith(("httpx", "httpcore", "asyncio"))]
    logged = "\n".join(record.getMessage() for record in ours)
    attempts = repr(await query(conn, "SELECT * FROM attempts"))
    for secret in ("zhang.san", "mistyped-secret-99", PASSWORD, code, "127.0.0.1"):
        assert secret not in logged.casefold()
        assert secret not in attempts


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
