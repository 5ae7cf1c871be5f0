"""Deadlines: when each falls due and is reminded of, and what a transition does to them (domain §5).

A deadline is an absolute instant kept with the hazard. Each kind runs in rounds: a missed round lifts the hazard one
tier and the next round begins, so that an open hazard always has a next deadline. Closing ends all of them for good;
only the review is owed after it, and a missed review is recorded without climbing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from models.calendar import DutyCalendar, closed_days
from models.levels import Level
from models.loop import OPEN_STATES, Action, State
from models.policy import DEFAULT_POLICY, Entry, Kind, Policy, nearest, read

__all__ = ["DEFAULT_POLICY", "NOTHING", "Clock", "Effects", "Kind", "effects"]


@dataclass(frozen=True, slots=True)
class Clock:
    """A policy and a calendar: all that turns a level and a start into an instant.

    ``policy`` and ``calendar`` are the whole city's; ``own`` and ``closed`` hold, by unit code, what a unit and all
    below it have of their own.
    """

    policy: Policy = field(default_factory=Policy)
    calendar: DutyCalendar = field(default_factory=DutyCalendar)
    own: Mapping[str, Sequence[Entry]] = field(default_factory=dict)
    closed: Mapping[str, frozenset[date]] = field(default_factory=dict)

    @classmethod
    def of(cls, profile: Mapping[str, Any] | None) -> "Clock":
        """From a city's profile: ``duty``, ``terms``, ``deadlines``, ``closed``; the defaults where it says nothing.

        Raises ``ValueError`` on a profile that loading a city (deploy/cities) would have refused to read.
        """
        given = profile or {}
        own: dict[str, list[Entry]] = {}
        everybody: list[Entry] = []
        for raw in given.get("deadlines", ()):
            entry = read(raw)
            (everybody if entry.unit is None else own.setdefault(entry.unit, [])).append(entry)
        return cls(
            policy=Policy().with_entries(everybody),
            calendar=DutyCalendar.of(given.get("duty"), given.get("terms", ())),
            own=own,
            closed=closed_days(given.get("closed", ())),
        )

    def at(self, path: str, policy: Policy | None = None) -> "Clock":
        """The clock of one unit: the nearest calendar of its path, and the nearest policy or the one that a hazard keeps."""
        off = frozenset[date]().union(*(self.closed.get(code, ()) for code in path.strip("/").split("/")))
        return Clock(
            policy=nearest(self.policy, self.own, path) if policy is None else policy,
            calendar=replace(self.calendar, closed=self.calendar.closed | off) if off else self.calendar,
        )

    def due(self, kind: Kind, level: Level, start: datetime) -> datetime | None:
        """The instant by which it must have happened; None where this level does not owe it.

        A report to the city counts the clock at every level: the law's hours are not hours of duty. Raises
        ``ValueError`` on a naive start.
        """
        if start.tzinfo is None:
            raise ValueError("an instant needs its time zone: a naive datetime cannot start a deadline")
        span = self.policy.spans[level][kind]
        if span is None:
            return None
        return start + span if level.urgent or kind is Kind.REPORT else self.calendar.add(start, span)

    def reminders(self, kind: Kind, level: Level, start: datetime, due: datetime) -> list[tuple[float, datetime]]:
        """When to remind of a round that runs from ``start`` to ``due``: each mark with its instant, in order, all before ``due``.

        What counts duty time reminds on duty: an instant off duty waits for the next opening, if that still is in time.
        """
        moments = []
        for mark in self.policy.marks[level]:
            at = start + mark * (due - start)
            if not level.urgent and kind is not Kind.REPORT:
                opening = self.calendar.roll(at)
                at = opening if opening < due else at
            moments.append((mark, at))
        return moments


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
    if action in (Action.MISS, Action.FOLLOW):
        # A merged hazard follows its master without deadlines of its own: the master owes the review.
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
