"""What messages and real receivers do to each other: away, killed in between, two senders; and what is never said."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from deploy.runtime.checks import free_port
from models.levels import Level
from models.notices_channel import ChannelKind
from models.notices_schedule import CLAIM
from store import channels, claims, sending
from store.db import Connection
from store.settings import Settings
from streams import notify
from streams.context import Context
from tests.factories import CITY
from tests.receivers import Hook, Mails
from tests.store.test_landing import CLOCK, query
from tests.store.test_landing import opened as landed
from tests.streams.notifying import Now, person, reached_by, relayed, sent, storm

pytestmark = pytest.mark.runtime

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


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
