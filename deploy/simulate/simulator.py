"""The simulator: one report after another, each with the truth about it kept apart."""

import asyncio
import random
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from deploy.simulate.chances import Table, matter_table, unit_table
from deploy.simulate.envelope import a_location, a_record, adorn
from deploy.simulate.flow import Record, pump
from deploy.simulate.material import Matter, matters, speech, stage_of
from deploy.simulate.repeats import Memory, Seen
from deploy.simulate.rhythm import in_term, intensity, part_of_day
from deploy.simulate.wording import Slots, a_place, fill, reworded, spoken
from models.calendar import SHANGHAI, is_working_day
from models.taxonomy import OTHER, Subcategory
from models.units import Unit

# Shares of all reports: second witnesses (8–12 %), drills and passed checks (5 %), messages that name a place and no more.
REPEATED, QUIET, ONLY_PLACE = 0.105, 0.05, 0.004
# Of hazards without a place (a call, a lost child) few are told twice in words alike enough to be known as the same.
UNPLACED = 0.1
# Laboratories belong to colleges that work in them.
_NO_LABORATORY = re.compile(
    "(外国语|经济|艺术|教育|物流|国际|继续|基础|财经|工商|学前)[^学]*学院$|基础教学部$|专科学校$"
)


@dataclass(frozen=True, slots=True)
class Truth:
    """What a report means, for evaluation. ``kind``: hazard, duplicate, drill, passed or vague.

    ``raises`` is False for drills and passed checks; ``duplicate_of`` is the ``source_id`` of the first report.
    """

    source_id: str
    kind: str
    subcategory: str
    raises: bool
    speaker: str
    duplicate_of: str | None = None


