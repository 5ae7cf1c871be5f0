"""Lists of hazards: filters, cursors that hold while rows are added, and what is hidden from whom."""

import base64
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from models.levels import Level
from models.loop import Action
from models.roles import Role
from store import escalations, hazards, pages
from store.db import Connection
from store.hazards import NotFound
from store.pages import BadCursor, Viewer, Wanted
from tests import factories
from tests.factories import COLLEGE, NOW, SCHOOL, SIBLING
from tests.store.test_hazards import ASSESSOR, TO_HANDLING, act
from tests.store.test_landing import CLOCK, opened

pytestmark = pytest.mark.runtime

EVERYBODY = Viewer(("/330200/",))


async def ids(
    conn: Connection, wanted: Wanted | None = None, viewer: Viewer = EVERYBODY, now: Any = NOW, **more: Any
) -> list[UUID]:
    rows, _ = await pages.page(conn, viewer, wanted or Wanted(), now, **more)
    return [hazard.id for hazard, _ in rows]


async def test_newest_first_with_the_next_deadline(conn: Connection) -> None:
    held = [await opened(conn, Level.RED, at=NOW + timedelta(seconds=n)) for n in range(3)]
    rows, following = await pages.page(conn, EVERYBODY, Wanted(), NOW)
    assert [hazard for hazard, _ in rows] == held[::-1]
    assert following is None
    extra = rows[-1][1]
    assert (extra["due_kind"], extra["due_at"], extra["overdue"]) == ("assess", NOW + timedelta(minutes=15), False)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(), "abcd"),
        (Wanted(state=("reported",)), "acd"),
        (Wanted(state=("handling", "submitted")), "b"),
        (Wanted(state=()), ""),
        (Wanted(level=("red",)), "a"),
        (Wanted(level=("yellow", "blue")), "bd"),
        (Wanted(category="01"), "ab"),
        (Wanted(category="0101"), "a"),
        (Wanted(category="0402"), "cd"),
        (Wanted(category="04"), "cd"),
        (Wanted(tier="city"), "a"),
        (Wanted(tier="school"), "bcd"),
        (Wanted(unit_path=f"/330200/330203/{SCHOOL}/"), "ab"),
        (Wanted(unit_path="/330200/330203/"), "abc"),
        (Wanted(unit_path="/330200/U01/"), "d"),
        (Wanted(overdue=True), "a"),
        (Wanted(overdue=False), "bcd"),
        (Wanted(q="锅炉"), "c"),
        (Wanted(q="b栋"), "b"),
        (Wanted(q="100%"), "d"),
        (Wanted(q="%"), "d"),
        (Wanted(q="_"), ""),
        (Wanted(q="没有这样的词"), ""),
        (Wanted(level=("red",), category="04"), ""),
        (Wanted(level=("blue",), unit_path="/330200/U01/", q="电量"), "d"),
    ],
)
async def test_filters(conn: Connection, wanted: Wanted, found: str) -> None:
    named = {
        "a": await opened(conn, Level.RED, text="安全出口被锁", place="甲"),
        "b": await opened(conn, Level.YELLOW, "0103", text="灭火器过期", place="B栋二层"),
        "c": await opened(conn, Level.ORANGE, "0402", unit=SIBLING, text="锅炉压力表没检定", place="丙"),
        "d": await opened(conn, Level.BLUE, "0402", unit=COLLEGE, text="电量显示100%后断电", place="丁"),
    }
    await escalations.route(conn, [named["a"].id], NOW, CLOCK)
    await act(conn, named["b"], *TO_HANDLING)
    got = await ids(conn, wanted, now=NOW + timedelta(minutes=16))
    assert {name for name, hazard in named.items() if hazard.id in got} == set(found)
    assert len(got) == len(found)


