"""Cleaning and masking."""

import time

import pytest

from models.classifier.text import MAX_LENGTH, clean, masked


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("灭火器！！！！！过期", "灭火器!过期"),
        ("ＥＬＥＶＡＴＯＲ　坏了", "elevator 坏了"),
        ("滅火器壓力不足，門鎖", "灭火器压力不足,门锁"),
        ("楼道🔥🔥😀", "楼道着火着火"),
        ("有\u200b毒\ufeff", "有毒"),
        ("", ""),
        ("楼道 冒烟", "楼道，冒烟"),
    ],
)
def test_one_spelling(raw: str, cleaned: str) -> None:
    assert clean(raw).text == cleaned


def test_a_long_text_is_cut_and_says_so() -> None:
    start = time.perf_counter()
    result = clean("楼道堆物，" * 20_000)
    assert result.cut
    assert len(result.text) <= MAX_LENGTH
    assert time.perf_counter() - start < 0.1


@pytest.mark.parametrize(
    "secret", ["13800000000", "330200199001011234", "20260012345", "someone@example.org", "https://example.org/x"]
)
def test_what_names_somebody_is_no_feature(secret: str) -> None:
    assert masked(f"联系{secret}处理漏水") == "联系 处理漏水"


def test_buildings_and_figures_look_alike() -> None:
    assert masked("a12栋漏水3处") == masked("7号楼漏水15处")
