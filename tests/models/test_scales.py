"""LS and LEC: every score against the published bands, refusals in the officer's words, bands as configuration."""

import itertools
from fractions import Fraction
from typing import Any

import pytest

from models.levels import Level
from models.scales import (
    LEC_CONSEQUENCE,
    LEC_EXPOSURE,
    LEC_LIKELIHOOD,
    LS_LIKELIHOOD,
    LS_SEVERITY,
    LevelBands,
    banded,
    scored,
    words,
)


def ls(likelihood: Any, severity: Any, bands: LevelBands | None = None) -> Level:
    return scored("ls", {"likelihood": likelihood, "severity": severity}, bands).level


def lec(likelihood: Any, exposure: Any, consequence: Any, bands: LevelBands | None = None) -> Level:
    return scored("lec", {"likelihood": likelihood, "exposure": exposure, "consequence": consequence}, bands).level


@pytest.mark.parametrize(("likelihood", "severity"), list(itertools.product(LS_LIKELIHOOD, LS_SEVERITY)))
def test_ls_follows_the_published_bands(likelihood: int, severity: int) -> None:
    score = likelihood * severity
    expected = "red" if score >= 17 else "orange" if score >= 11 else "yellow" if score >= 5 else "blue"
    assert ls(likelihood, severity) == expected


def test_lec_follows_the_published_bands_for_every_combination_of_steps() -> None:
    for likelihood, exposure, consequence in itertools.product(LEC_LIKELIHOOD, LEC_EXPOSURE, LEC_CONSEQUENCE):
        # Exact, so that a rounding error at an edge would show.
        score = Fraction(str(likelihood)) * Fraction(str(exposure)) * Fraction(str(consequence))
        expected = "red" if score >= 320 else "orange" if score >= 160 else "yellow" if score >= 70 else "blue"
        assert lec(likelihood, exposure, consequence) == expected, (likelihood, exposure, consequence)


@pytest.mark.parametrize(
    ("scale", "parts", "sentence"),
    [
        ("ls", {"likelihood": 0, "severity": 3}, "可能性（likelihood）只能取 5、4、3、2、1，不能是 0"),
        ("ls", {"likelihood": 3, "severity": 6}, "严重性"),
        ("ls", {"likelihood": True, "severity": 3}, "可能性"),
        ("ls", {"likelihood": 3}, "须给出 likelihood、severity"),
        ("ls", {"likelihood": 3, "severity": 3, "exposure": 1}, "须给出"),
        ("lec", {"likelihood": 6, "exposure": 4, "consequence": 40}, "暴露频次"),
        ("lec", {}, "不能是 空"),
        ("fmea", {"likelihood": 1}, "没有评分法"),
    ],
)
def test_what_is_no_score_is_refused_in_words(scale: str, parts: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        scored(scale, parts)


def test_a_score_says_in_words_what_it_means() -> None:
    score = scored("ls", {"likelihood": 5, "severity": 4})
    assert (score.product, score.level) == (20, Level.RED)
    assert score.reasons[0].startswith("可能性 5：正在发生")
    assert score.as_dict()["level"] == "red"


def test_bands_are_configuration() -> None:
    strict = LevelBands.of({"levels": {"ls": [10, 9, 8], "lec": [15, 10, 5]}})
    assert ls(2, 5, strict) is Level.RED
    assert ls(1, 5, strict) is Level.BLUE
    assert lec(1, 1, 15, strict) is Level.RED
    assert LevelBands.of(None) == LevelBands.of({}) == LevelBands()


@pytest.mark.parametrize("edges", [[17, 11], [11, 17, 5], [17, 11, 11], [17, 11, 1], []])
def test_bands_that_do_not_fall_are_refused(edges: list[float]) -> None:
    with pytest.raises(ValueError, match="依次递减"):
        LevelBands.of({"levels": {"ls": edges}})


@pytest.mark.parametrize(
    ("score", "level"), [(17, "red"), (16.99, "orange"), (11, "orange"), (5, "yellow"), (1, "blue")]
)
def test_a_band_begins_at_its_lower_edge(score: float, level: str) -> None:
    assert banded(score, LevelBands().ls) == level


@pytest.mark.parametrize("score", [0.5, -1, float("nan")])
def test_a_score_below_every_band_is_refused(score: float) -> None:
    with pytest.raises(ValueError, match="lowest edge is 1"):
        banded(score, LevelBands().ls)


def test_every_step_has_its_words() -> None:
    told = words()
    assert {scale: list(parts) for scale, parts in told.items()} == {
        "ls": ["likelihood", "severity"],
        "lec": ["likelihood", "exposure", "consequence"],
    }
    assert all(step["text"] for parts in told.values() for part in parts.values() for step in part["steps"])
