"""Reminders: each mark once, while there is still time to act, and anew where the deadline was moved."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from models.deadlines import Clock
from models.hazards import Hazard
from models.levels import Level
from models.loop import Action
from models.policy import Entry, Kind
from store import db, deadlines, escalations, hazards, outbox, reminders
from store.db import Connection
from store.settings import Settings
from streams.clock import run as run_clock
from streams.context import now
from streams.context import opened as opened_context
from tests import factories
from tests.factories import NOW, SCHOOL
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
)
from tests.store.test_landing import CLOCK, opened, query, running

pytestmark = pytest.mark.runtime

HALF, NINE_TENTHS = NOW + 7.5 * MINUTE, NOW + 13.5 * MINUTE


async def sweep(conn: Connection, now: datetime, clock: Clock = CLOCK) -> int:
    return await reminders.sweep(conn, now, clock)


async def sent(conn: Connection, hazard: Hazard, kind: str = "assess") -> list[tuple[int, float, datetime]]:
    """Round, mark and instant of what was sent."""
    rows = await query(
        conn,
        "SELECT round, mark, sent_at FROM reminders WHERE hazard = %s AND kind = %s ORDER BY sent_at, mark",
        hazard.id,
        kind,
    )
    return [(row["round"], row["mark"], row["sent_at"]) for row in rows]


async def told(conn: Connection) -> list[dict[str, Any]]:
    return [row["payload"] for row in await outbox.peek(conn, 1000) if row["type"] == "reminder.due"]


async def test_at_half_and_shortly_before_its_end_each_once(conn: Connection) -> None:
    hazard = await opened(conn, Level.RED)
    assert await sweep(conn, HALF - timedelta(seconds=1)) == 0
    assert await sweep(conn, HALF) == 1
    assert await sweep(conn, HALF) == 0
    assert await sweep(conn, NINE_TENTHS - timedelta(seconds=1)) == 0
    assert await sweep(conn, NINE_TENTHS) == 1
    assert await sweep(conn, NOW + 14 * MINUTE) == 0
    assert await sent(conn, hazard) == [(1, 0.5, HALF), (1, 0.9, NINE_TENTHS)]


async def test_kafka_is_told_data_alone(conn: Connection) -> None:
    hazard = await opened(conn, Level.RED)
    await sweep(conn, HALF)
    rows = [row for row in await outbox.peek(conn, 100) if row["type"] == "reminder.due"]
    assert [(row["aggregatetype"], row["aggregateid"]) for row in rows] == [("escalations", SCHOOL)]
    assert rows[0]["payload"] == {
        "schema": 1,
        "id": str(hazard.id),
        "unit": SCHOOL,
        "level": "red",
        "kind": "assess",
        "round": 1,
        "due_at": (NOW + 15 * MINUTE).isoformat(),
        "mark": 0.5,
        "at": HALF.isoformat(),
    }


async def test_after_a_pause_only_the_last_mark_is_sent(conn: Connection) -> None:
    hazard = await opened(conn, Level.RED)
    assert await sweep(conn, NOW + 14 * MINUTE) == 1
    assert await sent(conn, hazard) == [(1, 0.9, NOW + 14 * MINUTE)]
    assert await sweep(conn, HALF) == 0, "a clock that steps back sends no earlier mark"


async def test_nothing_is_sent_once_it_is_too_late_and_the_next_round_has_its_own(conn: Connection) -> None:
    hazard = await opened(conn, Level.RED)
    late = NOW + 15 * MINUTE
    assert await sweep(conn, late) == 0, "past its instant, not yet swept as missed"
    assert await escalations.sweep(conn, late, CLOCK) == 1
    assert await sweep(conn, late) == 0
    assert await sweep(conn, late + 8 * MINUTE) == 1
    assert await sent(conn, hazard) == [(2, 0.5, late + 8 * MINUTE)]


@pytest.mark.parametrize("how", ["met", "rejected", "merged"])
async def test_a_round_that_ended_is_not_reminded_of(conn: Connection, how: str) -> None:
    hazard = await opened(conn, Level.RED)
    if how == "met":
        await act(conn, hazard, (Action.ASSESS, ASSESSOR, {}))
    elif how == "rejected":
        await act(conn, hazard, (Action.REJECT, ASSESSOR, {"reason": "误报"}))
    else:
        master = await opened(conn, Level.BLUE)
        await act(conn, hazard, (Action.MERGE, ASSESSOR, {"into": str(master.id)}))
    await sweep(conn, NINE_TENTHS)
    assert await sent(conn, hazard) == []


async def test_after_closing_nothing_is_sent_not_even_of_the_review(conn: Connection) -> None:
    hazard = await act(conn, await opened(conn, Level.RED), *TO_CLOSED)
    assert set(await running(conn, hazard)) == {"review"}
    for hours in range(0, 24 * 4, 6):
        assert await sweep(conn, NOW + hours * HOUR) == 0
    assert await told(conn) == []


async def test_a_hazard_reopened_is_reminded_of_its_new_rounds(conn: Connection) -> None:
    hazard = await act(conn, await opened(conn, Level.RED), *TO_CLOSED)
    await sweep(conn, NOW + DAY)
    later = NOW + 30 * HOUR
    await act(conn, hazard, (Action.REOPEN, SUPERVISOR, {"reason": "又锁上了"}), at=later)
    assert await sweep(conn, later + 16 * MINUTE) == 1
    assert await sent(conn, hazard, "control") == [(2, 0.5, later + 16 * MINUTE)]


async def test_a_moved_deadline_is_reminded_of_anew(conn: Connection) -> None:
    hazard = await act(conn, await opened(conn, Level.RED), *TO_HANDLING)
    first = (await running(conn, hazard))["rectify"]
    assert await sweep(conn, first - HOUR) == 1
    ask = {"kind": "rectify", "until": first + 2 * DAY, "reason": "等配件"}
    moved = first - 30 * MINUTE
    await act(conn, hazard, (Action.EXTEND, HANDLER, ask), at=moved)
    assert await sweep(conn, moved) == 0, "asking moves nothing"
    await act(conn, hazard, (Action.EXTEND, SUPERVISOR, {"approve": True}), at=moved)
    assert await sweep(conn, first) == 0, "the extension is a span of its own"
    assert await sweep(conn, first + DAY) == 1
    assert await sweep(conn, first + 2 * DAY - HOUR) == 1
    assert [mark for _, mark, _ in await sent(conn, hazard, "rectify")] == [0.9, 0.5, 0.9]
    assert {one["due_at"] for one in await told(conn)} == {first.isoformat(), (first + 2 * DAY).isoformat()}


async def test_a_regrade_that_sets_another_instant_reminds_of_it(conn: Connection) -> None:
    hazard = await act(conn, await opened(conn, Level.ORANGE), (Action.ASSESS, ASSESSOR, {}))
    await conn.execute("UPDATE deadlines SET dropped_at = %s WHERE kind <> 'control'", (NOW,))
    assert await sweep(conn, NOW + HOUR) == 1
    graver = {"level": Level.RED, "reason": "扩大"}
    await conn.execute("UPDATE deadlines SET begun_at = %s WHERE kind = 'control'", (NOW + 50 * MINUTE,))
    await act(conn, hazard, (Action.ASSESS, ASSESSOR, graver), at=NOW + 61 * MINUTE)
    assert await sweep(conn, NOW + 66 * MINUTE) == 1
    assert [one["due_at"] for one in await told(conn)] == [
        (NOW + 2 * HOUR).isoformat(),
        (NOW + 80 * MINUTE).isoformat(),
    ]


async def test_the_marks_are_the_policys_in_force_when_the_hazard_opened(conn: Connection) -> None:
    early = Clock(own={SCHOOL: [Entry(SCHOOL, Level.RED, {Kind.ASSESS: 10 * MINUTE}, (0.3,))]})
    opening = factories.opening(Level.RED, clock=early)
    await hazards.insert(conn, [opening.hazard])
    await deadlines.open_all(
        conn, [(opening.hazard.id, kind, NOW, due) for kind, due in opening.deadlines if kind is Kind.ASSESS]
    )
    assert await sweep(conn, NOW + 2.9 * MINUTE) == 0
    assert await sweep(conn, NOW + 3 * MINUTE, CLOCK) == 1, "a later edit of the configuration changes nothing"
    assert await sweep(conn, NOW + 9.5 * MINUTE, CLOCK) == 0
    assert await sent(conn, opening.hazard) == [(1, 0.3, NOW + 3 * MINUTE)]


async def test_a_comment_does_not_quieten_a_reminder(conn: Connection) -> None:
    hazard = await opened(conn, Level.RED)
    await act(conn, hazard, (Action.INSTRUCT, LEADER, {"text": "请速办"}), (Action.FEEDBACK, HANDLER, {"text": "收到"}))
    assert await sweep(conn, HALF) == 1


async def test_two_sweeps_at_once_send_each_once(dsn: str, conn: Connection) -> None:
    for _ in range(20):
        await opened(conn, Level.RED)
    await conn.commit()

    async def once() -> int:
        async with db.connect(dsn) as own:
            return await sweep(own, HALF)

    assert sum(await asyncio.gather(*(once() for _ in range(4)))) == 20
    assert len(await told(conn)) == 20


async def test_a_storm_is_taken_in_parts(conn: Connection) -> None:
    for _ in range(5):
        await opened(conn, Level.RED)
    counts = [await reminders.sweep(conn, HALF, CLOCK, limit=2) for _ in range(10)]
    assert sum(counts) == 5
    assert max(counts) <= 2


async def test_what_is_rolled_back_was_never_sent(dsn: str, conn: Connection) -> None:
    hazard = await opened(conn, Level.RED)
    await conn.commit()
    async with db.connect(dsn) as killed:
        assert await sweep(killed, HALF) == 1
        await killed.rollback()
    assert await told(conn) == []
    assert await sweep(conn, HALF) == 1
    assert len(await sent(conn, hazard)) == 1


async def test_a_hazard_that_is_being_closed_while_the_sweep_holds_its_list_is_not_reminded_of(
    dsn: str, conn: Connection
) -> None:
    hazard = await act(
        conn, await opened(conn, Level.RED), *TO_HANDLING, (Action.SUBMIT, HANDLER, {"evidence": "已拆"})
    )
    await conn.commit()
    later = NOW + 13 * HOUR
    async with db.connect(dsn) as closing, asyncio.timeout(20):
        closed = {"acceptance": "验收〔2026〕1号"}
        await hazards.apply(closing, hazard.id, Action.CLOSE, SUPERVISOR, closed, later, CLOCK)
        # The closing is not committed yet: the sweep finds the round running, and its hazard held by somebody.
        assert await sweep(conn, later) == 0
        await conn.commit()
        await closing.commit()
        assert await sweep(conn, later) == 0
    assert await sent(conn, hazard, "rectify") == []


async def test_the_running_clock_sends_it(dsn: str, conn: Connection) -> None:
    at = now() - timedelta(minutes=8)
    await opened(conn, Level.RED, at=at)
    await conn.commit()
    async with opened_context(Settings(database=dsn, local=Path("none"))) as context, asyncio.timeout(30):
        running_clock = asyncio.create_task(run_clock(context))
        try:
            while not await query(conn, "SELECT 1 FROM reminders WHERE kind = 'assess' AND mark = 0.5"):
                await conn.commit()
                await asyncio.sleep(0.1)
        finally:
            running_clock.cancel()
            await asyncio.gather(running_clock, return_exceptions=True)
