"""The corpus is wide enough, its parts are strangers to each other, and the test part stays as it was written."""

import re
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from models.classifier.examples import DEV, TEST, TRAIN, Example, files, fingerprint, load
from models.classifier.text import clean, masked
from models.taxonomy import subcategories

PARTS = {"train": load(TRAIN), "dev": load(DEV), "test": load(TEST)}
# Two texts that share half of their character pairs say the same with a word changed.
NEAR = 0.5
# Written once, apart from the training part, and never changed for a better figure.
FROZEN = "cad61c7912e78d0d2aaa1319c5b54108a12664f4dcb18d542957133d72d30b8c"


def pairs(text: str) -> frozenset[str]:
    plain = re.sub(r"[^0-9a-z\u4e00-\u9fff]", "", masked(clean(text).text))
    return frozenset(plain[place : place + 2] for place in range(max(len(plain) - 1, 1)))


def test_the_test_part_is_frozen() -> None:
    assert fingerprint(files(TEST)) == FROZEN


def test_every_subcategory_is_written_about_in_both_parts() -> None:
    trained = Counter(label for one in PARTS["train"] for label in one.labels)
    tested = Counter(label for one in PARTS["test"] for label in one.labels)
    for code in subcategories():
        assert trained[code] >= 100, code
        assert tested[code] >= 12, code


def test_the_parts_are_as_large_as_said() -> None:
    assert len(PARTS["train"]) >= 4000
    assert len(PARTS["test"]) >= 800
    assert sum(not one.raises for one in PARTS["train"]) >= 1000
    assert sum(not one.raises for one in PARTS["test"]) >= 150


def test_no_test_sentence_is_nearly_a_training_sentence() -> None:
    trained = [(one.text, pairs(one.text)) for one in PARTS["train"]]
    holding: dict[str, list[int]] = defaultdict(list)
    for place, (_, theirs) in enumerate(trained):
        for pair in theirs:
            holding[pair].append(place)
    near = []
    for one in (*PARTS["test"], *PARTS["dev"]):
        mine = pairs(one.text)
        shared = Counter(place for pair in mine for place in holding[pair])
        near += [
            (one.text, trained[place][0])
            for place, count in shared.items()
            if count / (len(mine) + len(trained[place][1]) - count) >= NEAR and len(mine) > 3
        ]
    assert near == []


def test_no_sentence_stands_in_two_parts() -> None:
    seen = [{one.text for one in part} for part in PARTS.values()]
    assert not (seen[0] & seen[1] | seen[0] & seen[2] | seen[1] & seen[2])


@pytest.mark.parametrize("part", PARTS.values(), ids=PARTS)
def test_no_phone_or_identity_number_is_in_the_corpus(part: list[Example]) -> None:
    assert [one.text for one in part if re.search(r"1[3-9]\d{9}|\d{17}[\dXx]", one.text)] == []


def test_a_direct_example_is_red_and_raises() -> None:
    assert all(one.raises and one.level == "red" for part in PARTS.values() for one in part if one.direct)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("@0107 officer red\nx", "line 1: unknown subcategories 0107"),
        ("@0101 officer\nx", "line 1: a header is"),
        ("@0101 officer red major\nx", "line 1: a header is"),
        ("@0101 officer purple\nx", "line 1: purple is no level"),
        ("@- officer red\nx", "line 1: red is no reason"),
        ("# said\nx", "line 2: a sentence before the first header"),
    ],
)
def test_a_broken_line_names_file_and_line(tmp_path: Path, lines: str, sentence: str) -> None:
    (tmp_path / "some.txt").write_text(lines, "utf-8")
    with pytest.raises(ValueError, match=rf"some\.txt {sentence}"):
        load(tmp_path)


def test_a_folder_without_texts_is_no_corpus(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="holds no"):
        load(tmp_path)
