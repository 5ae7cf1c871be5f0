"""The loop against a table of its own."""

from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from models.levels import Level
from models.loop import Action, Phase, Refused, State, allowed, decide
from models.roles import Role
from models.transition import plan
from tests import factories
from tests.factories import FIVE, NOW, actor, hazard, new_id, opening

# Written from domain §2 by hand: action, from, to ("=" stays), roles.
LOOP = """
assess    reported                                        assessed    assessor
assess    assessed,dispatched,handling                    =           assessor
reject    reported,assessed                               rejected    assessor
merge     reported,assessed,dispatched,handling           merged      assessor
unmerge   merged                                          reported    assessor
dispatch  assessed,dispatched                             dispatched  assessor
settle    dispatched,handling                             =           handler,assessor,leader
start     dispatched                                      handling    handler
submit    handling                                        submitted   handler
return    submitted                                       handling    supervisor
close     submitted                                       closed      supervisor
extend    dispatched,handling                             =           handler,supervisor
review    closed                                          reviewing   supervisor
archive   closed,reviewing                                archived    supervisor
reopen    closed,reviewing                                dispatched  supervisor,assessor,system
reopen    rejected                                        reported    supervisor,assessor
list      reported,assessed,dispatched,handling,submitted =           supervisor
instruct  reported,assessed,dispatched,handling,submitted =           supervisor,leader,admin
feedback  reported,assessed,dispatched,handling,submitted =           assessor,handler,supervisor
attach    reported,assessed,dispatched,handling,submitted =           system
climb     reported,assessed,dispatched,handling,submitted =           system
follow    merged                                          closed      system
follow    closed                                          merged      system
miss      reported,assessed,dispatched,handling,submitted,closed,reviewing = system
"""
EXPECTED: dict[tuple[str, str], tuple[str, frozenset[str]]] = {
    (action, source): (source if target == "=" else target, frozenset(roles.split(",")))
    for action, sources, target, roles in (line.split() for line in LOOP.strip().splitlines())
    for source in sources.split(",")
}

# Filed with everything, so that only state and role decide.
FULL: dict[str, Any] = {
    "reason": "已核实",
    "text": "请尽快处理",
    "evidence": "门锁已拆除",
    "lesson": "钥匙由门卫保管",
    "acceptance": "验收〔2026〕1号",
    "into": str(new_id()),
    "settlements": dict(FIVE),
    "until": NOW + timedelta(days=3),
    "approve": True,
    "level": "blue",
    "to_step": 1,
}


def open_to_all(state: State) -> Any:
    """A hazard whose gates are all open: minor, asked to be extended, owing no review, merged once."""
    asked = {"by": "somebody", "kind": "rectify", "until": FULL["until"].isoformat(), "reason": "配件未到"}
    return hazard(state=state, level=Level.BLUE, settlements=FIVE, extension=asked, merged_into=new_id())


@pytest.mark.parametrize(("action", "state"), list(product(Action, State)))
def test_every_action_in_every_state_by_every_role(action: Action, state: State) -> None:
    target, roles = EXPECTED.get((action, state), (None, frozenset()))
    for role in Role:
        who = actor(role, id="anybody")
        if target is None or role not in roles:
            with pytest.raises(Refused) as caught:
                decide(open_to_all(state).facts(), action, who, FULL)
            assert caught.value.rule == ("state" if target is None else "role")
            assert (caught.value.state, caught.value.action) == (state, action)
            assert set(caught.value.who) >= set(roles)
            assert str(caught.value)
        else:
            decision = decide(open_to_all(state).facts(), action, who, FULL)
            assert (decision.action, decision.before, decision.after) == (action, state, target)


@pytest.mark.parametrize(("state", "role"), list(product(State, Role)))
def test_the_buttons_of_a_role_are_the_actions_it_has(state: State, role: Role) -> None:
    buttons = allowed(state, role)
    assert len(buttons) == len(set(buttons))
    assert set(buttons) == {
        action for (action, source), (_, roles) in EXPECTED.items() if source == state and role in roles
    }


def test_only_a_supervisor_closes_and_nobody_who_only_looks_does_anything() -> None:
    for state in State:
        for role in (Role.INFORMANT, Role.AUDITOR, Role.MACHINE, Role.WALL):
            assert allowed(state, role) == ()
        for role in set(Role) - {Role.SUPERVISOR}:
            assert Action.CLOSE not in allowed(state, role)


def test_an_archived_hazard_is_the_end() -> None:
    assert [action for action, source in EXPECTED if source == "archived"] == []
    for role in Role:
        assert allowed(State.ARCHIVED, role) == ()


def test_a_refusal_names_rule_state_and_who_could() -> None:
    with pytest.raises(Refused, match="不能在「待研判」时进行；可在：待复核") as caught:
        decide(hazard().facts(), Action.CLOSE, actor(Role.SUPERVISOR), FULL)
    assert caught.value.rule == "state"
    with pytest.raises(Refused, match="处置员不能销号；可由督导员进行") as caught:
        decide(hazard(state=State.SUBMITTED).facts(), Action.CLOSE, actor(Role.HANDLER), FULL)
    assert (caught.value.rule, caught.value.who) == ("role", (Role.SUPERVISOR,))


