"""Looking for causes of warnings, in the keeper: a quick look each few minutes, a whole one each hour.

No Faust agent: the truth is in the database, a window in a Faust table would be a second one (decision 0016). One keeper at a
time looks; each look is one transaction, so that a warning, its event, its message and its report are there together or not.
"""

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from uuid import UUID

import numpy as np

from models import risk
from models.calendar import SHANGHAI
from models.units import Unit
from models.warnings import forecast, pileup, weather
from models.warnings.cluster import Ground
from models.warnings.course import steps
from models.warnings.days import Days
from models.warnings.findings import Finding, Kind
from models.warnings.look import RECENT, Known, counted, recurring
from models.warnings.places import neighbours
from models.warnings.recurrence import WITHIN
from models.warnings.rhythm import Rhythm
from models.warnings.words import Usual
from store import facts, forecasts, units, warnings
from store import weather as told
from store.db import Connection
from streams.context import TRANSIENT, Context, now

log = logging.getLogger(__name__)

EVERY = 180.0
# What is learnt (rhythm, usual words, courses of the index) changes by the day; an hour also shows a pile-up soon enough.
LEARN_EVERY = timedelta(hours=1)
# A report may land minutes after it was received, and a hazard counts from its receipt.
_LATE = timedelta(minutes=15)
# A recurrence is told of while the hazard is young; later its own deadlines speak for it.
_YOUNG = timedelta(days=8)
# The index's past that a forecast and a pile-up look at.
_PAST_DAYS = forecast.PAST_DAYS
_NORMAL_DAYS = 60
_GUARD_DAYS = 8


@dataclass(slots=True)
class Watch:
    """What a keeper remembers between looks; nothing that would be missed after a restart."""

    known: Known | None = None
    learnt_at: datetime | None = None
    looked_at: datetime | None = None


async def run(context: Context) -> None:
    """Look for ever."""
    watch = Watch()
    while True:
        try:
            changed = await once(context, watch, now())
        except TRANSIENT as error:
            log.warning("early warning waits for the database (%s)", type(error).__name__)
        except Exception:
            # A mistake of ours in here must not end the clock and the relay beside it: a deadline is a promise, a warning is not.
            log.exception("a look for warnings failed; the next one looks anew")
            watch = Watch()
        else:
            if changed:
                log.info("%d warnings opened, raised or closed", changed)
        await asyncio.sleep(EVERY)


async def once(context: Context, watch: Watch, at: datetime) -> int:
    """One look; how many warnings changed. 0 too where another keeper looks."""
    whole = watch.learnt_at is None or at - watch.learnt_at >= LEARN_EVERY
    async with context.pool.connection() as conn, conn.transaction():
        if not await warnings.lead(conn):
            return 0
        findings: list[Finding] = []
        if whole or watch.known is None:
            watch.known = await _learn(conn, context, at)
            findings += await _slow(conn, context, at)
        findings += await _quick(conn, context, watch, watch.known, at, whole)
        looked = [Kind.WEATHER, *((kind for kind in Kind if kind is not Kind.WEATHER) if whole else ())]
        changes = steps(findings, await warnings.held(conn, at), looked, at)
        changed = await warnings.take(conn, changes, context.tree, context.door(at), at)
    watch.looked_at = at
    watch.learnt_at = at if whole else watch.learnt_at
    return changed


def _reporting(context: Context) -> list[Unit]:
    """Units in which hazards lie, by what they are; the city and its districts look at others' hazards."""
    return [unit for unit in context.tree if unit.kind not in ("city", "district")]


async def _learn(conn: Connection, context: Context, at: datetime) -> Known:
    city = await units.city(conn)
    days = Days.of(city["profile"] if city else None)
    own = _reporting(context)
    counts = await facts.counts(conn, own, at.astimezone(SHANGHAI).date())
    said = await facts.texts(conn, at - RECENT)
    ground = Ground(neighbours(own), {unit.code: unit.path for unit in context.tree})
    # The relay and the clock share this loop: what takes seconds in a large city is done beside it.
    return await asyncio.to_thread(lambda: Known(Rhythm(counts, days), ground, Usual(said)))


