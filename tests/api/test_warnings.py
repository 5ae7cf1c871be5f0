"""The API of early warning: lists, evidence, acknowledging and closing, and the weather's door."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.levels import Level
from models.roles import Role
from models.warnings.findings import Kind
from store.db import Connection
from tests.conftest import Callers
from tests.factories import CITY, COLLEGE, DISTRICT, SCHOOL, SIBLING
from tests.store.test_landing import opened, query
from tests.store.test_warnings import FOUND, look

pytestmark = pytest.mark.runtime

DAY = timedelta(days=1)


async def warned(conn: Connection, **fields: Any) -> str:
    """A warning's id."""
    await look(conn, replace(FOUND, **fields), at=datetime.now(UTC))
    await conn.commit()
    return str((await query(conn, "SELECT id FROM warnings ORDER BY id DESC LIMIT 1"))[0]["id"])


async def get(api: Callers, path: str, role: Role = Role.LEADER, unit: str = SCHOOL) -> tuple[int, Any]:
    answer = await api.anonymous.get(f"/api/v1/warnings{path}", headers=await api.headers(role, unit))
    return answer.status_code, answer.json()


async def post(
    api: Callers, path: str, body: Any = None, role: Role = Role.LEADER, unit: str = SCHOOL
) -> tuple[int, Any]:
    answer = await api.anonymous.post(f"/api/v1/warnings{path}", json=body, headers=await api.headers(role, unit))
    return answer.status_code, answer.json()


async def test_a_list_and_one_with_its_evidence(api: Callers, conn: Connection) -> None:
    hazard = await opened(conn, at=datetime.now(UTC))
    secret = await opened(conn, at=datetime.now(UTC), subcategory="1001")
    id = await warned(conn, hazards=(hazard.id, secret.id))
    status, page = await get(api, "?state=open&kind=surge&grade=yellow")
    assert status == 200
    assert [one["id"] for one in page["items"]] == [id]
    assert page["items"][0]["label"] == "突增"
    status, whole = await get(api, f"/{id}", unit=DISTRICT)
    assert whole["evidence"] == {"group": "01", "count": 8}
    assert whole["units"] == [{"code": SCHOOL, "name": whole["unit_name"]}]
    # Ids of hazards come by the hazards' own rule.
    assert whole["hazards"] == [str(hazard.id)]
    assert [event["action"] for event in whole["events"]] == ["opened"]
    assert (await get(api, f"?unit={SIBLING}", unit=DISTRICT))[1]["items"] == []
    assert (await get(api, f"?unit={SIBLING}"))[0] == 404
    assert (await get(api, "?cursor=x"))[0] == 422
    assert (await get(api, "", role=Role.WALL))[0] == 403


async def test_a_neighbour_sees_nothing_and_one_concerned_only_itself(api: Callers, conn: Connection) -> None:
    id = await warned(conn)
    assert (await get(api, f"/{id}", unit=SIBLING))[0] == 404
    assert (await get(api, "", unit=SIBLING))[1]["items"] == []
    cluster = await warned(conn, kind=Kind.CLUSTER, key="c", unit=CITY, units=(SCHOOL, COLLEGE))
    status, whole = await get(api, f"/{cluster}")
    assert status == 200
    assert [one["code"] for one in whole["units"]] == [SCHOOL]
    assert whole["units_count"] == 2
    # It is the city's to close.
    status, problem = await post(api, f"/{cluster}/acknowledge")
    assert status == 403
    assert "宁波市或其上级" in problem["detail"]


async def test_acknowledged_is_not_closed_and_closing_needs_a_reason(api: Callers, conn: Connection) -> None:
    id = await warned(conn)
    assert (await post(api, f"/{id}/acknowledge", role=Role.INFORMANT))[0] == 403
    status, whole = await post(api, f"/{id}/acknowledge")
    assert (status, whole["state"], whole["closed_at"]) == (200, "acknowledged", None)
    for body in ({"outcome": "false"}, {"outcome": "false", "reason": "  "}, {"outcome": "gone", "reason": "x"}):
        assert (await post(api, f"/{id}/close", body))[0] == 422
    status, whole = await post(api, f"/{id}/close", {"outcome": "false", "reason": "集中录入，联系 13800001234"})
    assert (status, whole["state"], whole["outcome"]) == (200, "closed", "false")
    assert whole["closing"] == "集中录入，联系 138****1234"
    for path, body in (("close", {"outcome": "handled", "reason": "x"}), ("acknowledge", None)):
        status, problem = await post(api, f"/{id}/{path}", body)
        assert (status, problem["type"]) == (409, "urn:campus-risk:problem:not-allowed")
    status, figures = await get(api, "/figures")
    surge = next(one for one in figures["items"] if one["kind"] == "surge")
    assert (surge["false"], surge["false_rate"], surge["label"]) == (1, 1.0, "突增")
    assert next(one for one in figures["items"] if one["kind"] == "weather")["false_rate"] is None


