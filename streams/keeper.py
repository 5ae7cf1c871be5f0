"""The keeper process: relay, clock, mending, keeping, notices and early warning. Apart from the agents, so that they go on without Kafka (decision 0004)."""

import asyncio
import logging

from store.settings import Settings
from streams import clock, keep, notify, relay, warn
from streams.context import opened

log = logging.getLogger(__name__)


async def run(settings: Settings) -> None:
    """Run until cancelled. One that fails beyond its own patience ends the process, and the supervisor restarts it."""
    async with opened(settings) as context, asyncio.TaskGroup() as tasks:
        tasks.create_task(relay.run(settings), name="relay")
        tasks.create_task(clock.run(context), name="clock")
        tasks.create_task(clock.watch(context), name="watch")
        tasks.create_task(clock.mend(context), name="mend")
        tasks.create_task(keep.run(context), name="keep")
        tasks.create_task(notify.run(context), name="notify")
        tasks.create_task(warn.run(context), name="warn")
        log.info("keeper runs: relay, clock, watch, mending, keeping, notices, early warning")
