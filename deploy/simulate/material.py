"""The phrase material: what is said of each subcategory, where, by whom, when. Read from the TOML files beside this one.

The wordings are this package's own and none of them is a phrase of the taxonomy: what the classifier learnt from
elsewhere is tested here on words it has not seen.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

# k kindergarten, p primary, m junior (and nine-year), s senior, v vocational, x special, u university
STAGES = "kpmsvxu"
_STAGE_OF_NAME = (("幼儿园", "k"), ("小学", "p"), ("职业", "v"), ("特殊", "x"), ("高级中学", "s"))
# Words that give away who speaks of whom: a university has no 娃, a kindergarten no 寝室.
_CHILDISH = re.compile("孩子|小孩|小朋友|娃|家长|班主任|低年级|高年级|幼教|小姑娘|儿子|女儿|小男孩|大人")
_GROWN = re.compile("寝|宿舍|室友|导师|研究生|选课|院长|辅导员|考研|毕业|学长|奖学金|学院|男生|女生|平板|高中生|班群")


@dataclass(frozen=True, slots=True)
class Matter:
    """One subcategory as people speak of it: ``says`` by stage, places by group, weights by month (1 if absent)."""

    code: str
    weight: float
    months: Mapping[int, float]
    places: tuple[str, ...]
    speakers: tuple[str, ...]
    says: Mapping[str, tuple[str, ...]]
    more: tuple[str, ...]
    sensor: tuple[str, ...]
    summer: tuple[str, ...]
    winter: tuple[str, ...]

    def wordings(self, stage: str, month: int) -> tuple[str, ...]:
        """Clauses that fit a stage and a month."""
        season = self.summer if 6 <= month <= 9 else self.winter if month in (12, 1, 2) else ()
        return tuple(_fitting(season, stage)) * 2 + self.says[stage]


@dataclass(frozen=True, slots=True)
class Speaker:
    """How one sort of people opens and ends."""

    open: tuple[str, ...]
    end: tuple[str, ...]
    emoji: tuple[str, ...]


def stage_of(kind: str, name: str) -> str:
    """The stage of a unit by its kind and name; junior school where the name tells nothing."""
    if kind in ("university", "college"):
        return "u"
    return next((stage for word, stage in _STAGE_OF_NAME if word in name), "m")


@cache
def matters() -> Mapping[str, Matter]:
    """All matters by subcategory code."""
    found: dict[str, Matter] = {}
    folder = resources.files(__package__).joinpath("material")
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        for code, raw in tomllib.loads(file.read_text("utf-8")).items():
            found[code] = _matter(code, raw)
    return found


@cache
def places() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    """Templates of places: group, then stage; a group that a stage does not have is absent there."""
    raw = _frame("places.toml")
    return {
        group: {
            stage: tuple(known[stage] if stage in known else known["all"])
            for stage in STAGES
            if stage in known or "all" in known
        }
        for group, known in raw.items()
    }


@cache
def speakers() -> Mapping[str, Speaker]:
    """All sorts of speakers by key."""
    return {
        key: Speaker(tuple(raw["open"]), tuple(raw["end"]), tuple(raw.get("emoji", ())))
        for key, raw in speech()["speakers"].items()
    }


@cache
def speech() -> Mapping[str, Any]:
    """The sections ``common``, ``slips`` and ``quiet`` of speech.toml."""
    return _frame("speech.toml")


def _frame(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files(__package__).joinpath("frame", name).read_text("utf-8"))


def _matter(code: str, raw: Mapping[str, Any]) -> Matter:
    stages = raw.get("on", STAGES)
    says = {stage: tuple(_fitting(raw["say"], stage)) for stage in stages}
    return Matter(
        code=code,
        weight=float(raw["w"]),
        months={int(month): float(factor) for month, factor in raw.get("months", {}).items()},
        places=tuple(raw["at"].split()),
        speakers=tuple(raw["who"].split()),
        says={stage: found for stage, found in says.items() if found},
        more=tuple(raw["more"]),
        sensor=tuple(raw.get("sensor", ())),
        summer=tuple(raw.get("summer", ())),
        winter=tuple(raw.get("winter", ())),
    )


def _fitting(clauses: tuple[str, ...] | list[str], stage: str) -> list[str]:
    """Clauses whose words belong to a stage."""
    foreign = _CHILDISH if stage == "u" else _GROWN if stage in "kpx" else None
    return [clause for clause in clauses if foreign is None or not foreign.search(clause)]