@pytest.mark.parametrize(
    ("action", "state", "role", "without", "rule"),
    [
        (Action.REJECT, State.REPORTED, Role.ASSESSOR, "reason", "has_reason"),
        (Action.ASSESS, State.HANDLING, Role.ASSESSOR, "reason", "has_reason"),
        (Action.MERGE, State.REPORTED, Role.ASSESSOR, "into", "names_master"),
        (Action.UNMERGE, State.MERGED, Role.ASSESSOR, "reason", "has_reason"),
        (Action.SETTLE, State.DISPATCHED, Role.LEADER, "settlements", "names_settlements"),
        (Action.SUBMIT, State.HANDLING, Role.HANDLER, "evidence", "has_evidence"),
        (Action.RETURN, State.SUBMITTED, Role.SUPERVISOR, "reason", "has_reason"),
        (Action.EXTEND, State.HANDLING, Role.HANDLER, "until", "extension"),
        (Action.EXTEND, State.HANDLING, Role.SUPERVISOR, "approve", "extension"),
        (Action.ARCHIVE, State.REVIEWING, Role.SUPERVISOR, "lesson", "has_lesson"),
        (Action.REOPEN, State.CLOSED, Role.ASSESSOR, "reason", "has_reason"),
        (Action.REOPEN, State.REJECTED, Role.SUPERVISOR, "reason", "has_reason"),
        (Action.LIST, State.REPORTED, Role.SUPERVISOR, "reason", "has_reason"),
        (Action.INSTRUCT, State.REPORTED, Role.LEADER, "text", "has_text"),
        (Action.FEEDBACK, State.HANDLING, Role.HANDLER, "text", "has_text"),
    ],
)
def test_what_an_action_needs_is_asked_for(action: Action, state: State, role: Role, without: str, rule: str) -> None:
    filed = {name: value for name, value in FULL.items() if name != without}
    with pytest.raises(Refused) as caught:
        decide(open_to_all(state).facts(), action, actor(role), filed)
    assert caught.value.rule == rule


@pytest.mark.parametrize(
    ("action", "state"),
    [
        (Action.RETURN, State.SUBMITTED),
        (Action.CLOSE, State.SUBMITTED),
        (Action.REVIEW, State.CLOSED),
        (Action.ARCHIVE, State.REVIEWING),
    ],
)
def test_a_handler_of_the_hazard_neither_verifies_nor_closes_nor_reviews_it(action: Action, state: State) -> None:
    # domain §2: a supervisor verifies, closes, leads the review and the lesson, and may not be the handler of the same hazard.
    facts = replace(open_to_all(state), handlers=frozenset({"both"})).facts()
    with pytest.raises(Refused):
        decide(facts, action, actor(Role.SUPERVISOR, id="both"), FULL)
    assert decide(facts, action, actor(Role.SUPERVISOR, id="another"), FULL)


def test_phases_of_the_loop() -> None:
    assert {state.value: state.phase for state in State} == {
        "reported": Phase.WARN,
        "assessed": Phase.WARN,
        "dispatched": Phase.INTERVENE,
        "handling": Phase.INTERVENE,
        "submitted": Phase.INTERVENE,
        "closed": Phase.REVIEW,
        "reviewing": Phase.REVIEW,
        "archived": Phase.REVIEW,
        "rejected": None,
        "merged": None,
    }
    assert [phase.label for phase in Phase] == ["预警预判", "干预处置", "复盘教导"]
    assert {state.value for state in State if state.is_open} == {
        "reported",
        "assessed",
        "dispatched",
        "handling",
        "submitted",
    }


def test_every_state_action_and_role_has_a_word_of_its_own() -> None:
    for words in (State, Action, Role):
        labels = [word.label for word in words]
        assert all(labels)
        assert len(set(labels)) == len(labels)


def test_the_whole_way_of_a_major_hazard() -> None:
    held, clock = opening(Level.RED, direct=True).hazard, NOW
    way = [
        (Action.CLIMB, Role.SYSTEM, "system:escalate", {"to_step": 2}),
        (Action.ASSESS, Role.ASSESSOR, "ann", {}),
        (Action.DISPATCH, Role.ASSESSOR, "ann", {}),
        (Action.SETTLE, Role.LEADER, "head", {"settlements": FIVE}),
        (Action.START, Role.HANDLER, "hand", {}),
        (Action.SUBMIT, Role.HANDLER, "hand", {"evidence": "门锁已拆除"}),
        (Action.RETURN, Role.SUPERVISOR, "chief", {"reason": "推杆未装"}),
        (Action.SUBMIT, Role.HANDLER, "hand", {"evidence": "推杆已装"}),
        (Action.CLOSE, Role.SUPERVISOR, "chief", {"acceptance": "验收〔2026〕1号"}),
        (Action.REVIEW, Role.SUPERVISOR, "chief", {}),
        (Action.ARCHIVE, Role.SUPERVISOR, "chief", {"lesson": "钥匙由门卫保管"}),
    ]
    states = []
    for action, role, person, filed in way:
        clock += timedelta(minutes=1)
        held = plan(held, action, factories.actor(role, id=person), filed, clock).after
        states.append(held.state.value)
    assert states == [
        "reported",
        "assessed",
        "dispatched",
        "dispatched",
        "handling",
        "submitted",
        "handling",
        "submitted",
        "closed",
        "reviewing",
        "archived",
    ]
    assert (held.version, held.archived_at, held.tier) == (12, clock, "city")
