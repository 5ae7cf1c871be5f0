"""Outlines of districts: points in rings, and fewer vertices without gaps between neighbours. Degrees throughout."""

import math
from collections import defaultdict
from typing import Any

Point = tuple[float, float]
Ring = list[Point]

# Some 130 m: 24,000 vertices become some 4,000, and a wall of 4K shows no difference at the scale of a city.
TOLERANCE = 0.0012


def inside(point: Point, ring: Ring) -> bool:
    """Whether a point lies in a ring: an odd number of edges to its right."""
    x, y = point
    crossings = 0
    for (ax, ay), (bx, by) in zip(ring, ring[1:] + ring[:1], strict=True):
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            crossings += 1
    return crossings % 2 == 1


def rings(geometry: dict[str, Any]) -> list[Ring]:
    """Outer rings, open, without repeated vertices (the source has neither holes nor anything finer than 1/1024°)."""
    shapes = geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]
    found = []
    for outer, *_ in shapes:
        points = [(float(x), float(y)) for x, y in outer]
        found.append([point for before, point in zip(points[-1:] + points, points, strict=False) if point != before])
    return found


def simplified(shapes: dict[str, list[Ring]]) -> dict[str, list[Ring]]:
    """Borders shared by two districts are thinned as one line, so that no gaps open between neighbours."""
    owners: defaultdict[Point, set[str]] = defaultdict(set)
    for code, shape in shapes.items():
        for ring in shape:
            for point in ring:
                owners[point].add(code)
    thinned = {code: [_thin_ring(ring, owners) for ring in shape] for code, shape in shapes.items()}
    return {code: [ring for ring in shape if len(ring) > 3] for code, shape in thinned.items()}


def _thin_ring(ring: Ring, owners: dict[Point, set[str]]) -> Ring:
    size = len(ring)
    cuts = [i for i in range(size) if owners[ring[i]] != owners[ring[i - 1]] or len(owners[ring[i]]) > 2]
    if len(cuts) < 2:
        cuts = [0, max(range(size), key=lambda i: math.dist(ring[0], ring[i]))]
    result: Ring = []
    for start, end in zip(cuts, [*cuts[1:], cuts[0] + size], strict=True):
        arc = [ring[i % size] for i in range(start, end + 1)]
        turned = arc[::-1] < arc
        kept = _thin(arc[::-1] if turned else arc)
        result += (kept[::-1] if turned else kept)[:-1]
    return result


def _thin(arc: Ring) -> Ring:
    """Douglas and Peucker: drops vertices nearer than the tolerance to the line between those that stay."""
    if len(arc) < 3:
        return arc
    (ax, ay), (bx, by) = arc[0], arc[-1]
    length = math.hypot(bx - ax, by - ay) or 1.0
    same = arc[0] == arc[-1]
    away = [
        math.dist(arc[0], p) if same else abs((bx - ax) * (ay - p[1]) - (ax - p[0]) * (by - ay)) / length for p in arc
    ]
    far = max(range(len(arc)), key=away.__getitem__)
    return _thin(arc[: far + 1])[:-1] + _thin(arc[far:]) if away[far] > TOLERANCE else [arc[0], arc[-1]]
