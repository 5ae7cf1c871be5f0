"""The four levels (突发事件应对法 2024 §63). The scores that lead to one: models/scales.py."""

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


def gravest(levels: Iterable[Level]) -> Level:
    """The highest of several levels. Raises ``ValueError`` on none."""
    return min(levels, key=lambda level: level.rank)
