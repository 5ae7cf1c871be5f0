"""How likely a report tells of a known hazard: evidence as numbers, weighed by a logistic model that can be read (``score.json``).

What two places contradict each other in is no evidence but a veto: of 350 hazards written to learn from, whose tellings name places in
many spellings, none names two floors, rooms, buildings or classes in its place fields.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, reduce
from operator import or_
from pathlib import Path

from models.duplicates.places import relation
from models.duplicates.wording import KINDS, Telling, held, shared

FILE = Path(__file__).parent / "score.json"
# Beyond these an overlap of words says no more.
_MOST_WORDS = 3
# The same sentence, after fields that have no place in common and differ in more than a quarter, is one form filled in for two places.
FORM_ALIKE, FIELD_APART = 0.8, 0.75


@dataclass(frozen=True, slots=True)
class Evidence:
    """``values`` by name; ``veto``: in which key the places contradict each other, or None; ``reasons`` in Chinese."""

    values: Mapping[str, float]
    veto: str | None


_LABELS = {
    "building": "楼栋",
    "floor": "楼层",
    "room": "房间",
    "thing": "编号",
    "class": "班级",
    "side": "方位",
    "hand": "左右",
    "sex": "男女",
    "which": "名称",
    "code": "编码",
}


def evidence(new: Telling, known: Sequence[Telling], since_last: timedelta, since_first: timedelta) -> Evidence:
    """What speaks for and against ``new`` telling of the hazard of which ``known`` tell (at least one, newest last)."""
    place = reduce(or_, (one.place for one in known))
    field = reduce(or_, (one.field_place for one in known))
    whole, fields = relation(new.place, place), relation(new.field_place, field)
    values: dict[str, float] = {}
    pairs = [shared(new.text, one.text) for one in known]
    within = [held(new.text | new.field, one.text | one.field) for one in known]
    chars = [held(new.chars, one.chars) for one in known]
    where = [held(new.field, one.field) for one in known]
    for name, each in (("pairs", pairs), ("within", within), ("chars", chars), ("where", where)):
        values[f"{name}_most"] = max(each)
        values[f"{name}_mean"] = sum(each) / len(each)
    values["agreed"], values["fields_agreed"] = float(len(whole.agreed)), float(len(fields.agreed))
    values["against"] = float(len(whole.against))
    values["room"] = float("room" in whole.agreed)
    for kind in KINDS:
        mine, theirs = new.words[kind], frozenset().union(*(one.words[kind] for one in known))
        common = mine & theirs
        values[f"{kind}_shared"] = float(min(len(common), _MOST_WORDS))
        values[f"{kind}_apart"] = float(bool(mine and theirs and not common))
        values[f"{kind}_mean"] = sum(bool(mine & one.words[kind]) for one in known) / len(known)
    values["thing_and_trouble"] = float(bool(values["thing_shared"] and values["trouble_shared"]))
    values["thing_there"] = float(bool(values["thing_shared"] and values["agreed"]))
    values["hours"] = math.log1p(max(0.0, since_last.total_seconds()) / 3600)
    values["age"] = math.log1p(max(0.0, since_first.total_seconds()) / 3600)
    values["no_place"] = float(not new.field)
    values["tellings"] = float(len(known))
    return Evidence(values, _veto(new, known, whole.against, fields.against, max(pairs), max(where)))


def _veto(
    new: Telling,
    known: Sequence[Telling],
    whole: frozenset[str],
    fields: frozenset[str],
    alike: float,
    where: float,
) -> str | None:
    # A sentence may walk through floors on its way (从五楼滴到四楼) and name any number; a field names where.
    against = fields | (whole - {"floor", "code"})
    for key in _LABELS:
        if key in against:
            return _LABELS[key]
    named = [one for one in known if one.field]
    if alike >= FORM_ALIKE and new.field and named and where < FIELD_APART:
        common = any(
            relation(new.field_place, one.field_place).agreed or new.field_words & one.field_words for one in named
        )
        if not common:
            return "地点"
    return None


# What is compared between candidates. An only candidate leads by all that it has.
_RIVALS = (("within", "within_most"), ("chars", "chars_mean"), ("thing", "thing_mean"), ("pairs", "pairs_most"))
_MOST_OTHERS = 8


def rivals(all_of: Sequence[Evidence]) -> list[dict[str, float]]:
    """Each one's values with its lead over the best of the others: the same words count less where they fit two hazards."""
    made = []
    for place, one in enumerate(all_of):
        others = [other for at, other in enumerate(all_of) if at != place]
        lead = {
            f"{name}_lead": one.values[key] - max((other.values[key] for other in others), default=0.0)
            for name, key in _RIVALS
        }
        made.append({**one.values, **lead, "others": float(min(len(others), _MOST_OTHERS))})
    return made


@dataclass(frozen=True, slots=True)
class Weights:
    """A logistic model: ``bias`` and a weight a name. ``same``, ``grey``: from which score on a report is attached, or suggested."""

    bias: float
    weights: Mapping[str, float]
    same: float
    grey: float

    def score(self, values: Mapping[str, float]) -> float:
        """0–1."""
        total = self.bias + sum(weight * values[name] for name, weight in self.weights.items())
        return 1 / (1 + math.exp(-max(-40.0, min(40.0, total))))


def digest(content: Mapping[str, object]) -> str:
    """SHA-256 of a model's numbers, in one spelling."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


@cache
def weights() -> Weights:
    """The model of ``score.json``. Raises ``ValueError`` where the file is not what was fitted."""
    content = json.loads(FILE.read_text("utf-8"))
    if digest(content["model"]) != content["sha256"]:
        raise ValueError(f"{FILE.name} is not what was fitted: make it anew with python -m models.duplicates.fit")
    model = content["model"]
    return Weights(model["bias"], model["weights"], model["same"], model["grey"])
