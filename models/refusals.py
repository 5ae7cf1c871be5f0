"""Which refused transitions matter to an auditor; the others are only counted (decision 0015)."""

from models.gates import Facts
from models.loop import TABLE, Action
from models.roles import Actor, Role

# Whatever the hazard: somebody tried to judge or verify what is their own.
_DUTIES = frozenset({"not_own_report", "not_own_work"})
# They refuse at major hazards, and at directly judged ones, alone.
_MAJOR = frozenset({"five_settlements", "acceptance", "second_person"})
# Who did the work, and tries what only another may do about it.
_VERIFYING = frozenset({Action.RETURN, Action.CLOSE, Action.REVIEW, Action.ARCHIVE})
# At a closed record, by somebody to whom it is not open.
HIDDEN = "hidden"
STALE = "stale"

# All words that a rule can be: the labels of a metric must be bounded.
RULES = frozenset({"state", "role", STALE, HIDDEN} | {gate.__name__ for row in TABLE for gate in row.gates})


def matters(rule: str, action: Action, facts: Facts, actor: Actor, *, closed: bool) -> bool:
    """Whether a refusal tells of an attempt against separation of duties, at a major hazard's gate, or at a closed record.

    ``closed``: the hazard lies in a confidential lane or is about minors. A wrong state, a missing reason and the like are
    ordinary mistakes.
    """
    if rule in _DUTIES or rule in _MAJOR:
        return True
    if rule == "role":
        own_work = action in _VERIFYING and actor.id in facts.handlers
        own_report = action is Action.ASSESS and actor.id in facts.reporters
        return closed or own_work or own_report
    if rule == "extension" and actor.role is Role.SUPERVISOR:
        asked = facts.extension is not None and facts.extension.get("by") == actor.id
        return asked or actor.id in facts.handlers
    return False
