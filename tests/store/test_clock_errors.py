"""The classic errors of ticket systems' clocks, one test each by name; after each, every open hazard still has a running deadline."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
import pytest_asyncio

from models.deadlines import Clock
from models.hazards import Hazard
from models.levels import Level
from models.loop import Action, State
from models.policy import Entry, Kind, Policy
from store import audit, db, deadlines, escalations, hazards, trail
from store.db import Connection
from tests import factories
from tests.factories import NOW, SCHOOL
from tests.store.test_escalations import climbs
from tests.store.test_hazards import (
    ASSESSOR,
    DAY,
    HANDLER,
    HOUR,
    LEADER,
    MINUTE,
    SUPERVISOR,
    TO_CLOSED,
    TO_HANDLING,
    act,
    extend,
)
from tests.store.test_landing import CLOCK, opened, rounds, running

pytestmark = pytest.mark.runtime

FIVE_YEARS = timedelta(days=5 * 365)


@pytest_asyncio.fixture(autouse=True, loop_scope="session")
async def whole(conn: Connection) -> AsyncIterator[None]:
    """Whatever a test did: every open hazard has a running deadline, and the trail is whole."""
    yield
    found = await audit.examine(conn, NOW)
    assert found.without_deadline == 0
    assert found.broken == {}


async def sweep(conn: Connection, now: datetime, clock: Clock = CLOCK) -> int:
    return await escalations.sweep(conn, now, clock)


async def missed(conn: Connection, hazard: Hazard) -> list[tuple[str, int]]:
    """Kind and round of what was missed, earliest first."""
    rows = [(row["missed_at"], key) for key, row in (await rounds(conn, hazard)).items() if row["missed_at"]]
    return [key for _, key in sorted(rows)]


async def test_the_second_deadline_does_not_hide_the_first(conn: Connection) -> None:
    """Control and rectification run side by side: each is missed at its own instant, whichever began last."""
    hazard = await act(
        conn, await opened(conn, Level.RED), (Action.ASSESS, ASSESSOR, {}), (Action.DISPATCH, ASSESSOR, {})
    )
    due = await running(conn, hazard)
    assert due["control"] < due["report"] < due["rectify"]
    for n, kind in enumerate(("control", "report"), 1):
        assert await sweep(conn, due[kind] - timedelta(microseconds=1)) == 0
        assert await sweep(conn, due[kind]) >= 1
        assert (kind, 1) in await missed(conn, hazard)
        assert len({one for one, _ in await missed(conn, hazard)}) == n
        await conn.execute("UPDATE deadlines SET dropped_at = %s WHERE kind = %s AND round > 1", (NOW, kind))
    assert (await running(conn, hazard))["rectify"] == due["rectify"]
    assert await sweep(conn, due["rectify"]) == 1


async def test_the_first_deadline_moved_away_does_not_hide_the_second(conn: Connection) -> None:
    steps = (*TO_HANDLING[:2],)
    hazard = await act(conn, await opened(conn, Level.RED), *steps)
    await extend(conn, hazard, "control", NOW + 10 * DAY)
    assert await sweep(conn, NOW + DAY) >= 1
    assert ("rectify", 1) in await missed(conn, hazard)
    assert ("control", 1) not in await missed(conn, hazard)


@pytest.mark.parametrize("how", ["closed", "rejected", "merged", "archived"])
async def test_nothing_escalates_after_closing(conn: Connection, how: str) -> None:
    hazard = await opened(conn)
    steps: dict[str, Any] = {
        "closed": TO_CLOSED,
        "archived": (*TO_CLOSED, (Action.ARCHIVE, SUPERVISOR, {})),
        "rejected": ((Action.REJECT, ASSESSOR, {"reason": "误报"}),),
    }
    if how == "merged":
        master = await opened(conn)
        steps[how] = ((Action.MERGE, ASSESSOR, {"into": str(master.id)}),)
    await act(conn, hazard, *steps[how])
    if how == "merged":
        await act(conn, master, *TO_CLOSED)
    assert await sweep(conn, NOW + FIVE_YEARS) == 0
    assert await climbs(conn, hazard) == []


async def test_closing_that_commits_while_the_sweep_holds_its_list_wins(
    dsn: str, conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between listing what is due and locking it, an officer closes: the list is old, the row under its lock is not."""
    hazard = await act(conn, await opened(conn, Level.RED), *TO_CLOSED[:-1])
    await escalations.route(conn, [hazard.id], NOW, CLOCK)
    await conn.commit()
    due = (await running(conn, hazard))["rectify"]
    await conn.commit()
    listed = deadlines.due

    async def then_closed(own: Connection, now: datetime, limit: int) -> list[UUID]:
        ids = await listed(own, now, limit)
        async with db.connect(dsn) as officer:
            await act(officer, hazard, TO_CLOSED[-1], at=due)
        return ids

    monkeypatch.setattr(deadlines, "due", then_closed)
    async with db.connect(dsn) as own:
        assert await sweep(own, due) == 0
    assert (await hazards.get(conn, hazard.id)).state is State.CLOSED
    assert [one["reason"] for one in await climbs(conn, hazard)] == ["level"]
    assert set(await running(conn, hazard)) == {"review"}


