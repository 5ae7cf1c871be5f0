"""An identity is linked by an administrator, by its owner or by a code that holds once, and by nothing else."""

from datetime import UTC, datetime

import httpx
import pytest
from fastapi import FastAPI

from models.roles import Role
from store import accounts, identities
from store.db import Connection
from tests.api.campus import Person, configure, linked
from tests.api.test_reports import problem
from tests.api.test_sessions import PASSWORD, account, next_code, with_factor
from tests.factories import CITY, COLLEGE, NOW, SCHOOL, UNIVERSITY
from tests.provider import agreed, entry
from tests.store.test_landing import count, query

pytestmark = pytest.mark.runtime


async def test_an_unknown_identity_is_told_what_to_ask_for_and_its_code_links_once(
    app: FastAPI, conn: Connection, issuer: str
) -> None:
    configure(app, entry(issuer, UNIVERSITY))
    id = await account(conn, "li.si", (Role.HANDLER, COLLEGE))
    code, _ = await identities.new_code(conn, id, "account:admin", datetime.now(UTC))
    await conn.commit()
    person = Person(app)
    assert await person.sign_in("newcomer") == "unknown"
    problem(await person("GET", "/me"), 401, "unauthenticated")
    waiting = (await person("GET", "/oidc/waiting")).json()
    assert (waiting["need"], waiting["subject"], waiting["provider_id"]) == ("link-code", "newcomer", "u01")
    told = problem(await person("POST", "/oidc/session", {}), 401, "unauthenticated")
    assert (told["need"], "一次性关联码" in told["detail"], "管理员" in told["detail"]) == ("link-code", True, True)
    wrong = problem(await person("POST", "/oidc/session", {"link_code": "AAAA-BBBB-CCCC-DDDD"}), 401, "unauthenticated")
    assert "关联码不对" in wrong["detail"]
    assert (await person("POST", "/oidc/session", {"link_code": code.lower()})).status_code == 204
    assert (await person("GET", "/me")).json()["role"] == "handler"
    row = (await query(conn, "SELECT account, issuer, subject, linked_by FROM identities"))[0]
    assert tuple(row.values()) == (id, issuer, "newcomer", "account:admin")
    other = Person(app)
    assert await other.sign_in("another") == "unknown"
    problem(await other("POST", "/oidc/session", {"link_code": code}), 401, "unauthenticated")
    assert await Person(app).sign_in("newcomer") == "done"


async def test_an_e_mail_address_links_nothing(app: FastAPI, conn: Connection, issuer: str) -> None:
    """The provider says that somebody's address is another's login: addresses are given anew, and typed by their owners."""
    configure(app, entry(issuer, UNIVERSITY))
    await account(conn, "li.si@example.edu.cn", (Role.HANDLER, COLLEGE))
    async with httpx.AsyncClient() as client:
        claims = {"email": "li.si@example.edu.cn", "email_verified": True, "preferred_username": "li.si@example.edu.cn"}
        await client.put(f"{issuer}/users/impostor", json=claims)
    assert await Person(app).sign_in("impostor") == "unknown"
    assert await Person(app).sign_in("li.si@example.edu.cn") == "unknown"


async def test_the_signed_in_person_links_and_unlinks(app: FastAPI, conn: Connection, issuer: str) -> None:
    configure(app, entry(issuer, UNIVERSITY))
    id = await account(conn, "li.si", (Role.HANDLER, COLLEGE))
    totp = await with_factor(conn, id)
    person, path = Person(app), "/account/identities"
    at = {"login": "li.si", "password": PASSWORD, "code": totp.now()}
    assert (await person("POST", "/session", at)).status_code == 204
    wanted = {"provider": "u01", "password": PASSWORD}
    problem(await person("POST", path, wanted | {"password": "wrong"}), 403, "forbidden")
    problem(await person("POST", path, wanted), 403, "forbidden")
    problem(await person("POST", path, wanted | {"provider": "u99"}), 404, "not-found")
    location = (await person("POST", path, wanted | {"code": next_code(totp)})).json()["location"]
    assert await person.come_back(await agreed(location, "mine")) == "linked"
    items = (await person("GET", path)).json()["items"]
    assert [(item["provider"], item["subject"]) for item in items] == [("试验大学统一身份认证", "mine")]
    other = Person(app)
    assert await other.sign_in("mine") == "code"
    assert (await person("DELETE", f"{path}/{items[0]['id']}")).status_code == 204
    problem(await person("DELETE", f"{path}/{items[0]['id']}"), 404, "not-found")
    assert await other.sign_in("mine") == "unknown"
    acts = [(row["act"], row["by"]) for row in await query(conn, "SELECT act, by FROM account_acts ORDER BY at")]
    assert acts == [("link", f"account:{id}"), ("unlink", f"account:{id}")]


