"""Warnings in the database: opened once, raised, ended by their cause or by a person, told, and seen by whom they concern."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from models.levels import Level
from models.reports import Door
from models.roles import Role
from models.units import UnitTree
from models.warnings.course import Outcome, Steps, steps
from models.warnings.findings import Finding, Kind
from models.warnings.weather import Event, Notice
from store import outbox, units, warnings, weather
from store.db import Connection
from store.pages import BadCursor
from store.scope import Viewer, reading
from store.warnings import Over, Wanted
from tests import factories
from tests.factories import CITY, COLLEGE, DISTRICT, NOW, SCHOOL, SIBLING, UNIVERSITY
from tests.store.test_landing import query

pytestmark = pytest.mark.runtime

LEADER = factories.actor(Role.LEADER)
DAY = timedelta(days=1)
FOUND = Finding(
    Kind.SURGE, f"surge:{SCHOOL}:01", SCHOOL, (SCHOOL,), Level.YELLOW, "超出本单位规律", "“消防安全”1 天 8 件", "0101",
    evidence={"group": "01", "count": 8}, hazards=(UUID(int=7),),
)  # fmt: skip
ORANGE = replace(FOUND, grade=Level.ORANGE, reason="其中红色 1 件")


async def look(conn: Connection, *findings: Finding, at: Any = NOW, kinds: Any = tuple(Kind)) -> int:
    """What a look does once it has its findings."""
    tree = await units.tree(conn)
    changes = steps(findings, await warnings.held(conn, at), kinds, at)
    return await warnings.take(conn, changes, tree, Door(tree=tree, now=at), at)


async def only(conn: Connection) -> dict[str, Any]:
    (row,) = await query(conn, "SELECT * FROM warnings")
    return row


async def told(conn: Connection, aggregate: str = "warnings") -> list[dict[str, Any]]:
    return [row for row in await outbox.peek(conn, 100) if row["aggregatetype"] == aggregate]


async def test_a_finding_opens_one_warning_however_often_it_is_found(conn: Connection) -> None:
    assert await look(conn, FOUND) == 1
    assert await look(conn, replace(FOUND, sentence="9 件", evidence={"count": 9}), at=NOW + timedelta(hours=1)) == 0
    row = await only(conn)
    assert (row["state"], row["grade"], row["unit_path"]) == ("open", "yellow", f"/{CITY}/{DISTRICT}/{SCHOOL}/")
    assert (row["sentence"], row["evidence"], row["held_at"]) == ("9 件", {"count": 9}, NOW + timedelta(hours=1))
    (message,) = await told(conn)
    assert (message["type"], message["aggregateid"]) == ("warning.opened", SCHOOL)
    assert "8 件" not in str(message["payload"])
    # Yellow shows and is told; it opens nothing.
    assert row["report"] is None
    assert await told(conn, "reports") == []


async def test_two_looks_at_once_write_it_once(conn: Connection) -> None:
    tree = await units.tree(conn)
    both = Steps(open=(FOUND, FOUND), go_on=(), gone=())
    assert await warnings.take(conn, both, tree, Door(tree=tree, now=NOW), NOW) == 1


async def test_an_orange_one_opens_a_hazard_by_a_report_through_the_door_once(conn: Connection) -> None:
    await look(conn, ORANGE)
    await look(conn, replace(ORANGE, grade=Level.RED), at=NOW + DAY)
    (message,) = await told(conn, "reports")
    assert (message["payload"]["source"], message["payload"]["level"]) == ("system", "orange")
    assert (message["payload"]["unit"], message["payload"]["category"]) == (SCHOOL, "0101")
    (intake,) = await query(conn, "SELECT id, caller FROM intake")
    assert intake == {"id": (await only(conn))["report"], "caller": "system:warn"}


async def test_a_graver_finding_raises_it_and_then_opens_the_hazard(conn: Connection) -> None:
    await look(conn, FOUND)
    assert await look(conn, ORANGE, at=NOW + DAY) == 1
    assert await look(conn, replace(FOUND, grade=Level.BLUE, reason="x"), at=NOW + 2 * DAY) == 0
    row = await only(conn)
    assert (row["grade"], row["reason"]) == ("orange", ORANGE.reason)
    assert [m["type"] for m in await told(conn)] == ["warning.opened", "warning.raised"]
    assert len(await told(conn, "reports")) == 1


async def test_it_closes_by_itself_when_its_cause_is_gone(conn: Connection) -> None:
    await look(conn, FOUND)
    assert await look(conn, at=NOW + DAY) == 0
    assert await look(conn, at=NOW + 4 * DAY, kinds=[Kind.WEATHER]) == 0
    assert await look(conn, at=NOW + 4 * DAY) == 1
    row = await only(conn)
    assert (row["state"], row["outcome"], row["closed_by"]) == ("closed", "gone", "system:warn")
    assert await look(conn, FOUND, at=NOW + 5 * DAY) == 1


async def test_a_person_ends_it_with_a_reason_and_its_key_rests(conn: Connection) -> None:
    await look(conn, FOUND)
    id = (await only(conn))["id"]
    await warnings.acknowledge(conn, id, LEADER, NOW)
    await warnings.acknowledge(conn, id, LEADER, NOW + DAY)
    await warnings.close(conn, id, LEADER, Outcome.FALSE, "集中录入台账", NOW + DAY)
    row = await only(conn)
    assert (row["state"], row["outcome"], row["closing"]) == ("closed", "false", "集中录入台账")
    assert (row["acknowledged_at"], row["closed_by"]) == (NOW, LEADER.id)
    assert [e["action"] for e in await warnings.events(conn, id)] == ["opened", "acknowledged", "closed"]
    for act in (
        warnings.acknowledge(conn, id, LEADER, NOW),
        warnings.close(conn, id, LEADER, Outcome.HANDLED, "x", NOW),
    ):
        with pytest.raises(Over):
            await act
    assert await look(conn, FOUND, at=NOW + 2 * DAY) == 0
    assert await look(conn, ORANGE, at=NOW + 2 * DAY) == 1
    counted = {one["kind"]: one for one in await warnings.counts(conn, NOW + 3 * DAY)}
    assert counted["surge"] == {"kind": "surge", "opened": 2, "open": 1, "gone": 0, "handled": 0, "false": 1}
    assert counted["weather"]["opened"] == 0


async def test_when_the_rest_is_over_the_same_cause_warns_again(conn: Connection) -> None:
    await look(conn, FOUND)
    await warnings.close(conn, (await only(conn))["id"], LEADER, Outcome.HANDLED, "已排查", NOW)
    assert await look(conn, FOUND, at=NOW + 6 * DAY) == 0
    assert await look(conn, FOUND, at=NOW + 8 * DAY) == 1


@pytest.mark.parametrize(
    "statement", ["UPDATE warning_events SET actor = 'x'", "DELETE FROM warning_events", "TRUNCATE warning_events"]
)
async def test_the_course_is_append_only(conn: Connection, statement: str) -> None:
    await look(conn, FOUND)
    with pytest.raises(psycopg.errors.RestrictViolation, match="append-only"):
        await conn.execute(statement)


async def test_a_cluster_somebody_closed_keeps_its_key_while_it_rests(conn: Connection) -> None:
    cluster = replace(
        FOUND, kind=Kind.CLUSTER, key="cluster:05:1", units=(SCHOOL, SIBLING), unit=DISTRICT, evidence={"group": "05"}
    )
    await look(conn, cluster)
    await warnings.close(conn, (await only(conn))["id"], LEADER, Outcome.HANDLED, "已停供", NOW)
    (standing,) = await warnings.standing(conn, NOW + DAY)
    assert (standing.key, standing.category, standing.units) == ("cluster:05:1", "05", {SCHOOL, SIBLING})
    assert await warnings.standing(conn, NOW + 8 * DAY) == []


# Who sees what --------------------------------------------------------------------------------------------------------


async def seen_by(conn: Connection, tree: UnitTree, unit: str) -> set[str]:
    async with reading(conn, Viewer((tree[unit].path,))):
        rows, _ = await warnings.page(conn, Wanted())
        assert len(await query(conn, "SELECT DISTINCT warning FROM warning_events")) == len(rows)
    return {row["key"] for row in rows}


async def test_a_warning_is_seen_above_and_by_those_it_concerns_and_weather_below_too(conn: Connection) -> None:
    tree = await units.tree(conn)
    cluster = replace(FOUND, kind=Kind.CLUSTER, key="cluster", unit=CITY, units=(SCHOOL, COLLEGE))
    storm = replace(FOUND, kind=Kind.WEATHER, key="weather", unit=DISTRICT, units=(DISTRICT,), downward=True)
    await look(conn, FOUND, cluster, storm)
    own = FOUND.key
    assert await seen_by(conn, tree, CITY) == {own, "cluster", "weather"}
    assert await seen_by(conn, tree, DISTRICT) == {own, "cluster", "weather"}
    assert await seen_by(conn, tree, SCHOOL) == {own, "cluster", "weather"}
    assert await seen_by(conn, tree, SIBLING) == {"weather"}
    assert await seen_by(conn, tree, COLLEGE) == {"cluster"}
    assert await seen_by(conn, tree, UNIVERSITY) == {"cluster"}
    async with reading(conn, Viewer(())):
        assert await query(conn, "SELECT 1 FROM warnings") == []
        assert await query(conn, "SELECT 1 FROM forecasts") == []


async def test_readers_write_nothing_and_do_not_read_the_weather_s_callers(conn: Connection) -> None:
    for statement in ("DELETE FROM warnings", "SELECT * FROM weather", "UPDATE forecasts SET index = 0"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            async with conn.transaction(), reading(conn, Viewer(("/330200/",))):
                await conn.execute(statement)


async def test_pages_neither_skip_nor_repeat_and_filters_filter(conn: Connection) -> None:
    findings = [replace(FOUND, key=f"k{n}", unit=unit, units=(unit,)) for n, unit in enumerate([SCHOOL, SIBLING] * 3)]
    await look(conn, *findings)
    found, cursor = [], None
    while True:
        rows, cursor = await warnings.page(conn, Wanted(), limit=4, cursor=cursor)
        found += [row["key"] for row in rows]
        if cursor is None:
            break
    assert sorted(found) == [f"k{n}" for n in range(6)]
    path = (await units.tree(conn))[SIBLING].path
    rows, _ = await warnings.page(conn, Wanted(state=("open",), kind=("surge",), grade=("yellow",), unit_path=path))
    assert {row["unit"] for row in rows} == {SIBLING}
    assert await warnings.page(conn, Wanted(grade=("red",))) == ([], None)
    with pytest.raises(BadCursor):
        await warnings.page(conn, Wanted(), cursor="??")


# Weather --------------------------------------------------------------------------------------------------------------

NOTICE = Notice("w1", Event.TYPHOON, Level.ORANGE, (DISTRICT,), NOW, NOW + DAY)


async def test_a_notice_is_kept_once_and_ends_by_the_next_one(conn: Connection) -> None:
    assert await weather.announce(conn, NOTICE, "台风橙色预警", [], "key:x", NOW)
    assert not await weather.announce(conn, NOTICE, "台风橙色预警", [], "key:x", NOW)
    with pytest.raises(weather.Conflict):
        await weather.announce(conn, NOTICE, "另一个标题", [], "key:x", NOW)
    assert await weather.in_force(conn, NOW) == [NOTICE]
    later = replace(NOTICE, id="w2", severity=Level.RED)
    await weather.announce(conn, later, None, ["w1"], "key:x", NOW)
    assert await weather.in_force(conn, NOW) == [later]
    assert await weather.in_force(conn, NOW + DAY) == []
    assert await weather.in_force(conn, NOW - 2 * DAY) == []
    assert await weather.end(conn, ["w2", "w3"], "w4", NOW) == 1
    assert await weather.areas(conn, ["w2", "w3"]) == {"w2": [DISTRICT]}
