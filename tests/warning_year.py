"""A year of a small city, simulated: rhythms, terms, holidays, seasons, rounds that find much at once, and planted causes.

What is planted is known, so that warnings can be counted as true or false. The detectors see hazards only. The same seed
gives the same year. Words and places are those of the simulator (deploy/simulate).
"""

import math
import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from deploy.simulate.chances import Table, matter_table
from deploy.simulate.material import Matter, matters, stage_of
from deploy.simulate.rhythm import HOURS
from deploy.simulate.wording import Slots, a_place, fill, reworded
from models.calendar import SHANGHAI, is_working_day
from models.levels import Level
from models.risk import Life
from models.units import Unit, UnitTree
from models.warnings.days import Days
from models.warnings.findings import Seen
from tests.factories import unit as a_unit

TERMS = (
    (date(2025, 2, 17), date(2025, 6, 30)),
    (date(2025, 9, 1), date(2026, 1, 30)),
    (date(2026, 2, 23), date(2026, 7, 1)),
)
# Four months in which the platform only learns, then the year that is measured.
BEGIN, START, END = date(2025, 5, 4), date(2025, 9, 1), date(2026, 9, 1)
_LEVELS = ((Level.RED, 0.02), (Level.ORANGE, 0.10), (Level.YELLOW, 0.45), (Level.BLUE, 0.43))
_RECTIFY = {Level.RED: 1.0, Level.ORANGE: 3.0, Level.YELLOW: 7.0, Level.BLUE: 15.0}
_NAMES = ("幼儿园", "小学", "小学", "中学", "中学", "实验学校", "高级中学", "职业高级中学")
_SUPPLIERS = (
    "鲜禾配送", "绿源食品", "甬佳餐饮", "海丰冷链", "田园净菜", "百味坊", "康膳中央厨房", "嘉穗粮油", "优牧乳业", "民泰配餐", "禾润蔬菜", "东港水产",
)  # fmt: skip
# How much is planted in the year.
SURGES, SUPPLIED, NEIGHBOURS, RECURRENCES, PILEUPS = 30, 8, 8, 40, 8


@dataclass(frozen=True, slots=True)
class Plant:
    """A planted cause: when it began and ended, where, in which category. ``strength``: weak, medium, strong."""

    kind: str
    strength: str
    start: datetime
    end: datetime
    units: tuple[str, ...]
    category: str
    hazard: UUID | None = None


@dataclass(slots=True)
class Year:
    """The city, everything that was found in it, and the truth."""

    tree: UnitTree
    units: list[Unit]
    begins: dict[str, date]
    hazards: list[Seen]
    lives: dict[UUID, Life]
    plants: list[Plant]
    days: Days
    end: date


