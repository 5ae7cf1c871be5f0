"""The loop against a table of its own, and a machine that tries to break it with whatever people may file."""

from dataclasses import fields, replace
from datetime import timedelta
from itertools import product
from typing import Any

import orjson
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from models.deadlines import Kind
from models.events import Event, broken_at, link
from models.levels import Level
from models.loop import OPEN_STATES, Action, Phase, Refused, State, allowed, decide
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


PEOPLE = ("ann", "ben", "cai", "test:informant")
LEVELS = [level.value for level in Level]
# Mostly all that an action could need; sometimes one thing is blank or left out.
WORDS = ("reason", "text", "evidence", "lesson", "acceptance")
LACKING = st.none() | st.sampled_from([*WORDS, "settlements", "level"])
# The way on from each state, so that the machine gets far more often than chance would.
ONWARD = {
    "reported": ("assess",),
    "assessed": ("dispatch",),
    "dispatched": ("start", "settle"),
    "handling": ("submit",),
    "submitted": ("close", "return"),
    "closed": ("review", "reopen", "archive"),
    "reviewing": ("archive", "reopen"),
    "rejected": ("reopen",),
    "merged": ("unmerge",),
}


def filing(level: str, lacking: str | None, *, yes: bool, step: int, reporter: str) -> dict[str, Any]:
    """What comes with an action."""
    filed = FULL | {"level": level, "approve": yes, "direct": yes, "to_step": step, "reporter": reporter}
    if lacking == "level":
        return {name: value for name, value in filed.items() if name != "level"}
    if lacking == "settlements":
        return filed | {"settlements": {**FIVE, "funds": " "}}
    return filed | ({lacking: " "} if lacking else {})


FILED = st.builds(
    filing,
    st.sampled_from(LEVELS),
    LACKING,
    yes=st.booleans(),
    step=st.integers(0, 2),
    reporter=st.sampled_from(PEOPLE),
)


