"""Landing: judged reports become hazards or witnesses, once. Other tests of the store land their hazards by what is here."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from models.deadlines import DEFAULT_POLICY, Clock, Kind
from models.hazards import Hazard
from models.levels import Level
from models.loop import Action, State
from models.reports import Report
from models.roles import Role
from store import db, hazards, landing, outbox, reports, trail, units
from store.db import Connection
from store.landing import Landing
from store.reports import Entry
from tests import factories
from tests.factories import NOW, SCHOOL

pytestmark = pytest.mark.runtime

CLOCK = Clock()


async def query(conn: Connection, statement: str, *values: Any) -> list[dict[str, Any]]:
    """Rows."""
    return await (await conn.execute(statement, values)).fetchall()


async def count(conn: Connection, table: str) -> int:
    """How many rows a table holds."""
    return int((await query(conn, f"SELECT count(*) AS n FROM {table}"))[0]["n"])


async def accepted(conn: Connection, at: datetime = NOW, **fields: Any) -> Report:
    """A report that passed the door; by default at a place of its own, so that it is nobody's witness, and by a person of their own."""
    own = {"place": factories.somewhere(), "reporter": {"id": factories.new_id().hex}}
    report = factories.report(**own | fields)
    answers = await reports.accept(conn, [Entry(report)], "test", at)
    assert answers[0].new
    return report


async def land(conn: Connection, *told: Report, now: datetime = NOW, **judged: Any) -> dict[str, int]:
    """Land accepted reports, all judged alike."""
    judgement = factories.judgement(**judged)
    return await landing.land(conn, [Landing(r, judgement) for r in told], await units.tree(conn), now, CLOCK)


async def hazard_of(conn: Connection, report: Report) -> Hazard:
    """The hazard that a landed report tells of."""
    rows = await query(conn, "SELECT hazard FROM intake WHERE id = %s", report.id)
    return await hazards.get(conn, rows[0]["hazard"])


async def opened(
    conn: Connection, level: Level = Level.YELLOW, subcategory: str = "0101", at: datetime = NOW, **fields: Any
) -> Hazard:
    """A new hazard."""
    report = await accepted(conn, at, **fields)
    judged = {"category": subcategory[:2], "subcategory": subcategory, "labels": (subcategory,)}
    assert (await land(conn, report, now=at, level=level, **judged))["opened"] == 1
    return await hazard_of(conn, report)


async def rounds(conn: Connection, hazard: Hazard) -> dict[tuple[str, int], dict[str, Any]]:
    """A hazard's deadlines by kind and round."""
    rows = await query(conn, "SELECT * FROM deadlines WHERE hazard = %s", hazard.id)
    return {(row["kind"], row["round"]): row for row in rows}


async def running(conn: Connection, hazard: Hazard) -> dict[str, datetime]:
    """Running deadlines: when each kind falls due."""
    return {
        kind: row["due_at"]
        for (kind, _), row in (await rounds(conn, hazard)).items()
        if row["met_at"] is None and row["missed_at"] is None and row["dropped_at"] is None
    }


async def test_a_judged_report_opens_a_hazard_with_its_first_event_and_a_message(conn: Connection) -> None:
    report = await accepted(conn, place="3号楼2层")
    await outbox.remove(conn, [row["id"] for row in await outbox.peek(conn, 10)])
    assert await land(conn, report) == {"opened": 1, "attached": 0, "resent": 0, "quiet": 0, "before": 0}
    hazard = await hazard_of(conn, report)
    assert (hazard.state, hazard.level, hazard.subcategory) == (State.REPORTED, Level.YELLOW, "0101")
    assert (hazard.opened_at, hazard.version, hazard.step, hazard.tier) == (NOW, 1, 0, "school")
    assert [link.unit for link in hazard.chain.links] == [SCHOOL, "330203", "330200"]
    told = await outbox.peek(conn, 10)
    assert [(row["aggregatetype"], row["aggregateid"], row["type"]) for row in told] == [
        ("hazards", SCHOOL, "hazard.open")
    ]
    assert report.text not in str(told[0]["payload"])


async def test_a_second_landing_counts_before_and_changes_nothing(conn: Connection) -> None:
    first, drill = await accepted(conn), await accepted(conn, drill=True)
    assert await land(conn, first, drill) == {"opened": 1, "attached": 0, "resent": 0, "quiet": 1, "before": 0}
    tables = ("intake", "hazards", "trail", "deadlines", "outbox", "reports")
    held = {table: await query(conn, f"SELECT * FROM {table} t ORDER BY t::text") for table in tables}
    later = NOW + timedelta(hours=1)
    assert await land(conn, first, drill, now=later) == {
        "opened": 0,
        "attached": 0,
        "resent": 0,
        "quiet": 0,
        "before": 2,
    }
    assert {table: await query(conn, f"SELECT * FROM {table} t ORDER BY t::text") for table in tables} == held


