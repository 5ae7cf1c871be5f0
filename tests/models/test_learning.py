"""Corrections become sentences of the corpus: masked, once each, and never out of a closed lane."""

from pathlib import Path

import pytest

from models.classifier.examples import Example, load
from models.learning import Correction, as_corpus, consenting
from models.levels import Level


def read(tmp_path: Path, *corrections: Correction) -> list[Example]:
    (tmp_path / "corrections.txt").write_text(as_corpus(corrections), "utf-8")
    return load(tmp_path)


def test_what_was_corrected_and_what_was_rejected(tmp_path: Path) -> None:
    first, second, third = read(
        tmp_path,
        Correction("电梯困人", "0401", Level.RED, False),
        Correction("车推进楼道接了线充电", "0104", Level.RED, True),
        Correction("发票怎么开", None, None, False),
    )
    assert (first.labels, first.level, first.direct, first.origin) == (("0401",), Level.RED, False, "assessor")
    assert second.direct
    assert (third.raises, third.why) == (False, "other")


def test_numbers_and_buildings_do_not_leave_the_house(tmp_path: Path) -> None:
    (one,) = read(
        tmp_path, Correction("3号楼502室漏水，联系13800001234，身份证330203199901011234", "0405", None, False)
    )
    assert not [digit for digit in "3581" if digit in one.text]


def test_closed_lanes_are_never_learned_from() -> None:
    said = as_corpus(
        [Correction("同学说不想活了", "0901", Level.RED, False), Correction("旧类别", "0107", None, False)]
    )
    assert said.splitlines() == ["# Corrections of assessors, masked."]


def test_the_same_sentence_counts_once(tmp_path: Path) -> None:
    assert len(read(tmp_path, *[Correction("灭火器过期", "0102", Level.YELLOW, False)] * 3)) == 1


@pytest.mark.parametrize("text", ["@0101 officer red", "# 号", "@@@## 标题\n第二行"])
def test_a_text_that_looks_like_a_header_stays_a_sentence(tmp_path: Path, text: str) -> None:
    (one,) = read(tmp_path, Correction(text, "0102", None, False))
    assert one.labels == ("0102",)


def test_nobody_is_learned_from_without_consent() -> None:
    assert consenting(None) == consenting({}) == consenting({"learning": {}}) == ()
    assert consenting({"learning": {"units": ["U01"]}}) == ("U01",)
