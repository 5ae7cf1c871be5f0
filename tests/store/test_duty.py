"""Rosters in the database, whom the chain counts on, and hazards that climb past empty desks."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from models.duty import Absence, Holidays, Roster, Turn
from models.levels import Level
from models.roles import Role
from store import accounts, chains, duty, escalations, hazards, rosters, trail, units
from store.db import Connection
from tests import factories
from tests.api.test_sessions import account
from tests.factories import CITY, DISTRICT, NOW, SCHOOL
from tests.store.test_escalations import climbs
from tests.store.test_hazards import TO_CLOSED, act
from tests.store.test_landing import CLOCK, opened

pytestmark = pytest.mark.runtime

DAY = timedelta(days=1)
FIRST = date(2026, 5, 1)


async def person(conn: Connection, login: str, role: Role = Role.ASSESSOR, unit: str = SCHOOL) -> UUID:
    """Somebody with one role."""
    return await account(conn, login, (role, unit))


async def rostered(
    conn: Connection, *people: UUID, unit: str = SCHOOL, role: Role = Role.ASSESSOR, **more: object
) -> UUID:
    """A daily roster in force."""
    fields = {"first_day": FIRST, "turn": Turn.DAY} | more
    return await rosters.put(conn, Roster(unit=unit, role=role, people=people, **fields), "test", NOW)  # type: ignore[arg-type]


async def meant(conn: Connection, unit: str = SCHOOL, role: Role = Role.ASSESSOR, now: datetime = NOW) -> list[UUID]:
    return [one.account for one in await duty.on_duty(conn, unit, [role], now)]


async def test_without_a_roster_whoever_holds_the_role_there_is_meant(conn: Connection) -> None:
    one, two = await person(conn, "a.one"), await person(conn, "a.two")
    await person(conn, "a.three", unit=DISTRICT)
    assert await meant(conn) == [one, two]
    assert await meant(conn, role=Role.HANDLER) == []
    assert await meant(conn, unit="no-such-unit") == []
    await accounts.disable(conn, one, "test", NOW)
    assert await meant(conn) == [two]


async def test_a_roster_names_one_and_a_later_one_takes_its_place(conn: Connection) -> None:
    one, two = await person(conn, "a.one"), await person(conn, "a.two")
    await rostered(conn, one, two)
    days = [await meant(conn, now=NOW + n * DAY) for n in range(3)]
    assert days[0] == days[2] != days[1]
    assert {days[0][0], days[1][0]} == {one, two}
    await rostered(conn, two)
    assert await meant(conn) == await meant(conn, now=NOW + DAY) == [two]
    assert await rosters.end(conn, SCHOOL, Role.ASSESSOR, "test", NOW)
    assert not await rosters.end(conn, SCHOOL, Role.ASSESSOR, "test", NOW)
    assert await meant(conn) == [one, two]


async def test_nobody_is_rostered_where_they_hold_no_role(conn: Connection) -> None:
    other = await person(conn, "a.other", role=Role.HANDLER)
    above = await person(conn, "a.above", unit=DISTRICT)
    with pytest.raises(rosters.Unable, match="没有「研判员」角色"):
        await rostered(conn, other)
    await rostered(conn, above)
    assert await meant(conn) == [above], "a role holds in its unit and below"


async def test_a_name_left_in_a_roster_is_nobody(conn: Connection) -> None:
    one = await person(conn, "a.one")
    await rostered(conn, one)
    await accounts.disable(conn, one, "test", NOW)
    assert await meant(conn) == []
    assert (await duty.book(conn)).unmanned(NOW) == {(SCHOOL, Role.ASSESSOR)}


async def test_a_role_taken_back_leaves_the_roster_empty(conn: Connection) -> None:
    one = await person(conn, "a.one")
    await rostered(conn, one)
    held = await accounts.found(conn, one)
    assert held
    await accounts.revoke(conn, one, held.live[0].id, "test", NOW)
    assert await meant(conn) == []


async def test_a_deputy_needs_the_role_too(conn: Connection) -> None:
    one, two = await person(conn, "a.one"), await person(conn, "a.two")
    stranger = await person(conn, "a.stranger", role=Role.INFORMANT)
    await rostered(conn, one)
    span = (datetime.now(UTC) - DAY, datetime.now(UTC) + DAY)
    id = await rosters.away(conn, Absence(one, *span, two), "test", NOW)
    assert await meant(conn, now=datetime.now(UTC)) == [two]
    assert await rosters.back(conn, id, one, "test", NOW)
    assert await meant(conn, now=datetime.now(UTC)) == [one]
    await rosters.away(conn, Absence(one, *span, stranger), "test", NOW)
    assert await meant(conn, now=datetime.now(UTC)) == []


async def test_a_hazard_keeps_the_people_that_its_chain_counted_on(conn: Connection) -> None:
    one = await person(conn, "a.one")
    boss = await person(conn, "b.boss", Role.SUPERVISOR, DISTRICT)
    hazard = await opened(conn, Level.YELLOW)
    assert hazard.chain.at(0).people == {"assessor": [str(one)]}
    assert hazard.chain.at(1).people == {"supervisor": [str(boss)]}
    assert hazard.chain.at(2).people == {}
    await accounts.disable(conn, one, "test", NOW)
    assert (await hazards.get(conn, hazard.id)).chain.at(0).people == {"assessor": [str(one)]}


async def nobody(conn: Connection, unit: str = SCHOOL, role: Role = Role.ASSESSOR) -> None:
    """A roster that leaves the desk empty: its only person is away."""
    login = f"away.{unit.lower()}.{role.value}"
    one = await person(conn, login, role, unit)
    await rostered(conn, one, unit=unit, role=role)
    await rosters.away(conn, Absence(one, NOW - DAY, datetime.now(UTC) + DAY), "test", NOW)


async def test_a_hazard_before_an_empty_desk_climbs_at_once_and_says_so(conn: Connection) -> None:
    await nobody(conn)
    hazard = await opened(conn, Level.YELLOW)
    assert await escalations.unmanned(conn, NOW, CLOCK) == 1
    assert await escalations.unmanned(conn, NOW, CLOCK) == 0
    assert [(c["reason"], c["from_unit"], c["to_unit"]) for c in await climbs(conn, hazard)] == [
        ("unmanned", SCHOOL, DISTRICT)
    ]
    events = [e for e in await trail.of(conn, hazard.id) if e["action"] == "climb"]
    assert [e["data"]["reason"] for e in events] == ["unmanned"]
    assert (await hazards.get(conn, hazard.id)).stands_at == DISTRICT
    assert await trail.broken(conn) == {}


async def test_it_climbs_past_every_empty_desk_and_stays_at_the_top(conn: Connection) -> None:
    await nobody(conn)
    await nobody(conn, DISTRICT, Role.SUPERVISOR)
    await nobody(conn, CITY, Role.SUPERVISOR)
    hazard = await opened(conn, Level.YELLOW)
    assert await escalations.unmanned(conn, NOW, CLOCK) == 1
    assert (await hazards.get(conn, hazard.id)).stands_at == CITY
    assert await escalations.unmanned(conn, NOW, CLOCK) == 0


async def test_a_unit_without_a_roster_is_not_unmanned(conn: Connection) -> None:
    await opened(conn, Level.YELLOW)
    assert await escalations.unmanned(conn, NOW, CLOCK) == 0


async def test_an_empty_desk_matters_only_for_what_is_owed_there(conn: Connection) -> None:
    await nobody(conn, role=Role.HANDLER)
    hazard = await opened(conn, Level.YELLOW)
    assert await escalations.unmanned(conn, NOW, CLOCK) == 0
    await act(conn, hazard, TO_CLOSED[0])
    assert await escalations.unmanned(conn, NOW + timedelta(minutes=30), CLOCK) == 1


async def test_an_ended_hazard_does_not_climb_past_an_empty_desk(conn: Connection) -> None:
    await nobody(conn)
    await nobody(conn, role=Role.SUPERVISOR)
    hazard = await opened(conn, Level.YELLOW)
    await act(conn, hazard, *TO_CLOSED)
    assert await escalations.unmanned(conn, NOW + timedelta(hours=1), CLOCK) == 0


async def test_yellow_waits_for_duty_hours_and_red_does_not(conn: Connection) -> None:
    await nobody(conn)
    night = NOW + timedelta(hours=12)
    yellow = await opened(conn, Level.YELLOW, at=night)
    red = await opened(conn, Level.RED, at=night, place="另一处")
    assert await escalations.unmanned(conn, night, CLOCK) == 1
    assert (await hazards.get(conn, yellow.id)).step == 0
    assert (await hazards.get(conn, red.id)).step > 0


async def test_a_roster_that_keeps_no_weekend_leaves_the_weekend_to_the_tier_above(conn: Connection) -> None:
    one = await person(conn, "a.one")
    await rostered(conn, one, holidays=Holidays.NOBODY)
    saturday = NOW + 4 * DAY
    orange = await opened(conn, Level.RED, at=saturday)
    assert await escalations.unmanned(conn, saturday, CLOCK) == 1
    assert (await hazards.get(conn, orange.id)).stands_at == DISTRICT


async def test_a_handover_lists_what_is_open_and_is_taken_once(conn: Connection) -> None:
    one, two, three = [await person(conn, login) for login in ("a.one", "a.two", "a.three")]
    hazard = await opened(conn, Level.YELLOW)
    id = await rosters.hand_over(conn, SCHOOL, Role.ASSESSOR, one, two, "二层出口钥匙在门卫", NOW)
    assert not await rosters.take_over(conn, id, one, NOW), "nobody takes over from themselves"
    assert not await rosters.take_over(conn, id, three, NOW), "it is meant for somebody else"
    assert await rosters.take_over(conn, id, two, NOW)
    assert not await rosters.take_over(conn, id, two, NOW)
    row = (await rosters.handovers(conn, SCHOOL, 10))[0]
    assert (row["hazards"], row["taken_by"], row["note"]) == ([hazard.id], two, "二层出口钥匙在门卫")


async def test_a_changed_tree_shows_which_hazards_follow_the_old_chain(conn: Connection) -> None:
    hazard = await opened(conn, Level.YELLOW)
    ended = await opened(conn, Level.YELLOW, place="别处")
    await act(conn, ended, *TO_CLOSED)
    before = await units.tree(conn)
    assert await chains.left(conn, before) == []
    moved = [factories.unit(u.code, CITY if u.code == SCHOOL else u.parent, tier=u.tier, name=u.name) for u in before]
    await units.load(conn, CITY, "试验市", {}, type(before)(moved), NOW)
    found = await chains.left(conn, await units.tree(conn))
    assert [(one.unit, one.count, one.hazards) for one in found] == [(SCHOOL, 1, (hazard.id,))]
    names = [unit.name for unit in before.upward(SCHOOL)]
    assert found[0].then == tuple(names)
    assert found[0].now == (names[0], names[2])
