"""From a judged report to a hazard: what raises none, which level counts, and where everything begins."""

from dataclasses import replace
from datetime import timedelta

import pytest

from models.deadlines import Clock, Kind
from models.events import GENESIS, broken_at
from models.levels import Level
from models.loop import State
from models.opening import graded, is_quiet, open_hazard
from tests import factories
from tests.factories import CITY, DISTRICT, NOW, SCHOOL, judgement, new_id, opening, report

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


@pytest.mark.parametrize(
    ("raises", "drill", "level", "quiet"),
    [
        (True, False, None, False),
        (False, False, None, True),
        (True, True, None, True),
        (False, True, None, True),
        (False, False, "red", False),
        (False, False, "blue", False),
        (True, False, "yellow", False),
        (True, True, "red", True),
        (False, True, "red", True),
    ],
)
def test_a_drill_is_always_quiet_and_an_officers_level_is_not_silenced_by_the_machine(
    raises: bool, drill: bool, level: str | None, quiet: bool
) -> None:
    assert is_quiet(report(drill=drill, level=level), judgement(raises=raises)) is quiet


@pytest.mark.parametrize(
    ("machine", "officer", "level"),
    [
        (Level.YELLOW, None, Level.YELLOW),
        (Level.YELLOW, "red", Level.RED),
        (Level.RED, "blue", Level.RED),
        (Level.ORANGE, "orange", Level.ORANGE),
        (Level.BLUE, "yellow", Level.YELLOW),
    ],
)
def test_the_graver_of_both_levels_counts(machine: Level, officer: str | None, level: Level) -> None:
    assert graded(report(level=officer), judgement(level=machine))[1] is level


@pytest.mark.parametrize(("named", "code"), [(None, "0101"), ("0501", "0501"), ("9900", "9900")])
def test_the_category_that_an_officer_named_counts(named: str | None, code: str) -> None:
    assert graded(report(category=named), judgement(subcategory="0101"))[0] == code


def test_a_hazard_opens_as_reported_where_it_lies_with_one_report() -> None:
    opened = opening().hazard
    assert (opened.state, opened.step, opened.tier, opened.report_count) == (State.REPORTED, 0, "school", 1)
    assert (opened.unit, opened.unit_path) == (SCHOOL, f"/{CITY}/{DISTRICT}/{SCHOOL}/")
    assert [link.unit for link in opened.chain.links] == [SCHOOL, DISTRICT, CITY]
    assert (opened.reporters, opened.handlers) == (frozenset({"test:informant"}), frozenset())
    assert (opened.listed, opened.merged_into, opened.settlements, opened.lowering) == (False, None, None, None)
    assert (opened.assessed_at, opened.dispatched_at, opened.closed_at, opened.archived_at) == (None,) * 4


@pytest.mark.parametrize("level", list(Level))
def test_red_is_major_and_no_other(level: Level) -> None:
    assert opening(level).hazard.major is (level is Level.RED)


def test_the_machines_view_is_kept_beside_the_officers() -> None:
    told = report(level="red", category="0501")
    said = judgement(level=Level.YELLOW, subcategory="0101", model="m1", reasons=("锁",), confidence=0.7)
    opened = open_hazard(new_id(), told, said, factories.tree().upward(SCHOOL), NOW, None, NOW, Clock()).hazard
    assert (opened.subcategory, opened.level) == ("0501", Level.RED)
    assert (opened.machine_subcategory, opened.machine_level, opened.model) == ("0101", Level.YELLOW, "m1")
    assert (opened.reasons, opened.confidence) == (("锁",), 0.7)
    assert opened.reporters == frozenset()


def test_a_direct_judgement_is_kept() -> None:
    assert opening(Level.RED, direct=True).hazard.direct
    assert not opening(Level.RED).hazard.direct


def test_the_first_event_begins_the_trail() -> None:
    opened = opening(Level.ORANGE)
    event = opened.event
    assert (event.seq, event.action, event.before, event.after) == (1, "open", None, "reported")
    assert (event.actor, event.role, event.hazard) == ("system:classify", "system", opened.hazard.id)
    assert event.data["level"] == "orange"
    assert opened.hazard.version == 1
    assert opened.hazard.trail_hash != GENESIS
    assert broken_at([(event, opened.hazard.trail_hash)]) is None
    forged = replace(event, data={**event.data, "level": "blue"})
    assert broken_at([(forged, opened.hazard.trail_hash)]) == 1


def test_the_first_event_holds_no_text_and_no_person() -> None:
    event = opening().event
    assert b"test:informant" not in event.canonical()
    assert "安全出口".encode() not in event.canonical()


@pytest.mark.parametrize(
    ("level", "due"),
    [
        (Level.RED, {Kind.ASSESS: 15 * MINUTE, Kind.REPORT: HOUR}),
        (Level.ORANGE, {Kind.ASSESS: 30 * MINUTE, Kind.REPORT: HOUR}),
        # 14:00 in Shanghai on a duty day: two hours end at 16:00, eight at 13:00 of the next day.
        (Level.YELLOW, {Kind.ASSESS: 2 * HOUR}),
        (Level.BLUE, {Kind.ASSESS: 23 * HOUR}),
    ],
)
def test_the_first_deadlines_by_level(level: Level, due: dict[Kind, timedelta]) -> None:
    assert dict(opening(level).deadlines) == {kind: NOW + span for kind, span in due.items()}


def test_deadlines_count_from_the_receipt_and_not_from_the_landing() -> None:
    received = NOW - timedelta(hours=5)
    opened = open_hazard(
        new_id(),
        report(),
        judgement(level=Level.RED),
        factories.tree().upward(SCHOOL),
        received_at=received,
        reporter=None,
        now=NOW,
        clock=Clock(),
    )
    assert dict(opened.deadlines)[Kind.ASSESS] == received + 15 * MINUTE
    assert opened.hazard.opened_at == received
    assert opened.event.at == NOW


def test_where_nobody_stands_above_there_is_nobody_to_report_to() -> None:
    opened = opening(Level.RED, unit=CITY)
    assert opened.hazard.chain.top == 0
    assert [kind for kind, _ in opened.deadlines] == [Kind.ASSESS]


@pytest.mark.parametrize("level", list(Level))
def test_every_open_hazard_has_a_deadline(level: Level) -> None:
    assert opening(level).deadlines
