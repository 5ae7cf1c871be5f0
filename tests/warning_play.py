"""Plays a simulated year to the detectors, hour by hour, and counts what they and the plain rule say against the truth."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

import numpy as np

from models import risk
from models.calendar import SHANGHAI
from models.warnings import forecast, pileup
from models.warnings.cluster import Ground, Standing
from models.warnings.course import Held, steps
from models.warnings.findings import GROUPS, Finding, Kind, Seen
from models.warnings.look import RECENT, Known, counted, recurring
from models.warnings.places import neighbours
from models.warnings.rhythm import HORIZON, Counts, Rhythm
from models.warnings.words import Usual
from tests.warning_year import BEGIN, START, Plant, Year

# After its last hazard a cause may still be found: the widest window.
GRACE = timedelta(days=3)


@dataclass(slots=True)
class Warned:
    """A warning as it was opened."""

    kind: Kind
    at: datetime
    units: frozenset[str]
    group: str
    hazard: Any = None
    key: str = ""
    true: bool = False


@dataclass(slots=True)
class Told:
    """What was warned of in a year, and how the forecast did."""

    warned: list[Warned] = field(default_factory=list)
    covered: int = 0
    foretold: int = 0


class Player:
    """One year's play. A fresh look each hour in which something was found, and at midnight."""

    def __init__(self, year: Year) -> None:
        self.year = year
        self.hazards = year.hazards
        self.times = [seen.opened_at for seen in year.hazards]
        self.held: dict[str, Held] = {}
        self.units_of: dict[str, tuple[str, frozenset[str]]] = {}
        self.told = Told()
        self.k = 1.0
        self.ground = Ground(neighbours(year.units), {unit.code: unit.path for unit in year.tree})
        self.counts = np.zeros((len(year.units), len(GROUPS), (year.end - BEGIN).days), dtype=np.int32)
        self.at = {unit.code: n for n, unit in enumerate(year.units)}
        for seen in year.hazards:
            day = (seen.opened_at.astimezone(SHANGHAI).date() - BEGIN).days
            if 0 <= day < self.counts.shape[2]:
                self.counts[self.at[seen.unit], GROUPS.index(seen.category), day] += 1
                self.counts[self.at[seen.unit], len(GROUPS) - 1, day] += not seen.confidential

    def play(self) -> Told:
        """The whole year."""
        day = START
        while day < self.year.end:
            known = self._learn(day)
            previous = _midnight(day)
            for now in self._looks(day):
                self._look(known, previous, now, whole=False)
                previous = now
            self._look(known, previous, _midnight(day + timedelta(days=1)), whole=True)
            day += timedelta(days=1)
        return self.told

    def _looks(self, day: date) -> Iterator[datetime]:
        start = _midnight(day)
        for hour in range(1, 24):
            now = start + timedelta(hours=hour)
            if bisect_right(self.times, now) > bisect_right(self.times, now - timedelta(hours=1)):
                yield now

    def _learn(self, day: date) -> Known:
        size = (day - BEGIN).days
        first = max(0, size - HORIZON)
        hours = [0.0] * 24
        past = self._between(_midnight(day) - timedelta(days=60), _midnight(day))
        for seen in past:
            hours[seen.opened_at.astimezone(SHANGHAI).hour] += 1
        rhythm = Rhythm(
            Counts(
                tuple(self.at), tuple(unit.kind for unit in self.year.units), GROUPS,
                tuple(BEGIN + timedelta(days=n) for n in range(first, size)), self.counts[:, :, first:size], hours,
            ),
            self.year.days,
        )  # fmt: skip
        past = self._between(_midnight(day) - timedelta(days=365), _midnight(day) - RECENT)
        texts = [(seen.category, seen.unit, seen.text) for seen in past if seen.text]
        return Known(rhythm, self.ground, Usual(texts))

    def _between(self, start: datetime, end: datetime) -> list[Seen]:
        return self.hazards[bisect_right(self.times, start) : bisect_right(self.times, end)]

    def _look(self, known: Known, previous: datetime, now: datetime, *, whole: bool) -> None:
        recent, new = self._between(now - RECENT, now), self._between(previous, now)
        standing = [
            Standing(key, group, units)
            for key, (group, units) in self.units_of.items()
            if key in self.held and key.startswith("cluster")
        ]
        findings = counted(recent, known, standing, now, None if whole else new)
        before = [s for s in self._between(now - timedelta(days=150), now) if s.closed_at and s.closed_at <= now]
        open_new = new if not whole else [s for s in recent if not s.closed_at or s.closed_at > now]
        findings += recurring(open_new, before, now)
        looked = {Kind.SURGE, Kind.CLUSTER, Kind.RECURRENCE} if whole else set()
        if whole:
            findings += self._slow(now)
            looked |= {Kind.PILEUP, Kind.FORECAST}
        self._steps(findings, looked, now)

    def _slow(self, now: datetime) -> list[Finding]:
        """Pile-ups and forecasts, once a day."""
        instants = [now - timedelta(days=n) for n in range(120, -1, -1)]
        own: dict[str, list[Seen]] = defaultdict(list)
        for seen in self._between(now - timedelta(days=300), now):
            own[seen.unit].append(seen)
        raws, history, overdue = {}, {}, {}
        for unit in self.year.units:
            lives = [self._life(seen, now) for seen in own[unit.code] if not seen.confidential]
            raw, late = risk.course(lives, unit.members, instants)
            raws[unit.code], history[unit.code] = raw, late[-68:-8]
            ids = [s for s in own[unit.code] if not s.confidential and self._late(s, now)]
            overdue[unit.code] = pileup.Overdue(tuple(s.level for s in ids), tuple(s.id for s in ids))
        k = self.k = risk.scale([float(raw[-1]) for raw in raws.values()])
        today = now.astimezone(SHANGHAI).date()
        points = {code: forecast.ahead(raw, today, k) for code, raw in raws.items()}
        usual = {code: float(np.median(risk.indices(raw[-60:], k))) for code, raw in raws.items()}
        if today.day == 1 and today < self.year.end - timedelta(days=16):
            self._check(points, k, now)
        kinds = {unit.code: unit.kind for unit in self.year.units}
        return [*pileup.find(overdue, history, kinds), *forecast.find(points, usual)]

    def _life(self, seen: Seen, now: datetime) -> risk.Life:
        life = self.year.lives[seen.id]
        return replace(
            life,
            closed_at=life.closed_at if life.closed_at and life.closed_at <= now else None,
            overdue_from=life.overdue_from if life.overdue_from and life.overdue_from <= now else None,
            overdue_to=life.overdue_to if life.overdue_to and life.overdue_to <= now else None,
        )

    def _late(self, seen: Seen, now: datetime) -> bool:
        life = self.year.lives[seen.id]
        return life.overdue_from is not None and life.overdue_from <= now < (life.overdue_to or now)

    def _check(self, points: dict[str, tuple[forecast.Point, ...]], k: float, now: datetime) -> None:
        """Whether what came lay in the interval, with the scale of the day of the forecast."""
        instants = [now + timedelta(days=n) for n in range(1, forecast.AHEAD + 1)]
        own: dict[str, list[Seen]] = defaultdict(list)
        for seen in self._between(now - timedelta(days=300), instants[-1]):
            own[seen.unit].append(seen)
        for unit in self.year.units:
            lives = [self.year.lives[seen.id] for seen in own[unit.code] if not seen.confidential]
            came = risk.indices(risk.course(lives, unit.members, instants)[0], k)
            for point, value in zip(points[unit.code], came, strict=False):
                self.told.foretold += 1
                self.told.covered += point.low - 0.05 <= value <= point.high + 0.05

    def _came(self, finding: Finding, now: datetime) -> bool:
        """Whether the index stood beyond the level a week later."""
        later = now + timedelta(days=7)
        unit = self.year.tree[finding.unit]
        lives = [
            self.year.lives[s.id]
            for s in self._between(now - timedelta(days=300), later)
            if s.unit == unit.code and not s.confidential
        ]
        return bool(risk.indices(risk.course(lives, unit.members, [later])[0], self.k)[0] >= finding.evidence["level"])

    def _steps(self, findings: list[Finding], looked: set[Kind], now: datetime) -> None:
        result = steps(findings, list(self.held.values()), looked, now)
        for finding in result.open:
            self.held[finding.key] = Held(finding.key, finding.kind, finding.grade, now)
            self.told.warned.append(
                replace(_warned(finding, now), true=finding.kind is Kind.FORECAST and self._came(finding, now))
            )
        for finding, _ in result.go_on:
            self.held[finding.key] = replace(self.held[finding.key], held_at=now)
        for finding in (*result.open, *(one for one, _ in result.go_on)):
            units = frozenset(finding.units) | self.units_of.get(finding.key, ("", frozenset()))[1]
            self.units_of[finding.key] = (str(finding.evidence.get("group", "")), units)
        for key in result.gone:
            del self.held[key]
            self.units_of.pop(key, None)


