"""From records on the topics to messages at real receivers: grouped, held, sent again, acknowledged, and once."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
import pytest_asyncio

from deploy.runtime.checks import free_port
from models.hazards import Hazard
from models.levels import Level
from models.loop import Action
from models.notices_channel import ChannelKind, channel
from models.notices_schedule import CLAIM, RESEND, Quiet
from models.roles import Role
from store import accounts, channels, claims, escalations, hazards, notices, outbox, reminders, sending
from store.channels import Owner
from store.db import Connection
from store.sealing import sealer
from store.settings import Settings
from streams import escalate, notify
from streams import notices as planning
from streams.context import Context, opened
from tests import factories
from tests.factories import CITY, DISTRICT, NOW, SCHOOL, SIBLING
from tests.receivers import Hook, Mails, listening, mail_server
from tests.store.test_hazards import HANDLER, TO_CLOSED, TO_HANDLING, act
from tests.store.test_landing import CLOCK, accepted, count, land, query
from tests.store.test_landing import opened as landed

pytestmark = pytest.mark.runtime

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
# 23:30 in Shanghai.
LATE = datetime(2026, 5, 12, 15, 30, tzinfo=UTC)


class Now:
    """The agents' clock, in the test's hand."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Now:
    clock = Now()
    for module in (notify, planning, escalate):
        monkeypatch.setattr(module, "now", clock)
    return clock


@pytest.fixture
def hook() -> Iterator[Hook]:
    with listening() as found:
        yield found


@pytest.fixture
def mails() -> Iterator[Mails]:
    with mail_server(free_port()) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="session")
async def context(dsn: str, tmp_path: Path) -> AsyncIterator[Context]:
    settings = Settings(database=dsn, local=tmp_path, notify_private=True, public_url="http://campus.example/")
    async with opened(settings) as context:
        yield context


async def person(conn: Connection, login: str, role: Role = Role.ASSESSOR, unit: str = SCHOOL) -> UUID:
    id = await accounts.create(conn, login, f"姓名{login}", "no password", [(role, unit)], "test", NOW)
    await conn.commit()
    return id


async def reached_by(
    conn: Connection, context: Context, owner: UUID | str, address: str, quiet: Quiet | None = None,
    kind: ChannelKind = ChannelKind.WEBHOOK,
) -> UUID:  # fmt: skip
    who = Owner(account=owner) if isinstance(owner, UUID) else Owner(unit=owner)
    id = await channels.add(conn, who, channel(kind, address), quiet, sealer(context.settings), "test", NOW)
    await conn.commit()
    return id


async def relayed(conn: Connection, context: Context) -> None:
    """What the relay would bring: everything in the outbox, to the agents that read it, until nothing new comes of it."""
    await conn.commit()
    while rows := await outbox.peek(conn, 10_000):
        await outbox.remove(conn, [row["id"] for row in rows])
        await conn.commit()
        for aggregate, take in (("hazards", escalate.take_in), ("escalations", told)):
            values = [orjson.dumps(row["payload"]) for row in rows if row["aggregatetype"] == aggregate]
            for first in range(0, len(values), 500):
                await take(values[first : first + 500], context)


async def told(values: list[bytes], context: Context) -> None:
    await planning.tell(planning.read(values), context)


async def sent(context: Context) -> None:
    """Sweep until nothing is due."""
    while await notify.sweep(context, sealer(context.settings)):
        pass


async def storm(conn: Connection, n: int, level: Level = Level.YELLOW, at: datetime = NOW) -> None:
    for _ in range(0, n, 100):
        some = [await accepted(conn, at) for _ in range(min(n, 100))]
        await land(conn, *some, now=at, level=level)


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


async def test_a_receiver_that_was_down_is_told_once_when_it_is_back(
    conn: Connection, context: Context, now: Now, hook: Hook
) -> None:
    await reached_by(conn, context, await person(conn, "a.one"), hook.url)
    hook.status = 503
    await landed(conn, Level.RED)
    await relayed(conn, context)
    for _ in range(3):
        await sent(context)
        now.at += 30 * SECOND
    assert (await channels.failing(conn))[0]["reason"] == "http_503"
    assert await query(conn, "SELECT DISTINCT reason FROM deliveries") == [{"reason": "http_503"}]
    hook.status = 200
    now.at += 2 * MINUTE
    await sent(context)
    await sent(context)
    assert len(hook.bodies) == 1
    assert await channels.failing(conn) == []


