"""From records on the topics to messages: whom they tell, grouped, held, sent again, acknowledged."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from models.levels import Level
from models.loop import Action
from models.notices_schedule import RESEND, Quiet
from models.roles import Role
from store import accounts, claims, escalations, hazards, notices, outbox, reminders
from store.db import Connection
from streams import escalate
from streams.context import Context
from tests import factories
from tests.factories import CITY, DISTRICT, NOW, SCHOOL, SIBLING
from tests.receivers import Hook
from tests.store.test_hazards import HANDLER, TO_CLOSED, TO_HANDLING, act
from tests.store.test_landing import CLOCK, count, query
from tests.store.test_landing import opened as landed
from tests.streams.notifying import Now, live, person, reached_by, relayed, sent, storm, told

pytestmark = pytest.mark.runtime

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
# 23:30 in Shanghai.
LATE = datetime(2026, 5, 12, 15, 30, tzinfo=UTC)


async def test_a_storm_of_five_hundred_is_one_message_and_a_new_member_is_told(
    conn: Connection, context: Context, now: Now, hook: Hook
) -> None:
    await reached_by(conn, context, await person(conn, "a.one"), hook.url)
    await storm(conn, 500)
    await relayed(conn, context)
    await sent(context)
    assert hook.bodies == [], "yellow waits for others"
    now.at += MINUTE
    await sent(context)
    assert hook.titles == ["【黄】隐患通知 500 条"]
    assert "涉及 1 个单位、500 条隐患" in hook.bodies[0]["message"]
    hazard = await landed(conn, at=now.at)
    await relayed(conn, context)
    await sent(context)
    assert len(hook.bodies) == 1
    now.at += 6 * MINUTE
    await sent(context)
    assert hook.titles[1:] == ["【黄】新隐患待研判：疏散通道与安全出口"]
    assert f"http://campus.example/desk#hazard={hazard.id}" in hook.bodies[1]["message"]


async def test_a_red_storm_is_told_at_once_and_the_rest_within_seconds(
    conn: Connection, context: Context, now: Now, hook: Hook
) -> None:
    await reached_by(conn, context, await person(conn, "a.one"), hook.url)
    await storm(conn, 100, Level.RED)
    await relayed(conn, context)
    await sent(context)
    assert hook.titles == ["【红】隐患通知 100 条"]
    await storm(conn, 100, Level.RED)
    await relayed(conn, context)
    await sent(context)
    assert len(hook.bodies) == 1
    now.at += 10 * SECOND
    await sent(context)
    assert hook.titles[1:] == ["【红】隐患通知 100 条"]


async def test_the_same_records_again_tell_nobody_again(
    conn: Connection, context: Context, now: Now, hook: Hook
) -> None:
    await reached_by(conn, context, await person(conn, "a.one"), hook.url)
    await landed(conn, Level.RED)
    await conn.commit()
    rows = await outbox.peek(conn, 100)
    values = [orjson.dumps(row["payload"]) for row in rows if row["aggregatetype"] == "hazards"]
    for _ in range(3):
        await escalate.take_in(values, context)
        await sent(context)
    assert len(hook.bodies) == 1
    assert await count(conn, "notices") == 1


async def test_a_climb_tells_the_tier_it_arrives_at_and_what_is_no_record_of_ours_tells_nobody(
    conn: Connection, context: Context, now: Now, hook: Hook
) -> None:
    city = [await person(conn, f"c.{role}", role, CITY) for role in (Role.SUPERVISOR, Role.ASSESSOR, Role.LEADER)]
    both = await person(conn, "b.oth", Role.LEADER, CITY)
    await accounts.grant(conn, both, Role.SUPERVISOR, CITY, "test", NOW)
    await person(conn, "d.one", Role.SUPERVISOR, DISTRICT)
    hazard = await landed(conn, Level.RED)
    await relayed(conn, context)
    await told([b"{", b"[]", orjson.dumps({"id": str(hazard.id), "level": "red"}), b"\xff"], context)
    rows = await query(conn, "SELECT account, happening FROM notices WHERE happening = 'climbed'")
    assert sorted(row["account"] for row in rows) == sorted([*city, both]), "each once, whatever hats they wear"


async def test_yellow_and_blue_wait_for_the_morning_and_red_goes_out(
    conn: Connection, context: Context, now: Now, hook: Hook
) -> None:
    await reached_by(conn, context, await person(conn, "a.one"), hook.url, Quiet())
    await reached_by(conn, context, await person(conn, "a.two", unit=SIBLING), hook.url, Quiet())
    now.at = LATE
    await landed(conn, Level.BLUE, at=LATE)
    await landed(conn, Level.RED, at=LATE, unit=SIBLING)
    await relayed(conn, context)
    now.at += 10 * MINUTE
    await sent(context)
    assert [title[:3] for title in hook.titles] == ["【红】"]
    assert [row["held"] for row in await query(conn, "SELECT held FROM notices WHERE level = 'blue'")] == ["quiet"]
    now.at = datetime(2026, 5, 12, 22, 59, 59, tzinfo=UTC)
    await sent(context)
    assert "【蓝】" not in [title[:3] for title in hook.titles]
    now.at += SECOND
    await sent(context)
    assert "【蓝】" in [title[:3] for title in hook.titles]


async def test_it_is_sent_again_until_acknowledged_and_then_the_leader_is_told(
    conn: Connection, context: Context, now: Now, hook: Hook
) -> None:
    one, leader = await person(conn, "a.one"), await person(conn, "l.one", Role.LEADER)
    await reached_by(conn, context, one, hook.url)
    hazard = await landed(conn, Level.RED)
    await relayed(conn, context)
    for n in range(1, 4):
        await sent(context)
        assert len(hook.bodies) == n
        now.at += RESEND[Level.RED]
    await sent(context)
    unanswered = "SELECT account, level FROM notices WHERE happening = 'unanswered'"
    assert await query(conn, unanswered) == [{"account": leader, "level": "red"}]
    before = await hazards.get(conn, hazard.id)
    assert await notices.acknowledge(conn, one, None, [SCHOOL], now.at) == 1
    await conn.commit()
    n = len(hook.bodies)
    now.at += timedelta(days=1)
    await sent(context)
    assert len(hook.bodies) == n
    assert await hazards.get(conn, hazard.id) == before, "acknowledged is not solved"


@pytest.mark.parametrize("way", ["acknowledged", "closed", "moved on"])
async def test_something_bigger_holds_back_the_smaller_ones_until_it_is_over(
    conn: Connection, context: Context, now: Now, hook: Hook, way: str
) -> None:
    one = await person(conn, "a.one")
    await reached_by(conn, context, one, hook.url)
    red = await landed(conn, Level.RED)
    await landed(conn, Level.YELLOW, subcategory="0301")
    await relayed(conn, context)
    await sent(context)
    now.at += 2 * MINUTE
    await sent(context)
    assert [title[:3] for title in hook.titles] == ["【红】"]
    assert await query(conn, "SELECT held FROM notices WHERE level = 'yellow'") == [{"held": "bigger"}]
    if way == "acknowledged":
        await notices.acknowledge(conn, one, None, [SCHOOL], now.at)
        # All were acknowledged, the held one too: it was shown. So one more comes.
        await landed(conn, Level.YELLOW, subcategory="0401", at=now.at)
    else:
        await act(conn, red, *(TO_CLOSED if way == "closed" else TO_HANDLING[:1]), at=now.at)
    await relayed(conn, context)
    now.at += 2 * MINUTE
    await sent(context)
    assert [title[:3] for title in hook.titles] == ["【红】", "【黄】"]


async def test_one_bigger_notice_acknowledged_releases_at_once(
    conn: Connection, context: Context, now: Now, hook: Hook
) -> None:
    one = await person(conn, "a.one")
    await reached_by(conn, context, one, hook.url)
    await landed(conn, Level.RED)
    await landed(conn, Level.YELLOW, subcategory="0301")
    await relayed(conn, context)
    now.at += 2 * MINUTE
    await sent(context)
    (red,) = await query(conn, "SELECT id FROM notices WHERE level = 'red' AND account IS NOT NULL")
    await notices.acknowledge(conn, one, [red["id"]], [], now.at)
    await conn.commit()
    await sent(context)
    assert [title[:3] for title in hook.titles] == ["【红】", "【黄】"]


async def test_where_nobody_is_on_duty_the_next_unit_of_the_chain_is_told(
    conn: Connection, context: Context, now: Now
) -> None:
    above = await person(conn, "d.one", Role.ASSESSOR, DISTRICT)
    await landed(conn)
    await relayed(conn, context)
    assert [row["account"] for row in await query(conn, "SELECT account FROM notices")] == [above]
    await landed(conn, unit="U01")
    await relayed(conn, context)
    nobody = "SELECT recipient FROM notices WHERE unit = 'U01'"
    assert await query(conn, nobody) == [{"recipient": "unit:U01"}]


async def test_a_units_own_channel_is_told_too_but_not_of_confidential_lanes(
    conn: Connection, context: Context, now: Now, hook: Hook
) -> None:
    one = await person(conn, "a.one")
    await person(conn, "c.one", Role.LEADER, CITY)
    await reached_by(conn, context, SCHOOL, hook.url)
    await landed(conn, Level.RED)
    await landed(conn, Level.RED, subcategory="1001")
    await relayed(conn, context)
    await sent(context)
    assert hook.titles == ["【红】新隐患待研判：疏散通道与安全出口"]
    rows = await query(conn, "SELECT recipient FROM notices WHERE subcategory = '1001' AND happening = 'opened'")
    assert rows == [{"recipient": f"account:{one}"}]
    await notices.acknowledge(conn, one, None, [SCHOOL], now.at)
    open_ones = f"SELECT 1 FROM notices WHERE {notices.LIVE} AND happening = 'opened'"
    assert await query(conn, open_ones) == [], "the group's is acknowledged with that of a person of the unit"


async def test_each_step_of_the_loop_tells_whose_turn_it_is_and_ends_what_went_before(
    conn: Connection, context: Context, now: Now
) -> None:
    roles = (Role.ASSESSOR, Role.HANDLER, Role.SUPERVISOR)
    people = {role: await person(conn, role.value, role) for role in roles}
    hazard = await landed(conn)
    await relayed(conn, context)
    assert await live(conn, hazard) == {("opened", people[Role.ASSESSOR])}
    await act(conn, hazard, *TO_HANDLING[:2])
    await relayed(conn, context)
    assert await live(conn, hazard) == {("dispatched", people[Role.HANDLER])}
    await act(conn, hazard, *TO_HANDLING[2:], (Action.SUBMIT, HANDLER, {"evidence": "已拆"}))
    await relayed(conn, context)
    assert await live(conn, hazard) == {("submitted", people[Role.SUPERVISOR])}
    own = factories.actor(Role.SUPERVISOR, id=f"account:{people[Role.SUPERVISOR]}")
    await act(conn, hazard, (Action.RETURN, own, {"reason": "未拆净"}))
    await relayed(conn, context)
    assert await live(conn, hazard) == {("returned", people[Role.HANDLER])}
    await act(conn, hazard, (Action.INSTRUCT, own, {"text": "请速办"}))
    await relayed(conn, context)
    instructed = {("instructed", people[Role.ASSESSOR]), ("instructed", people[Role.HANDLER])}
    assert await live(conn, hazard) == {("returned", people[Role.HANDLER])} | instructed, "not the one who instructed"
    await act(conn, hazard, (Action.SUBMIT, HANDLER, {"evidence": "已拆"}), (Action.CLOSE, own, {}))
    await relayed(conn, context)
    for who in people.values():
        await claims.claim(conn, f"account:{who}", NOW + HOUR, CLOCK)
    assert await live(conn, hazard) == set()
    reasons = await query(conn, "SELECT count(*) AS n FROM notices WHERE ended IS NULL AND acknowledged_at IS NULL")
    assert reasons == [{"n": 0}], "each ended with its reason"


async def test_a_reminder_and_a_missed_deadline_tell_who_owes(conn: Connection, context: Context, now: Now) -> None:
    assessor = await person(conn, "a.one")
    supervisor = await person(conn, "s.one", Role.SUPERVISOR, DISTRICT)
    hazard = await landed(conn, Level.YELLOW)
    await relayed(conn, context)
    now.at = NOW + HOUR
    await reminders.sweep(conn, now.at, CLOCK)
    await relayed(conn, context)
    assert ("reminder", assessor) in await live(conn, hazard)
    now.at = NOW + 2 * HOUR
    await escalations.sweep(conn, now.at, CLOCK)
    await relayed(conn, context)
    assert {("missed", assessor), ("climbed", supervisor)} <= await live(conn, hazard)