class Maker:
    """Makes one year, or the part of it up to ``end`` with as much less planted."""

    def __init__(self, seed: int, end: date = END) -> None:
        self.end = end
        self.part = (end - START) / (END - START)
        self.rng = random.Random(seed)
        self.days = Days(TERMS)
        self.tree = UnitTree(_city(self.rng))
        self.units = [unit for unit in self.tree if unit.kind in ("school", "college")]
        self.rate = {u.code: 0.34 * self.rng.lognormvariate(0, 0.5) * (u.members / 1200) ** 0.5 for u in self.units}
        self.supplier = {u.code: self.rng.choice(_SUPPLIERS) for u in self.units if u.kind == "school"}
        self.begins = {
            u.code: START + timedelta(days=self.rng.randrange(60, 200)) if self.rng.random() < 0.1 else BEGIN
            for u in self.units
        }
        self.tables: dict[tuple[str, int, str], Table[Matter]] = {}
        self.hazards: list[Seen] = []
        self.lives: dict[UUID, Life] = {}
        self.plants: list[Plant] = []
        self.stalled: list[tuple[str, datetime, datetime]] = []

    def year(self) -> Year:
        """The whole."""
        self._plan_pileups()
        for unit in self.units:
            self._ordinary(unit)
        self._surges()
        self._clusters()
        self._recurrences()
        self.hazards.sort(key=lambda seen: (seen.opened_at, seen.id))
        return Year(self.tree, self.units, self.begins, self.hazards, self.lives, self.plants, self.days, self.end)

    def _many(self, in_a_year: int) -> int:
        return max(2, round(in_a_year * self.part))

    # What happens by itself -------------------------------------------------------------------------------------

    def _ordinary(self, unit: Unit) -> None:
        rng = self.rng
        day = self.begins[unit.code]
        going_well = 1.0
        rounds = rng.randrange(10, 30)
        while day < self.end:
            if day.weekday() == 0:
                going_well = rng.gammavariate(8, 1 / 8)
            busy = going_well * self._shape(day, unit) * rng.gammavariate(6, 1 / 6)
            found = _poisson(rng, self.rate[unit.code] * busy)
            rounds -= 1
            if rounds <= 0 and is_working_day(day):
                # An inspection round finds many things of many kinds on one day.
                found += 2 + _poisson(rng, 2.0)
                rounds = rng.randrange(20, 45)
            for _ in range(found):
                self._hazard(unit, self._instant(day))
            day += timedelta(days=1)

    def _shape(self, day: date, unit: Unit) -> float:
        away = 0.45 if unit.kind == "college" else 0.2
        working = (1.15, 1.0, 1.0, 0.95, 1.05)[min(day.weekday(), 4)] if is_working_day(day) else away
        return working * (1.0 if self.days.in_term(day) else 0.25)

    def _instant(self, day: date) -> datetime:
        rng = self.rng
        hour = rng.choices(range(24), HOURS)[0]
        return datetime(day.year, day.month, day.day, hour, rng.randrange(60), rng.randrange(60), tzinfo=SHANGHAI)

    def _matter(self, unit: Unit, at: datetime, category: str | None = None) -> Matter:
        stage = stage_of(unit.kind, unit.name)
        for _ in range(400):
            key = (stage, at.month, "lesson")
            if key not in self.tables:
                self.tables[key] = matter_table(list(matters().values()), *key)
            matter = self.tables[key].draw(self.rng)
            if category is None or matter.code.startswith(category):
                return matter
        return self.rng.choice([m for m in matters().values() if m.code.startswith(category or "") and stage in m.says])

    def _hazard(self, unit: Unit, at: datetime, category: str | None = None, clue: str | None = None) -> Seen:
        rng = self.rng
        matter = self._matter(unit, at, category)
        stage = stage_of(unit.kind, unit.name)
        place = a_place(matter, stage, rng, at.hour) or None
        text = fill(rng.choice(matter.wordings(stage, at.month)), Slots(rng, at.hour))
        if clue is None and matter.code.startswith("05") and unit.code in self.supplier and rng.random() < 0.25:
            clue = self.supplier[unit.code]
        if clue:
            text = rng.choice((f"{clue}送来的货，{text}", f"{text}，供货的是{clue}", f"{text}（{clue}）"))
        level = rng.choices([one for one, _ in _LEVELS], [share for _, share in _LEVELS])[0]
        return self._keep(unit.code, matter.code, level, at, place, text)

    def _keep(self, unit: str, code: str, level: Level, at: datetime, place: str | None, text: str) -> Seen:
        rng = self.rng
        limit = _RECTIFY[level]
        takes = limit * min(rng.lognormvariate(-0.9, 0.75), 4.0)
        closed = at + timedelta(days=takes)
        for who, start, end in self.stalled:
            if who == unit and start <= closed < end:
                closed = end + timedelta(days=rng.random() * 4)
        late = at + timedelta(days=limit)
        id = UUID(int=rng.getrandbits(128))
        seen = Seen(id, unit, code, level, at, closed, place, text)
        self.hazards.append(seen)
        self.lives[id] = Life(level, at, closed, late if late < closed else None, closed if late < closed else None)
        return seen

    # What is planted --------------------------------------------------------------------------------------------

    def _begin(self, *, in_term: bool = True) -> datetime:
        while True:
            day = START + timedelta(days=self.rng.randrange(0, (self.end - START).days - 16))
            if not in_term or (self.days.in_term(day) and is_working_day(day)):
                return datetime(day.year, day.month, day.day, 7, 30, tzinfo=SHANGHAI)

    def _usual(self, unit: Unit, category: str, days: int) -> float:
        share = sum(m.weight for m in matters().values() if m.code.startswith(category)) / sum(
            m.weight for m in matters().values()
        )
        return self.rate[unit.code] * share * days

    def _surges(self) -> None:
        rng = self.rng
        for number in range(self._many(SURGES)):
            # One in ten falls into a vacation, where a handful is much.
            start = self._begin(in_term=number % 10 != 0)
            unit = rng.choice([u for u in self.units if self.begins[u.code] < start.date() - timedelta(days=14)])
            category = rng.choice(("01", "03", "04", "05", "06", "07", "08", "11", "12"))
            strength, least, times = (("weak", 5, 1.5), ("medium", 8, 2.5), ("strong", 13, 4.0))[number % 3]
            days = rng.randint(2, 5)
            extra = max(least, math.ceil(least * 0.5 + times * self._usual(unit, category, 7)))
            times_of_day = sorted(self._within(start, days) for _ in range(extra))
            for at in times_of_day:
                self._hazard(unit, at, category)
            self.plants.append(Plant("surge", strength, times_of_day[0], times_of_day[-1], (unit.code,), category))

    def _within(self, start: datetime, days: int) -> datetime:
        day = (start + timedelta(days=self.rng.random() * days)).date()
        return max(start, self._instant(day))

    def _clusters(self) -> None:
        supplies = self._many(SUPPLIED)
        for number in range(supplies + self._many(NEIGHBOURS)):
            supplied = number < supplies
            start = self._begin()
            units = self._supplied(start) if supplied else self._neighbours(start)
            strength, low, high = (("weak", 1, 2), ("medium", 1, 3), ("strong", 2, 4))[number % 3]
            category = "05" if supplied else self.rng.choice(("06", "07", "08", "13"))
            times = []
            for unit in units:
                # Among neighbours nothing but the count speaks; each has two at least.
                for _ in range(self.rng.randint(low if supplied else 2, high if supplied else max(2, high))):
                    clue = self.supplier[unit.code] if supplied and self.rng.random() < 0.65 else None
                    times.append(self._within(start, 4))
                    self._hazard(unit, times[-1], category, clue)
            name = "cluster (supplier)" if supplied else "cluster (neighbours)"
            self.plants.append(Plant(name, strength, min(times), max(times), tuple(u.code for u in units), category))

    def _supplied(self, start: datetime) -> list[Unit]:
        by: dict[str, list[Unit]] = defaultdict(list)
        for unit in self.units:
            if unit.code in self.supplier and self.begins[unit.code] < start.date():
                by[self.supplier[unit.code]].append(unit)
        own = self.rng.choice([units for units in by.values() if len(units) >= 4])
        return self.rng.sample(own, min(len(own), self.rng.randint(4, 6)))

    def _neighbours(self, start: datetime) -> list[Unit]:
        known = [u for u in self.units if self.begins[u.code] < start.date()]
        centre = self.rng.choice(known)
        near = sorted(
            known, key=lambda u: ((u.lon or 0) - (centre.lon or 0)) ** 2 + ((u.lat or 0) - (centre.lat or 0)) ** 2
        )
        return self.rng.sample(near[:7], self.rng.randint(4, 5))

    def _recurrences(self) -> None:
        rng = self.rng
        begin = datetime(START.year, START.month, START.day, tzinfo=SHANGHAI)
        candidates = [
            s for s in self.hazards
            if s.place and s.opened_at >= begin and s.subcategory[:2] not in ("09", "10", "99") and s.closed_at
            and s.closed_at.date() < self.end - timedelta(days=40 * self.part)
        ]  # fmt: skip
        for number, seen in enumerate(rng.sample(candidates, self._many(RECURRENCES))):
            assert seen.closed_at
            strength, days = (("after 8–30 days", rng.uniform(8, 30)), ("after 30–88 days", rng.uniform(30, 88)))[
                number % 2
            ]
            at = seen.closed_at + timedelta(days=days)
            if at.date() >= self.end:
                at = seen.closed_at + timedelta(days=10)
            place = seen.place
            if place and rng.random() < 0.3:
                place = place + rng.choice(("旁", "附近", "靠东一侧"))
            again = self._keep(seen.unit, seen.subcategory, seen.level, at, place, self._retold(seen, at))
            self.plants.append(Plant("recurrence", strength, at, at, (seen.unit,), seen.category, again.id))

    def _retold(self, seen: Seen, at: datetime) -> str:
        """The same fault in another's words: reworded, cut, or with something before and after it."""
        text = reworded(seen.text or "", self.rng)
        chance = self.rng.random()
        if chance < 0.3 and "，" in text:
            return max(text.split("，"), key=len)
        return (
            text
            if chance < 0.5
            else self.rng.choice(("又坏了，", "上次修过，现在", "还是老问题："))
            + text
            + self.rng.choice(("", "，请尽快处理"))
        )

    def _plan_pileups(self) -> None:
        for _ in range(self._many(PILEUPS)):
            start = self._begin()
            unit = self.rng.choice(
                [
                    u
                    for u in self.units
                    if self.rate[u.code] > 0.3 and self.begins[u.code] < start.date() - timedelta(days=60)
                ]
            )
            end = start + timedelta(days=self.rng.randint(24, 35))
            self.stalled.append((unit.code, start, end))
            self.plants.append(Plant("pileup", "weeks", start, end, (unit.code,), ""))


