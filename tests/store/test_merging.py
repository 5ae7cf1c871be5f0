"""Merged hazards follow their master; a new report on a closed one opens it again, or opens anew, by a rule."""

from datetime import timedelta

import pytest

from models.duplicates import REOPEN_WITHIN
from models.hazards import Hazard
from models.levels import Level
from models.loop import Action, State
from models.roles import Role
from store import hazards, trail
from store.db import Connection
from tests import factories
from tests.factories import NOW
from tests.store.test_hazards import ASSESSOR, SUPERVISOR, TO_CLOSED, act
from tests.store.test_landing import accepted, land, opened, query, running

pytestmark = pytest.mark.runtime

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
TEXT, PLACE = "三号楼二层安全出口被锁", "3号楼2层"


async def merged_pair(conn: Connection) -> tuple[Hazard, Hazard]:
    """A master, and a hazard merged into it."""
    master = await opened(conn, Level.ORANGE, text="西门消火栓没水", place="西门")
    other = await opened(conn, Level.ORANGE, text="保安亭旁边那个红箱子，阀门一拧就断了", place="岗亭边")
    assert master.id != other.id
    other = await act(conn, other, (Action.MERGE, ASSESSOR, {"into": str(master.id)}))
    return master, other


async def test_closing_the_master_closes_what_was_merged_into_it(conn: Connection) -> None:
    master, other = await merged_pair(conn)
    master = await act(conn, master, *TO_CLOSED)
    other = await hazards.get(conn, other.id)
    assert (master.state, other.state) == (State.CLOSED, State.CLOSED)
    assert other.closed_at == master.closed_at
    assert await running(conn, other) == {}, "the master owes the review, the follower nothing"
    assert await trail.broken(conn) == {}


async def test_reopening_the_master_merges_it_again(conn: Connection) -> None:
    master, other = await merged_pair(conn)
    await act(conn, master, *TO_CLOSED)
    await act(conn, master, (Action.REOPEN, SUPERVISOR, {"reason": "又漏水"}), at=NOW + DAY)
    assert (await hazards.get(conn, other.id)).state is State.MERGED
    assert await running(conn, other) == {}


async def test_one_that_was_unmerged_no_longer_follows(conn: Connection) -> None:
    master, other = await merged_pair(conn)
    await act(conn, other, (Action.UNMERGE, ASSESSOR, {"reason": "是两处"}))
    await act(conn, master, *TO_CLOSED)
    assert (await hazards.get(conn, other.id)).state is State.REPORTED


async def test_a_master_is_not_merged_away_with_its_followers(conn: Connection) -> None:
    master, _ = await merged_pair(conn)
    third = await opened(conn, Level.ORANGE, text="北门消火栓箱里是空的", place="北门")
    with pytest.raises(ValueError, match="取消那些合并"):
        await hazards.apply(conn, master.id, Action.MERGE, ASSESSOR, {"into": str(third.id)}, NOW, factories.clock())


async def closed_one(conn: Connection) -> Hazard:
    """A hazard that was rectified and closed."""
    return await act(conn, await opened(conn, Level.ORANGE, text=TEXT, place=PLACE), *TO_CLOSED)


@pytest.mark.parametrize("wait", [timedelta(hours=1), REOPEN_WITHIN - MINUTE])
async def test_a_report_within_a_week_of_the_closing_opens_the_old_one_again(conn: Connection, wait: timedelta) -> None:
    old = await closed_one(conn)
    assert old.closed_at
    at = old.closed_at + wait
    report = await accepted(conn, at, text=TEXT + "了", place=PLACE)
    assert (await land(conn, report, now=at, level=Level.ORANGE))["attached"] == 1
    again = await hazards.get(conn, old.id)
    assert (again.state, again.report_count, again.closed_at) == (State.DISPATCHED, 2, None)
    assert set(await running(conn, again)) == {"control", "rectify"}
    assert [row["action"] for row in await trail.of(conn, old.id)][-2:] == ["reopen", "attach"]
    assert await trail.broken(conn) == {}


async def test_a_report_after_a_week_is_a_recurrence_and_opens_anew(conn: Connection) -> None:
    old = await closed_one(conn)
    assert old.closed_at
    at = old.closed_at + REOPEN_WITHIN + MINUTE
    report = await accepted(conn, at, text=TEXT, place=PLACE)
    assert (await land(conn, report, now=at, level=Level.ORANGE))["opened"] == 1
    assert (await hazards.get(conn, old.id)).state is State.CLOSED


@pytest.mark.parametrize("end", ["rejected", "archived", "follower"])
async def test_what_ended_otherwise_is_never_opened_again_by_a_report(conn: Connection, end: str) -> None:
    if end == "rejected":
        old = await act(conn, await opened(conn, text=TEXT, place=PLACE), (Action.REJECT, ASSESSOR, {"reason": "误报"}))
    elif end == "archived":
        old = await act(conn, await opened(conn, text=TEXT, place=PLACE), *TO_CLOSED, (Action.ARCHIVE, SUPERVISOR, {}))
    else:
        _, old = await merged_pair(conn)
        await act(conn, await hazards.get(conn, old.merged_into), *TO_CLOSED)  # type: ignore[arg-type]
        old = await hazards.get(conn, old.id)
    before = old.version
    report = await accepted(conn, NOW + DAY, text=old.text, place=old.place)
    await land(conn, report, now=NOW + DAY)
    assert (await hazards.get(conn, old.id)).version == before


async def test_a_master_that_a_report_opens_again_takes_its_followers_back(conn: Connection) -> None:
    master, other = await merged_pair(conn)
    await act(conn, master, *TO_CLOSED)
    report = await accepted(conn, NOW + DAY, text="西门消火栓没水", place="西门")
    await land(conn, report, now=NOW + DAY, level=Level.ORANGE)
    assert (await hazards.get(conn, master.id)).state is State.DISPATCHED
    assert (await hazards.get(conn, other.id)).state is State.MERGED
    assert await query(conn, "SELECT count(*) AS n FROM hazards") == [{"n": 2}]


async def test_who_may_close_does_not_close_a_follower_by_hand(conn: Connection) -> None:
    _, other = await merged_pair(conn)
    with pytest.raises(Exception, match="已合并"):
        await hazards.apply(conn, other.id, Action.CLOSE, factories.actor(Role.SUPERVISOR), {}, NOW, factories.clock())
