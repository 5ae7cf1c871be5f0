"""Written stories to learn from and to be measured by: what many people told of the hazards of a unit, in the order of time."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from models.duplicates.find import Known, Sure, Told, find
from models.duplicates.score import Weights

CORPUS = Path(__file__).parent / "corpus"
# Stories begin somewhere; only what lies between two reports counts.
START = datetime(2026, 3, 2, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Line:
    """One report of a story: ``group`` is the hazard it tells of."""

    group: str
    unit: str
    subcategory: str
    told: Told


def load(part: str) -> dict[str, list[Line]]:
    """The reports of ``train``, ``dev`` or ``test`` by unit, in the order of time."""
    made: dict[str, list[Line]] = {}
    for raw in (CORPUS / f"{part}.jsonl").read_text("utf-8").splitlines():
        row = json.loads(raw)
        told = Told(row["text"], row["place"], START + timedelta(minutes=row["minutes"]))
        made.setdefault(row["unit"], []).append(Line(row["group"], row["unit"], row["subcategory"], told))
    for lines in made.values():
        lines.sort(key=lambda line: line.told.at)
    return made


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of reports of one unit: rightly together, wrongly together, wrongly apart."""

    right: int = 0
    wrong: int = 0
    missed: int = 0

    def __add__(self, other: "Pairs") -> "Pairs":
        return Pairs(self.right + other.right, self.wrong + other.wrong, self.missed + other.missed)

    @property
    def precision(self) -> float:
        """Of the pairs put together, the share that belongs together; 1 where none was."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        """Of the pairs that belong together, the share that was put together; 1 where none does."""
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0


@dataclass(frozen=True, slots=True)
class Played:
    """What streaming gave: pairs by what was attached; pairs where an assessor took each right suggestion and refused each wrong one;
    suggestions in all, and right ones."""

    attached: Pairs
    helped: Pairs
    suggested: int
    suggested_right: int


def play(units: Mapping[str, Sequence[Line]], model: Weights | None = None) -> Played:
    """Stream each unit's reports in time order, as landing does."""
    attached, helped, suggested, right = Pairs(), Pairs(), 0, 0
    for lines in units.values():
        place, merged, greys = _stream(lines, model)
        attached += _pairs(lines, place)
        helped += _pairs(lines, [merged[cluster] for cluster in place])
        suggested += len(greys)
        right += sum(greys)
    return Played(attached, helped, suggested, right)


def _stream(lines: Sequence[Line], model: Weights | None) -> tuple[list[int], list[int], list[bool]]:
    """The cluster of each line; the cluster that each is merged into by an assessor; of each suggestion, whether it was right."""
    known: list[Known] = []
    first: list[str] = []
    merged: list[int] = []
    place: list[int] = []
    greys: list[bool] = []
    for line in lines:
        told = line.told
        found = find(line.unit, line.subcategory, told.place, told.text, told.at, known, (), model)
        at = found.id.int if found else -1
        if found and found.sure is Sure.SAME:
            known[at] = replace(known[at], told=(*known[at].told, told))
            place.append(at)
            continue
        new = len(known)
        known.append(Known(UUID(int=new), line.unit, line.subcategory, told.place, told.text, told.at, told=(told,)))
        first.append(line.group)
        merged.append(new)
        place.append(new)
        if found:
            greys.append(first[at] == line.group)
            if greys[-1]:
                merged[new] = merged[at]
    return place, merged, greys


def _pairs(lines: Sequence[Line], place: Sequence[int]) -> Pairs:
    right = wrong = missed = 0
    for one in range(len(lines)):
        for other in range(one):
            together, same = place[one] == place[other], lines[one].group == lines[other].group
            right += together and same
            wrong += together and not same
            missed += same and not together
    return Pairs(right, wrong, missed)