class TheLoop(RuleBasedStateMachine):
    """Anybody tries anything, at any time. What is remembered here is remembered apart from the model."""

    @initialize(level=st.sampled_from([Level.RED, *Level]), direct=st.booleans())
    def report(self, level: Level, direct: bool) -> None:
        opened = opening(level, direct=direct)
        self.hazard = opened.hazard
        self.trail: list[tuple[Event, bytes]] = [(opened.event, opened.hazard.trail_hash)]
        self.running = {kind for kind, _ in opened.deadlines} | {Kind.REPORT}
        self.workers: set[str] = set()
        self.requester: str | None = None
        self.voice: tuple[str, str] | None = None
        self.clock = NOW

    @rule(pick=st.integers(0, 5), filed=FILED, person=st.sampled_from(PEOPLE), confirms=st.booleans())
    def somebody_goes_on(self, pick: int, filed: dict[str, Any], person: str, confirms: bool) -> None:
        ways = ONWARD.get(self.hazard.state, ())
        if ways:
            self.tries_as_one_who_may(ways[pick % len(ways)], pick, person, filed, confirms)

    @rule(pick=st.integers(0, 99), filed=FILED, person=st.sampled_from(PEOPLE), confirms=st.booleans())
    def somebody_does_what_may_be_possible(self, pick: int, filed: dict[str, Any], person: str, confirms: bool) -> None:
        ways = [action for action, at in EXPECTED if at == self.hazard.state]
        if ways:
            self.tries_as_one_who_may(ways[pick % len(ways)], pick, person, filed, confirms)

    @rule(level=st.sampled_from(["orange", "yellow"]), filed=FILED, person=st.sampled_from(PEOPLE))
    def somebody_wants_another_level(self, level: str, filed: dict[str, Any], person: str) -> None:
        self.tries(Action.ASSESS, Role.ASSESSOR, person, filed | {"level": level})

    @rule(role=st.sampled_from([Role.HANDLER, Role.SUPERVISOR]), filed=FILED, person=st.sampled_from(PEOPLE))
    def somebody_asks_for_time_or_answers(self, role: Role, filed: dict[str, Any], person: str) -> None:
        self.tries(Action.EXTEND, role, person, filed)

    def tries_as_one_who_may(self, action: str, pick: int, person: str, filed: dict[str, Any], confirms: bool) -> None:
        roles = sorted(EXPECTED[action, self.hazard.state][1])
        if confirms and action == "assess":
            filed = {name: value for name, value in filed.items() if name != "level"}
        self.tries(Action(action), Role(roles[pick % len(roles)]), person, filed)

    @rule(action=st.sampled_from(Action), role=st.sampled_from(Role), person=st.sampled_from(PEOPLE), filed=FILED)
    def somebody_does_anything(self, action: Action, role: Role, person: str, filed: dict[str, Any]) -> None:
        self.tries(action, role, person, filed)

    def tries(self, action: Action, role: Role, person: str, filed: dict[str, Any]) -> None:
        # The platform always names the level that a witness told of.
        if action is Action.ATTACH:
            filed = {"level": "blue"} | filed
        before, who = self.hazard, actor(role, id=person)
        self.clock += timedelta(minutes=1)
        try:
            change = plan(before, action, who, filed, self.clock)
        except Refused:
            assert self.hazard is before
            return
        after, event = change.after, change.event

        # Exactly one event more, bound to the last one.
        assert (event.seq, after.version) == (before.version + 1, before.version + 1)
        assert after.trail_hash == link(before.trail_hash, event)
        assert (event.hazard, event.action, event.actor, event.role, event.at) == (
            before.id,
            action,
            person,
            role,
            self.clock,
        )
        assert (event.before, event.after) == (before.state, after.state)
        assert event.data == orjson.loads(orjson.dumps(event.data))

        # The table.
        target, roles = EXPECTED[action, before.state]
        assert role in roles
        proposed = event.data.get("proposed") is True
        assert after.state == (before.state if proposed else target)

        # Separation of duties, and the gates of a major hazard.
        if action in (Action.RETURN, Action.CLOSE):
            assert role is Role.SUPERVISOR
            assert person not in self.workers
        if action is Action.CLOSE and before.major:
            assert filed["acceptance"].strip()
        if action is Action.START and before.major:
            assert all((before.settlements or {}).get(name, "").strip() for name in FIVE)
        if action in (Action.ASSESS, Action.REJECT) and before.level.urgent:
            assert person not in before.reporters
        self.lowering(before, after, action, person, filed, proposed)
        self.extending(change.extended, action, role, person, filed)
        if action in (Action.START, Action.SUBMIT):
            self.workers.add(person)

        # What stays as it was, whoever does what.
        for name in ("id", "unit", "chain", "opened_at", "text", "place", "machine_level", "machine_subcategory"):
            assert getattr(after, name) == getattr(before, name)
        assert after.reporters >= before.reporters
        assert after.handlers >= before.handlers
        assert after.major is (after.level is Level.RED)

        self.running -= set(change.effects.meet) | set(change.effects.drop)
        self.running |= set(change.effects.begin)
        self.hazard = after
        self.trail.append((event, after.trail_hash))

    def lowering(
        self, before: Any, after: Any, action: Action, person: str, filed: dict[str, Any], proposed: bool
    ) -> None:
        """A level changes by an assessment, or upwards by a witness before one; a direct one falls by two voices."""
        if action is Action.ATTACH:
            assert after.level.rank <= before.level.rank
            assert after.level is before.level or before.state is State.REPORTED
        elif action is not Action.ASSESS:
            assert after.level is before.level
        elif proposed:
            assert after.level is before.level
            self.voice = (person, filed["level"])
        else:
            if before.direct and after.level.rank > before.level.rank:
                assert self.voice is not None
                assert self.voice[0] != person
                assert self.voice[1] == filed["level"] == after.level
            self.voice = None

    def extending(self, extended: Any, action: Action, role: Role, person: str, filed: dict[str, Any]) -> None:
        """A deadline moves only when another person than the one who asked says yes."""
        if extended is not None:
            assert (action, role, filed["approve"]) == (Action.EXTEND, Role.SUPERVISOR, True)
            assert self.requester not in (None, person)
        if action is Action.EXTEND:
            self.requester = person if role is Role.HANDLER else None

    @invariant()
    def the_state_is_one_of_those_declared(self) -> None:
        assert self.hazard.state in {source for _, source in EXPECTED} | {"archived"}

    @invariant()
    def version_and_trail_agree(self) -> None:
        assert self.hazard.version == len(self.trail) == self.trail[-1][0].seq
        assert self.hazard.trail_hash == self.trail[-1][1]

    @invariant()
    def the_trail_holds_together(self) -> None:
        assert broken_at(self.trail) is None

    @invariant()
    def an_open_hazard_has_a_deadline_and_an_ended_one_none_but_the_review(self) -> None:
        state = self.hazard.state
        if state is State.REPORTED:
            assert Kind.ASSESS in self.running
        elif state in OPEN_STATES:
            assert Kind.RECTIFY in self.running
            assert Kind.REVIEW not in self.running
        elif state in (State.CLOSED, State.REVIEWING):
            assert self.running <= {Kind.REVIEW}
        else:
            assert not self.running

    @rule(data=st.data())
    def nobody_can_change_one_event_unseen(self, data: st.DataObject) -> None:
        at = data.draw(st.integers(0, len(self.trail) - 1))
        name = data.draw(st.sampled_from([field.name for field in fields(Event)]))
        event, digest = self.trail[at]
        changed: dict[str, Any] = {
            "hazard": new_id(),
            "at": event.at + timedelta(microseconds=1),
            "data": {**event.data, "forged": True},
            "seq": event.seq + 1,
            "schema": event.schema + 1,
        }
        forged = replace(event, **{name: changed.get(name, f"{getattr(event, name)}!")})
        assert broken_at([*self.trail[:at], (forged, digest), *self.trail[at + 1 :]]) == at + 1


TheLoop.TestCase.settings = settings(deadline=None, max_examples=150, stateful_step_count=50)
TestTheLoop = TheLoop.TestCase


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
