"""Who is on duty: turns, hand-overs, holidays, deputies, and the step where somebody is."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.calendar import SHANGHAI, DutyCalendar
from models.chain import Chain, Link
from models.duty import (
    Absence,
    Holidays,
    Roster,
    Turn,
    gap_days,
    manned_step,
    on_duty,
    plan,
    present,
    role_that_owes,
)
from models.policy import Kind
from models.roles import Role
from tests.factories import steady

A, B, C, D = (UUID(int=n) for n in range(1, 5))
CALENDAR = DutyCalendar()
MONDAY = date(2026, 5, 11)


def at(day: date, hour: int, minute: int = 0) -> datetime:
    """An instant of Ningbo's clock."""
    return datetime.combine(day, time(hour, minute), SHANGHAI).astimezone(UTC)


def roster(**fields: object) -> Roster:
    """A daily roster of two from a Monday on."""
    given_: dict[str, object] = {
        "unit": "330203-001",
        "role": Role.ASSESSOR,
        "first_day": MONDAY,
        "people": (A, B),
        "turn": Turn.DAY,
    }
    return Roster(**given_ | fields)  # type: ignore[arg-type]


def there(one: Roster, now: datetime, *absences: Absence) -> UUID | None:
    return on_duty(one, absences, now, CALENDAR).account


def test_the_turn_changes_at_the_hand_over_and_not_at_midnight() -> None:
    one = roster()
    assert there(one, at(MONDAY, 8)) == A
    assert there(one, at(MONDAY + timedelta(days=1), 0, 30)) == A
    assert there(one, at(MONDAY + timedelta(days=1), 7, 59)) == A
    assert there(one, at(MONDAY + timedelta(days=1), 8)) == B
    assert there(one, at(MONDAY + timedelta(days=2), 8)) == A


def test_nobody_is_there_before_the_first_day() -> None:
    assert there(roster(), at(MONDAY, 7, 59)) is None


def test_a_week_is_one_turn() -> None:
    one = roster(turn=Turn.WEEK, people=(A, B, C))
    turns = [there(one, at(MONDAY + timedelta(days=7 * week + 3), 12)) for week in range(4)]
    assert turns == [A, B, C, A]


def test_turns_go_on_over_a_leap_day_and_a_new_year() -> None:
    one = roster(first_day=date(2028, 2, 28))
    assert [there(one, at(date(2028, 2, 28) + timedelta(days=n), 12)) for n in range(3)] == [A, B, A]
    assert there(one, at(date(2029, 1, 1), 12)) == (A, B)[(date(2029, 1, 1) - date(2028, 2, 28)).days % 2]


def test_holidays_have_turns_of_their_own_or_nobody() -> None:
    saturday = MONDAY + timedelta(days=5)
    own = roster(holidays=Holidays.OWN, holiday_people=(C, D))
    assert {there(own, at(saturday, 12)), there(own, at(saturday + timedelta(days=1), 12))} == {C, D}
    assert there(own, at(saturday + timedelta(days=2), 12)) in (A, B)
    empty = roster(holidays=Holidays.NOBODY)
    assert there(empty, at(saturday, 12)) is None
    assert there(empty, at(saturday, 7)) == A, "Friday's watch lasts until Saturday's hand-over"


def test_a_make_up_working_day_is_no_holiday() -> None:
    """2026-05-09, a Saturday, made up for the Labour Day holiday; 2026-05-01 was one."""
    empty = roster(first_day=date(2026, 4, 1), holidays=Holidays.NOBODY)
    assert there(empty, at(date(2026, 5, 9), 12)) is not None
    assert there(empty, at(date(2026, 5, 1), 12)) is None


def test_a_deputy_stands_in_and_gives_back() -> None:
    away = Absence(A, at(MONDAY, 10), at(MONDAY, 15), deputy=C)
    watch = on_duty(roster(), [away], at(MONDAY, 12), CALENDAR)
    assert (watch.account, watch.instead_of) == (C, A)
    assert (watch.starts_at, watch.ends_at) == (at(MONDAY, 10), at(MONDAY, 15))
    assert there(roster(), at(MONDAY, 15), away) == A


def test_an_absence_without_a_deputy_leaves_nobody() -> None:
    assert there(roster(), at(MONDAY, 12), Absence(A, at(MONDAY, 8), at(MONDAY, 18))) is None


