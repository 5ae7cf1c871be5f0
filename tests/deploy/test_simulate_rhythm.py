"""The rhythm of hours, days, terms."""

from datetime import date, datetime

import pytest

from deploy.simulate import intensity
from deploy.simulate.rhythm import HOURS, in_term, part_of_day
from models.calendar import SHANGHAI

TERMS = [(date(2026, 9, 1), date(2027, 1, 28)), (date(2027, 2, 22), date(2027, 6, 30))]


def at(month: int, day: int, hour: int) -> datetime:
    return datetime(2026, month, day, hour, tzinfo=SHANGHAI)


def test_the_mean_hour_of_a_school_day_is_one() -> None:
    assert sum(HOURS) / 24 == pytest.approx(1.0)


def test_school_hours_are_busier_than_night_weekend_and_vacation() -> None:
    lesson = intensity(at(11, 24, 10))
    assert lesson > 5 * intensity(at(11, 24, 3))
    assert lesson > 2 * intensity(at(11, 28, 10))
    assert lesson > 3 * intensity(at(7, 28, 10))


def test_a_public_holiday_is_free_and_a_make_up_day_is_not() -> None:
    assert intensity(at(10, 2, 10)) < 0.5 * intensity(at(10, 13, 10))
    assert intensity(at(10, 10, 10)) == intensity(at(10, 13, 10))


def test_known_terms_decide_within_their_span_and_months_outside() -> None:
    assert in_term(date(2027, 1, 28), TERMS)
    assert not in_term(date(2027, 2, 10), TERMS)
    assert not in_term(date(2026, 8, 1), TERMS)
    assert in_term(date(2026, 5, 6), TERMS)


@pytest.mark.parametrize(("hour", "part"), [(2, "night"), (7, "meal"), (10, "lesson"), (12, "meal"), (20, "evening")])
def test_parts_of_the_day(hour: int, part: str) -> None:
    assert part_of_day(at(11, 24, hour)) == part
