"""What a detector finds, and the few facts of a hazard that it needs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from models.levels import Level
from models.taxonomy import is_confidential, subcategories

# All open categories together. Confidential lanes stay out of it: a total less its parts would tell a lane's count.
ALL = "all"
CATEGORIES = tuple(dict.fromkeys(sub.category for sub in subcategories().values()))
GROUPS = (*CATEGORIES, ALL)
# As the cockpit counts confidential lanes (decision 0011): below this nobody is told a number.
LEAST_TOLD = 5


class Kind(StrEnum):
    """What a warning warns of."""

    SURGE = "surge"
    RECURRENCE = "recurrence"
    CLUSTER = "cluster"
    PILEUP = "pileup"
    WEATHER = "weather"
    FORECAST = "forecast"

    @property
    def label(self) -> str:
        """The Chinese word on the page."""
        return _LABEL[self]


_LABEL = {
    Kind.SURGE: "突增",
    Kind.RECURRENCE: "复发",
    Kind.CLUSTER: "聚集",
    Kind.PILEUP: "积压",
    Kind.WEATHER: "气象",
    Kind.FORECAST: "走势",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """A hazard as detectors see it. ``text`` and ``place`` are None where its words are closed."""

    id: UUID
    unit: str
    subcategory: str
    level: Level
    opened_at: datetime
    closed_at: datetime | None = None
    place: str | None = None
    text: str | None = None

    @property
    def category(self) -> str:
        """Two digits."""
        return self.subcategory[:2]

    @property
    def confidential(self) -> bool:
        """Whether it lies in a confidential lane."""
        return is_confidential(self.subcategory)


@dataclass(frozen=True, slots=True)
class Finding:
    """A cause for a warning, as it holds now.

    ``key`` is the same for as long as it is the same cause. ``unit`` is whom it is for; ``units`` are all it concerns.
    ``sentence`` is the platform's own words: no reporter's word, no unit's name but its own. ``evidence`` holds numbers and,
    under ``shared``, words that several reports have in common. ``hazards`` are empty for a confidential lane. ``rest``: how
    long it is left alone after a person closed it.
    """

    kind: Kind
    key: str
    unit: str
    units: tuple[str, ...]
    grade: Level
    reason: str
    sentence: str
    subcategory: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    hazards: tuple[UUID, ...] = ()
    # The window of a surge or cluster: until then the same hazards would be found again.
    rest: timedelta = timedelta(days=7)
    # A weather warning holds for all units below those it concerns.
    downward: bool = False


def is_lane(group: str) -> bool:
    """Whether a category is a confidential lane."""
    return group in _LANES


_LANES = frozenset(sub.category for sub in subcategories().values() if sub.confidential)
