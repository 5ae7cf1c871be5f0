"""Cluster (聚集): one category at several units within days, beyond what their own rates give by chance.

Three looks: a circle of neighbours with too many (a space–time scan, each unit counted at most three times so that one
unit's surge is no cluster); more units than chance gives that are unusual for themselves, wherever they lie; and units whose
reports share a word that is rare otherwise.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from models.taxonomy import categories
from models.warnings import grades
from models.warnings.findings import CATEGORIES, LEAST_TOLD, Finding, Kind, Seen, is_lane
from models.warnings.places import lowest
from models.warnings.rhythm import Rhythm
from models.warnings.surge import odds
from models.warnings.tails import binomial_tail, tail
from models.warnings.words import MOST_OF_ONE, Usual, shared

WINDOWS = (timedelta(days=2), timedelta(days=4), timedelta(days=7))
LEAST_UNITS = 3
# False clusters that a city may get in a quarter, by each of the three looks.
BUDGET = 1.0
# Of one look, a category's: windows of two, four and seven days on 91 days are 82 apart, correlated, about half.
ALPHA = BUDGET / (len(CATEGORIES) * 40)
# Of the circles three times as much: what spreads among neighbours spreads on, and is worth a look more.
ALPHA_SCAN = 3 * ALPHA
# How unusual for itself a unit must be to count in the second look; the chance of the look is shared by the three.
UNUSUAL = (0.05, 0.01, 0.002)


@dataclass(frozen=True, slots=True)
class Ground:
    """Neighbours of each unit, and the unit that stands above several."""

    neighbours: Mapping[str, Sequence[str]]
    paths: Mapping[str, str]

    def above(self, units: Iterable[str]) -> str:
        """The lowest unit that all of them are, or lie below."""
        return lowest(self.paths[unit] for unit in units)


@dataclass(frozen=True, slots=True)
class _Suspect:
    chance: float
    units: frozenset[str]
    word: str | None
    window: timedelta


@dataclass(frozen=True, slots=True)
class Standing:
    """A cluster that a warning is open for."""

    key: str
    category: str
    units: frozenset[str]


def find(
    recent: Sequence[Seen], rhythm: Rhythm, ground: Ground, usual: Usual, standing: Sequence[Standing], now: datetime,
    wanted: Iterable[str] = CATEGORIES,
) -> list[Finding]:  # fmt: skip
    """Clusters among the hazards of the last week, in the categories ``wanted``. One that goes on keeps its key."""
    if not rhythm.enough:
        return []
    found = []
    for category in wanted:
        own = [seen for seen in recent if seen.category == category and seen.unit in rhythm.units]
        suspects = [
            suspect
            for window in WINDOWS
            for suspect in _suspects(
                category, [s for s in own if s.opened_at > now - window], rhythm, ground, usual, window, now
            )
        ]
        for suspect in _apart(suspects):
            hazards = [s for s in own if s.unit in suspect.units and s.opened_at > now - suspect.window]
            if not is_lane(category) or len(hazards) >= LEAST_TOLD:
                found.append(_finding(category, suspect, hazards, ground, standing))
    return found


def _suspects(
    category: str, hazards: Sequence[Seen], rhythm: Rhythm, ground: Ground, usual: Usual, window: timedelta, now: datetime
) -> list[_Suspect]:  # fmt: skip
    counts: dict[str, int] = defaultdict(int)
    for seen in hazards:
        counts[seen.unit] += 1
    if len(counts) < LEAST_UNITS:
        return []
    means, variances = rhythm.all_units(category, rhythm.fractions(now - window, now))
    mean = {unit: float(means[rhythm.units[unit]]) for unit in rhythm.units}
    spread = {unit: float(variances[rhythm.units[unit]]) for unit in rhythm.units}
    found: list[_Suspect | None] = [
        _scan(counts, mean, spread, ground, window),
        _unusual(counts, mean, spread, window),
    ]
    if not is_lane(category):
        usually = {unit: (mean[unit], spread[unit]) for unit in mean}
        word = shared(category, hazards, usual, usually, LEAST_UNITS, ALPHA)
        found.append(_Suspect(word.chance, word.units, word.word, window) if word else None)
    return [suspect for suspect in found if suspect is not None]


def _scan(
    counts: Mapping[str, int], mean: Mapping[str, float], spread: Mapping[str, float], ground: Ground, window: timedelta
) -> _Suspect | None:
    """The least likely circle around a unit that was hit."""
    best: _Suspect | None = None
    # Circles of one centre nest and those of neighbours overlap: together they are worth about one look a unit.
    alpha = ALPHA_SCAN / len(mean)
    for centre in counts:
        seen, due, wide, hit = 0, 0.0, 0.0, set[str]()
        for unit in ground.neighbours[centre]:
            if unit not in mean:
                continue
            due, wide = due + mean[unit], wide + spread[unit]
            if unit not in counts:
                continue
            seen += min(counts[unit], MOST_OF_ONE)
            hit.add(unit)
            if len(hit) < LEAST_UNITS:
                continue
            chance = tail(seen, due, wide)
            if chance <= alpha and (best is None or chance * len(mean) < best.chance):
                best = _Suspect(chance * len(mean), frozenset(hit), None, window)
    return best


def _unusual(
    counts: Mapping[str, int], mean: Mapping[str, float], spread: Mapping[str, float], window: timedelta
) -> _Suspect | None:
    """More units that are unusual for themselves than chance gives (Donoho and Jin's higher criticism, on three edges)."""
    chances = {unit: tail(count, mean[unit], spread[unit]) for unit, count in counts.items()}
    best: _Suspect | None = None
    for edge in UNUSUAL:
        units = frozenset(unit for unit, chance in chances.items() if chance <= edge)
        if len(units) < LEAST_UNITS:
            continue
        chance = binomial_tail(len(units), len(mean), edge) * len(UNUSUAL)
        if chance <= ALPHA and (best is None or chance < best.chance):
            best = _Suspect(chance, units, None, window)
    return best


def _apart(suspects: Sequence[_Suspect]) -> list[_Suspect]:
    """Suspects that share no unit: the likeliest cause first, one with a word before one without, what overlaps it joins it."""
    kept: list[_Suspect] = []
    for suspect in sorted(suspects, key=lambda one: (one.word is None, one.chance)):
        at = next((n for n, one in enumerate(kept) if one.units & suspect.units), None)
        if at is None:
            kept.append(suspect)
        elif kept[at].word is None:
            one = kept[at]
            kept[at] = _Suspect(one.chance, one.units | suspect.units, None, max(one.window, suspect.window))
    return kept


def _finding(
    category: str, suspect: _Suspect, hazards: Sequence[Seen], ground: Ground, standing: Sequence[Standing]
) -> Finding:
    units = tuple(sorted(suspect.units))
    grade, reason = grades.cluster(hazards, len(units), shared=suspect.word is not None)
    goes_on = [one for one in standing if one.category == category and len(one.units & suspect.units) >= 2]
    first = min(hazards, key=lambda seen: (seen.opened_at, seen.id))
    clue = "，有相同线索" if suspect.word else ""
    return Finding(
        kind=Kind.CLUSTER,
        key=goes_on[0].key if goes_on else f"cluster:{category}:{first.id}",
        unit=ground.above(units),
        units=units,
        grade=grade,
        reason=reason,
        sentence=f"“{categories()[category]}”{suspect.window.days} 天内 {len(units)} 个单位共 {len(hazards)} 件{clue}；"
        f"各自偶然同时出现的可能为{odds(suspect.chance)}",
        subcategory=grades.commonest(hazards),
        evidence={
            "group": category,
            "days": suspect.window.days,
            "count": len(hazards),
            "units": len(units),
            "chance": float(f"{suspect.chance:.2g}"),
            **({"shared": [suspect.word]} if suspect.word else {}),
        },
        hazards=() if is_lane(category) else tuple(seen.id for seen in hazards),
    )
