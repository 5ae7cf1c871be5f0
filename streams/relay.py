"""The relay: the outbox to Kafka, in order, removed only when Kafka has acknowledged."""

import asyncio
import logging

import orjson
import psycopg
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from store import db, outbox
from store.settings import Settings
from streams import topics

log = logging.getLogger(__name__)

_BATCH = 500
# A notice may be lost with its connection; then the relay looks by itself this often.
_POLL = 1.0
# A relay that stands by takes over within about this long.
_STAND_BY = 1.0
# Kafka away: try again this often. The outbox keeps everything meanwhile.
_PAUSE = 1.0


async def run(settings: Settings) -> None:
    """Relay for ever. A lost Kafka or database is waited for; nothing is lost meanwhile."""
    while True:
        try:
            await _lead(settings)
        except (psycopg.Error, KafkaError, OSError) as error:
            log.warning("relay pauses: %s: %s", type(error).__name__, str(error).splitlines()[0] if str(error) else "")
            await asyncio.sleep(_PAUSE)


async def _lead(settings: Settings) -> None:
    async with db.connect(str(settings.database), autocommit=True) as conn:
        await conn.execute(f"LISTEN {outbox.CHANNEL}")
        # The leader is another process, and the database has no event for its end: so it is asked again and again.
        while not await outbox.lead(conn):  # noqa: ASYNC110
            await asyncio.sleep(_STAND_BY)
        producer = AIOKafkaProducer(
            bootstrap_servers=settings.kafka,
            acks="all",
            enable_idempotence=True,
            linger_ms=5,
            max_request_size=topics.MAX_RECORD,
            request_timeout_ms=10_000,
        )
        try:
            await producer.start()
            while True:
                if not await publish(conn, producer, settings):
                    async for _ in conn.notifies(timeout=_POLL, stop_after=1):
                        pass
        finally:
            # Also where the start failed: a producer that found no Kafka holds its sockets all the same.
            await producer.stop()


async def publish(conn: db.Connection, producer: AIOKafkaProducer, settings: Settings) -> int:
    """Send the oldest messages and forget them once acknowledged; how many. Raises ``KafkaError``, and forgets none."""
    rows = await outbox.peek(conn, _BATCH)
    if not rows:
        return 0
    acknowledged = [
        await producer.send(
            topics.name(settings, row["aggregatetype"]),
            key=row["aggregateid"].encode(),
            value=orjson.dumps(row["payload"]),
            headers=[("id", str(row["id"]).encode()), ("type", row["type"].encode())],
        )
        for row in rows
    ]
    await asyncio.gather(*acknowledged)
    await outbox.remove(conn, [row["id"] for row in rows])
    return len(rows)
