"""Whom an event tells, by the rules of the field."""

import pytest

from models.chain import Chain, Link
from models.loop import Action, State
from models.notices import Happening, leader_above, of_action, of_escalation, owing
from models.roles import Role

CHAIN = Chain((Link("S", "school", "校"), Link("D", "district", "区"), Link("C", "city", "市")))


def said(targets: tuple[object, ...]) -> list[tuple[str, int, set[str]]]:
    return [(t.happening.value, t.step, {r.value for r in t.roles}) for t in targets]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("action", "state", "step", "told"),
    [
        ("open", State.REPORTED, 1, [("opened", 1, {"assessor"})]),
        ("unmerge", State.REPORTED, 0, [("reopened", 0, {"assessor"})]),
        ("reopen", State.REPORTED, 2, [("reopened", 2, {"assessor"})]),
        ("reopen", State.DISPATCHED, 1, [("reopened", 1, {"assessor"}), ("reopened", 0, {"handler"})]),
        ("dispatch", State.DISPATCHED, 2, [("dispatched", 0, {"handler"})]),
        ("return", State.HANDLING, 1, [("returned", 0, {"handler"})]),
        ("submit", State.SUBMITTED, 1, [("submitted", 1, {"supervisor"})]),
        ("instruct", State.HANDLING, 2, [("instructed", 0, {"assessor", "handler", "supervisor", "leader"})]),
    ],
)
def test_an_action_tells_those_whose_turn_it_is(
    action: str, state: State, step: int, told: list[tuple[str, int, set[str]]]
) -> None:
    assert said(of_action(action, state, step)) == told


def test_closing_and_the_rest_tell_nobody() -> None:
    telling = {"open", "unmerge", "reopen", "dispatch", "return", "submit", "instruct"}
    for action in Action:
        if action.value not in telling:
            assert of_action(action, State.CLOSED, 0) == (), action


def climb(frm: str, to: str, kind: str | None = None) -> dict[str, object]:
    return {"from_unit": frm, "to_unit": to, "kind": kind, "seq": 3}


def test_a_climb_tells_the_tier_it_arrives_at() -> None:
    arrived = ("climbed", 2, {"supervisor", "assessor", "leader"})
    assert said(of_escalation(climb("S", "C"), CHAIN, State.REPORTED, 2)) == [arrived]


def test_a_missed_deadline_tells_who_owed_it_too() -> None:
    told = said(of_escalation(climb("S", "D", "assess"), CHAIN, State.REPORTED, 1))
    assert told == [("climbed", 1, {"supervisor", "assessor", "leader"}), ("missed", 0, {"assessor"})]
    assert said(of_escalation(climb("C", "C", "control"), CHAIN, State.DISPATCHED, 2)) == [
        ("missed", 0, {"handler"}),
        ("missed", 2, {"supervisor"}),
    ]


@pytest.mark.parametrize(
    ("state", "role"),
    [
        (State.REPORTED, "assessor"),
        (State.ASSESSED, "assessor"),
        (State.DISPATCHED, "handler"),
        (State.HANDLING, "handler"),
        (State.SUBMITTED, "supervisor"),
        (State.CLOSED, "supervisor"),
        (State.REVIEWING, "supervisor"),
    ],
)
def test_a_reminder_tells_whoever_owes_the_next_act(state: State, role: str) -> None:
    reminder = {"kind": "rectify", "round": 1, "due_at": "2026-05-12T06:00:00+00:00", "mark": 0.5}
    assert said(of_escalation(reminder, CHAIN, state, 0)) == [("reminder", 0, {role})]


@pytest.mark.parametrize("state", [State.ARCHIVED, State.MERGED, State.REJECTED])
def test_what_has_ended_is_owed_by_nobody(state: State) -> None:
    assert owing(Happening.MISSED, state, 1) == ()


def test_nobody_answered_goes_to_the_leader_then_to_the_next_tiers() -> None:
    for unit, was_leader, step in (("S", False, 0), ("S", True, 1), ("D", True, 2), ("gone", False, 0)):
        target = leader_above(CHAIN, unit, was_leader=was_leader)
        assert target is not None
        assert (target.step, target.roles) == (step, (Role.LEADER,))
    assert leader_above(CHAIN, "C", was_leader=True) is None


def test_every_happening_has_words() -> None:
    assert len({happening.label for happening in Happening}) == len(Happening)
