"""What the tests of early warning are made of."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np

from models.calendar import SHANGHAI
from models.levels import Level
from models.warnings.days import Days
from models.warnings.findings import ALL, GROUPS, Seen
from models.warnings.rhythm import Counts, Rhythm
from tests.factories import new_id

TERMS = ((date(2025, 9, 1), date(2026, 1, 30)), (date(2026, 2, 23), date(2026, 7, 1)))
# A Wednesday in term, in the afternoon.
NOW = datetime(2025, 12, 17, 16, 0, tzinfo=SHANGHAI)


def seen(unit: str = "A", subcategory: str = "0101", hours: float = 1, **fields: Any) -> Seen:
    """A hazard found so many hours before ``NOW``."""
    given: dict[str, Any] = {
        "level": Level.YELLOW,
        "opened_at": NOW - timedelta(hours=hours),
        "place": "3号楼2层",
        "text": "门锁着",
    }
    return Seen(id=new_id(), unit=unit, subcategory=subcategory, **given | fields)


def rhythm(daily: dict[str, dict[str, float]], days: int = 100, kinds: Iterable[str] | None = None) -> Rhythm:
    """The rhythm of units with so many hazards a working day in term, by unit and category; a fifth of it on free days."""
    units = tuple(daily)
    first = NOW.date() - timedelta(days=days)
    dates = tuple(first + timedelta(days=n) for n in range(days))
    rng = np.random.default_rng(1)
    n = np.zeros((len(units), len(GROUPS), days), dtype=np.int32)
    calendar = Days(TERMS)
    for u, unit in enumerate(units):
        for group, rate in daily[unit].items():
            for d, day in enumerate(dates):
                n[u, GROUPS.index(group), d] = rng.poisson(rate if calendar.sort(day) < 5 else rate / 5)
        n[u, GROUPS.index(ALL)] = n[u, : len(GROUPS) - 1].sum(axis=0)
    return Rhythm(Counts(units, tuple(kinds or ["school"] * len(units)), GROUPS, dates, n, [1.0] * 24), calendar)
