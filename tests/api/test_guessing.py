"""Guessing at logins and codes: counted, slowed down, and never written anywhere."""

import asyncio
import logging

import pytest

from models.roles import Role
from store.db import Connection
from tests.api.test_reports import problem
from tests.api.test_sessions import PASSWORD, Browser, account, signed_in, with_factor
from tests.conftest import Callers
from tests.factories import SCHOOL
from tests.store.test_landing import query

pytestmark = pytest.mark.runtime


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
