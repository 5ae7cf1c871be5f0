"""Judging over HTTP: scores in an assessment, the scales' words, and similar cases that nobody sees who may not."""

from typing import Any

import pytest

from models.levels import Level
from models.roles import Role
from store import hazards
from store.db import Connection
from tests.api.test_reports import problem
from tests.conftest import Callers
from tests.factories import DISTRICT, SCHOOL, SIBLING, UNIVERSITY
from tests.store.test_hazards import TO_CLOSED, act
from tests.store.test_landing import accepted, land, opened

pytestmark = pytest.mark.runtime

V1 = "/api/v1"
TYPED = "二层东侧安全出口被铁链锁住推不开"


async def assess(api: Callers, conn: Connection, **filed: Any) -> Any:
    hazard = await opened(conn, Level.YELLOW)
    await conn.commit()
    headers = await api.headers(Role.ASSESSOR, SCHOOL, **{"If-Match": f'"{hazard.version}"'})
    body = {"action": "assess"} | filed
    answer = await api.anonymous.post(f"{V1}/hazards/{hazard.id}/actions", json=body, headers=headers)
    return answer, hazard


async def test_a_score_sets_the_level_and_stands_in_the_trail(api: Callers, conn: Connection) -> None:
    parts = {"likelihood": 3, "exposure": 6, "consequence": 15}
    answer, hazard = await assess(api, conn, score={"scale": "lec", "parts": parts})
    assert answer.status_code == 200, answer.text
    assert answer.json()["level"] == "orange"
    assert (await hazards.get(conn, hazard.id)).machine_level is Level.YELLOW, "the machine's word is kept apart"
    headers = await api.headers(Role.AUDITOR, SCHOOL)
    trail = (await api.anonymous.get(f"{V1}/hazards/{hazard.id}/trail", headers=headers)).json()["items"]
    assert trail[-1]["data"]["score"]["product"] == 270
    assert trail[-1]["data"]["score"]["reasons"][0] == "可能性 3：可能，但不经常"


async def test_the_assessors_word_is_last_but_below_the_score_it_needs_a_reason(api: Callers, conn: Connection) -> None:
    score = {"scale": "ls", "parts": {"likelihood": 4, "severity": 4}}
    answer, _ = await assess(api, conn, score=score, level="yellow")
    said = problem(answer, 422, "bad-field")
    assert (said["errors"][0]["field"], "说明理由" in said["detail"]) == ("score", True)
    answer, _ = await assess(api, conn, score=score, level="yellow", reason="现场已断电并派人看守")
    assert answer.json()["level"] == "yellow"
    answer, _ = await assess(api, conn, score=score, level="red")
    assert answer.json()["level"] == "red"


@pytest.mark.parametrize(
    "score",
    [
        {"scale": "ls", "parts": {"likelihood": 9, "severity": 1}},
        {"scale": "ls", "parts": {"likelihood": 3}},
        {"scale": "lec", "parts": {"likelihood": 3, "severity": 3}},
        {"scale": "fmea", "parts": {}},
    ],
)
async def test_what_is_no_score_is_refused(api: Callers, conn: Connection, score: dict[str, Any]) -> None:
    answer, hazard = await assess(api, conn, score=score)
    assert problem(answer, 422, "bad-field")["errors"][0]["field"].startswith("score")
    assert (await hazards.get(conn, hazard.id)).version == hazard.version


async def test_a_score_comes_with_an_assessment_alone(api: Callers, conn: Connection) -> None:
    score = {"scale": "ls", "parts": {"likelihood": 1, "severity": 1}}
    answer, _ = await assess(api, conn, action="reject", reason="误报", score=score)
    assert "assess" in problem(answer, 422, "bad-field")["detail"]


async def test_the_scales_have_words_and_bands(api: Callers) -> None:
    body = (await api.anonymous.get(f"{V1}/scales")).json()
    assert body["bands"]["ls"] == {"red": 17, "orange": 11, "yellow": 5, "blue": 1}
    assert len(body["scales"]["lec"]["likelihood"]["steps"]) == 7


async def typed(api: Callers, role: Role, unit: str, text: str = TYPED) -> list[dict[str, Any]]:
    headers = await api.headers(role, unit)
    answer = await api.anonymous.post(f"{V1}/classify", json={"text": text}, headers=headers)
    assert answer.status_code == 200, answer.text
    similar: list[dict[str, Any]] = answer.json()["similar"]
    return similar


async def test_a_similar_case_is_shown_with_its_remedy(api: Callers, conn: Connection) -> None:
    hazard = await opened(conn, Level.YELLOW, text="三楼安全出口被铁链锁住，学生推不开")
    await act(conn, hazard, *TO_CLOSED)
    await opened(conn, Level.YELLOW, text="校门口有几位家长在说话")
    await conn.commit()
    (case,) = await typed(api, Role.INFORMANT, SCHOOL)
    assert (case["id"], case["state"]) == (str(hazard.id), "closed")
    assert case["remedy"]
    assert [one["id"] for one in await typed(api, Role.SUPERVISOR, DISTRICT)] == [str(hazard.id)]


async def test_similar_cases_of_others_are_not_shown(api: Callers, conn: Connection) -> None:
    await opened(conn, Level.YELLOW, text="三楼安全出口被铁链锁住，学生推不开", place="3号楼3层")
    report = await accepted(conn, text="安全出口被铁链锁住，几名学生推不开", minors_involved=True, place="5号楼4层")
    await land(conn, report)
    await conn.commit()
    for role, unit in ((Role.INFORMANT, SIBLING), (Role.SUPERVISOR, UNIVERSITY)):
        assert await typed(api, role, unit) == []
    assert len(await typed(api, Role.INFORMANT, SCHOOL)) == 1, "never a minor's words"


async def test_a_confidential_text_shows_no_cases(api: Callers, conn: Connection) -> None:
    await opened(conn, Level.ORANGE, subcategory="1001", text="几名学生把他堵在厕所里打，还拍视频")
    await conn.commit()
    assert await typed(api, Role.HANDLER, SCHOOL, "几名学生把同学堵在厕所里殴打还拍视频") == []