async def _quick(
    conn: Connection, context: Context, watch: Watch, known: Known, at: datetime, whole: bool
) -> list[Finding]:
    recent = await facts.opened(conn, at - _YOUNG, at)
    week = [seen for seen in recent if seen.opened_at > at - RECENT]
    since = None if whole or watch.looked_at is None else watch.looked_at - _LATE
    new = None if since is None else [seen for seen in week if seen.opened_at > since]
    standing = await warnings.standing(conn, at)
    findings = await asyncio.to_thread(counted, week, known, standing, at, new)
    young = [seen for seen in recent if seen.closed_at is None] if new is None else new
    findings += recurring(young, await facts.closed_like(conn, young, at - _YOUNG - WITHIN), at)
    notices = await told.in_force(conn, at)
    concerned = sorted({code for notice in notices for code in notice.event.concerns})
    related = await facts.open_of(conn, concerned) if concerned else []
    return findings + weather.find(notices, related, context.tree, at)


async def _slow(conn: Connection, context: Context, at: datetime) -> list[Finding]:
    """Pile-ups and forecasts of every unit; the forecasts are written."""
    # Each day at its end, and now: the clock of the last point is the look's own.
    midnight = datetime.combine(at.astimezone(SHANGHAI).date(), time(), SHANGHAI)
    instants = [*(midnight - timedelta(days=n) for n in range(_PAST_DAYS - 1, -1, -1)), at]
    lives = await facts.lives(conn, instants[0], at)
    return await _foretell(conn, context, instants, lives, at)


async def _foretell(
    conn: Connection, context: Context, instants: list[datetime], lives: list[tuple[str, UUID, risk.Life]], at: datetime
) -> list[Finding]:  # fmt: skip
    found = await asyncio.to_thread(_courses, context, instants, lives, at)
    await forecasts.put(conn, found.indices, found.points, context.tree, at)
    kinds = {unit.code: unit.kind for unit in _reporting(context)}
    return [
        *pileup.find(found.overdue, found.late, kinds),
        *forecast.find({unit: own for unit, own in found.points.items() if unit in kinds}, found.usual),
    ]


@dataclass(frozen=True, slots=True)
class _Courses:
    indices: dict[str, float]
    points: dict[str, tuple[forecast.Point, ...]]
    usual: dict[str, float]
    overdue: dict[str, pileup.Overdue]
    late: dict[str, risk.Array]


def _courses(
    context: Context, instants: list[datetime], lives: list[tuple[str, UUID, risk.Life]], at: datetime
) -> _Courses:
    own: dict[str, list[tuple[UUID, risk.Life]]] = {}
    below: dict[str, list[risk.Life]] = {}
    for unit, id, life in lives:
        if unit in context.tree:
            own.setdefault(unit, []).append((id, life))
            for above in context.tree[unit].path.strip("/").split("/"):
                below.setdefault(above, []).append(life)
    raws = {
        unit.code: risk.course(below.get(unit.code, []), _members(unit, context), instants) for unit in context.tree
    }
    reporting = [unit.code for unit in _reporting(context)]
    k = risk.scale([float(raws[code][0][-1]) for code in reporting])
    today = at.astimezone(SHANGHAI).date()
    points = {
        code: () if risk.is_silent(below.get(code, ()), at) else forecast.ahead(_since(raw), today, k)
        for code, (raw, _) in raws.items()
    }
    overdue = {}
    for unit, held in own.items():
        late = [(life.level, id) for id, life in held if _is_late(life, at)]
        overdue[unit] = pileup.Overdue(tuple(level for level, _ in late), tuple(id for _, id in late))
    return _Courses(
        {code: float(risk.indices(raw[-1:], k)[0]) for code, (raw, _) in raws.items()},
        points,
        {code: float(np.median(risk.indices(raw[-_NORMAL_DAYS:], k))) for code, (raw, _) in raws.items()},
        overdue,
        {code: raws[code][1][-_NORMAL_DAYS - _GUARD_DAYS : -_GUARD_DAYS] for code in reporting},
    )


def _since(raw: risk.Array) -> risk.Array:
    """A course from the first day that holds anything: before it the unit was not here, and silence is not safety."""
    seen = np.flatnonzero(raw)
    return raw[seen[0] :] if len(seen) else raw[:0]


def _members(unit: Unit, context: Context) -> int:
    """A unit's own members; for one that has none of its own, those below it (a university's are counted in its colleges too)."""
    if unit.members:
        return unit.members
    below = [one for one in context.tree if one.path.startswith(unit.path) and one.kind != "college"]
    return sum(one.members for one in below)


def _is_late(life: risk.Life, at: datetime) -> bool:
    return (
        life.closed_at is None and life.overdue_from is not None and life.overdue_from <= at and life.overdue_to is None
    )
