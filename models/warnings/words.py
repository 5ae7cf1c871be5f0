"""Words that hazards of several units share and that are rare otherwise: a supplier, a dish, a route.

No list of names is needed. A run of characters that stands in reports of several units within days is compared with how
often it stood in the category's earlier reports (who says it now); and units whose earlier reports named it are taken
together, whether they say it now or not (who is served by the same one).
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from models.duplicates import flatten
from models.warnings.findings import Seen
from models.warnings.tails import tail

# Three characters name something (鲜禾牌); two are any word.
RUN = 3
# A word of more than every twentieth report is no clue, whatever the count.
_MOST_USUAL = 0.05
# More units than this that once said a word have it in common as a language, not as a supplier.
_MOST_UNITS = 25
_LONGEST = 12
# Where a season begins, three reports in three places come in the same words by themselves (a first frost); four, with no
# earlier word between them, do not.
_LEAST_SAYING = 4
# One unit counts so often at most, so that its own surge is no cluster.
MOST_OF_ONE = 3


class Usual:
    """In which earlier reports runs stood, by category: ``(category, unit, text)``. A thousand texts a category are enough."""

    def __init__(self, texts: Iterable[tuple[str, str, str]]) -> None:
        self._said: dict[str, dict[str, list[str]]] = defaultdict(dict)
        self._texts: Counter[str] = Counter()
        for category, unit, text in texts:
            self._texts[category] += 1
            said = self._said[category]
            for run in runs(text):
                said.setdefault(run, []).append(unit)

    def said(self, category: str, run: str) -> Sequence[str]:
        """The units of the earlier reports that hold a run, one a report."""
        return self._said[category].get(run, ())

    def chance(self, category: str, run: str, units: int, expected: float) -> float:
        """That so many of ``expected`` hazards hold a run. How well its share is known counts: one never seen may yet be usual."""
        seen = len(self.said(category, run)) + 0.5
        mean = expected * seen / (self._texts[category] + 1.0)
        return tail(units, mean, mean + mean * mean / seen)

    def is_common(self, category: str, run: str) -> bool:
        """Whether it is no clue."""
        return len(self.said(category, run)) > _MOST_USUAL * (self._texts[category] + 1.0)


@dataclass(frozen=True, slots=True)
class Shared:
    """A word, the units it joins, and how likely chance would join as many."""

    word: str
    units: frozenset[str]
    chance: float


@lru_cache(maxsize=4096)
def runs(text: str) -> frozenset[str]:
    """All runs of three characters, numbers left out: a room's number is shared by every campus."""
    flat = flatten(text)
    found = (flat[at : at + RUN] for at in range(len(flat) - RUN + 1))
    return frozenset(run for run in found if not any(one.isdigit() for one in run))


def shared(
    category: str,
    hazards: Sequence[Seen],
    usual: Usual,
    usually: Mapping[str, tuple[float, float]],
    least: int,
    alpha: float,
) -> Shared | None:
    """The word that joins hazards of several units (of those served by one, at least ``least``) most unlikely, where chance does so less often than ``alpha``.

    ``usually``: mean and variance of the category's hazards in the window, by unit.
    """
    counts = Counter(seen.unit for seen in hazards)
    reports_of: dict[str, set[int]] = defaultdict(set)
    for number, seen in enumerate(hazards):
        for run in runs(seen.text) if seen.text else ():
            reports_of[run].add(number)
    # Runs that stand in the very same reports (the parts of one word) are one trial, not many; each is looked at twice.
    by_reports: dict[frozenset[int], str] = {}
    for run, numbers in reports_of.items():
        if not usual.is_common(category, run):
            by_reports.setdefault(frozenset(numbers), run)
    trials = 2 * max(1, len(by_reports))
    expected = sum(mean for mean, _ in usually.values())
    best: tuple[float, str, frozenset[str]] | None = None
    for reports, run in by_reports.items():
        units = frozenset(hazards[number].unit for number in reports)
        suspects = [(usual.chance(category, run, len(units), expected), units)] if len(units) >= _LEAST_SAYING else []
        if len(units) >= 2 and (served := _served(usual.said(category, run), counts, usually, least)):
            suspects.append((served[0], served[1] | units))
        for chance, joined in suspects:
            if chance * trials <= alpha and (best is None or (chance * trials, run) < best[:2]):
                best = (chance * trials, run, joined)
    if best is None:
        return None
    chance, run, units = best
    return Shared(_whole(run, [s.text for s in hazards if s.unit in units and s.text]), units, chance)


def _served(
    said: Sequence[str], counts: Mapping[str, int], usually: Mapping[str, tuple[float, float]], least: int
) -> tuple[float, frozenset[str]] | None:
    """Hazards now at the units that said a word before: how unlikely so many are, and which units have some."""
    units = {unit for unit in said if unit in usually}
    hit = frozenset(unit for unit in units if unit in counts)
    if len(hit) < least or len(units) > _MOST_UNITS:
        return None
    seen = sum(min(counts[unit], MOST_OF_ONE) for unit in hit)
    return tail(seen, sum(usually[unit][0] for unit in units), sum(usually[unit][1] for unit in units)), hit


def _whole(run: str, texts: Sequence[str]) -> str:
    """The run with what stands beside it in every text that holds it."""
    flat = [one for text in texts if run in (one := flatten(text))]
    word = run
    while len(word) < _LONGEST:
        after = {one[at : at + 1] for one in flat if (at := one.find(word) + len(word))}
        if len(after) != 1 or not (step := after.pop()) or step.isdigit():
            break
        word += step
    while len(word) < _LONGEST:
        before = {one[max(0, one.find(word) - 1) : one.find(word)] for one in flat}
        if len(before) != 1 or not (step := before.pop()) or step.isdigit():
            break
        word = step + word
    return word
