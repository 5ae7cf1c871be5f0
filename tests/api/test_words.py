"""Who one is, sessions, units, taxonomy, and the judgement while somebody still types."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.access import COOKIE
from models.roles import Role
from store import keys
from store.db import Connection
from tests.api.test_reports import fields, problem
from tests.conftest import Callers
from tests.factories import CITY, COLLEGE, DISTRICT, SCHOOL, UNIVERSITY
from tests.store.test_landing import count, query

pytestmark = pytest.mark.runtime

V1 = "/api/v1"
SESSION = f"{V1}/session"


async def signed_in(api: Callers, role: Role = Role.SUPERVISOR, unit: str = SCHOOL) -> str:
    """Sign the client in; its key."""
    key = await api.key(role, unit)
    assert (await api.anonymous.post(SESSION, json={"key": key})).status_code == 204
    return key


async def test_a_key_becomes_a_cookie_that_no_script_reads(api: Callers, conn: Connection) -> None:
    key = await api.key(Role.WALL, CITY)
    answer = await api.anonymous.post(SESSION, json={"key": key})
    assert (answer.status_code, answer.content) == (204, b"")
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith(COOKIE)
    assert {"httponly", "samesite=strict", "path=/", "max-age=43200"} <= {part.strip() for part in cookie.split(";")}
    assert key not in cookie
    assert (await api.anonymous.get(f"{V1}/cockpit")).status_code == 200
    token = answer.cookies[COOKIE].encode()
    assert token not in bytes((await query(conn, "SELECT hash FROM sessions"))[0]["hash"])


async def test_over_https_the_cookie_is_secure(api: Callers) -> None:
    key = await api.key(Role.WALL, CITY)
    answer = await api.anonymous.post(f"https://test{SESSION}", json={"key": key})
    assert "; secure" in answer.headers["set-cookie"].lower()


async def test_me(api: Callers) -> None:
    await signed_in(api)
    body = (await api.anonymous.get(f"{V1}/me")).json()
    assert (body["role"], body["role_label"], body["demo"]) == ("supervisor", "督导员", False)
    assert (body["unit"]["code"], body["unit"]["tier"]) == (SCHOOL, "school")
    assert body["name"] == "test supervisor"


async def test_without_a_session_nobody_is_anybody(api: Callers) -> None:
    problem(await api.anonymous.get(f"{V1}/me"), 401, "unauthenticated")
    api.anonymous.cookies.set(COOKIE, "forged")
    problem(await api.anonymous.get(f"{V1}/me"), 401, "unauthenticated")


async def test_a_wrong_key_begins_no_session(api: Callers, conn: Connection) -> None:
    answer = await api.anonymous.post(SESSION, json={"key": "cr_" + "x" * 40})
    problem(answer, 401, "unauthenticated")
    assert "set-cookie" not in answer.headers
    assert await count(conn, "sessions") == 0


@pytest.mark.parametrize("body", [{}, {"key": "short"}, {"key": "x" * 201}, {"key": 5}, {"key": "x" * 20, "b": 1}])
async def test_a_session_request_that_makes_no_sense(api: Callers, body: dict[str, Any]) -> None:
    answer = await api.anonymous.post(SESSION, json=body)
    problem(answer, 422, "bad-field")
    assert "x" * 20 not in answer.text, "what might be a key is not repeated"


async def test_a_revoked_key_ends_its_sessions_and_itself(api: Callers, conn: Connection) -> None:
    key = await signed_in(api)
    id = (await query(conn, "SELECT id FROM keys"))[0]["id"]
    assert await keys.revoke(conn, id, datetime.now(UTC))
    assert not await keys.revoke(conn, id, datetime.now(UTC))
    await conn.commit()
    problem(await api.anonymous.get(f"{V1}/me"), 401, "unauthenticated")
    api.anonymous.cookies.clear()
    bearer = {"Authorization": f"Bearer {key}"}
    problem(await api.anonymous.get(f"{V1}/me", headers=bearer), 401, "unauthenticated")
    problem(await api.anonymous.post(SESSION, json={"key": key}), 401, "unauthenticated")


async def test_signing_out_ends_the_session_on_the_server_too(api: Callers, conn: Connection) -> None:
    await signed_in(api)
    kept = api.anonymous.cookies[COOKIE]
    answer = await api.anonymous.delete(SESSION)
    assert answer.status_code == 204
    assert COOKIE not in api.anonymous.cookies
    api.anonymous.cookies.set(COOKIE, kept)
    problem(await api.anonymous.get(f"{V1}/me"), 401, "unauthenticated")
    assert await count(conn, "sessions") == 0
    assert (await api.anonymous.delete(SESSION)).status_code == 204


async def test_a_session_ends_after_its_time(api: Callers, conn: Connection) -> None:
    await signed_in(api)
    await conn.execute("UPDATE sessions SET expires_at = %s", (datetime.now(UTC) - timedelta(seconds=1),))
    await conn.commit()
    problem(await api.anonymous.get(f"{V1}/me"), 401, "unauthenticated")


async def test_a_wrong_key_is_wrong_beside_a_good_session_too(api: Callers) -> None:
    await signed_in(api)
    problem(await api.anonymous.get(f"{V1}/me", headers={"Authorization": "Bearer wrong"}), 401, "unauthenticated")


async def test_units_by_pages(api: Callers) -> None:
    headers = await api.headers(Role.ADMIN, CITY)
    seen: list[str] = []
    cursor = None
    while True:
        params = {"limit": "100"} | ({"cursor": cursor} if cursor else {})
        body = (await api.anonymous.get(f"{V1}/units", params=params, headers=headers)).json()
        seen += [unit["code"] for unit in body["items"]]
        cursor = body["next"]
        if cursor is None:
            break
        assert len(body["items"]) == 100
    whole = (await api.anonymous.get(f"{V1}/units", params={"limit": "1000"}, headers=headers)).json()
    assert seen == sorted(set(seen)) == [unit["code"] for unit in whole["items"]]
    assert {CITY, DISTRICT, SCHOOL, UNIVERSITY, COLLEGE} <= set(seen)
    assert whole["items"][0].keys() == {"code", "name", "kind", "tier", "parent", "district", "lon", "lat"}


async def test_units_are_those_of_the_subtree(api: Callers) -> None:
    async def codes(unit: str, **params: str) -> list[str]:
        headers = await api.headers(Role.INFORMANT, unit)
        items = (await api.anonymous.get(f"{V1}/units", params=params, headers=headers)).json()["items"]
        return [item["code"] for item in items]

    assert await codes(SCHOOL) == [SCHOOL]
    assert all(code.startswith("330203") for code in await codes(DISTRICT, limit="1000"))
    children = await codes(CITY, parent=UNIVERSITY)
    assert children
    assert all(code.startswith("U01-") for code in children)
    assert await codes(SCHOOL, parent=UNIVERSITY) == []


@pytest.mark.parametrize("params", [{"limit": "0"}, {"limit": "1001"}, {"limit": "x"}, {"cursor": "x" * 65}])
async def test_pages_of_units_that_make_no_sense(api: Callers, params: dict[str, str]) -> None:
    headers = await api.headers(Role.ADMIN, CITY)
    problem(await api.anonymous.get(f"{V1}/units", params=params, headers=headers), 422, "bad-field")


async def test_the_taxonomy_is_open_to_all(api: Callers) -> None:
    items = (await api.anonymous.get(f"{V1}/taxonomy")).json()["items"]
    assert len(items) == 63
    assert {item["category"] for item in items if item["confidential"]} == {"09", "10"}
    assert all(item["code"][:2] == item["category"] and item["name"] for item in items)


async def test_a_text_is_judged_and_nothing_stored(api: Callers, conn: Connection) -> None:
    headers = await api.headers(Role.INFORMANT, SCHOOL)
    text = "有人把电瓶车推进宿舍楼道里充电，飞线拉到二楼"
    body = (await api.anonymous.post(f"{V1}/classify", json={"text": text}, headers=headers)).json()
    assert (body["category"], body["subcategory"], body["level"]) == ("01", "0104", "red")
    assert {"direct", "confidence", "labels", "raises", "reasons", "model"} <= body.keys()
    drill = await api.anonymous.post(f"{V1}/classify", json={"text": "消防疏散演练，一切正常"}, headers=headers)
    assert drill.json()["raises"] is False
    assert await count(conn, "intake") == 0


@pytest.mark.parametrize(
    "body", [b'{"text": ""}', b"{}", b'{"text": "x", "y": 1}', b'{"text": "\\ud800"}', b'{"text": 5}']
)
async def test_what_cannot_be_judged_is_a_problem(api: Callers, body: bytes) -> None:
    headers = await api.headers(Role.INFORMANT, SCHOOL, **{"Content-Type": "application/json"})
    problem(await api.anonymous.post(f"{V1}/classify", content=body, headers=headers), 422, "bad-field")


async def test_a_text_too_long_to_judge_names_its_field(api: Callers) -> None:
    headers = await api.headers(Role.INFORMANT, SCHOOL)
    answer = await api.anonymous.post(f"{V1}/classify", json={"text": "字" * 10_001}, headers=headers)
    assert fields(problem(answer, 422, "bad-field")) == {"text": "string_too_long"}
    assert len(answer.content) < 2000


@pytest.mark.parametrize(("role", "status"), [(None, 401), (Role.WALL, 403), (Role.AUDITOR, 403)])
async def test_who_does_not_report_asks_for_no_judgement(api: Callers, role: Role | None, status: int) -> None:
    headers = await api.headers(role, CITY) if role else {}
    answer = await api.anonymous.post(f"{V1}/classify", json={"text": "灭火器过期"}, headers=headers)
    assert answer.status_code == status
