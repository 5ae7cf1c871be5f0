"""Groups, quiet hours, holding back, re-sending: one look at a time, and whole lives under any order."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.levels import Level
from models.loop import State
from models.notices import Happening
from models.notices_schedule import (
    BIGGER,
    CAP,
    INTERVAL,
    NO_CHANNEL,
    QUIET,
    RESEND,
    WAIT,
    Outlook,
    Pending,
    Quiet,
    again_at,
    backoff,
    first_at,
    look,
)
from tests.factories import NOW, new_id, steady

NIGHT = Quiet()
# 23:30 and 07:00 of the next morning in Shanghai.
LATE, MORNING = datetime(2026, 5, 12, 15, 30, tzinfo=UTC), datetime(2026, 5, 12, 23, 0, tzinfo=UTC)
SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


def pending(level: Level = Level.YELLOW, at: datetime = NOW, **fields: object) -> Pending:
    given: dict[str, object] = {
        "id": new_id(),
        "unit": "S",
        "level": level,
        "happening": Happening.OPENED,
        "state": State.REPORTED,
        "stands": State.REPORTED,
        "created_at": at,
        "next_at": at,
    }
    return Pending(**given | fields)  # type: ignore[arg-type]


def sent(outlook: Outlook) -> list[UUID]:
    return [id for lot in outlook.lots for id in lot.notices]


def test_what_waits_for_a_first_message_comes_along_and_a_resend_does_not() -> None:
    due, waits = pending(Level.RED), pending(Level.ORANGE, next_at=NOW + MINUTE)
    again = pending(Level.RED, next_at=NOW + MINUTE, first_told_at=NOW)
    found = look([again, waits, due], [None], NOW)
    assert [lot.notices for lot in found.lots] == [(due.id, waits.id)]


def test_nothing_due_sends_nothing() -> None:
    assert look([pending(next_at=NOW + SECOND)], [None], NOW) == Outlook()


@pytest.mark.parametrize("level", [Level.YELLOW, Level.BLUE])
def test_yellow_and_blue_wait_for_the_morning(level: Level) -> None:
    one = pending(level, LATE)
    assert look([one], [NIGHT], LATE).waits == [(one.id, QUIET, MORNING)]
    assert sent(look([one], [NIGHT], MORNING)) == [one.id]


@pytest.mark.parametrize("level", [Level.RED, Level.ORANGE])
def test_red_and_orange_do_not(level: Level) -> None:
    one, calm = pending(level, LATE), pending(Level.BLUE, LATE, unit="other")
    found = look([one, calm], [NIGHT], LATE)
    assert sent(found) == [one.id]
    assert found.waits == [(calm.id, QUIET, MORNING)]


def test_a_channel_that_is_awake_takes_what_another_would_not() -> None:
    red, blue = pending(Level.RED, LATE), pending(Level.BLUE, LATE, unit="other")
    found = look([red, blue], [NIGHT, None], LATE)
    assert [(lot.notices, lot.channels) for lot in found.lots] == [((red.id,), (0, 1)), ((blue.id,), (1,))]


@pytest.mark.parametrize(
    ("quiet", "hour", "ends"),
    [
        (Quiet(), 22, 7),
        (Quiet(), 3, 7),
        (Quiet(), 7, None),
        (Quiet(), 21, None),
        (Quiet(time(12), time(14)), 12, 14),
        (Quiet(time(12), time(14)), 14, None),
    ],
)
def test_quiet_hours_by_the_clock_of_shanghai(quiet: Quiet, hour: int, ends: int | None) -> None:
    now = datetime(2026, 5, 12, tzinfo=UTC) + timedelta(hours=hour - 8)
    until = quiet.until(now)
    assert (until and (until + timedelta(hours=8)).hour) == ends
    assert until is None or now < until <= now + timedelta(hours=12)


def test_quiet_hours_without_length_are_refused() -> None:
    with pytest.raises(ValueError, match="起止"):
        Quiet(time(7), time(7))


def test_something_bigger_of_the_unit_holds_back_the_smaller_ones() -> None:
    red = pending(Level.RED, first_told_at=NOW, next_at=NOW + MINUTE)
    same, other = pending(Level.YELLOW), pending(Level.YELLOW, unit="other")
    found = look([red, same, other], [None], NOW)
    assert sent(found) == [other.id]
    assert [(id, why) for id, why, _ in found.waits] == [(same.id, BIGGER)]
    held = pending(Level.YELLOW, held=BIGGER, next_at=NOW + MINUTE)
    assert sent(look([held], [None], NOW)) == [held.id], "released as soon as the bigger one is gone"


def test_the_bigger_one_lets_go_in_the_look_that_ends_it() -> None:
    red = pending(Level.RED, first_told_at=NOW, stands=State.CLOSED)
    held = pending(Level.YELLOW, held=BIGGER, next_at=NOW + MINUTE)
    found = look([red, held], [None], NOW)
    assert (found.ended, sent(found)) == ([(red.id, "closed")], [held.id])


def test_what_asked_for_an_act_ends_when_the_hazard_moved_on_and_news_is_told_once() -> None:
    asked = pending(stands=State.ASSESSED)
    news = pending(Level.RED, happening=Happening.CLIMBED, stands=State.ASSESSED)
    told = pending(Level.RED, happening=Happening.CLIMBED, stands=State.ASSESSED, first_told_at=NOW)
    order = pending(Level.RED, happening=Happening.INSTRUCTED, stands=State.ASSESSED, first_told_at=NOW)
    found = look([asked, news, told, order], [None], NOW)
    assert dict(found.ended) == {asked.id: "moved_on", told.id: "moved_on"}
    assert set(sent(found)) == {news.id, order.id}


def test_without_any_channel_it_is_said_and_the_leader_hears() -> None:
    one = pending(Level.RED)
    assert look([one], [], NOW).waits == [(one.id, NO_CHANNEL, NOW + RESEND[Level.RED])]
    assert look([one], [], NOW + CAP * RESEND[Level.RED]).raised == [one.id]


def test_the_leader_hears_once_after_the_cap_and_not_of_what_sleeps() -> None:
    now = LATE + CAP * RESEND[Level.RED]
    red, done = pending(Level.RED, LATE), pending(Level.RED, LATE, raised=True)
    blue = pending(Level.BLUE, LATE - timedelta(days=9), unit="other", next_at=LATE)
    assert look([red, done, blue], [NIGHT], now).raised == [red.id]


def test_urgency_is_in_the_order_of_the_levels() -> None:
    for table in (WAIT, INTERVAL, RESEND):
        assert list(table) == list(Level)
        assert list(table.values()) == sorted(table.values())
    assert WAIT[Level.RED] == timedelta(0)
    assert first_at(Level.RED, NOW, NOW - SECOND) == NOW - SECOND + INTERVAL[Level.RED]
    assert first_at(Level.BLUE, NOW, None) == NOW + WAIT[Level.BLUE]
    assert again_at(Level.RED, CAP + 1, NOW) > again_at(Level.RED, CAP, NOW) == NOW + RESEND[Level.RED]
    assert [backoff(n).total_seconds() for n in (1, 2, 3, 50)] == [10, 20, 40, 600]


levels = st.sampled_from(list(Level))
steps = st.lists(
    st.tuples(
        st.sampled_from(["new", "new", "look", "look", "ack", "ack_all", "fail", "close", "move"]),
        levels,
        st.sampled_from(["S", "T"]),
        st.integers(0, 40),
    ),
    max_size=60,
)


@steady
@given(steps, st.lists(st.sampled_from([None, NIGHT, Quiet(time(12), time(14))]), max_size=3))
def test_under_any_order_nobody_is_told_twice_in_a_message_and_nothing_is_lost(
    script: list[tuple[str, Level, str, int]], quiet: list[Quiet | None]
) -> None:
    """A recipient's life, played by the rules as the store carries them out."""
    live: dict[UUID, Pending] = {}
    gone: dict[UUID, str] = {}
    told: dict[UUID, int] = {}
    born: dict[UUID, datetime] = {}
    last: dict[Level, datetime] = {}
    now = LATE - timedelta(hours=4)

    def one_look(*, works: bool = True) -> None:
        found = look(list(live.values()), quiet, now)
        going = sent(found)
        waiting = [id for id, *_ in found.waits]
        ending = [id for id, _ in found.ended]
        assert len({*going, *waiting, *ending}) == len(going) + len(waiting) + len(ending), "each once, in one place"
        due = {id for id, one in live.items() if one.next_at <= now}
        assert due <= {*going, *waiting, *ending}, "what is due is sent, waits with a reason, or is over"
        for lot in found.lots:
            assert lot.channels
        for id, why in found.ended:
            gone[id] = why
            del live[id]
        for id, why, at in found.waits:
            assert at > now
            live[id] = _with(live[id], held=why, next_at=at)
        for id in found.raised:
            live[id] = _with(live[id], raised=True)
        for id in going:
            if works:
                told[id] += 1
                last[live[id].level] = now
                live[id] = _with(
                    live[id],
                    held=None,
                    next_at=again_at(live[id].level, told[id], now),
                    first_told_at=live[id].first_told_at or now,
                )
            else:
                live[id] = _with(live[id], held=None, next_at=now + backoff(1))

    for what, level, unit, minutes in script:
        now += minutes * MINUTE
        if what == "new":
            one = pending(level, now, unit=unit, next_at=first_at(level, now, last.get(level)))
            live[one.id], told[one.id], born[one.id] = one, 0, now
        elif what in ("look", "fail"):
            one_look(works=what == "look")
        elif what.startswith("ack") and live:
            for id in list(live)[: None if what == "ack_all" else 1]:
                gone[id] = "acknowledged"
                del live[id]
        elif live:
            id = next(iter(live))
            live[id] = _with(live[id], stands=State.CLOSED if what == "close" else State.ASSESSED)

    assert set(live) | set(gone) == set(born), "every notice is pending, acknowledged or ended with a reason"
    # Left alone, with a channel that works, every notice that still lives is told: no cause holds anything for ever.
    for _ in range(400):
        now += 10 * MINUTE
        one_look()
        for id in [id for id, one in live.items() if one.level.urgent and told[id]]:
            gone[id] = "acknowledged"
            del live[id]
    if quiet:
        assert all(told[id] for id in live)


def _with(one: Pending, **fields: object) -> Pending:
    return replace(one, **fields)  # type: ignore[arg-type]
