"""The loop: warn → intervene → review, as one table that an officer can read (domain §2).

Each row says: this action, from these states, to this state, by these roles, when these gates are open. ``decide``
looks a row up and checks it against a hazard, an actor and what was filed; it changes nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from models import gates
from models.gates import Facts, Gate
from models.roles import Actor, Role


class Phase(StrEnum):
    """The three parts of the loop."""

    WARN = "warn"
    INTERVENE = "intervene"
    REVIEW = "review"

    @property
    def label(self) -> str:
        """预警预判, 干预处置, 复盘教导."""
        return {"warn": "预警预判", "intervene": "干预处置", "review": "复盘教导"}[self.value]


class State(StrEnum):
    """Where a hazard stands."""

    REPORTED = "reported"
    ASSESSED = "assessed"
    DISPATCHED = "dispatched"
    HANDLING = "handling"
    SUBMITTED = "submitted"
    CLOSED = "closed"
    REVIEWING = "reviewing"
    ARCHIVED = "archived"
    REJECTED = "rejected"
    MERGED = "merged"

    @property
    def label(self) -> str:
        """The Chinese word on the page."""
        return _STATE_LABEL[self]

    @property
    def phase(self) -> Phase | None:
        """The part of the loop; None for the side ways (rejected, merged)."""
        return _PHASE.get(self)

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to act on the hazard itself (a closed one only owes its review)."""
        return self in OPEN_STATES


_STATE_LABEL = {
    State.REPORTED: "待研判",
    State.ASSESSED: "已研判",
    State.DISPATCHED: "已派单",
    State.HANDLING: "处置中",
    State.SUBMITTED: "待复核",
    State.CLOSED: "已销号",
    State.REVIEWING: "待复盘",
    State.ARCHIVED: "已归档",
    State.REJECTED: "不属实",
    State.MERGED: "已合并",
}
_PHASE = {
    State.REPORTED: Phase.WARN,
    State.ASSESSED: Phase.WARN,
    State.DISPATCHED: Phase.INTERVENE,
    State.HANDLING: Phase.INTERVENE,
    State.SUBMITTED: Phase.INTERVENE,
    State.CLOSED: Phase.REVIEW,
    State.REVIEWING: Phase.REVIEW,
    State.ARCHIVED: Phase.REVIEW,
}
OPEN_STATES = frozenset({State.REPORTED, State.ASSESSED, State.DISPATCHED, State.HANDLING, State.SUBMITTED})


class Action(StrEnum):
    """Every way in which a hazard changes, or something is said about it. Each leaves one event in the trail."""

    OPEN = "open"
    ATTACH = "attach"
    CLIMB = "climb"
    MISS = "miss"
    ASSESS = "assess"
    REJECT = "reject"
    MERGE = "merge"
    UNMERGE = "unmerge"
    DISPATCH = "dispatch"
    SETTLE = "settle"
    START = "start"
    SUBMIT = "submit"
    RETURN = "return"
    CLOSE = "close"
    EXTEND = "extend"
    LIST = "list"
    REVIEW = "review"
    ARCHIVE = "archive"
    REOPEN = "reopen"
    INSTRUCT = "instruct"
    FEEDBACK = "feedback"
    FOLLOW = "follow"

    @property
    def label(self) -> str:
        """The Chinese word on the button."""
        return _ACTION_LABEL[self]


_ACTION_LABEL = {
    Action.OPEN: "立案",
    Action.ATTACH: "并入上报",
    Action.CLIMB: "升级",
    Action.MISS: "逾期",
    Action.ASSESS: "研判定级",
    Action.REJECT: "判为不属实",
    Action.MERGE: "合并",
    Action.UNMERGE: "取消合并",
    Action.DISPATCH: "派单",
    Action.SETTLE: "五落实",
    Action.START: "开始处置",
    Action.SUBMIT: "提交复核",
    Action.RETURN: "退回整改",
    Action.CLOSE: "销号",
    Action.EXTEND: "延期",
    Action.LIST: "挂牌督办",
    Action.REVIEW: "开始复盘",
    Action.ARCHIVE: "归档",
    Action.REOPEN: "重新打开",
    Action.INSTRUCT: "督办指示",
    Action.FEEDBACK: "反馈",
    Action.FOLLOW: "随主隐患",
}


@dataclass(frozen=True, slots=True)
class Transition:
    """One row of the table. ``target`` None: the state stays, the event counts."""

    action: Action
    sources: tuple[State, ...]
    target: State | None
    roles: tuple[Role, ...]
    gates: tuple[Gate, ...] = ()


_OPEN = (State.REPORTED, State.ASSESSED, State.DISPATCHED, State.HANDLING, State.SUBMITTED)
_UNDER_WAY = (State.ASSESSED, State.DISPATCHED, State.HANDLING)
_ASSESSOR, _HANDLER, _SUPERVISOR = (Role.ASSESSOR,), (Role.HANDLER,), (Role.SUPERVISOR,)

