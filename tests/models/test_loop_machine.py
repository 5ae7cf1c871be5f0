"""A machine that tries to break the loop with whatever people may file."""

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import orjson
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from models.deadlines import Kind
from models.events import Event, broken_at, link
from models.levels import Level
from models.loop import OPEN_STATES, Action, Refused, State
from models.roles import Role
from models.transition import plan
from tests.factories import FIVE, NOW, actor, new_id, opening
from tests.models.test_loop import EXPECTED, FULL

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
