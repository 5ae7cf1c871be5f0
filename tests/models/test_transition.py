"""What each action changes on the hazard: separation of duties, the second voice, extensions, further witnesses."""

from datetime import timedelta
from typing import Any

import pytest

from models.deadlines import Effects, Kind
from models.hazards import Hazard
from models.levels import Level
from models.loop import Action, Refused, State
from models.roles import Role, system
from models.transition import Change, plan
from tests.factories import FIVE, NOW, actor, hazard, new_id

LATER, UNTIL = NOW + timedelta(hours=1), NOW + timedelta(days=3)


def does(held: Hazard, action: Action, role: Role, person: str = "ann", **filed: Any) -> Change:
    return plan(held, action, actor(role, id=person), filed, LATER)


def assesses(held: Hazard, person: str = "ann", **filed: Any) -> Change:
    return does(held, Action.ASSESS, Role.ASSESSOR, person, **filed)


def direct_red(**fields: Any) -> Hazard:
    return hazard(**{"level": Level.RED, "direct": True, "major": True} | fields)


# one action, its columns


def test_an_assessment_sets_level_category_and_the_instant() -> None:
    after = assesses(hazard(), level="orange", category="0102").after
    assert (after.state, after.level, after.subcategory, after.major) == (State.ASSESSED, Level.ORANGE, "0102", False)
    assert after.assessed_at == LATER


def test_an_assessment_that_says_nothing_confirms() -> None:
    change = assesses(hazard(level=Level.BLUE))
    assert (change.after.level, change.after.subcategory) == (Level.BLUE, "0101")
    assert change.effects == Effects(begin=(Kind.CONTROL, Kind.RECTIFY), meet=(Kind.ASSESS,), regrade=False)


def test_an_assessment_anew_keeps_the_first_instant_and_the_state() -> None:
    held = hazard(state=State.HANDLING, assessed_at=NOW)
    change = assesses(held, level="red", reason="火势可能蔓延")
    assert (change.after.state, change.after.level, change.after.major) == (State.HANDLING, Level.RED, True)
    assert change.after.assessed_at == NOW
    assert change.effects == Effects(regrade=True)


def test_raising_needs_one_person_even_for_a_direct_judgement() -> None:
    assert assesses(hazard(direct=True), level="red").after.level is Level.RED


def test_lowering_a_level_that_no_rule_made_needs_one_person() -> None:
    after = assesses(hazard(level=Level.RED, major=True), level="yellow").after
    assert (after.level, after.major, after.lowering) == (Level.YELLOW, False, None)


def test_nobody_judges_their_own_red_report() -> None:
    held = direct_red(reporters=frozenset({"ann"}))
    with pytest.raises(Refused) as caught:
        assesses(held)
    assert caught.value.rule == "not_own_report"
    assert assesses(held, "ben").after.state is State.ASSESSED


# two voices


def test_the_first_voice_is_noted_and_nothing_changes_yet() -> None:
    change = assesses(direct_red(), level="yellow", reason="核实为误报")
    assert (change.after.state, change.after.level, change.after.major) == (State.REPORTED, Level.RED, True)
    assert change.after.lowering == {"by": "ann", "level": "yellow", "reason": "核实为误报"}
    assert change.after.assessed_at is None
    assert change.effects == Effects()
    assert change.event.data == {"level": "yellow", "reason": "核实为误报", "proposed": True}
    assert (change.event.before, change.event.after) == ("reported", "reported")


def test_a_second_person_who_names_the_same_level_lowers_it() -> None:
    held = assesses(direct_red(), level="yellow", reason="核实为误报").after
    change = assesses(held, "ben", level="yellow", reason="现场复核一致")
    assert (change.after.state, change.after.level, change.after.major) == (State.ASSESSED, Level.YELLOW, False)
    assert change.after.lowering is None
    assert change.effects.regrade


def test_the_same_person_twice_is_still_one_voice() -> None:
    held = direct_red()
    for _ in range(3):
        held = assesses(held, level="yellow", reason="核实为误报").after
    assert (held.level, held.state) == (Level.RED, State.REPORTED)


