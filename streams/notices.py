"""Planning notices, inside the agents: what a batch of records tells whom. And the agent on ``risk.escalations``, which does nothing else."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import faust
import orjson

from models.hazards import Hazard
from models.levels import Level
from models.loop import Action, State
from models.notices import key_of_event, key_of_reminder, of_action, of_escalation
from store import notices
from store.db import Connection
from store.notices import Plan
from streams.batches import batches
from streams.context import TRANSIENT, Context, now, retrying

log = logging.getLogger(__name__)

# Said by the other topic, with what was missed and from where it climbed.
_ELSEWHERE = frozenset({Action.CLIMB, Action.MISS})
# These leave a hazard where it was: nothing that was asked before is over by them.
_SAID = frozenset(
    {Action.ATTACH, Action.CLIMB, Action.MISS, Action.SETTLE, Action.EXTEND, Action.LIST, Action.INSTRUCT, Action.FEEDBACK}
)  # fmt: skip


def register(app: faust.App, topic: faust.TopicT, context: Context) -> None:
    """Add the agent to an app."""

    @app.agent(topic, name="notify", concurrency=1)  # type: ignore[untyped-decorator]
    async def notify(stream: faust.StreamT) -> None:
        async for batch in batches(stream):
            await tell(read([event.message.value for event in batch]), context)


def read(values: Sequence[bytes | None]) -> list[dict[str, Any]]:
    """The records of a batch that are ours: ``id`` is a hazard's. What somebody else put onto the topic is passed over."""
    found = []
    for value in values:
        try:
            record = orjson.loads(value or b"")
            found.append(record | {"id": UUID(record["id"]), "level": Level(record["level"])})
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            log.warning("passed over a record that is no notice of ours (%s)", type(error).__name__)
    return found


async def tell(records: Sequence[Mapping[str, Any]], context: Context) -> None:
    """Plan what these records tell, in one transaction; where one of them breaks it, each gets its own, so that the others are told."""
    if not records:
        return
    async for attempt in retrying():
        with attempt:
            await _tell(records, context)


async def _tell(records: Sequence[Mapping[str, Any]], context: Context) -> None:
    try:
        async with context.pool.connection() as conn, conn.transaction():
            await plan(conn, records, context, now())
    except TRANSIENT:
        raise
    except Exception:
        if len(records) == 1:
            log.exception("a record of hazard %s tells nobody: no notice could be planned", records[0]["id"])
            return
        for record in records:
            await _tell([record], context)


async def plan(conn: Connection, records: Sequence[Mapping[str, Any]], context: Context, at: datetime) -> int:
    """Write the notices of records of both topics; how many are new. What the hazards have left behind ends."""
    found = await notices.of_hazards(conn, [record["id"] for record in records])
    actors = await notices.actors(conn, [(record["id"], record["seq"]) for record in records if "seq" in record])
    plans = [
        made
        for record in records
        if record["id"] in found and (made := _plan(record, found[record["id"]], actors)) is not None
    ]
    new = await notices.plan(conn, plans, at, context.clock)
    moved = {
        record["id"]: record["seq"] for record in records if "action" in record and record["action"] not in _SAID
    }  # fmt: skip
    if moved:
        await notices.end_moved_on(conn, moved, at)
    return new


def _plan(record: Mapping[str, Any], hazard: Hazard, actors: Mapping[tuple[UUID, int], str]) -> Plan | None:
    due = (record["kind"], datetime.fromisoformat(record["due_at"])) if record.get("kind") else None
    if "action" in record:
        state = State(record["state"])
        targets = () if record["action"] in _ELSEWHERE else of_action(record["action"], state, record["step"])
        due = None
    else:
        state = hazard.state
        targets = of_escalation(record, hazard.chain, state, hazard.step)
    if not targets:
        return None
    seq = record.get("seq", hazard.version)
    key = (
        key_of_event(seq)
        if "seq" in record
        else key_of_reminder(record["kind"], record["round"], record["due_at"], record["mark"])
    )
    doer = actors.get((hazard.id, seq), "") if "seq" in record else ""
    account = UUID(doer.removeprefix("account:")) if doer.startswith("account:") else None
    return Plan(hazard, key, targets, seq, record["level"], state, due, account)
