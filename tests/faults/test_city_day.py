"""A city's busy minutes: 2,000 hazards, people who act in time, late or never, and processes that are killed meanwhile.

At the end each missed deadline was escalated exactly once, at the right tier, within two seconds of its instant. Hazards
are reported as if some time ago, so that their deadlines fall due while the test looks on.
"""

import asyncio
import random
from collections import defaultdict
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.runtime.local import LocalRuntime
from deploy.simulate import Simulator
from models.chain import Chain, ClimbReason, climbed, step_for_level
from models.deadlines import DEFAULT_POLICY, Clock, Kind
from models.levels import Level
from models.loop import Action, Refused
from models.reports import Door, check
from models.roles import Actor, Role
from models.taxonomy import subcategories
from store import audit, db, hazards, reports, units
from store.reports import Entry
from streams.context import now
from tests.conftest import Deployment, deployed

pytestmark = [pytest.mark.runtime, pytest.mark.faults, pytest.mark.long, pytest.mark.timeout(300)]

HAZARDS = 2_000
TOGETHER = 20
# Time for two thousand reports to land, then a minute in which a deadline falls due every 30 ms.
LANDING, DAY = timedelta(seconds=45), timedelta(seconds=60)
LATE = timedelta(seconds=2)


async def rows(platform: Deployment, statement: str, *values: Any) -> list[dict[str, Any]]:
    async with db.connect(str(platform.settings.database)) as conn:
        return await (await conn.execute(statement, values)).fetchall()


async def report_all(platform: Deployment, begins: datetime, rng: random.Random) -> None:
    """Red and orange reports, received so long ago that each is to be judged at a moment of the day."""
    async with db.connect(str(platform.settings.database)) as conn:
        tree = await units.tree(conn)
        simulator, door = Simulator(tree, subcategories(), seed=99, source="city-day"), Door(tree=tree, now=begins)
        for start in range(0, HAZARDS, TOGETHER):
            level = rng.choice([Level.RED, Level.ORANGE])
            span = DEFAULT_POLICY[level][Kind.ASSESS]
            assert span
            received = begins + LANDING + DAY * (start / HAZARDS) - span
            told = []
            for number in range(start, start + TOGETHER):
                record = simulator.next(begins) | {"level": level.value, "drill": False, "place": f"{number}号点位"}
                told.append(Entry(check(record | {"text": f"{record['text'][:60]}（第{number}件）"}, door)))
            async with conn.transaction():
                await reports.accept(conn, told, "test", received)


async def people(platform: Deployment, until: datetime, rng: random.Random) -> dict[str, int]:
    """Assessors of the units: of what is open, some is judged before its time, some after it, some never."""
    acted = {"in time": 0, "late": 0}
    habit: dict[Any, str] = {}
    async with db.connect(str(platform.settings.database)) as conn:
        while now() < until:
            cur = await conn.execute(
                "SELECT h.id, h.unit, h.unit_path, d.due_at FROM hazards h JOIN deadlines d ON d.hazard = h.id "
                "AND d.kind = 'assess' AND d.round = 1 WHERE h.state = 'reported' AND d.due_at < %s",
                (now() + timedelta(seconds=8),),
            )
            waiting = await cur.fetchall()
            await conn.commit()
            for row in waiting:
                how = habit.setdefault(row["id"], rng.choices(["in time", "late", "never"], [4, 2, 4])[0])
                overdue = now() - row["due_at"]
                if (
                    how == "never"
                    or (how == "late" and overdue < timedelta(seconds=4))
                    or (how == "in time" and overdue > -timedelta(seconds=1))
                ):
                    continue
                who = Actor(f"test:{row['unit']}", "研判员", Role.ASSESSOR, row["unit"], row["unit_path"])
                try:
                    await hazards.apply(conn, row["id"], Action.ASSESS, who, {}, now(), Clock())
                    acted[how] += 1
                except Refused:
                    pass
                await conn.commit()
            await asyncio.sleep(0.2)
    return acted


async def test_each_missed_deadline_climbs_once_to_the_right_tier_within_two_seconds(
    runtime: LocalRuntime, template: str, trained: Path
) -> None:
    rng = random.Random(7)
    async with deployed(runtime, template, trained, "keeper", "worker") as platform:
        second = Deployment(platform.settings, runtime)
        second.mark = platform.mark + "-second"
        # Two keepers, as where it matters: what one was doing when it died, the other finds.
        await second.start("keeper")
        begins = now()
        ends = begins + LANDING + DAY
        await report_all(platform, begins, rng)
        acting = asyncio.create_task(people(platform, ends, rng))
        await asyncio.sleep(LANDING.total_seconds() + 10)
        for name in (platform.name("keeper"), platform.name("worker"), second.name("keeper"), platform.name("worker")):
            runtime.kill(name)
            await asyncio.sleep(9)
        acted = await acting
        await asyncio.sleep((ends - now()).total_seconds() + 5)
        await second.stop()

        assert (await rows(platform, "SELECT count(*) AS n FROM intake WHERE landed_at IS NULL"))[0]["n"] == 0
        missed = await rows(
            platform,
            "SELECT d.hazard, d.round, d.due_at, d.met_at, count(e.hazard) AS times, min(e.at) AS at FROM deadlines d "
            "LEFT JOIN escalations e ON e.hazard = d.hazard AND e.kind = d.kind AND e.round = d.round "
            "AND e.reason = 'deadline' WHERE d.kind = 'assess' AND d.due_at BETWEEN %s AND %s GROUP BY 1, 2, 3, 4",
            begins + LANDING,
            ends,
        )
        climbs = await rows(
            platform,
            "SELECT h.chain, h.level, e.hazard, e.reason, e.to_unit FROM escalations e JOIN hazards h ON h.id = e.hazard "
            "ORDER BY e.hazard, e.seq",
        )
        async with db.connect(str(platform.settings.database)) as conn:
            findings = await audit.examine(conn, now())
    in_time = [d for d in missed if d["met_at"] is not None and d["met_at"] <= d["due_at"]]
    late = [d for d in missed if d not in in_time]
    assert len(late) > HAZARDS / 4
    assert acted["in time"] > HAZARDS / 10
    assert {d["times"] for d in in_time} <= {0}, "what was judged in time never climbs for it"
    assert {d["times"] for d in late} == {1}, "each missed deadline climbs exactly once"
    slowest = max(d["at"] - d["due_at"] for d in late)
    assert min(d["at"] - d["due_at"] for d in late) >= timedelta(0)
    assert slowest <= LATE, f"the slowest climb came {slowest} after its instant"
    by_hazard = defaultdict(list)
    for climb in climbs:
        by_hazard[climb["hazard"]].append(climb)
    for path in by_hazard.values():
        chain, step = Chain.from_json(path[0]["chain"]), 0
        for climb in path:
            by_level = climb["reason"] == ClimbReason.LEVEL
            step = step_for_level(Level(climb["level"]), chain) if by_level else climbed(step, chain)
            assert climb["to_unit"] == chain.at(step).unit
    assert findings.whole, findings
