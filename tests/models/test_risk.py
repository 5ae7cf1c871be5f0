"""The risk index, against the formula of the field worked out by hand."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from models import risk
from models.levels import Level
from models.risk import Life

NOW = datetime(2026, 5, 12, 6, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def raw(*lives: Life, members: int = 1000) -> float:
    return float(risk.course(lives, members, [NOW])[0][0])


def test_open_ones_weigh_by_level_and_overdue_up_to_double() -> None:
    assert raw(*(Life(level, NOW - DAY) for level in Level)) == 18.0
    late = Life(Level.ORANGE, NOW - 20 * DAY, None, NOW - 3.5 * DAY)
    assert raw(late) == pytest.approx(7.5)
    assert raw(Life(Level.ORANGE, NOW - 20 * DAY, None, NOW - 14 * DAY)) == pytest.approx(10.0)
    assert raw(Life(Level.ORANGE, NOW - 20 * DAY, None, NOW - 14 * DAY, NOW - DAY)) == pytest.approx(5.0)


def test_closed_ones_fade_and_are_gone_after_ninety_days() -> None:
    assert raw(Life(Level.RED, NOW - 40 * DAY, NOW - 30 * DAY)) == pytest.approx(0.3 * 10 / 2)
    assert raw(Life(Level.RED, NOW - 140 * DAY, NOW - 91 * DAY)) == 0.0
    assert raw(Life(Level.RED, NOW + DAY)) == 0.0


def test_per_thousand_members_and_at_least_a_thousand() -> None:
    life = Life(Level.YELLOW, NOW - DAY)
    assert raw(life, members=4000) == pytest.approx(0.5)
    assert raw(life, members=50) == raw(life, members=0) == 2.0


def test_a_course_is_the_figure_of_each_instant_and_counts_what_was_overdue() -> None:
    life = Life(Level.YELLOW, NOW - 5 * DAY, NOW, NOW - 2 * DAY, NOW)
    figures, overdue = risk.course([life], 1000, [NOW - 6 * DAY, NOW - 4 * DAY, NOW - DAY, NOW])
    assert figures == pytest.approx([0.0, 2.0, 2.0 * (1 + 1 / 7), 0.6])
    assert list(overdue) == [0.0, 0.0, 1.0, 0.0]
    assert list(risk.course([], 1000, [NOW])[0]) == [0.0]


def test_a_unit_without_anything_for_thirty_days_is_silent_and_not_safe() -> None:
    assert risk.is_silent([], NOW)
    assert risk.is_silent([Life(Level.RED, NOW - 40 * DAY), Life(Level.RED, NOW - 60 * DAY, NOW - 31 * DAY)], NOW)
    assert not risk.is_silent([Life(Level.BLUE, NOW - 29 * DAY)], NOW)
    assert not risk.is_silent([Life(Level.BLUE, NOW - 90 * DAY, NOW - DAY)], NOW)


def test_the_median_unit_stands_at_fifty() -> None:
    k = risk.scale([1.0, 3.0, 50.0])
    assert risk.indices(np.array([0.0, 3.0]), k) == pytest.approx([0.0, 50.0], abs=0.1)
    assert risk.scale([]) == risk.scale([0.0, 0.0, 9.0]) == pytest.approx(0.72)