async def test_a_report_that_the_door_does_not_know_lands_nowhere(conn: Connection) -> None:
    assert await land(conn, factories.report()) == {"opened": 0, "attached": 0, "resent": 0, "quiet": 0, "before": 1}
    assert await count(conn, "hazards") == 0


async def test_a_report_without_an_id_is_a_mistake_of_the_caller(conn: Connection) -> None:
    with pytest.raises(ValueError, match="gets its id at the door"):
        await land(conn, factories.report(id=None))


async def test_the_same_report_twice_in_one_batch_lands_once(conn: Connection) -> None:
    report = await accepted(conn)
    assert await land(conn, report, report) == {"opened": 1, "attached": 0, "resent": 0, "quiet": 0, "before": 1}


@pytest.mark.parametrize(
    ("fields", "judged", "outcome"),
    [
        ({"drill": True}, {}, "quiet"),
        ({}, {"raises": False}, "quiet"),
        ({"level": "orange"}, {"raises": False}, "opened"),
        ({"level": "orange", "drill": True}, {}, "quiet"),
    ],
    ids=["drill", "nothing raised", "an officer's level counts more", "a drill stays a drill"],
)
async def test_what_raises_nothing_is_quiet(
    conn: Connection, fields: dict[str, Any], judged: dict[str, Any], outcome: str
) -> None:
    report = await accepted(conn, **fields)
    assert (await land(conn, report, **judged))[outcome] == 1
    rows = await query(conn, "SELECT outcome, landed_at, hazard IS NULL AS none FROM intake")
    assert rows == [{"outcome": outcome, "landed_at": NOW, "none": outcome == "quiet"}]
    assert await count(conn, "hazards") == int(outcome == "opened")


async def test_what_the_officer_named_counts_and_the_graver_level(conn: Connection) -> None:
    report = await accepted(conn, category="0402", level="blue")
    await land(conn, report, level=Level.ORANGE)
    hazard = await hazard_of(conn, report)
    assert (hazard.subcategory, hazard.level) == ("0402", Level.ORANGE)
    assert (hazard.machine_subcategory, hazard.machine_level) == ("0101", Level.ORANGE)


async def test_two_witnesses_in_one_batch_make_one_hazard(conn: Connection) -> None:
    first = await accepted(conn, place="三号楼", reporter={"id": "a"})
    second = await accepted(conn, place="三号楼二层", reporter={"id": "b"})
    assert await land(conn, first, second) == {"opened": 1, "attached": 1, "resent": 0, "quiet": 0, "before": 0}
    hazard = await hazard_of(conn, first)
    assert (await hazard_of(conn, second)).id == hazard.id
    assert (hazard.report_count, hazard.version, hazard.reporters) == (2, 2, {"a", "b"})
    assert [row["action"] for row in await trail.of(conn, hazard.id)] == ["open", "attach"]
    assert await trail.broken(conn) == {}


async def test_many_witnesses_of_several_hazards_in_one_batch_keep_every_trail_whole(conn: Connection) -> None:
    told = [await accepted(conn, place=place) for place in ("甲楼", "乙楼", "甲楼", "丙楼", "甲楼", "乙楼")]
    assert await land(conn, *told) == {"opened": 3, "attached": 3, "resent": 0, "quiet": 0, "before": 0}
    rows = await query(conn, "SELECT place, report_count AS n, version FROM hazards ORDER BY n DESC")
    assert rows == [{"place": place, "n": n, "version": n} for place, n in (("甲楼", 3), ("乙楼", 2), ("丙楼", 1))]
    assert await trail.broken(conn) == {}


@pytest.mark.parametrize(
    ("fields", "judged"),
    [
        ({"unit": factories.SIBLING}, {}),
        ({"place": "五号楼"}, {}),
        ({}, {"category": "04", "subcategory": "0402", "labels": ("0402",)}),
        ({"place": None, "text": "消防栓没有水，水带发霉"}, {}),
    ],
    ids=["another unit", "another place", "another kind", "other words"],
)
async def test_another_thing_opens_a_hazard_of_its_own(
    conn: Connection, fields: dict[str, Any], judged: dict[str, Any]
) -> None:
    await land(conn, await accepted(conn, place="三号楼"))
    assert (await land(conn, await accepted(conn, **{"place": "三号楼", **fields}), **judged))["opened"] == 1