def test_two_people_who_name_different_levels_do_not_lower_it() -> None:
    held = assesses(direct_red(), level="yellow", reason="核实为误报").after
    held = assesses(held, "ben", level="orange", reason="仍有风险").after
    assert held.level is Level.RED
    assert held.lowering is not None
    assert held.lowering["by"] == "ben"
    held = assesses(held, "ann", level="orange", reason="同意").after
    assert held.level is Level.ORANGE


def test_an_assessment_that_confirms_withdraws_the_proposal() -> None:
    held = assesses(direct_red(), level="yellow", reason="核实为误报").after
    held = assesses(held, "cai").after
    assert (held.level, held.lowering) == (Level.RED, None)
    assert assesses(held, "ben", level="yellow", reason="误报").after.level is Level.RED


def test_both_voices_say_why() -> None:
    with pytest.raises(Refused) as caught:
        assesses(direct_red(), level="yellow")
    assert caught.value.rule == "second_person"
    held = assesses(direct_red(), level="yellow", reason="核实为误报").after
    with pytest.raises(Refused):
        assesses(held, "ben", level="yellow")


def test_a_reporter_is_no_second_voice_for_a_red_hazard() -> None:
    held = assesses(direct_red(reporters=frozenset({"ben"})), level="yellow", reason="核实为误报").after
    with pytest.raises(Refused) as caught:
        assesses(held, "ben", level="yellow", reason="同意")
    assert caught.value.rule == "not_own_report"


def test_two_voices_lower_it_while_it_is_handled_too() -> None:
    held = direct_red(state=State.HANDLING, assessed_at=NOW)
    held = assesses(held, level="orange", reason="已断电").after
    assert (held.level, held.state) == (Level.RED, State.HANDLING)
    assert assesses(held, "ben", level="orange", reason="已断电").after.level is Level.ORANGE


# dispatch, handling, verification


def test_dispatching_sets_its_instant_and_again_when_dispatched_anew() -> None:
    assert does(hazard(state=State.ASSESSED), Action.DISPATCH, Role.ASSESSOR).after.dispatched_at == LATER
    assert (
        does(hazard(state=State.DISPATCHED, dispatched_at=NOW), Action.DISPATCH, Role.ASSESSOR).after.dispatched_at
        == LATER
    )


def test_a_major_hazard_is_not_started_before_the_five_are_settled() -> None:
    held = direct_red(state=State.DISPATCHED)
    with pytest.raises(Refused) as caught:
        does(held, Action.START, Role.HANDLER)
    assert caught.value.rule == "five_settlements"
    held = does(held, Action.SETTLE, Role.LEADER, settlements=FIVE).after
    assert (held.state, held.settlements) == (State.DISPATCHED, FIVE)
    assert does(held, Action.START, Role.HANDLER).after.state is State.HANDLING


def test_whoever_starts_or_submits_is_a_handler() -> None:
    held = does(hazard(state=State.DISPATCHED), Action.START, Role.HANDLER, "one").after
    held = does(held, Action.SUBMIT, Role.HANDLER, "two", evidence="已拆除").after
    assert held.handlers == {"one", "two"}
    assert held.submitted_at == LATER


@pytest.mark.parametrize("person", ["one", "two"])
def test_no_handler_verifies_the_work_under_another_role(person: str) -> None:
    held = hazard(state=State.SUBMITTED, handlers=frozenset({"one", "two"}))
    for action in (Action.CLOSE, Action.RETURN):
        with pytest.raises(Refused) as caught:
            does(held, action, Role.SUPERVISOR, person, reason="合格", acceptance="1号")
        assert caught.value.rule == "not_own_work"


def test_handlers_stay_handlers_after_a_return_and_a_reopening() -> None:
    held = does(hazard(state=State.HANDLING), Action.SUBMIT, Role.HANDLER, "one", evidence="已拆除").after
    held = does(held, Action.RETURN, Role.SUPERVISOR, "chief", reason="未拆净").after
    held = does(held, Action.SUBMIT, Role.HANDLER, "two", evidence="已拆净").after
    held = does(held, Action.CLOSE, Role.SUPERVISOR, "chief").after
    held = does(held, Action.REOPEN, Role.SUPERVISOR, "chief", reason="又被锁").after
    assert held.handlers == {"one", "two"}


