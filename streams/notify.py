"""Sending notices, in the keeper: claim, send, record. No transaction is open while a receiver is spoken to.

Whoever dies between sending and recording leaves a claim that runs out: the message then goes out again. Nothing is lost,
and one message may come twice.
"""

import asyncio
import logging
from collections.abc import Sequence

from models.notices_text import Message, message
from store import channels, claims, sending
from store.channels import Way
from store.sealing import Sealer, sealer
from streams.context import TRANSIENT, Context, now

log = logging.getLogger(__name__)

# A red notice leaves within about a second of being planned.
INTERVAL = 0.5
# Recipients at a time: one whose receiver hangs must not keep the others waiting, and threads are few.
ABREAST = 4
# Of a recipient's channels: three that fail are a recipient who cannot be reached, and the next try begins anew.
MOST_WAYS = 3


async def run(context: Context) -> None:
    """Send for ever what is due. Two keepers side by side share the recipients."""
    ours = sealer(context.settings)
    while True:
        try:
            sent = await sweep(context, ours)
        except TRANSIENT as error:
            log.warning("notices wait for the database (%s)", type(error).__name__)
            sent = 0
        if sent < ABREAST:
            await asyncio.sleep(INTERVAL)


async def sweep(context: Context, ours: Sealer) -> int:
    """Send to the recipients whose turn it is; how many they were."""
    async with context.pool.connection() as conn:
        due = await claims.recipients_due(conn, now(), ABREAST)
    answers = await asyncio.gather(*(_serve(recipient, context, ours) for recipient in due), return_exceptions=True)
    for recipient, answer in zip(due, answers, strict=True):
        if isinstance(answer, TRANSIENT):
            raise answer
        if isinstance(answer, BaseException):
            # One recipient's trouble is not the others'. The claim runs out, and it is tried again.
            log.error("notices of %s could not be sent", recipient, exc_info=answer)
    return len(due)


async def _serve(recipient: str, context: Context, ours: Sealer) -> None:
    async with context.pool.connection() as conn, conn.transaction():
        claim = await claims.claim(conn, recipient, now(), context.clock)
    if claim is None:
        return
    for part in claim.parts:
        ways = [claim.ways[number] for number in part.lot.channels][:MOST_WAYS]
        attempts = await _send(ways, message(part.told, context.settings.base_url), context, ours)
        at = now()
        async with context.pool.connection() as conn, conn.transaction():
            for way, reason in attempts:
                await channels.record(conn, part.id, recipient, way.id, reason, part.lot.notices, at)
            await claims.record(conn, claim, part.lot, any(reason is None for _, reason in attempts), at)


async def _send(ways: Sequence[Way], text: Message, context: Context, ours: Sealer) -> list[tuple[Way, str | None]]:
    """Try the ways in their order until one takes the message; each with the reason why it did not."""
    attempts: list[tuple[Way, str | None]] = []
    for way in ways:
        reason = await sending.deliver(way.sealed, text, context.settings, ours)
        attempts.append((way, reason))
        if reason is None:
            break
        log.warning("channel %s did not take a message (%s)", way.id, reason)
    return attempts
