"""A unit's own rhythm: weekdays, vacations, young units, peers, outbreaks of the past."""

from datetime import date, datetime, timedelta

import numpy as np
import pytest

from models.calendar import SHANGHAI
from models.warnings.days import FREE, VACATION, VACATION_FREE, Days
from models.warnings.findings import GROUPS
from models.warnings.rhythm import Counts, Rhythm
from tests.models.warnings.making import NOW, TERMS, rhythm

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("day", "sort"),
    [
        (date(2025, 12, 15), 0),
        (date(2025, 12, 19), 4),
        (date(2025, 12, 20), FREE),
        (date(2025, 10, 1), FREE),
        (date(2025, 9, 28), 4),  # a Sunday that is worked
        (date(2026, 2, 10), VACATION),
        (date(2026, 2, 8), VACATION_FREE),
        (date(2027, 7, 20), VACATION),  # beyond the terms that are known
    ],
)
def test_sorts_of_days(day: date, sort: int) -> None:
    assert Days(TERMS).sort(day) == sort


def test_days_of_a_profile() -> None:
    assert Days.of({"terms": [{"first": "2025-09-01", "last": "2026-01-30"}]}) == Days(TERMS[:1])
    assert Days.of(None) == Days()


def mean(learnt: Rhythm, unit: str, group: str, end: datetime, days: int = 1) -> float:
    return learnt.one(unit, group, learnt.fractions(end - days * DAY, end)).mean


def test_each_unit_has_its_own_level_and_free_days_are_quiet() -> None:
    learnt = rhythm({"A": {"01": 1.0}, "B": {"01": 0.2}, "C": {"01": 0.2}})
    assert mean(learnt, "A", "01", NOW) == pytest.approx(1.0, rel=0.35)
    assert mean(learnt, "B", "01", NOW) == pytest.approx(0.2, rel=0.5)
    sunday = datetime(2025, 12, 22, 0, 0, tzinfo=SHANGHAI)
    assert mean(learnt, "A", "01", sunday) < 0.5 * mean(learnt, "A", "01", NOW)
    # A vacation that was never seen yet is believed to be quiet.
    assert mean(learnt, "A", "01", datetime(2026, 2, 11, tzinfo=SHANGHAI)) < 0.7 * mean(learnt, "A", "01", NOW)


def test_a_week_is_five_days_and_two_free_ones() -> None:
    learnt = rhythm({"A": {"01": 1.0}, "B": {"01": 1.0}})
    fractions = learnt.fractions(NOW - 7 * DAY, NOW)
    assert fractions.sum() == pytest.approx(7.0)
    assert fractions[FREE] == pytest.approx(2.0)
    assert fractions[:5].sum() == pytest.approx(5.0)


def test_a_young_unit_is_measured_by_its_peers_and_not_by_the_time_before_it_came() -> None:
    learnt = young_beside_old(first=95)
    assert 0.2 < mean(learnt, "young", "01", NOW) < 1.3
    never = young_beside_old(first=100)
    assert 0.05 < mean(never, "young", "01", NOW) < 1.3


def young_beside_old(first: int) -> Rhythm:
    days = 100
    n = np.zeros((5, len(GROUPS), days), dtype=np.int32)
    rng = np.random.default_rng(4)
    n[:4, 0] = rng.poisson(0.6, size=(4, days))
    n[4, 0, first:] = 1
    n[:, -1] = n[:, 0]
    dates = tuple(NOW.date() - timedelta(days=days - d) for d in range(days))
    units = ("a", "b", "c", "d", "young")
    return Rhythm(Counts(units, ("school",) * 5, GROUPS, dates, n, [1.0] * 24), Days(TERMS))


def test_an_outbreak_of_the_past_does_not_become_the_norm() -> None:
    calm, hit = with_outbreak(0), with_outbreak(12)
    assert mean(hit, "a", "01", NOW) < 1.5 * mean(calm, "a", "01", NOW)


def with_outbreak(extra: int) -> Rhythm:
    days = 100
    n = np.random.default_rng(2).poisson(0.3, size=(6, len(GROUPS), days)).astype(np.int32)
    n[0, 0, 60:63] += extra
    dates = tuple(NOW.date() - timedelta(days=days - d) for d in range(days))
    return Rhythm(Counts(tuple("abcdef"), ("school",) * 6, GROUPS, dates, n, [1.0] * 24), Days(TERMS))


def test_what_all_peers_do_is_a_season_and_what_one_does_is_not() -> None:
    days = 100
    n = np.random.default_rng(3).poisson(0.3, size=(20, len(GROUPS), days)).astype(np.int32)
    n[:, 0, -14:] = np.random.default_rng(5).poisson(0.9, size=(20, 14))
    dates = tuple(NOW.date() - timedelta(days=days - d) for d in range(days))
    units = tuple(f"u{at}" for at in range(20))
    learnt = Rhythm(Counts(units, ("school",) * 20, GROUPS, dates, n, [1.0] * 24), Days(TERMS))
    assert mean(learnt, "u3", "01", NOW) > 1.8 * mean(learnt, "u3", "02", NOW)


def test_without_four_weeks_of_history_there_is_no_rhythm() -> None:
    assert not rhythm({"A": {"01": 1.0}}, days=20).enough
    assert not rhythm({"A": {"01": 0.0}}).enough
    assert rhythm({"A": {"01": 1.0}}).enough
