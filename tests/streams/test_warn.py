"""The keeper's look for causes: from hazards in the database to warnings, forecasts, and a hazard of their own."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from models.hazards import Hazard
from models.levels import Level
from models.opening import open_hazard
from models.warnings.weather import Event, Notice
from store import db, deadlines, forecasts, hazards, trail, units, warnings, weather
from store.db import Connection
from store.settings import Settings
from streams import warn
from streams.context import Context, opened
from streams.warn import Watch
from tests import factories
from tests.factories import CITY, DISTRICT, NOW, SCHOOL, SIBLING
from tests.store.test_hazards import TO_CLOSED, act
from tests.store.test_landing import CLOCK, query
from tests.store.test_landing import opened as landed

pytestmark = pytest.mark.runtime

DAY = timedelta(days=1)


@pytest_asyncio.fixture(loop_scope="session")
async def context(dsn: str, tmp_path: Path) -> AsyncIterator[Context]:
    async with opened(Settings(database=dsn, local=tmp_path)) as made:
        yield made


async def warned(conn: Connection) -> list[dict[str, Any]]:
    await conn.commit()
    return await query(conn, "SELECT * FROM warnings ORDER BY opened_at, key")


async def put(
    conn: Connection, at: datetime, unit: str = SCHOOL, text: str = "灯坏了", subcategory: str = "0101"
) -> Hazard:
    """A hazard of its own, whatever it is like: what is a witness of what is another matter (store/landing.py)."""
    told = factories.report(unit=unit, text=text)
    judged = factories.judgement(category=subcategory[:2], subcategory=subcategory)
    chain = (await units.tree(conn)).upward(unit)
    new = open_hazard(factories.new_id(), told, judged, chain, at, None, at, CLOCK)
    await hazards.insert(conn, [new.hazard])
    await trail.append(conn, [(new.event, new.hazard.trail_hash)])
    await deadlines.open_all(conn, [(new.hazard.id, kind, at, due) for kind, due in new.deadlines])
    return new.hazard


async def months(conn: Connection, upto: datetime) -> None:
    """A quiet past of two schools: every third day something, closed within the hour."""
    for unit in (SCHOOL, SIBLING):
        for n in range(20):
            at = upto - timedelta(days=60 - 3 * n if unit == SCHOOL else 59 - 3 * n)
            await act(conn, await put(conn, at, unit, f"第{n}间教室的灯坏了"), *TO_CLOSED, at=at)


async def burst(conn: Connection, count: int, at: datetime) -> None:
    """So many hazards of one category at one school within minutes."""
    for n in range(count):
        await put(conn, at - timedelta(minutes=n), text=f"{n}号门打不开")


async def test_a_burst_is_warned_of_once_and_a_forecast_is_there(context: Context, conn: Connection) -> None:
    await months(conn, NOW - 8 * DAY)
    await burst(conn, 12, NOW)
    await conn.commit()
    watch = Watch()
    assert await warn.once(context, watch, NOW) >= 2
    rows = {row["key"]: row for row in await warned(conn)}
    assert {f"surge:{SCHOOL}:01", f"surge:{SCHOOL}:all"} <= set(rows)
    assert len(rows[f"surge:{SCHOOL}:01"]["hazards"]) == 12
    assert await warn.once(context, watch, NOW + timedelta(minutes=3)) == 0
    # After a restart the same is not warned of again.
    assert await warn.once(context, Watch(), NOW + timedelta(minutes=6)) == 0
    foretold = await forecasts.of(conn, SCHOOL)
    assert foretold
    assert len(foretold["points"]) == 14
    assert await forecasts.of(conn, CITY)
    assert await forecasts.of(conn, "330206") is None


async def test_a_quick_look_sees_what_came_since(context: Context, conn: Connection) -> None:
    await months(conn, NOW - 8 * DAY)
    await conn.commit()
    watch = Watch()
    assert await warn.once(context, watch, NOW) == 0
    await burst(conn, 12, NOW + timedelta(minutes=3))
    await conn.commit()
    assert await warn.once(context, watch, NOW + timedelta(minutes=3)) >= 1


async def test_a_recurrence_is_found_and_ends_when_its_hazard_is_closed(context: Context, conn: Connection) -> None:
    old = await landed(conn, at=NOW - 40 * DAY, place="3号楼2层", text="走廊顶上漏水，地上一大滩", subcategory="0405")
    await act(conn, old, *TO_CLOSED, at=NOW - 30 * DAY)
    new = await landed(conn, at=NOW, place="3号楼2层", text="又漏水了，走廊地上一大滩水", subcategory="0405")
    await conn.commit()
    assert await warn.once(context, Watch(), NOW) == 1
    (row,) = await warned(conn)
    assert (row["kind"], row["hazards"]) == ("recurrence", [new.id, old.id])
    await act(conn, new, *TO_CLOSED, at=NOW)
    await conn.commit()
    assert await warn.once(context, Watch(), NOW + DAY) == 0
    assert await warn.once(context, Watch(), NOW + 4 * DAY) == 1
    assert (await warned(conn))[0]["outcome"] == "gone"


async def test_what_is_overdue_piles_up(context: Context, conn: Connection) -> None:
    await burst(conn, 7, NOW - 4 * DAY)
    await conn.commit()
    await warn.once(context, Watch(), NOW)
    (row,) = [row for row in await warned(conn) if row["kind"] == "pileup"]
    assert (row["unit"], len(row["hazards"])) == (SCHOOL, 7)


async def test_weather_opens_a_hazard_and_ends_on_its_hour(context: Context, conn: Connection) -> None:
    notice = Notice("w1", Event.TYPHOON, Level.ORANGE, (DISTRICT,), NOW, NOW + DAY)
    await weather.announce(conn, notice, None, [], "key:x", NOW)
    await conn.commit()
    watch = Watch()
    assert await warn.once(context, watch, NOW) == 1
    (row,) = await warned(conn)
    assert (row["unit"], row["downward"], row["subcategory"]) == (DISTRICT, True, "1301")
    (report,) = await query(conn, "SELECT unit, source, level, text FROM reports")
    assert (report["unit"], report["source"], report["level"]) == (DISTRICT, "system", "orange")
    assert report["text"].startswith("平台气象预警：台风橙色预警")
    assert await warn.once(context, watch, NOW + DAY) == 1
    assert (await warned(conn))[0]["outcome"] == "gone"


async def test_one_keeper_at_a_time_looks(context: Context, conn: Connection, dsn: str) -> None:
    notice = Notice("w1", Event.RAIN, Level.YELLOW, (CITY,), NOW, NOW + DAY)
    await weather.announce(conn, notice, None, [], "key:x", NOW)
    await conn.commit()
    async with db.connect(dsn) as other:
        assert await warnings.lead(other)
        assert await warn.once(context, Watch(), NOW) == 0
        assert await warned(conn) == []
    assert await warn.once(context, Watch(), NOW) == 1


async def test_a_mistake_in_a_look_does_not_end_the_keeper(
    context: Context, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    looks = asyncio.Event()

    async def broken(*_: Any) -> int:
        looks.set()
        raise ZeroDivisionError

    monkeypatch.setattr(warn, "once", broken)
    running = asyncio.create_task(warn.run(context))
    await asyncio.wait_for(looks.wait(), 5)
    await asyncio.sleep(0.05)
    assert not running.done()
    running.cancel()
    assert "a look for warnings failed" in caplog.text


async def test_a_unit_without_members_of_its_own_is_as_large_as_those_below(context: Context, conn: Connection) -> None:
    tree = await units.tree(conn)
    below = [unit for unit in tree if unit.parent == DISTRICT]
    assert warn._members(tree[DISTRICT], context) == sum(unit.members for unit in below)
    assert warn._members(tree[SCHOOL], context) == tree[SCHOOL].members
    assert warn._members(tree["U01"], context) == 24600
