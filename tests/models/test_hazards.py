"""A hazard as kept, and what is told of it: nothing personal, no words of a confidential lane."""

import json
from typing import Any

import pytest

from models.chain import Chain, Link
from models.hazards import notice, ticker
from models.levels import Level
from models.loop import State
from tests.factories import DISTRICT, NOW, SCHOOL, hazard

SECRET = "初二某生被多人殴打并拍视频"


@pytest.mark.parametrize(
    ("code", "confidential"), [("0101", False), ("0901", True), ("1001", True), ("1101", False), ("9900", False)]
)
def test_mental_health_and_bullying_are_confidential(code: str, confidential: bool) -> None:
    assert hazard(subcategory=code).confidential is confidential


@pytest.mark.parametrize(("step", "tier"), [(0, "school"), (1, "district"), (2, "city")])
def test_the_tier_is_that_of_the_step(step: int, tier: str) -> None:
    assert hazard(step=step).tier == tier


@pytest.mark.parametrize(
    ("level", "steps"),
    [
        (Level.RED, [False, False, True]),
        (Level.ORANGE, [False, True, True]),
        (Level.YELLOW, [True, True, True]),
        (Level.BLUE, [True, True, True]),
    ],
)
def test_a_hazard_is_routed_where_its_level_belongs_or_higher(level: Level, steps: list[bool]) -> None:
    assert [hazard(level=level, step=step).routed for step in range(3)] == steps


def test_in_a_chain_of_one_every_hazard_is_routed() -> None:
    alone = Chain((Link("330200", "city", "试验市"),))
    assert all(hazard(level=level, chain=alone).routed for level in Level)


def test_the_gates_see_what_the_hazard_holds() -> None:
    held = hazard(
        level=Level.ORANGE,
        state=State.HANDLING,
        direct=True,
        major=True,
        reporters=frozenset({"a"}),
        handlers=frozenset({"b"}),
        settlements={"funds": "有"},
        lowering={"by": "c"},
        extension={"by": "d"},
    )
    facts = held.facts()
    for name in ("level", "state", "direct", "major", "reporters", "handlers", "settlements", "lowering", "extension"):
        assert getattr(facts, name) == getattr(held, name), name


@pytest.mark.parametrize(
    ("level", "owed"), [(Level.RED, True), (Level.ORANGE, True), (Level.YELLOW, False), (Level.BLUE, False)]
)
def test_red_and_orange_owe_a_review(level: Level, owed: bool) -> None:
    assert hazard(level=level).facts().review_owed is owed


def test_a_notice_says_what_changed_and_where_the_hazard_stands() -> None:
    held = hazard(level=Level.RED, state=State.ASSESSED, step=1, version=4)
    told = notice(held, "assess", NOW, {"level": "red"})
    assert told == {
        "schema": 1,
        "id": str(held.id),
        "seq": 4,
        "action": "assess",
        "at": "2026-05-12T06:00:00+00:00",
        "unit": SCHOOL,
        "subcategory": "0101",
        "level": "red",
        "state": "assessed",
        "tier": "district",
        "step": 1,
        "data": {"level": "red"},
    }
    assert json.loads(json.dumps(told)) == told
    assert held.chain.at(1).unit == DISTRICT


def test_a_notice_holds_no_text_no_place_and_no_reporter() -> None:
    held = hazard(text=SECRET, place="女生宿舍5楼", reporters=frozenset({"user:17"}), reasons=("殴打",))
    told = json.dumps(notice(held, "assess", NOW, {}), ensure_ascii=False)
    assert not any(word in told for word in (SECRET, "女生宿舍", "user:17", "殴打"))


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("attach", {"report": "0190", "level": "red", "direct": False, "reporter": "user:17"}),
        ("reject", {"reason": SECRET}),
        ("feedback", {"text": SECRET}),
        ("submit", {"evidence": SECRET, "attachments": [{"name": SECRET}]}),
        ("archive", {"lesson": SECRET}),
    ],
)
def test_a_notice_passes_on_no_text_and_no_person_of_what_was_filed(action: str, data: dict[str, Any]) -> None:
    told = json.dumps(notice(hazard(subcategory="1001"), action, NOW, data), ensure_ascii=False)
    assert SECRET not in told
    assert "user:17" not in told


def test_a_line_of_the_ticker() -> None:
    held = hazard(level=Level.ORANGE, state=State.HANDLING, step=1, text="三号楼二层安全出口被锁")
    told = ticker(held, "climbed", NOW)
    assert told == {
        "at": "2026-05-12T06:00:00+00:00",
        "kind": "climbed",
        "id": str(held.id),
        "unit": SCHOOL,
        "unit_name": "试验小学",
        "path": "/330200/330203/330203-001/",
        "subcategory": "0101",
        "label": "疏散通道与安全出口",
        "level": "orange",
        "state": "handling",
        "phase": "intervene",
        "tier": "district",
        "summary": "疏散通道与安全出口·3号楼2层",
    }
    assert json.loads(json.dumps(told)) == told


@pytest.mark.parametrize("state", [State.REJECTED, State.MERGED])
def test_beside_the_loop_a_line_has_no_phase(state: State) -> None:
    assert ticker(hazard(state=state), state.value, NOW)["phase"] is None


def test_a_line_never_holds_the_reporters_own_words() -> None:
    told = ticker(hazard(text="王小明在三号楼摔伤", place=None), "opened", NOW)
    assert told["summary"] == "疏散通道与安全出口"
    assert "王小明" not in json.dumps(told, ensure_ascii=False)


def test_the_place_in_a_line_is_masked() -> None:
    told = ticker(hazard(place="门卫13800001234"), "opened", NOW)["summary"]
    assert told == "疏散通道与安全出口·门卫138****1234"


def test_a_line_is_at_most_forty_characters_however_long_the_place() -> None:
    assert len(ticker(hazard(place="字" * 200), "opened", NOW)["summary"]) <= 40


def test_a_line_names_no_reporter_and_no_handler() -> None:
    held = hazard(reporters=frozenset({"user:17"}), handlers=frozenset({"user:18"}))
    assert "user:" not in json.dumps(ticker(held, "opened", NOW))


@pytest.mark.parametrize("code", ["0901", "1001"])
def test_a_confidential_lane_gives_the_ticker_none_of_its_words(code: str) -> None:
    told = json.dumps(ticker(hazard(subcategory=code, text=SECRET), "opened", NOW), ensure_ascii=False)
    assert SECRET[:4] not in told
