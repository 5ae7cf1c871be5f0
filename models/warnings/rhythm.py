"""The rhythm of each unit: how many hazards of a group it would find in a window, and how much that varies.

expected = level of the unit and group × shape of the day (weekday, free day, vacation; by kind of unit and group)
× lift (how all peers move just now: season, an inspection campaign). Levels are shrunk towards the peers, so that a young
unit has a rhythm from its first day. Noufaily and Farrington's idea, with gamma–Poisson shrinkage in place of regression.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from models.calendar import SHANGHAI
from models.warnings.days import FREE, SORTS, VACATION, VACATION_FREE, Days

# Half a year back, the older the lighter: a season is about two half-lives long, a term about two and a half.
HORIZON = 182
HALF_LIFE = 56.0
# The last week is what is judged; it must not be its own measure.
GUARD = 8
# A city without four weeks of history has no rhythm yet.
ENOUGH = 28
# Until a city has seen its own free days and vacations: a campus without most of its people finds about a third.
_PRIOR_SHAPE = {FREE: 0.35, VACATION: 0.3, VACATION_FREE: 0.2}
# Hazards' worth of belief in the peers: of a day's shape, of a unit's activity, of a unit's share of a group, of the lift.
_SHAPE, _ACTIVITY, _LEVEL, _LIFT = 20.0, 4.0, 2.0, 15.0
_LIFT_DAYS = 14
_LIFT_RANGE = (0.6, 4.0)
# Counts of a week vary more than Poisson's: rounds find many at once. Bounds keep a sparse group from an absurd figure.
_DISPERSION_RANGE = (1.15, 6.0)
# A week beyond so many standard deviations is an outbreak of the past: it is counted as if it had been at this edge.
_EDGE = 3.0

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Counts:
    """Hazards a day: ``n`` has the shape (units, groups, days); ``days`` end yesterday. ``hours``: hazards by hour of day, 24."""

    units: tuple[str, ...]
    kinds: tuple[str, ...]
    groups: tuple[str, ...]
    days: tuple[date, ...]
    n: NDArray[np.int32]
    hours: Sequence[float]


@dataclass(frozen=True, slots=True)
class Expected:
    """Mean and variance of a count."""

    mean: float
    variance: float


class Rhythm:
    """What was learnt from ``Counts``; good for a day. Where there is not ``enough``, there is nothing to ask it for."""

    def __init__(self, counts: Counts, days: Days) -> None:
        self._days = days
        self.units: Mapping[str, int] = {unit: at for at, unit in enumerate(counts.units)}
        self.groups: Mapping[str, int] = {group: at for at, group in enumerate(counts.groups)}
        kinds = sorted(set(counts.kinds))
        self._kind: NDArray[np.int64] = np.array([kinds.index(kind) for kind in counts.kinds], dtype=np.int64)
        self.enough = len(counts.days) >= ENOUGH and bool(counts.n.any())
        self._elapsed = _elapsed(counts.hours)
        if self.enough:
            self._fit(counts, len(kinds))

    def _fit(self, counts: Counts, kinds: int) -> None:
        sorts = np.array([self._days.sort(day) for day in counts.days], dtype=np.int64)
        n = counts.n.astype(np.float64)
        size = len(counts.days)
        weight = 0.5 ** (np.arange(size - 1, -1, -1) / HALF_LIFE)
        weight[max(0, size - GUARD) :] = 0.0
        # Before its first hazard a unit was not there, or did not report: that is no rhythm of nothing.
        begun = np.cumsum(counts.n.sum(axis=1), axis=1) > 0
        for _ in range(2):
            self._shape = _shapes(n, sorts, self._kind, kinds, weight)
            self._levels(n, sorts, weight * begun)
            mean = self._level[:, :, None] * self._shape[self._kind][:, :, sorts] * begun[:, None, :]
            self._dispersion = _dispersion(n, mean, weight)
            n = _tempered(n, mean, self._dispersion)
        self._lift_now = self._lifts(counts.n, mean, size - _LIFT_DAYS, size)
        # Of the weeks before the judged one: a cluster must not lift its own measure.
        self._lift_before = self._lifts(counts.n, mean, size - GUARD - _LIFT_DAYS, size - GUARD)

    def _levels(self, n: Array, sorts: NDArray[np.int64], weight: Array) -> None:
        """``weight``: of each unit's days, (units, days)."""
        exposure = np.einsum("ugd,ud->ug", self._shape[self._kind][:, :, sorts], weight)
        found = (n * weight[:, None, :]).sum(axis=2)
        # Pooled over the peers of a kind; half a hazard so that no group is thought impossible.
        rate = np.zeros_like(exposure)
        for kind in range(self._shape.shape[0]):
            own = self._kind == kind
            rate[own] = (found[own].sum(axis=0) + 0.5) / (exposure[own].sum(axis=0) + 1.0)
        usual = (exposure * rate)[:, :-1].sum(axis=1)
        activity = (found[:, :-1].sum(axis=1) + _ACTIVITY) / (usual + _ACTIVITY)
        prior = rate * activity[:, None]
        self._belief = found + _LEVEL
        self._level = self._belief / (exposure + _LEVEL / prior)

    def _lifts(self, n: NDArray[np.int32], mean: Array, start: int, end: int) -> Array:
        """Observed over expected of the peers without the unit itself, (units, groups), shrunk to 1."""
        seen = n[:, :, max(0, start) : max(0, end)].sum(axis=2).astype(np.float64)
        due = mean[:, :, max(0, start) : max(0, end)].sum(axis=2)
        lift = np.ones_like(due)
        for kind in range(self._shape.shape[0]):
            own = self._kind == kind
            others, usual = seen[own].sum(axis=0) - seen[own], due[own].sum(axis=0) - due[own]
            lift[own] = (others + _LIFT) / (usual + _LIFT)
        bounded: Array = np.clip(lift, *_LIFT_RANGE)
        return bounded

    def fractions(self, start: datetime, end: datetime) -> Array:
        """How much of each sort of day lies between two instants, by when in a day hazards are found; shape (sorts,)."""
        found = np.zeros(SORTS)
        first, last = start.astimezone(SHANGHAI), end.astimezone(SHANGHAI)
        day = first.date()
        while day <= last.date():
            begins = self._elapsed_at(first) if day == first.date() else 0.0
            ends = self._elapsed_at(last) if day == last.date() else 1.0
            found[self._days.sort(day)] += max(0.0, ends - begins)
            day += timedelta(days=1)
        return found

    def _elapsed_at(self, local: datetime) -> float:
        at, part = local.hour, local.minute / 60 + local.second / 3600
        return float(self._elapsed[at] + (self._elapsed[at + 1] - self._elapsed[at]) * part)

    def one(self, unit: str, group: str, fractions: Array) -> Expected:
        """Of one unit and group, as its peers move now."""
        u, g = self.units[unit], self.groups[group]
        mean = float(self._level[u, g] * (self._shape[self._kind[u], g] @ fractions) * self._lift_now[u, g])
        return Expected(mean, float(self._dispersion[g]) * mean + mean * mean / float(self._belief[u, g]))

    def all_units(self, group: str, fractions: Array) -> tuple[Array, Array]:
        """Means and variances of one group in every unit, as the peers moved before the judged week; shapes (units,)."""
        g = self.groups[group]
        mean = self._level[:, g] * (self._shape[:, g] @ fractions)[self._kind] * self._lift_before[:, g]
        return mean, self._dispersion[g] * mean + mean * mean / self._belief[:, g]


