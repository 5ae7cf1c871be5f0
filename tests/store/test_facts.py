"""What the detectors look at: what counts, what does not, and which words they never get."""

from datetime import date, datetime, timedelta

import pytest

from models.calendar import SHANGHAI
from models.levels import Level
from models.loop import Action
from models.warnings.findings import GROUPS
from store import facts, hazards, units
from store.db import Connection
from tests.factories import NOW, SCHOOL, SIBLING
from tests.store.test_hazards import ASSESSOR, TO_CLOSED, act
from tests.store.test_landing import CLOCK, accepted, land, opened, query
from tests.store.test_warnings import ORANGE, look

pytestmark = pytest.mark.runtime

DAY = timedelta(days=1)


async def test_drills_rejected_merged_and_the_platform_s_own_do_not_count(conn: Connection) -> None:
    plain = await opened(conn, place="东楼一层")
    other = await opened(conn, place="西楼五层")
    await act(conn, await opened(conn), (Action.REJECT, ASSESSOR, {"reason": "误报"}))
    await hazards.apply(conn, other.id, Action.MERGE, ASSESSOR, {"into": str(plain.id)}, NOW, CLOCK)
    await look(conn, ORANGE)
    (row,) = await query(conn, "SELECT report FROM warnings")
    await land(
        conn,
        (await query(conn, "SELECT id FROM intake WHERE id = %s", row["report"]))
        and await the_report(conn, row["report"]),
    )
    assert len(await query(conn, "SELECT 1 FROM hazards")) == 4
    assert [seen.id for seen in await facts.opened(conn, NOW - DAY, NOW)] == [plain.id]
    assert await facts.opened(conn, NOW, NOW + DAY) == []


async def the_report(conn: Connection, id: object):  # type: ignore[no-untyped-def]
    from models.reports import Report

    (row,) = await query(conn, "SELECT id, unit, source, text, category, level FROM reports WHERE id = %s", id)
    return Report.model_validate(row)


async def test_closed_words_stay_where_they_are(conn: Connection) -> None:
    await opened(conn, subcategory="1001", text="几个人堵在厕所里")
    await opened(conn, text="二年级的孩子从护栏缝里钻过去", minors_involved=True)
    await opened(conn, text="消防栓没水", place="二号楼", unit=SIBLING)
    seen = {one.unit + one.subcategory: one for one in await facts.opened(conn, NOW - DAY, NOW)}
    assert [(one.text, one.place) for one in seen.values() if one.unit == SCHOOL] == [(None, None)] * 2
    assert (seen[SIBLING + "0101"].text, seen[SIBLING + "0101"].place) == ("消防栓没水", "二号楼")
    assert await facts.texts(conn, NOW) == [("01", SIBLING, "消防栓没水")]
    assert [one.unit for one in await facts.open_of(conn, ["0101", "1001"])].count(SCHOOL) == 1


async def test_days_are_the_city_s_and_lanes_stand_in_no_total(conn: Connection) -> None:
    late = datetime(2026, 5, 11, 23, 30, tzinfo=SHANGHAI)
    await opened(conn, at=late)
    await opened(conn, at=late, subcategory="1001")
    await opened(conn, at=datetime(2026, 5, 12, 0, 10, tzinfo=SHANGHAI), text="配电箱门敞开，电线裸露")
    tree = await units.tree(conn)
    counted = await facts.counts(conn, [tree[SCHOOL], tree[SIBLING]], date(2026, 5, 12))
    assert counted.days == (date(2026, 5, 11),)
    groups = {group: int(counted.n[0, at, 0]) for at, group in enumerate(GROUPS)}
    assert {group: n for group, n in groups.items() if n} == {"01": 1, "10": 1, "all": 1}
    assert counted.n[1].sum() == 0
    assert (counted.hours[23], counted.hours[0]) == (2.0, 1.0)
    assert (await facts.counts(conn, [tree[SCHOOL]], date(2020, 1, 1))).days == ()


async def test_a_life_knows_when_it_was_overdue(conn: Connection) -> None:
    fresh = await opened(conn, Level.RED)
    closed = await act(conn, await opened(conn, Level.RED, place="北门"), *TO_CLOSED)
    await opened(conn, subcategory="1001")
    at = NOW + timedelta(hours=1)
    lives = {id: life for _, id, life in await facts.lives(conn, NOW - DAY, at)}
    assert set(lives) == {fresh.id, closed.id}
    assert lives[fresh.id].overdue_from == NOW + timedelta(minutes=15)
    assert lives[fresh.id].overdue_to is None
    assert (lives[closed.id].closed_at, lives[closed.id].overdue_from) == (closed.closed_at, None)


async def test_closed_ones_are_found_by_unit_and_subcategory(conn: Connection) -> None:
    closed = await act(conn, await opened(conn, place="3号楼2层"), *TO_CLOSED)
    await act(conn, await opened(conn, unit=SIBLING, place="3号楼2层"), *TO_CLOSED)
    new = await facts.opened(conn, NOW - DAY, NOW)
    mine = [one for one in new if one.unit == SCHOOL]
    assert [one.id for one in await facts.closed_like(conn, mine, NOW - DAY)] == [closed.id]
    assert await facts.closed_like(conn, [], NOW - DAY) == []
    assert await facts.closed_like(conn, mine, NOW + DAY) == []
    assert (await accepted(conn)).id
