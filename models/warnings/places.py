"""Which units are neighbours: the ground on which clusters are looked for."""

from collections.abc import Iterable, Sequence
from math import cos, radians

import numpy as np

from models.units import Unit

# The largest circle: as many units as a town or a university town has.
NEAREST = 12


def neighbours(units: Sequence[Unit], most: int = NEAREST) -> dict[str, tuple[str, ...]]:
    """For each unit itself and its nearest, nearest first. A unit without coordinates stands alone."""
    placed = [unit for unit in units if unit.lon is not None and unit.lat is not None]
    found: dict[str, tuple[str, ...]] = {unit.code: (unit.code,) for unit in units}
    if not placed:
        return found
    points = np.array([[(unit.lon or 0.0) * cos(radians(unit.lat or 0.0)), unit.lat or 0.0] for unit in placed])
    codes = [unit.code for unit in placed]
    for at, unit in enumerate(placed):
        # By distance, and by code where several stand on one spot, so that the same units give the same circles.
        distance = ((points - points[at]) ** 2).sum(axis=1)
        order = sorted(range(len(placed)), key=lambda other: (other != at, float(distance[other]), codes[other]))
        found[unit.code] = tuple(codes[other] for other in order[:most])
    return found


def lowest(paths: Iterable[str]) -> str:
    """The code of the lowest unit that holds all these paths."""
    steps = [path.strip("/").split("/") for path in paths]
    common: list[str] = [column[0] for column in zip(*steps, strict=False) if len(set(column)) == 1]
    return common[-1]