def storm(**fields: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    given = {"id": "w1", "event": "typhoon", "severity": "Severe", "areas": [DISTRICT]}
    return given | {"onset": now.isoformat(), "expires": (now + DAY).isoformat()} | fields


async def test_the_weather_s_door_takes_a_notice_once(api: Callers, conn: Connection) -> None:
    body = storm()
    for new in (True, False):
        status, answer = await post(api, "/weather", body, Role.MACHINE, CITY)
        assert (status, answer) == (202, {"id": "w1", "new": new, "ended": 0})
    assert (await post(api, "/weather", body | {"severity": "Extreme"}, Role.MACHINE, CITY))[0] == 409
    status, answer = await post(api, "/weather", storm(id="w2", ends=["w1"]), Role.ADMIN, CITY)
    assert answer["ended"] == 1
    status, answer = await post(api, "/weather", storm(id="w3", ends=["w2"], cancel=True), Role.MACHINE, CITY)
    assert (status, answer["ended"]) == (202, 1)
    assert await query(conn, "SELECT 1 FROM weather WHERE ended_at IS NULL") == []


@pytest.mark.parametrize(
    ("fields", "role", "unit", "status"),
    [
        ({}, Role.LEADER, CITY, 403),
        ({}, Role.MACHINE, SCHOOL, 422),
        ({"areas": ["999999"]}, Role.MACHINE, CITY, 422),
        ({"areas": []}, Role.MACHINE, CITY, 422),
        ({"severity": "Unknown"}, Role.MACHINE, CITY, 422),
        ({"event": "meteor"}, Role.MACHINE, CITY, 422),
        ({"expires": "2020-01-01T00:00:00+08:00"}, Role.MACHINE, CITY, 422),
        ({"onset": "2026-05-01T08:00:00"}, Role.MACHINE, CITY, 422),
        ({"id": "a\x00b"}, Role.MACHINE, CITY, 422),
        ({"surprise": 1}, Role.MACHINE, CITY, 422),
    ],
)
async def test_and_refuses_what_is_wrong(
    api: Callers, fields: dict[str, Any], role: Role, unit: str, status: int
) -> None:
    assert (await post(api, "/weather", storm(**fields), role, unit))[0] == status


async def test_nobody_ends_another_district_s_notice(api: Callers) -> None:
    assert (await post(api, "/weather", storm(areas=["330205"]), Role.MACHINE, CITY))[0] == 202
    status, problem = await post(api, "/weather", storm(id="w2", ends=["w1"]), Role.MACHINE, DISTRICT)
    assert status == 422
    assert problem["errors"][0]["field"] == "ends"


async def test_the_wall_gets_open_warnings_gravest_first_and_the_unit_s_forecast(
    api: Callers, conn: Connection
) -> None:
    await warned(conn)
    await warned(conn, key="o", grade=Level.ORANGE)
    for n in range(9):
        await warned(conn, key=f"b{n}", grade=Level.BLUE, unit=SIBLING, units=(SIBLING,))
    await conn.execute(
        "INSERT INTO forecasts (unit, unit_path, at, index, points) VALUES (%s, (SELECT path FROM units WHERE code = %s), now(), 61.25, "
        '\'[{"day": "2026-05-13", "index": 61, "low": 50, "high": 70}]\')',
        (SCHOOL, SCHOOL),
    )
    await conn.commit()
    headers = await api.headers(Role.WALL, DISTRICT)
    whole = (await api.anonymous.get("/api/v1/cockpit", headers=headers)).json()
    assert [one["grade"] for one in whole["warnings"]] == ["orange", "yellow", *["blue"] * 6]
    assert whole["forecast"] is None
    own = (await api.anonymous.get(f"/api/v1/cockpit?unit={SCHOOL}", headers=headers)).json()
    assert [one["grade"] for one in own["warnings"]] == ["orange", "yellow"]
    assert own["forecast"]["index"] == 61.2
    assert own["forecast"]["points"][0]["high"] == 70
