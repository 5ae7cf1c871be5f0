"""What messages say, and what they never say."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.levels import Level
from models.notices import Happening
from models.notices_text import CONFIDENTIAL, MOST_BYTES, Told, message, trial
from models.taxonomy import is_confidential, subcategories
from tests.factories import new_id, steady

URL = "http://campus.example"


def told(level: Level = Level.RED, subcategory: str = "0101", **fields: object) -> Told:
    given: dict[str, object] = {"hazard": new_id(), "happening": Happening.OPENED, "unit_name": "试验小学"}
    return Told(level=level, subcategory=subcategory, **given | fields)  # type: ignore[arg-type]


def test_one_notice_names_level_event_kind_unit_deadline_and_link() -> None:
    one = told(due_kind="assess", due_at=datetime(2026, 5, 12, 6, 15, tzinfo=UTC))
    text = message([one], URL)
    assert text.title == "【红】新隐患待研判：疏散通道与安全出口"
    assert text.body.splitlines() == [
        "单位：试验小学",
        "类别：疏散通道与安全出口",
        "期限：研判 05-12 14:15",
        f"查看：{URL}/desk#hazard={one.hazard}",
        "请到平台确认收到；确认不等于处置完成。",
    ]


def test_a_storm_is_one_message_that_names_the_counts() -> None:
    many = [told(Level.BLUE) for _ in range(400)] + [told(Level.RED, happening=Happening.CLIMBED) for _ in range(100)]
    text = message(many, URL)
    assert (text.title, text.level) == ("【红】隐患通知 500 条", Level.RED)
    assert "等级：红 100 · 蓝 400" in text.body
    assert "事项：新隐患待研判 400 · 隐患升级 100" in text.body
    assert "……另有 495 条" in text.body
    assert "涉及 1 个单位、500 条隐患" in text.body


@pytest.mark.parametrize("code", [code for code in subcategories() if is_confidential(code)])
def test_of_a_confidential_lane_nothing_is_said_but_that_it_is_one(code: str) -> None:
    for some in ([told(subcategory=code)], [told(subcategory=code), told()]):
        text = message(some, URL)
        assert CONFIDENTIAL in text.title + text.body
        sub = subcategories()[code]
        assert sub.name not in text.title + text.body
        assert sub.category_name not in text.title + text.body


@steady
@given(
    st.lists(
        st.tuples(
            st.sampled_from(list(Level)), st.sampled_from(list(Happening)), st.text("校学院区", min_size=1, max_size=60)
        ),
        min_size=1,
        max_size=60,
    )
)
def test_every_message_fits_a_robot(some: list[tuple[Level, Happening, str]]) -> None:
    text = message([told(level, happening=what, unit_name=name) for level, what, name in some], URL)
    assert len(f"{text.title}\r\n{text.body}".encode()) <= MOST_BYTES
    assert text.level is min((level for level, _, _ in some), key=lambda level: level.rank)


def test_no_message_tells_of_nothing() -> None:
    with pytest.raises(ValueError, match="at least one"):
        message([], URL)


def test_a_trial_says_that_it_is_one() -> None:
    assert "测试" in trial(URL).title
