"""Deadlines: which a hazard has, how long each runs, and what a transition does to them (domain §5).

A deadline is an absolute instant kept with the hazard. Each kind runs in rounds: a missed round lifts the hazard one
tier and the next round begins, so that an open hazard always has a next deadline. Closing ends all of them for good;
only the review is owed after it, and a missed review is recorded without climbing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from models.calendar import DutyCalendar
from models.levels import Level
from models.loop import OPEN_STATES, Action, State


class Kind(StrEnum):
    """What must have happened by the deadline."""

    ASSESS = "assess"
    REPORT = "report"
    CONTROL = "control"
    RECTIFY = "rectify"
    REVIEW = "review"

    @property
    def label(self) -> str:
        """The Chinese word on the page."""
        return _LABEL[self]

    @property
    def climbs(self) -> bool:
        """Whether missing it lifts the hazard; a review is owed for a closed hazard, which never climbs."""
        return self is not Kind.REVIEW


_LABEL = {
    Kind.ASSESS: "研判",
    Kind.REPORT: "上报市级",
    Kind.CONTROL: "初步管控",
    Kind.RECTIFY: "整改销号",
    Kind.REVIEW: "复盘",
}

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

# domain §5, the project's defaults. None: not owed. Yellow's review is sampled, so nothing falls due by itself.
DEFAULT_POLICY: Mapping[Level, Mapping[Kind, timedelta | None]] = {
    Level.RED: {
        Kind.ASSESS: 15 * _MINUTE,
        Kind.REPORT: 1 * _HOUR,
        Kind.CONTROL: 30 * _MINUTE,
        Kind.RECTIFY: 24 * _HOUR,
        Kind.REVIEW: 3 * _DAY,
    },
    Level.ORANGE: {
        Kind.ASSESS: 30 * _MINUTE,
        Kind.REPORT: 1 * _HOUR,
        Kind.CONTROL: 2 * _HOUR,
        Kind.RECTIFY: 3 * _DAY,
        Kind.REVIEW: 7 * _DAY,
    },
    Level.YELLOW: {
        Kind.ASSESS: 2 * _HOUR,
        Kind.REPORT: None,
        Kind.CONTROL: 8 * _HOUR,
        Kind.RECTIFY: 7 * _DAY,
        Kind.REVIEW: None,
    },
    Level.BLUE: {
        Kind.ASSESS: 8 * _HOUR,
        Kind.REPORT: None,
        Kind.CONTROL: 24 * _HOUR,
        Kind.RECTIFY: 15 * _DAY,
        Kind.REVIEW: None,
    },
}


@dataclass(frozen=True, slots=True)
class Clock:
    """A policy and a calendar: all that turns a level and a start into an instant."""

    policy: Mapping[Level, Mapping[Kind, timedelta | None]] = field(default_factory=lambda: DEFAULT_POLICY)
    calendar: DutyCalendar = field(default_factory=DutyCalendar)

    def due(self, kind: Kind, level: Level, start: datetime) -> datetime | None:
        """The instant by which it must have happened; None where this level does not owe it.

        Raises ``ValueError`` on a naive start.
        """
        if start.tzinfo is None:
            raise ValueError("an instant needs its time zone: a naive datetime cannot start a deadline")
        span = self.policy[level][kind]
        if span is None:
            return None
        return start + span if level.urgent else self.calendar.add(start, span)


@dataclass(frozen=True, slots=True)
class Effects:
    """What a transition does to a hazard's deadlines: kinds that begin, kinds that are met, kinds that are dropped."""

    begin: tuple[Kind, ...] = ()
    meet: tuple[Kind, ...] = ()
    drop: tuple[Kind, ...] = ()
    regrade: bool = False


NOTHING = Effects()


def effects(
    action: Action, before: State | None, after: State, *, regraded: bool = False, routed: bool = False
) -> Effects:
    """What a transition means for the deadlines.

    ``before`` is None for the opening; ``regraded`` says that the level changed, ``routed`` that the hazard now stands
    at the tier that its level asks for.

    >>> effects(Action.CLOSE, State.SUBMITTED, State.CLOSED).begin
    (<Kind.REVIEW: 'review'>,)
    """
    if action is Action.MISS:
        return NOTHING
    if before is None or (before not in OPEN_STATES and after is State.REPORTED):
        return Effects(begin=(Kind.ASSESS, Kind.REPORT))
    if action is Action.CLIMB:
        # Within one deployment the city knows as soon as the hazard stands where its level belongs.
        return Effects(meet=(Kind.REPORT,)) if routed else NOTHING
    if before is State.REPORTED and after is State.ASSESSED:
        return Effects(begin=(Kind.CONTROL, Kind.RECTIFY), meet=(Kind.ASSESS,), regrade=regraded)
    if action is Action.START:
        return Effects(meet=(Kind.CONTROL,))
    if after is State.CLOSED:
        return Effects(begin=(Kind.REVIEW,), meet=(Kind.ASSESS, Kind.REPORT, Kind.CONTROL, Kind.RECTIFY))
    if after in (State.REJECTED, State.MERGED):
        return Effects(drop=tuple(Kind))
    if after is State.ARCHIVED:
        return Effects(meet=(Kind.REVIEW,))
    if action is Action.REOPEN:
        return Effects(begin=(Kind.CONTROL, Kind.RECTIFY), drop=(Kind.REVIEW,))
    return Effects(regrade=regraded)
