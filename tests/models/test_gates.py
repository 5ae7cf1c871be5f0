"""Gates: what must be true, or filed, and who may not be the same person."""

from datetime import timedelta
from typing import Any

import pytest

from models import gates
from models.gates import SETTLEMENTS, Facts
from models.levels import Level
from models.roles import Role
from tests.factories import FIVE, NOW, actor

ANN, BEN = actor(Role.ASSESSOR, id="ann"), actor(Role.ASSESSOR, id="ben")
HAND, CHIEF = actor(Role.HANDLER, id="hand"), actor(Role.SUPERVISOR, id="chief")
BLANK = [None, "", "  ", "\n", 5, ["words"]]


def facts(**fields: Any) -> Facts:
    given: dict[str, Any] = {
        "state": "reported",
        "level": Level.YELLOW,
        "direct": False,
        "major": False,
        "review_owed": False,
    }
    return Facts(**given | fields)


def red(**fields: Any) -> Facts:
    return facts(**{"level": Level.RED, "major": True, "direct": True, "review_owed": True} | fields)


@pytest.mark.parametrize(
    ("gate", "field"),
    [
        (gates.has_reason, "reason"),
        (gates.has_text, "text"),
        (gates.has_lesson, "lesson"),
        (gates.names_master, "into"),
        (gates.has_evidence, "evidence"),
    ],
)
def test_words_that_an_action_needs_must_be_there_and_the_refusal_names_the_field(gate: gates.Gate, field: str) -> None:
    assert gate(facts(), ANN, {field: "有话"}) is None
    for blank in BLANK:
        assert field in (gate(facts(), ANN, {field: blank}) or "")
    assert field in (gate(facts(), ANN, {}) or "")


def test_a_photo_is_evidence_without_words() -> None:
    assert gates.has_evidence(facts(), HAND, {"attachments": [{"name": "照片"}]}) is None
    assert gates.has_evidence(facts(), HAND, {"attachments": []}) is not None


def test_the_five_settlements_are_responsibility_measures_funds_time_limit_and_plan() -> None:
    assert SETTLEMENTS == {
        "responsibility": "责任",
        "measures": "措施",
        "funds": "资金",
        "time_limit": "时限",
        "plan": "预案",
    }


@pytest.mark.parametrize("missing", list(FIVE))
@pytest.mark.parametrize("blank", BLANK)
def test_a_major_hazard_waits_for_each_of_the_five_settlements(missing: str, blank: Any) -> None:
    lacking = gates.five_settlements(red(settlements={**FIVE, missing: blank}), HAND, {})
    assert lacking is not None
    assert [label for label in SETTLEMENTS.values() if label in lacking.partition("：")[2]] == [SETTLEMENTS[missing]]


@pytest.mark.parametrize("settled", [None, {}, "all", []])
def test_a_major_hazard_without_any_settlement_lacks_all_five(settled: Any) -> None:
    lacking = gates.five_settlements(red(settlements=settled), HAND, {})
    assert all(label in (lacking or "") for label in SETTLEMENTS.values())


def test_all_five_open_the_gate_and_a_minor_hazard_needs_none() -> None:
    assert gates.five_settlements(red(settlements=FIVE), HAND, {}) is None
    assert gates.five_settlements(facts(), HAND, {}) is None


def test_settlements_filed_with_the_start_do_not_count_as_kept() -> None:
    assert gates.five_settlements(red(), HAND, {"settlements": FIVE}) is not None


def test_settling_files_all_five_at_once_whatever_the_level() -> None:
    assert gates.names_settlements(facts(), HAND, {"settlements": FIVE}) is None
    assert gates.names_settlements(facts(), HAND, {}) is not None
    assert gates.names_settlements(red(settlements=FIVE), HAND, {"settlements": {"funds": "有"}}) is not None


@pytest.mark.parametrize("blank", BLANK)
def test_a_major_hazard_is_not_closed_without_an_acceptance_document(blank: Any) -> None:
    assert "acceptance" in (gates.acceptance(red(), CHIEF, {"acceptance": blank}) or "")


def test_an_acceptance_document_closes_and_a_minor_hazard_needs_none() -> None:
    assert gates.acceptance(red(), CHIEF, {"acceptance": "验收〔2026〕1号"}) is None
    assert gates.acceptance(facts(), CHIEF, {}) is None


def test_only_where_no_review_is_owed_the_archive_is_open_at_once() -> None:
    assert gates.no_review_owed(facts(), CHIEF, {}) is None
    assert gates.no_review_owed(red(), CHIEF, {}) is not None