async def test_a_graver_witness_raises_the_level_and_its_deadlines_count_from_the_opening(conn: Connection) -> None:
    hazard = await opened(conn, Level.YELLOW, place="三号楼")
    later = NOW + timedelta(minutes=5)
    witness = await accepted(conn, later, place="三号楼")
    assert (await land(conn, witness, now=later, level=Level.ORANGE))["attached"] == 1
    hazard = await hazards.get(conn, hazard.id)
    assert hazard.level is Level.ORANGE
    assert await running(conn, hazard) == {
        "assess": NOW + timedelta(minutes=30),
        "report": later + timedelta(hours=1),
    }
    assert (await land(conn, await accepted(conn, later, place="三号楼"), level=Level.BLUE))["attached"] == 1
    assert (await hazards.get(conn, hazard.id)).level is Level.ORANGE, "a milder telling never lowers"


async def test_after_an_assessor_has_spoken_a_witness_changes_no_level(conn: Connection) -> None:
    hazard = await opened(conn, place="三号楼")
    await hazards.apply(conn, hazard.id, Action.ASSESS, factories.actor(), {}, NOW, CLOCK)
    await land(conn, await accepted(conn, place="三号楼"), level=Level.RED)
    hazard = await hazards.get(conn, hazard.id)
    assert (hazard.level, hazard.report_count) == (Level.YELLOW, 2)


async def test_a_witness_of_an_ended_hazard_opens_anew(conn: Connection) -> None:
    hazard = await opened(conn, place="三号楼")
    await hazards.apply(conn, hazard.id, Action.REJECT, factories.actor(), {"reason": "误报"}, NOW, CLOCK)
    assert (await land(conn, await accepted(conn, place="三号楼")))["opened"] == 1


@pytest.mark.parametrize("level", list(Level))
async def test_deadlines_begin_as_the_policy_says(conn: Connection, level: Level) -> None:
    hazard = await opened(conn, level)
    wanted = {Kind.ASSESS: CLOCK.due(Kind.ASSESS, level, NOW), Kind.REPORT: CLOCK.due(Kind.REPORT, level, NOW)}
    assert await running(conn, hazard) == {kind: due for kind, due in wanted.items() if due}
    assert {row["begun_at"] for row in (await rounds(conn, hazard)).values()} == {NOW}
    if level.urgent:
        assert wanted[Kind.ASSESS] == NOW + (DEFAULT_POLICY[level][Kind.ASSESS] or timedelta())


async def test_deadlines_count_from_the_door_and_not_from_the_landing(conn: Connection) -> None:
    report = await accepted(conn)
    await land(conn, report, now=NOW + timedelta(hours=5), level=Level.RED)
    hazard = await hazard_of(conn, report)
    assert hazard.opened_at == NOW
    assert (await running(conn, hazard))["assess"] == NOW + timedelta(minutes=15)


async def test_the_city_itself_has_nobody_to_report_to(conn: Connection) -> None:
    hazard = await opened(conn, Level.RED, unit=factories.CITY)
    assert set(await running(conn, hazard)) == {"assess"}


async def test_two_connections_landing_one_batch_land_it_once(dsn: str, conn: Connection) -> None:
    told = [await accepted(conn) for _ in range(20)]
    await conn.commit()

    async def once(given: list[Report]) -> dict[str, int]:
        async with db.connect(dsn) as own:
            return await land(own, *given)

    counts = await asyncio.gather(once(told), once(told[::-1]))
    assert sorted((c["opened"], c["before"]) for c in counts) == [(0, 20), (20, 0)]
    assert await count(conn, "hazards") == 20
    assert await trail.broken(conn) == {}


async def test_two_connections_attaching_to_one_hazard_both_count(dsn: str, conn: Connection) -> None:
    hazard = await opened(conn, place="三号楼")
    witnesses = [await accepted(conn, place="三号楼") for _ in range(8)]
    await conn.commit()

    async def once(given: list[Report]) -> dict[str, int]:
        async with db.connect(dsn) as own:
            return await land(own, *given)

    counts = await asyncio.gather(*(once(witnesses[i : i + 2]) for i in range(0, 8, 2)))
    assert [c["attached"] for c in counts] == [2, 2, 2, 2]
    hazard = await hazards.get(conn, hazard.id)
    assert (hazard.report_count, hazard.version) == (9, 9)
    assert await trail.broken(conn) == {}


async def test_a_hazard_that_ends_while_its_witness_waits_for_it_gains_none(dsn: str, conn: Connection) -> None:
    hazard = await opened(conn, place="三号楼")
    witness = await accepted(conn, place="三号楼")
    await conn.commit()
    async with db.connect(dsn) as other:
        assessor = factories.actor(Role.ASSESSOR)
        await hazards.apply(other, hazard.id, Action.REJECT, assessor, {"reason": "误报"}, NOW, CLOCK)
        waiting = asyncio.create_task(land(conn, witness))
        await asyncio.sleep(0.2)
        assert not waiting.done(), "the landing waits for the one who holds the hazard"
        await other.commit()
        assert (await waiting)["opened"] == 1
    assert (await hazards.get(conn, hazard.id)).report_count == 1
