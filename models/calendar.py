"""Duty time of a school: weekdays, public holidays, make-up working days and hours of the day, in Asia/Shanghai.

Red and orange count the clock and never come here. Source of holidays: PyPI ``chinesecalendar`` (the State Council's
yearly notice); for a year it does not hold yet, Monday to Friday count as duty days.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import chinese_calendar

SHANGHAI = ZoneInfo("Asia/Shanghai")

DAY = timedelta(days=1)
# No policy reaches further: the longest span is 15 duty days, the longest holiday with its weekends 9 days. A search
# beyond this means a calendar without any duty day, which is a mistake of configuration.
HORIZON_DAYS = 400

# What a profile may say of vacations.
DUTY, CLOSED = "duty", "closed"


WEEKDAYS = frozenset({1, 2, 3, 4, 5})


@lru_cache(maxsize=4096)
def is_working_day(day: date, weekdays: frozenset[int] = WEEKDAYS) -> bool:
    """Whether people work on this day: holidays and make-up days as announced, else by the week.

    ``weekdays`` as ISO counts them, 1 is Monday. A public holiday is off whatever the week says, a make-up day is worked.
    """
    try:
        off, announced = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:
        announced = None
    return not off if announced else day.isoweekday() in weekdays


def days_between(first: date, last: date) -> frozenset[date]:
    """All days from ``first`` to ``last``, both included; none where ``last`` lies before."""
    return frozenset(first + n * DAY for n in range((last - first).days + 1))


def vacations(terms: Iterable[Mapping[str, str]]) -> frozenset[date]:
    """Days between two terms. What lies before the first and after the last is not known, so it is no vacation."""
    known = sorted((date.fromisoformat(term["first"]), date.fromisoformat(term["last"])) for term in terms)
    return frozenset[date]().union(
        *(days_between(last + DAY, following - DAY) for (_, last), (following, _) in pairwise(known))
    )


def closed_days(closures: Iterable[Mapping[str, str]]) -> dict[str, frozenset[date]]:
    """Closed days by unit code, from a profile's ``{"unit": "U01", "first": "2026-11-05", "last": "2026-11-06"}``."""
    closed: dict[str, frozenset[date]] = {}
    for one in closures:
        days = days_between(date.fromisoformat(one["first"]), date.fromisoformat(one["last"]))
        closed[one["unit"]] = closed.get(one["unit"], frozenset()) | days
    return closed


@dataclass(frozen=True, slots=True)
class DutyCalendar:
    """Hours of duty of each working day (``spans``, in order), days closed beside the public holidays, and the days of the week."""

    spans: tuple[tuple[time, time], ...] = ((time(8, 0), time(17, 0)),)
    closed: frozenset[date] = field(default_factory=frozenset)
    zone: ZoneInfo = SHANGHAI
    weekdays: frozenset[int] = WEEKDAYS

    def __post_init__(self) -> None:
        edges = [edge for span in self.spans for edge in span]
        if not edges or any(a >= b for a, b in pairwise(edges)):
            raise ValueError("duty hours must follow one another, each with its opening before its closing")
        if not self.weekdays or not self.weekdays <= frozenset(range(1, 8)):
            raise ValueError("duty weekdays must be some of 1 (Monday) to 7 (Sunday)")

    @classmethod
    def of(cls, duty: Mapping[str, Any] | None, terms: Iterable[Mapping[str, str]] = ()) -> "DutyCalendar":
        """From a city's profile, ``{"weekdays": [1, 2, 3, 4, 5], "hours": [["08:00", "11:30"], ["13:00", "17:00"]],
        "vacation": "duty"}``; the defaults where it says nothing. ``terms`` are ``{"first": "2026-09-01", "last": "2027-01-28"}`` each.

        In vacations a school keeps a duty roster, so they count like term time; ``"vacation": "closed"`` stops the clock.
        """
        if not duty:
            return cls()
        return cls(
            spans=tuple((time.fromisoformat(opens), time.fromisoformat(shuts)) for opens, shuts in duty["hours"]),
            closed=vacations(terms) if duty.get("vacation") == CLOSED else frozenset(),
            weekdays=frozenset(duty.get("weekdays", WEEKDAYS)),
        )

    def is_duty_day(self, day: date) -> bool:
        """Whether anybody is on duty on this day."""
        return day not in self.closed and is_working_day(day, self.weekdays)

    def add(self, start: datetime, span: timedelta) -> datetime:
        """The instant when ``span`` of duty time after ``start`` is over, in UTC.

        Whole days count duty days: the same time of day, so many duty days later. What is left counts hours of duty, but
        never ends later than a day more would: 20 hours do not end after 24. Raises ``ValueError`` on a naive start.
        """
        if start.tzinfo is None:
            raise ValueError("an instant needs its time zone: a naive datetime cannot start a deadline")
        local = self._roll(start.astimezone(self.zone))
        days, rest = divmod(span, DAY)
        day = local.date()
        for _ in range(days):
            day = self._next_duty_day(day)
        a_day_more = self._at(self._next_duty_day(day), local.time())
        return min(self._walk(self._at(day, local.time()), rest), a_day_more).astimezone(UTC)

    def roll(self, instant: datetime) -> datetime:
        """The instant itself when on duty, else the next opening; in UTC."""
        return self._roll(instant.astimezone(self.zone)).astimezone(UTC)

    def _at(self, day: date, hour: time) -> datetime:
        return datetime.combine(day, hour, self.zone)

    def _roll(self, local: datetime) -> datetime:
        """The same instant when on duty, else the next opening."""
        day = local.date()
        if self.is_duty_day(day):
            for opens, shuts in self.spans:
                if local.time() < shuts:
                    return max(local, self._at(day, opens))
        return self._at(self._next_duty_day(day), self.spans[0][0])

    def _next_duty_day(self, day: date) -> date:
        for offset in range(1, HORIZON_DAYS):
            if self.is_duty_day(day + offset * DAY):
                return day + offset * DAY
        raise ValueError(f"no duty day within {HORIZON_DAYS} days after {day}: the calendar's closed days leave none")

    def _walk(self, local: datetime, rest: timedelta) -> datetime:
        while True:
            end = self._at(local.date(), next(shuts for _, shuts in self.spans if local.time() < shuts))
            if rest <= end - local:
                return local + rest
            rest -= end - local
            local = self._roll(end)
