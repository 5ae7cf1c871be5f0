"""Deadlines: the policy of domain §5, the clock, and what each transition means for them."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.calendar import SHANGHAI
from models.deadlines import DEFAULT_POLICY, NOTHING, Clock, Effects, Kind, effects
from models.levels import Level
from models.loop import TABLE, Action, State
from models.policy import Policy
from tests.factories import NOW, steady

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

# domain §5, line by line: assess, first control, rectify, report to the city, review.
DOMAIN = {
    "red": (15 * MINUTE, 30 * MINUTE, 24 * HOUR, HOUR, 3 * DAY),
    "orange": (30 * MINUTE, 2 * HOUR, 3 * DAY, HOUR, 7 * DAY),
    "yellow": (2 * HOUR, 8 * HOUR, 7 * DAY, None, None),
    "blue": (8 * HOUR, 24 * HOUR, 15 * DAY, None, None),
}
ORDER = (Kind.ASSESS, Kind.CONTROL, Kind.RECTIFY, Kind.REPORT, Kind.REVIEW)

FRIDAY_EVENING = datetime(2026, 5, 15, 20, 0, tzinfo=SHANGHAI)


@pytest.mark.parametrize("level", list(Level))
def test_the_default_policy_is_the_table_of_the_domain(level: Level) -> None:
    assert tuple(DEFAULT_POLICY[level][kind] for kind in ORDER) == DOMAIN[level.value]
    assert set(DEFAULT_POLICY[level]) == set(Kind)


def test_no_default_is_looser_than_the_law() -> None:
    # 宁波市学校安全条例 §36: an accident within 24 hours, a serious one at once, here within the hour of 条例 §9.
    for level in (Level.RED, Level.ORANGE):
        span = DEFAULT_POLICY[level][Kind.REPORT]
        assert span is not None
        assert span <= HOUR


def test_a_graver_level_never_has_longer() -> None:
    grave_first = sorted(Level, key=lambda level: level.rank)
    for kind in (Kind.ASSESS, Kind.CONTROL, Kind.RECTIFY):
        owed = [DEFAULT_POLICY[level][kind] for level in grave_first]
        assert owed == sorted(owed, key=lambda span: span or timedelta.max)


def test_every_kind_has_a_word_and_all_but_the_review_climb() -> None:
    assert [(kind.value, kind.label) for kind in Kind] == [
        ("assess", "研判"),
        ("report", "上报市级"),
        ("control", "初步管控"),
        ("rectify", "整改销号"),
        ("review", "复盘"),
    ]
    assert [kind for kind in Kind if not kind.climbs] == [Kind.REVIEW]


@pytest.mark.parametrize("level", [Level.RED, Level.ORANGE])
@pytest.mark.parametrize("kind", list(Kind))
def test_red_and_orange_count_the_clock_even_on_a_friday_evening(level: Level, kind: Kind) -> None:
    span = DOMAIN[level.value][ORDER.index(kind)]
    assert span is not None
    assert Clock().due(kind, level, FRIDAY_EVENING) == FRIDAY_EVENING + span


@pytest.mark.parametrize(
    ("level", "kind", "due"),
    [
        (Level.YELLOW, Kind.ASSESS, "2026-05-18T10:00"),
        (Level.YELLOW, Kind.CONTROL, "2026-05-18T16:00"),
        (Level.YELLOW, Kind.RECTIFY, "2026-05-27T08:00"),
        (Level.BLUE, Kind.ASSESS, "2026-05-18T16:00"),
        (Level.BLUE, Kind.CONTROL, "2026-05-19T08:00"),
        (Level.BLUE, Kind.RECTIFY, "2026-06-08T08:00"),
    ],
)
def test_yellow_and_blue_count_duty_time_from_monday_morning(level: Level, kind: Kind, due: str) -> None:
    assert Clock().due(kind, level, FRIDAY_EVENING) == datetime.fromisoformat(due).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize("level", [Level.YELLOW, Level.BLUE])
@pytest.mark.parametrize("kind", [Kind.REPORT, Kind.REVIEW])
def test_what_a_level_does_not_owe_never_falls_due(level: Level, kind: Kind) -> None:
    assert Clock().due(kind, level, NOW) is None


def test_a_citys_own_policy_counts() -> None:
    policy = {level: dict.fromkeys(Kind, 5 * MINUTE) for level in Level}
    assert Clock(policy=Policy(policy)).due(Kind.REVIEW, Level.BLUE, NOW) == NOW + 5 * MINUTE


def test_a_report_to_the_city_counts_the_clock_at_every_level() -> None:
    """The law's 24 hours are not hours of duty: over National Day they would be nine days."""
    day = {level: dict.fromkeys(Kind, DAY) for level in Level}
    for level in Level:
        assert Clock(policy=Policy(day)).due(Kind.REPORT, level, FRIDAY_EVENING) == FRIDAY_EVENING + DAY


