"""Batches of a Faust stream, acknowledged in order and only after they have landed.

Faust's own ``take`` acknowledges its buffer in a ``finally``: a batch that was interrupted (a rebalance, a shutdown) is
acknowledged without having landed. Here nothing is acknowledged unless the caller asked for the next batch.
"""

from collections.abc import AsyncIterator
from typing import Any

import faust

# One database transaction a batch. Beyond some hundred rows a larger batch saves nothing and delays the first of it.
LIMIT = 500


async def batches(stream: Any, limit: int = LIMIT) -> AsyncIterator[list[faust.EventT]]:
    """Events as they come: one alone when it is quiet, up to ``limit`` together when they queue.

    A batch ends where the queue is empty, so that nobody waits for a timer; while one lands, the next one gathers.
    """
    manual = stream.noack()
    queue = manual.channel.queue
    batch: list[faust.EventT] = []
    async for event in manual.events():
        batch.append(event)
        if len(batch) < limit and not queue.empty():
            continue
        yield batch
        for landed in batch:
            await manual.ack(landed)
        batch = []
