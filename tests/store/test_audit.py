"""The auditor: whole where all is well; each kind of breakage is found, and what is safe is mended."""

from datetime import timedelta
from typing import Any

import pytest

from models.deadlines import Clock
from models.levels import Level
from models.loop import Action
from models.reports import BadReport, Door, Problem, Report, check
from store import audit, dead, escalations, hazards, outbox, reports, units
from store.db import Connection
from store.reports import Entry
from tests import factories
from tests.factories import NOW
from tests.store.test_hazards import ASSESSOR, TO_CLOSED, act
from tests.store.test_landing import CLOCK, accepted, land, opened, query

pytestmark = pytest.mark.runtime

LATER = NOW + timedelta(minutes=5)


async def drained(conn: Connection) -> list[dict[str, Any]]:
    """What the outbox holds; it is empty afterwards, as if Kafka had taken it."""
    rows = await outbox.peek(conn, 1000)
    await outbox.remove(conn, [row["id"] for row in rows])
    return rows


async def test_an_empty_database_is_whole(conn: Connection) -> None:
    found = await audit.examine(conn, NOW)
    assert found.whole
    assert found == audit.Findings(0, 0.0, 0, 0, 0, {})


async def test_a_good_database_is_whole_in_every_state(conn: Connection) -> None:
    routed = await opened(conn, Level.RED)
    await escalations.route(conn, [routed.id], NOW, CLOCK)
    await act(conn, await opened(conn), *TO_CLOSED)
    await act(conn, await opened(conn), (Action.REJECT, ASSESSOR, {"reason": "误报"}))
    for n in range(1, len(TO_CLOSED)):
        await act(conn, await opened(conn), *TO_CLOSED[:n])
    await land(conn, await accepted(conn, drill=True))
    assert (await audit.examine(conn, LATER)).whole
    await escalations.sweep(conn, NOW + timedelta(days=90), CLOCK)
    assert (await audit.examine(conn, NOW + timedelta(days=90))).whole, "a missed round leaves a next one"


async def test_a_report_that_never_landed_is_found_after_the_patience(conn: Connection) -> None:
    await accepted(conn)
    assert (await audit.examine(conn, NOW + audit.PATIENCE)).whole
    found = await audit.examine(conn, LATER)
    assert (found.waiting, found.whole) == (1, False)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM deadlines",
        "UPDATE deadlines SET met_at = now()",
        "UPDATE deadlines SET missed_at = now()",
        "UPDATE deadlines SET dropped_at = now()",
    ],
)
async def test_an_open_hazard_without_a_next_deadline_is_found(conn: Connection, statement: str) -> None:
    await opened(conn)
    await conn.execute(statement)
    found = await audit.examine(conn, NOW)
    assert (found.without_deadline, found.whole) == (1, False)


@pytest.mark.parametrize(("level", "found"), [(Level.RED, 1), (Level.ORANGE, 1), (Level.YELLOW, 0)])
async def test_a_hazard_below_its_tier_is_found(conn: Connection, level: Level, found: int) -> None:
    await opened(conn, level)
    assert (await audit.examine(conn, NOW)).unrouted == 0
    assert (await audit.examine(conn, LATER)).unrouted == found


async def test_a_red_hazard_stopped_half_way_is_found(conn: Connection) -> None:
    hazard = await opened(conn, Level.RED)
    await escalations.sweep(conn, NOW + timedelta(minutes=15), CLOCK)
    assert (await hazards.get(conn, hazard.id)).step == 1
    assert (await audit.examine(conn, NOW + timedelta(minutes=16))).unrouted == 1


async def test_a_hazard_of_the_city_itself_has_nowhere_to_go(conn: Connection) -> None:
    await opened(conn, Level.RED, unit=factories.CITY)
    assert (await audit.examine(conn, LATER)).unrouted == 0


async def test_a_broken_trail_is_found(conn: Connection) -> None:
    hazard = await opened(conn)
    await conn.execute("ALTER TABLE trail DISABLE TRIGGER ALL")
    await conn.execute("UPDATE trail SET actor = 'somebody'")
    found = await audit.examine(conn, NOW)
    assert (found.broken, found.whole) == ({hazard.id: 1}, False)


