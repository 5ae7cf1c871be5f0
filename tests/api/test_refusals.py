"""Refusals that matter are kept though the request is rolled back; ordinary mistakes are only counted."""

from datetime import UTC, datetime
from typing import Any

import pytest
from prometheus_client import REGISTRY

from models.hazards import Hazard
from models.levels import Level
from models.loop import Action
from models.refusals import RULES
from models.roles import Actor, Role
from store import hazards
from store.db import Connection
from tests import factories
from tests.api.test_glass import secret
from tests.api.test_minors import minors
from tests.conftest import Callers
from tests.factories import CITY, DISTRICT, FIVE, SCHOOL, SIBLING
from tests.store.test_hazards import ASSESSOR, act
from tests.store.test_landing import opened, query

pytestmark = pytest.mark.runtime


async def key_of(conn: Connection, role: Role) -> str:
    """The id under which a key acts."""
    return f"key:{(await query(conn, 'SELECT id FROM keys WHERE role = %s', role.value))[0]['id']}"


async def tried(api: Callers, hazard: Hazard, headers: dict[str, str], **wanted: Any) -> Any:
    """An action on the hazard as it stands."""
    return await api.anonymous.post(
        f"/api/v1/hazards/{hazard.id}/actions", json=wanted, headers=headers | {"If-Match": f'"{hazard.version}"'}
    )


def counted(rule: str) -> float:
    return REGISTRY.get_sample_value("campus_risk_transitions_refused_total", {"rule": rule}) or 0.0


async def dispatched(conn: Connection, level: Level = Level.RED) -> Hazard:
    """A hazard that waits for its handler."""
    now = datetime.now(UTC)
    hazard = await opened(conn, level, at=now)
    hazard = await act(conn, hazard, (Action.ASSESS, ASSESSOR, {}), (Action.DISPATCH, ASSESSOR, {}), at=now)
    await conn.commit()
    return hazard


async def kept(conn: Connection) -> list[tuple[str, str, str]]:
    """Role, action and rule of what was kept."""
    await conn.rollback()
    rows = await query(conn, "SELECT role, action, rule FROM refusals ORDER BY id")
    return [(row["role"], row["action"], row["rule"]) for row in rows]


async def test_a_major_hazards_gate_is_kept_and_the_answer_stays(api: Callers, conn: Connection) -> None:
    hazard = await dispatched(conn)
    headers = await api.headers(Role.HANDLER, SCHOOL)
    before = counted("five_settlements")
    answer = await tried(api, hazard, headers, action="start")
    assert (answer.status_code, answer.json()["rule"]) == (409, "five_settlements")
    assert await kept(conn) == [("handler", "start", "five_settlements")]
    assert counted("five_settlements") == before + 1
    assert (await hazards.get(conn, hazard.id)).version == hazard.version


async def test_who_verifies_their_own_work_is_kept(api: Callers, conn: Connection) -> None:
    hazard = await dispatched(conn)
    handler, supervisor = await api.headers(Role.HANDLER, SCHOOL), await api.headers(Role.SUPERVISOR, SCHOOL)
    now = datetime.now(UTC)
    own = Actor(await key_of(conn, Role.SUPERVISOR), "x", Role.HANDLER, SCHOOL, hazard.unit_path)
    other = Actor(await key_of(conn, Role.HANDLER), "x", Role.HANDLER, SCHOOL, hazard.unit_path)
    hazard = await act(
        conn,
        hazard,
        (Action.SETTLE, own, {"settlements": dict(FIVE)}),
        (Action.START, other, {}),
        (Action.SUBMIT, own, {"evidence": "已拆除门锁"}),
        at=now,
    )
    await conn.commit()
    assert (await tried(api, hazard, supervisor, action="close", acceptance="验1")).status_code == 409
    assert (await tried(api, hazard, handler, action="close", acceptance="验1")).status_code == 403
    assert await kept(conn) == [("supervisor", "close", "not_own_work"), ("handler", "close", "role")]


