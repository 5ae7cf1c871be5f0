"""What happens where: units by size, subcategories by stage, month and part of the day, drawn by weight."""

import random
from bisect import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Generic, TypeVar

from deploy.simulate.material import Matter, stage_of
from models.units import Unit

T = TypeVar("T")

# How much likelier a place is in trouble in a part of the day; 1 where it is not named.
_PARTS: Mapping[str, Mapping[str, float]] = {
    "night": {
        "dorm": 2.5, "roof": 2, "wall": 2, "canteen": 0.05, "kitchen": 0.1, "field": 0.15, "lab": 0.4, "teach": 0.2, "bus": 0.0,
        "gate": 0.5, "exam": 0.1, "office": 0.2, "library": 0.2, "hall": 0.1, "site": 0.3,
    },
    "meal": {"canteen": 2.5, "kitchen": 2.5, "gate": 1.8, "bus": 2.5, "stairs": 1.3, "lab": 0.5},
    "evening": {"dorm": 1.8, "bus": 0.2, "canteen": 0.6, "kitchen": 0.5, "exam": 0.3, "outer": 1.5},
    "lesson": {"dorm": 0.6, "exam": 1.3, "lab": 1.4, "field": 1.4},
}  # fmt: skip
# Stages whose pupils go home: at night, on free days and in vacations next to nothing is reported there.
_GOES_HOME = "kpx"
_EMPTY = 0.06
# A university's own office reports what belongs to no college; its members are counted again in the colleges.
_OWN_OFFICE = 0.25


@dataclass(frozen=True, slots=True)
class Table(Generic[T]):
    """Things with weights, drawn in logarithmic time."""

    things: Sequence[T]
    sums: Sequence[float]

    def draw(self, rng: random.Random) -> T:
        """One of the things."""
        return self.things[bisect(self.sums, rng.random() * self.sums[-1], hi=len(self.things) - 1)]


def table(weights: Mapping[T, float]) -> Table[T]:
    """A table of all things that weigh anything. Raises ``ValueError`` where none does."""
    kept = {thing: weight for thing, weight in weights.items() if weight > 0}
    if not kept:
        raise ValueError("nothing to draw from: every weight is zero")
    return Table(tuple(kept), tuple(accumulate(kept.values())))


def unit_table(units: Sequence[Unit], going_home: bool) -> Table[Unit]:
    """Units by their size; ``going_home`` (night, free day, vacation) leaves day schools all but out.

    The exponent is below 1: a school of twice the size has less than twice the reports.
    """
    return table({unit: _weight_of(unit, going_home) for unit in units if unit.kind not in ("city", "district")})


def _weight_of(unit: Unit, going_home: bool) -> float:
    weight = max(unit.members, 20) ** 0.8
    if unit.kind == "university":
        return float(weight * _OWN_OFFICE)
    return float(weight * _EMPTY if going_home and stage_of(unit.kind, unit.name) in _GOES_HOME else weight)


def matter_table(matters: Sequence[Matter], stage: str, month: int, part: str) -> Table[Matter]:
    """Matters that a stage knows, by their weight in a month and a part of the day (see ``rhythm.part_of_day``)."""
    factors = _PARTS[part]
    weights = {}
    for number, matter in enumerate(matters):
        if stage not in matter.says:
            continue
        places = matter.places or ("",)
        by_place = sum(factors.get(place, 1.0) for place in places) / len(places)
        weights[number] = matter.weight * matter.months.get(month, 1.0) * by_place
    drawn = table(weights)
    return Table([matters[number] for number in drawn.things], drawn.sums)
