"""The door for one report: what it takes, what it refuses and how it says so, and what became of it."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from models.levels import Level
from models.roles import Role
from store.db import Connection
from tests import factories
from tests.conftest import Callers
from tests.factories import CITY, COLLEGE, DISTRICT, SCHOOL, SIBLING
from tests.store.test_landing import accepted, count, land, opened, query

pytestmark = pytest.mark.runtime

REPORTS = "/api/v1/reports"
JSON = {"Content-Type": "application/json"}
SECRET = "几名学生长期欺负同班同学"


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The body of a problem, checked for what every problem has."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail", "instance"} <= body.keys()
    assert (body["type"], body["status"]) == (f"urn:campus-risk:problem:{code}", status)
    assert body["instance"] == answer.request.url.path
    assert body["title"]
    assert body["detail"]
    return body


def fields(body: dict[str, Any]) -> dict[str, str]:
    """Which fields are wrong, and why."""
    return {error["field"]: error["code"] for error in body["errors"]}


async def post(api: Callers, headers: dict[str, str], **given: Any) -> httpx.Response:
    return await api.anonymous.post(REPORTS, json=factories.record(**given), headers=headers)


@pytest.mark.parametrize(
    "role",
    [Role.INFORMANT, Role.ASSESSOR, Role.HANDLER, Role.SUPERVISOR, Role.LEADER, Role.ADMIN, Role.MACHINE],
)
async def test_a_report_is_in_the_database_before_the_answer(api: Callers, conn: Connection, role: Role) -> None:
    headers = await api.headers(role, SCHOOL)
    answer = await post(api, headers, reporter={"name": "张三", "mobile": "13800001234"})
    assert answer.status_code == 202
    id = answer.json()["id"]
    assert answer.json() == {"id": id, "status": "accepted"}
    assert answer.headers["location"] == f"{REPORTS}/{id}"
    rows = await query(conn, "SELECT reporter FROM reports WHERE id = %s", id)
    assert rows[0]["reporter"]["name"] == "张三"
    assert rows[0]["reporter"]["id"].startswith("key:")
    assert await query(conn, "SELECT payload->>'id' AS id FROM outbox") == [{"id": id}]
    assert "张三" not in str(await query(conn, "SELECT payload FROM outbox"))


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic eDp5"}])
async def test_without_a_valid_key_nobody_reports(api: Callers, headers: dict[str, str]) -> None:
    answer = await post(api, headers)
    problem(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("role", [Role.WALL, Role.AUDITOR])
async def test_who_only_looks_does_not_report(api: Callers, role: Role) -> None:
    body = problem(await post(api, await api.headers(role, SCHOOL)), 403, "forbidden")
    assert "informant" in body["who"]


@pytest.mark.parametrize(
    ("own", "unit", "status"),
    [
        (SCHOOL, SIBLING, 403),
        (SCHOOL, DISTRICT, 403),
        (SCHOOL, CITY, 403),
        ("330206", SCHOOL, 403),
        (COLLEGE, SCHOOL, 403),
        (DISTRICT, SCHOOL, 202),
        (CITY, COLLEGE, 202),
    ],
)
async def test_a_role_holds_in_its_unit_and_below(api: Callers, own: str, unit: str, status: int) -> None:
    answer = await post(api, await api.headers(Role.INFORMANT, own), unit=unit)
    assert answer.status_code == status
    if status == 403:
        problem(answer, 403, "forbidden")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{not json", "json"),
        (b"", "json"),
        (b"[1]", "json"),
        (b'"text"', "json"),
        (b"null", "json"),
        (b'{"unit": NaN}', "json"),
        (b"[" * 100_000, "json"),
        (b'{"text": "\\ud800"}', "json"),
        (b"\xff\xfe\x00\x01", "encoding"),
        ('{"source": "officer", "unit": "330203-001", "text": "安全出口被锁"}'.encode("gb18030"), "encoding"),
        ('{"source": "officer", "unit": "330203-001", "text": "安全出口被锁"}'.encode("utf-16"), "encoding"),
    ],
)
async def test_what_cannot_be_read_is_400(api: Callers, body: bytes, code: str) -> None:
    headers = await api.headers(Role.INFORMANT, SCHOOL)
    answer = await api.anonymous.post(REPORTS, content=body, headers=headers | JSON)
    assert fields(problem(answer, 400, "bad-json")) == {"": code}


async def test_a_byte_order_mark_does_no_harm(api: Callers) -> None:
    body = b"\xef\xbb\xbf" + f'{{"source": "officer", "unit": "{SCHOOL}", "text": "出口被锁"}}'.encode()
    headers = await api.headers(Role.INFORMANT, SCHOOL)
    assert (await api.anonymous.post(REPORTS, content=body, headers=headers | JSON)).status_code == 202


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"text": None}, {"text": "string_type"}),
        ({"text": "  "}, {"text": "string_too_short"}),
        ({"text": "a\x00b"}, {"text": "nul"}),
        ({"text": "字" * 350_000}, {"text": "string_too_long"}),
        ({"unit": "nowhere"}, {"unit": "unknown_unit"}),
        ({"unit": "a b"}, {"unit": "string_pattern_mismatch"}),
        ({"unit": 5}, {"unit": "string_type"}),
        ({"tetx": "x"}, {"tetx": "extra_forbidden"}),
        ({"reporter": {"phone": "1"}}, {"reporter.phone": "extra_forbidden"}),
        ({"id": "not-a-uuid"}, {"id": "uuid_parsing"}),
        ({"occurred_at": "1970-01-01T00:00:00Z"}, {"occurred_at": "too_old"}),
        ({"occurred_at": "2100-01-01T00:00:00Z"}, {"occurred_at": "in_future"}),
        ({"occurred_at": "0001-01-01T00:00:00+23:59"}, {"occurred_at": "too_old"}),
        ({"reported_at": "9999-12-31T23:59:59-23:59"}, {"reported_at": "in_future"}),
        ({"reported_at": "2026-05-12T08:00:00"}, {"reported_at": "timezone_aware"}),
        ({"location": {"lon": 2.35, "lat": 48.85}}, {"location": "outside_city"}),
        ({"location": {"lon": 29.87, "lat": 121.55}}, {"location.lat": "less_than_equal"}),
        ({"location": {"lon": 121.55}}, {"location.lat": "missing"}),
        ({"location": {"lon": 121.55, "lat": 29.87, "crs": "BD-09"}}, {"location.crs": "enum"}),
        ({"schema": 2}, {"schema": "future_version"}),
        ({"schema": 0}, {"schema": "greater_than_equal"}),
        ({"category": "9999"}, {"category": "value_error"}),
        ({"level": "purple"}, {"level": "enum"}),
        ({"people_affected": -1}, {"people_affected": "greater_than_equal"}),
        (
            {"unit": "nowhere", "occurred_at": "1970-01-01T00:00:00Z"},
            {"unit": "unknown_unit", "occurred_at": "too_old"},
        ),
    ],
    ids=lambda value: str(value)[:60],
)
async def test_a_wrong_field_is_named(
    api: Callers, conn: Connection, given: dict[str, Any], wrong: dict[str, str]
) -> None:
    answer = await post(api, await api.headers(Role.INFORMANT, SCHOOL), **given)
    body = problem(answer, 422, "bad-field")
    assert fields(body) == wrong
    assert all(name in body["detail"] for name in wrong)
    assert len(answer.content) < 4000, "an answer does not repeat what was sent"
    assert await count(conn, "intake") == 0


@pytest.mark.parametrize("name", ["source", "unit", "text"])
async def test_a_missing_field_is_named(api: Callers, name: str) -> None:
    body = {key: value for key, value in factories.record().items() if key != name}
    answer = await api.anonymous.post(REPORTS, json=body, headers=await api.headers(Role.INFORMANT, SCHOOL))
    assert fields(problem(answer, 422, "bad-field")) == {name: "missing"}


@pytest.mark.parametrize(
    "given",
    [
        {"source_id": "a\x00b"},
        {"reporter": {"name": "a\x00b"}},
        {"attachments": [{"name": "a\x00.jpg"}]},
        {"attachments": [{"name": "a.jpg", "url": "https://files.test/\x00"}]},
    ],
    ids=["source_id", "reporter", "attachment", "url"],
)
async def test_what_the_database_cannot_hold_is_refused_and_no_fault(api: Callers, given: dict[str, Any]) -> None:
    """PostgreSQL stores no NUL in any text, inside JSON neither."""
    answer = await post(api, await api.headers(Role.INFORMANT, SCHOOL), **given)
    problem(answer, 422, "bad-field")


async def test_a_body_over_the_limit_is_413(api: Callers) -> None:
    headers = await api.headers(Role.INFORMANT, SCHOOL)
    answer = await post(api, headers, text="x" * (5 * 1024 * 1024))
    problem(answer, 413, "too-large")


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "application/xml"])
async def test_another_content_type_is_415(api: Callers, kind: str) -> None:
    headers = await api.headers(Role.INFORMANT, SCHOOL)
    answer = await api.anonymous.post(REPORTS, content=b"{}", headers=headers | {"Content-Type": kind})
    problem(answer, 415, "media-type")


async def test_a_content_type_may_name_its_charset(api: Callers) -> None:
    headers = await api.headers(Role.INFORMANT, SCHOOL, **{"Content-Type": "Application/JSON; charset=utf-8"})
    body = f'{{"source": "officer", "unit": "{SCHOOL}", "text": "x"}}'
    assert (await api.anonymous.post(REPORTS, content=body, headers=headers)).status_code == 202


@pytest.mark.parametrize("by", ["id", "source_id", "Idempotency-Key"])
async def test_sent_again_it_is_the_same_report_and_another_body_is_409(
    api: Callers, conn: Connection, by: str
) -> None:
    headers = await api.headers(Role.INFORMANT, SCHOOL)
    given: dict[str, Any] = {"id": {"id": str(factories.new_id())}, "source_id": {"source_id": "S-1"}}.get(by, {})
    if by == "Idempotency-Key":
        headers |= {by: "k-1"}
    first = await post(api, headers, **given)
    assert "idempotent-replayed" not in first.headers
    again = await post(api, headers, **given)
    assert (again.status_code, again.json()) == (202, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["location"] == first.headers["location"]
    other = problem(await post(api, headers, **given, text="另一件事"), 409, "conflict")
    assert fields(other) == {by: "conflict"}
    assert other["id"] == first.json()["id"]
    assert await query(conn, "SELECT text FROM reports") == [{"text": factories.record()["text"]}]
    assert await count(conn, "outbox") == 1


async def test_one_key_sent_many_times_at_once_is_one_report(api: Callers, conn: Connection) -> None:
    headers = await api.headers(Role.INFORMANT, SCHOOL, **{"Idempotency-Key": "k"})
    answers = await asyncio.gather(*(post(api, headers) for _ in range(12)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert await count(conn, "reports") == 1


async def test_many_unknown_units_at_once_are_refused_and_nobody_is_told_to_wait(api: Callers) -> None:
    headers = await api.headers(Role.INFORMANT, SCHOOL)
    answers = await asyncio.gather(*(post(api, headers, unit="nowhere") for _ in range(16)))
    assert {answer.status_code for answer in answers} == {422}


async def test_a_new_unit_is_known_at_once(api: Callers, conn: Connection) -> None:
    headers = await api.headers(Role.INFORMANT, DISTRICT)
    assert (await post(api, headers, unit="330203-900")).status_code == 422
    await conn.execute(
        "INSERT INTO units (code, name, kind, tier, parent, path) "
        "VALUES ('330203-900', '新校', 'school', 'school', '330203', '/330200/330203/330203-900/')"
    )
    await conn.commit()
    assert (await post(api, headers, unit="330203-900")).status_code == 202


async def became(api: Callers, id: Any, role: Role, unit: str) -> httpx.Response:
    return await api.anonymous.get(f"{REPORTS}/{id}", headers=await api.headers(role, unit))


async def test_what_became_of_a_report(api: Callers, conn: Connection) -> None:
    report = await accepted(conn, datetime.now(UTC), place="三号楼")
    await conn.commit()
    waiting = (await became(api, report.id, Role.INFORMANT, SCHOOL)).json()
    assert (waiting["status"], waiting["landed_at"], waiting["text"]) == ("accepted", None, report.text)
    assert "hazard" not in waiting
    await land(conn, report, level=Level.ORANGE)
    await conn.commit()
    landed = (await became(api, report.id, Role.INFORMANT, CITY)).json()
    assert landed["status"] == "opened"
    hazard = (await query(conn, "SELECT id FROM hazards"))[0]["id"]
    assert landed["hazard"] == {
        "id": str(hazard),
        "category": "01",
        "subcategory": "0101",
        "label": "疏散通道与安全出口",
        "level": "orange",
        "state": "reported",
        "tier": "school",
    }


@pytest.mark.parametrize(("role", "unit"), [(Role.ASSESSOR, SIBLING), (Role.LEADER, "330206"), (Role.ADMIN, COLLEGE)])
async def test_a_report_elsewhere_is_not_found(api: Callers, conn: Connection, role: Role, unit: str) -> None:
    report = await accepted(conn)
    await conn.commit()
    problem(await became(api, report.id, role, unit), 404, "not-found")


async def test_no_report_and_no_uuid(api: Callers) -> None:
    problem(await became(api, factories.new_id(), Role.ADMIN, CITY), 404, "not-found")
    problem(await became(api, "7", Role.ADMIN, CITY), 422, "bad-field")


ELSEWHERE = [
    (Role.ASSESSOR, DISTRICT),
    (Role.SUPERVISOR, CITY),
    (Role.ADMIN, CITY),
    (Role.AUDITOR, CITY),
    (Role.INFORMANT, SCHOOL),
    (Role.MACHINE, SCHOOL),
    (Role.WALL, CITY),
]


@pytest.mark.parametrize(("role", "unit"), ELSEWHERE)
async def test_of_a_confidential_report_nobody_else_knows_that_it_is_there(
    api: Callers, conn: Connection, role: Role, unit: str
) -> None:
    await opened(conn, Level.RED, "1001", text=SECRET, place="初二3班")
    await conn.commit()
    report = (await query(conn, "SELECT id FROM intake"))[0]["id"]
    problem(await became(api, report, role, unit), 404, "not-found")
    assert SECRET in (await became(api, report, Role.ASSESSOR, SCHOOL)).text


async def test_who_sent_a_confidential_report_is_told_its_status_and_no_word(api: Callers, conn: Connection) -> None:
    headers = await api.headers(Role.INFORMANT, SCHOOL)
    id = (await post(api, headers, text=SECRET, category="1001")).json()["id"]
    await land(conn, factories.report(id=id, text=SECRET, category="1001"), subcategory="1001", level=Level.RED)
    await conn.commit()
    answer = await api.anonymous.get(f"{REPORTS}/{id}", headers=headers)
    assert answer.json()["status"] == "opened"
    assert "hazard" not in answer.json()
    assert SECRET not in answer.text


@pytest.mark.parametrize("drill", [False, True], ids=["not landed yet", "quiet"])
@pytest.mark.parametrize(("role", "unit"), [(Role.ASSESSOR, DISTRICT), (Role.ADMIN, CITY), (Role.WALL, CITY)])
async def test_a_report_filed_as_confidential_is_so_from_the_door(
    api: Callers, conn: Connection, role: Role, unit: str, drill: bool
) -> None:
    """There is no hazard yet (or never), and the officer has named the lane."""
    report = await accepted(conn, category="1001", text=SECRET, drill=drill)
    if drill:
        await land(conn, report)
    await conn.commit()
    assert SECRET not in (await became(api, report.id, role, unit)).text


async def test_a_wall_reads_no_text(api: Callers, conn: Connection) -> None:
    """Nothing that somebody wrote goes onto walls."""
    report = await accepted(conn, text="保安老王说出口被锁")
    await conn.commit()
    assert "老王" not in (await became(api, report.id, Role.WALL, CITY)).text
