"""The second factor: asked for, set up, sealed, taken once; and recovery codes."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyotp
import pytest

from models.roles import Role
from store import accounts, sign_in
from store.db import Connection
from store.sealing import Sealer, sealer
from store.settings import Settings
from tests.api.test_reports import problem
from tests.api.test_sessions import PASSWORD, Browser, account, next_code, signed_in, with_factor
from tests.conftest import Callers
from tests.factories import DISTRICT, SCHOOL
from tests.store.test_landing import count, query

pytestmark = pytest.mark.runtime


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
        "given": False,
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


async def test_a_new_factor_needs_the_old_one(api: Callers, conn: Connection, trained: Path) -> None:
    totp = await with_factor(conn, await account(conn, "li.si", (Role.HANDLER, SCHOOL)))
    browser = await signed_in(api, "li.si", totp.now())
    problem(await browser("POST", "/account/second-factor", {"password": PASSWORD}), 403, "forbidden")
    answer = await browser("POST", "/account/second-factor", {"password": PASSWORD, "code": next_code(totp)})
    assert answer.status_code == 200
    kept = (await query(conn, "SELECT totp_secret AS s FROM accounts"))[0]["s"]
    assert sealer(Settings(local=trained)).open(kept) == totp.secret, "until it is confirmed"


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


async def test_a_secret_lies_sealed_from_its_enrolment_on(api: Callers, conn: Connection, trained: Path) -> None:
    await account(conn, "li.si", (Role.HANDLER, SCHOOL))
    browser, seal = await signed_in(api, "li.si"), sealer(Settings(local=trained))
    secret = (await browser("POST", "/account/second-factor", {"password": PASSWORD})).json()["secret"]
    pending = (await query(conn, "SELECT totp_pending AS s FROM accounts"))[0]["s"]
    assert (secret in pending, seal.open(pending)) == (False, secret)
    await conn.commit()
    answer = await browser("POST", "/account/second-factor/confirm", {"code": pyotp.TOTP(secret).now()})
    assert answer.status_code == 200
    row = (await query(conn, "SELECT totp_secret AS s, totp_pending AS p FROM accounts"))[0]
    assert (secret in row["s"], seal.open(row["s"]), row["p"]) == (False, secret, None)


async def test_one_that_still_lies_open_is_sealed_on_its_next_use(
    api: Callers, conn: Connection, trained: Path
) -> None:
    totp = await with_factor(conn, await account(conn, "li.si", (Role.LEADER, SCHOOL)))
    await signed_in(api, "li.si", totp.now())
    kept = (await query(conn, "SELECT totp_secret AS s FROM accounts"))[0]["s"]
    assert sealer(Settings(local=trained)).open(kept) == totp.secret


async def test_all_that_lie_open_are_sealed_at_once(conn: Connection) -> None:
    seal = Sealer("new", "old")
    totp = await with_factor(conn, await account(conn, "li.si", (Role.LEADER, SCHOOL)))
    await account(conn, "without", (Role.HANDLER, SCHOOL))
    assert (await sign_in.seal_all(conn, seal), await sign_in.seal_all(conn, seal)) == (1, 0)
    rows = await query(conn, "SELECT totp_secret AS s FROM accounts WHERE totp_secret IS NOT NULL")
    assert [seal.open(row["s"]) for row in rows] == [totp.secret]
