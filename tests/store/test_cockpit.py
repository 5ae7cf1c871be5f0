"""Figures of the one screen, against counts made another way."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from models.calendar import SHANGHAI
from models.hazards import Hazard
from models.levels import Level
from models.loop import OPEN_STATES, Action
from models.reports import BadReport, Problem
from models.taxonomy import categories
from models.units import Unit
from store import cockpit, dead, escalations, hazards, units
from store.db import Connection
from tests import factories
from tests.factories import CITY, COLLEGE, DISTRICT, NOW, SCHOOL, SIBLING, UNIVERSITY
from tests.store.test_hazards import ASSESSOR, SUPERVISOR, TO_CLOSED, TO_HANDLING, act
from tests.store.test_landing import CLOCK, accepted, land, opened, query

pytestmark = pytest.mark.runtime

TIERS = {"school": "学校/学院", "university": "高校", "district": "区县教育局", "city": "市"}
LATER = NOW + timedelta(minutes=40)
SECRET = "几名学生长期欺负同班同学"


async def figures(conn: Connection, code: str = CITY, now: datetime = LATER) -> dict[str, Any]:
    tree = await units.tree(conn)
    children = [unit for unit in tree if unit.parent == code]
    return await cockpit.figures(conn, tree[code], children, TIERS, now)


async def a_busy_day(conn: Connection) -> None:
    """Hazards of every kind that the screen tells apart, in four units."""
    red = await opened(conn, Level.RED, at=NOW - timedelta(days=1))
    orange = [await opened(conn, Level.ORANGE, unit=unit) for unit in (SCHOOL, SIBLING, COLLEGE)]
    await escalations.route(conn, [red.id, *(hazard.id for hazard in orange)], NOW, CLOCK)
    for n in range(1, len(TO_CLOSED) + 1):
        await act(conn, await opened(conn, unit=SIBLING if n % 2 else COLLEGE, subcategory="0402"), *TO_CLOSED[:n])
    reviewed = await act(conn, await opened(conn, Level.RED), *TO_CLOSED)
    await escalations.route(conn, [reviewed.id], NOW, CLOCK)
    ended = await act(conn, await opened(conn, Level.ORANGE), *TO_CLOSED, (Action.REVIEW, SUPERVISOR, {}))
    assert ended.state == "reviewing"
    await act(conn, await opened(conn, Level.BLUE), (Action.REJECT, ASSESSOR, {"reason": "误报"}))
    await act(conn, await opened(conn, Level.BLUE), (Action.LIST, SUPERVISOR, {"reason": "反复发生", "on": True}))
    secret = await opened(conn, Level.RED, "1001", text=SECRET)
    await escalations.route(conn, [secret.id], NOW, CLOCK)
    witness = await opened(conn, place="三号楼")
    await land(conn, await accepted(conn, place="三号楼"))
    assert (await hazards.get(conn, witness.id)).report_count == 2
    await land(conn, await accepted(conn, drill=True, unit=COLLEGE))
    await escalations.sweep(conn, NOW + timedelta(minutes=31), CLOCK)


async def everything(conn: Connection, path: str) -> tuple[list[Hazard], list[dict[str, Any]]]:
    """All hazards below a path, and all their deadlines."""
    rows = await query(conn, "SELECT id FROM hazards")
    held = [await hazards.get(conn, row["id"]) for row in rows]
    own = [hazard for hazard in held if hazard.unit_path.startswith(path)]
    due = await query(conn, "SELECT * FROM deadlines")
    return own, [row for row in due if row["hazard"] in {hazard.id for hazard in own}]


def levels(held: Sequence[Hazard]) -> dict[str, int]:
    counted = Counter(hazard.level.value for hazard in held)
    return {level.value: counted[level.value] for level in Level}


@pytest.mark.parametrize("code", [CITY, DISTRICT, SCHOOL, UNIVERSITY, COLLEGE, "330206"])
async def test_counts_equal_an_independent_count(conn: Connection, code: str) -> None:
    await a_busy_day(conn)
    told = await figures(conn, code)
    unit = (await units.tree(conn))[code]
    own, due = await everything(conn, unit.path)
    open_ = [hazard for hazard in own if hazard.state in OPEN_STATES]
    unmet = [row for row in due if row["met_at"] is None and row["dropped_at"] is None]
    late = {row["hazard"] for row in unmet if row["missed_at"] or row["due_at"] <= LATER}
    owed = [h for h in own if h.state in ("closed", "reviewing") and h.id in {r["hazard"] for r in unmet}]

    assert told["unit"] == {"code": code, "name": unit.name, "tier": unit.tier}
    assert told["open"]["total"] == len(open_)
    assert told["open"]["overdue"] == sum(hazard.id in late for hazard in open_)
    assert told["open"]["major"] == sum(hazard.major for hazard in open_)
    assert told["open"]["listed"] == sum(hazard.listed for hazard in open_)
    assert told["open"]["by_level"] == levels(open_)
    states = Counter(hazard.state.value for hazard in open_)
    assert told["open"]["by_state"] == {state.value: states[state.value] for state in OPEN_STATES}
    phases = Counter(str(hazard.state.phase) for hazard in open_)
    assert told["open"]["by_phase"] == {
        "warn": phases["warn"],
        "intervene": phases["intervene"],
        "review": len(owed),
    }
    cells = Counter((h.level.value, str(h.state.phase)) for h in [*open_, *owed])
    assert {(m["level"], m["phase"]): m["count"] for m in told["open"]["matrix"] if m["count"]} == cells
    assert len(told["open"]["matrix"]) == 12
    tiers = Counter(hazard.tier for hazard in open_)
    assert {t["tier"]: t["open"] for t in told["tiers"]} == {tier: tiers[tier] for tier in TIERS}
    kinds = Counter(hazard.subcategory[:2] for hazard in open_)
    assert {c["code"]: c["open"] for c in told["categories"]} == {c: kinds[c] for c in categories()}
    for child in told["units"]:
        path = (await units.tree(conn))[child["code"]].path
        inside = [hazard for hazard in open_ if hazard.unit_path.startswith(path)]
        assert (child["open"], child["by_level"]) == (len(inside), levels(inside))
        assert child["overdue"] == sum(hazard.id in late for hazard in inside)


@pytest.mark.parametrize("code", [CITY, DISTRICT, SCHOOL, COLLEGE])
async def test_today_and_the_hours_equal_an_independent_count(conn: Connection, code: str) -> None:
    await a_busy_day(conn)
    await accepted(conn, NOW - timedelta(hours=10), unit=code)  # yesterday in Shanghai, within the last 24 hours
    error = BadReport(Problem("", "json", "不是合法的 JSON"))
    await dead.put(conn, [dead.letter(factories.new_id(), "t", 0, 1, None, b"{", error)], NOW)
    told = await figures(conn, code)
    unit = (await units.tree(conn))[code]
    own, _ = await everything(conn, unit.path)
    inside = await query(
        conn, "SELECT i.* FROM intake i JOIN units u ON u.code = i.unit WHERE starts_with(u.path, %s)", unit.path
    )
    midnight = datetime(2026, 5, 12, tzinfo=SHANGHAI)
    today = [row for row in inside if row["received_at"] >= midnight]
    climbs = await query(conn, "SELECT * FROM escalations WHERE from_unit <> to_unit")
    outcomes = Counter(row["outcome"] for row in today)
    assert told["today"] == {
        "reports": len(today),
        "hazards": outcomes["opened"],
        "attached": outcomes["attached"],
        "quiet": outcomes["quiet"],
        "dead": int(code == CITY),
        "closed": sum(hazard.closed_at is not None and hazard.closed_at >= midnight for hazard in own),
        "climbed": sum(row["hazard"] in {hazard.id for hazard in own} for row in climbs),
    }
    assert len(told["hours"]) == 24
    assert told["hours"] == sorted(told["hours"], key=lambda hour: datetime.fromisoformat(hour["hour"]))
    assert datetime.fromisoformat(told["hours"][-1]["hour"]) == LATER.replace(minute=0)
    begins = LATER.replace(minute=0) - timedelta(hours=23)
    assert sum(hour["reports"] for hour in told["hours"]) == sum(row["received_at"] >= begins for row in inside)
    assert sum(hour["closed"] for hour in told["hours"]) == told["today"]["closed"]


async def test_urgent_is_red_and_orange_soonest_first_and_climbed_newest_first(conn: Connection) -> None:
    await a_busy_day(conn)
    for _ in range(12):
        await opened(conn, Level.RED, at=NOW + timedelta(minutes=35))
    told = await figures(conn)
    urgent, climbed = told["urgent"], told["climbed"]
    assert len(urgent) == 12
    assert {line["level"] for line in urgent} <= {"red", "orange"}
    dues = [datetime.fromisoformat(line["due_at"]) for line in urgent]
    assert dues == sorted(dues)
    times = [datetime.fromisoformat(line["at"]) for line in climbed]
    assert times == sorted(times, reverse=True)
    assert {line["reason"] for line in climbed} == {"level", "deadline"}
    assert all(line["from_tier"] != line["to_tier"] for line in climbed)


@pytest.mark.parametrize("code", [CITY, DISTRICT, SCHOOL])
async def test_a_confidential_one_is_counted_and_shown_nowhere(conn: Connection, code: str) -> None:
    secret = await opened(conn, Level.RED, "1001", text=SECRET, place="初二3班")
    await escalations.route(conn, [secret.id], NOW, CLOCK)
    told = await figures(conn, code)
    assert told["open"]["total"] == 1
    assert told["today"]["climbed"] == 1
    assert next(c["open"] for c in told["categories"] if c["code"] == "10") == 1
    assert (told["urgent"], told["climbed"], told["recent"]) == ([], [], [])
    assert [word for word in (SECRET, "初二3班", str(secret.id)) if word in str(told)] == []


async def test_recent_tells_what_happened_newest_first_without_the_reporter_s_words(conn: Connection) -> None:
    hazard = await act(conn, await opened(conn, text="保安老王说出口被锁", place="三号楼"), *TO_HANDLING, at=LATER)
    told = (await figures(conn))["recent"]
    assert [line["kind"] for line in told] == ["start", "settle", "dispatch", "assess", "opened"]
    assert {line["id"] for line in told} == {str(hazard.id)}
    assert "老王" not in str(told)


async def test_recent_keeps_the_order_of_what_happened_in_one_instant(conn: Connection) -> None:
    """A batch that opens a hazard and attaches its witnesses has one instant for all."""
    await land(conn, *[await accepted(conn, place="三号楼") for _ in range(6)])
    told = (await figures(conn))["recent"]
    assert [line["kind"] for line in told] == ["attached"] * 5 + ["opened"]


async def test_recent_holds_the_last_thirty(conn: Connection) -> None:
    await land(conn, *[await accepted(conn) for _ in range(35)])
    assert len((await figures(conn))["recent"]) == 30


async def test_rates_and_times(conn: Connection) -> None:
    for n in range(4):
        await act(conn, await opened(conn), *TO_CLOSED[: 6 if n < 2 else 2])
    await act(conn, await opened(conn), (Action.REJECT, ASSESSOR, {"reason": "误报"}))
    told = await figures(conn)
    assert told["rates"]["closing"] == 2 / 4
    assert told["rates"]["false_report"] == 1 / 5
    assert told["rates"]["timely"] is None, "nothing has fallen due yet"
    obliged = await query(conn, "SELECT count(*) AS n FROM units WHERE obliged")
    assert told["rates"]["usage"] == 1 / obliged[0]["n"]
    assert told["times"] == {"response_p50": 0, "response_p90": 0, "handling_p50": 240, "handling_p90": 240}


async def test_timely_counts_what_fell_due(conn: Connection) -> None:
    late = NOW + timedelta(days=2)
    await act(conn, await opened(conn, Level.RED), *TO_CLOSED)
    await opened(conn, Level.RED)
    await act(conn, await opened(conn, Level.RED), *TO_HANDLING)
    assert (await figures(conn, now=late))["rates"]["timely"] == 1 / 2


async def test_an_empty_city_shows_zeros_and_no_rate(conn: Connection) -> None:
    told = await figures(conn)
    assert told["open"]["total"] == 0
    assert set(told["today"].values()) == {0}
    assert (told["urgent"], told["climbed"], told["recent"]) == ([], [], [])
    assert told["rates"] == {"closing": None, "timely": None, "false_report": None, "usage": 0.0}
    assert set(told["times"].values()) == {None}
    assert {hour["reports"] for hour in told["hours"]} == {0}


async def test_where_nobody_is_obliged_there_is_no_usage(conn: Connection) -> None:
    nowhere = Unit("X", "空", "district", "district", CITY, path="/330200/X/")
    told = await cockpit.figures(conn, nowhere, [], TIERS, NOW)
    assert set(told["rates"].values()) == {None}


async def test_a_path_that_is_a_prefix_of_another_code_counts_only_its_own(conn: Connection) -> None:
    await opened(conn, unit=COLLEGE)
    tree = await units.tree(conn)
    told = await cockpit.figures(conn, replace(tree[UNIVERSITY], code="U0", path="/330200/U0/"), [], TIERS, NOW)
    assert told["open"]["total"] == 0