def _warned(finding: Finding, now: datetime) -> Warned:
    hazard = finding.hazards[0] if finding.kind is Kind.RECURRENCE else None
    return Warned(
        finding.kind, now, frozenset(finding.units), str(finding.evidence.get("group", "")), hazard, finding.key
    )


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)


def plain(year: Year) -> list[Warned]:
    """What people use today: three of one category at one unit within seven days; again when it had been quiet for a week."""
    last: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    until: dict[tuple[str, str], datetime] = {}
    warned = []
    for seen in year.hazards:
        cell = (seen.unit, seen.category)
        now = seen.opened_at
        last[cell] = [at for at in last[cell] if now - at <= timedelta(days=7)] + [now]
        if len(last[cell]) < 3:
            continue
        if now > until.get(cell, now - timedelta(1)) and now >= _midnight(START):
            warned.append(Warned(Kind.SURGE, now, frozenset({seen.unit}), seen.category, seen.id))
        until[cell] = now + timedelta(days=3)
    return warned


def _none_yet() -> list[int]:
    # By name, for a score crosses to another process.
    return [0, 0]


@dataclass(slots=True)
class Score:
    """Against the truth: found of planted by kind and strength, delays in hours, and false warnings by kind and concerned unit."""

    found: dict[tuple[str, str], list[int]] = field(default_factory=lambda: defaultdict(_none_yet))
    delays: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    false: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    false_concerned: int = 0
    per_unit_quarter: list[int] = field(default_factory=list)
    unit_quarters: float = 0.0


