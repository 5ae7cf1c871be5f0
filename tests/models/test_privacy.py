"""Masks, exactly as domain §8 asks for them. All numbers are made up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.privacy import excerpt, mask_mobile, mask_name, mask_text
from tests.factories import steady


@pytest.mark.parametrize(
    ("name", "masked"),
    [("张三", "张*"), ("欧阳小明", "欧*"), ("  李四 ", "李*"), ("王", "王*"), ("Alice", "A*"), ("", ""), ("  ", "")],
)
def test_a_name_keeps_its_first_character_and_one_star(name: str, masked: str) -> None:
    assert mask_name(name) == masked


@pytest.mark.parametrize(
    ("mobile", "masked"),
    [
        ("13800001234", "138****1234"),
        (" 19912345678 ", "199****5678"),
        ("138 0000 1234", "138****1234"),
        ("138-0000-1234", "138****1234"),
        ("+86 13800001234", "+86 138****1234"),
    ],
)
def test_a_mobile_keeps_three_and_four_digits(mobile: str, masked: str) -> None:
    assert mask_mobile(mobile) == masked


@pytest.mark.parametrize(
    ("number", "masked"),
    [("0574-87654321", "***********"), ("12345", "*****"), ("12800001234", "***********"), ("", "")],
)
def test_what_is_no_mobile_becomes_stars_altogether(number: str, masked: str) -> None:
    assert mask_mobile(number) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("联系13800001234", "联系138****1234"),
        ("电话：138-0000-1234。", "电话：138****1234。"),
        ("13800001234，13900005678", "138****1234，139****5678"),
        ("证号330203201001011234", "证号330***********1234"),
        ("证号33020320100101123X，", "证号330***********123X，"),
        ("证号33020320100101123x", "证号330***********123x"),
        ("330203201001011234 13800001234", "330***********1234 138****1234"),
    ],
)
def test_mobiles_and_identity_numbers_in_text_are_masked(text: str, masked: str) -> None:
    assert mask_text(text) == masked


def test_an_identity_number_keeps_its_length_three_eleven_four() -> None:
    masked = mask_text("330203201001011234")
    assert (masked[:3], masked[3:14], masked[14:]) == ("330", "*" * 11, "1234")


@pytest.mark.parametrize(
    "text",
    [
        "表号138000012345",
        "表号013800001234",
        "序列号3302032010010112345",
        "序列号1330203201001011234",
        "设备SN330203201001011234",
        "编号12345678901",
        "电压220伏，3号楼2层",
        "12800001234",
        "没有号码",
        "",
    ],
)
def test_other_numbers_and_those_inside_longer_ones_stay(text: str) -> None:
    assert mask_text(text) == text


def test_a_mobile_behind_the_country_code_is_masked_too() -> None:
    assert "0000" not in mask_text("联系+8613800001234")


def test_a_mobile_in_full_width_digits_is_masked_too() -> None:
    assert "００００" not in mask_text("联系１３８００００１２３４")


# Where the masks could go wrong: runs of digits, separators, stars of an earlier mask.
crowded = st.text(alphabet="0123456789Xx-* 张，13", max_size=60)
mobiles = st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True)
identities = st.from_regex(r"[1-9][0-9]{16}[0-9X]", fullmatch=True)


@steady
@given(st.text() | crowded)
def test_masking_twice_is_masking_once(text: str) -> None:
    assert mask_text(mask_text(text)) == mask_text(text)


@steady
@given(st.text() | crowded)
def test_masking_never_makes_a_text_longer(text: str) -> None:
    assert len(mask_text(text)) <= len(text)


@steady
@given(st.text(alphabet="张三李四，。 \n", max_size=9), mobiles, st.text(alphabet="张三李四，。 \n", max_size=9))
def test_no_mobile_stays_whatever_words_stand_around_it(before: str, mobile: str, after: str) -> None:
    assert mask_text(before + mobile + after) == f"{before}{mobile[:3]}****{mobile[7:]}{after}"


@steady
@given(st.text(alphabet="张三李四，。 \n", max_size=9), identities, st.text(alphabet="张三李四，。 \n", max_size=9))
def test_no_identity_number_stays_whatever_words_stand_around_it(before: str, identity: str, after: str) -> None:
    assert mask_text(before + identity + after) == f"{before}{identity[:3]}{'*' * 11}{identity[14:]}{after}"


def test_an_excerpt_of_a_short_text_is_the_text_on_one_line() -> None:
    assert excerpt("三号楼\n二层\t 安全出口  被锁 ") == "三号楼 二层 安全出口 被锁"


@pytest.mark.parametrize(("length", "cut"), [(39, False), (40, False), (41, True), (500, True)])
def test_an_excerpt_is_cut_at_forty_and_says_so(length: int, cut: bool) -> None:
    taken = excerpt("字" * length)
    assert len(taken) == min(length, 40)
    assert taken.endswith("…") is cut


def test_an_excerpt_is_masked() -> None:
    assert excerpt("联系13800001234") == "联系138****1234"


def test_an_excerpt_masks_before_it_cuts() -> None:
    assert excerpt("联系13800001234速来", 10) == "联系138****…"


@pytest.mark.parametrize("gap", ["\n", "\t", "  ", "\u3000"])
def test_an_excerpt_masks_a_number_that_is_whole_only_on_one_line(gap: str) -> None:
    assert "0000" not in excerpt(f"联系138{gap}0000{gap}1234")


@steady
@given(st.text() | crowded, st.integers(1, 60))
def test_an_excerpt_is_one_line_and_never_longer_than_asked(text: str, length: int) -> None:
    taken = excerpt(text, length)
    assert len(taken) <= length
    assert "\n" not in taken
