"""The four levels, and the scores that lead to one (突发事件应对法 2024 §63; bands are configuration, domain §4)."""

from collections.abc import Iterable
from enum import StrEnum


class Level(StrEnum):
    """A colour. Compare by ``rank``: 1 is the gravest."""

    RED = "red"
    ORANGE = "orange"
    YELLOW = "yellow"
    BLUE = "blue"

    @property
    def rank(self) -> int:
        """1 red, 2 orange, 3 yellow, 4 blue."""
        return _RANK[self]

    @property
    def label(self) -> str:
        """红, 橙, 黄, 蓝."""
        return _LABEL[self]

    @property
    def urgent(self) -> bool:
        """Red and orange: their deadlines count the clock, never duty hours, and they climb when they open."""
        return self.rank <= 2


_RANK = {Level.RED: 1, Level.ORANGE: 2, Level.YELLOW: 3, Level.BLUE: 4}
_LABEL = {Level.RED: "红", Level.ORANGE: "橙", Level.YELLOW: "黄", Level.BLUE: "蓝"}

# Lower edges, gravest first. Published sources differ, so a caller may pass its own.
LS_BANDS: tuple[tuple[float, Level], ...] = ((17, Level.RED), (11, Level.ORANGE), (5, Level.YELLOW), (1, Level.BLUE))
LEC_BANDS: tuple[tuple[float, Level], ...] = (
    (320, Level.RED),
    (160, Level.ORANGE),
    (70, Level.YELLOW),
    (0, Level.BLUE),
)

LEC_LIKELIHOOD = (10, 6, 3, 1, 0.5, 0.2, 0.1)
LEC_EXPOSURE = (10, 6, 3, 2, 1, 0.5)
LEC_CONSEQUENCE = (100, 40, 15, 7, 3, 1)


def gravest(levels: Iterable[Level]) -> Level:
    """The highest of several levels. Raises ``ValueError`` on none."""
    return min(levels, key=lambda level: level.rank)


def banded(score: float, bands: tuple[tuple[float, Level], ...]) -> Level:
    """The level of a score: the first band whose lower edge it reaches."""
    for edge, level in bands:
        if score >= edge:
            return level
    raise ValueError(f"score {score} lies below every band; the lowest edge is {bands[-1][0]}")


def by_ls(likelihood: int, severity: int, bands: tuple[tuple[float, Level], ...] = LS_BANDS) -> Level:
    """Level by L × S, each 1–5."""
    for name, value in (("likelihood", likelihood), ("severity", severity)):
        if value not in range(1, 6):
            raise ValueError(f"{name} {value} is out of scale: LS takes whole numbers from 1 to 5")
    return banded(likelihood * severity, bands)


def by_lec(
    likelihood: float, exposure: float, consequence: float, bands: tuple[tuple[float, Level], ...] = LEC_BANDS
) -> Level:
    """Level by L · E · C; each score must be one of its published steps."""
    for name, value, steps in (
        ("likelihood", likelihood, LEC_LIKELIHOOD),
        ("exposure", exposure, LEC_EXPOSURE),
        ("consequence", consequence, LEC_CONSEQUENCE),
    ):
        if value not in steps:
            raise ValueError(f"{name} {value} is no step of LEC: choose one of {', '.join(map(str, steps))}")
    return banded(likelihood * exposure * consequence, bands)
