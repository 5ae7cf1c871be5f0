"""The pump: takes reports out of a simulator at a chosen rate and hands them on in batches."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

Record = dict[str, Any]
T = TypeVar("T")

# Short enough that a wall shows a steady flow, long enough that 10,000 a second make batches and not single calls.
TICK = 0.05
# A receiver that stood still is owed at most this many seconds: what lies further back was never reported.
OWED_SECONDS = 2.0
# The largest batch: a body of some 300 kB, within what one request may carry.
BATCH = 1000


async def pump(
    draw: Callable[[datetime], tuple[Record, T]],
    rhythm: Callable[[datetime], float] | None,
    send: Callable[[list[Record]], Awaitable[object]],
    rate: float,
    stop: asyncio.Event,
    truth: Callable[[list[T]], object] | None = None,
) -> int:
    """Sends ``rate`` reports a second, times ``rhythm(now)`` if given, until ``stop`` is set; returns how many.

    It catches up after a slow ``send`` but is never owed more than two seconds' worth, in batches of at most 1,000.
    ``truth`` gets what ``draw`` said of each record of a batch, after the batch was sent. What ``send`` raises
    ends the pump. Raises ``ValueError`` on a rate that is not positive.
    """
    if not rate > 0:
        raise ValueError(f"rate {rate} sends nothing: choose reports per second above 0")
    loop = asyncio.get_running_loop()
    # With a rhythm people report at random moments (a Poisson process); without, evenly: a load of so many a second.
    gaps = random.Random(0)
    owed, needed, sent = 0.0, 1.0, 0
    last = loop.time()
    while not stop.is_set():
        now, moment = datetime.now(UTC), loop.time()
        speed = rate * (rhythm(now) if rhythm else 1.0)
        owed = min(owed + (moment - last) * speed, max(speed * OWED_SECONDS, needed))
        last = moment
        drawn: list[tuple[Record, T]] = []
        while owed >= needed and len(drawn) < BATCH:
            owed -= needed
            needed = gaps.expovariate(1.0) if rhythm else 1.0
            drawn.append(draw(now))
        if drawn:
            await send([record for record, _ in drawn])
            sent += len(drawn)
            if truth is not None:
                truth([said for _, said in drawn])
        if len(drawn) < BATCH:
            await _pause(stop)
        else:
            await asyncio.sleep(0)
    return sent


async def _pause(stop: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stop.wait(), TICK)
    except TimeoutError:
        return
