"""Climbing: by level at once, by time with each missed deadline, once each, and never after the end."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from models.hazards import Hazard
from models.levels import Level
from models.loop import Action
from store import db, deadlines, escalations, hazards, outbox, trail
from store.db import Connection
from tests import factories
from tests.factories import CITY, COLLEGE, DISTRICT, NOW, SCHOOL
from tests.store.test_hazards import ASSESSOR, MINUTE, TO_CLOSED, act
from tests.store.test_landing import CLOCK, opened, query, rounds, running

pytestmark = pytest.mark.runtime

LATE = NOW + timedelta(minutes=20)


async def climbs(conn: Connection, hazard: Hazard) -> list[dict[str, Any]]:
    """What is recorded, in order."""
    return await query(
        conn,
        "SELECT reason, kind, round, from_unit, to_unit, to_tier FROM escalations WHERE hazard = %s ORDER BY seq",
        hazard.id,
    )


async def sweep(conn: Connection, now: datetime) -> int:
    return await escalations.sweep(conn, now, CLOCK)


@pytest.mark.parametrize(
    ("level", "unit", "to"),
    [
        (Level.RED, SCHOOL, CITY),
        (Level.RED, COLLEGE, CITY),
        (Level.RED, DISTRICT, CITY),
        (Level.ORANGE, SCHOOL, DISTRICT),
        (Level.ORANGE, COLLEGE, "U01"),
        (Level.ORANGE, DISTRICT, CITY),
        (Level.YELLOW, SCHOOL, None),
        (Level.BLUE, SCHOOL, None),
        (Level.RED, CITY, None),
    ],
)
async def test_a_level_finds_its_tier_once(conn: Connection, level: Level, unit: str, to: str | None) -> None:
    hazard = await opened(conn, level, unit=unit)
    assert await escalations.route(conn, [hazard.id], NOW, CLOCK) == int(to is not None)
    assert await escalations.route(conn, [hazard.id], NOW, CLOCK) == 0
    hazard = await hazards.get(conn, hazard.id)
    recorded = await climbs(conn, hazard)
    assert [(c["reason"], c["from_unit"], c["to_unit"]) for c in recorded] == ([("level", unit, to)] if to else [])
    assert hazard.chain.at(hazard.step).unit == (to or unit)
    assert "report" not in await running(conn, hazard), "the city knows, or is owed nothing"
    assert await trail.broken(conn) == {}


@pytest.mark.parametrize("how", ["closed", "rejected"])
async def test_an_ended_hazard_is_never_routed(conn: Connection, how: str) -> None:
    hazard = await opened(conn, Level.RED)
    steps = TO_CLOSED if how == "closed" else ((Action.REJECT, ASSESSOR, {"reason": "误报"}),)
    await act(conn, hazard, *steps)
    assert await escalations.route(conn, [hazard.id], NOW, CLOCK) == 0
    assert await climbs(conn, hazard) == []


async def test_routing_an_unknown_hazard_is_no_error(conn: Connection) -> None:
    assert await escalations.route(conn, [factories.new_id()], NOW, CLOCK) == 0


async def test_a_climb_is_told_on_kafka(conn: Connection) -> None:
    hazard = await opened(conn, Level.RED)
    await escalations.route(conn, [hazard.id], NOW, CLOCK)
    told = [row for row in await outbox.peek(conn, 100) if row["aggregatetype"] == "escalations"]
    assert [(row["aggregateid"], row["type"]) for row in told] == [(SCHOOL, "escalation.level")]
    payload = told[0]["payload"]
    assert (payload["id"], payload["from_tier"], payload["to_tier"]) == (str(hazard.id), "school", "city")
    assert hazard.text not in str(payload)


async def test_before_its_instant_nothing_is_missed(conn: Connection) -> None:
    hazard = await opened(conn, Level.RED)
    assert await sweep(conn, NOW + timedelta(minutes=15) - timedelta(microseconds=1)) == 0
    assert await sweep(conn, NOW + timedelta(minutes=15)) == 1
    assert len(await climbs(conn, hazard)) == 1


async def test_a_missed_assessment_lifts_one_tier_once_and_the_next_round_begins(conn: Connection) -> None:
    hazard = await opened(conn, Level.RED)
    assert await sweep(conn, LATE) == 1
    assert await sweep(conn, LATE) == 0
    hazard = await hazards.get(conn, hazard.id)
    assert (hazard.step, hazard.tier) == (1, "district")
    assert await climbs(conn, hazard) == [
        {"reason": "deadline", "kind": "assess", "round": 1}
        | {"from_unit": SCHOOL, "to_unit": DISTRICT, "to_tier": "district"}
    ]
    held = await rounds(conn, hazard)
    assert held["assess", 1]["missed_at"] == LATE
    assert (held["assess", 2]["begun_at"], held["assess", 2]["due_at"]) == (LATE, LATE + timedelta(minutes=15))
    assert await trail.broken(conn) == {}


async def test_round_after_round_it_reaches_the_top_and_is_recorded_there_without_climbing(conn: Connection) -> None:
    hazard = await opened(conn, Level.YELLOW)
    at, steps = NOW, []
    for n in range(1, 5):
        at = (await running(conn, hazard))["assess"]
        assert await sweep(conn, at) == 1
        hazard = await hazards.get(conn, hazard.id)
        steps.append(hazard.step)
        assert ("assess", n + 1) in await rounds(conn, hazard)
    assert steps == [1, 2, 2, 2]
    assert [(c["round"], c["from_unit"], c["to_unit"]) for c in await climbs(conn, hazard)] == [
        (1, SCHOOL, DISTRICT),
        (2, DISTRICT, CITY),
        (3, CITY, CITY),
        (4, CITY, CITY),
    ]
    actions = [row["action"] for row in await trail.of(conn, hazard.id)]
    assert actions == ["open", "climb", "climb", "miss", "miss"]


async def test_several_due_at_once_count_each(conn: Connection) -> None:
    hazard = await opened(conn, Level.ORANGE)
    others = [await opened(conn, Level.RED) for _ in range(3)]
    assert await sweep(conn, NOW + timedelta(minutes=61)) == 2 + 2 * 3
    for one in (hazard, *others):
        assert [c["kind"] for c in await climbs(conn, one)] == ["assess", "report"]
        assert (await hazards.get(conn, one.id)).step == 2
        assert set(await running(conn, one)) == {"assess"}
    assert await sweep(conn, NOW + timedelta(minutes=61)) == 0
    assert await trail.broken(conn) == {}


async def test_a_missed_report_to_the_city_comes_again_until_it_is_told(conn: Connection) -> None:
    hazard = await opened(conn, Level.RED)
    await conn.execute("UPDATE deadlines SET dropped_at = %s WHERE kind = 'assess'", (NOW,))
    first = NOW + timedelta(hours=1)
    assert await sweep(conn, first) == 1
    hazard = await hazards.get(conn, hazard.id)
    assert (hazard.tier, await running(conn, hazard)) == ("district", {"report": first + timedelta(hours=1)})
    assert await escalations.route(conn, [hazard.id], first, CLOCK) == 1
    assert "report" not in await running(conn, hazard)


async def test_an_assessment_in_time_climbs_nothing(conn: Connection) -> None:
    hazard = await opened(conn)
    await act(conn, hazard, (Action.ASSESS, ASSESSOR, {}))
    assert await sweep(conn, NOW + timedelta(hours=3)) == 0


async def test_a_granted_extension_holds_the_climb_back(conn: Connection) -> None:
    hazard = await act(conn, await opened(conn, Level.RED), *TO_CLOSED[:4])
    due = (await running(conn, hazard))["rectify"]
    handler, supervisor = TO_CLOSED[3][1], TO_CLOSED[5][1]
    await act(
        conn,
        hazard,
        (Action.EXTEND, handler, {"until": due + timedelta(days=1), "reason": "等配件"}),
        (Action.EXTEND, supervisor, {"approve": True}),
    )
    await escalations.route(conn, [hazard.id], NOW, CLOCK)
    assert await sweep(conn, due) == 0
    assert await sweep(conn, due + timedelta(days=1)) == 1


async def test_a_missed_review_is_recorded_once_and_never_climbs(conn: Connection) -> None:
    hazard = await act(conn, await opened(conn, Level.RED), *TO_CLOSED)
    late = NOW + timedelta(days=4)
    assert await sweep(conn, late) == 1
    assert await sweep(conn, late + timedelta(days=30)) == 0
    hazard = await hazards.get(conn, hazard.id)
    assert hazard.step == 0
    assert [(c["kind"], c["from_unit"], c["to_unit"]) for c in await climbs(conn, hazard)] == [
        ("review", SCHOOL, SCHOOL)
    ]
    assert (await rounds(conn, hazard))["review", 1]["missed_at"] == late


@pytest.mark.parametrize("how", ["closed", "rejected", "merged"])
async def test_an_ended_hazard_never_climbs(conn: Connection, how: str) -> None:
    hazard = await opened(conn, Level.YELLOW)
    if how == "closed":
        await act(conn, hazard, *TO_CLOSED)
    elif how == "rejected":
        await act(conn, hazard, (Action.REJECT, ASSESSOR, {"reason": "误报"}))
    else:
        master = await opened(conn, Level.BLUE)
        await act(conn, hazard, (Action.MERGE, ASSESSOR, {"into": str(master.id)}))
        await act(conn, master, *TO_CLOSED)
    assert await sweep(conn, NOW + timedelta(days=365)) == 0
    assert await climbs(conn, hazard) == []


async def test_two_connections_sweeping_at_once_record_each_miss_once(dsn: str, conn: Connection) -> None:
    held = [await opened(conn, Level.RED) for _ in range(20)]
    await conn.commit()

    async def once() -> int:
        async with db.connect(dsn) as own:
            return await sweep(own, LATE)

    missed = await asyncio.gather(*(once() for _ in range(4)))
    assert sum(missed) == 20
    rows = await query(conn, "SELECT step, version, count(*) AS n FROM hazards GROUP BY step, version")
    assert rows == [{"step": 1, "version": 2, "n": 20}]
    assert await query(conn, "SELECT count(*) AS n FROM escalations") == [{"n": len(held)}]
    assert await trail.broken(conn) == {}


async def test_a_sweep_skips_what_another_holds_and_takes_it_next_time(dsn: str, conn: Connection) -> None:
    held, free = await opened(conn, Level.RED), await opened(conn, Level.RED)
    await conn.commit()
    async with db.connect(dsn) as officer:
        await hazards.get(officer, held.id, lock=True)
        async with asyncio.timeout(5):
            assert await sweep(conn, LATE) == 1
        assert await climbs(conn, held) == []
        assert len(await climbs(conn, free)) == 1
        await conn.commit()
        await officer.rollback()
    assert await sweep(conn, LATE) == 1
    assert len(await climbs(conn, held)) == 1


async def test_the_act_that_meets_the_deadline_wins_over_a_sweep_that_skipped_it(dsn: str, conn: Connection) -> None:
    hazard = await opened(conn, Level.RED)
    await conn.commit()
    async with db.connect(dsn) as officer:
        await hazards.apply(officer, hazard.id, Action.ASSESS, ASSESSOR, {}, LATE, CLOCK)
        assert await sweep(conn, LATE) == 0
        await officer.commit()
    assert await sweep(conn, LATE) == 0
    assert await climbs(conn, hazard) == []


async def test_a_storm_is_taken_in_parts_earliest_first(conn: Connection) -> None:
    first = await opened(conn, Level.RED)
    later = [await opened(conn, Level.RED, at=NOW + n * MINUTE) for n in (1, 2)]
    late = NOW + timedelta(minutes=30)
    assert await escalations.sweep(conn, late, CLOCK, limit=1) == 1
    assert len(await climbs(conn, first)) == 1
    assert await deadlines.due(conn, late, 10) == [hazard.id for hazard in later]
    assert await escalations.sweep(conn, late, CLOCK, limit=10) == 2