def _city(rng: random.Random) -> list[Unit]:
    units = [a_unit("C", kind="city", tier="city")]
    for d in range(3):
        at = (121.4 + 0.25 * d, 29.8 + 0.1 * (d % 2))
        units.append(a_unit(f"D{d}", "C", kind="district", tier="district", district=f"D{d}"))
        units += [_school(rng, d, n, at) for n in range(14)]
    for number in range(3):
        units.append(a_unit(f"U{number}", "C", kind="university", tier="university", members=16000, district="D0"))
        units += [_college(rng, number, n, (121.5 + 0.1 * number, 29.9)) for n in range(6)]
    return units


def _school(rng: random.Random, district: int, number: int, at: tuple[float, float]) -> Unit:
    name = f"试验{district}{number}{_NAMES[number % len(_NAMES)]}"
    lon, lat = at[0] + rng.gauss(0, 0.06), at[1] + rng.gauss(0, 0.05)
    fields = {"name": name, "members": rng.randint(400, 2800), "district": f"D{district}", "lon": lon, "lat": lat}
    return a_unit(f"D{district}-{number:02d}", f"D{district}", **fields)


def _college(rng: random.Random, university: int, number: int, at: tuple[float, float]) -> Unit:
    lon, lat = at[0] + rng.gauss(0, 0.003), at[1] + rng.gauss(0, 0.003)
    fields = {"kind": "college", "members": rng.randint(1000, 4000), "lon": lon, "lat": lat}
    return a_unit(f"U{university}-{number}", f"U{university}", name=f"试验大学{number}学院", **fields)


def _poisson(rng: random.Random, mean: float) -> int:
    limit, count, product = math.exp(-mean), 0, rng.random()
    while product > limit:
        count += 1
        product *= rng.random()
    return count


def make(seed: int, end: date = END) -> Year:
    """The year of a seed, or its first part."""
    return Maker(seed, end).year()