def test_a_major_hazard_is_closed_with_its_acceptance() -> None:
    held = direct_red(state=State.SUBMITTED)
    with pytest.raises(Refused) as caught:
        does(held, Action.CLOSE, Role.SUPERVISOR)
    assert caught.value.rule == "acceptance"
    assert does(held, Action.CLOSE, Role.SUPERVISOR, acceptance="1号").after.closed_at == LATER


def test_closing_leaves_no_deadline_but_the_review() -> None:
    change = does(hazard(state=State.SUBMITTED), Action.CLOSE, Role.SUPERVISOR)
    assert set(change.effects.meet) == set(Kind) - {Kind.REVIEW}
    assert change.effects.begin == (Kind.REVIEW,)


def test_a_reopened_hazard_is_dispatched_and_no_longer_closed() -> None:
    for state in (State.CLOSED, State.REVIEWING):
        after = does(
            hazard(state=state, closed_at=NOW, dispatched_at=NOW), Action.REOPEN, Role.ASSESSOR, reason="又锁"
        ).after
        assert (after.state, after.closed_at, after.dispatched_at) == (State.DISPATCHED, None, LATER)


def test_a_rejected_one_that_is_reopened_waits_for_its_assessment_again() -> None:
    change = does(hazard(state=State.REJECTED), Action.REOPEN, Role.SUPERVISOR, reason="属实")
    assert (change.after.state, change.after.dispatched_at) == (State.REPORTED, None)
    assert Kind.ASSESS in change.effects.begin


def test_merging_and_back() -> None:
    master = new_id()
    change = does(hazard(), Action.MERGE, Role.ASSESSOR, into=str(master))
    assert (change.after.state, change.after.merged_into) == (State.MERGED, master)
    assert change.effects.drop == tuple(Kind)
    back = does(change.after, Action.UNMERGE, Role.ASSESSOR, reason="不是同一处").after
    assert (back.state, back.merged_into) == (State.REPORTED, None)


@pytest.mark.parametrize(("filed", "listed"), [({}, True), ({"on": True}, True), ({"on": False}, False)])
def test_listing_for_supervision_and_taking_off_the_list(filed: dict[str, bool], listed: bool) -> None:
    held = hazard(listed=not listed)
    assert does(held, Action.LIST, Role.SUPERVISOR, reason="重点督办", **filed).after.listed is listed


@pytest.mark.parametrize(("level", "free"), [(Level.YELLOW, True), (Level.BLUE, True), (Level.ORANGE, False)])
def test_only_what_owes_no_review_is_archived_at_once(level: Level, free: bool) -> None:
    held = hazard(state=State.CLOSED, level=level)
    if free:
        assert does(held, Action.ARCHIVE, Role.SUPERVISOR).after.archived_at == LATER
    else:
        with pytest.raises(Refused) as caught:
            does(held, Action.ARCHIVE, Role.SUPERVISOR)
        assert caught.value.rule == "no_review_owed"


@pytest.mark.parametrize("action", [Action.INSTRUCT, Action.FEEDBACK])
def test_what_is_said_along_the_way_changes_nothing_but_the_trail(action: Action) -> None:
    held = hazard(state=State.HANDLING)
    after = does(held, action, Role.SUPERVISOR, text="请尽快").after
    changed = {name for name in Hazard.__slots__ if getattr(after, name) != getattr(held, name)}
    assert changed == {"version", "trail_hash"}


# extensions


def test_a_handler_asks_and_nothing_moves_yet() -> None:
    change = does(hazard(state=State.HANDLING), Action.EXTEND, Role.HANDLER, "hand", until=UNTIL, reason="配件未到")
    assert change.after.extension == {"by": "hand", "kind": "rectify", "until": UNTIL.isoformat(), "reason": "配件未到"}
    assert (change.extended, change.effects) == (None, Effects())


