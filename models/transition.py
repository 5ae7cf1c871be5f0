"""What a transition changes: from a hazard and a decision to the hazard after it, its event and its deadlines' effects.

Pure. ``store.hazards`` locks the hazard, calls ``plan`` and writes the outcome in one transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from models import gates
from models.deadlines import Effects, Kind, effects
from models.events import Event, link
from models.hazards import Hazard, shielded
from models.levels import Level, gravest
from models.loop import Action, Refused, State, decide
from models.roles import Actor, Role


@dataclass(frozen=True, slots=True)
class Change:
    """A hazard after an event. ``after.version`` is the event's ``seq``; ``after.trail_hash`` its hash."""

    after: Hazard
    event: Event
    effects: Effects
    extended: tuple[Kind, datetime] | None = None


def plan(hazard: Hazard, action: Action, actor: Actor, filed: Mapping[str, Any], now: datetime) -> Change:
    """The change that an action makes. Raises ``models.loop.Refused`` where the table or a gate forbids it."""
    decision = decide(hazard.facts(), action, actor, filed)
    if action is Action.ASSESS and gates.awaits_second_person(hazard.facts(), actor, filed):
        proposal = {"by": actor.id, "level": filed["level"], "reason": filed.get("reason")}
        return _change(
            replace(hazard, lowering=proposal), action, actor, hazard.state, {**filed, "proposed": True}, now
        )
    if action is Action.EXTEND and actor.role is Role.HANDLER and filed["until"] <= now:
        raise Refused("extension", "新的期限须晚于现在", state=hazard.state, action=action, who=decision.row.roles)
    after = replace(hazard, state=decision.after, **_updates(hazard, action, actor, filed, now))
    change = _change(after, action, actor, hazard.state, filed, now, regraded=after.level is not hazard.level)
    if action is Action.EXTEND and actor.role is Role.SUPERVISOR and filed["approve"] and hazard.extension:
        until = datetime.fromisoformat(hazard.extension["until"])
        return replace(change, extended=(Kind(hazard.extension["kind"]), until))
    return change


def _change(
    after: Hazard,
    action: Action,
    actor: Actor,
    before: State,
    filed: Mapping[str, Any],
    now: datetime,
    *,
    regraded: bool = False,
) -> Change:
    after = shielded(after)
    event = Event(
        hazard=after.id,
        seq=after.version + 1,
        at=now,
        action=action,
        actor=actor.id,
        role=actor.role,
        before=before,
        after=after.state,
        data=as_stored(filed),
    )
    return Change(
        after=replace(after, version=event.seq, trail_hash=link(after.trail_hash, event)),
        event=event,
        effects=effects(action, before, after.state, regraded=regraded, routed=after.routed),
    )


def as_stored(data: Mapping[str, Any]) -> dict[str, Any]:
    """Data as JSON will give it back, so that the hash of what is written is the hash of what is read."""
    stored: dict[str, Any] = orjson.loads(orjson.dumps({k: v for k, v in data.items() if v is not None}, default=str))
    return stored


def _updates(hazard: Hazard, action: Action, actor: Actor, filed: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The columns that an action sets, beside the state."""
    match action:
        case Action.ASSESS:
            level = Level(filed.get("level") or hazard.level)
            return {
                "subcategory": filed.get("category") or hazard.subcategory,
                "level": level,
                "major": level is Level.RED,
                "lowering": None,
                "assessed_at": hazard.assessed_at or now,
            }
        case Action.DISPATCH:
            return {"dispatched_at": now}
        case Action.SETTLE:
            return {"settlements": dict(filed["settlements"])}
        case Action.START:
            return {"handlers": hazard.handlers | {actor.id}}
        case Action.SUBMIT:
            return {"handlers": hazard.handlers | {actor.id}, "submitted_at": now}
        case Action.CLOSE:
            return {"closed_at": now, "extension": None}
        case Action.FOLLOW:
            return {"closed_at": now if hazard.state is State.MERGED else None}
        case Action.REOPEN | Action.UNMERGE:
            again = hazard.state in (State.CLOSED, State.REVIEWING)
            return {"closed_at": None, "merged_into": None, "dispatched_at": now if again else hazard.dispatched_at}
        case Action.ARCHIVE:
            return {"archived_at": now}
        case Action.MERGE:
            return {"merged_into": UUID(filed["into"]), "extension": None}
        case Action.LIST:
            return {"listed": bool(filed.get("on", True))}
        case Action.EXTEND:
            return {"extension": _extension(actor, filed)}
        case Action.CLIMB:
            return {"step": filed["to_step"]}
        case Action.ATTACH:
            return _attached(hazard, filed)
        case _:
            return {}


def _extension(actor: Actor, filed: Mapping[str, Any]) -> dict[str, Any] | None:
    """A handler's request waits; a supervisor's answer ends it either way."""
    if actor.role is not Role.HANDLER:
        return None
    kind = Kind(filed.get("kind") or Kind.RECTIFY)
    return {"by": actor.id, "kind": kind.value, "until": filed["until"].isoformat(), "reason": filed["reason"]}


def _attached(hazard: Hazard, filed: Mapping[str, Any]) -> dict[str, Any]:
    """A further witness. Until an assessor has spoken, a graver telling raises the level; it never lowers it."""
    updates: dict[str, Any] = {
        "report_count": hazard.report_count + 1,
        "minors": hazard.minors or bool(filed.get("minors")),
    }
    if filed.get("reporter"):
        updates["reporters"] = hazard.reporters | {filed["reporter"]}
    if hazard.state is State.REPORTED:
        level = gravest([hazard.level, Level(filed["level"])])
        updates |= {"level": level, "major": level is Level.RED, "direct": hazard.direct or bool(filed.get("direct"))}
    return updates
