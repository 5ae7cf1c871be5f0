"""Duty time: nights, weekends, holidays, make-up days, lunch; and what holds for every start and span."""

from datetime import UTC, date, datetime, time, timedelta, timezone
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from models.calendar import SHANGHAI, DutyCalendar, closed_days, days_between, is_working_day, vacations
from tests.factories import steady

PLAIN = DutyCalendar()
LUNCH = DutyCalendar(spans=((time(8), time(11, 30)), (time(13), time(17))))
THIRDS = DutyCalendar(spans=((time(7), time(9)), (time(11), time(12, 15)), (time(18), time(21, 45))))

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def at(text: str) -> datetime:
    """An instant as a clock in Shanghai shows it."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2026-05-12", True),  # a Tuesday
        ("2026-05-16", False),  # a Saturday
        ("2025-10-01", False),  # National Day, a Wednesday
        ("2025-10-08", False),  # the last day of that holiday, a Wednesday
        ("2025-10-09", True),
        ("2025-09-28", True),  # a Sunday worked for it
        ("2025-10-11", True),  # a Saturday worked for it
        ("2026-10-07", False),
        ("2026-10-10", True),  # a Saturday worked for National Day 2026
        ("2026-02-14", True),  # a Saturday worked for the Spring Festival
        ("2026-02-17", False),
        ("2024-02-29", True),  # a leap day, a Thursday
        ("2099-01-01", True),  # beyond what is announced: a Thursday
        ("2099-01-03", False),  # beyond what is announced: a Saturday
        ("1999-12-31", True),  # before what is announced: a Friday
    ],
)
def test_working_days_follow_the_announced_holidays_and_else_the_week(day: str, works: bool) -> None:
    assert is_working_day(date.fromisoformat(day)) is works


@pytest.mark.parametrize(
    ("start", "span", "end", "why"),
    [
        ("2026-05-12T09:00", 2 * HOUR, "2026-05-12T11:00", "within one day"),
        ("2026-05-12T08:00", 9 * HOUR, "2026-05-12T17:00", "a whole day of duty ends at its closing"),
        ("2026-05-12T16:00", 2 * HOUR, "2026-05-13T09:00", "across midnight"),
        ("2026-05-12T06:30", 2 * HOUR, "2026-05-12T10:00", "before opening"),
        ("2026-05-12T19:00", 2 * HOUR, "2026-05-13T10:00", "after closing"),
        ("2026-05-12T17:00", 2 * HOUR, "2026-05-13T10:00", "at closing"),
        ("2026-05-12T16:59:59", HOUR, "2026-05-13T08:59:59", "a second before closing"),
        ("2026-05-12T08:00", timedelta(0), "2026-05-12T08:00", "no time at all, on duty"),
        ("2026-05-12T19:00", timedelta(0), "2026-05-13T08:00", "no time at all, off duty"),
        ("2026-05-15T16:00", 2 * HOUR, "2026-05-18T09:00", "across a weekend"),
        ("2026-05-16T10:00", 8 * HOUR, "2026-05-18T16:00", "a Saturday"),
        ("2026-05-17T23:59", 8 * HOUR, "2026-05-18T16:00", "a Sunday's last minute"),
        ("2025-09-30T16:00", 2 * HOUR, "2025-10-09T09:00", "across National Day 2025"),
        ("2026-09-30T16:00", 2 * HOUR, "2026-10-08T09:00", "across National Day 2026"),
        ("2025-09-26T16:00", 2 * HOUR, "2025-09-28T09:00", "into a make-up Sunday"),
        ("2025-09-28T09:00", 2 * HOUR, "2025-09-28T11:00", "on a make-up Sunday"),
        ("2025-10-10T16:30", HOUR, "2025-10-11T08:30", "into a make-up Saturday"),
        ("2024-02-28T16:00", 2 * HOUR, "2024-02-29T09:00", "into a leap day"),
        ("2024-02-29T16:00", 2 * HOUR, "2024-03-01T09:00", "out of a leap day"),
        ("2025-02-28T16:00", 2 * HOUR, "2025-03-03T09:00", "no leap day in 2025, then a weekend"),
        ("2025-12-31T16:00", 2 * HOUR, "2026-01-04T09:00", "into a new year, whose Sunday is worked"),
    ],
)
def test_hours_count_hours_of_duty(start: str, span: timedelta, end: str, why: str) -> None:
    assert PLAIN.add(at(start), span) == at(end), why


@pytest.mark.parametrize(
    ("start", "span", "end", "why"),
    [
        ("2026-05-12T10:00", DAY, "2026-05-13T10:00", "the same time of the next day"),
        ("2026-05-15T10:00", DAY, "2026-05-18T10:00", "a weekend counts nothing"),
        ("2026-05-12T10:00", 7 * DAY, "2026-05-21T10:00", "seven duty days, one weekend between"),
        ("2026-05-11T10:00", 15 * DAY, "2026-06-01T10:00", "fifteen duty days are three weeks"),
        ("2026-05-12T20:00", DAY, "2026-05-14T08:00", "after closing: from the next opening"),
        ("2026-05-12T17:00", DAY, "2026-05-14T08:00", "at closing: from the next opening"),
        ("2026-05-12T05:00", DAY, "2026-05-13T08:00", "before opening: from that opening"),
        ("2025-09-30T10:00", DAY, "2025-10-09T10:00", "National Day counts nothing"),
        ("2025-09-26T10:00", 2 * DAY, "2025-09-29T10:00", "a make-up Sunday counts"),
        ("2024-02-28T10:00", DAY, "2024-02-29T10:00", "a leap day counts"),
        ("2026-05-12T10:00", DAY + 2 * HOUR, "2026-05-13T12:00", "days first, then hours"),
        ("2026-05-12T16:00", DAY + 2 * HOUR, "2026-05-14T09:00", "days first, then hours across the night"),
    ],
)
def test_whole_days_count_duty_days_and_keep_the_time_of_day(start: str, span: timedelta, end: str, why: str) -> None:
    assert PLAIN.add(at(start), span) == at(end), why


@pytest.mark.parametrize(
    ("start", "span", "end", "why"),
    [
        ("2026-05-12T11:00", HOUR, "2026-05-12T13:30", "across lunch"),
        ("2026-05-12T11:00", 30 * MINUTE, "2026-05-12T11:30", "ends as lunch begins"),
        ("2026-05-12T11:30", HOUR, "2026-05-12T14:00", "begins as lunch begins"),
        ("2026-05-12T12:15", HOUR, "2026-05-12T14:00", "begins at lunch"),
        ("2026-05-12T13:00", HOUR, "2026-05-12T14:00", "begins as lunch ends"),
        ("2026-05-12T08:00", 8 * HOUR, "2026-05-13T08:00", "a day holds seven and a half hours, and a day is the most"),
        ("2026-05-12T12:15", DAY, "2026-05-13T13:00", "a day from lunch is a day from its end"),
    ],
)
def test_lunch_counts_nothing(start: str, span: timedelta, end: str, why: str) -> None:
    assert LUNCH.add(at(start), span) == at(end), why


def test_a_closed_day_counts_like_a_holiday() -> None:
    sports = DutyCalendar(closed=frozenset({date(2026, 5, 13)}))
    assert not sports.is_duty_day(date(2026, 5, 13))
    assert sports.add(at("2026-05-12T16:00"), 2 * HOUR) == at("2026-05-14T09:00")
    assert sports.add(at("2026-05-12T10:00"), DAY) == at("2026-05-14T10:00")


def test_the_result_is_in_utc() -> None:
    assert PLAIN.add(at("2026-05-12T09:00"), HOUR).tzinfo is UTC


def test_a_naive_start_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        PLAIN.add(datetime(2026, 5, 12, 9), HOUR)  # noqa: DTZ001


def test_a_calendar_without_any_duty_day_is_refused_and_does_not_search_for_ever() -> None:
    first = date(2026, 5, 1)
    never = DutyCalendar(closed=frozenset(first + n * DAY for n in range(1000)))
    with pytest.raises(ValueError, match="no duty day within 400 days"):
        never.add(at("2026-05-12T09:00"), HOUR)


@pytest.mark.parametrize(
    "spans",
    [
        (),
        ((time(17), time(8)),),
        ((time(8), time(8)),),
        ((time(13), time(17)), (time(8), time(11))),
        ((time(8), time(12)), (time(11), time(17))),
    ],
)
def test_hours_that_are_none_or_out_of_order_are_refused(spans: tuple[tuple[time, time], ...]) -> None:
    with pytest.raises(ValueError, match="duty hours must follow one another"):
        DutyCalendar(spans=spans)


def test_a_citys_profile_names_its_hours() -> None:
    assert DutyCalendar.of({"hours": [["08:00", "11:30"], ["13:00", "17:00"]]}) == LUNCH


@pytest.mark.parametrize("nothing", [None, {}])
def test_a_profile_that_says_nothing_means_the_default(nothing: dict[str, object] | None) -> None:
    assert DutyCalendar.of(nothing) == PLAIN


def test_a_profile_with_empty_hours_is_refused() -> None:
    with pytest.raises(ValueError, match="duty hours"):
        DutyCalendar.of({"hours": []})


TERMS = (
    {"name": "二", "first": "2027-02-22", "last": "2027-06-30"},
    {"name": "一", "first": "2026-09-01", "last": "2027-01-28"},
)
HOURS = {"hours": [["08:00", "17:00"]]}


def test_in_a_vacation_a_school_keeps_a_duty_roster_unless_the_city_says_otherwise() -> None:
    roster, standing = DutyCalendar.of(HOURS, TERMS), DutyCalendar.of({**HOURS, "vacation": "closed"}, TERMS)
    friday = at("2027-01-29T10:00")
    assert roster.add(friday, 2 * HOUR) == at("2027-01-29T12:00")
    assert standing.add(friday, 2 * HOUR) == at("2027-02-22T10:00")
    assert DutyCalendar.of({**HOURS, "vacation": "duty"}, TERMS) == roster


def test_a_closed_vacation_stops_a_span_that_began_in_term() -> None:
    standing = DutyCalendar.of({**HOURS, "vacation": "closed"}, TERMS)
    assert standing.add(at("2027-01-28T16:00"), 2 * HOUR) == at("2027-02-22T09:00")
    assert standing.add(at("2027-01-27T10:00"), 2 * DAY) == at("2027-02-22T10:00")


@pytest.mark.parametrize("day", ["2026-08-28T10:00", "2027-07-05T10:00", "2030-05-14T10:00"])
def test_beyond_the_terms_that_are_known_there_is_no_vacation(day: str) -> None:
    standing = DutyCalendar.of({**HOURS, "vacation": "closed"}, TERMS)
    assert standing.add(at(day), HOUR) == at(day) + HOUR


def test_terms_that_follow_one_another_or_are_none_leave_no_vacation() -> None:
    assert vacations(()) == frozenset()
    assert vacations(TERMS[:1]) == frozenset()
    following = ({"first": "2026-09-01", "last": "2027-01-31"}, {"first": "2027-02-01", "last": "2027-06-30"})
    assert vacations(following) == frozenset()
    assert vacations(TERMS) == days_between(date(2027, 1, 29), date(2027, 2, 21))


def test_a_make_up_day_within_a_closed_vacation_stays_closed() -> None:
    terms = ({"first": "2025-09-01", "last": "2026-02-06"}, {"first": "2026-03-02", "last": "2026-07-03"})
    standing = DutyCalendar.of({**HOURS, "vacation": "closed"}, terms)
    assert is_working_day(date(2026, 2, 14))
    assert not standing.is_duty_day(date(2026, 2, 14))


def test_closed_days_of_a_unit_add_up() -> None:
    sports = {"unit": "U01", "first": "2026-11-05", "last": "2026-11-06"}
    exam = {"unit": "U01", "first": "2026-11-09", "last": "2026-11-09"}
    assert closed_days([sports, exam]) == {"U01": frozenset(date(2026, 11, day) for day in (5, 6, 9))}


@pytest.mark.parametrize(
    ("instant", "on_duty"),
    [
        ("2026-05-12T10:00", "2026-05-12T10:00"),
        ("2026-05-12T23:59:59", "2026-05-13T08:00"),
        ("2026-05-13T00:00", "2026-05-13T08:00"),
        ("2026-09-30T17:00", "2026-10-08T08:00"),
        ("2025-09-27T10:00", "2025-09-28T08:00"),
    ],
)
def test_rolling_goes_to_the_next_opening(instant: str, on_duty: str) -> None:
    assert PLAIN.roll(at(instant)) == at(on_duty)


calendars = st.sampled_from(
    [PLAIN, LUNCH, THIRDS, DutyCalendar(closed=frozenset({date(2026, 3, 3), date(2026, 3, 4)}))]
)
zones = st.sampled_from([UTC, SHANGHAI, ZoneInfo("America/New_York"), timezone(timedelta(hours=-11, minutes=-30))])
starts = st.datetimes(datetime(2025, 1, 1), datetime(2026, 9, 30), timezones=st.just(UTC))  # noqa: DTZ001
spans = st.timedeltas(timedelta(0), 15 * DAY)
hours = st.timedeltas(timedelta(0), DAY - timedelta(microseconds=1))
whole_days = st.integers(0, 15).map(lambda n: n * DAY)


def duty(calendar: DutyCalendar, start: datetime, end: datetime) -> timedelta:
    """Duty time between two instants, counted the slow way: day by day, span by span."""
    total, day = timedelta(0), start.astimezone(SHANGHAI).date()
    while day <= end.astimezone(SHANGHAI).date():
        if calendar.is_duty_day(day):
            for opens, shuts in calendar.spans:
                begin = max(start, datetime.combine(day, opens, SHANGHAI))
                finish = min(end, datetime.combine(day, shuts, SHANGHAI))
                total += max(finish - begin, timedelta(0))
        day += DAY
    return total


@steady
@given(calendars, starts, spans)
def test_no_deadline_lies_before_its_start(calendar: DutyCalendar, start: datetime, span: timedelta) -> None:
    assert calendar.add(start, span) >= start


@steady
@given(calendars, starts, spans)
def test_every_deadline_lies_within_hours_of_duty(calendar: DutyCalendar, start: datetime, span: timedelta) -> None:
    end = calendar.add(start, span).astimezone(SHANGHAI)
    assert calendar.is_duty_day(end.date())
    assert any(opens <= end.time() <= shuts for opens, shuts in calendar.spans)


@steady
@given(calendars, starts, hours)
def test_hours_hold_exactly_so_much_duty_time_and_never_more_than_a_day_would(
    calendar: DutyCalendar, start: datetime, span: timedelta
) -> None:
    end = calendar.add(start, span)
    assert end == calendar.add(start, DAY) or duty(calendar, start, end) == span
    assert end <= calendar.add(start, DAY)


@steady
@given(calendars, starts, whole_days)
def test_days_hold_exactly_so_many_duty_days(calendar: DutyCalendar, start: datetime, span: timedelta) -> None:
    first = calendar.add(start, timedelta(0)).astimezone(SHANGHAI).date()
    last = calendar.add(start, span).astimezone(SHANGHAI).date()
    days = [first + n * DAY for n in range(1, (last - first).days + 1)]
    assert sum(calendar.is_duty_day(day) for day in days) == span.days


@steady
@given(calendars, starts, starts, spans)
def test_a_later_start_never_ends_earlier(
    calendar: DutyCalendar, one: datetime, other: datetime, span: timedelta
) -> None:
    earlier, later = sorted((one, other))
    assert calendar.add(earlier, span) <= calendar.add(later, span)


@steady
@given(calendars, starts, hours, hours)
def test_more_hours_never_end_earlier(
    calendar: DutyCalendar, start: datetime, one: timedelta, other: timedelta
) -> None:
    shorter, longer = sorted((one, other))
    assert calendar.add(start, shorter) <= calendar.add(start, longer)


@steady
@given(calendars, starts)
def test_more_days_end_strictly_later(calendar: DutyCalendar, start: datetime) -> None:
    ends = [calendar.add(start, n * DAY) for n in range(16)]
    assert all(earlier < later for earlier, later in pairwise(ends))


@steady
@given(calendars, starts, spans, spans)
@example(PLAIN, datetime(2026, 5, 12, 0, 0, tzinfo=UTC), 12 * HOUR, 24 * HOUR)
def test_a_longer_span_never_ends_earlier(
    calendar: DutyCalendar, start: datetime, one: timedelta, other: timedelta
) -> None:
    shorter, longer = sorted((one, other))
    assert calendar.add(start, shorter) <= calendar.add(start, longer)


@steady
@given(calendars, starts, spans, zones)
def test_the_same_instant_in_another_zone_ends_at_the_same_instant(
    calendar: DutyCalendar, start: datetime, span: timedelta, zone: timezone
) -> None:
    assert calendar.add(start.astimezone(zone), span) == calendar.add(start, span)


SIX = DutyCalendar(weekdays=frozenset({1, 2, 3, 4, 5, 6}))
FOUR = DutyCalendar(weekdays=frozenset({1, 2, 3, 4}))


@pytest.mark.parametrize(
    ("calendar", "start", "span", "end", "why"),
    [
        (SIX, "2026-05-15T16:00", 2 * HOUR, "2026-05-16T09:00", "a Saturday on duty counts"),
        (SIX, "2026-05-16T16:00", 2 * HOUR, "2026-05-18T09:00", "the Sunday does not"),
        (SIX, "2026-05-11T10:00", 7 * DAY, "2026-05-19T10:00", "seven duty days, six a week"),
        (SIX, "2026-09-30T16:00", 2 * HOUR, "2026-10-08T09:00", "a public holiday is off, its Saturday too"),
        (FOUR, "2026-05-14T16:00", 2 * HOUR, "2026-05-18T09:00", "no Friday"),
        (FOUR, "2025-09-26T10:00", HOUR, "2025-09-28T09:00", "a make-up Sunday is worked whatever the week says"),
        (FOUR, "2025-10-09T16:00", 2 * HOUR, "2025-10-11T09:00", "a make-up Saturday after a Friday off"),
    ],
)  # fmt: skip
def test_a_city_names_the_days_of_its_week(
    calendar: DutyCalendar, start: str, span: timedelta, end: str, why: str
) -> None:
    assert calendar.add(at(start), span) == at(end), why


def test_a_profile_s_weekdays_are_honoured_and_monday_to_friday_is_the_default() -> None:
    assert DutyCalendar.of({**HOURS, "weekdays": [1, 2, 3, 4, 5, 6]}) == SIX
    assert DutyCalendar.of({**HOURS, "weekdays": [1, 2, 3, 4, 5]}) == DutyCalendar.of(HOURS) == PLAIN


@pytest.mark.parametrize("weekdays", [[], [0], [8], [1, 9]])
def test_a_week_without_days_or_with_others_is_refused(weekdays: list[int]) -> None:
    with pytest.raises(ValueError, match="duty weekdays"):
        DutyCalendar.of({**HOURS, "weekdays": weekdays})


@steady
@given(starts, spans)
def test_a_longer_week_never_ends_later(start: datetime, span: timedelta) -> None:
    assert SIX.add(start, span) <= PLAIN.add(start, span) <= FOUR.add(start, span)
