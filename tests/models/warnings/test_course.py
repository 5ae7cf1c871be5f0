"""The course of a warning: opened, kept, raised, gone, and left alone after a person closed it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from models.levels import Level
from models.warnings.course import GONE_AFTER, Held, steps
from models.warnings.findings import Finding, Kind
from tests.models.warnings.making import NOW

FOUND = Finding(Kind.SURGE, "surge:A:01", "A", ("A",), Level.YELLOW, "r", "s", "0101")
HELD = Held("surge:A:01", Kind.SURGE, Level.YELLOW, NOW - timedelta(hours=3))
ALL_KINDS = tuple(Kind)


def test_a_new_cause_opens_and_a_known_one_goes_on() -> None:
    assert steps([FOUND], [], ALL_KINDS, NOW).open == (FOUND,)
    went_on = steps([FOUND], [HELD], ALL_KINDS, NOW)
    assert (went_on.open, went_on.go_on, went_on.gone) == ((), ((FOUND, False),), ())


def test_a_graver_one_raises_and_a_milder_one_does_not_lower() -> None:
    assert steps([replace(FOUND, grade=Level.ORANGE)], [HELD], ALL_KINDS, NOW).go_on[0][1] is True
    assert steps([replace(FOUND, grade=Level.BLUE)], [HELD], ALL_KINDS, NOW).go_on[0][1] is False


def test_of_two_findings_of_one_cause_the_graver_counts() -> None:
    graver = replace(FOUND, grade=Level.RED)
    assert steps([FOUND, graver, FOUND], [], ALL_KINDS, NOW).open == (graver,)


@pytest.mark.parametrize("kind", list(Kind))
def test_it_closes_when_its_cause_has_been_gone_for_long_enough(kind: Kind) -> None:
    held = replace(HELD, kind=kind, held_at=NOW - GONE_AFTER[kind])
    assert steps([], [held], ALL_KINDS, NOW).gone == (held.key,)
    if GONE_AFTER[kind]:
        assert steps([], [replace(held, held_at=held.held_at + timedelta(seconds=1))], ALL_KINDS, NOW).gone == ()


def test_what_was_not_looked_at_does_not_end() -> None:
    held = replace(HELD, held_at=NOW - timedelta(days=30))
    assert steps([], [held], [Kind.WEATHER], NOW).gone == ()


def test_a_key_that_rests_opens_for_something_graver_only() -> None:
    rests = replace(HELD, rests_until=NOW + timedelta(days=2))
    nothing = steps([FOUND], [rests], ALL_KINDS, NOW)
    assert (nothing.open, nothing.go_on, nothing.gone) == ((), (), ())
    graver = replace(FOUND, grade=Level.ORANGE)
    assert steps([graver], [rests], ALL_KINDS, NOW).open == (graver,)
