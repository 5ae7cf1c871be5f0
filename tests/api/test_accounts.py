"""Administering accounts: only within one's subtree, and never oneself."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from models.roles import Role
from store import accounts
from store.db import Connection
from tests.api.test_reports import problem
from tests.api.test_sessions import Browser, account, next_code, signed_in, with_factor
from tests.conftest import Callers
from tests.factories import CITY, COLLEGE, DISTRICT, SCHOOL, UNIVERSITY

pytestmark = pytest.mark.runtime

OTHER = "330203-002"


async def admin(api: Callers, conn: Connection, *units: str) -> Browser:
    """An administrator of these units, signed in."""
    id = await account(conn, "the.admin", *((Role.ADMIN, unit) for unit in units))
    totp = await with_factor(conn, id)
    return await signed_in(api, "the.admin", totp.now())


def wanted(*grants: tuple[str, str], login: str = "new.one", **more: Any) -> dict[str, Any]:
    """An account to be made."""
    return {"login": login, "name": "新来", "grants": [{"role": r, "unit": u} for r, u in grants], **more}


async def held(conn: Connection, id: UUID | str) -> set[tuple[str, str]]:
    """The roles an account holds."""
    found = await accounts.found(conn, UUID(str(id)))
    await conn.commit()
    assert found
    return {(grant.role.value, grant.unit) for grant in found.live}


async def test_an_administrator_lets_somebody_in(api: Callers, conn: Connection) -> None:
    browser = await admin(api, conn, DISTRICT)
    answer = await browser("POST", "/accounts", wanted(("handler", SCHOOL), ("informant", DISTRICT), login=" New.One "))
    body = answer.json()
    assert (answer.status_code, body["login"]) == (201, "new.one")
    assert await held(conn, body["id"]) == {("handler", SCHOOL), ("informant", DISTRICT)}
    newcomer = Browser(api)
    assert (await newcomer.sign_in("new.one", password=body["password"])).status_code == 204
    assert (await newcomer("GET", "/me")).json()["name"] == "新来"
    problem(await browser("POST", "/accounts", wanted(("handler", SCHOOL))), 409, "not-allowed")


async def test_a_password_that_was_given_is_not_said_again(api: Callers, conn: Connection) -> None:
    browser = await admin(api, conn, DISTRICT)
    given = "穿过操场的第二盏路灯-4"
    answer = await browser("POST", "/accounts", wanted(("handler", SCHOOL), password=given))
    assert answer.status_code == 201
    assert given not in answer.text
    assert (await Browser(api).sign_in("new.one", password=given)).status_code == 204


@pytest.mark.parametrize("unit", [CITY, DISTRICT, OTHER, UNIVERSITY, COLLEGE, "no-such-unit"])
async def test_nobody_grants_above_or_beside_their_own_unit(api: Callers, conn: Connection, unit: str) -> None:
    browser = await admin(api, conn, SCHOOL)
    id = await account(conn, "li.si", (Role.HANDLER, SCHOOL))
    problem(await browser("POST", "/accounts", wanted(("handler", SCHOOL), ("handler", unit))), 404, "not-found")
    problem(await browser("POST", f"/accounts/{id}/grants", {"role": "handler", "unit": unit}), 404, "not-found")
    assert await held(conn, id) == {("handler", SCHOOL)}
    assert await accounts.by_login(conn, "new.one") is None


async def test_a_role_is_given_and_taken_back_at_once(api: Callers, conn: Connection) -> None:
    browser = await admin(api, conn, OTHER, SCHOOL)
    id = await account(conn, "li.si", (Role.HANDLER, SCHOOL))
    person = await signed_in(api, "li.si")
    path, role = f"/accounts/{id}/grants", {"role": "assessor", "unit": OTHER}
    given, again = (await browser("POST", path, role)), (await browser("POST", path, role))
    assert (given.status_code, given.json()) == (201, again.json())
    assert await held(conn, id) == {("handler", SCHOOL), ("assessor", OTHER)}
    grants = (await person("GET", "/account")).json()["grants"]
    assert {grant["role"] for grant in grants} == {"handler", "assessor"}
    assert (await browser("DELETE", f"{path}/{given.json()['id']}")).status_code == 204
    problem(await browser("DELETE", f"{path}/{given.json()['id']}"), 404, "not-found")
    assert {grant["role"] for grant in (await person("GET", "/account")).json()["grants"]} == {"handler"}


async def test_who_stands_elsewhere_is_not_there(api: Callers, conn: Connection) -> None:
    browser = await admin(api, conn, SCHOOL)
    id = await account(conn, "elsewhere", (Role.HANDLER, OTHER))
    for method, path, body in [
        ("POST", f"/accounts/{id}/disable", None),
        ("POST", f"/accounts/{id}/enable", {}),
        ("GET", f"/accounts/{id}/acts", None),
        ("GET", f"/accounts/{id}/identities", None),
        ("POST", f"/accounts/{id}/link-code", None),
        ("POST", f"/accounts/{id}/grants", {"role": "handler", "unit": SCHOOL}),
        ("DELETE", f"/accounts/{id}/grants/{uuid4()}", None),
        ("POST", f"/accounts/{uuid4()}/disable", None),
    ]:
        problem(await browser(method, path, body), 404, "not-found")
    assert [item["login"] for item in (await browser("GET", "/accounts")).json()["items"]] == ["the.admin"]


async def test_who_is_more_elsewhere_keeps_that(api: Callers, conn: Connection) -> None:
    browser = await admin(api, conn, SCHOOL)
    id = await account(conn, "the.leader", (Role.LEADER, CITY), (Role.HANDLER, SCHOOL))
    problem(await browser("POST", f"/accounts/{id}/disable"), 403, "forbidden")
    account_ = await accounts.found(conn, id)
    assert account_
    above = next(grant for grant in account_.live if grant.role is Role.LEADER)
    await accounts.disable(conn, id, "test", datetime.now(UTC))
    await conn.commit()
    problem(await browser("POST", f"/accounts/{id}/enable", {}), 403, "forbidden")
    problem(await browser("DELETE", f"/accounts/{id}/grants/{above.id}"), 404, "not-found")
    shown = next(i for i in (await browser("GET", "/accounts")).json()["items"] if i["login"] == "the.leader")
    assert [grant["role"] for grant in shown["grants"]] == ["handler"]


async def test_disabling_ends_sessions_and_grants_no_more(api: Callers, conn: Connection) -> None:
    browser = await admin(api, conn, SCHOOL)
    id = await account(conn, "li.si", (Role.HANDLER, SCHOOL))
    person = await signed_in(api, "li.si")
    assert (await browser("POST", f"/accounts/{id}/disable")).status_code == 204
    problem(await person("GET", "/me"), 401, "unauthenticated")
    answer = await browser("POST", f"/accounts/{id}/grants", {"role": "assessor", "unit": SCHOOL})
    problem(answer, 409, "not-allowed")


async def test_a_closed_account_is_opened_with_a_new_password_and_nothing_of_before(
    api: Callers, conn: Connection
) -> None:
    browser = await admin(api, conn, SCHOOL)
    id = await account(conn, "li.si", (Role.SUPERVISOR, SCHOOL))
    totp = await with_factor(conn, id)
    person = await signed_in(api, "li.si", totp.now())
    problem(await browser("POST", f"/accounts/{id}/enable", {}), 409, "not-allowed")
    assert (await browser("POST", f"/accounts/{id}/disable")).status_code == 204
    problem(await browser("POST", f"/accounts/{id}/enable", {"password": "short"}), 422, "bad-field")
    answer = await browser("POST", f"/accounts/{id}/enable", {})
    assert (answer.status_code, answer.json()["login"]) == (200, "li.si")
    problem(await person("GET", "/me"), 401, "unauthenticated")
    problem(await Browser(api).sign_in("li.si", next_code(totp)), 401, "unauthenticated")
    new = answer.json()["password"]
    assert problem(await Browser(api).sign_in("li.si", password=new), 401, "unauthenticated")["need"] == "code"
    assert (await Browser(api).sign_in("li.si", next_code(totp), new)).status_code == 204
    rows = (await browser("GET", f"/accounts/{id}/acts")).json()["items"]
    own = next(i["id"] for i in (await browser("GET", "/accounts")).json()["items"] if i["login"] == "the.admin")
    assert [(row["act"], row["by"]) for row in rows] == [(act, f"account:{own}") for act in ("enable", "disable")]


async def test_opening_can_reset_the_second_factor_too(api: Callers, conn: Connection) -> None:
    browser = await admin(api, conn, SCHOOL)
    id = await account(conn, "li.si", (Role.SUPERVISOR, SCHOOL))
    await with_factor(conn, id)
    assert (await browser("POST", f"/accounts/{id}/disable")).status_code == 204
    given = "穿过操场的第二盏路灯-4"
    answer = await browser("POST", f"/accounts/{id}/enable", {"password": given, "reset_second_factor": True})
    assert answer.json() == {"login": "li.si"}
    person = Browser(api)
    assert (await person.sign_in("li.si", password=given)).status_code == 204
    assert problem(await person("GET", "/me"), 403, "forbidden")["need"] == "second-factor"


async def test_nobody_changes_themselves(api: Callers, conn: Connection) -> None:
    browser = await admin(api, conn, CITY)
    own = (await browser("GET", "/accounts")).json()["items"][0]
    answer = await browser("POST", f"/accounts/{own['id']}/grants", {"role": "supervisor", "unit": SCHOOL})
    problem(answer, 403, "forbidden")
    problem(await browser("POST", f"/accounts/{own['id']}/disable"), 403, "forbidden")
    problem(await browser("POST", f"/accounts/{own['id']}/link-code"), 403, "forbidden")
    problem(await browser("POST", f"/accounts/{own['id']}/enable", {}), 403, "forbidden")


@pytest.mark.parametrize("role", [role for role in Role if role not in (Role.ADMIN, Role.SYSTEM)])
async def test_only_administrators(api: Callers, conn: Connection, role: Role) -> None:
    headers = await api.headers(role, CITY)
    problem(await Browser(api)("GET", "/accounts", **headers), 403, "forbidden")
    problem(await Browser(api)("POST", "/accounts", wanted(("admin", CITY)), **headers), 403, "forbidden")


async def test_an_administrator_s_key_will_do(api: Callers, conn: Connection) -> None:
    headers = await api.headers(Role.ADMIN, SCHOOL)
    answer = await Browser(api)("POST", "/accounts", wanted(("handler", SCHOOL)), **headers)
    assert answer.status_code == 201


async def test_accounts_by_pages(api: Callers, conn: Connection) -> None:
    browser = await admin(api, conn, SCHOOL)
    for n in range(5):
        await account(conn, f"person-{n}", (Role.HANDLER, SCHOOL))
    seen, cursor = [], None
    while True:
        path = "/accounts?limit=2" + (f"&cursor={cursor}" if cursor else "")
        body = (await browser("GET", path)).json()
        seen += [item["login"] for item in body["items"]]
        cursor = body["next"]
        if cursor is None:
            break
    assert seen == [f"person-{n}" for n in range(5)] + ["the.admin"]


@pytest.mark.parametrize(
    "change",
    [
        {"login": "a b"},
        {"login": "x" * 65},
        {"name": ""},
        {"grants": []},
        {"grants": [{"role": "wall", "unit": SCHOOL}]},
        {"grants": [{"role": "system", "unit": SCHOOL}]},
        {"password": "qwertyuiop123"},
        {"password": "new.one-2026-x"},
        {"more": 1},
    ],
)
async def test_an_account_that_makes_no_sense(api: Callers, conn: Connection, change: dict[str, Any]) -> None:
    headers = await api.headers(Role.ADMIN, SCHOOL)
    answer = await Browser(api)("POST", "/accounts", wanted(("handler", SCHOOL)) | change, **headers)
    problem(answer, 422, "bad-field")
    assert "qwertyuiop123" not in answer.text
    assert await accounts.listed(conn) == []


async def test_another_site_s_page_administers_nothing(api: Callers, conn: Connection) -> None:
    browser = await admin(api, conn, SCHOOL)
    answer = await browser("POST", "/accounts", wanted(("handler", SCHOOL)), Origin="https://evil.example")
    problem(answer, 403, "forbidden")
    assert await accounts.by_login(conn, "new.one") is None