async def test_a_link_that_was_begun_needs_its_session_to_go_on(app: FastAPI, conn: Connection, issuer: str) -> None:
    configure(app, entry(issuer, UNIVERSITY))
    await account(conn, "li.si", (Role.HANDLER, COLLEGE))
    person = Person(app)
    assert (await person("POST", "/session", {"login": "li.si", "password": PASSWORD})).status_code == 204
    asked = await person("POST", "/account/identities", {"provider": "u01", "password": PASSWORD})
    back = await agreed(asked.json()["location"], "mine")
    await conn.execute("DELETE FROM sessions")
    await conn.commit()
    assert await person.come_back(back) == "expired"
    assert await count(conn, "identities") == 0


async def test_one_identity_is_one_person_s(app: FastAPI, conn: Connection, issuer: str) -> None:
    configure(app, entry(issuer, UNIVERSITY))
    await linked(conn, issuer, "mine", "first", (Role.HANDLER, COLLEGE))
    await account(conn, "second", (Role.HANDLER, COLLEGE))
    person = Person(app)
    assert (await person("POST", "/session", {"login": "second", "password": PASSWORD})).status_code == 204
    asked = await person("POST", "/account/identities", {"provider": "u01", "password": PASSWORD})
    assert await person.come_back(await agreed(asked.json()["location"], "mine")) == "taken"


async def test_a_link_code_needs_the_account_s_own_factor(app: FastAPI, conn: Connection, issuer: str) -> None:
    """A code that was overheard opens nothing, not even where the provider's factor counts."""
    configure(app, entry(issuer, UNIVERSITY, second_factor_amr=["mfa"]))
    id = await account(conn, "wang.wu", (Role.SUPERVISOR, UNIVERSITY))
    totp = await with_factor(conn, id)
    code, _ = await identities.new_code(conn, id, "cli", datetime.now(UTC))
    await conn.commit()
    async with httpx.AsyncClient() as client:
        await client.put(f"{issuer}/users/thief", json={"amr": ["mfa"]})
    person = Person(app)
    assert await person.sign_in("thief") == "unknown"
    assert problem(await person("POST", "/oidc/session", {"link_code": code}), 401, "unauthenticated")["need"] == "code"
    assert (await count(conn, "identities"), await count(conn, "link_codes")) == (0, 1)
    await conn.commit()
    assert (await person("POST", "/oidc/session", {"link_code": code, "code": totp.now()})).status_code == 204


async def test_an_administrator_links_within_their_subtree(app: FastAPI, conn: Connection, issuer: str) -> None:
    configure(app, entry(issuer, UNIVERSITY))
    id = await account(conn, "li.si", (Role.HANDLER, COLLEGE))
    above = await account(conn, "boss", (Role.HANDLER, COLLEGE), (Role.LEADER, CITY))
    elsewhere = await account(conn, "someone", (Role.HANDLER, SCHOOL))
    totp = await with_factor(conn, await account(conn, "the.admin", (Role.ADMIN, UNIVERSITY)))
    admin = Person(app)
    signing = {"login": "the.admin", "password": PASSWORD, "code": totp.now()}
    assert (await admin("POST", "/session", signing)).status_code == 204
    wanted = {"provider": "u01", "subject": "s-9"}
    problem(await admin("POST", f"/accounts/{above}/identities", wanted), 403, "forbidden")
    problem(await admin("POST", f"/accounts/{above}/link-code"), 403, "forbidden")
    problem(await admin("POST", f"/accounts/{elsewhere}/identities", wanted), 404, "not-found")
    given = await admin("POST", f"/accounts/{id}/identities", wanted)
    assert given.status_code == 201
    assert given.json() == (await admin("POST", f"/accounts/{id}/identities", wanted)).json()
    person = Person(app)
    assert await person.sign_in("s-9") == "done"
    shown = (await admin("GET", f"/accounts/{id}/identities")).json()["items"]
    assert [item["subject"] for item in shown] == ["s-9"]
    assert (await admin("DELETE", f"/accounts/{id}/identities/{shown[0]['id']}")).status_code == 204
    problem(await person("GET", "/me"), 401, "unauthenticated")
    code = (await admin("POST", f"/accounts/{id}/link-code")).json()["code"]
    assert await person.sign_in("s-9") == "unknown"
    assert (await person("POST", "/oidc/session", {"link_code": code})).status_code == 204
    by = {(row["act"], row["by"]) for row in (await admin("GET", f"/accounts/{id}/acts")).json()["items"]}
    own = (await query(conn, "SELECT id FROM accounts WHERE login = 'the.admin'"))[0]["id"]
    assert by == {(act, f"account:{own}") for act in ("link", "unlink", "link-code")}
    await accounts.revoke(conn, id, (await accounts.found(conn, id)).live[0].id, "test", NOW)  # type: ignore[union-attr]
    await conn.commit()
    problem(await admin("POST", f"/accounts/{id}/identities", wanted), 409, "not-allowed")