def _shapes(n: Array, sorts: NDArray[np.int64], kind: NDArray[np.int64], kinds: int, weight: Array) -> Array:
    """Relative intensity by kind, group and sort of day; 1 is a mean working day in term."""
    groups = n.shape[1]
    shape = np.ones((kinds, groups, SORTS))
    many = np.bincount(sorts[weight > 0], minlength=SORTS).astype(np.float64)
    for k in range(kinds):
        own = n[kind == k]
        found = np.zeros((groups, SORTS))
        for sort in range(SORTS):
            found[:, sort] = own[:, :, (sorts == sort) & (weight > 0)].sum(axis=(0, 2))
        whole = found[:-1].sum(axis=0)
        base = (whole[:FREE].sum() + 1.0) / (many[:FREE].sum() + 1.0)
        prior = np.array([_PRIOR_SHAPE.get(sort, 1.0) for sort in range(SORTS)])
        pooled = (whole + _SHAPE * prior) / (base * many + _SHAPE)
        rate = (found.sum(axis=1) + 0.5) / (pooled @ many + 1.0)
        shape[k] = pooled * (found + _SHAPE) / (rate[:, None] * pooled * many + _SHAPE)
    return shape


def _dispersion(n: Array, mean: Array, weight: Array) -> Array:
    """Variance over mean of weekly counts by group, outbreaks left out; shape (groups,)."""
    weeks = int((weight > 0).sum()) // 7
    if weeks < 2:
        return np.full(n.shape[1], 2.0)
    start = int((weight > 0).sum()) - weeks * 7
    seen = n[:, :, start : start + weeks * 7].reshape(*n.shape[:2], weeks, 7).sum(axis=3)
    due = mean[:, :, start : start + weeks * 7].reshape(*n.shape[:2], weeks, 7).sum(axis=3)
    squares = np.minimum((seen - due) ** 2, (_EDGE**2) * 2.0 * due + 1.0)
    value: Array = np.clip(squares.sum(axis=(0, 2)) / np.maximum(due.sum(axis=(0, 2)), 1e-9), *_DISPERSION_RANGE)
    return value


def _tempered(n: Array, mean: Array, dispersion: Array) -> Array:
    """Counts with weeks beyond the edge brought down to it, day by day in proportion."""
    week, due = _weekly(n), _weekly(mean)
    most = due + _EDGE * np.sqrt(dispersion[None, :, None] * due) + 1.0
    tempered: Array = n * np.where(week > most, most / np.maximum(week, 1e-9), 1.0)
    return tempered


def _weekly(n: Array) -> Array:
    """The sum of each day with three before and three after it."""
    summed = np.cumsum(np.pad(n, ((0, 0), (0, 0), (4, 3))), axis=2)
    week: Array = summed[:, :, 7:] - summed[:, :, :-7]
    return week


def _elapsed(hours: Sequence[float]) -> Array:
    """Share of a day's hazards found by each full hour, 25 values from 0 to 1; even where nothing is known."""
    told = np.array(hours, dtype=np.float64) + 1.0
    return np.concatenate([[0.0], np.cumsum(told) / told.sum()])