class Simulator:
    """An endless stream of reports. The same units, seed and instants give the same records.

    ``units``: a city's units; the city and its districts report nothing themselves. ``terms``: see ``intensity``.
    Raises ``ValueError`` where no unit can report or ``taxonomy`` has subcategories without phrase material.
    """

    def __init__(
        self,
        city_units: Iterable[Unit],
        taxonomy: Mapping[str, Subcategory],
        seed: int,
        terms: Iterable[tuple[date, date]] = (),
        source: str = "simulate",
    ) -> None:
        units = list(city_units)
        known = matters()
        missing = [code for code in taxonomy if code not in known]
        if missing:
            raise ValueError(f"no phrases for {', '.join(missing)}: add them to deploy/simulate/material")
        self._taxonomy = taxonomy
        self._matters = [known[code] for code in taxonomy]
        self._units = {home: unit_table(units, home) for home in (False, True)}
        self._tables: dict[tuple[str, int, str], Table[Matter]] = {}
        self._memory = Memory()
        self._rng = random.Random(seed)
        self._seed = seed
        self._count = 0
        self._source = source
        self.terms = tuple(terms)

    def next(self, now: datetime) -> Record:
        """One record of the contract, reported at ``now`` (aware)."""
        return self.draw(now)[0]

    def draw(self, now: datetime) -> tuple[Record, Truth]:
        """One record, and the truth about it."""
        self._count += 1
        local = now.astimezone(SHANGHAI)
        chance = self._rng.random()
        if chance < REPEATED:
            seen = self._memory.again(local, self._rng)
            if seen is not None:
                return self._repeat(seen, local)
        elif chance < REPEATED + QUIET:
            return self._quiet(local)
        elif chance < REPEATED + QUIET + ONLY_PLACE:
            return self._vague(local)
        return self._hazard(local)

    def intensity(self, now: datetime) -> float:
        """The rhythm's multiplier at an instant, by this simulator's terms."""
        return intensity(now, self.terms)

    async def pump(
        self,
        send: Callable[[list[Record]], Awaitable[object]],
        rate: float,
        rhythm: bool,
        stop: asyncio.Event,
        truth: Callable[[list[Truth]], object] | None = None,
    ) -> int:
        """Sends reports until ``stop`` is set; how many. See ``deploy.simulate.flow.pump``."""
        return await pump(self.draw, self.intensity if rhythm else None, send, rate, stop, truth)

    def _hazard(self, local: datetime) -> tuple[Record, Truth]:
        rng = self._rng
        unit = self._unit(local)
        stage = stage_of(unit.kind, unit.name)
        matter = self._matter(stage, local)
        while matter.code.startswith("02") and _NO_LABORATORY.search(unit.name):
            matter = self._matter(stage, local)
        occurred = local - timedelta(seconds=rng.randint(20, 2400))
        place = a_place(matter, stage, rng, occurred.hour)
        speaker = self._speaker(matter, stage, rng)
        slots = Slots(rng, occurred.hour)
        slots["place"] = place
        if speaker == "machine":
            core = text = fill(rng.choice(matter.sensor), slots)
        else:
            core = fill(rng.choice(matter.wordings(stage, local.month)), slots)
            text = spoken(core, matter, place, speaker, rng, occurred.hour)
        record = self._record(unit, text, place, occurred, local)
        location = a_location(unit, rng)
        if location:
            record["location"] = location
        adorn(record, rng, matter.code, stage, speaker, core, self._confidential(matter))
        if speaker != "machine" and (place or rng.random() < UNPLACED):
            self._memory.keep(Seen(record["source_id"], unit, stage, matter, core, place, location, occurred))
        return record, Truth(record["source_id"], "hazard", matter.code, True, speaker)

    def _repeat(self, seen: Seen, local: datetime) -> tuple[Record, Truth]:
        rng = self._rng
        later = (local - seen.occurred_at) * rng.uniform(0.3, 1.0)
        occurred = seen.occurred_at + later
        others = [who for who in seen.matter.speakers if who != "machine"]
        speaker = rng.choice(others)
        text = spoken(reworded(seen.core, rng), seen.matter, seen.place, speaker, rng, occurred.hour)
        record = self._record(seen.unit, text, seen.place, occurred.replace(microsecond=0), local)
        if seen.location:
            record["location"] = seen.location
        adorn(record, rng, seen.matter.code, seen.stage, speaker, seen.core, self._confidential(seen.matter))
        code = seen.matter.code
        return record, Truth(record["source_id"], "duplicate", code, True, speaker, seen.source_id)

    def _quiet(self, local: datetime) -> tuple[Record, Truth]:
        rng = self._rng
        kind = rng.choice(("drill", "passed"))
        code, template = rng.choice(speech()["quiet"][kind])
        unit = self._unit(local)
        matter = matters()[code]
        place = a_place(matter, stage_of(unit.kind, unit.name), rng, local.hour)
        slots = Slots(rng, local.hour)
        slots["place"] = place
        record = self._record(unit, fill(template, slots), place, local - timedelta(minutes=rng.randint(5, 90)), local)
        if kind == "drill" and rng.random() < 0.5:
            record["drill"] = True
        return record, Truth(record["source_id"], kind, code, False, "guard")

    def _vague(self, local: datetime) -> tuple[Record, Truth]:
        unit = self._unit(local)
        matter = matters()[OTHER]
        text = a_place(matter, stage_of(unit.kind, unit.name), self._rng, local.hour) or unit.name
        record = self._record(unit, text, "", local, local)
        return record, Truth(record["source_id"], "vague", OTHER, True, "student")

    def _record(self, unit: Unit, text: str, place: str, occurred: datetime, local: datetime) -> Record:
        source_id = f"sim-{self._seed}-{local:%Y%m%d%H%M%S}-{self._count:06d}"
        return a_record(self._source, source_id, unit, text, place, occurred, local)

    def _confidential(self, matter: Matter) -> bool:
        return self._taxonomy[matter.code].confidential

    def _unit(self, local: datetime) -> Unit:
        away = (
            part_of_day(local) == "night" or not is_working_day(local.date()) or not in_term(local.date(), self.terms)
        )
        return self._units[away].draw(self._rng)

    def _matter(self, stage: str, local: datetime) -> Matter:
        key = (stage, local.month, part_of_day(local))
        if key not in self._tables:
            self._tables[key] = matter_table(self._matters, *key)
        return self._tables[key].draw(self._rng)

    @staticmethod
    def _speaker(matter: Matter, stage: str, rng: random.Random) -> str:
        def suits(who: str) -> bool:
            if who == "machine":
                return bool(matter.sensor)
            return who not in {"k": ("student", "dormkeeper"), "p": ("dormkeeper",), "u": ("parent",)}.get(stage, ())

        return rng.choice([who for who in matter.speakers if suits(who)] or ["teacher"])