@pytest.mark.parametrize(
    ("level", "filed", "mine", "open_"),
    [
        (Level.RED, None, True, False),
        (Level.ORANGE, None, True, False),
        (Level.YELLOW, None, True, True),
        (Level.BLUE, None, True, True),
        (Level.YELLOW, "red", True, False),
        (Level.BLUE, Level.ORANGE, True, False),
        (Level.RED, "blue", True, False),
        (Level.YELLOW, "blue", True, True),
        (Level.RED, "blue", False, True),
        (Level.YELLOW, "red", False, True),
    ],
)
def test_nobody_judges_a_red_or_orange_hazard_of_their_own_report(
    level: Level, filed: Any, mine: bool, open_: bool
) -> None:
    reporters = frozenset({"ann" if mine else "somebody", "another"})
    lacking = gates.not_own_report(facts(level=level, reporters=reporters), ANN, {"level": filed} if filed else {})
    assert (lacking is None) is open_


def test_nobody_verifies_their_own_work() -> None:
    assert gates.not_own_work(facts(handlers=frozenset({"chief", "hand"})), CHIEF, {}) is not None
    assert gates.not_own_work(facts(handlers=frozenset({"hand"})), CHIEF, {}) is None


@pytest.mark.parametrize("blank", BLANK)
def test_lowering_a_direct_level_needs_a_reason_even_from_the_first(blank: Any) -> None:
    assert "reason" in (gates.second_person(red(), ANN, {"level": "yellow", "reason": blank}) or "")


@pytest.mark.parametrize(
    ("level", "direct", "filed"),
    [
        (Level.RED, True, {}),
        (Level.RED, True, {"level": "red"}),
        (Level.YELLOW, True, {"level": "red"}),
        (Level.RED, False, {"level": "blue"}),
        (Level.YELLOW, False, {"level": "yellow"}),
    ],
)
def test_what_lowers_no_direct_level_waits_for_nobody(level: Level, direct: bool, filed: dict[str, Any]) -> None:
    here = facts(level=level, direct=direct)
    assert gates.second_person(here, ANN, filed) is None
    assert gates.awaits_second_person(here, ANN, filed) is False


@pytest.mark.parametrize(
    ("proposal", "waits"),
    [
        (None, True),
        ({"by": "ann", "level": "yellow"}, True),
        ({"by": "ben", "level": "orange"}, True),
        ({"by": "ben", "level": "blue"}, True),
        ({"by": "ben", "level": "yellow"}, False),
        ({"by": "ben", "level": Level.YELLOW}, False),
        ({}, True),
    ],
)
def test_lowering_waits_until_another_person_has_named_the_same_level(
    proposal: dict[str, Any] | None, waits: bool
) -> None:
    filed = {"level": "yellow", "reason": "核实为误报"}
    assert gates.awaits_second_person(red(lowering=proposal), ANN, filed) is waits


LATER = NOW + timedelta(days=3)
ASKED = {"by": "hand", "kind": "rectify", "until": LATER.isoformat(), "reason": "配件未到"}


@pytest.mark.parametrize(
    ("filed", "names"),
    [
        ({}, "until"),
        ({"until": LATER.isoformat(), "reason": "配件未到"}, "until"),
        ({"until": LATER.replace(tzinfo=None), "reason": "配件未到"}, "until"),
        ({"until": LATER}, "reason"),
        ({"until": LATER, "reason": " "}, "reason"),
    ],
)
def test_a_request_to_extend_says_until_when_with_its_zone_and_why(filed: dict[str, Any], names: str) -> None:
    assert names in (gates.extension(facts(), HAND, filed) or "")


def test_a_request_with_both_passes() -> None:
    assert gates.extension(facts(), HAND, {"until": LATER, "reason": "配件未到"}) is None


def test_without_a_request_there_is_nothing_to_grant() -> None:
    assert gates.extension(facts(), CHIEF, {"approve": True}) is not None


@pytest.mark.parametrize("answer", [True, False])
def test_another_person_grants_or_refuses_a_request(answer: bool) -> None:
    assert gates.extension(facts(extension=ASKED), CHIEF, {"approve": answer}) is None


@pytest.mark.parametrize("answer", [None, "yes", 1])
def test_an_answer_to_a_request_is_yes_or_no(answer: Any) -> None:
    assert "approve" in (gates.extension(facts(extension=ASKED), CHIEF, {"approve": answer}) or "")


def test_nobody_grants_their_own_request_under_another_role() -> None:
    both = actor(Role.SUPERVISOR, id="hand")
    assert gates.extension(facts(extension=ASKED), both, {"approve": True}) is not None


def test_no_handler_of_the_hazard_grants_what_another_handler_asked() -> None:
    # domain §2: a supervisor may not be the handler of the same hazard.
    assert gates.extension(facts(extension=ASKED, handlers=frozenset({"chief"})), CHIEF, {"approve": True}) is not None
