"""Deadline policies: read, held against the law, resolved along a unit's path, kept with a hazard."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.deadlines import Clock
from models.levels import Level
from models.policy import DEFAULT_POLICY, Entry, Kind, Policy, Wrong, breaches, held, nearest, read, said_span
from tests.factories import CITY, COLLEGE, SCHOOL, UNIVERSITY, hazard, opening, steady, tree

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def entry(level: Level = Level.RED, unit: str | None = None, **spans: timedelta | None) -> Entry:
    return Entry(unit, level, {Kind(name): span for name, span in spans.items()})


def city(*entries: Entry) -> Policy:
    return Policy().with_entries(entries)


# reading


def test_an_entry_names_what_it_changes() -> None:
    raw = {"unit": "U01", "level": "red", "assess": "15m", "rectify": "24h", "review": "3d", "remind": [0.5, 0.75]}
    assert read(raw) == Entry(
        "U01", Level.RED, {Kind.ASSESS: 15 * MINUTE, Kind.RECTIFY: DAY, Kind.REVIEW: 3 * DAY}, (0.5, 0.75)
    )


def test_without_a_unit_it_is_the_whole_citys_and_none_is_not_owed() -> None:
    assert read({"level": "yellow", "review": "none"}) == Entry(None, Level.YELLOW, {Kind.REVIEW: None})


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        ({"level": "purple"}, "level"),
        ({"level": ["red"]}, "level"),
        ({}, "level"),
        ({"level": "red", "assess": "0m"}, "assess"),
        ({"level": "red", "assess": "-5m"}, "assess"),
        ({"level": "red", "assess": "5"}, "assess"),
        ({"level": "red", "assess": "5s"}, "assess"),
        ({"level": "red", "assess": "1.5h"}, "assess"),
        ({"level": "red", "assess": "15 m"}, "assess"),
        ({"level": "red", "assess": 15}, "assess"),
        ({"level": "blue", "rectify": "367d"}, "rectify"),
        ({"level": "blue", "rectify": "999999d"}, "rectify"),
        ({"level": "red", "asess": "5m"}, "asess"),
        ({"level": "red", "remind": [0.9, 0.5]}, "remind"),
        ({"level": "red", "remind": [0.5, 0.5]}, "remind"),
        ({"level": "red", "remind": [0.1]}, "remind"),
        ({"level": "red", "remind": [1]}, "remind"),
        ({"level": "red", "remind": ["half"]}, "remind"),
        ({"level": "red", "remind": [True]}, "remind"),
    ],
)
def test_what_cannot_be_read_says_where_and_how_to_cure_it(raw: dict[str, Any], key: str) -> None:
    with pytest.raises(Wrong) as wrong:
        read(raw)
    assert wrong.value.key == key
    assert wrong.value.cure


def test_no_reminder_at_all_can_be_configured() -> None:
    assert read({"level": "blue", "remind": []}).marks == ()


# the law


def test_the_defaults_breach_nothing() -> None:
    assert breaches(Policy()) == []


@pytest.mark.parametrize(
    ("change", "article"),
    [
        (entry(Level.RED, report=61 * MINUTE), "第九条"),
        (entry(Level.ORANGE, report=2 * HOUR), "第九条"),
        (entry(Level.RED, report=None), "第三十六条"),
        (entry(Level.ORANGE, report=None), "第三十六条"),
        (entry(Level.YELLOW, report=25 * HOUR), "第三十六条"),
        (entry(Level.BLUE, report=7 * DAY), "第三十六条"),
        (entry(Level.RED, rectify=31 * DAY), "第四十一条"),
    ],
)
def test_no_configuration_loosens_the_law(change: Entry, article: str) -> None:
    found = breaches(city(change))
    assert any(article in breach.said and change.level in breach.levels for breach in found)
    assert all(breach.cure for breach in found)


@pytest.mark.parametrize(
    "change",
    [
        entry(Level.RED, report=HOUR),
        entry(Level.YELLOW, report=24 * HOUR),
        entry(Level.RED, assess=MINUTE, control=MINUTE, rectify=MINUTE, report=MINUTE, review=MINUTE),
        entry(Level.YELLOW, review=30 * DAY),
    ],
)
def test_what_is_as_strict_or_stricter_is_allowed(change: Entry) -> None:
    assert breaches(city(change)) == []


def test_a_major_hazards_plan_may_take_thirty_days_where_the_milder_take_as_long() -> None:
    slow = [entry(level, rectify=30 * DAY) for level in Level]
    assert breaches(city(*slow)) == []


@pytest.mark.parametrize("kind", ["assess", "control", "rectify"])
@pytest.mark.parametrize("level", list(Level))
def test_what_keeps_an_open_hazard_running_is_always_owed(level: Level, kind: str) -> None:
    assert any("须始终有时限" in breach.said for breach in breaches(city(entry(level, **{kind: None}))))


def test_a_graver_level_is_never_slower_than_a_milder_one() -> None:
    [breach] = breaches(city(entry(Level.RED, assess=31 * MINUTE)))
    assert (breach.levels, breach.kind) == ((Level.RED, Level.ORANGE), Kind.ASSESS)
    assert "慢于" in breach.said
    [breach] = breaches(city(entry(Level.BLUE, report=DAY)))
    assert breach.levels == (Level.YELLOW, Level.BLUE), "what is not owed is slower than anything"


spans = st.sampled_from([None, MINUTE, 15 * MINUTE, HOUR, 2 * HOUR, DAY, 25 * HOUR, 7 * DAY, 30 * DAY, 31 * DAY])
policies = st.fixed_dictionaries({level: st.fixed_dictionaries(dict.fromkeys(Kind, spans)) for level in Level})


@steady
@given(policies)
def test_whatever_passes_keeps_the_floors(drawn: dict[Level, dict[Kind, timedelta | None]]) -> None:
    if breaches(Policy(drawn)):
        return
    for level in Level:
        assert all(drawn[level][kind] is not None for kind in (Kind.ASSESS, Kind.CONTROL, Kind.RECTIFY))
        report = drawn[level][Kind.REPORT]
        assert report is None or report <= (HOUR if level.urgent else DAY)
        assert report is not None or not level.urgent
    assert (drawn[Level.RED][Kind.RECTIFY] or timedelta.max) <= 30 * DAY


@pytest.mark.parametrize(
    ("span", "said"), [(15 * MINUTE, "15 分钟"), (HOUR, "1 小时"), (DAY, "24 小时"), (30 * DAY, "30 天")]
)
def test_a_span_in_words(span: timedelta, said: str) -> None:
    assert said_span(span) == said


# resolving


def test_the_nearest_entry_counts_for_each_span() -> None:
    own = {
        UNIVERSITY: [entry(Level.YELLOW, UNIVERSITY, assess=HOUR, control=4 * HOUR)],
        COLLEGE: [entry(Level.YELLOW, COLLEGE, assess=30 * MINUTE)],
    }
    base = city(entry(Level.YELLOW, rectify=5 * DAY))

    def yellow(code: str) -> list[timedelta | None]:
        spans = nearest(base, own, tree()[code].path).spans[Level.YELLOW]
        return [spans[kind] for kind in (Kind.ASSESS, Kind.CONTROL, Kind.RECTIFY)]

    assert yellow(COLLEGE) == [30 * MINUTE, 4 * HOUR, 5 * DAY]
    assert yellow(UNIVERSITY) == [HOUR, 4 * HOUR, 5 * DAY]
    assert yellow(SCHOOL) == yellow(CITY) == [2 * HOUR, 8 * HOUR, 5 * DAY]


def test_a_code_that_begins_like_another_is_another() -> None:
    own = {"U01": [entry(Level.YELLOW, "U01", assess=HOUR)]}
    assert nearest(Policy(), own, "/330200/U011/") == Policy()


# keeping


def test_what_a_hazard_keeps_is_read_back_whole() -> None:
    policy = city(Entry(None, Level.BLUE, {Kind.REVIEW: 90 * MINUTE}, (0.25, 0.5, 0.95)))
    assert held(policy.text()) == policy
    assert held(Policy().text()) == Policy()


def test_a_hazard_from_before_keeps_the_defaults() -> None:
    assert held(None).spans == DEFAULT_POLICY


def test_a_hazard_opens_under_the_policy_of_its_unit_and_keeps_it() -> None:
    clock = Clock(own={UNIVERSITY: [entry(Level.YELLOW, UNIVERSITY, assess=HOUR)]})
    opened = opening(Level.YELLOW, unit=COLLEGE, clock=clock)
    assert dict(opened.deadlines)[Kind.ASSESS] == opened.hazard.opened_at + HOUR
    assert held(opened.hazard.policy).spans[Level.YELLOW][Kind.ASSESS] == HOUR
    assert held(opening(Level.YELLOW, clock=clock).hazard.policy) == Policy()


def test_whether_a_review_is_owed_is_the_kept_policys_word() -> None:
    owed = city(entry(Level.YELLOW, review=7 * DAY), entry(Level.ORANGE, review=None)).text()
    assert hazard(level=Level.YELLOW, policy=owed).facts().review_owed
    assert not hazard(level=Level.ORANGE, policy=owed).facts().review_owed
    assert not hazard(level=Level.YELLOW).facts().review_owed