TABLE: tuple[Transition, ...] = (
    # 预警预判 warn
    Transition(
        Action.ASSESS, (State.REPORTED,), State.ASSESSED, _ASSESSOR, (gates.not_own_report, gates.second_person)
    ),
    Transition(
        Action.ASSESS, _UNDER_WAY, None, _ASSESSOR, (gates.not_own_report, gates.has_reason, gates.second_person)
    ),
    Transition(
        Action.REJECT,
        (State.REPORTED, State.ASSESSED),
        State.REJECTED,
        _ASSESSOR,
        (gates.not_own_report, gates.has_reason),
    ),
    Transition(
        Action.MERGE, (State.REPORTED, *_UNDER_WAY), State.MERGED, _ASSESSOR, (gates.not_own_report, gates.names_master)
    ),
    Transition(Action.UNMERGE, (State.MERGED,), State.REPORTED, _ASSESSOR, (gates.has_reason,)),
    # 干预处置 intervene
    Transition(Action.DISPATCH, (State.ASSESSED, State.DISPATCHED), State.DISPATCHED, _ASSESSOR),
    Transition(
        Action.SETTLE,
        (State.DISPATCHED, State.HANDLING),
        None,
        (Role.HANDLER, Role.ASSESSOR, Role.LEADER),
        (gates.names_settlements,),
    ),
    Transition(Action.START, (State.DISPATCHED,), State.HANDLING, _HANDLER, (gates.five_settlements,)),
    Transition(
        Action.SUBMIT, (State.HANDLING,), State.SUBMITTED, _HANDLER, (gates.has_evidence, gates.five_settlements)
    ),
    Transition(Action.RETURN, (State.SUBMITTED,), State.HANDLING, _SUPERVISOR, (gates.not_own_work, gates.has_reason)),
    Transition(Action.CLOSE, (State.SUBMITTED,), State.CLOSED, _SUPERVISOR, (gates.not_own_work, gates.acceptance)),
    Transition(Action.EXTEND, _UNDER_WAY[1:], None, (Role.HANDLER, Role.SUPERVISOR), (gates.extension,)),
    # 复盘教导 review
    Transition(Action.REVIEW, (State.CLOSED,), State.REVIEWING, _SUPERVISOR, (gates.not_own_work,)),
    Transition(Action.ARCHIVE, (State.REVIEWING,), State.ARCHIVED, _SUPERVISOR, (gates.not_own_work, gates.has_lesson)),
    Transition(
        Action.ARCHIVE, (State.CLOSED,), State.ARCHIVED, _SUPERVISOR, (gates.not_own_work, gates.no_review_owed)
    ),
    Transition(
        Action.REOPEN,
        (State.CLOSED, State.REVIEWING),
        State.DISPATCHED,
        # The platform too: a new report within days says that the rectification did not hold (models/duplicates/).
        (Role.SUPERVISOR, Role.ASSESSOR, Role.SYSTEM),
        (gates.has_reason,),
    ),
    Transition(Action.REOPEN, (State.REJECTED,), State.REPORTED, (Role.SUPERVISOR, Role.ASSESSOR), (gates.has_reason,)),
    # said along the way; the state stays
    Transition(Action.LIST, _OPEN, None, _SUPERVISOR, (gates.has_reason,)),
    Transition(Action.INSTRUCT, _OPEN, None, (Role.SUPERVISOR, Role.LEADER, Role.ADMIN), (gates.has_text,)),
    Transition(Action.FEEDBACK, _OPEN, None, (Role.ASSESSOR, Role.HANDLER, Role.SUPERVISOR), (gates.has_text,)),
    # the platform itself
    Transition(Action.ATTACH, _OPEN, None, (Role.SYSTEM,)),
    Transition(Action.CLIMB, _OPEN, None, (Role.SYSTEM,)),
    Transition(Action.FOLLOW, (State.MERGED,), State.CLOSED, (Role.SYSTEM,), (gates.is_follower,)),
    Transition(Action.FOLLOW, (State.CLOSED,), State.MERGED, (Role.SYSTEM,), (gates.is_follower,)),
    Transition(Action.MISS, (*_OPEN, State.CLOSED, State.REVIEWING), None, (Role.SYSTEM,)),
)


class Refused(Exception):
    """A transition that is not allowed: says the state, the rule, and who could do it."""

    def __init__(self, rule: str, message: str, *, state: State, action: Action, who: tuple[Role, ...] = ()) -> None:
        super().__init__(message)
        self.rule = rule
        self.state = state
        self.action = action
        self.who = who


@dataclass(frozen=True, slots=True)
class Decision:
    """An allowed transition: the state it leads to, and the row it follows."""

    action: Action
    before: State
    after: State
    row: Transition = field(repr=False)


def rows(action: Action, state: State) -> tuple[Transition, ...]:
    """The rows that an action has from a state: one, or none."""
    return tuple(row for row in TABLE if row.action is action and state in row.sources)


def allowed(state: State, role: Role) -> tuple[Action, ...]:
    """Actions that a role has in a state, gates apart; for buttons."""
    return tuple(dict.fromkeys(row.action for row in TABLE if state in row.sources and role in row.roles))


def decide(facts: Facts, action: Action, actor: Actor, filed: Mapping[str, Any]) -> Decision:
    """Whether this actor may do this now, with what they filed. Raises ``Refused``.

    ``facts`` is the hazard; ``filed`` what came with the action (``reason``, ``level``, ``settlements`` …).
    """
    state = State(facts.state)
    candidates = rows(action, state)
    if not candidates:
        sources = [source.label for row in TABLE if row.action is action for source in row.sources]
        raise Refused(
            "state",
            f"{action.label}不能在「{state.label}」时进行；可在：{'、'.join(dict.fromkeys(sources))}",
            state=state,
            action=action,
            who=tuple(role for row in TABLE if row.action is action for role in row.roles),
        )
    row = candidates[0]
    if actor.role not in row.roles:
        raise Refused(
            "role",
            f"{actor.role.label}不能{action.label}；可由{'、'.join(role.label for role in row.roles)}进行",
            state=state,
            action=action,
            who=row.roles,
        )
    for gate in row.gates:
        if (lacking := gate(facts, actor, filed)) is not None:
            raise Refused(gate.__name__, lacking, state=state, action=action, who=row.roles)
    return Decision(action=action, before=state, after=row.target or state, row=row)