def test_deputies_of_deputies_end_and_never_run_in_a_circle() -> None:
    whole = (at(MONDAY, 0), at(MONDAY + timedelta(days=1), 0))
    assert there(roster(), at(MONDAY, 12), Absence(A, *whole, B), Absence(B, *whole, C)) == C
    assert present(A, [Absence(A, *whole, B), Absence(B, *whole, A)], at(MONDAY, 12)) is None


def test_a_plan_covers_every_moment_once_and_joins_what_does_not_change() -> None:
    start, end = at(MONDAY, 9), at(MONDAY + timedelta(days=14), 9)
    one = roster(holidays=Holidays.NOBODY)
    away = Absence(B, at(MONDAY + timedelta(days=1), 20), at(MONDAY + timedelta(days=2), 2))
    watches = plan(one, [away], start, end, CALENDAR)
    assert watches[0].starts_at == start
    assert watches[-1].ends_at == end
    assert all(x.ends_at == y.starts_at for x, y in pairwise(watches))
    assert all((x.account, x.instead_of) != (y.account, y.instead_of) for x, y in pairwise(watches))
    assert gap_days(watches) == timedelta(hours=6) + 2 * timedelta(days=2)


def test_a_plan_of_years_is_refused() -> None:
    with pytest.raises(ValueError, match="366"):
        plan(roster(), [], at(MONDAY, 8), at(MONDAY, 8) + timedelta(days=400), CALENDAR)


@pytest.mark.parametrize(
    "fields",
    [
        {"people": ()},
        {"holidays": Holidays.OWN},
        {"holiday_people": (C,)},
        {"holidays": Holidays.NOBODY, "holiday_people": (C,)},
    ],
)
def test_a_roster_that_cannot_be_meant_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"值班表|holiday_people"):
        roster(**fields)


@steady
@given(
    hours=st.integers(0, 24 * 60),
    people=st.integers(1, 6),
    weekly=st.booleans(),
    minute=st.integers(0, 1439),
    spans=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1000), st.integers(1, 200)), max_size=5),
)
def test_whoever_is_on_duty_is_on_the_roster_or_a_deputy_and_never_away(
    hours: int, people: int, weekly: bool, minute: int, spans: list[tuple[int, int, int]]
) -> None:
    names = tuple(uuid4() for _ in range(people))
    one = roster(people=names, turn=Turn.WEEK if weekly else Turn.DAY, handover=time(minute // 60, minute % 60))
    base = at(MONDAY, 0)
    away = [
        Absence(names[who % people], base + timedelta(hours=begin), base + timedelta(hours=begin + length), D)
        for who, begin, length in spans
    ]
    now = base + timedelta(hours=hours)
    watch = on_duty(one, away, now, CALENDAR)
    assert watch.starts_at <= now < watch.ends_at
    assert watch.account in {None, D, *names}
    if watch.account in names:
        assert not any(a.account == watch.account and a.covers(now) for a in away)
    assert there(one, watch.ends_at - timedelta(microseconds=1), *away) == watch.account, (
        "nothing changes within a watch"
    )


CHAIN = Chain((Link("s", "school", "校"), Link("d", "district", "区"), Link("c", "city", "市")))


@pytest.mark.parametrize(
    ("kind", "step", "role"),
    [
        (Kind.ASSESS, 0, Role.ASSESSOR),
        (Kind.CONTROL, 0, Role.HANDLER),
        (Kind.RECTIFY, 0, Role.HANDLER),
        (Kind.REVIEW, 0, Role.SUPERVISOR),
        (Kind.ASSESS, 1, Role.SUPERVISOR),
        (Kind.REPORT, 0, None),
    ],
)
def test_who_owes_what(kind: Kind, step: int, role: Role | None) -> None:
    assert role_that_owes(kind, step) is role


def test_a_hazard_goes_to_the_nearest_step_where_somebody_is() -> None:
    school = ("s", Role.ASSESSOR)
    assert manned_step(CHAIN, 0, Kind.ASSESS, set()) == 0
    assert manned_step(CHAIN, 0, Kind.ASSESS, {("s", Role.HANDLER)}) == 0
    assert manned_step(CHAIN, 0, Kind.ASSESS, {school}) == 1
    assert manned_step(CHAIN, 0, Kind.ASSESS, {school, ("d", Role.SUPERVISOR)}) == 2
    assert manned_step(CHAIN, 0, Kind.ASSESS, {school, ("d", Role.SUPERVISOR), ("c", Role.SUPERVISOR)}) == 2
    assert manned_step(CHAIN, 0, Kind.REPORT, {school}) == 0
