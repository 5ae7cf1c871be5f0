"""Levels: their order, and the two scores that lead to one."""

import itertools

import pytest

from models.levels import Level, gravest


def test_ranks_run_from_red_one_to_blue_four() -> None:
    assert [(level.value, level.rank, level.label) for level in Level] == [
        ("red", 1, "红"),
        ("orange", 2, "橙"),
        ("yellow", 3, "黄"),
        ("blue", 4, "蓝"),
    ]


def test_red_and_orange_are_urgent_and_no_other() -> None:
    assert [level for level in Level if level.urgent] == [Level.RED, Level.ORANGE]


@pytest.mark.parametrize("levels", list(itertools.permutations(Level)))
def test_the_gravest_does_not_depend_on_order(levels: tuple[Level, ...]) -> None:
    assert gravest(levels) is Level.RED
    assert gravest(level for level in levels if level is not Level.RED) is Level.ORANGE


def test_the_gravest_of_none_is_an_error() -> None:
    with pytest.raises(ValueError, match="empty"):
        gravest([])