async def test_dead_letters_and_the_outbox_are_counted_and_are_no_breakage(conn: Connection) -> None:
    error = BadReport(Problem("", "json", "不是合法的 JSON"))
    await dead.put(conn, [dead.letter(factories.new_id(), "risk.reports", 0, 1, None, b"{", error)], NOW)
    await conn.execute("UPDATE outbox SET created_at = %s", (NOW - timedelta(seconds=30),))
    found = await audit.examine(conn, NOW)
    assert (found.dead, found.outbox_age, found.whole) == (1, 30.0, True)


async def test_a_lost_report_is_sent_again_once_within_the_interval(conn: Connection) -> None:
    await accepted(conn)
    assert await audit.mend(conn, LATER, CLOCK) == {"resent": 0, "routed": 0}, "it still waits in the outbox"
    await drained(conn)
    assert await audit.mend(conn, NOW + timedelta(minutes=1), CLOCK) == {"resent": 0, "routed": 0}, "patience"
    assert (await audit.mend(conn, LATER, CLOCK))["resent"] == 1
    await drained(conn)
    assert (await audit.mend(conn, LATER + timedelta(minutes=1), CLOCK))["resent"] == 0
    assert (await audit.mend(conn, LATER + timedelta(minutes=11), CLOCK))["resent"] == 1


async def test_a_landed_report_is_never_sent_again(conn: Connection) -> None:
    await land(conn, await accepted(conn))
    await drained(conn)
    assert (await audit.mend(conn, LATER, CLOCK))["resent"] == 0


FULL: dict[str, Any] = {
    "source_id": "S-1",
    "text": "家长来电 13800001234：食堂后门燃气味大",
    "place": "食堂后门",
    "location": {"lon": 121.523, "lat": 29.864, "crs": "GCJ-02"},
    "occurred_at": "2026-05-12T13:05:06.789+08:00",
    "reported_at": "2026-05-12T05:30:00Z",
    "category": "0201",
    "level": "orange",
    "people_affected": 0,
    "minors_involved": False,
    "reporter": {"id": "u-1", "name": "张三", "mobile": "13800001234"},
    "attachments": [{"name": "a.jpg", "url": "https://files.test/a.jpg", "sha256": "0" * 64}, {"name": "b"}],
}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        FULL,
        {**FULL, "location": {"lon": 121.1234567890123, "lat": 29.9, "crs": "CGCS2000"}, "drill": True},
        {"location": {"lon": 121, "lat": 30}, "place": "", "minors_involved": True},
    ],
    ids=["least", "full", "another system", "edges"],
)
async def test_what_is_sent_again_is_the_same_report(conn: Connection, fields: dict[str, Any]) -> None:
    door = Door(tree=await units.tree(conn), now=NOW)
    told: Report = check(factories.record(**fields), door)
    first = (await reports.accept(conn, [Entry(told)], "somebody", NOW))[0]
    sent = (await drained(conn))[0]
    await audit.mend(conn, LATER, CLOCK)
    again = (await drained(conn))[0]
    assert (again["aggregatetype"], again["aggregateid"]) == (sent["aggregatetype"], sent["aggregateid"])
    assert "reporter" not in again["payload"]
    report = check(again["payload"], door)
    digests = await query(conn, "SELECT digest FROM intake")
    assert report.digest() == bytes(digests[0]["digest"])
    known = (await reports.accept(conn, [Entry(report)], "kafka", LATER, publish=False))[0]
    assert (known.id, known.new, known.conflict) == (first.id, False, None)
    assert (await land(conn, report, now=LATER))["before"] == 0


async def test_an_old_report_can_still_be_sent_again(conn: Connection) -> None:
    """A report that was in time when it was accepted stays acceptable, however long the broker was away."""
    report = await accepted(conn, occurred_at=NOW)
    await drained(conn)
    late = NOW + timedelta(days=30)
    await audit.mend(conn, late, CLOCK)
    told = check((await drained(conn))[0]["payload"], Door(tree=await units.tree(conn), now=late))
    assert told.id == report.id


async def test_an_unrouted_red_one_is_routed(conn: Connection) -> None:
    hazard = await opened(conn, Level.RED)
    assert await audit.mend(conn, LATER, Clock()) == {"resent": 0, "routed": 1}
    assert (await hazards.get(conn, hazard.id)).tier == "city"
    assert await audit.mend(conn, LATER, Clock()) == {"resent": 0, "routed": 0}
    assert (await audit.examine(conn, LATER)).whole
