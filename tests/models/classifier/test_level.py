"""A first level: a base for every subcategory, words that lift it, reasons that say so."""

import pytest

from models.classifier.level import BASE, suggested
from models.levels import Level
from models.taxonomy import subcategories


def test_every_subcategory_has_a_base() -> None:
    assert set(BASE) == set(subcategories())


@pytest.mark.parametrize(
    ("code", "text", "level", "reason"),
    [
        ("0303", "楼梯栏杆松动", Level.YELLOW, "该类隐患起评为黄色"),
        ("0303", "栏杆松动，一人摔伤", Level.ORANGE, "有人受伤或送医，升为橙色"),
        ("0401", "电梯困人", Level.RED, "有人被困，升为红色"),
        ("0502", "一人肚子疼", Level.ORANGE, "该类隐患起评为橙色"),
        ("0502", "二十多人呕吐，有20多人送医", Level.RED, "疑似食物中毒涉及多人，升为红色"),
        ("0901", "说不想活了", Level.RED, "该类隐患起评为红色"),
    ],
)
def test_words_lift_a_level_and_say_why(code: str, text: str, level: Level, reason: str) -> None:
    found, reasons = suggested([code], text)
    assert found.level is level
    assert reason in reasons


def test_the_gravest_label_counts() -> None:
    assert suggested(["0303", "0901"], "")[0].level is Level.RED


def test_a_bureau_may_bring_its_own_table() -> None:
    assert suggested(["0303"], "栏杆松动", {"0303": Level.BLUE})[0].level is Level.BLUE