async def test_a_comment_is_no_answer(conn: Connection) -> None:
    """Instruction, feedback, listing and asking for an extension are said; what is owed stays owed, to the instant."""
    hazard = await act(conn, await opened(conn), *TO_HANDLING[:2])
    before = await rounds(conn, hazard)
    hazard = await act(
        conn,
        hazard,
        (Action.INSTRUCT, LEADER, {"text": "今日办结"}),
        (Action.FEEDBACK, HANDLER, {"text": "已到场"}),
        (Action.LIST, SUPERVISOR, {"reason": "反复出现"}),
        (Action.EXTEND, HANDLER, {"until": NOW + 60 * DAY, "reason": "等配件"}),
        at=NOW + HOUR,
    )
    assert await rounds(conn, hazard) == before
    control = (await running(conn, hazard))["control"]
    assert await sweep(conn, control) == 1
    assert await missed(conn, hazard) == [("control", 1)]


async def test_a_pause_ends_by_itself_after_a_restart(dsn: str, conn: Connection) -> None:
    """A granted extension is an instant in the database: no process has to remember that it ends."""
    hazard = await act(conn, await opened(conn), *TO_HANDLING)
    first = (await running(conn, hazard))["rectify"]
    await extend(conn, hazard, "rectify", first + 3 * DAY)
    await conn.commit()
    async with db.connect(dsn) as restarted:
        assert await sweep(restarted, first + 3 * DAY - MINUTE, Clock()) == 0
    async with db.connect(dsn) as restarted:
        assert await sweep(restarted, first + 3 * DAY, Clock()) == 1
    assert await missed(conn, hazard) == [("rectify", 1)]
    assert "rectify" in await running(conn, hazard)


async def test_reopening_computes_the_deadlines_anew(conn: Connection) -> None:
    hazard = await act(conn, await opened(conn, Level.RED), *TO_CLOSED)
    later = NOW + 100 * DAY
    hazard = await act(conn, hazard, (Action.REOPEN, SUPERVISOR, {"reason": "又锁上了"}), at=later)
    assert await running(conn, hazard) == {"control": later + 30 * MINUTE, "rectify": later + DAY}
    assert await sweep(conn, later) == 0, "nothing of the first life is missed in the second"
    assert await sweep(conn, later + 30 * MINUTE) == 1
    assert await missed(conn, hazard) == [("control", 2)]


async def test_a_reopened_hazard_that_the_city_already_holds_owes_no_second_report(conn: Connection) -> None:
    """Nothing would ever meet that round: it would be missed for certain."""
    hazard = await opened(conn, Level.RED)
    await escalations.route(conn, [hazard.id], NOW, CLOCK)
    hazard = await act(conn, hazard, (Action.REJECT, ASSESSOR, {"reason": "误报"}))
    hazard = await act(conn, hazard, (Action.REOPEN, ASSESSOR, {"reason": "确有其事"}), at=NOW + DAY)
    assert await running(conn, hazard) == {"assess": NOW + DAY + 15 * MINUTE}


