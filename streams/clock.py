"""The clock: missed deadlines, and reminders before them.

Swept from the database, so that neither a dead worker nor a dead Kafka stops one.
"""

import asyncio
import logging

from store import audit, escalations, reminders
from streams.context import TRANSIENT, Context, now

log = logging.getLogger(__name__)

# A missed deadline climbs within two seconds; half a second leaves room for the sweep itself.
INTERVAL = 0.5
# Somebody may go off duty at any minute: a hazard is not left longer than this in front of an empty desk. The look reads all rosters.
WATCH_EVERY = 10.0
# Losing a broker's disk is rare; looking for it costs an index look-up.
MEND_EVERY = 30.0
# A unit or a duty hour that was changed counts after at most this long.
REFRESH_EVERY = 60.0


async def run(context: Context) -> None:
    """Sweep for ever. Two clocks side by side share the work, for each skips what the other holds."""
    while True:
        try:
            async with context.pool.connection() as conn, conn.transaction():
                missed = await escalations.sweep(conn, now(), context.clock)
            # A transaction of its own: whatever befalls a reminder, the climb above stands.
            async with context.pool.connection() as conn, conn.transaction():
                await reminders.sweep(conn, now(), context.clock)
        except TRANSIENT as error:
            log.warning("the clock waits for the database (%s)", type(error).__name__)
            missed = 0
        if missed < escalations.BATCH:
            await asyncio.sleep(INTERVAL)


async def watch(context: Context) -> None:
    """Look for ever whether hazards stand where nobody is on duty."""
    while True:
        await asyncio.sleep(WATCH_EVERY)
        try:
            async with context.pool.connection() as conn, conn.transaction():
                lifted = await escalations.unmanned(conn, now(), context.clock)
        except TRANSIENT as error:
            log.warning("the watch waits for the database (%s)", type(error).__name__)
        else:
            if lifted:
                log.info("%d hazards climbed past units where nobody is on duty", lifted)


async def mend(context: Context) -> None:
    """Find for ever what was lost on the way, and send it again; read the units anew now and then."""
    while True:
        await asyncio.sleep(MEND_EVERY)
        try:
            async with context.pool.connection() as conn, conn.transaction():
                mended = await audit.mend(conn, now(), context.clock)
            if context.read_at is None or (now() - context.read_at).total_seconds() > REFRESH_EVERY:
                await context.refresh()
        except TRANSIENT as error:
            log.warning("mending waits for the database (%s)", type(error).__name__)
        else:
            if any(mended.values()):
                log.warning("mended: %(resent)d reports sent again, %(routed)d hazards lifted", mended)
