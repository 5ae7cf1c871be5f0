"""When a recipient is told: urgency, groups, quiet hours, re-sending, holding back below something bigger. Pure, one recipient at a time."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from models.calendar import DAY, SHANGHAI
from models.levels import Level
from models.loop import OPEN_STATES, State
from models.notices import Happening

_SECOND, _MINUTE, _HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)

# How long the first of a group waits for others. Red goes at once; orange has an hour to be reported, so seconds cost nothing and
# gather one batch of the stream; yellow and blue have hours and days.
WAIT = {Level.RED: timedelta(0), Level.ORANGE: 10 * _SECOND, Level.YELLOW: _MINUTE, Level.BLUE: 5 * _MINUTE}
# The least time between two messages of a level to one recipient. A DingTalk or WeCom robot takes 20 messages a minute and is
# blocked for ten minutes beyond: one in ten seconds is far below, and a person reads no quicker.
INTERVAL = {Level.RED: 10 * _SECOND, Level.ORANGE: 30 * _SECOND, Level.YELLOW: 5 * _MINUTE, Level.BLUE: 30 * _MINUTE}
# A third of what the level has for its assessment (models/policy.py: 15 min, 30 min, 2 h, 8 h), so that the leader hears in time.
RESEND = {Level.RED: 5 * _MINUTE, Level.ORANGE: 10 * _MINUTE, Level.YELLOW: 40 * _MINUTE, Level.BLUE: 160 * _MINUTE}
# After so many intervals without an answer the unit's leader is told too, and the recipient is urged more slowly: whoever did
# not answer three messages is not there, and a fourth is noise.
CAP = 3
SLOWER = 6
# A receiver that is away: again after 10 s, doubling to 10 min. A restart of a mail server costs seconds, a night costs 60 tries.
_FIRST_BACKOFF, _LONGEST_BACKOFF = 10 * _SECOND, 10 * _MINUTE
# What is held back is looked at when its cause ends; this look is for a cause that ended without telling.
LOOK = 10 * _MINUTE
# Sending takes three channels of at most 20 s each; whoever claimed and has not recorded by then is dead.
CLAIM = 2 * _MINUTE


@dataclass(frozen=True, slots=True)
class Quiet:
    """Quiet hours of a channel, Asia/Shanghai, over midnight where ``start`` is later. Raises ``ValueError`` where both are the same."""

    start: time = time(22, 0)
    end: time = time(7, 0)

    def __post_init__(self) -> None:
        if self.start == self.end:
            raise ValueError("免打扰时段的起止不能相同；不设请写 null")

    def until(self, now: datetime) -> datetime | None:
        """When the quiet that holds now ends, in UTC; None while there is none."""
        local = now.astimezone(SHANGHAI)
        at = local.time()
        inside = self.start <= at < self.end if self.start < self.end else at >= self.start or at < self.end
        if not inside:
            return None
        day = local.date() if at < self.end else local.date() + DAY
        return datetime.combine(day, self.end, SHANGHAI).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Pending:
    """A notice that is neither acknowledged nor ended. ``state`` is what it asks about, ``stands`` where the hazard stands now."""

    id: UUID
    unit: str
    level: Level
    happening: Happening
    state: State
    stands: State
    created_at: datetime
    next_at: datetime
    first_told_at: datetime | None = None
    held: str | None = None
    raised: bool = False


@dataclass(frozen=True, slots=True)
class Lot:
    """One message: which notices, and the channels it may take, as numbers, best first."""

    notices: tuple[UUID, ...]
    channels: tuple[int, ...]


@dataclass(slots=True)
class Outlook:
    """What is to be done for a recipient now. Every notice that is due is in exactly one of ``lots``, ``ended`` and ``waits``."""

    lots: list[Lot] = field(default_factory=list)
    ended: list[tuple[UUID, str]] = field(default_factory=list)
    waits: list[tuple[UUID, str, datetime]] = field(default_factory=list)
    raised: list[UUID] = field(default_factory=list)


BIGGER, QUIET, NO_CHANNEL = "bigger", "quiet", "no_channel"
CLOSED, MOVED_ON = "closed", "moved_on"


def over(notice: Pending) -> str | None:
    """Why a notice needs no sending any more: its hazard has ended, or moved on from what it was about; None while it does."""
    if notice.stands is notice.state:
        return None
    if notice.stands not in OPEN_STATES:
        return CLOSED
    # An instruction is about the hazard as a whole, whatever its state.
    if notice.happening is Happening.INSTRUCTED:
        return None
    return MOVED_ON if notice.happening.asks or notice.first_told_at is not None else None


def look(notices: Sequence[Pending], quiet: Sequence[Quiet | None], now: datetime) -> Outlook:
    """What to do for one recipient, given all that is pending and the quiet hours of their channels, best channel first."""
    found = Outlook(ended=[(one.id, why) for one in notices if (why := over(one))])
    live = [one for one in notices if over(one) is None]
    bigger = {one.unit for one in live if one.level.urgent}
    free = []
    for one in live:
        if not one.level.urgent and one.unit in bigger:
            if one.next_at <= now or one.held != BIGGER:
                found.waits.append((one.id, BIGGER, now + LOOK))
        else:
            free.append(one)
    due = [one for one in free if one.next_at <= now or one.held == BIGGER]
    ends = [rest.until(now) if rest else None for rest in quiet]
    awake = tuple(number for number, end in enumerate(ends) if end is None)
    if not quiet:
        found.waits += [(one.id, NO_CHANNEL, now + RESEND[one.level]) for one in due]
    elif due:
        _group(found, free, due, awake, ends, now)
    asleep = {id for id, why, _ in found.waits if why == QUIET}
    found.raised = [one.id for one in due if one.id not in asleep and unanswered(one, now)]
    return found


def _group(
    found: Outlook,
    free: Sequence[Pending],
    due: Sequence[Pending],
    awake: tuple[int, ...],
    ends: Sequence[datetime | None],
    now: datetime,
) -> None:
    """One message for what is due; whoever waits for a first message comes along, for it costs none of its own."""
    calm = [one for one in due if not one.level.urgent]
    if not awake and calm:
        morning = min(end for end in ends if end is not None)
        found.waits += [(one.id, QUIET, morning) for one in calm]
    going = [one for one in due if one.level.urgent or awake]
    if not going:
        return
    coming = [one for one in free if one not in due and one.first_told_at is None and (one.level.urgent or awake)]
    everybody = sorted((*going, *coming), key=lambda one: (one.level.rank, one.created_at, one.id))
    if len(awake) == len(ends):
        lots = [(everybody, tuple(range(len(ends))))]
    else:
        lots = [
            ([one for one in everybody if one.level.urgent], tuple(range(len(ends)))),
            ([one for one in everybody if not one.level.urgent], awake),
        ]
    found.lots = [Lot(tuple(one.id for one in some), channels) for some, channels in lots if some]


def unanswered(notice: Pending, now: datetime) -> bool:
    """Whether the leader is to be told now, once, that nobody answered: counted from the first message, or from the event where none got out."""
    return not notice.raised and now - (notice.first_told_at or notice.created_at) >= CAP * RESEND[notice.level]


def first_at(level: Level, now: datetime, last: datetime | None) -> datetime:
    """When a new notice is due: after the group's wait, and not within an interval of the recipient's ``last`` message of its level."""
    waited = now + WAIT[level]
    return waited if last is None else max(waited, last + INTERVAL[level])


def again_at(level: Level, times: int, now: datetime) -> datetime:
    """When a notice that has been told so many times is told again, unless it is acknowledged before."""
    return now + RESEND[level] * (1 if times <= CAP else SLOWER)


def backoff(failures: int) -> timedelta:
    """How long a message waits after so many failures in a row (1 and more)."""
    return min(_FIRST_BACKOFF * (1 << min(failures - 1, 10)), _LONGEST_BACKOFF)
