"""Coordinates: which system they are in, whether they lie in the city, and the conversion at the door.

WGS-84 and CGCS2000 differ by centimetres and are stored as they come, with their name. GCJ-02 (the maps of phones in
China) is off by hundreds of metres: it is converted to WGS-84 when it arrives and never stored silently (domain §9).
"""

import math
from dataclasses import dataclass
from enum import StrEnum

# Ellipsoid of the GCJ-02 offset (Krasovsky 1940), as the published transformation uses it.
_A, _EE = 6378245.0, 0.00669342162296594323
# The inverse has no closed form; each step shrinks the error some thousandfold, so this ends far below a millimetre.
_INVERSE_STEPS = 4


class Crs(StrEnum):
    """Coordinate reference systems that a record may name."""

    WGS84 = "WGS-84"
    CGCS2000 = "CGCS2000"
    GCJ02 = "GCJ-02"


@dataclass(frozen=True, slots=True)
class Bounds:
    """The rectangle that holds the city, in degrees."""

    west: float
    south: float
    east: float
    north: float

    def hold(self, lon: float, lat: float) -> bool:
        """Whether a point lies inside."""
        return self.west <= lon <= self.east and self.south <= lat <= self.north


# The rectangle in which GCJ-02 is defined at all, as its published transformation gives it.
_DEFINED = Bounds(west=72.004, south=0.8293, east=137.8347, north=55.8271)


def from_gcj02(lon: float, lat: float) -> tuple[float, float]:
    """GCJ-02 degrees to WGS-84 degrees; outside the country the two are the same."""
    if not _DEFINED.hold(lon, lat):
        return lon, lat
    guess_lon, guess_lat = lon, lat
    for _ in range(_INVERSE_STEPS):
        off_lon, off_lat = _gcj02_offset(guess_lon, guess_lat)
        guess_lon, guess_lat = lon - off_lon, lat - off_lat
    return guess_lon, guess_lat


def _gcj02_offset(lon: float, lat: float) -> tuple[float, float]:
    x, y = lon - 105.0, lat - 35.0
    waves = 20.0 * math.sin(6.0 * x * math.pi) + 20.0 * math.sin(2.0 * x * math.pi)
    d_lat = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * math.sqrt(abs(x)) + waves * 2 / 3
    d_lat += (20.0 * math.sin(y * math.pi) + 40.0 * math.sin(y / 3.0 * math.pi)) * 2 / 3
    d_lat += (160.0 * math.sin(y / 12.0 * math.pi) + 320.0 * math.sin(y * math.pi / 30.0)) * 2 / 3
    d_lon = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * math.sqrt(abs(x)) + waves * 2 / 3
    d_lon += (20.0 * math.sin(x * math.pi) + 40.0 * math.sin(x / 3.0 * math.pi)) * 2 / 3
    d_lon += (150.0 * math.sin(x / 12.0 * math.pi) + 300.0 * math.sin(x / 30.0 * math.pi)) * 2 / 3
    rad = lat / 180.0 * math.pi
    magic = 1 - _EE * math.sin(rad) ** 2
    root = math.sqrt(magic)
    return (
        d_lon * 180.0 / (_A / root * math.cos(rad) * math.pi),
        d_lat * 180.0 / (_A * (1 - _EE) / (magic * root) * math.pi),
    )
