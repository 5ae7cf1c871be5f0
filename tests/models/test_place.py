"""Coordinates: the inverse of the GCJ-02 offset against the published forward transform, written here anew."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.place import Bounds, Crs, from_gcj02
from tests.factories import steady

# Metres on a degree of latitude, near enough for a tolerance.
METRES = 111_320.0


def to_gcj02(lon: float, lat: float) -> tuple[float, float]:
    """WGS-84 to GCJ-02, as published: the terms one by one, so that no slip of the module's can hide."""
    a, ee = 6378245.0, 0.00669342162296594323
    x, y = lon - 105, lat - 35

    def wave(amplitude: float, angle: float) -> float:
        return amplitude * math.sin(angle * math.pi) * 2 / 3

    north = sum(
        (
            -100.0,
            2 * x,
            3 * y,
            0.2 * y**2,
            0.1 * x * y,
            0.2 * abs(x) ** 0.5,
            wave(20, 6 * x),
            wave(20, 2 * x),
            wave(20, y),
            wave(40, y / 3),
            wave(160, y / 12),
            wave(320, y / 30),
        )
    )
    east = sum(
        (
            300.0,
            x,
            2 * y,
            0.1 * x**2,
            0.1 * x * y,
            0.1 * abs(x) ** 0.5,
            wave(20, 6 * x),
            wave(20, 2 * x),
            wave(20, x),
            wave(40, x / 3),
            wave(150, x / 12),
            wave(300, x / 30),
        )
    )
    phi = math.radians(lat)
    w = 1 - ee * math.sin(phi) ** 2
    meridian, normal = a * (1 - ee) / w**1.5, a / w**0.5
    return lon + math.degrees(east / (normal * math.cos(phi))), lat + math.degrees(north / meridian)


def metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Distance of two near points."""
    east = (one[0] - other[0]) * math.cos(math.radians(one[1])) * METRES
    return math.hypot(east, (one[1] - other[1]) * METRES)


def test_a_point_in_the_city_is_moved_by_hundreds_of_metres() -> None:
    here = (121.55, 29.87)
    assert 300 < metres(to_gcj02(*here), here) < 800


def test_a_point_in_the_city_comes_back_to_where_it_was() -> None:
    here = (121.55, 29.87)
    assert metres(from_gcj02(*to_gcj02(*here)), here) < 0.01


def test_a_known_pair_is_converted_to_the_known_point() -> None:
    # 121.55° E, 29.87° N; its GCJ-02 pair computed once with the transform above.
    assert from_gcj02(121.554158005, 29.867417031) == pytest.approx((121.55, 29.87), abs=1e-7)


@steady
@given(st.floats(73, 136), st.floats(3.5, 54))
def test_the_way_there_and_back_ends_within_a_metre_all_over_the_country(lon: float, lat: float) -> None:
    assert metres(from_gcj02(*to_gcj02(lon, lat)), (lon, lat)) < 1.0


@pytest.mark.parametrize(
    ("lon", "lat", "inside"),
    [
        (121.5, 29.9, True),
        (120.9, 28.8, True),
        (122.3, 30.4, True),
        (120.8999, 29.9, False),
        (122.3001, 29.9, False),
        (121.5, 28.7999, False),
        (121.5, 30.4001, False),
        (29.9, 121.5, False),
        (0.0, 0.0, False),
        (math.nan, 29.9, False),
    ],
)
def test_bounds_hold_their_edges_and_nothing_beyond(lon: float, lat: float, inside: bool) -> None:
    assert Bounds(120.9, 28.8, 122.3, 30.4).hold(lon, lat) is inside


def test_three_systems_may_be_named() -> None:
    assert [crs.value for crs in Crs] == ["WGS-84", "CGCS2000", "GCJ-02"]