async def test_a_regrade_counts_from_the_beginning_and_not_from_now(conn: Connection) -> None:
    hazard = await act(conn, await opened(conn, Level.ORANGE), *TO_HANDLING[:2])
    later = NOW + 20 * MINUTE
    worse = {"level": Level.RED, "reason": "扩大"}
    hazard = await act(conn, hazard, (Action.ASSESS, ASSESSOR, worse), at=later)
    assert (await running(conn, hazard))["control"] == NOW + 30 * MINUTE
    assert await sweep(conn, NOW + 30 * MINUTE) == 1


async def test_a_regrade_to_what_is_past_already_is_missed_at_once(conn: Connection) -> None:
    hazard = await act(conn, await opened(conn, Level.ORANGE), *TO_HANDLING[:2])
    later = NOW + HOUR
    await escalations.route(conn, [hazard.id], NOW, CLOCK)
    await act(conn, hazard, (Action.ASSESS, ASSESSOR, {"level": Level.RED, "reason": "扩大"}), at=later)
    assert await sweep(conn, later) == 1
    assert await missed(conn, hazard) == [("control", 1)]


async def test_a_granted_extension_outlives_a_milder_level_and_not_a_graver_one(conn: Connection) -> None:
    hazard = await act(conn, await opened(conn, Level.ORANGE), *TO_HANDLING)
    granted = NOW + 60 * DAY
    await extend(conn, hazard, "rectify", granted)
    milder = {"level": Level.YELLOW, "reason": "已控制"}
    hazard = await act(conn, hazard, (Action.ASSESS, ASSESSOR, milder), at=NOW + HOUR)
    assert (await running(conn, hazard))["rectify"] == granted
    graver = {"level": Level.RED, "reason": "再次扩大"}
    hazard = await act(conn, hazard, (Action.ASSESS, ASSESSOR, graver), at=NOW + 2 * HOUR)
    assert (await running(conn, hazard))["rectify"] == NOW + DAY


async def test_two_sweeps_at_once_miss_each_once(dsn: str, conn: Connection) -> None:
    for _ in range(10):
        await opened(conn, Level.RED)
    await conn.commit()

    async def once() -> int:
        async with db.connect(dsn) as own:
            return await sweep(own, NOW + HOUR)

    assert sum(await asyncio.gather(*(once() for _ in range(3)))) == 20


@pytest.mark.parametrize("how", ["rolled back", "killed"])
async def test_a_worker_that_dies_between_marking_and_climbing_leaves_it_to_the_next(
    dsn: str, conn: Connection, how: str
) -> None:
    hazard = await opened(conn, Level.RED)
    await conn.commit()
    late = NOW + 20 * MINUTE
    async with await psycopg.AsyncConnection.connect(dsn, row_factory=psycopg.rows.dict_row) as dying:
        await hazards.locked(dying, [hazard.id])
        assert len(await deadlines.miss(dying, hazard.id, late)) == 1
        if how == "killed":
            await conn.execute("SELECT pg_terminate_backend(%s)", (dying.info.backend_pid,))
            await dying.close()
        else:
            await dying.rollback()
    await conn.commit()
    assert await missed(conn, hazard) == []
    async with asyncio.timeout(5):
        while await sweep(conn, late) == 0:
            await conn.commit()
    assert await missed(conn, hazard) == [("assess", 1)]
    assert len(await climbs(conn, hazard)) == 1