PROFILE = {
    "duty": {"weekdays": [1, 2, 3, 4, 5], "hours": [["08:00", "17:00"]], "vacation": "duty"},
    "terms": [{"name": "一", "first": "2026-09-01", "last": "2027-01-28"}],
    "deadlines": [
        {"level": "yellow", "assess": "3h"},
        {"unit": "U01", "level": "yellow", "assess": "1h", "remind": [0.8]},
        {"unit": "U01-01", "level": "yellow", "control": "2h"},
    ],
    "closed": [{"unit": "U01", "first": "2026-05-12", "last": "2026-05-12"}],
}
TUESDAY = datetime(2026, 5, 12, 9, 0, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("path", "kind", "due"),
    [
        ("/330200/330203/330203-001/", Kind.ASSESS, "2026-05-12T12:00"),
        ("/330200/U01/", Kind.ASSESS, "2026-05-13T09:00"),
        ("/330200/U01/U01-01/", Kind.ASSESS, "2026-05-13T09:00"),
        ("/330200/U01/U01-01/", Kind.CONTROL, "2026-05-13T10:00"),
        ("/330200/U01/", Kind.CONTROL, "2026-05-13T16:00"),
        ("/330200/", Kind.ASSESS, "2026-05-12T12:00"),
    ],
)
def test_a_citys_profile_makes_the_clock_of_each_unit(path: str, kind: Kind, due: str) -> None:
    wanted = datetime.fromisoformat(due).replace(tzinfo=SHANGHAI)
    assert Clock.of(PROFILE).at(path).due(kind, Level.YELLOW, TUESDAY) == wanted


@pytest.mark.parametrize("nothing", [None, {}])
def test_a_profile_that_says_nothing_means_the_defaults(nothing: dict[str, object] | None) -> None:
    assert Clock.of(nothing) == Clock()


def test_the_policy_that_a_hazard_keeps_counts_before_its_units() -> None:
    own = Clock.of(PROFILE).at("/330200/U01/", Policy())
    assert own.policy == Policy()
    assert own.due(Kind.ASSESS, Level.YELLOW, TUESDAY) == datetime(2026, 5, 13, 10, 0, tzinfo=SHANGHAI)


def test_reminders_lie_at_the_marks_between_beginning_and_end() -> None:
    assert Clock().reminders(Kind.ASSESS, Level.RED, NOW, NOW + 10 * MINUTE) == [
        (0.5, NOW + 5 * MINUTE),
        (0.9, NOW + 9 * MINUTE),
    ]


def test_a_reminder_of_what_counts_duty_time_waits_for_the_opening() -> None:
    monday = datetime(2026, 5, 18, 16, 0, tzinfo=SHANGHAI)
    marks = Clock().reminders(Kind.CONTROL, Level.YELLOW, FRIDAY_EVENING, monday)
    assert marks[0] == (0.5, datetime(2026, 5, 18, 8, 0, tzinfo=SHANGHAI))
    assert marks[1] == (0.9, FRIDAY_EVENING + 0.9 * (monday - FRIDAY_EVENING))


def test_a_reminder_never_waits_beyond_its_deadline() -> None:
    saturday = datetime(2026, 5, 16, 20, 0, tzinfo=SHANGHAI)
    for mark, when in Clock().reminders(Kind.RECTIFY, Level.BLUE, FRIDAY_EVENING, saturday):
        assert when == FRIDAY_EVENING + mark * DAY


@steady
@given(st.sampled_from(Level), st.sampled_from(Kind), st.integers(0, 10**6), st.integers(1, 10**5))
def test_every_reminder_lies_within_its_round(level: Level, kind: Kind, ago: int, minutes: int) -> None:
    start = NOW - ago * MINUTE
    end = start + minutes * MINUTE
    moments = [when for _, when in Clock().reminders(kind, level, start, end)]
    assert all(start < when < end for when in moments)
    assert moments == sorted(moments)


@steady
@given(st.sampled_from(Level), st.sampled_from(Kind), st.integers(0, 10**6))
def test_nothing_falls_due_before_it_began(level: Level, kind: Kind, minutes: int) -> None:
    start = NOW - minutes * MINUTE
    due = Clock().due(kind, level, start)
    assert due is None or due > start


S, A, K = State, Action, Kind
OPEN = (S.REPORTED, S.ASSESSED, S.DISPATCHED, S.HANDLING, S.SUBMITTED)
FRESH = Effects(begin=(K.ASSESS, K.REPORT))
ENDED = Effects(drop=tuple(Kind))
AGAIN = Effects(begin=(K.CONTROL, K.RECTIFY), drop=(K.REVIEW,))
CLOSED = Effects(begin=(K.REVIEW,), meet=(K.ASSESS, K.REPORT, K.CONTROL, K.RECTIFY))

