"""Hazards over HTTP: lists, one with its trail, every action, and what is hidden from whom."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import httpx
import pytest

from api.hazards import ActionRequest
from models.hazards import Hazard
from models.levels import Level
from models.loop import State, allowed
from models.roles import Role
from store.db import Connection
from tests import factories
from tests.api.test_reports import problem
from tests.conftest import Callers
from tests.factories import CITY, COLLEGE, DISTRICT, FIVE, SCHOOL, SIBLING
from tests.store.test_hazards import TO_CLOSED, act
from tests.store.test_landing import hazard_of, land, opened

pytestmark = pytest.mark.runtime

HAZARDS = "/api/v1/hazards"
SECRET = "几名学生长期欺负同班同学"


def now() -> datetime:
    return datetime.now(UTC)


async def found(conn: Connection, level: Level = Level.YELLOW, subcategory: str = "0101", **fields: Any) -> Hazard:
    """A hazard that the API can see."""
    hazard = await opened(conn, level, subcategory, at=now(), **fields)
    await conn.commit()
    return hazard


async def get(
    api: Callers, path: str, role: Role = Role.ASSESSOR, at: str = SCHOOL, params: dict[str, Any] | None = None
) -> httpx.Response:
    return await api.anonymous.get(f"{HAZARDS}{path}", params=params, headers=await api.headers(role, at))


class Officer:
    """Somebody with one key, who acts on what they last saw."""

    def __init__(self, api: Callers, headers: dict[str, str]) -> None:
        self._api, self._headers = api, headers

    async def acts(self, hazard: Any, action: str, version: int | str | None = None, **filed: Any) -> httpx.Response:
        if version is None:
            version = (await self._api.anonymous.get(f"{HAZARDS}/{hazard}", headers=self._headers)).headers["etag"]
        return await self._api.anonymous.post(
            f"{HAZARDS}/{hazard}/actions",
            json={"action": action, **filed},
            headers=self._headers | {"If-Match": str(version)},
        )


async def officer(api: Callers, role: Role, unit: str = SCHOOL) -> Officer:
    return Officer(api, await api.headers(role, unit))


async def test_a_list_is_newest_first_and_goes_on_by_its_cursor(api: Callers, conn: Connection) -> None:
    held = [await found(conn, unit=unit) for unit in (SCHOOL, SIBLING, COLLEGE, SCHOOL, SCHOOL)]
    headers = await api.headers(Role.SUPERVISOR, CITY)
    seen, cursor = [], None
    for _ in range(3):
        params = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        body = (await api.anonymous.get(HAZARDS, params=params, headers=headers)).json()
        seen += [item["id"] for item in body["items"]]
        cursor = body["next"]
    assert cursor is None
    assert seen == [str(hazard.id) for hazard in held[::-1]]


async def test_what_a_list_says_of_a_hazard(api: Callers, conn: Connection) -> None:
    hazard = await found(conn, Level.RED, place="三号楼")
    item = (await get(api, "")).json()["items"][0]
    assert (item["id"], item["version"], item["unit"], item["level"]) == (str(hazard.id), 1, SCHOOL, "red")
    assert (item["state"], item["phase"], item["tier"], item["label"]) == (
        "reported",
        "warn",
        "school",
        "疏散通道与安全出口",
    )
    assert (item["due"]["kind"], item["overdue"], item["text"]) == ("assess", False, hazard.text)


@pytest.mark.parametrize(
    ("params", "hits"),
    [
        ({}, 2),
        ({"state": "reported"}, 2),
        ({"state": ["closed", "archived"]}, 0),
        ({"level": ["red", "blue"]}, 1),
        ({"category": "04"}, 1),
        ({"category": "0101"}, 1),
        ({"tier": "city"}, 0),
        ({"unit": SCHOOL}, 1),
        ({"unit": DISTRICT}, 2),
        ({"overdue": "true"}, 0),
        ({"q": "锅炉"}, 1),
    ],
)
async def test_filters(api: Callers, conn: Connection, params: dict[str, Any], hits: int) -> None:
    await found(conn, Level.RED)
    await found(conn, Level.YELLOW, "0402", unit=SIBLING, text="锅炉压力表没检定")
    body = (await get(api, "", Role.SUPERVISOR, DISTRICT, params)).json()
    assert len(body["items"]) == hits


@pytest.mark.parametrize(
    "params",
    [
        {"level": "purple"},
        {"state": "gone"},
        {"category": "x"},
        {"limit": "0"},
        {"limit": "201"},
        {"q": ""},
        {"q": "x" * 101},
        {"overdue": "maybe"},
        {"cursor": "x"},
        {"cursor": "x" * 201},
        {"q": "\x00"},
        {"tier": "\x00"},
    ],
)
async def test_a_filter_that_makes_no_sense_is_a_problem(api: Callers, params: dict[str, str]) -> None:
    problem(await get(api, "", params=params), 422, "bad-field")


@pytest.mark.parametrize("unit", ["nowhere", SIBLING, DISTRICT])
async def test_a_unit_outside_the_subtree_is_not_found(api: Callers, unit: str) -> None:
    problem(await get(api, "", params={"unit": unit}), 404, "not-found")


@pytest.mark.parametrize("path", ["", "/{id}", "/{id}/trail"])
async def test_walls_and_strangers_read_no_hazards(api: Callers, conn: Connection, path: str) -> None:
    hazard = await found(conn)
    url = path.format(id=hazard.id)
    problem(await api.anonymous.get(f"{HAZARDS}{url}"), 401, "unauthenticated")
    problem(await get(api, url, Role.WALL, CITY), 403, "forbidden")


async def test_one_hazard_with_everything_and_its_etag(api: Callers, conn: Connection) -> None:
    hazard = await found(conn, Level.ORANGE)
    answer = await get(api, f"/{hazard.id}")
    assert answer.headers["etag"] == '"1"'
    body = answer.json()
    assert [link["unit"] for link in body["chain"]] == [SCHOOL, DISTRICT, CITY]
    assert body["actions"] == [action.value for action in allowed(State.REPORTED, Role.ASSESSOR)]
    assert {row["kind"] for row in body["deadlines"]} == {"assess", "report"}
    assert body["machine"]["model"] == "test"


async def test_the_trail_is_told_with_its_hashes(api: Callers, conn: Connection) -> None:
    hazard = await found(conn)
    leader = await officer(api, Role.LEADER)
    await leader.acts(hazard.id, "instruct", text="今日办结")
    items = (await get(api, f"/{hazard.id}/trail", Role.AUDITOR)).json()["items"]
    assert [(item["seq"], item["action"], item["role"]) for item in items] == [
        (1, "open", "system"),
        (2, "instruct", "leader"),
    ]
    assert items[0]["hash"] == hazard.trail_hash.hex()
    assert items[1]["data"]["text"] == "今日办结"


@pytest.mark.parametrize("path", ["/{id}", "/{id}/trail"])
@pytest.mark.parametrize("unit", [SIBLING, COLLEGE, "330206"])
async def test_a_hazard_elsewhere_is_not_found(api: Callers, conn: Connection, path: str, unit: str) -> None:
    hazard = await found(conn)
    problem(await get(api, path.format(id=hazard.id), at=unit), 404, "not-found")
    problem(await get(api, path.format(id=factories.new_id())), 404, "not-found")


async def test_every_action_over_http(api: Callers, conn: Connection) -> None:
    """All that ``ActionRequest`` names, each once at least; the ETag of an answer is the If-Match of the next."""
    hazard, twin = await found(conn, Level.RED), await found(conn)
    assessor, second = await officer(api, Role.ASSESSOR), await officer(api, Role.ASSESSOR, DISTRICT)
    handler, supervisor = await officer(api, Role.HANDLER), await officer(api, Role.SUPERVISOR)
    leader = await officer(api, Role.LEADER, CITY)
    until = (now() + timedelta(days=2)).isoformat()
    way: list[tuple[Officer, Any, str, dict[str, Any], str]] = [
        (assessor, twin.id, "merge", {"into": str(hazard.id)}, "merged"),
        (assessor, twin.id, "unmerge", {"reason": "不是同一处"}, "reported"),
        (second, twin.id, "reject", {"reason": "误报"}, "rejected"),
        (assessor, twin.id, "reopen", {"reason": "确有其事"}, "reported"),
        (assessor, hazard.id, "assess", {"category": "0104", "level": "red"}, "assessed"),
        (leader, hazard.id, "instruct", {"text": "今日办结"}, "assessed"),
        (assessor, hazard.id, "feedback", {"text": "已通知学校"}, "assessed"),
        (supervisor, hazard.id, "list", {"reason": "挂牌", "on": True}, "assessed"),
        (assessor, hazard.id, "dispatch", {"handler": "后勤"}, "dispatched"),
        (handler, hazard.id, "settle", {"settlements": dict(FIVE)}, "dispatched"),
        (handler, hazard.id, "start", {}, "handling"),
        (handler, hazard.id, "extend", {"kind": "rectify", "until": until, "reason": "等配件"}, "handling"),
        (supervisor, hazard.id, "extend", {"approve": True}, "handling"),
        (handler, hazard.id, "submit", {"attachments": [{"name": "a.jpg"}], "evidence": "已拆除"}, "submitted"),
        (supervisor, hazard.id, "return", {"reason": "照片不清"}, "handling"),
        (handler, hazard.id, "submit", {"evidence": "已拆除，附照片"}, "submitted"),
        (supervisor, hazard.id, "close", {"acceptance": "验收〔2026〕1号"}, "closed"),
        (supervisor, hazard.id, "review", {}, "reviewing"),
        (supervisor, hazard.id, "archive", {"lesson": "门锁改推杆"}, "archived"),
    ]
    versions = {hazard.id: 1, twin.id: 1}
    for who, id, action, filed, state in way:
        answer = await who.acts(id, action, f'"{versions[id]}"', **filed)
        assert answer.status_code == 200, (action, answer.text)
        versions[id] += 1
        body = answer.json()
        assert (body["state"], body["version"], answer.headers["etag"]) == (state, versions[id], f'"{versions[id]}"')
        again = (await get(api, f"/{id}", Role.AUDITOR)).json()
        assert {name: body[name] for name in body if name != "actions"} == {
            n: again[n] for n in again if n != "actions"
        }
    named = set(get_args(ActionRequest.model_fields["action"].annotation))
    assert named == {action for _, _, action, _, _ in way}
    last = (await get(api, f"/{hazard.id}")).json()
    assert (last["subcategory"], last["listed"], last["settlements"]) == ("0104", True, dict(FIVE))
    moved = next(row for row in last["deadlines"] if row["kind"] == "rectify")
    assert datetime.fromisoformat(moved["due_at"]) == datetime.fromisoformat(until)


async def test_without_if_match_it_is_428(api: Callers, conn: Connection) -> None:
    hazard = await found(conn)
    headers = await api.headers(Role.ASSESSOR, SCHOOL)
    url = f"{HAZARDS}/{hazard.id}/actions"
    problem(await api.anonymous.post(url, json={"action": "assess"}, headers=headers), 428, "if-match")


@pytest.mark.parametrize("version", ['"1"', "1", 'W/"1"', '"99"', '"0"'])
async def test_a_version_that_is_not_the_current_one_is_412_with_the_current(
    api: Callers, conn: Connection, version: str
) -> None:
    hazard = await found(conn)
    assessor = await officer(api, Role.ASSESSOR)
    assert (await assessor.acts(hazard.id, "assess", '"1"')).status_code == 200
    answer = await assessor.acts(hazard.id, "dispatch", version)
    assert problem(answer, 412, "stale")["current"] == 2
    assert answer.headers["etag"] == '"2"'


@pytest.mark.parametrize("version", ["x", "*", '"1", "2"', "", '"' + "9" * 30 + '"'])
async def test_what_is_no_version_is_412(api: Callers, conn: Connection, version: str) -> None:
    hazard = await found(conn)
    problem(await (await officer(api, Role.ASSESSOR)).acts(hazard.id, "assess", version), 412, "stale")


async def test_what_the_loop_forbids_now_is_409_with_state_rule_and_who(api: Callers, conn: Connection) -> None:
    hazard = await found(conn)
    supervisor = await officer(api, Role.SUPERVISOR)
    body = problem(await supervisor.acts(hazard.id, "close"), 409, "not-allowed")
    assert (body["state"], body["action"], body["rule"], body["who"]) == ("reported", "close", "state", ["supervisor"])
    body = problem(await supervisor.acts(hazard.id, "instruct"), 409, "not-allowed")
    assert body["rule"] == "has_text"


@pytest.mark.parametrize(
    "role", [Role.INFORMANT, Role.HANDLER, Role.SUPERVISOR, Role.AUDITOR, Role.MACHINE, Role.ADMIN]
)
async def test_another_role_is_403_and_hears_whose_it_is(api: Callers, conn: Connection, role: Role) -> None:
    hazard = await found(conn)
    body = problem(await (await officer(api, role)).acts(hazard.id, "assess"), 403, "forbidden")
    assert (body["rule"], body["who"]) == ("role", ["assessor"])


async def test_who_reported_a_red_one_does_not_assess_it(api: Callers, conn: Connection) -> None:
    headers = await api.headers(Role.ASSESSOR, SCHOOL)
    me = await api.anonymous.post("/api/v1/reports", json=factories.record(), headers=headers)
    report = factories.report(id=me.json()["id"])
    await land(conn, report, level=Level.RED)
    await conn.commit()
    hazard = await hazard_of(conn, report)
    body = problem(await Officer(api, headers).acts(hazard.id, "assess"), 409, "not-allowed")
    assert body["rule"] == "not_own_report"


@pytest.mark.parametrize("unit", [SIBLING, COLLEGE])
async def test_a_sibling_acts_on_nothing_here(api: Callers, conn: Connection, unit: str) -> None:
    hazard = await found(conn)
    problem(await (await officer(api, Role.ASSESSOR, unit)).acts(hazard.id, "assess", '"1"'), 404, "not-found")


@pytest.mark.parametrize(
    "filed",
    [
        {"action": "explode"},
        {"action": "climb"},
        {"action": "attach"},
        {"action": None},
        {"reason": "x" * 4001},
        {"level": "purple"},
        {"category": "01"},
        {"category": "9998"},
        {"into": "7"},
        {"until": "2026-05-12T08:00:00"},
        {"kind": "report"},
        {"settlements": {"luck": "x"}},
        {"state": "closed"},
        {"attachments": [{"name": "a"}] * 21},
        {"reason": "a\x00b"},
        {"settlements": {"plan": "a\x00b"}},
        {"attachments": [{"name": "a\x00b"}]},
        {"reason": "\ud800"},
    ],
    ids=lambda value: str(value)[:40].encode("ascii", "backslashreplace").decode(),
)
async def test_a_field_that_makes_no_sense_is_422(api: Callers, conn: Connection, filed: dict[str, Any]) -> None:
    hazard = await found(conn)
    headers = await api.headers(Role.ASSESSOR, SCHOOL, **{"If-Match": '"1"', "Content-Type": "application/json"})
    body = json.dumps({"action": "assess", **filed}).encode()
    answer = await api.anonymous.post(f"{HAZARDS}/{hazard.id}/actions", content=body, headers=headers)
    problem(answer, 422, "bad-field")
    assert (await get(api, f"/{hazard.id}")).json()["state"] == "reported"


async def test_a_merge_into_what_cannot_take_it_is_422(api: Callers, conn: Connection) -> None:
    hazard, elsewhere = await found(conn), await found(conn, unit=SIBLING)
    assessor = await officer(api, Role.ASSESSOR)
    for into in (hazard.id, elsewhere.id, factories.new_id()):
        problem(await assessor.acts(hazard.id, "merge", '"1"', into=str(into)), 422, "bad-field")


@pytest.mark.parametrize(
    ("role", "unit"),
    [
        (Role.ASSESSOR, DISTRICT),
        (Role.SUPERVISOR, CITY),
        (Role.LEADER, CITY),
        (Role.ADMIN, CITY),
        (Role.AUDITOR, CITY),
        (Role.INFORMANT, SCHOOL),
        (Role.MACHINE, SCHOOL),
        (Role.AUDITOR, SCHOOL),
        (Role.ASSESSOR, SIBLING),
    ],
)
async def test_a_confidential_hazard_is_seen_by_the_named_roles_of_its_unit_alone(
    api: Callers, conn: Connection, role: Role, unit: str
) -> None:
    secret = await found(conn, Level.RED, "1001", text=SECRET, place="初二3班")
    headers = await api.headers(role, unit)
    for path in ("", "?q=欺负", "?category=10", f"?unit={unit}", "?level=red"):
        answer = await api.anonymous.get(f"{HAZARDS}{path}", headers=headers)
        assert answer.json() == {"items": [], "next": None}
    for path in (f"/{secret.id}", f"/{secret.id}/trail"):
        problem(await api.anonymous.get(f"{HAZARDS}{path}", headers=headers), 404, "not-found")
    problem(await Officer(api, headers).acts(secret.id, "instruct", '"1"', text="…"), 404, "not-found")
    cockpit = await api.anonymous.get("/api/v1/cockpit", headers=headers)
    assert [word for word in (SECRET, "初二3班", str(secret.id)) if word in cockpit.text] == []


@pytest.mark.parametrize("role", [Role.ASSESSOR, Role.HANDLER, Role.SUPERVISOR, Role.LEADER])
async def test_the_named_roles_of_its_unit_see_a_confidential_hazard(
    api: Callers, conn: Connection, role: Role
) -> None:
    secret = await found(conn, Level.RED, "0901", text="学生情绪低落，多次提到不想活")
    assert [item["id"] for item in (await get(api, "", role, params={"q": "情绪"})).json()["items"]] == [str(secret.id)]
    assert (await get(api, f"/{secret.id}", role)).json()["confidential"]
    assert (await get(api, f"/{secret.id}/trail", role)).status_code == 200


async def test_moved_into_a_confidential_lane_it_is_hidden_at_once(api: Callers, conn: Connection) -> None:
    hazard = await found(conn, text=SECRET)
    assert (await get(api, f"/{hazard.id}", Role.SUPERVISOR, CITY)).status_code == 200
    assessor = await officer(api, Role.ASSESSOR)
    assert (await assessor.acts(hazard.id, "assess", category="1001")).status_code == 200
    problem(await get(api, f"/{hazard.id}", Role.SUPERVISOR, CITY), 404, "not-found")
    cockpit = await api.anonymous.get("/api/v1/cockpit", headers=await api.headers(Role.WALL, CITY))
    assert str(hazard.id) not in cockpit.text


async def test_who_moves_one_into_a_lane_closed_to_them_gets_no_more_of_it(api: Callers, conn: Connection) -> None:
    """A district's assessor may name the lane; from then on the text is the unit's own."""
    hazard = await found(conn, text=SECRET)
    district = await officer(api, Role.ASSESSOR, DISTRICT)
    answer = await district.acts(hazard.id, "assess", category="1001")
    assert answer.status_code == 200
    assert SECRET not in answer.text


async def test_an_archived_hazard_stays_readable(api: Callers, conn: Connection) -> None:
    hazard = await found(conn)
    await act(conn, hazard, *TO_CLOSED, at=now())
    await conn.commit()
    body = (await get(api, "", Role.AUDITOR, CITY, {"state": "closed"})).json()
    assert [(item["id"], item["due"]) for item in body["items"]] == [(str(hazard.id), None)]
