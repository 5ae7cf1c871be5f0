"""Which event tells whom: from what happened to a hazard to roles of units in its chain. Acknowledged is not solved: no state changes here."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from models.chain import Chain
from models.loop import TABLE, Action, State
from models.roles import Role


class Happening(StrEnum):
    """What somebody is told of."""

    OPENED = "opened"
    REOPENED = "reopened"
    CLIMBED = "climbed"
    DISPATCHED = "dispatched"
    RETURNED = "returned"
    SUBMITTED = "submitted"
    REMINDER = "reminder"
    MISSED = "missed"
    INSTRUCTED = "instructed"
    UNANSWERED = "unanswered"

    @property
    def label(self) -> str:
        """The Chinese words of a message."""
        return _LABEL[self]

    @property
    def asks(self) -> bool:
        """Whether it asks for one act, so that it is void where the hazard has moved on; the others are told at least once."""
        return self in _ASKING


_LABEL = {
    Happening.OPENED: "新隐患待研判",
    Happening.REOPENED: "隐患重新打开",
    Happening.CLIMBED: "隐患升级",
    Happening.DISPATCHED: "隐患已派单，请处置",
    Happening.RETURNED: "整改被退回",
    Happening.SUBMITTED: "整改待复核",
    Happening.REMINDER: "期限将到",
    Happening.MISSED: "期限已过",
    Happening.INSTRUCTED: "督办指示",
    Happening.UNANSWERED: "通知无人确认",
}
_ASKING = frozenset(
    {Happening.OPENED, Happening.REOPENED, Happening.DISPATCHED, Happening.RETURNED, Happening.SUBMITTED,
     Happening.REMINDER}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Target:
    """Roles of the unit at a step of the chain, and what they are told of."""

    happening: Happening
    step: int
    roles: tuple[Role, ...]


# The act that leads a hazard on from each state: whoever may do it is the one who owes it.
_NEXT = {
    State.REPORTED: Action.ASSESS,
    State.ASSESSED: Action.DISPATCH,
    State.DISPATCHED: Action.START,
    State.HANDLING: Action.SUBMIT,
    State.SUBMITTED: Action.CLOSE,
    State.CLOSED: Action.REVIEW,
    State.REVIEWING: Action.ARCHIVE,
}
# Those who answer for a tier that a hazard arrives at.
_ARRIVAL = (Role.SUPERVISOR, Role.ASSESSOR, Role.LEADER)
_OWN_UNIT = (Role.ASSESSOR, Role.HANDLER, Role.SUPERVISOR, Role.LEADER)


def of_action(action: str, state: State, step: int) -> tuple[Target, ...]:
    """Whom a change of a hazard tells; nobody for what asks for no act. ``state`` and ``step`` are those after it.

    Climbing and missing come by ``of_escalation``. Work is done where the hazard lies, so its handlers are those of step 0.

    >>> of_action("submit", State.SUBMITTED, 1)[0].roles
    (<Role.SUPERVISOR: 'supervisor'>,)
    """
    match action:
        case Action.OPEN:
            return (Target(Happening.OPENED, step, (Role.ASSESSOR,)),)
        case Action.UNMERGE | Action.REOPEN:
            again = (Target(Happening.REOPENED, step, (Role.ASSESSOR,)),)
            return again if state is State.REPORTED else (*again, Target(Happening.REOPENED, 0, (Role.HANDLER,)))
        case Action.DISPATCH:
            return (Target(Happening.DISPATCHED, 0, (Role.HANDLER,)),)
        case Action.RETURN:
            return (Target(Happening.RETURNED, 0, (Role.HANDLER,)),)
        case Action.SUBMIT:
            return (Target(Happening.SUBMITTED, step, (Role.SUPERVISOR,)),)
        case Action.INSTRUCT:
            return (Target(Happening.INSTRUCTED, 0, _OWN_UNIT),)
        case _:
            return ()


def of_escalation(record: Mapping[str, Any], chain: Chain, state: State, step: int) -> tuple[Target, ...]:
    """Whom a record of ``risk.escalations`` tells: a climb, a missed deadline (both, where the one made the other), or a reminder."""
    units = [link.unit for link in chain.links]
    if "mark" in record:
        return owing(Happening.REMINDER, state, step)
    came, stands = (units.index(record[name]) if record[name] in units else step for name in ("from_unit", "to_unit"))
    climb = (Target(Happening.CLIMBED, stands, _ARRIVAL),) if stands != came else ()
    return (*climb, *(owing(Happening.MISSED, state, came) if record.get("kind") else ()))


def owing(happening: Happening, state: State, step: int) -> tuple[Target, ...]:
    """Who owes the next act in a state, by the loop's own table; above the lowest tier its supervisors too, who must urge it."""
    act = _NEXT.get(state)
    roles = next((row.roles for row in TABLE if row.action is act and state in row.sources), ())
    lies = 0 if roles == (Role.HANDLER,) else step
    urge = (Target(happening, step, (Role.SUPERVISOR,)),) if step > 0 and roles else ()
    return (*((Target(happening, lies, roles),) if roles else ()), *urge)


def leader_above(chain: Chain, unit: str, *, was_leader: bool) -> Target | None:
    """Who is told that nobody answered: the unit's leader, or, where it was the leader who did not, that of the next tier; None at the top."""
    units = [link.unit for link in chain.links]
    step = (units.index(unit) if unit in units else 0) + (1 if was_leader else 0)
    return Target(Happening.UNANSWERED, step, (Role.LEADER,)) if step <= chain.top else None


def key_of_event(seq: int) -> str:
    """The key of an event of the trail: the same record read again gives the same notice."""
    return f"seq:{seq}"


def key_of_reminder(kind: str, round: int, due_at: datetime | str, mark: float) -> str:
    """The key of a reminder, with the instant it is about: a moved deadline is reminded of anew."""
    return f"reminder:{kind}:{round}:{due_at}:{mark}"
