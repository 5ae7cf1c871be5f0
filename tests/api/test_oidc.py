"""Single sign-on over HTTP, against a real running provider: who comes in, with what, and how far."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pyotp
import pytest
from fastapi import FastAPI

from api import oidc
from api.access import COOKIE
from models.roles import Role
from store import accounts
from store.db import Connection
from tests.api.campus import V1, Person, configure, linked
from tests.api.test_reports import problem
from tests.api.test_sessions import with_factor
from tests.factories import CITY, COLLEGE, NOW, SCHOOL, UNIVERSITY
from tests.provider import agreed, entry
from tests.store.test_landing import count, query

pytestmark = pytest.mark.runtime


async def test_a_person_signs_in_by_their_campus_and_out(app: FastAPI, conn: Connection, issuer: str) -> None:
    configure(app, entry(issuer, UNIVERSITY))
    id = await linked(conn, issuer, "one", "li.si", (Role.HANDLER, COLLEGE))
    person = Person(app)
    item = (await person("GET", "/session/providers")).json()["items"][0]
    assert (item["id"], item["label"], item["unit"]) == ("u01", "试验大学统一身份认证", UNIVERSITY)
    location = await person.begin("/?unit=U01")
    answer = await person.client.get(await agreed(location, "one"))
    assert answer.headers["location"] == "/sign-in.html?back=/%3Funit%3DU01#oidc=done"
    cookies = answer.headers.get_list("set-cookie")
    assert any(
        "httponly" in c.lower() and "samesite=strict" in c.lower() for c in cookies if c.startswith(f"{COOKIE}=")
    )
    assert not person.client.cookies.get(oidc.COOKIE)
    body = (await person("GET", "/me")).json()
    assert (body["name"], body["role"], body["unit"]["code"]) == ("姓名li.si", "handler", COLLEGE)
    items = (await person("GET", "/sessions")).json()["items"]
    assert [(item["current"], item["provider"]) for item in items] == [(True, "试验大学统一身份认证")]
    assert (await query(conn, "SELECT account FROM sessions"))[0]["account"] == id
    assert await count(conn, "oidc_sign_ins") == 0
    assert (await person("DELETE", "/sessions")).status_code == 204
    problem(await person("GET", "/me"), 401, "unauthenticated")


async def test_what_is_sent_to_the_provider_asks_for_no_personal_data(app: FastAPI, issuer: str) -> None:
    configure(app, entry(issuer, UNIVERSITY))
    asked = parse_qs(urlsplit(await Person(app).begin()).query)
    assert asked["scope"] == ["openid"]
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == ["http://test/api/v1/oidc/u01/callback"]
    app.state.held.settings.public_url = "https://risk.example.edu.cn/"
    asked = parse_qs(urlsplit(await Person(app).begin()).query)
    assert asked["redirect_uri"] == ["https://risk.example.edu.cn/api/v1/oidc/u01/callback"]


async def test_the_platform_s_own_factor_is_still_asked_for(app: FastAPI, conn: Connection, issuer: str) -> None:
    configure(app, entry(issuer, UNIVERSITY))
    id = await linked(conn, issuer, "lead", "wang.wu", (Role.SUPERVISOR, UNIVERSITY))
    totp = await with_factor(conn, id)
    person = Person(app)
    assert await person.sign_in("lead") == "code"
    problem(await person("GET", "/me"), 401, "unauthenticated")
    assert (await person("GET", "/oidc/waiting")).json() == {"need": "code", "provider": "试验大学统一身份认证"}
    assert problem(await person("POST", "/oidc/session", {}), 401, "unauthenticated")["need"] == "code"
    far = totp.at(datetime.now(UTC) + timedelta(hours=3))
    problem(await person("POST", "/oidc/session", {"code": far}), 401, "unauthenticated")
    code = totp.now()
    assert (await person("POST", "/oidc/session", {"code": code})).status_code == 204
    assert (await person("GET", "/me")).json()["role"] == "supervisor"
    problem(await person("POST", "/oidc/session", {"code": code}), 401, "unauthenticated")


async def test_wrong_codes_are_counted_here_too(app: FastAPI, conn: Connection, issuer: str) -> None:
    configure(app, entry(issuer, UNIVERSITY))
    totp = await with_factor(conn, await linked(conn, issuer, "lead", "wang.wu", (Role.SUPERVISOR, UNIVERSITY)))
    person = Person(app)
    assert await person.sign_in("lead") == "code"
    far = totp.at(datetime.now(UTC) + timedelta(hours=3))
    answers = [(await person("POST", "/oidc/session", {"code": far})).status_code for _ in range(6)]
    assert answers == [401] * 5 + [429]


@pytest.mark.parametrize(
    ("amr", "named", "outcome"), [(["mfa"], ["mfa"], "done"), (["mfa"], [], "code"), (["pwd"], ["mfa"], "code")]
)
async def test_a_provider_s_factor_counts_only_where_the_city_says_so(
    app: FastAPI, conn: Connection, issuer: str, amr: list[str], named: list[str], outcome: str
) -> None:
    configure(app, entry(issuer, UNIVERSITY, second_factor_amr=named))
    await with_factor(conn, await linked(conn, issuer, "lead", "wang.wu", (Role.SUPERVISOR, UNIVERSITY)))
    async with httpx.AsyncClient() as client:
        await client.put(f"{issuer}/users/lead", json={"amr": amr})
    person = Person(app)
    assert await person.sign_in("lead") == outcome
    assert (await person("GET", "/me")).status_code == (200 if outcome == "done" else 401)


async def test_who_must_have_a_factor_enrols_first_and_needs_no_password_just_after(
    app: FastAPI, conn: Connection, issuer: str
) -> None:
    configure(app, entry(issuer, UNIVERSITY))
    id = await linked(conn, issuer, "new-lead", "zhao.liu", (Role.LEADER, UNIVERSITY))
    person = Person(app)
    assert await person.sign_in("new-lead") == "done"
    assert problem(await person("GET", "/me"), 403, "forbidden")["need"] == "second-factor"
    await conn.execute("UPDATE sessions SET created_at = created_at - interval '11 minutes'")
    await conn.commit()
    assert problem(await person("POST", "/account/second-factor", {}), 403, "forbidden")["need"] == "password"
    await conn.execute("UPDATE sessions SET created_at = now()")
    await conn.commit()
    secret = (await person("POST", "/account/second-factor", {})).json()["secret"]
    confirmed = await person("POST", "/account/second-factor/confirm", {"code": pyotp.TOTP(secret).now()})
    assert len(confirmed.json()["recovery_codes"]) == 10
    assert (await person("GET", "/me")).json()["role"] == "leader"
    problem(await person("POST", "/account/second-factor", {}), 403, "forbidden")
    await accounts.grant(conn, id, Role.LEADER, CITY, "test", NOW)
    await accounts.reset_factor(conn, id, "test", NOW)
    await conn.commit()
    assert await person.sign_in("new-lead") == "done"
    problem(await person("POST", "/account/second-factor", {}), 403, "forbidden")


async def test_a_provider_opens_only_what_lies_in_its_subtree(app: FastAPI, conn: Connection, issuer: str) -> None:
    configure(app, entry(issuer, UNIVERSITY))
    id = await linked(conn, issuer, "both", "li.si", (Role.HANDLER, COLLEGE), (Role.AUDITOR, CITY))
    await linked(conn, issuer, "elsewhere", "someone", (Role.HANDLER, SCHOOL))
    person = Person(app)
    assert await person.sign_in("both") == "done"
    assert (await person("GET", "/me")).json()["unit"]["code"] == COLLEGE
    assert [g["role"] for g in (await person("GET", "/account")).json()["grants"]] == ["handler"]
    problem(await person("GET", f"/cockpit?unit={CITY}"), 404, "not-found")
    await accounts.grant(conn, id, Role.ASSESSOR, SCHOOL, "test", NOW)
    await conn.commit()
    assert [g["role"] for g in (await person("GET", "/account")).json()["grants"]] == ["handler"], "not later either"
    assert await Person(app).sign_in("elsewhere") == "no-role"


async def test_nobody_disabled_comes_in_by_the_side_door(app: FastAPI, conn: Connection, issuer: str) -> None:
    configure(app, entry(issuer, UNIVERSITY))
    id = await linked(conn, issuer, "one", "li.si", (Role.HANDLER, COLLEGE))
    person = Person(app)
    assert await person.sign_in("one") == "done"
    await accounts.disable(conn, id, "test", NOW)
    await conn.commit()
    problem(await person("GET", "/me"), 401, "unauthenticated")
    assert await person.sign_in("one") == "unknown", "its identities were taken back"
    await conn.execute("UPDATE identities SET unlinked_at = NULL, unlinked_by = NULL")
    await conn.commit()
    assert await person.sign_in("one") == "no-role"


async def test_a_provider_that_is_away_or_unknown(app: FastAPI) -> None:
    configure(app, entry("http://127.0.0.1:9", UNIVERSITY))
    body = problem(await Person(app)("POST", "/oidc/u01/begin", {}), 503, "busy")
    assert "试验大学统一身份认证" in body["detail"]
    problem(await Person(app)("POST", "/oidc/u02/begin", {}), 404, "not-found")


@pytest.mark.parametrize(("error", "outcome"), [("access_denied", "denied"), ("server_error", "failed")])
async def test_who_says_no_at_the_provider_is_told_so(app: FastAPI, issuer: str, error: str, outcome: str) -> None:
    configure(app, entry(issuer, UNIVERSITY))
    person = Person(app)
    state = parse_qs(urlsplit(await person.begin()).query)["state"][0]
    assert await person.come_back(f"{V1}/oidc/u01/callback?error={error}&state={state}") == outcome


async def test_what_waits_is_over_after_ten_minutes(app: FastAPI, conn: Connection, issuer: str) -> None:
    configure(app, entry(issuer, UNIVERSITY))
    person = Person(app)
    back = await agreed(await person.begin(), "somebody")
    await conn.execute("UPDATE oidc_sign_ins SET expires_at = now()")
    await conn.commit()
    assert await person.come_back(back) == "expired"
    assert await person.sign_in("somebody") == "unknown"
    await conn.execute("UPDATE oidc_sign_ins SET expires_at = now()")
    await conn.commit()
    problem(await person("GET", "/oidc/waiting"), 401, "unauthenticated")
    problem(await person("POST", "/oidc/session", {"link_code": "AAAA-BBBB"}), 401, "unauthenticated")
