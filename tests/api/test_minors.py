"""Who sees words about minors: every role × own, parent, city, sibling and foreign unit, at every endpoint.

The hazard itself stays workable by every tier; what is expected is written here from the rules of the field.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.hazards import shielded
from models.levels import Level
from models.loop import Action
from models.privacy import closed_words
from models.reports import Report
from models.roles import Role
from store import outbox, trail
from store.db import Connection
from store.scope import Viewer, reading
from tests import factories
from tests.api.test_access_matrix import ABOVE, BESIDE, NAMED, PLACE, ROLES, TEXT
from tests.conftest import Callers
from tests.factories import CITY, DISTRICT, FIVE, SCHOOL
from tests.store.test_hazards import ASSESSOR, HANDLER, act
from tests.store.test_landing import accepted, hazard_of, land, opened, query

pytestmark = pytest.mark.runtime

NEUTRAL = closed_words("疏散通道与安全出口")
# Said by an officer about a minor: it stands in the trail alone.
OFFICER = "该生五年级，已联系监护人"


async def minors(conn: Connection, *, worked: bool = False, **fields: Any) -> Report:
    """A landed report about minors; with ``worked``, an officer has written words about them too."""
    now = datetime.now(UTC)
    report = await accepted(conn, now, **{"text": TEXT, "place": PLACE, "minors_involved": True, **fields})
    await land(conn, report, now=now, level=Level.RED, reasons=(f"依据：{TEXT}",))
    if worked:
        hazard = await hazard_of(conn, report)
        await act(conn, hazard, (Action.FEEDBACK, ASSESSOR, {"text": OFFICER}), at=now)
    await conn.commit()
    return report


def sees_words(role: Role, relation: str) -> bool:
    """Only the named roles of the unit itself."""
    return relation == "own" and role.value in NAMED


@pytest.mark.parametrize("relation", [*ABOVE, *BESIDE])
@pytest.mark.parametrize("role", ROLES)
async def test_no_word_about_minors_leaks(api: Callers, conn: Connection, role: Role, relation: str) -> None:
    report = await minors(conn, worked=True)
    hazard = str((await query(conn, "SELECT id FROM hazards"))[0]["id"])
    covers = relation in ABOVE
    sees = covers and role is not Role.WALL
    words = sees_words(role, relation)
    headers = await api.headers(role, (ABOVE | BESIDE)[relation])
    closed = 403 if role is Role.WALL else 404

    async def get(path: str) -> tuple[int, str]:
        answer = await api.anonymous.get(f"/api/v1{path}", headers=headers)
        return answer.status_code, answer.text

    for path in ("/hazards", "/hazards?level=red", "/hazards?q=未成年人"):
        status, body = await get(path)
        assert status == (403 if role is Role.WALL else 200), path
        assert (hazard in body, NEUTRAL in body) == (sees, sees), path
        assert TEXT not in body, path
        assert PLACE not in body, path
    for search in ("尽头", "五年级"):
        assert hazard not in (await get(f"/hazards?q={search}"))[1]

    status, body = await get(f"/hazards/{hazard}")
    assert status == (200 if sees else closed)
    assert (NEUTRAL in body) == sees
    for word in (TEXT, PLACE, OFFICER):
        assert word not in body
    for path, kept in ((f"/hazards/{hazard}/trail", OFFICER), (f"/hazards/{hazard}/reports", TEXT)):
        status, body = await get(path)
        assert status == (200 if words else 403 if sees else closed), path
        assert (kept in body) == words, path
        if sees and not words:
            assert f"/hazards/{hazard}/glass" in body, "the answer says how"
    status, body = await get(f"/reports/{report.id}")
    assert status == (200 if covers else 404)
    assert (TEXT in body, PLACE in body) == (words, words)

    # Figures: a hazard like any other, with no word of anybody.
    status, body = await get(f"/cockpit?unit={SCHOOL}")
    assert status == (200 if covers else 404)
    for word in (TEXT, PLACE, OFFICER):
        assert word not in body
    if covers:
        assert '"total":1' in body

    post = api.anonymous.post
    acted = await post(
        f"/api/v1/hazards/{hazard}/actions",
        json={"action": "feedback", "text": "已到现场"},
        headers=headers | {"If-Match": '"2"'},
    )
    speaks = role.value in ("assessor", "handler", "supervisor")
    assert acted.status_code == ((200 if speaks else 403) if sees else closed)
    assert TEXT not in acted.text
    asked = await post(f"/api/v1/hazards/{hazard}/glass", json={"reason": "配合调查需要"}, headers=headers)
    assert asked.status_code == (202 if sees else closed)


@pytest.mark.parametrize("relation", [*ABOVE, *BESIDE])
@pytest.mark.parametrize("role", ROLES)
async def test_before_it_is_judged_a_report_about_minors_is_closed_too(
    api: Callers, conn: Connection, role: Role, relation: str
) -> None:
    report = await accepted(conn, datetime.now(UTC), text=TEXT, place=PLACE, minors_involved=True)
    await conn.commit()
    headers = await api.headers(role, (ABOVE | BESIDE)[relation])
    answer = await api.anonymous.get(f"/api/v1/reports/{report.id}", headers=headers)
    assert answer.status_code == (200 if relation in ABOVE else 404)
    assert (TEXT in answer.text) == sees_words(role, relation)


@pytest.mark.parametrize(
    ("viewer", "open_tables"),
    [
        (Viewer(("/330200/",)), set()),
        (Viewer((factories.tree()[SCHOOL].path,), units=(SCHOOL,)), set()),
        (Viewer((factories.tree()[SCHOOL].path,), (SCHOOL,), units=(SCHOOL,)), {"reports", "trail"}),
    ],
    ids=["city", "own unit", "named role"],
)
async def test_a_forgotten_where_shows_no_word_about_minors(
    conn: Connection, viewer: Viewer, open_tables: set[str]
) -> None:
    await minors(conn, worked=True)
    async with reading(conn, viewer):
        rows = {table: await query(conn, f"SELECT * FROM {table}") for table in ("hazards", "reports", "trail")}
    assert len(rows["hazards"]) == 1
    assert TEXT not in str(rows["hazards"])
    assert {table for table in ("reports", "trail") if rows[table]} == open_tables


async def test_kafka_and_the_live_stream_hear_no_word(conn: Connection) -> None:
    await conn.execute("LISTEN live")
    await conn.commit()
    await minors(conn, worked=True)
    heard = [note.payload async for note in conn.notifies(timeout=1, stop_after=2)]
    told = [row["payload"] for row in await outbox.peek(conn, 100) if row["aggregatetype"] != "reports"]
    assert heard
    assert told
    for word in (TEXT, PLACE, OFFICER):
        assert word not in json.dumps([*heard, *told], ensure_ascii=False)


async def test_a_later_report_about_minors_closes_the_hazard_in_the_same_transaction(conn: Connection) -> None:
    now = datetime.now(UTC)
    hazard = await opened(conn, Level.RED, at=now, text=TEXT, place=PLACE)
    assert (hazard.text, hazard.place, hazard.minors) == (TEXT, PLACE, False)
    hazard = await act(
        conn,
        hazard,
        (Action.ASSESS, ASSESSOR, {}),
        (Action.DISPATCH, ASSESSOR, {}),
        (Action.SETTLE, HANDLER, {"settlements": dict(FIVE)}),
        (Action.START, HANDLER, {}),
        (Action.EXTEND, HANDLER, {"until": now + timedelta(days=2), "reason": OFFICER}),
        at=now,
    )
    later = await accepted(conn, now, text=TEXT, place=PLACE, minors_involved=True)
    assert (await land(conn, later, now=now, level=Level.RED))["attached"] == 1
    after = await hazard_of(conn, later)
    assert after.id == hazard.id
    assert (after.text, after.place, after.minors) == (NEUTRAL, None, True)
    assert after.extension
    assert "reason" not in after.extension
    assert set((after.settlements or {}).values()) == {closed_words()}, "all five still stand"
    row = str(await query(conn, "SELECT * FROM hazards"))
    for word in (TEXT, PLACE, OFFICER, *FIVE.values()):
        assert word not in row
    last = (await trail.of(conn, hazard.id))[-1]
    assert (last["action"], last["data"]["minors"]) == ("attach", True)
    assert await trail.broken(conn) == {}


async def test_a_further_witness_is_still_found_by_the_closed_words(conn: Connection) -> None:
    now = datetime.now(UTC)
    report = await minors(conn)
    witness = await accepted(conn, now, text=TEXT, place=PLACE)
    assert (await land(conn, witness, now=now))["attached"] == 1
    assert (await hazard_of(conn, witness)).id == (await hazard_of(conn, report)).id
    other = await accepted(conn, now, text="操场看台护栏松动摇晃", place="操场看台")
    assert (await land(conn, other, now=now))["opened"] == 1


async def test_the_neutral_sentence_follows_the_category(conn: Connection) -> None:
    hazard = await hazard_of(conn, await minors(conn))
    hazard = await act(conn, hazard, (Action.ASSESS, ASSESSOR, {"category": "0102"}), at=datetime.now(UTC))
    assert hazard.text.startswith("消防设施")
    assert shielded(hazard) == hazard


async def glass_broken(api: Callers, hazard: str, asker: dict[str, str], leader: dict[str, str]) -> Sequence[int]:
    """Ask and approve; the two statuses."""
    asked = await api.anonymous.post(
        f"/api/v1/hazards/{hazard}/glass", json={"reason": "配合公安机关调查"}, headers=asker
    )
    approved = await api.anonymous.post(f"/api/v1/glass/{asked.json()['id']}/approve", headers=leader)
    return asked.status_code, approved.status_code


async def test_glass_opens_words_about_minors_for_its_time_and_every_reading_is_logged(
    api: Callers, conn: Connection
) -> None:
    report = await minors(conn, worked=True)
    hazard = str((await query(conn, "SELECT id FROM hazards"))[0]["id"])
    asker, leader = await api.headers(Role.SUPERVISOR, DISTRICT), await api.headers(Role.LEADER, SCHOOL)
    get = api.anonymous.get
    assert (await get(f"/api/v1/hazards/{hazard}/reports", headers=asker)).status_code == 403
    assert await glass_broken(api, hazard, asker, leader) == (202, 200)
    read = await get(f"/api/v1/hazards/{hazard}/reports", headers=asker)
    assert [(r["text"], r["place"]) for r in read.json()["items"]] == [(TEXT, PLACE)]
    assert OFFICER in (await get(f"/api/v1/hazards/{hazard}/trail", headers=asker)).text
    assert TEXT in (await get(f"/api/v1/reports/{report.id}", headers=asker)).text
    await get("/api/v1/hazards", headers=asker)
    readers = (await get(f"/api/v1/hazards/{hazard}/readers", headers=leader)).json()["items"]
    assert sorted(r["what"] for r in readers) == ["list", "report", "reports", "trail"]
    assert all(r["glass"] for r in readers)
    await conn.execute("UPDATE glass SET expires_at = now() - interval '1 second'")
    await conn.commit()
    assert (await get(f"/api/v1/hazards/{hazard}/trail", headers=asker)).status_code == 403
    assert TEXT not in (await get(f"/api/v1/reports/{report.id}", headers=asker)).text


async def test_a_report_moved_into_a_confidential_lane_later_is_closed_to_those_above(
    api: Callers, conn: Connection
) -> None:
    now = datetime.now(UTC)
    report = await accepted(conn, now, text=TEXT)
    await land(conn, report, now=now)
    hazard = await hazard_of(conn, report)
    await act(conn, hazard, (Action.ASSESS, ASSESSOR, {"category": "1001"}), at=now)
    await conn.commit()
    answer = await api.anonymous.get(f"/api/v1/reports/{report.id}", headers=await api.headers(Role.AUDITOR, CITY))
    assert answer.status_code == 200
    assert TEXT not in answer.text
