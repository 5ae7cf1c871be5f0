"""The one screen over HTTP: who sees which unit, many walls at once, and no word of a confidential lane."""

import asyncio
from datetime import UTC, datetime

import pytest

from api import cockpit
from models.levels import Level
from models.roles import Role
from store.db import Connection
from tests.api.test_reports import problem
from tests.conftest import Callers
from tests.factories import CITY, COLLEGE, DISTRICT, SCHOOL, SIBLING
from tests.store.test_landing import opened

pytestmark = pytest.mark.runtime

COCKPIT = "/api/v1/cockpit"


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a wall was told a moment ago must not answer for what a test has just changed."""
    monkeypatch.setattr(cockpit, "FRESH", 0.0)


@pytest.mark.parametrize("role", [Role.WALL, Role.SUPERVISOR, Role.AUDITOR, Role.INFORMANT])
async def test_the_caller_s_own_unit_where_none_is_named(api: Callers, conn: Connection, role: Role) -> None:
    await opened(conn, Level.RED, at=datetime.now(UTC))
    await opened(conn, at=datetime.now(UTC), unit=SIBLING)
    await conn.commit()
    body = (await api.anonymous.get(COCKPIT, headers=await api.headers(role, DISTRICT))).json()
    assert (body["unit"]["code"], body["open"]["total"], body["today"]["reports"]) == (DISTRICT, 2, 2)
    assert [tier["label"] for tier in body["tiers"]] == ["学校/学院", "高校", "区县教育局", "市"]
    assert body["recent"][0]["tier_label"] == "学校/学院"
    assert body["recent"][0]["district"] == "330203"


@pytest.mark.parametrize(("own", "asked"), [(CITY, COLLEGE), (DISTRICT, SCHOOL), (SCHOOL, SCHOOL)])
async def test_a_unit_below(api: Callers, own: str, asked: str) -> None:
    answer = await api.anonymous.get(COCKPIT, params={"unit": asked}, headers=await api.headers(Role.WALL, own))
    assert answer.json()["unit"]["code"] == asked


@pytest.mark.parametrize(("own", "asked"), [(SCHOOL, DISTRICT), (SCHOOL, SIBLING), (CITY, "nowhere")])
@pytest.mark.parametrize("path", [COCKPIT, f"{COCKPIT}/stream"])
async def test_no_unit_beside_or_above(api: Callers, path: str, own: str, asked: str) -> None:
    answer = await api.anonymous.get(path, params={"unit": asked}, headers=await api.headers(Role.WALL, own))
    problem(answer, 404, "not-found")


@pytest.mark.parametrize("path", [COCKPIT, f"{COCKPIT}/stream"])
async def test_strangers_see_nothing(api: Callers, path: str) -> None:
    problem(await api.anonymous.get(path), 401, "unauthenticated")


async def test_many_walls_at_once_all_get_their_figures(api: Callers) -> None:
    """More walls than the pool has connections: none may wait for one while it holds another."""
    headers = await api.headers(Role.WALL, CITY)
    answers = await asyncio.gather(*(api.anonymous.get(COCKPIT, headers=headers) for _ in range(24)))
    assert {answer.status_code for answer in answers} == {200}


async def test_walls_that_ask_within_a_moment_share_one_answer(api: Callers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cockpit, "FRESH", 60.0)
    headers = await api.headers(Role.WALL, CITY)
    first, second = [(await api.anonymous.get(COCKPIT, headers=headers)).json() for _ in range(2)]
    assert first == second
    school = await api.headers(Role.WALL, SCHOOL)
    assert (await api.anonymous.get(COCKPIT, headers=school)).json()["unit"]["code"] == SCHOOL


@pytest.mark.parametrize(("role", "unit"), [(Role.WALL, CITY), (Role.LEADER, DISTRICT), (Role.WALL, SCHOOL)])
async def test_confidential_ones_are_counted_apart_and_fewer_than_five_not_at_all(
    api: Callers, conn: Connection, role: Role, unit: str
) -> None:
    secret = await opened(
        conn, Level.RED, "1001", at=datetime.now(UTC), text="几名学生长期欺负同班同学", place="初二3班"
    )
    await conn.commit()
    answer = await api.anonymous.get(COCKPIT, headers=await api.headers(role, unit))
    body = answer.json()
    lanes = {lane["code"]: lane["open"] for lane in body["confidential"]}
    assert lanes == {"09": None, "10": None}
    # In no total either: what is left over after counting the rest would be the count.
    assert (body["open"]["total"], body["open"]["by_level"]["red"], body["today"]["reports"]) == (0, 0, 0)
    assert sum(row["open"] for row in body["categories"] + body["units"] + body["tiers"]) == 0
    assert (body["urgent"], body["climbed"], body["recent"]) == ([], [], [])
    assert [word for word in ("欺负", "初二3班", str(secret.id)) if word in answer.text] == []
    for number in range(4):
        await opened(conn, Level.RED, "1001", at=datetime.now(UTC), text=f"第{number}件欺凌的事", place=f"{number}班")
    await conn.commit()
    body = (await api.anonymous.get(COCKPIT, headers=await api.headers(role, unit))).json()
    assert {lane["code"]: lane["open"] for lane in body["confidential"]} == {"09": None, "10": 5}
