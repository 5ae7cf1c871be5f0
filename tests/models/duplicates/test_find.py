"""The same hazard told twice: what is attached, what is suggested, and what stays apart."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.duplicates import Found, Known, Sure, Told, find, flatten, is_resend, same_place, similarity
from models.duplicates.score import weights
from tests.factories import NOW, SCHOOL, SIBLING, steady

TEXT = "三号楼二层东侧安全出口被铁链锁住"
PLACE = "3号楼二层东侧"
ONE, TWO = UUID(int=1), UUID(int=2)
DAY = timedelta(days=1)


def known(id: UUID = ONE, **fields: Any) -> Known:
    given_fields: dict[str, Any] = {
        "unit": SCHOOL,
        "subcategory": "0101",
        "place": None,
        "text": TEXT,
        "opened_at": NOW,
    }
    return Known(id, **given_fields | fields)


def found(text: str = TEXT, *candidates: Known, place: str | None = None, **fields: Any) -> Found | None:
    given_fields: dict[str, Any] = {"unit": SCHOOL, "subcategory": "0101", "at": NOW}
    return find(**given_fields | fields, place=place, text=text, known=candidates or [known()])


def told(text: str = TEXT, *candidates: Known, **fields: Any) -> UUID | None:
    """What a report is attached to."""
    one = found(text, *candidates, **fields)
    return one.id if one and one.sure is Sure.SAME else None


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


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("东头那个逃生门挂了把大锁，推不开", "三教2楼东头"),
        ("三教二楼疏散门上锁，打不开", "三教2F"),
        ("巡查：3号楼2层东侧疏散门铁链锁闭，已告知值班员", "3号楼2F东侧"),
        ("二层东侧安全出口打不开，学生下课拥堵", "3号楼2层"),
    ],
)
def test_other_words_for_the_same_thing_at_the_same_place_are_attached(text: str, place: str) -> None:
    assert told(text, known(place=PLACE), place=place) == ONE


@pytest.mark.parametrize(
    ("text", "place"),
    [("楼道里堆满了课桌", "3号楼二层"), ("下课都挤西边，二楼东面那扇门锁着，谁有钥匙", None)],
)
def test_what_is_not_certain_enough_is_suggested_and_not_attached(text: str, place: str | None) -> None:
    one = found(text, known(place=PLACE), place=place)
    assert one is not None
    assert (one.sure, one.id) == (Sure.GREY, ONE)
    assert weights().grey <= one.score < 1


@pytest.mark.parametrize(
    "other", ["食堂后厨燃气软管老化漏气", "操场看台栏杆松动，学生靠上去会摔下来", "🔥🔥🔥", "。", ""]
)
def test_other_words_are_another_hazard(other: str) -> None:
    assert told(other) is None


@pytest.mark.parametrize(
    "place", ["5号楼二层东侧", "3号楼三层东侧", "3号楼二层西侧", "三教二楼西头", "男厕", "设备A1003-18"]
)
def test_other_places_stay_apart_even_with_the_same_words(place: str) -> None:
    there = {"男厕": "女厕", "设备A1003-18": "设备A1003-17"}.get(place, PLACE)
    assert found("安全出口被铁链锁住", known(text="安全出口被铁链锁住", place=there), place=place) is None


def test_a_form_filled_in_for_two_places_tells_of_two_hazards() -> None:
    form = "检查发现灭火器压力不足，请更换"
    assert found(form, known(text=form, place="乙楼"), place="甲楼") is None
    assert told(form, known(text=form, place="甲楼"), place="甲楼") == ONE


def test_a_veto_is_final_whatever_the_weights_say() -> None:
    eager = replace(weights(), bias=40.0, same=0.0, grey=0.0)
    there = known(place="3号楼二层东侧")
    given_fields: dict[str, Any] = {"unit": SCHOOL, "subcategory": "0101", "text": TEXT, "at": NOW, "known": [there]}
    assert find(**given_fields, place="5号楼二层东侧", model=eager) is None
    assert find(**given_fields, place="3号楼", model=eager) is not None


def test_a_room_that_an_earlier_witness_named_counts_for_the_next() -> None:
    first, second = Told("氢气瓶没固定，会倒", "化学楼", NOW), Told("302的氢气瓶没链子", "化院302", NOW)
    both = known(text=first.text, place=first.place, subcategory="0202", told=(first, second))
    there = {"subcategory": "0202", "place": "化学楼402"}
    assert found("402的氢气瓶没固定", both, **there) is None
    assert found("402的氢气瓶没固定", replace(both, told=(first,)), **there) is not None


def test_a_hazard_is_known_by_its_last_tellings_and_not_by_its_first_words_alone() -> None:
    odd = Told("有人在喊，好多人围着", None, NOW)
    plain = Told("3号楼二层东侧安全出口被铁链锁住", PLACE, NOW)
    again = "三教二楼东头疏散门锁着"
    assert told(again, known(text=odd.text, told=(odd,)), place="三教2F") is None
    assert told(again, known(text=odd.text, told=(odd, plain)), place="三教2F") == ONE


def test_another_unit_stays_apart() -> None:
    assert found(unit=SIBLING) is None


def test_two_kinds_of_one_category_need_more_and_another_category_needs_its_label() -> None:
    again, there = "三教二楼疏散门锁着打不开", known(place=PLACE)
    own, kin = found(again, there, place="三教2F"), found(again, there, place="三教2F", subcategory="0102")
    assert own is not None
    assert kin is not None
    assert kin.score < own.score
    assert found(again, there, place="三教2F", subcategory="0402") is None
    assert found(again, there, place="三教2F", subcategory="0402", labels=("0402", "0101")) is not None


def test_what_is_confidential_and_what_is_not_never_meet() -> None:
    there = known(subcategory="0802", text="几个学生在操场打架")
    assert found("几个学生在操场打架", there, subcategory="1001", labels=("1001", "0802")) is None
    assert told("几个学生在操场打架", there, subcategory="0802") == ONE


def test_in_a_confidential_lane_only_like_words_are_attached() -> None:
    there = known(subcategory="1001", text="几名学生长期欺负同班同学", place="初二3班")
    assert told("几名学生长期欺负同班同学！", there, subcategory="1001", place="初二3班") == ONE
    one = found("同班的几个人又欺负他", there, subcategory="1001")
    assert one is not None
    assert one.sure is Sure.GREY


def test_after_thirty_days_the_same_words_tell_of_a_recurrence() -> None:
    assert told(at=NOW + timedelta(days=30)) == ONE
    assert told(at=NOW + timedelta(days=30, microseconds=1)) is None


def test_a_closed_hazard_counts_for_a_week() -> None:
    closed = known(opened_at=NOW - 90 * DAY, closed_at=NOW)
    assert told(TEXT, closed, at=NOW + 7 * DAY) == ONE
    assert told(TEXT, closed, at=NOW + 7 * DAY + timedelta(microseconds=1)) is None


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


def test_short_words_of_anybody_are_not_the_same_by_being_the_same() -> None:
    one = found("漏水", known(text="漏水", place="甲楼"))
    assert one is None or one.score < 1


def test_reasons_are_the_platforms_own_words() -> None:
    one = found("我女儿小明说东头那个逃生门挂了把大锁", known(place=PLACE), place="三教2楼东头")
    assert one is not None
    assert "小明" not in "".join(one.reasons)
    assert "同一事物：安全出口" in one.reasons


HEARD = known(told=(Told(TEXT, PLACE, NOW, "p:a"),))


@pytest.mark.parametrize(
    ("fields", "resent"),
    [
        ({}, True),
        ({"text": TEXT + "！！", "place": "３号楼 二层东侧"}, True),
        ({"at": NOW + DAY}, True),
        ({"at": NOW + DAY + timedelta(microseconds=1)}, False),
        ({"by": "p:b"}, False),
        ({"by": None}, False),
        ({"unit": SIBLING}, False),
        ({"place": "3号楼二层"}, False),
        ({"text": TEXT + "还没开"}, False),
    ],
    ids=["same", "punctuation", "a day", "later", "another person", "nobody known", "unit", "place", "more words"],
)
def test_a_resend_is_the_same_person_unit_words_and_place_within_a_day(fields: dict[str, Any], resent: bool) -> None:
    given_fields: dict[str, Any] = {"unit": SCHOOL, "place": PLACE, "text": TEXT, "by": "p:a", "at": NOW}
    assert is_resend(**given_fields | fields, known=HEARD) is resent


def test_width_and_case_do_not_matter() -> None:
    assert flatten("Ａ座３０２，WiFi　Ｂｏｘ") == flatten("a座302wifi box") == "a座302wifibox"


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


words = st.text(max_size=40) | st.text(alphabet="三号楼二层安全出口被锁ab1，。 ", max_size=40)


@steady
@given(words, st.none() | words, words, st.none() | words)
def test_at_two_units_nothing_is_ever_the_same(text: str, place: str | None, other: str, there: str | None) -> None:
    assert found(text, known(text=other, place=there), place=place, unit=SIBLING) is None
    assert found(text, known(text=text, place=place), place=place, unit=SIBLING) is None


@steady
@given(words, st.none() | words, words, st.none() | words)
def test_any_words_are_compared_and_scores_are_shares(
    text: str, place: str | None, other: str, there: str | None
) -> None:
    one = found(text, known(text=other, place=there), place=place)
    assert one is None or 0 <= one.score <= 1


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
