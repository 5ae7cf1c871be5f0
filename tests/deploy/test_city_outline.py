"""Outlines: neighbours keep one border when vertices are thinned."""

from deploy.cities.outline import inside, rings, simplified

STEPS = 200
# A border between two squares that trembles less than the tolerance.
BORDER = [(1.0 + (0.0005 if step % 2 else 0.0), step / STEPS) for step in range(STEPS + 1)]


def squares() -> dict[str, list[list[tuple[float, float]]]]:
    west = [(0.0, 0.0), *BORDER, (0.0, 1.0)]
    east = [(2.0, 1.0), *reversed(BORDER), (2.0, 0.0)]
    return {"west": [west], "east": [east]}


def test_a_shared_border_stays_shared_and_loses_vertices() -> None:
    thin = simplified(squares())
    west, east = set(thin["west"][0]), set(thin["east"][0])
    assert len(west) < 10
    assert {point for point in west if point[0] >= 1.0} == {point for point in east if point[0] < 1.5}


def test_a_point_is_inside_one_of_the_two() -> None:
    thin = simplified(squares())
    assert inside((0.5, 0.5), thin["west"][0])
    assert not inside((0.5, 0.5), thin["east"][0])


def test_repeated_vertices_and_the_closing_one_are_dropped() -> None:
    polygon = {"type": "Polygon", "coordinates": [[[0, 0], [0, 0], [1, 0], [1, 1], [0, 0]]]}
    (ring,) = rings(polygon)
    assert sorted(ring) == [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0)]
