"""Who sees what: every role × own, parent, city, sibling and foreign unit × confidential or not, at every endpoint.

What is expected is written here from the rules of the field, not taken from the code.
"""

from datetime import UTC, datetime

import pytest

from models.levels import Level
from models.roles import Role
from store.db import Connection
from tests.conftest import Callers
from tests.factories import CITY, DISTRICT, SCHOOL, SIBLING, UNIVERSITY
from tests.store.test_landing import accepted, land, query

pytestmark = pytest.mark.runtime

TEXT, PLACE = "走廊尽头那间屋子里的事", "知新楼四层尽头"
ABOVE = {"own": SCHOOL, "parent": DISTRICT, "city": CITY}
BESIDE = {"sibling": SIBLING, "foreign": UNIVERSITY}
NAMED = {"assessor", "handler", "supervisor", "leader"}
ROLES = [role for role in Role if role is not Role.SYSTEM]


def may_see(role: Role, relation: str, confidential: bool) -> bool:
    """A wall sees figures only; a role reaches its unit and below; a closed lane only its own unit's named roles."""
    if role is Role.WALL or relation in BESIDE:
        return False
    return not confidential or (relation == "own" and role.value in NAMED)


@pytest.mark.parametrize("confidential", [False, True], ids=["plain", "confidential"])
@pytest.mark.parametrize("relation", [*ABOVE, *BESIDE])
@pytest.mark.parametrize("role", ROLES)
async def test_nothing_leaks(api: Callers, conn: Connection, role: Role, relation: str, confidential: bool) -> None:
    subcategory = "1001" if confidential else "0101"
    now = datetime.now(UTC)
    report = await accepted(conn, now, text=TEXT, place=PLACE, category=subcategory)
    await land(conn, report, now=now, subcategory=subcategory, labels=(subcategory,), level=Level.RED)
    await conn.commit()
    hazard = str((await query(conn, "SELECT id FROM hazards"))[0]["id"])
    sees = may_see(role, relation, confidential)
    headers = await api.headers(role, (ABOVE | BESIDE)[relation])

    async def get(path: str) -> tuple[int, str]:
        answer = await api.anonymous.get(f"/api/v1{path}", headers=headers)
        return answer.status_code, answer.text

    closed = 403 if role is Role.WALL else 404
    for path in ("/hazards", "/hazards?q=尽头", f"/hazards?category={subcategory}", "/hazards?level=red"):
        status, body = await get(path)
        assert status == (403 if role is Role.WALL else 200), path
        assert (hazard in body, TEXT in body) == (sees, sees), path
    for path in (f"/hazards/{hazard}", f"/hazards/{hazard}/trail"):
        status, body = await get(path)
        assert status == (200 if sees else closed), path
        assert sees or hazard not in body.replace(f"/hazards/{hazard}", ""), path
        assert sees or TEXT not in body, path
    status, body = await get(f"/reports/{report.id}")
    reaches = relation in ABOVE and (not confidential or sees)
    assert status == (200 if reaches else 404)
    assert (TEXT in body, PLACE in body) == (sees, sees)

    # Figures: a subtree's own, closed lanes never singly, small groups not counted, and no word of anybody.
    status, body = await get(f"/cockpit?unit={SCHOOL}")
    assert status == (200 if relation in ABOVE else 404)
    assert TEXT not in body
    if relation in ABOVE:
        assert ('"total":1' in body, hazard in body, PLACE in body) == ((not confidential,) * 3)
        assert '"code":"10","name":"学生欺凌与侵害","open":null' in body

    act = await api.anonymous.post(
        f"/api/v1/hazards/{hazard}/actions",
        json={"action": "feedback", "text": "已到现场"},
        headers=headers | {"If-Match": '"1"'},
    )
    if not sees:
        assert act.status_code == closed
    else:
        assert act.status_code == (200 if role.value in ("assessor", "handler", "supervisor") else 403)
    glass = await api.anonymous.post(
        f"/api/v1/hazards/{hazard}/glass", json={"reason": "配合调查需要"}, headers=headers
    )
    asks = confidential and relation in ABOVE and role is not Role.WALL
    assert glass.status_code == (202 if asks else closed)
    assert TEXT not in glass.text


@pytest.mark.parametrize("path", ["/hazards", "/cockpit", "/cockpit/stream", "/units", "/me", "/sessions", "/accounts"])
async def test_strangers_are_told_nothing(api: Callers, path: str) -> None:
    assert (await api.anonymous.get(f"/api/v1{path}")).status_code == 401