async def test_ordinary_mistakes_are_counted_and_not_kept(api: Callers, conn: Connection) -> None:
    hazard = await dispatched(conn)
    headers = await api.headers(Role.ASSESSOR, SCHOOL)
    rules = ("state", "role", "has_reason", "stale")
    before = {rule: counted(rule) for rule in rules}
    assert (await tried(api, hazard, headers, action="unmerge", reason="x")).status_code == 409
    assert (await tried(api, hazard, headers, action="start")).status_code == 403
    assert (await tried(api, hazard, headers, action="assess")).status_code == 409
    stale = await api.anonymous.post(
        f"/api/v1/hazards/{hazard.id}/actions", json={"action": "dispatch"}, headers=headers | {"If-Match": '"1"'}
    )
    assert stale.status_code == 412
    assert await kept(conn) == []
    assert {rule: counted(rule) - before[rule] for rule in rules} == dict.fromkeys(rules, 1.0)


@pytest.mark.parametrize("unit", [CITY, DISTRICT, SIBLING])
@pytest.mark.parametrize("path", ["", "/trail", "/actions"])
async def test_who_reaches_for_a_confidential_record_is_kept_and_told_nothing(
    api: Callers, conn: Connection, unit: str, path: str
) -> None:
    id = await secret(conn)
    headers = await api.headers(Role.SUPERVISOR, unit)
    call = api.anonymous.post if path == "/actions" else api.anonymous.get
    more = {"json": {"action": "close"}} if path == "/actions" else {}
    answer = await call(f"/api/v1/hazards/{id}{path}", headers=headers | {"If-Match": '"1"'}, **more)
    unknown = await call(f"/api/v1/hazards/{factories.new_id()}{path}", headers=headers | {"If-Match": '"1"'}, **more)
    assert (answer.status_code, answer.json()["detail"]) == (404, unknown.json()["detail"])
    action = {"": "read", "/trail": "trail", "/actions": "close"}[path]
    assert await kept(conn) == [("supervisor", action, "hidden")]


async def test_who_reaches_for_words_about_minors_is_kept(api: Callers, conn: Connection) -> None:
    await minors(conn)
    id = (await query(conn, "SELECT id FROM hazards"))[0]["id"]
    headers = await api.headers(Role.AUDITOR, CITY)
    assert (await api.anonymous.get(f"/api/v1/hazards/{id}/trail", headers=headers)).status_code == 403
    assert (await api.anonymous.get(f"/api/v1/hazards/{id}", headers=headers)).status_code == 200
    assert await kept(conn) == [("auditor", "trail", "hidden")]
    log = await query(conn, "SELECT what FROM access_log")
    assert [row["what"] for row in log] == ["read"], "what was refused is no reading"


async def test_an_open_record_that_is_asked_for_in_vain_is_not_kept(api: Callers, conn: Connection) -> None:
    hazard = await opened(conn, at=datetime.now(UTC))
    await conn.commit()
    headers = await api.headers(Role.SUPERVISOR, SIBLING)
    assert (await api.anonymous.get(f"/api/v1/hazards/{hazard.id}", headers=headers)).status_code == 404
    assert await kept(conn) == []


async def test_auditors_read_those_of_their_subtree_page_by_page(api: Callers, conn: Connection) -> None:
    hazard = await dispatched(conn)
    handler = await api.headers(Role.HANDLER, SCHOOL)
    for _ in range(3):
        await tried(api, hazard, handler, action="start")
    auditor = await api.headers(Role.AUDITOR, CITY)
    seen: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = (await api.anonymous.get(f"/api/v1/refusals?limit=2{cursor}", headers=auditor)).json()
        seen += page["items"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert [(r["hazard"], r["action"], r["rule"]) for r in seen] == [(str(hazard.id), "start", "five_settlements")] * 3
    assert [r["at"] for r in seen] == sorted((r["at"] for r in seen), reverse=True)
    assert set(seen[0]) == {"id", "at", "actor", "role", "unit", "hazard", "action", "rule"}, "no words"
    beside = await api.anonymous.get("/api/v1/refusals", headers=await api.headers(Role.AUDITOR, SIBLING))
    assert beside.json() == {"items": [], "next": None}
    bad = await api.anonymous.get("/api/v1/refusals?cursor=x", headers=auditor)
    assert (bad.status_code, bad.json()["errors"][0]["field"]) == (422, "cursor")


@pytest.mark.parametrize("role", [role for role in Role if role not in (Role.AUDITOR, Role.SYSTEM)])
async def test_nobody_else_reads_them(api: Callers, role: Role) -> None:
    answer = await api.anonymous.get("/api/v1/refusals", headers=await api.headers(role, CITY))
    assert answer.status_code == 403


def test_the_labels_are_bounded() -> None:
    assert len(RULES) < 25