# Action, before, after, effects; nothing regraded, not yet routed.
EXPECTED = [
    (A.OPEN, None, S.REPORTED, FRESH),
    (A.ASSESS, S.REPORTED, S.ASSESSED, Effects(begin=(K.CONTROL, K.RECTIFY), meet=(K.ASSESS,))),
    (A.ASSESS, S.ASSESSED, S.ASSESSED, NOTHING),
    (A.ASSESS, S.DISPATCHED, S.DISPATCHED, NOTHING),
    (A.ASSESS, S.HANDLING, S.HANDLING, NOTHING),
    (A.REJECT, S.REPORTED, S.REJECTED, ENDED),
    (A.REJECT, S.ASSESSED, S.REJECTED, ENDED),
    (A.MERGE, S.REPORTED, S.MERGED, ENDED),
    (A.MERGE, S.ASSESSED, S.MERGED, ENDED),
    (A.MERGE, S.DISPATCHED, S.MERGED, ENDED),
    (A.MERGE, S.HANDLING, S.MERGED, ENDED),
    (A.UNMERGE, S.MERGED, S.REPORTED, FRESH),
    (A.FOLLOW, S.MERGED, S.CLOSED, NOTHING),
    (A.FOLLOW, S.CLOSED, S.MERGED, NOTHING),
    (A.DISPATCH, S.ASSESSED, S.DISPATCHED, NOTHING),
    (A.DISPATCH, S.DISPATCHED, S.DISPATCHED, NOTHING),
    (A.SETTLE, S.DISPATCHED, S.DISPATCHED, NOTHING),
    (A.SETTLE, S.HANDLING, S.HANDLING, NOTHING),
    (A.START, S.DISPATCHED, S.HANDLING, Effects(meet=(K.CONTROL,))),
    (A.SUBMIT, S.HANDLING, S.SUBMITTED, NOTHING),
    (A.RETURN, S.SUBMITTED, S.HANDLING, NOTHING),
    (A.CLOSE, S.SUBMITTED, S.CLOSED, CLOSED),
    (A.EXTEND, S.DISPATCHED, S.DISPATCHED, NOTHING),
    (A.EXTEND, S.HANDLING, S.HANDLING, NOTHING),
    (A.REVIEW, S.CLOSED, S.REVIEWING, NOTHING),
    (A.ARCHIVE, S.REVIEWING, S.ARCHIVED, Effects(meet=(K.REVIEW,))),
    (A.ARCHIVE, S.CLOSED, S.ARCHIVED, Effects(meet=(K.REVIEW,))),
    (A.REOPEN, S.CLOSED, S.DISPATCHED, AGAIN),
    (A.REOPEN, S.REVIEWING, S.DISPATCHED, AGAIN),
    (A.REOPEN, S.REJECTED, S.REPORTED, FRESH),
    *((action, s, s, NOTHING) for action in (A.LIST, A.INSTRUCT, A.FEEDBACK, A.ATTACH, A.CLIMB) for s in OPEN),
    *((A.MISS, s, s, NOTHING) for s in (*OPEN, S.CLOSED, S.REVIEWING)),
]


@pytest.mark.parametrize(
    ("action", "before", "after", "expected"), EXPECTED, ids=[f"{a}-{b}-{c}" for a, b, c, _ in EXPECTED]
)
def test_what_a_transition_means_for_the_deadlines(
    action: Action, before: State | None, after: State, expected: Effects
) -> None:
    assert effects(action, before, after) == expected


def test_no_transition_of_the_loop_is_missing_above() -> None:
    told = {(action, before, after) for action, before, after, _ in EXPECTED if before is not None}
    assert told == {(row.action, source, row.target or source) for row in TABLE for source in row.sources}


@pytest.mark.parametrize("state", OPEN)
def test_climbing_to_where_the_level_belongs_means_the_city_has_been_told(state: State) -> None:
    assert effects(Action.CLIMB, state, state, routed=True) == Effects(meet=(Kind.REPORT,))


@pytest.mark.parametrize("action", [Action.ASSESS, Action.ATTACH])
@pytest.mark.parametrize("state", [State.REPORTED, State.ASSESSED, State.DISPATCHED, State.HANDLING])
def test_a_new_level_sets_the_running_deadlines_anew(action: Action, state: State) -> None:
    assert effects(action, state, state, regraded=True) == Effects(regrade=True)


def test_a_first_assessment_that_changes_the_level_does_all_of_it() -> None:
    assert effects(Action.ASSESS, State.REPORTED, State.ASSESSED, regraded=True) == Effects(
        begin=(Kind.CONTROL, Kind.RECTIFY), meet=(Kind.ASSESS,), regrade=True
    )


def test_a_note_or_a_photo_never_touches_a_deadline() -> None:
    for state in OPEN:
        for action in (Action.INSTRUCT, Action.FEEDBACK, Action.LIST):
            assert effects(action, state, state, routed=True) == NOTHING


def test_once_closed_nothing_but_the_review_ever_begins_until_it_is_reopened() -> None:
    for action, before, after, _ in EXPECTED:
        if after in (State.CLOSED, State.REVIEWING, State.ARCHIVED, State.REJECTED, State.MERGED):
            assert set(effects(action, before, after).begin) <= {Kind.REVIEW}


def test_a_missed_review_is_recorded_and_no_further_round_begins() -> None:
    assert effects(Action.MISS, State.CLOSED, State.CLOSED).begin == ()
    assert effects(Action.MISS, State.REVIEWING, State.REVIEWING).begin == ()
