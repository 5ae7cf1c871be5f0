"""The corpus is wide enough, and its two parts are strangers to each other."""

import re
from collections import Counter
from pathlib import Path

import pytest

from models.classifier.examples import CORPUS, Example, load
from models.classifier.text import clean, masked
from models.taxonomy import subcategories

TRAIN = load(CORPUS / "train.jsonl")
TEST = load(CORPUS / "test.jsonl")
# Two texts that share every second trigram say the same with a word changed.
NEAR = 0.5


def grams(text: str) -> set[str]:
    plain = masked(clean(text).text)
    return {plain[place : place + 3] for place in range(max(len(plain) - 2, 1))}


def test_every_subcategory_is_written_about_in_both_parts() -> None:
    trained = Counter(label for one in TRAIN if one.raises for label in one.labels)
    tested = Counter(label for one in TEST if one.raises for label in one.labels)
    for code in subcategories():
        assert trained[code] >= (20 if code != "9900" else 10), code
        assert tested[code] >= (5 if code != "9900" else 3), code


def test_the_parts_are_as_large_as_said() -> None:
    assert len(TRAIN) >= 1500
    assert len(TEST) >= 300
    assert sum(not one.raises for one in TRAIN) >= 200


def test_nobody_writes_in_both_parts() -> None:
    assert not {one.origin for one in TRAIN} & {one.origin for one in TEST}


def test_no_test_sentence_is_nearly_a_training_sentence() -> None:
    trained = [(one.text, grams(one.text)) for one in TRAIN]
    near = [
        (one.text, text)
        for one in TEST
        for text, theirs in trained
        if len(mine := grams(one.text)) and len(mine & theirs) / len(mine | theirs) >= NEAR
    ]
    assert near == []


def test_no_sentence_stands_twice() -> None:
    assert [text for text, count in Counter(one.text for one in (*TRAIN, *TEST)).items() if count > 1] == []


@pytest.mark.parametrize("part", [TRAIN, TEST], ids=["train", "test"])
def test_no_phone_or_identity_number_is_in_the_corpus(part: list[Example]) -> None:
    assert [one.text for one in part if re.search(r"1[3-9]\d{9}|\d{17}[\dXx]", one.text)] == []


def test_a_direct_example_is_red_and_raises() -> None:
    assert all(one.raises and one.level == "red" for one in (*TRAIN, *TEST) if one.direct)


def test_a_broken_line_names_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    path.write_text('{"text":"x","labels":["0107"],"raises":true,"direct":false,"origin":"officer"}\n', "utf-8")
    with pytest.raises(ValueError, match=r"train\.jsonl line 1: unknown subcategories \['0107'\]"):
        load(path)
