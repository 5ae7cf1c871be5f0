"""The escalate agent: hazards whose level asks for a higher tier climb as soon as they are known, and those concerned are told.

One agent a topic (decision 0005), so what ``risk.hazards`` tells people is planned here too, after the climbing.
"""

import logging
from collections.abc import Sequence
from uuid import UUID

import faust
import orjson

from models.levels import Level
from models.loop import Action
from store import escalations
from streams import notices
from streams.batches import batches
from streams.context import Context, now, retrying

log = logging.getLogger(__name__)

# After these a hazard may stand lower than its level asks for.
_RAISING = frozenset({Action.OPEN, Action.ATTACH, Action.ASSESS, Action.UNMERGE, Action.REOPEN})
_URGENT = frozenset(level.value for level in Level if level.urgent)


def register(app: faust.App, topic: faust.TopicT, context: Context) -> None:
    """Add the agent to an app."""

    @app.agent(topic, name="escalate", concurrency=1)  # type: ignore[untyped-decorator]
    async def escalate(stream: faust.StreamT) -> None:
        async for batch in batches(stream):
            await take_in([event.message.value for event in batch], context)


async def take_in(values: Sequence[bytes | None], context: Context) -> None:
    """Lift first, then tell: the notices are a transaction of their own, so that whatever befalls them, the climb stands."""
    await route(concerned(values), context)
    await notices.tell(notices.read(values), context)


def concerned(values: Sequence[bytes | None]) -> list[UUID]:
    """The hazards of a batch that may have to climb.

    ``risk.hazards`` is written by our own relay only; a record that somebody else put there is passed over, for the
    truth is in the database and the auditor routes what was missed.
    """
    ids: dict[UUID, None] = {}
    for value in values:
        try:
            notice = orjson.loads(value or b"")
            if notice["action"] in _RAISING and notice["level"] in _URGENT:
                ids[UUID(notice["id"])] = None
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            log.warning(
                "passed over a record on the hazards topic that is no notice of ours (%s)", type(error).__name__
            )
    return list(ids)


async def route(ids: Sequence[UUID], context: Context) -> None:
    """Lift them, in one transaction."""
    if not ids:
        return
    async for attempt in retrying():
        with attempt:
            async with context.pool.connection() as conn, conn.transaction():
                await escalations.route(conn, ids, now(), context.clock)
