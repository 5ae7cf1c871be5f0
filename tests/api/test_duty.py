"""Duty over HTTP: who may see it, who may set it, and what a hand-over tells."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from models.levels import Level
from models.roles import Role
from store import units
from store.db import Connection
from tests import factories
from tests.api.test_accounts import admin
from tests.api.test_reports import problem
from tests.api.test_sessions import Browser, account, signed_in
from tests.conftest import Callers
from tests.factories import CITY, DISTRICT, NOW, SCHOOL, SIBLING, UNIVERSITY
from tests.store.test_landing import opened

pytestmark = pytest.mark.runtime

ROSTER = f"/duty/rosters/{SCHOOL}/assessor"


def wanted(*people: UUID, **more: Any) -> dict[str, Any]:
    return {"first_day": "2026-05-01", "turn": "day", "people": [str(one) for one in people]} | more


async def assessors(conn: Connection, *logins: str) -> list[UUID]:
    return [await account(conn, login, (Role.ASSESSOR, SCHOOL)) for login in logins]


async def test_a_roster_is_set_seen_planned_and_ended(api: Callers, conn: Connection) -> None:
    one, two = await assessors(conn, "a.one", "a.two")
    browser = await admin(api, conn, DISTRICT)
    assert (await browser("PUT", ROSTER, wanted(one, two))).status_code == 200
    links = (await browser("GET", f"/duty?unit={SCHOOL}")).json()["items"]
    assert [link["unit"] for link in links] == [SCHOOL, DISTRICT, CITY]
    there = links[0]["roles"][0]
    assert (there["role"], there["roster"], len(there["people"])) == ("assessor", True, 1)
    plan = (await browser("GET", f"/duty/plan?unit={SCHOOL}&role=assessor&days=4")).json()["items"]
    named = {watch["on_duty"]["id"] for watch in plan}
    assert named == {str(one), str(two)}
    assert (await browser("GET", "/duty/gaps")).json()["items"] == []
    assert (await browser("DELETE", ROSTER)).status_code == 204
    problem(await browser("DELETE", ROSTER), 404, "not-found")


@pytest.mark.parametrize("unit", [CITY, SIBLING, UNIVERSITY, "no-such-unit"])
async def test_nobody_sets_a_roster_outside_their_subtree(api: Callers, conn: Connection, unit: str) -> None:
    (one,) = await assessors(conn, "a.one")
    browser = await admin(api, conn, SCHOOL)
    problem(await browser("PUT", f"/duty/rosters/{unit}/assessor", wanted(one)), 404, "not-found")
    problem(await browser("DELETE", f"/duty/rosters/{unit}/assessor"), 404, "not-found")
    problem(await browser("GET", f"/duty?unit={unit}"), 404, "not-found")


async def test_an_assessor_sets_no_roster_and_is_told_who_could(api: Callers, conn: Connection) -> None:
    (one,) = await assessors(conn, "a.one")
    browser = await signed_in(api, "a.one")
    said = problem(await browser("PUT", ROSTER, wanted(one)), 403, "forbidden")
    assert set(said["who"]) == {"leader", "admin"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"people": []}, "people"),
        ({"people": [str(uuid4())]}, "people"),
        ({"holidays": "own"}, "holiday_people"),
        ({"turn": "month"}, "turn"),
        ({"handover": "25:00"}, "handover"),
    ],
)
async def test_a_bad_roster_is_refused_by_its_field(
    api: Callers, conn: Connection, change: dict[str, Any], field: str
) -> None:
    (one,) = await assessors(conn, "a.one")
    browser = await admin(api, conn, DISTRICT)
    said = problem(await browser("PUT", ROSTER, wanted(one) | change), 422, "bad-field")
    assert said["errors"][0]["field"].startswith(field)


async def test_who_is_away_says_so_and_the_gap_shows(api: Callers, conn: Connection) -> None:
    one, two = await assessors(conn, "a.one", "a.two")
    boss = await admin(api, conn, DISTRICT)
    await boss("PUT", ROSTER, wanted(one))
    browser = await signed_in(api, "a.one")
    start, end = datetime.now(UTC) - timedelta(hours=1), datetime.now(UTC) + timedelta(days=2)
    span = {"starts_at": start.isoformat(), "ends_at": end.isoformat()}
    id = (await browser("POST", "/duty/absences", span)).json()["id"]
    gaps = (await boss("GET", "/duty/gaps")).json()["items"]
    assert [(gap["unit"], gap["role"]) for gap in gaps] == [(SCHOOL, "assessor")]
    assert gaps[0]["hours"] == pytest.approx(48, abs=0.2)
    assert (await browser("GET", "/duty/absences")).json()["items"][0]["id"] == id
    assert (await browser("DELETE", f"/duty/absences/{id}")).status_code == 204
    assert (await browser("POST", "/duty/absences", span | {"deputy": str(two)})).status_code == 201
    people = (await boss("GET", f"/duty?unit={SCHOOL}")).json()["items"][0]["roles"][0]["people"]
    assert [(p["id"], p["instead_of"]) for p in people] == [(str(two), str(one))]


async def test_an_absence_is_ones_own_and_makes_sense(api: Callers, conn: Connection) -> None:
    one, _ = await assessors(conn, "a.one", "a.two")
    browser, other = await signed_in(api, "a.one"), await signed_in(api, "a.two")
    now = datetime.now(UTC)
    span = {"starts_at": now.isoformat(), "ends_at": (now + timedelta(days=1)).isoformat()}
    id = (await browser("POST", "/duty/absences", span)).json()["id"]
    problem(await other("DELETE", f"/duty/absences/{id}"), 404, "not-found")
    for bad, field in (
        ({"ends_at": (now - timedelta(days=1)).isoformat()}, "ends_at"),
        ({"deputy": str(one)}, "deputy"),
        ({"deputy": str(uuid4())}, "deputy"),
        ({"starts_at": "2026-05-01T08:00:00"}, "starts_at"),
    ):
        said = problem(await browser("POST", "/duty/absences", span | bad), 422, "bad-field")
        assert said["errors"][0]["field"].startswith(field)


async def test_a_watch_is_handed_over_to_the_next_on_the_roster(api: Callers, conn: Connection) -> None:
    one, two = await assessors(conn, "a.one", "a.two")
    boss = await admin(api, conn, DISTRICT)
    await boss("PUT", ROSTER, wanted(one, two))
    hazard = await opened(conn, Level.YELLOW)
    await conn.commit()
    giver, taker = await signed_in(api, "a.one"), await signed_in(api, "a.two")
    said = {"unit": SCHOOL, "role": "assessor", "note": "二层出口的钥匙在门卫"}
    answer = (await giver("POST", "/duty/handovers", said)).json()
    assert answer["to"] == str(two)
    problem(await giver("POST", f"/duty/handovers/{answer['id']}/take"), 404, "not-found")
    assert (await taker("POST", f"/duty/handovers/{answer['id']}/take")).status_code == 204
    items = (await taker("GET", f"/duty/handovers?unit={SCHOOL}")).json()["items"]
    assert (items[0]["hazards"], items[0]["taken_by"]) == ([str(hazard.id)], str(two))
    problem(await boss("GET", f"/duty/handovers?unit={SCHOOL}"), 404, "not-found")
    problem(await giver("POST", "/duty/handovers", said | {"role": "handler"}), 403, "forbidden")


async def test_a_key_is_nobody_on_a_roster(api: Callers) -> None:
    headers = await api.headers(Role.ASSESSOR, SCHOOL)
    problem(await api.anonymous.get("/api/v1/duty/absences", headers=headers), 403, "forbidden")


async def left(browser: Browser) -> dict[str, Any]:
    said: dict[str, Any] = (await browser("GET", "/chains/left")).json()
    return said


async def test_old_chains_are_shown_within_the_subtree_alone(api: Callers, conn: Connection) -> None:
    hazard = await opened(conn, Level.YELLOW)
    before = await units.tree(conn)
    moved = [factories.unit(u.code, CITY if u.code == SCHOOL else u.parent, tier=u.tier, name=u.name) for u in before]
    await units.load(conn, CITY, "试验市", {}, type(before)(moved), NOW)
    await conn.commit()
    city = await admin(api, conn, CITY)
    assert [(one["unit"], one["hazards"]) for one in (await left(city))["items"]] == [(SCHOOL, [str(hazard.id)])]
    await account(conn, "u.one", (Role.ASSESSOR, UNIVERSITY))
    assert (await left(await signed_in(api, "u.one")))["items"] == []
