"""Levels: their order, and the two scores that lead to one."""

import itertools
from fractions import Fraction

import pytest

from models.levels import LEC_CONSEQUENCE, LEC_EXPOSURE, LEC_LIKELIHOOD, Level, banded, by_lec, by_ls, gravest


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


@pytest.mark.parametrize(("likelihood", "severity"), list(itertools.product(range(1, 6), repeat=2)))
def test_ls_follows_the_published_bands(likelihood: int, severity: int) -> None:
    score = likelihood * severity
    expected = "red" if score >= 17 else "orange" if score >= 11 else "yellow" if score >= 5 else "blue"
    assert by_ls(likelihood, severity) == expected


@pytest.mark.parametrize(
    ("likelihood", "severity", "name"), [(0, 3, "likelihood"), (3, 6, "severity"), (-1, 1, "likel")]
)
def test_ls_out_of_scale_names_the_score(likelihood: int, severity: int, name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}.*from 1 to 5"):
        by_ls(likelihood, severity)


def test_lec_follows_the_published_bands_for_every_combination_of_steps() -> None:
    steps = itertools.product(LEC_LIKELIHOOD, LEC_EXPOSURE, LEC_CONSEQUENCE)
    for likelihood, exposure, consequence in steps:
        # Exact, so that a rounding error at an edge would show.
        score = Fraction(str(likelihood)) * Fraction(str(exposure)) * consequence
        expected = "red" if score >= 320 else "orange" if score >= 160 else "yellow" if score >= 70 else "blue"
        assert by_lec(likelihood, exposure, consequence) == expected, (likelihood, exposure, consequence)


@pytest.mark.parametrize(
    ("scores", "name"), [((4, 6, 40), "likelihood"), ((6, 4, 40), "exposure"), ((6, 6, 41), "cons")]
)
def test_lec_takes_only_its_published_steps(scores: tuple[float, float, float], name: str) -> None:
    with pytest.raises(ValueError, match=f"{name}.*choose one of"):
        by_lec(*scores)


def test_bands_are_configuration() -> None:
    strict = ((10, Level.RED), (1, Level.BLUE))
    assert by_ls(2, 5, strict) is Level.RED
    assert by_ls(3, 3, strict) is Level.BLUE
    assert by_lec(1, 1, 15, ((15, Level.ORANGE), (0, Level.BLUE))) is Level.ORANGE


@pytest.mark.parametrize(
    ("score", "level"), [(17, "red"), (16.99, "orange"), (11, "orange"), (5, "yellow"), (1, "blue")]
)
def test_a_band_begins_at_its_lower_edge(score: float, level: str) -> None:
    assert banded(score, ((17, Level.RED), (11, Level.ORANGE), (5, Level.YELLOW), (1, Level.BLUE))) == level


@pytest.mark.parametrize("score", [0.5, -1, float("nan")])
def test_a_score_below_every_band_is_refused(score: float) -> None:
    with pytest.raises(ValueError, match="lowest edge is 1"):
        banded(score, ((2, Level.RED), (1, Level.BLUE)))
