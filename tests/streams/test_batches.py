"""Batches acknowledge in order, and only what has landed (Faust issues 606, 185; decision 0005)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from streams.batches import batches


class Stream:
    """As much of a Faust stream as ``batches`` touches: a queue, events, manual acknowledgement."""

    def __init__(self, *events: str) -> None:
        self.queue: asyncio.Queue[str] = asyncio.Queue()
        self.acked: list[str] = []
        self.manual = False
        for event in events:
            self.queue.put_nowait(event)

    @property
    def channel(self) -> "Stream":
        return self

    def noack(self) -> "Stream":
        self.manual = True
        return self

    async def events(self) -> AsyncIterator[str]:
        while True:
            yield await self.queue.get()

    async def ack(self, event: str) -> None:
        self.acked.append(event)


async def take(stream: Stream, count: int, **more: Any) -> list[list[str]]:
    """The first batches, as an agent takes them that lands each at once and then asks for the next."""
    generator: Any = batches(stream, **more)
    taken = [list(await anext(generator)) for _ in range(count)]
    await generator.aclose()
    return taken


async def test_one_alone_does_not_wait_for_company() -> None:
    assert await take(Stream("a"), 1) == [["a"]]


async def test_what_queues_goes_together_up_to_the_limit() -> None:
    assert await take(Stream(*"abcde"), 3, limit=2) == [["a", "b"], ["c", "d"], ["e"]]


async def test_a_batch_is_acknowledged_in_order_when_the_next_is_asked_for() -> None:
    stream = Stream(*"abcd")
    generator = batches(stream, limit=3)
    await anext(generator)
    assert stream.acked == []
    await anext(generator)
    assert stream.acked == ["a", "b", "c"]
    assert stream.manual
    await generator.aclose()


async def test_a_batch_that_was_interrupted_is_not_acknowledged() -> None:
    stream = Stream(*"ab")

    async def agent() -> None:
        async for _ in batches(stream):
            await asyncio.sleep(60)

    task = asyncio.create_task(agent())
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert stream.acked == []


async def test_a_batch_that_could_not_land_is_not_acknowledged() -> None:
    stream = Stream(*"ab")
    generator = batches(stream)
    await anext(generator)
    with pytest.raises(RuntimeError, match="no landing"):
        await generator.athrow(RuntimeError("no landing"))
    assert stream.acked == []
