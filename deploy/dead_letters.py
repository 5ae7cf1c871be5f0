"""Replays dead letters: the original bytes again, by the way they came."""

from collections.abc import Sequence
from uuid import UUID

from kafka import KafkaProducer

from store import db, dead
from store.settings import Settings
from streams import topics
from streams.context import now


async def replay(settings: Settings, ids: Sequence[UUID] | None) -> int:
    """Send letters again (None: all not yet replayed), marked once Kafka has acknowledged; how many.

    A row of a file goes onto ``risk.reports`` like any record. Raises ``LookupError`` for an unknown number.
    """
    async with db.connect(str(settings.database)) as conn:
        wanted = list(ids) if ids else [row["id"] for row in await dead.listed(conn, limit=100_000)]
        letters = await dead.get(conn, wanted)
        if ids and len(letters) < len(set(ids)):
            missing = set(ids) - {letter["id"] for letter in letters}
            raise LookupError(
                f"no dead letter {', '.join(map(str, missing))}: `campus-risk dead list` shows the numbers"
            )
        producer = KafkaProducer(bootstrap_servers=settings.kafka, acks="all", max_request_size=topics.MAX_RECORD)
        try:
            sent = [
                producer.send(
                    topics.name(settings, "reports"),
                    key=letter["key"] and bytes(letter["key"]),
                    value=bytes(letter["value"] or b""),
                )
                for letter in letters
            ]
            for future in sent:
                future.get(timeout=30)
        finally:
            producer.close()
        await dead.mark_replayed(conn, [letter["id"] for letter in letters], now())
    return len(letters)