async def test_a_clock_that_steps_back_changes_nothing_and_one_that_steps_forth_misses_once(conn: Connection) -> None:
    hazard = await opened(conn, Level.RED)
    assert await sweep(conn, NOW - HOUR) == 0
    assert await sweep(conn, NOW + HOUR) == 2, "assessment and report, each once, though four rounds would have fitted"
    held = await rounds(conn, hazard)
    for now in (NOW - HOUR, NOW, NOW + HOUR, NOW + HOUR - timedelta(microseconds=1)):
        assert await sweep(conn, now) == 0
    assert await rounds(conn, hazard) == held
    assert await sweep(conn, NOW + HOUR + 15 * MINUTE) == 1
    assert await missed(conn, hazard) == [("assess", 1), ("report", 1), ("assess", 2)]


async def opened_under(conn: Connection, clock: Clock, level: Level) -> Hazard:
    """A hazard that was opened while this clock was the configuration."""
    opening = factories.opening(level, clock=clock)
    await hazards.insert(conn, [opening.hazard])
    await trail.append(conn, [(opening.event, opening.hazard.trail_hash)])
    await deadlines.open_all(conn, [(opening.hazard.id, kind, NOW, due) for kind, due in opening.deadlines])
    return await hazards.get(conn, opening.hazard.id)


async def test_a_later_edit_of_the_configuration_moves_no_deadline_and_no_later_round(conn: Connection) -> None:
    """The policy in force at the opening counts for the hazard's life: missing, regrading, closing and reopening ask it."""
    spans = {Kind.ASSESS: 10 * MINUTE, Kind.CONTROL: 20 * MINUTE, Kind.RECTIFY: 5 * HOUR, Kind.REVIEW: DAY}
    strict = Clock(own={SCHOOL: [Entry(SCHOOL, Level.RED, spans)]})
    hazard = await opened_under(conn, strict, Level.RED)
    assert (await running(conn, hazard))["assess"] == NOW + 10 * MINUTE
    assert await sweep(conn, NOW + 10 * MINUTE, CLOCK) == 1
    assert (await running(conn, hazard))["assess"] == NOW + 20 * MINUTE
    hazard = await act(conn, hazard, (Action.ASSESS, ASSESSOR, {}), at=NOW + 12 * MINUTE)
    assert (await running(conn, hazard))["control"] == NOW + 32 * MINUTE
    milder = {"level": Level.ORANGE, "reason": "已控制"}
    hazard = await act(conn, hazard, (Action.ASSESS, ASSESSOR, milder), at=NOW + 13 * MINUTE)
    hazard = await act(conn, hazard, (Action.ASSESS, ASSESSOR, {"level": Level.RED, "reason": "又扩大"}), at=NOW + HOUR)
    assert (await running(conn, hazard))["control"] == NOW + 32 * MINUTE
    later = NOW + 2 * HOUR
    hazard = await act(conn, hazard, *TO_CLOSED[1:], at=later)
    assert await running(conn, hazard) == {"review": later + 4 * MINUTE + DAY}
    hazard = await act(conn, hazard, (Action.REOPEN, SUPERVISOR, {"reason": "复发"}), at=later + HOUR)
    assert (await running(conn, hazard))["rectify"] == later + HOUR + 5 * HOUR


async def test_whether_a_review_is_owed_is_settled_at_the_opening(conn: Connection) -> None:
    yellow = Policy().with_entries([Entry(None, Level.YELLOW, {Kind.REVIEW: 7 * DAY})])
    hazard = await act(conn, await opened_under(conn, Clock(policy=yellow), Level.YELLOW), *TO_CLOSED)
    assert set(await running(conn, hazard)) == {"review"}
    assert hazard.facts().review_owed


async def test_a_hazard_from_before_policies_goes_on_under_the_defaults(conn: Connection) -> None:
    hazard = await opened(conn, Level.RED)
    await conn.execute("UPDATE hazards SET policy = NULL")
    loose = Clock(policy=Policy().with_entries([Entry(None, Level.RED, {Kind.CONTROL: 29 * MINUTE})]))
    await hazards.apply(conn, hazard.id, Action.ASSESS, ASSESSOR, {}, NOW, loose)
    assert (await running(conn, hazard))["control"] == NOW + 30 * MINUTE