def score(year: Year, warned: list[Warned], into: Score, *, plainly: bool = False) -> None:
    """Add a year to a score. A cause is found by a warning of its kind; the plain rule's one kind counts for all of them."""
    for plant in year.plants:
        hits = [one.at for one in warned if _finds(one, plant, plainly)]
        cell = into.found[plant.kind, plant.strength]
        cell[1] += 1
        if hits:
            cell[0] += 1
            into.delays[plant.kind].append((min(hits) - plant.start) / timedelta(hours=1))
    quarters: dict[tuple[str, int], int] = defaultdict(int)
    for one in warned:
        if one.true or any(_touches(one, plant) for plant in year.plants):
            continue
        into.false[one.kind.value] += 1
        for unit in one.units:
            into.false_concerned += 1
            quarters[unit, (one.at.date() - START).days // 91] += 1
    for unit in year.units:
        days = (year.end - max(START, year.begins[unit.code])).days
        into.unit_quarters += max(days, 0) / 91.25
        into.per_unit_quarter += [quarters[unit.code, quarter] for quarter in range(4)]


def _finds(one: Warned, plant: Plant, plainly: bool) -> bool:
    if not plant.start <= one.at <= plant.end + GRACE + timedelta(hours=1):
        return False
    kind = plant.kind.partition(" ")[0]
    if plainly:
        return kind != "pileup" and one.group == plant.category and bool(one.units & set(plant.units))
    if one.kind.value != kind:
        return False
    if kind == "recurrence":
        return bool(one.hazard == plant.hazard)
    if kind == "cluster":
        return one.group == plant.category and len(one.units & set(plant.units)) >= 2
    return bool(one.units & set(plant.units)) and (kind == "pileup" or one.group in (plant.category, "all"))


def _touches(one: Warned, plant: Plant) -> bool:
    """Whether a warning tells of something planted, if in another kind's words: then it is not false."""
    if one.kind is Kind.RECURRENCE:
        # Two hazards of one planted burst in one room are no recurrence.
        return plant.hazard is not None and one.hazard == plant.hazard
    if plant.kind == "recurrence" or not one.units & set(plant.units):
        return False
    late = timedelta(days=8) if plant.kind != "pileup" else timedelta(days=10)
    if not plant.start <= one.at <= plant.end + late:
        return False
    if plant.kind == "pileup":
        return one.kind in (Kind.PILEUP, Kind.FORECAST)
    return one.kind is Kind.FORECAST or one.group in (plant.category, "all")


def quantiles(delays: list[float]) -> str:
    """Median, and the slowest of ten."""
    return f"{median(delays):.0f} h (P90 {np.quantile(delays, 0.9):.0f} h)" if delays else "–"
