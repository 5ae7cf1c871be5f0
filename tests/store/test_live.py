"""What the wall hears: one notice a visible change at its commit, and no word of a confidential lane."""

import json
from typing import Any

import pytest

from models.loop import Action
from models.roles import Role
from store import db, hazards, live
from store.db import Connection
from tests import factories
from tests.factories import NOW
from tests.store.test_landing import CLOCK, accepted, land, opened

pytestmark = pytest.mark.runtime


async def heard(listener: Connection) -> list[dict[str, Any]]:
    return [json.loads(notice.payload) async for notice in listener.notifies(timeout=0.3)]


async def test_an_opened_hazard_is_told_when_it_commits_without_the_reporter_s_words(
    dsn: str, conn: Connection
) -> None:
    async with db.connect(dsn, autocommit=True) as listener:
        await listener.execute(f"LISTEN {live.CHANNEL}")
        hazard = await opened(conn, text="门卫老王说安全出口被锁", place="3号楼 13800001234")
        assert await heard(listener) == []
        await conn.commit()
        told = await heard(listener)
    assert [(line["event"], line["data"]["kind"], line["data"]["id"]) for line in told] == [
        ("hazard", "opened", str(hazard.id))
    ]
    assert "3号楼" in told[0]["data"]["summary"]
    assert [word for word in ("老王", "13800001234") if word in str(told)] == []


async def test_of_a_confidential_one_only_that_figures_changed(dsn: str, conn: Connection) -> None:
    async with db.connect(dsn, autocommit=True) as listener:
        await listener.execute(f"LISTEN {live.CHANNEL}")
        hazard = await opened(conn, subcategory="1001", text="几名学生长期欺负同班同学")
        await hazards.apply(conn, hazard.id, Action.ASSESS, factories.actor(Role.ASSESSOR), {}, NOW, CLOCK)
        await conn.commit()
        told = await heard(listener)
    assert {line["event"] for line in told} == {"figures"}
    assert str(hazard.id) not in str(told)


async def test_a_quiet_report_and_a_bulk_still_move_the_figures(dsn: str, conn: Connection) -> None:
    async with db.connect(dsn, autocommit=True) as listener:
        await listener.execute(f"LISTEN {live.CHANNEL}")
        await land(conn, await accepted(conn, drill=True))
        await conn.commit()
        assert [line["event"] for line in await heard(listener)] == ["figures"]
        await land(conn, *[await accepted(conn) for _ in range(live.MOST_LINES + 5)])
        await conn.commit()
        events = [line["event"] for line in await heard(listener)]
    assert (events.count("hazard"), events.count("figures")) == (live.MOST_LINES, 1)