async def test_the_next_channel_takes_what_the_first_does_not(
    conn: Connection, context: Context, now: Now, hook: Hook, mails: Mails
) -> None:
    context.settings.mail = Settings(mail=mails.url).mail
    one = await person(conn, "a.one")
    await reached_by(conn, context, one, f"http://127.0.0.1:{free_port()}/")
    await reached_by(conn, context, one, "li@school.example", kind=ChannelKind.EMAIL)
    await landed(conn, Level.RED)
    await relayed(conn, context)
    await sent(context)
    (mail,) = mails.taken
    assert mail["Subject"] == "【红】新隐患待研判：疏散通道与安全出口"
    outcomes = await query(
        conn, "SELECT c.kind, d.sent, d.reason FROM deliveries d JOIN channels c ON c.id = d.channel ORDER BY c.kind"
    )
    assert outcomes == [
        {"kind": "email", "sent": True, "reason": None},
        {"kind": "webhook", "sent": False, "reason": "unreachable"},
    ]


async def test_killed_between_claim_and_send_it_goes_out_when_the_claim_runs_out(
    conn: Connection, context: Context, now: Now, hook: Hook
) -> None:
    one = await person(conn, "a.one")
    await reached_by(conn, context, one, hook.url)
    await landed(conn, Level.RED)
    await relayed(conn, context)
    dead = await claims.claim(conn, f"account:{one}", now.at, CLOCK)
    assert dead
    await conn.commit()
    await sent(context)
    assert hook.bodies == []
    now.at += CLAIM + SECOND
    await sent(context)
    assert len(hook.bodies) == 1
    # The dead one's word comes late: it changes nothing any more.
    before = await query(conn, "SELECT * FROM notices ORDER BY id")
    await claims.record(conn, dead, dead.parts[0].lot, False, now.at)
    assert await query(conn, "SELECT * FROM notices ORDER BY id") == before


async def test_no_transaction_is_open_while_a_receiver_is_spoken_to(
    conn: Connection, context: Context, now: Now, hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    await reached_by(conn, context, await person(conn, "a.one"), hook.url)
    await landed(conn)
    await relayed(conn, context)
    now.at += MINUTE
    states: list[str] = []

    async def looks(*_: Any) -> None:
        rows = await query(
            conn, "SELECT state FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )  # fmt: skip
        states.extend(row["state"] for row in rows)
        await conn.commit()

    monkeypatch.setattr(sending, "deliver", looks)
    await sent(context)
    assert states
    assert not [state for state in states if state.startswith("idle in transaction")]


async def test_two_keepers_send_each_message_once(conn: Connection, context: Context, now: Now, hook: Hook) -> None:
    for n in range(6):
        await reached_by(conn, context, await person(conn, f"a.{n}"), hook.url)
    await storm(conn, 20, Level.RED)
    await relayed(conn, context)
    await asyncio.gather(*(sent(context) for _ in range(3)))
    assert hook.titles == ["【红】隐患通知 20 条"] * 6


async def test_what_reached_nobody_is_shown_and_goes_out_when_a_channel_comes(
    conn: Connection, context: Context, now: Now, hook: Hook
) -> None:
    one = await person(conn, "a.one")
    await landed(conn, Level.RED)
    await relayed(conn, context)
    await sent(context)
    held = await query(conn, "SELECT recipient, held FROM notices ORDER BY recipient")
    assert held == [
        {"recipient": f"account:{one}", "held": "no_channel"},
        {"recipient": f"unit:{CITY}", "held": "no_channel"},
    ], "the city, where nobody is, shows too"
    await reached_by(conn, context, one, hook.url)
    await sent(context)
    assert len(hook.bodies) == 1


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


async def live(conn: Connection, hazard: Hazard) -> set[tuple[str, UUID]]:
    rows = await query(conn, f"SELECT happening, account FROM notices WHERE hazard = %s AND {notices.LIVE}", hazard.id)
    await conn.commit()
    return {(row["happening"], row["account"]) for row in rows}


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


async def test_no_word_of_a_reporter_and_no_name_leaves(
    conn: Connection, context: Context, now: Now, hook: Hook
) -> None:
    await reached_by(conn, context, await person(conn, "a.one"), hook.url)
    await landed(conn, Level.RED, text="王小明的爸爸说三楼有人打架", place="三楼尽头")
    await relayed(conn, context)
    await sent(context)
    said = orjson.dumps(hook.bodies).decode()
    assert "王小明" not in said
    assert "三楼" not in said
    assert "姓名" not in said
    kept = orjson.dumps(
        [
            {k: str(v) for k, v in row.items()}
            for table in ("channels", "deliveries", "notices")
            for row in await query(conn, f"SELECT * FROM {table}")
        ]
    ).decode()
    assert hook.url not in kept
    assert "打架" not in kept


async def test_the_running_sender_sends(conn: Connection, context: Context, hook: Hook) -> None:
    await reached_by(conn, context, await person(conn, "a.one"), hook.url)
    await landed(conn, Level.RED, at=datetime.now(UTC))
    await relayed(conn, context)
    running = asyncio.create_task(notify.run(context))
    async with asyncio.timeout(20):
        while not hook.bodies:
            await asyncio.sleep(0.05)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert len(hook.bodies) == 1
