"""Places: many spellings of one, and what contradicts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.duplicates.places import KEYS, Relation, digits, parse, relation
from tests.factories import steady


@pytest.mark.parametrize(
    ("text", "key", "values"),
    [
        ("三号楼", "building", {"3"}),
        ("3#楼", "building", {"3"}),
        ("３号楼", "building", {"3"}),
        ("三教", "building", {"3"}),
        ("3号教学楼", "building", {"3"}),
        ("教学楼3号楼", "building", {"3"}),
        ("十二号楼", "building", {"12"}),
        ("二十栋", "building", {"20"}),
        ("三舍", "building", {"3"}),
        ("宿舍3号楼", "building", {"3"}),
        ("3号宿舍楼", "building", {"3"}),
        ("A栋", "building", {"a"}),
        ("b座", "building", {"b"}),
        ("化学楼B305", "building", {"b"}),
        ("二食堂", "building", {"2"}),
        ("三楼", "floor", {"3"}),
        ("3层", "floor", {"3"}),
        ("行政楼3F", "floor", {"3"}),
        ("F3中庭", "floor", {"3"}),
        ("十一楼", "floor", {"11"}),
        ("302", "floor", {"3"}),
        ("1203室", "floor", {"12"}),
        ("B1车库", "floor", {"-1"}),
        ("负一楼", "floor", {"-1"}),
        ("地下二层", "floor", {"-2"}),
        ("302教室", "room", {"302"}),
        ("B-302", "room", {"302"}),
        ("1号梯", "thing", {"1"}),
        ("2#炉", "thing", {"2"}),
        ("十号考场", "thing", {"10"}),
        ("10考场", "thing", {"10"}),
        ("三年级2班", "class", {"3-2"}),
        ("三(2)班", "class", {"3-2"}),
        ("三（2）班", "class", {"3-2"}),
        ("三2班", "class", {"3-2"}),
        ("高二1班", "class", {"高2-1"}),
        ("高二(1)班", "class", {"高2-1"}),
        ("小二班", "class", {"小-2"}),
        ("小2班", "class", {"小-2"}),
        ("东侧楼梯", "side", {"东"}),
        ("西门", "side", {"西"}),
        ("左边那台", "hand", {"左"}),
        ("男厕", "sex", {"男"}),
        ("女生宿舍", "sex", {"女"}),
        ("教师食堂", "which", {"教工"}),
        ("旧图书馆", "which", {"老"}),
        ("设备A1003-17", "code", {"a1003-17"}),
    ],
)
def test_a_place_in_many_spellings(text: str, key: str, values: set[str]) -> None:
    assert parse(text).named.get(key) == values


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("一起打扫", "floor"),
        ("三个人受伤", "thing"),
        ("5月3号", "thing"),
        ("温度300度", "room"),
        ("罚款500元", "room"),
        ("2026年", "room"),
        ("10:30", "room"),
        ("3楼栋长", "floor"),
        ("教师办公室", "building"),
        ("一教师", "building"),
        ("校车3班车", "class"),
        ("男生打架", "sex"),
        ("", "floor"),
    ],
)
def test_what_only_looks_like_a_place_is_none(text: str, key: str) -> None:
    assert key not in parse(text).named


@pytest.mark.parametrize(
    ("one", "other", "agreed", "against"),
    [
        ("三教2楼东头", "3号楼二层东侧", {"building", "floor", "side"}, set()),
        ("302", "三楼", {"floor"}, set()),
        ("302", "402", set(), {"floor", "room"}),
        ("301", "302", {"floor"}, {"room"}),
        ("A栋二层", "B栋二层", {"floor"}, {"building"}),
        ("男浴3号花洒", "女浴5号花洒", set(), {"sex", "thing"}),
        ("左边电梯", "东侧电梯", set(), set()),
        ("食堂", "操场", set(), set()),
    ],
)
def test_what_both_name_agrees_or_contradicts(one: str, other: str, agreed: set[str], against: set[str]) -> None:
    assert relation(parse(one), parse(other)) == Relation(frozenset(agreed), frozenset(against))


def test_together_they_name_what_either_names() -> None:
    both = parse("三教") | parse("二楼东侧")
    assert both.named == {"building": {"3"}, "floor": {"2"}, "side": {"东"}}


texts = st.text(max_size=30) | st.text(alphabet="一二三十号楼层教舍室东男女班年级（）12a栋#-f地下负", max_size=20)


@steady
@given(texts, texts)
def test_the_relation_is_symmetric_and_never_both(one: str, other: str) -> None:
    there, back = relation(parse(one), parse(other)), relation(parse(other), parse(one))
    assert there == back
    assert not there.agreed & there.against
    assert there.agreed | there.against <= set(KEYS)


@steady
@given(texts)
def test_no_place_contradicts_itself(text: str) -> None:
    assert not relation(parse(text), parse(text)).against


@steady
@given(texts)
def test_digits_are_made_once(text: str) -> None:
    assert digits(digits(text)) == digits(text) or "班" in text
