"""The loop in the database: every transition in one place, with its event, its deadlines and its message."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from models.deadlines import Kind
from models.hazards import Hazard
from models.levels import Level
from models.loop import Action, Refused, State
from models.roles import Actor, Role
from store import db, hazards, outbox, trail
from store.db import Connection
from store.hazards import NotFound, Stale
from tests import factories
from tests.factories import FIVE, NOW
from tests.store.test_landing import CLOCK, accepted, land, opened, query, rounds, running

pytestmark = pytest.mark.runtime

ASSESSOR, HANDLER = factories.actor(Role.ASSESSOR), factories.actor(Role.HANDLER)
SUPERVISOR, LEADER = factories.actor(Role.SUPERVISOR), factories.actor(Role.LEADER)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

Step = tuple[Action, Actor, dict[str, Any]]

# From the report to the closed hazard, as far as any level asks.
TO_HANDLING: tuple[Step, ...] = (
    (Action.ASSESS, ASSESSOR, {}),
    (Action.DISPATCH, ASSESSOR, {}),
    (Action.SETTLE, HANDLER, {"settlements": dict(FIVE)}),
    (Action.START, HANDLER, {}),
)
TO_CLOSED: tuple[Step, ...] = (
    *TO_HANDLING,
    (Action.SUBMIT, HANDLER, {"evidence": "已拆除门锁"}),
    (Action.CLOSE, SUPERVISOR, {"acceptance": "验收〔2026〕1号"}),
)


async def act(conn: Connection, hazard: Hazard, *steps: Step, at: Any = NOW) -> Hazard:
    """Apply steps, a minute apart; the hazard after them, read back."""
    for n, (action, actor, filed) in enumerate(steps):
        await hazards.apply(conn, hazard.id, action, actor, filed, at + n * MINUTE, CLOCK)
    return await hazards.get(conn, hazard.id)


async def test_a_red_hazard_goes_the_whole_way_through_its_gates(conn: Connection) -> None:
    hazard = await opened(conn, Level.RED)
    assert hazard.major
    way: list[tuple[Action, Actor, dict[str, Any], str | None, State]] = [
        (Action.ASSESS, ASSESSOR, {}, None, State.ASSESSED),
        (Action.DISPATCH, ASSESSOR, {}, None, State.DISPATCHED),
        (Action.START, HANDLER, {}, "five_settlements", State.DISPATCHED),
        (Action.SETTLE, HANDLER, {"settlements": {**FIVE, "plan": " "}}, "names_settlements", State.DISPATCHED),
        (Action.SETTLE, HANDLER, {"settlements": dict(FIVE)}, None, State.DISPATCHED),
        (Action.START, HANDLER, {}, None, State.HANDLING),
        (Action.SUBMIT, HANDLER, {}, "has_evidence", State.HANDLING),
        (Action.SUBMIT, HANDLER, {"evidence": "已拆除门锁"}, None, State.SUBMITTED),
        (Action.CLOSE, ASSESSOR, {"acceptance": "验1"}, "role", State.SUBMITTED),
        (Action.CLOSE, SUPERVISOR, {}, "acceptance", State.SUBMITTED),
        (Action.CLOSE, SUPERVISOR, {"acceptance": "验收〔2026〕1号"}, None, State.CLOSED),
        (Action.ARCHIVE, SUPERVISOR, {"lesson": "…"}, "no_review_owed", State.CLOSED),
        (Action.REVIEW, SUPERVISOR, {}, None, State.REVIEWING),
        (Action.ARCHIVE, SUPERVISOR, {}, "has_lesson", State.REVIEWING),
        (Action.ARCHIVE, SUPERVISOR, {"lesson": "门锁改推杆，全区排查"}, None, State.ARCHIVED),
    ]
    done = ["open"]
    for n, (action, actor, filed, rule, state) in enumerate(way):
        before = await hazards.get(conn, hazard.id)
        if rule:
            with pytest.raises(Refused) as refused:
                await hazards.apply(conn, hazard.id, action, actor, filed, NOW + n * MINUTE, CLOCK)
            assert (refused.value.rule, refused.value.state) == (rule, before.state)
            assert await hazards.get(conn, hazard.id) == before, "a refusal changes nothing"
        else:
            change = await hazards.apply(conn, hazard.id, action, actor, filed, NOW + n * MINUTE, CLOCK)
            assert await hazards.get(conn, hazard.id) == change.after, "what is written is what is read"
            done.append(action.value)
        assert (await hazards.get(conn, hazard.id)).state is state
    hazard = await hazards.get(conn, hazard.id)
    assert hazard.assessed_at == NOW
    assert hazard.closed_at == NOW + 10 * MINUTE
    assert hazard.archived_at == NOW + 14 * MINUTE
    assert [row["action"] for row in await trail.of(conn, hazard.id)] == done
    told = [row["type"] for row in await outbox.peek(conn, 100) if row["aggregatetype"] == "hazards"]
    assert told == [f"hazard.{action}" for action in done]
    assert await running(conn, hazard) == {}
    assert await trail.broken(conn) == {}


async def test_stale_tells_the_current_version_and_changes_nothing(conn: Connection) -> None:
    hazard = await opened(conn)
    await hazards.apply(conn, hazard.id, Action.ASSESS, ASSESSOR, {}, NOW, CLOCK, version=1)
    with pytest.raises(Stale) as stale:
        await hazards.apply(conn, hazard.id, Action.DISPATCH, ASSESSOR, {}, NOW, CLOCK, version=1)
    assert stale.value.current == 2
    assert (await hazards.get(conn, hazard.id)).state is State.ASSESSED
    assert len(await trail.of(conn, hazard.id)) == 2


async def test_an_unknown_hazard_is_not_found(conn: Connection) -> None:
    with pytest.raises(NotFound):
        await hazards.apply(conn, factories.new_id(), Action.ASSESS, ASSESSOR, {}, NOW, CLOCK)


async def test_of_two_at_once_with_one_version_one_is_stale(dsn: str, conn: Connection) -> None:
    hazard = await opened(conn)
    await conn.commit()

    async def assess(level: Level) -> object:
        async with db.connect(dsn) as own:
            try:
                return await hazards.apply(
                    own, hazard.id, Action.ASSESS, ASSESSOR, {"level": level}, NOW, CLOCK, version=1
                )
            except Stale as stale:
                return stale

    done = await asyncio.gather(assess(Level.ORANGE), assess(Level.BLUE))
    assert sum(isinstance(answer, Stale) for answer in done) == 1
    assert (await hazards.get(conn, hazard.id)).version == 2


@pytest.mark.parametrize("case", ["another unit", "itself", "unknown", "closed", "rejected", "merged"])
async def test_a_merge_needs_another_open_hazard_of_the_same_unit(conn: Connection, case: str) -> None:
    hazard = await opened(conn)
    master = await opened(conn, Level.BLUE, **({"unit": factories.SIBLING} if case == "another unit" else {}))
    if case == "closed":
        await act(conn, master, *TO_CLOSED)
    elif case == "rejected":
        await act(conn, master, (Action.REJECT, ASSESSOR, {"reason": "误报"}))
    elif case == "merged":
        await act(conn, master, (Action.MERGE, ASSESSOR, {"into": str((await opened(conn)).id)}))
    into = {"itself": hazard.id, "unknown": factories.new_id()}.get(case, master.id)
    with pytest.raises(ValueError, match="合并目标"):
        await act(conn, hazard, (Action.MERGE, ASSESSOR, {"into": str(into)}))
    assert (await hazards.get(conn, hazard.id)).state is State.REPORTED
    assert len(await trail.of(conn, hazard.id)) == 1


async def test_a_merge_ends_the_deadlines_and_unmerging_begins_them_anew(conn: Connection) -> None:
    hazard, master = await opened(conn, Level.RED), await opened(conn)
    hazard = await act(conn, hazard, (Action.MERGE, ASSESSOR, {"into": str(master.id)}))
    assert (hazard.state, hazard.merged_into) == (State.MERGED, master.id)
    assert await running(conn, hazard) == {}
    hazard = await act(conn, hazard, (Action.UNMERGE, ASSESSOR, {"reason": "不是同一处"}), at=NOW + HOUR)
    assert (hazard.state, hazard.merged_into) == (State.REPORTED, None)
    assert await running(conn, hazard) == {"assess": NOW + HOUR + 15 * MINUTE, "report": NOW + 2 * HOUR}
    assert ("assess", 2) in await rounds(conn, hazard)


async def test_two_hazards_merged_into_each_other_at_once_do_not_both_vanish(dsn: str, conn: Connection) -> None:
    one, other = await opened(conn), await opened(conn)
    await conn.commit()

    async def merge(own: Connection, hazard: UUID, into: UUID) -> None:
        await hazards.apply(own, hazard, Action.MERGE, ASSESSOR, {"into": str(into)}, NOW, CLOCK)

    async with db.connect(dsn) as first, db.connect(dsn) as second:
        await merge(first, one.id, other.id)
        waiting = asyncio.create_task(merge(second, other.id, one.id))
        await asyncio.sleep(0.3)
        await first.commit()
        try:
            await waiting
            await second.commit()
        except ValueError:
            await second.rollback()
    states = {row["state"] for row in await query(conn, "SELECT state FROM hazards")}
    assert State.REPORTED in states, "both are merged into each other: nobody will ever handle either"


async def test_raising_at_the_assessment_begins_what_the_new_level_owes(conn: Connection) -> None:
    hazard = await opened(conn, Level.YELLOW)
    later = NOW + HOUR
    hazard = await act(conn, hazard, (Action.ASSESS, ASSESSOR, {"level": Level.RED}), at=later)
    assert (hazard.level, hazard.major, hazard.assessed_at) == (Level.RED, True, later)
    assert await running(conn, hazard) == {
        "control": later + 30 * MINUTE,
        "rectify": later + DAY,
        "report": later + HOUR,
    }
    assert (await rounds(conn, hazard))["assess", 1]["met_at"] == later


async def test_a_regrade_counts_running_deadlines_from_when_they_began(conn: Connection) -> None:
    hazard = await opened(conn, Level.ORANGE)
    hazard = await act(conn, hazard, (Action.ASSESS, ASSESSOR, {}))
    assert await running(conn, hazard) == {
        "control": NOW + 2 * HOUR,
        "rectify": NOW + 3 * DAY,
        "report": NOW + HOUR,
    }
    later = NOW + 10 * MINUTE
    hazard = await act(conn, hazard, (Action.ASSESS, ASSESSOR, {"level": Level.RED, "reason": "扩大"}), at=later)
    assert await running(conn, hazard) == {
        "control": NOW + 30 * MINUTE,
        "rectify": NOW + DAY,
        "report": NOW + HOUR,
    }


async def test_lowering_drops_what_the_new_level_does_not_owe(conn: Connection) -> None:
    hazard = await opened(conn, Level.ORANGE)
    hazard = await act(
        conn, hazard, (Action.ASSESS, ASSESSOR, {}), (Action.ASSESS, ASSESSOR, {"level": Level.BLUE, "reason": "轻"})
    )
    assert await running(conn, hazard) == {
        "control": CLOCK.due(Kind.CONTROL, Level.BLUE, NOW),
        "rectify": CLOCK.due(Kind.RECTIFY, Level.BLUE, NOW),
    }
    assert (await rounds(conn, hazard))["report", 1]["dropped_at"] == NOW + MINUTE


async def test_a_report_to_the_city_dropped_by_a_lowering_is_owed_again_after_a_raising(conn: Connection) -> None:
    hazard = await opened(conn, Level.ORANGE)
    hazard = await act(
        conn,
        hazard,
        (Action.ASSESS, ASSESSOR, {"level": Level.YELLOW}),
        (Action.ASSESS, ASSESSOR, {"level": Level.RED, "reason": "复查发现蔓延"}),
    )
    assert (await running(conn, hazard)).get("report") == NOW + MINUTE + HOUR


async def test_a_directly_judged_level_is_lowered_by_two_people(conn: Connection) -> None:
    report = await accepted(conn)
    await land(conn, report, level=Level.RED, direct=True)
    rows = await query(conn, "SELECT hazard FROM intake")
    hazard = await hazards.get(conn, rows[0]["hazard"])
    lower = {"level": Level.YELLOW, "reason": "已当场消除"}
    hazard = await act(conn, hazard, (Action.ASSESS, ASSESSOR, lower))
    assert (hazard.level, hazard.state) == (Level.RED, State.REPORTED)
    assert hazard.lowering == {"by": ASSESSOR.id, "level": "yellow", "reason": "已当场消除"}
    again = await act(conn, hazard, (Action.ASSESS, ASSESSOR, lower))
    assert again.level is Level.RED, "the same person twice is one person"
    second = factories.actor(Role.ASSESSOR, id="test:another")
    hazard = await act(conn, hazard, (Action.ASSESS, second, lower))
    assert (hazard.level, hazard.state, hazard.lowering) == (Level.YELLOW, State.ASSESSED, None)
    assert "report" not in await running(conn, hazard)


async def extend(
    conn: Connection, hazard: Hazard, kind: str, until: Any, *, approve: bool = True, at: Any = NOW
) -> None:
    ask = {"kind": kind, "until": until, "reason": "等配件"}
    await act(conn, hazard, (Action.EXTEND, HANDLER, ask), (Action.EXTEND, SUPERVISOR, {"approve": approve}), at=at)


async def test_a_granted_extension_moves_the_deadline_and_keeps_where_it_was_first(conn: Connection) -> None:
    hazard = await act(conn, await opened(conn, Level.RED), *TO_HANDLING)
    first = (await running(conn, hazard))["rectify"]
    await act(conn, hazard, (Action.EXTEND, HANDLER, {"until": first + DAY, "reason": "等配件"}))
    assert (await running(conn, hazard))["rectify"] == first, "asking moves nothing"
    await act(conn, hazard, (Action.EXTEND, SUPERVISOR, {"approve": True}))
    row = (await rounds(conn, hazard))["rectify", 1]
    assert (row["due_at"], row["moved_from"]) == (first + DAY, first)
    await extend(conn, hazard, "rectify", first + 2 * DAY)
    row = (await rounds(conn, hazard))["rectify", 1]
    assert (row["due_at"], row["moved_from"]) == (first + 2 * DAY, first)
    assert (await hazards.get(conn, hazard.id)).extension is None


async def test_a_refused_extension_moves_nothing_and_ends_the_request(conn: Connection) -> None:
    hazard = await act(conn, await opened(conn), *TO_HANDLING)
    before = await rounds(conn, hazard)
    await extend(conn, hazard, "rectify", NOW + 60 * DAY, approve=False)
    assert await rounds(conn, hazard) == before
    with pytest.raises(Refused):
        await act(conn, hazard, (Action.EXTEND, SUPERVISOR, {"approve": True}))


async def test_an_extension_of_a_deadline_that_was_met_begins_nothing(conn: Connection) -> None:
    """What is met cannot fall due again: no transition would ever meet the new round, and it would climb."""
    hazard = await act(conn, await opened(conn), *TO_HANDLING)
    assert (await rounds(conn, hazard))["control", 1]["met_at"] is not None
    with pytest.raises(ValueError, match="初步管控"):
        await extend(conn, hazard, "control", NOW + 30 * DAY)
    assert "control" not in await running(conn, hazard)


async def test_closing_ends_all_but_the_review(conn: Connection) -> None:
    hazard = await act(conn, await opened(conn, Level.ORANGE), *TO_CLOSED)
    assert hazard.closed_at == NOW + 5 * MINUTE
    assert await running(conn, hazard) == {"review": NOW + 5 * MINUTE + 7 * DAY}
    ended = await rounds(conn, hazard)
    assert ended["rectify", 1]["met_at"] == NOW + 5 * MINUTE
    assert ended["control", 1]["met_at"] == NOW + 3 * MINUTE


async def test_a_yellow_hazard_owes_no_review(conn: Connection) -> None:
    hazard = await act(conn, await opened(conn), *TO_CLOSED)
    assert await running(conn, hazard) == {}
    hazard = await act(conn, hazard, (Action.ARCHIVE, SUPERVISOR, {}))
    assert hazard.state is State.ARCHIVED


async def test_reopening_begins_anew(conn: Connection) -> None:
    hazard = await act(conn, await opened(conn, Level.RED), *TO_CLOSED)
    later = NOW + 2 * HOUR
    hazard = await act(conn, hazard, (Action.REOPEN, SUPERVISOR, {"reason": "又锁上了"}), at=later)
    assert (hazard.state, hazard.closed_at, hazard.dispatched_at) == (State.DISPATCHED, None, later)
    assert await running(conn, hazard) == {"control": later + 30 * MINUTE, "rectify": later + DAY}
    kept = await rounds(conn, hazard)
    assert kept["review", 1]["dropped_at"] == later
    assert kept["rectify", 2]["begun_at"] == later
    assert kept["rectify", 1]["met_at"] is not None


async def test_rejecting_drops_and_reopening_a_rejected_one_asks_for_an_assessment(conn: Connection) -> None:
    hazard = await act(conn, await opened(conn, Level.RED), (Action.REJECT, ASSESSOR, {"reason": "演练"}))
    assert hazard.state is State.REJECTED
    assert {row["dropped_at"] for row in (await rounds(conn, hazard)).values()} == {NOW}
    hazard = await act(conn, hazard, (Action.REOPEN, ASSESSOR, {"reason": "确有其事"}), at=NOW + DAY)
    assert hazard.state is State.REPORTED
    assert set(await running(conn, hazard)) == {"assess", "report"}


async def test_sent_back_and_submitted_again_the_rectification_still_runs(conn: Connection) -> None:
    hazard = await act(conn, await opened(conn), *TO_CLOSED[:-1])
    hazard = await act(conn, hazard, (Action.RETURN, SUPERVISOR, {"reason": "照片不清"}))
    assert hazard.state is State.HANDLING
    assert "rectify" in await running(conn, hazard)
    hazard = await act(conn, hazard, (Action.SUBMIT, HANDLER, {"attachments": [{"name": "a.jpg"}]}))
    assert hazard.state is State.SUBMITTED


async def test_nobody_verifies_their_own_work_even_after_changing_roles(conn: Connection) -> None:
    hazard = await act(conn, await opened(conn), *TO_CLOSED[:-1])
    same = factories.actor(Role.SUPERVISOR, id=HANDLER.id)
    with pytest.raises(Refused, match="自己的整改"):
        await act(conn, hazard, (Action.CLOSE, same, {}))


async def test_what_kafka_is_told_holds_no_word_and_no_person(conn: Connection) -> None:
    """``models.hazards.notice``: what changed and where the hazard stands. No text, no person."""
    hazard = await opened(conn, place="三号楼")
    witness = await accepted(conn, place="三号楼", reporter={"id": "pupil-20230117", "name": "李四"})
    await land(conn, witness)
    await act(
        conn,
        hazard,
        (Action.INSTRUCT, LEADER, {"text": "请张老师今日办结"}),
        (Action.ASSESS, ASSESSOR, {"reason": "李同学反映属实"}),
    )
    told = str([row["payload"] for row in await outbox.peek(conn, 100) if row["aggregatetype"] == "hazards"])
    assert [word for word in ("pupil-20230117", "李四", "张老师", "李同学") if word in told] == []
