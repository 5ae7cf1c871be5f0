"""The written stories, streamed as landing does: a loose guard on the figures of docs/duplicates.md."""

import hashlib
import json
from datetime import timedelta

import pytest

from models.duplicates import score
from models.duplicates.find import Told
from models.duplicates.fit import PARTS, C, comparisons, fitted
from models.duplicates.score import weights
from models.duplicates.stories import CORPUS, START, Line, Pairs, load, play


def groups(part: str) -> int:
    return len({line.group for lines in load(part).values() for line in lines})


def test_the_stories_are_large_enough_and_no_hazard_is_at_two_units() -> None:
    assert groups("test") >= 300
    assert groups("train") >= 200
    for part in ("train", "dev", "test"):
        units = load(part)
        homes = [(line.group, unit) for unit, lines in units.items() for line in lines]
        assert len({group for group, _ in homes}) == len(set(homes))


def test_the_weights_were_fitted_on_these_stories_and_not_on_the_test_part() -> None:
    made_of = json.loads(score.FILE.read_text("utf-8"))["model"]["made_of"]
    assert made_of == {part: hashlib.sha256((CORPUS / f"{part}.jsonl").read_bytes()).hexdigest() for part in PARTS}
    assert "test" not in made_of


def test_fitting_again_gives_the_same_numbers() -> None:
    rows = [row for part in PARTS for lines in load(part).values() for row in comparisons(lines)]
    again = fitted(rows, weights().same, weights().grey)
    assert C > 0
    assert again.bias == pytest.approx(weights().bias, abs=2e-3)
    assert dict(again.weights) == pytest.approx(dict(weights().weights), abs=2e-3)


def test_what_is_attached_by_itself_is_nearly_always_right() -> None:
    played = play(load("dev"))
    assert played.attached.precision >= 0.97
    assert played.attached.recall >= 0.45
    assert played.helped.recall >= 0.85
    assert played.suggested_right >= played.suggested / 2


def line(group: str, minute: int, text: str, place: str | None) -> Line:
    return Line(group, "x", "0101", Told(text, place, START + timedelta(minutes=minute)))


def test_pairs_are_counted_over_all_reports_of_a_unit() -> None:
    lines = [
        line("a", 0, "三号楼二层安全出口被锁", "3号楼二层"),
        line("a", 5, "三号楼二层安全出口被锁！", "3号楼二层"),
        line("b", 9, "五号楼一层安全出口被锁", "5号楼一层"),
        line("a", 12, "🔥🔥", None),
    ]
    played = play({"x": lines})
    assert played.attached == Pairs(right=1, wrong=0, missed=2)
    assert (played.attached.precision, played.attached.recall) == (1.0, pytest.approx(1 / 3))
    assert Pairs().precision == Pairs().recall == 1.0