async def test_a_missed_round_is_overdue_even_after_the_next_began(conn: Connection) -> None:
    hazard = await opened(conn, Level.RED)
    await escalations.sweep(conn, NOW + timedelta(minutes=15), CLOCK)
    assert await ids(conn, Wanted(overdue=True), now=NOW + timedelta(minutes=16)) == [hazard.id]
    await hazards.apply(conn, hazard.id, Action.ASSESS, ASSESSOR, {}, NOW + timedelta(minutes=16), CLOCK)
    assert await ids(conn, Wanted(overdue=True), now=NOW + timedelta(minutes=16)) == []


async def walk(conn: Connection, limit: int, between: Any = None) -> list[UUID]:
    """All pages, doing something between them."""
    seen: list[UUID] = []
    cursor = None
    for _ in range(50):
        rows, cursor = await pages.page(conn, EVERYBODY, Wanted(), NOW, limit=limit, cursor=cursor)
        seen += [hazard.id for hazard, _ in rows]
        if cursor is None:
            return seen
        assert len(rows) == limit
        if between:
            await between()
    raise AssertionError("the pages never end")


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8])
async def test_pages_neither_skip_nor_repeat_where_many_share_one_instant(conn: Connection, limit: int) -> None:
    held = [await opened(conn, at=NOW) for _ in range(7)]
    seen = await walk(conn, limit)
    assert len(seen) == 7
    assert set(seen) == {hazard.id for hazard in held}


async def test_pages_neither_skip_nor_repeat_while_rows_are_added(conn: Connection) -> None:
    held = [await opened(conn, at=NOW - timedelta(seconds=n // 2)) for n in range(10)]

    async def add() -> None:
        await opened(conn, at=NOW + timedelta(seconds=5))
        await act(conn, held[0], (Action.INSTRUCT, factories.actor(Role.LEADER), {"text": "抓紧"}))

    seen = await walk(conn, 3, add)
    assert len(seen) == len(set(seen)) == 10
    assert set(seen) == {hazard.id for hazard in held}


def _encoded(words: str) -> str:
    return base64.urlsafe_b64encode(words.encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "游标",
        "AAAA",
        "/w==",
        _encoded("2026-05-12T06:00:00+00:00"),
        _encoded("2026-05-12T06:00:00+00:00|7"),
        _encoded(f"yesterday|{factories.new_id()}"),
        _encoded(f"|{factories.new_id()}"),
    ],
)
async def test_a_cursor_of_somebody_else_is_refused(conn: Connection, cursor: str) -> None:
    with pytest.raises(BadCursor, match="next"):
        await pages.page(conn, EVERYBODY, Wanted(), NOW, cursor=cursor)


async def test_a_confidential_one_is_seen_by_its_own_unit_only(conn: Connection) -> None:
    secret = await opened(conn, Level.ORANGE, "1001", text="几名学生长期欺负同班同学")
    plain = await opened(conn, unit=SIBLING)
    own, other = Viewer((f"/330200/330203/{SCHOOL}/",), (SCHOOL,)), Viewer(("/330200/330203/",), ("330203",))
    assert await ids(conn, viewer=own) == [secret.id]
    for viewer in (EVERYBODY, other, Viewer(own.paths)):
        assert await ids(conn, viewer=viewer) == ([plain.id] if viewer.paths != own.paths else [])
        assert await ids(conn, Wanted(q="欺负"), viewer) == []
        with pytest.raises(NotFound):
            await pages.visible(conn, secret.id, viewer)
    assert (await pages.visible(conn, secret.id, own)).id == secret.id


async def test_what_lies_outside_the_subtree_is_not_found(conn: Connection) -> None:
    hazard = await opened(conn)
    sibling = Viewer((f"/330200/330203/{SIBLING}/",), (SIBLING,))
    assert await ids(conn, viewer=sibling) == []
    with pytest.raises(NotFound):
        await pages.visible(conn, hazard.id, sibling)
    with pytest.raises(NotFound):
        await pages.visible(conn, factories.new_id(), EVERYBODY)
