"""The risk index of a unit, 0–100 (domain §7). One formula, for cockpit, forecast and reports alike.

raw = Σ over open w·(1 + min(days overdue ÷ 7, 1)) + 0.3·Σ over closed in 90 days w·2^(−age ÷ 30 d), per 1,000 members (at least
1,000); index = 100·(1 − e^(−raw ÷ K)), K = 1.44 × the city's median, so that the median unit stands at 50.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from models.levels import Level

WEIGHT = {Level.RED: 10.0, Level.ORANGE: 5.0, Level.YELLOW: 2.0, Level.BLUE: 1.0}
CLOSED_SHARE, CLOSED_DAYS, HALF_LIFE_DAYS = 0.3, 90.0, 30.0
OVERDUE_DAYS = 7.0
MEMBERS = 1000
SILENT = timedelta(days=30)
# 1 ÷ ln 2.
_MEDIAN_AT_50 = 1.44
# In a city where half of the units have nothing open the median is 0; one yellow hazard then counts as it does elsewhere.
_LEAST_MEDIAN = 0.5

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Life:
    """What the formula needs of one hazard: how grave, open from when to when, and the span in which it was overdue."""

    level: Level
    opened_at: datetime
    closed_at: datetime | None = None
    overdue_from: datetime | None = None
    overdue_to: datetime | None = None


def course(lives: Sequence[Life], members: int, instants: Sequence[datetime]) -> tuple[Array, Array]:
    """``raw`` and the number of overdue hazards at each instant, shapes (instants,). The instants ascend."""
    at = np.array([instant.timestamp() for instant in instants]) / 86_400
    if not lives:
        return np.zeros(len(at)), np.zeros(len(at))
    weight = np.array([WEIGHT[life.level] for life in lives])[:, None]
    opened, closed = _days(life.opened_at for life in lives), _days(life.closed_at for life in lives)
    late, mended = _days(life.overdue_from for life in lives), _days(life.overdue_to for life in lives)
    is_open = (opened <= at) & (at < closed)
    is_late = is_open & (late <= at) & (at < mended)
    overdue = np.where(is_late, np.clip((at - np.where(np.isinf(late), at, late)) / OVERDUE_DAYS, 0.0, 1.0), 0.0)
    age = np.where(closed <= at, at - np.where(np.isinf(closed), at, closed), np.inf)
    past = np.where(age <= CLOSED_DAYS, CLOSED_SHARE * 2.0 ** (-np.minimum(age, CLOSED_DAYS) / HALF_LIFE_DAYS), 0.0)
    raw = (weight * (is_open * (1.0 + overdue) + past)).sum(axis=0) * MEMBERS / max(members, MEMBERS)
    return raw, is_late.sum(axis=0).astype(np.float64)


def _days(instants: Iterable[datetime | None]) -> Array:
    return np.array([np.inf if one is None else one.timestamp() / 86_400 for one in instants])[:, None]


def is_silent(lives: Iterable[Life], now: datetime) -> bool:
    """Whether nothing was found or closed for 30 days: then there is not enough data (数据不足), and no figure may look green."""
    since = now - SILENT
    return not any(life.opened_at > since or (life.closed_at is not None and life.closed_at > since) for life in lives)


def scale(raws: Sequence[float]) -> float:
    """K, from the raw figures of the city's units."""
    return _MEDIAN_AT_50 * max(float(np.median(raws)) if len(raws) else 0.0, _LEAST_MEDIAN)


def indices(raw: Array, k: float) -> Array:
    """The index of each raw figure, 0–100."""
    value: Array = 100.0 * (1.0 - np.exp(-raw / k))
    return value
