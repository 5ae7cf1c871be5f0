"""Forecast (走势): a unit's risk index for the next two weeks, with an interval from its own past."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from models import risk
from models.taxonomy import OTHER
from models.warnings.findings import Finding, Kind
from models.warnings.grades import FORECAST_LEVELS

AHEAD = 14
# Four of five days lie inside: an interval that is narrow enough to say something, and wide enough to be kept.
COVER = 0.8
# Less than this of own past and a fortnight cannot be foretold.
LEAST_DAYS = 28
# How far back the own changes are taken from: a term.
PAST_DAYS = 120
# A unit that usually stands just below a level crosses it now and then, and nothing has changed.
_MARGIN = 10.0


@dataclass(frozen=True, slots=True)
class Point:
    """One day: the index, and the interval's ends, 0–100."""

    day: date
    index: float
    low: float
    high: float


def ahead(raw: NDArray[np.float64], today: date, k: float) -> tuple[Point, ...]:
    """The next 14 days from ``raw`` at each day's end, oldest first, today last; empty where the past is too short.

    Today's figure, plus and minus what it changed by in as many days before: the unit's own changes over 1 to 14 days, each
    taken in both directions, for a rise is as likely as a fall of the same size. On the square root, so that a large figure
    may move further than a small one and none falls below 0. Returning to a mean erred by 1 % less and kept its interval far worse (decision 0016).
    """
    if len(raw) < LEAST_DAYS:
        return ()
    x = np.sqrt(np.maximum(raw[-PAST_DAYS:], 0.0))
    points = []
    for n in range(1, AHEAD + 1):
        changes = np.sort(np.abs(x[n:] - x[:-n]))
        wide = float(np.interp(COVER * (len(changes) - 1), np.arange(len(changes)), changes))
        ends = np.maximum(x[-1] + np.array([0.0, -wide, wide]), 0.0) ** 2
        index, low, high = (round(float(one), 1) for one in risk.indices(ends, k))
        points.append(Point(today + timedelta(days=n), index, low, high))
    return tuple(points)


def find(points: Mapping[str, Sequence[Point]], usual: Mapping[str, float]) -> list[Finding]:
    """Units whose index is to stay beyond a level that it did not usually reach: the lower end crosses it in a week's time.

    ``usual``: the unit's median index of the last two months.
    """
    found = []
    for unit, own in points.items():
        if len(own) < AHEAD:
            continue
        week = own[6]
        for level, grade in FORECAST_LEVELS:
            if week.low >= level and usual.get(unit, level) <= level - _MARGIN:
                found.append(
                    Finding(
                        kind=Kind.FORECAST,
                        key=f"forecast:{unit}",
                        unit=unit,
                        units=(unit,),
                        grade=grade,
                        reason=f"区间下限达到 {level:.0f}",
                        sentence=f"预计一周后风险指数 {week.index:.0f}（{week.low:.0f}–{week.high:.0f}），近两月中位为 {usual[unit]:.0f}",
                        subcategory=OTHER,
                        evidence={
                            "index": week.index,
                            "low": week.low,
                            "high": week.high,
                            "usual": round(usual[unit], 1),
                            "level": level,
                        },
                    )
                )
                break
    return found
