"""The same hazard told twice: what is attached, and what stays apart."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.duplicates import Known, Sure, Told, find, flatten, is_resend, same_place, similarity
from tests.factories import NOW, SCHOOL, SIBLING, steady

TEXT = "三号楼二层东侧安全出口被铁链锁住"
ONE, TWO = UUID(int=1), UUID(int=2)


def known(id: UUID = ONE, **fields: Any) -> Known:
    given_fields: dict[str, Any] = {
        "unit": SCHOOL,
        "subcategory": "0101",
        "place": None,
        "text": TEXT,
        "opened_at": NOW,
    }
    return Known(id, **given_fields | fields)


def told(text: str = TEXT, *candidates: Known, place: str | None = None, **fields: Any) -> UUID | None:
    given_fields: dict[str, Any] = {"unit": SCHOOL, "subcategory": "0101", "at": NOW}
    found = find(**given_fields | fields, place=place, text=text, known=candidates or [known()])
    return found.id if found is not None and found.sure is Sure.SAME else None


@pytest.mark.parametrize(
    "again",
    [
        TEXT,
        "三号楼二层，东侧安全出口——被铁链锁住！！",
        "  三号楼 二层 东侧\n安全出口 被铁链锁住。 ",
        "【急】三号楼二层东侧安全出口被铁链锁住🔒",
    ],
)
def test_the_same_words_with_other_punctuation_are_the_same_hazard(again: str) -> None:
    assert told(again) == ONE


def test_width_and_case_do_not_matter() -> None:
    assert flatten("Ａ座３０２，WiFi　Ｂｏｘ") == flatten("a座302wifi box") == "a座302wifibox"


@pytest.mark.parametrize(
    "other", ["食堂后厨燃气软管老化漏气", "操场看台栏杆松动，学生靠上去会摔下来", "🔥🔥🔥", "。", ""]
)
def test_other_words_are_another_hazard(other: str) -> None:
    assert told(other) is None


def test_other_places_stay_apart_even_with_the_same_words() -> None:
    assert told(TEXT, known(place="3号楼2层"), place="5号楼1层") is None


@pytest.mark.parametrize(("one", "other"), [("3号楼2层", "13号楼2层"), ("2层", "12层"), ("教学楼1层", "教学楼11层")])
def test_a_number_that_ends_like_another_is_another_place(one: str, other: str) -> None:
    assert same_place(one, other) is False
    assert same_place(other, one) is False


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("3号楼2层", "３号楼 2层", True),
        ("3号楼", "3号楼2层", True),
        ("3号楼2层", "3号楼", True),
        ("3号楼", "5号楼", False),
        (None, "3号楼", None),
        ("3号楼", "", None),
        (None, None, None),
    ],
)
def test_places_agree_where_one_says_more_than_the_other(one: str | None, other: str | None, same: bool | None) -> None:
    assert same_place(one, other) is same


@pytest.mark.parametrize("nothing", ["。", "—", "？？", " \u3000"])
def test_a_place_that_says_nothing_agrees_with_no_place(nothing: str) -> None:
    assert same_place(nothing, "3号楼2层") is None


def test_other_words_for_the_same_door_at_the_same_place_are_the_same_hazard() -> None:
    again = "二层东侧安全出口打不开，学生下课拥堵"
    assert similarity(again, TEXT) < 0.5
    assert told(again, known(place="3号楼2层"), place="3号楼2层") == ONE
    assert told(again, known(place="5号楼4层"), place="3号楼2层") is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("302寝室插排冒烟", "402寝室插排冒烟"),
        ("1号电梯困人", "2号电梯困人"),
        ("三楼东头灭火器过期", "三楼西头灭火器过期"),
    ],
)
def test_a_number_or_a_side_that_differs_is_another_hazard(one: str, other: str) -> None:
    assert told(other, known(text=one)) is None
    assert told(one, known(text=one)) == ONE


def test_another_unit_or_another_category_stays_apart() -> None:
    assert told(unit=SIBLING) is None
    assert told(subcategory="0401") is None
    assert told(subcategory="0401", labels=("0401", "0101")) == ONE


def test_what_is_confidential_never_meets_what_is_not() -> None:
    assert told(subcategory="1001", labels=("1001", "0101")) is None


def test_a_report_sent_again_is_no_new_witness() -> None:
    heard = known(told=(Told(TEXT, "3号楼2层", NOW, "p:one"),))

    def again(text: str = TEXT + "！", place: str = "3号楼 2层", by: str | None = "p:one", hours: int = 2) -> bool:
        return is_resend(SCHOOL, place, text, by, NOW + timedelta(hours=hours), heard)

    assert again()
    assert not again(by="p:two")
    assert not again(by=None)
    assert not again(place="5号楼")
    assert not again(text=TEXT + "又锁了")
    assert not again(hours=25)


def test_after_thirty_days_the_same_words_tell_of_a_recurrence() -> None:
    assert told(at=NOW + timedelta(days=30)) == ONE
    assert told(at=NOW + timedelta(days=30, microseconds=1)) is None


def test_a_report_from_before_the_opening_can_still_be_the_same() -> None:
    assert told(at=NOW - timedelta(hours=1)) == ONE


def test_the_most_similar_one_wins_wherever_it_stands() -> None:
    nearly = known(TWO, text="三号楼二层东侧安全出口被锁住")
    assert told(TEXT, nearly, known()) == ONE
    assert told(TEXT, known(), nearly) == ONE


def test_of_two_equally_similar_the_first_wins() -> None:
    assert told(TEXT, known(ONE), known(TWO)) == ONE
    assert told(TEXT, known(TWO), known(ONE)) == TWO


def test_nothing_known_means_a_new_hazard() -> None:
    assert find(SCHOOL, "0101", None, TEXT, NOW, []) is None


words = st.text(max_size=40) | st.text(alphabet="三号楼二层安全出口被锁ab1，。 ", max_size=40)


@steady
@given(words, words)
def test_similarity_is_symmetric_and_lies_between_none_and_all(one: str, other: str) -> None:
    assert similarity(one, other) == similarity(other, one)
    assert 0.0 <= similarity(one, other) <= 1.0


@steady
@given(words)
def test_a_text_is_wholly_similar_to_itself_if_it_says_anything(text: str) -> None:
    assert similarity(text, text) == (1.0 if flatten(text) else 0.0)


@steady
@given(words)
def test_flattening_twice_is_flattening_once(text: str) -> None:
    assert flatten(flatten(text)) == flatten(text)


@steady
@given(st.none() | words, st.none() | words)
def test_agreement_of_places_is_symmetric(one: str | None, other: str | None) -> None:
    assert same_place(one, other) is same_place(other, one)
