"""Who is on duty: rosters of turns, their hand-over, deputies, holidays — and what follows where nobody is (domain §3).

A duty day runs from one hand-over to the next. A unit that keeps no roster for a role has no hours either: whoever holds the
role there is meant, at any time.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from uuid import UUID

from models.calendar import DAY, DutyCalendar
from models.chain import Chain
from models.policy import Kind
from models.roles import Role

# Roles that keep a roster: those who must answer. An informant reports when there is something to report.
ROSTERED = (Role.ASSESSOR, Role.HANDLER, Role.SUPERVISOR, Role.LEADER)
# Longer than this nobody plans; the limit keeps a question about gaps from walking through a century.
MAX_DAYS = 366
MAX_PEOPLE = 50
# Deputies of deputies: beyond three the plan is no plan, and a circle must end.
_DEPUTIES = 3


class Turn(StrEnum):
    """How long one person stays on duty."""

    DAY = "day"
    WEEK = "week"

    @property
    def days(self) -> int:
        """The length of a turn."""
        return 7 if self is Turn.WEEK else 1


class Holidays(StrEnum):
    """What holds on weekends, public holidays and closed days: the same turns, turns of their own, or nobody."""

    SAME = "same"
    OWN = "own"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Roster:
    """Turns of one role in one unit. ``people`` are account ids in their order; ``holiday_people`` where ``holidays`` is ``own``.

    Raises ``ValueError`` on a roster without people, or on holidays of their own without people.
    """

    unit: str
    role: Role
    first_day: date
    people: tuple[UUID, ...]
    turn: Turn = Turn.WEEK
    handover: time = time(8, 0)
    holidays: Holidays = Holidays.SAME
    holiday_people: tuple[UUID, ...] = ()

    def __post_init__(self) -> None:
        if not self.people:
            raise ValueError("值班表至少要有一人")
        if (self.holidays is Holidays.OWN) != bool(self.holiday_people):
            raise ValueError("节假日单独排班（holidays 为 own）时须给出 holiday_people，其他情形不得给出")

    def turn_of(self, day: date, calendar: DutyCalendar) -> UUID | None:
        """Whose turn a duty day is, before absences; None before the first day and on holidays without anybody."""
        if day < self.first_day:
            return None
        if self.holidays is not Holidays.SAME and not calendar.is_duty_day(day):
            return self.holiday_people[day.toordinal() % len(self.holiday_people)] if self.holiday_people else None
        return self.people[(day - self.first_day).days // self.turn.days % len(self.people)]

    def day_of(self, instant: datetime, calendar: DutyCalendar) -> date:
        """The duty day that an instant belongs to: before the hand-over it still is yesterday's."""
        local = instant.astimezone(calendar.zone)
        return local.date() if local.time() >= self.handover else local.date() - DAY

    def begins(self, day: date, calendar: DutyCalendar) -> datetime:
        """The instant at which a duty day begins, in UTC."""
        return datetime.combine(day, self.handover, calendar.zone).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Absence:
    """Somebody is away from ``starts_at`` to ``ends_at``; ``deputy`` stands in, if anybody does. Why is nobody's business here."""

    account: UUID
    starts_at: datetime
    ends_at: datetime
    deputy: UUID | None = None

    def covers(self, instant: datetime) -> bool:
        """Whether it holds at an instant."""
        return self.starts_at <= instant < self.ends_at


@dataclass(frozen=True, slots=True)
class Watch:
    """A stretch of duty: ``account`` None means that nobody is there; ``instead_of`` names whom a deputy stands in for."""

    starts_at: datetime
    ends_at: datetime
    account: UUID | None
    instead_of: UUID | None = None


def present(account: UUID | None, absences: Sequence[Absence], now: datetime) -> UUID | None:
    """The person, or whoever stands in at this instant; None where nobody does."""
    for _ in range(_DEPUTIES + 1):
        if account is None:
            return None
        away = next((one for one in absences if one.account == account and one.covers(now)), None)
        if away is None:
            return account
        account = away.deputy
    return None


def on_duty(roster: Roster, absences: Sequence[Absence], now: datetime, calendar: DutyCalendar) -> Watch:
    """Who is on duty at ``now`` and for how long nothing changes; ``account`` None where nobody is."""
    day = roster.day_of(now, calendar)
    starts, ends = roster.begins(day, calendar), roster.begins(day + DAY, calendar)
    edges = [edge for one in absences for edge in (one.starts_at, one.ends_at)]
    meant = roster.turn_of(day, calendar)
    there = present(meant, absences, now)
    return Watch(
        starts_at=max([starts, *(edge for edge in edges if edge <= now)]),
        ends_at=min([ends, *(edge for edge in edges if edge > now)]),
        account=there,
        instead_of=meant if there is not None and there != meant else None,
    )


def plan(
    roster: Roster, absences: Sequence[Absence], start: datetime, end: datetime, calendar: DutyCalendar
) -> list[Watch]:
    """All watches from ``start`` to ``end``, neighbours of the same person joined. Raises ``ValueError`` beyond a year."""
    if end - start > MAX_DAYS * DAY:
        raise ValueError(f"最多查看 {MAX_DAYS} 天")
    watches: list[Watch] = []
    at = start
    while at < end:
        one = on_duty(roster, absences, at, calendar)
        until = min(one.ends_at, end)
        last = watches[-1] if watches else None
        if last is not None and (last.account, last.instead_of) == (one.account, one.instead_of):
            watches[-1] = Watch(last.starts_at, until, last.account, last.instead_of)
        else:
            watches.append(Watch(at, until, one.account, one.instead_of))
        at = until
    return watches


def role_that_owes(kind: Kind, step: int) -> Role | None:
    """Who has to act where a hazard stands: in its own unit the role of the deadline, at a higher tier those who urge.

    None for the report to the city, which the platform makes itself by climbing.
    """
    if kind is Kind.REPORT:
        return None
    return _OWES[kind] if step == 0 else Role.SUPERVISOR


_OWES: Mapping[Kind, Role] = {
    Kind.ASSESS: Role.ASSESSOR,
    Kind.CONTROL: Role.HANDLER,
    Kind.RECTIFY: Role.HANDLER,
    Kind.REVIEW: Role.SUPERVISOR,
}


def manned_step(chain: Chain, step: int, kind: Kind, unmanned: Collection[tuple[str, Role]]) -> int:
    """The nearest step, from ``step`` upwards, where somebody is on duty for what is owed; the top where nobody is."""
    while step < chain.top and (chain.at(step).unit, role_that_owes(kind, step)) in unmanned:
        step += 1
    return step


def gap_days(watches: Sequence[Watch]) -> timedelta:
    """How long nobody is there, in all."""
    return sum((one.ends_at - one.starts_at for one in watches if one.account is None), timedelta())
