"""The live hub: one LISTEN connection a process, many readers of the stream."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import psycopg

from store import db, live

log = logging.getLogger(__name__)

# A reader that lags this far behind is told to read the figures anew, instead of filling the memory.
_BACKLOG = 200
_PAUSE = 1.0


class Hub:
    """Passes what the database notifies to every reader. ``id`` counts within this process."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._readers: set[asyncio.Queue[tuple[int, str, dict[str, Any]]]] = set()
        self._count = 0
        self._closing = asyncio.Event()

    async def run(self) -> None:
        """Listen for ever; after a lost connection every reader is told to read the figures anew."""
        while True:
            try:
                async with db.connect(self._dsn, autocommit=True) as conn:
                    await conn.execute(f"LISTEN {live.CHANNEL}")
                    self._publish("figures", {})
                    async for notice in conn.notifies():
                        told = orjson.loads(notice.payload)
                        self._publish(told["event"], told["data"])
            except (psycopg.Error, OSError) as error:
                log.warning("the live stream waits for the database (%s)", type(error).__name__)
                await asyncio.sleep(_PAUSE)

    def _publish(self, event: str, data: dict[str, Any]) -> None:
        self._count += 1
        for queue in self._readers:
            with contextlib.suppress(asyncio.QueueFull):
                queue.put_nowait((self._count, event, data))

    @property
    def readers(self) -> int:
        """How many read now."""
        return len(self._readers)

    def close(self) -> None:
        """End every reader, so that the server can stop."""
        self._closing.set()

    @property
    def closing(self) -> bool:
        """Whether readers are to end."""
        return self._closing.is_set()

    @asynccontextmanager
    async def reader(self) -> AsyncIterator[asyncio.Queue[tuple[int, str, dict[str, Any]]]]:
        """A queue that gets every event from now on."""
        queue: asyncio.Queue[tuple[int, str, dict[str, Any]]] = asyncio.Queue(_BACKLOG)
        self._readers.add(queue)
        try:
            yield queue
        finally:
            self._readers.discard(queue)
