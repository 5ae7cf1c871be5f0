"""Pile-up (积压): more overdue hazards at a unit than is normal for it, and more than a floor."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from models.levels import Level
from models.taxonomy import OTHER
from models.warnings import grades
from models.warnings.findings import Finding, Kind

# Fewer are looked after one by one, by the deadlines' own climbing.
FLOOR = 5
# Overdue counts move slowly: a quarter holds some ten independent looks, and four deviations of so skewed a count
# (about 1 in 1,000) keep false ones near one in a hundred quarters.
DEVIATIONS = 4.0
# Weight of the peers' normal in a unit's own, in days.
_PEERS = 14.0


@dataclass(frozen=True, slots=True)
class Overdue:
    """What is overdue at a unit now, confidential lanes left out: ``levels`` and ``ids`` side by side."""

    levels: tuple[Level, ...]
    ids: tuple[UUID, ...]


def find(
    overdue: Mapping[str, Overdue], history: Mapping[str, NDArray[np.float64]], kinds: Mapping[str, str]
) -> list[Finding]:
    """Units whose overdue hazards exceed both. ``history``: overdue at each day's end, oldest first, without the last week."""
    peers: dict[str, tuple[float, float]] = {}
    for kind in set(kinds.values()):
        rows = [history[unit] for unit, own in kinds.items() if own == kind and unit in history and len(history[unit])]
        whole = np.concatenate(rows) if rows else np.zeros(1)
        peers[kind] = (float(whole.mean()), float(whole.var()))
    found = []
    for unit, now_overdue in overdue.items():
        count = len(now_overdue.ids)
        if count < FLOOR or unit not in kinds:
            continue
        mean, edge = _normal(history.get(unit, np.zeros(0)), *peers[kinds[unit]])
        if count > edge:
            found.append(_finding(unit, now_overdue, mean, edge))
    return found


def _normal(own: NDArray[np.float64], peer_mean: float, peer_variance: float) -> tuple[float, float]:
    """A unit's usual count of overdue hazards, and the edge beyond which it is unusual."""
    days = len(own)
    share = days / (days + _PEERS)
    mean = share * float(own.mean() if days else 0.0) + (1 - share) * peer_mean
    variance = share * float(own.var() if days else 0.0) + (1 - share) * peer_variance
    return mean, mean + DEVIATIONS * float(np.sqrt(max(variance, mean, 0.25)))


def _finding(unit: str, overdue: Overdue, mean: float, edge: float) -> Finding:
    grade, reason = grades.pileup(overdue.levels)
    count = len(overdue.ids)
    return Finding(
        kind=Kind.PILEUP,
        key=f"pileup:{unit}",
        unit=unit,
        units=(unit,),
        grade=grade,
        reason=reason,
        sentence=f"超期未销号 {count} 件，本单位常态约 {mean:.1f} 件",
        subcategory=OTHER,
        evidence={"count": count, "expected": round(mean, 2), "edge": round(edge, 1)},
        hazards=overdue.ids,
    )
