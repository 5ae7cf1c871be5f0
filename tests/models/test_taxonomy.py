"""The taxonomy as stored: its size, its codes, its confidential lanes."""

import re

import pytest

from models.taxonomy import OTHER, categories, is_confidential, subcategories, subcategory

# The CAP 1.2 list of categories.
CAP = {
    "Geo",
    "Met",
    "Safety",
    "Security",
    "Rescue",
    "Fire",
    "Health",
    "Env",
    "Transport",
    "Infra",
    "CBRNE",
    "Other",
}


def test_there_are_14_categories_62_subcategories_and_other() -> None:
    assert list(categories()) == [f"{n:02d}" for n in range(1, 15)] + ["99"]
    assert len(set(subcategories()) - {OTHER}) == 62
    assert OTHER in subcategories()


def test_a_code_is_four_digits_and_begins_with_its_category() -> None:
    for code, sub in subcategories().items():
        assert re.fullmatch(r"\d{4}", code)
        assert sub.code == code
        assert sub.category == code[:2]
        assert sub.category_name == categories()[code[:2]]


def test_every_subcategory_has_a_name_of_its_own_and_a_cap_category() -> None:
    subs = subcategories().values()
    assert len({sub.name for sub in subs}) == len(subs)
    assert {sub.cap_category for sub in subs} <= CAP
    assert all(sub.event_class for sub in subs)


def test_every_subcategory_but_other_has_example_phrases() -> None:
    assert [code for code, sub in subcategories().items() if not sub.phrases and code != OTHER] == []


def test_mental_health_and_bullying_are_the_confidential_lanes() -> None:
    assert {code[:2] for code in subcategories() if is_confidential(code)} == {"09", "10"}
    assert all(is_confidential(code) for code in subcategories() if code[:2] in ("09", "10"))


@pytest.mark.parametrize("code", ["", "01", "0199", "9999", "abcd", "01010"])
def test_an_unknown_code_is_named(code: str) -> None:
    with pytest.raises(KeyError, match=f"unknown subcategory '{code}'"):
        subcategory(code)
    with pytest.raises(KeyError, match="unknown subcategory"):
        is_confidential(code)


def test_the_taxonomy_cannot_be_changed_by_who_reads_it() -> None:
    with pytest.raises(TypeError):
        subcategories()["0101"] = subcategory(OTHER)  # type: ignore[index]
    with pytest.raises(TypeError):
        categories()["01"] = "x"  # type: ignore[index]


def test_no_category_is_for_opinions_belief_petitions_or_speech() -> None:
    words = ("舆情", "舆论", "信访", "上访", "宗教", "信仰", "言论", "思想")
    named = [sub.name for sub in subcategories().values()] + list(categories().values())
    assert [name for name in named if any(word in name for word in words)] == []