@pytest.mark.parametrize("kind", ["control", "rectify"])
def test_another_persons_yes_moves_the_deadline_that_was_asked_for(kind: str) -> None:
    asked = does(
        hazard(state=State.HANDLING), Action.EXTEND, Role.HANDLER, "hand", until=UNTIL, reason="未到", kind=kind
    ).after
    change = does(asked, Action.EXTEND, Role.SUPERVISOR, "chief", approve=True)
    assert change.extended == (Kind(kind), UNTIL)
    assert change.after.extension is None


def test_a_no_moves_nothing_and_ends_the_request() -> None:
    asked = does(hazard(state=State.HANDLING), Action.EXTEND, Role.HANDLER, "hand", until=UNTIL, reason="未到").after
    change = does(asked, Action.EXTEND, Role.SUPERVISOR, "chief", approve=False)
    assert (change.extended, change.after.extension) == (None, None)
    with pytest.raises(Refused):
        does(change.after, Action.EXTEND, Role.SUPERVISOR, "chief", approve=True)


def test_nobody_grants_their_own_request() -> None:
    asked = does(hazard(state=State.HANDLING), Action.EXTEND, Role.HANDLER, "hand", until=UNTIL, reason="未到").after
    with pytest.raises(Refused) as caught:
        does(asked, Action.EXTEND, Role.SUPERVISOR, "hand", approve=True)
    assert caught.value.rule == "extension"


def test_a_request_that_waits_ends_with_the_closing() -> None:
    held = hazard(state=State.SUBMITTED, extension={"by": "hand", "kind": "rectify", "until": UNTIL.isoformat()})
    assert does(held, Action.CLOSE, Role.SUPERVISOR).after.extension is None


# further witnesses and climbing


def attaches(held: Hazard, **filed: Any) -> Change:
    return plan(held, Action.ATTACH, system("classify"), {"level": "yellow", "direct": False} | filed, LATER)


@pytest.mark.parametrize(
    ("before", "told", "after"),
    [
        (Level.YELLOW, "red", Level.RED),
        (Level.YELLOW, "orange", Level.ORANGE),
        (Level.YELLOW, "yellow", Level.YELLOW),
        (Level.YELLOW, "blue", Level.YELLOW),
        (Level.RED, "blue", Level.RED),
    ],
)
def test_a_further_witness_raises_and_never_lowers(before: Level, told: str, after: Level) -> None:
    change = attaches(hazard(level=before, major=before is Level.RED), level=told)
    assert (change.after.level, change.after.major) == (after, after is Level.RED)
    assert change.effects == Effects(regrade=before is not after)


@pytest.mark.parametrize("state", [State.ASSESSED, State.DISPATCHED, State.HANDLING, State.SUBMITTED])
def test_once_an_assessor_has_spoken_a_witness_changes_no_level(state: State) -> None:
    after = attaches(hazard(state=state), level="red", direct=True).after
    assert (after.level, after.major, after.direct, after.report_count) == (Level.YELLOW, False, False, 2)


def test_a_witness_is_counted_and_remembered_as_a_reporter() -> None:
    after = attaches(hazard(reporters=frozenset({"one"})), reporter="two").after
    assert (after.report_count, after.reporters) == (2, {"one", "two"})
    assert attaches(after, reporter=None).after.reporters == {"one", "two"}


def test_a_direct_witness_makes_it_direct_and_no_later_one_takes_that_back() -> None:
    held = attaches(hazard(), level="red", direct=True).after
    assert held.direct
    assert attaches(held, level="blue").after.direct


def test_climbing_moves_the_step_and_reporting_is_met_where_the_level_belongs() -> None:
    held = hazard(level=Level.RED)
    first = plan(held, Action.CLIMB, system("clock"), {"to_step": 1}, LATER)
    assert (first.after.step, first.effects) == (1, Effects())
    second = plan(first.after, Action.CLIMB, system("escalate"), {"to_step": 2}, LATER)
    assert (second.after.tier, second.effects) == ("city", Effects(meet=(Kind.REPORT,)))


def test_a_closed_hazard_never_climbs() -> None:
    for state in (State.CLOSED, State.REVIEWING, State.ARCHIVED, State.REJECTED, State.MERGED):
        with pytest.raises(Refused):
            plan(hazard(state=state), Action.CLIMB, system("clock"), {"to_step": 1}, LATER)
