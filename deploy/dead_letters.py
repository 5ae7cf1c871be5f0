"""Replays dead letters: the original bytes again, by the way they came."""

from collections.abc import Sequence
from uuid import UUID

from kafka import KafkaProducer

from deploy.runtime.checks import CannotStart
from store import db, dead
from store.settings import Settings
from streams import topics
from streams.context import now

# A row of a file that never became a record: sending its cells again would only fail again.
UNREAD = "row"


async def replay(settings: Settings, ids: Sequence[UUID] | None) -> int:
    """Send letters again (None: all not yet replayed), marked once Kafka has acknowledged; how many.

    A row of a file goes onto ``risk.reports`` like any record. Raises ``CannotStart`` for an unknown number, and for a row
    that cannot be replayed; with None those are left alone.
    """
    async with db.connect(str(settings.database)) as conn:
        wanted = list(ids) if ids else [row["id"] for row in await dead.listed(conn, limit=100_000)]
        letters = await dead.get(conn, wanted)
        if ids and len(letters) < len(set(ids)):
            missing = set(ids) - {letter["id"] for letter in letters}
            raise CannotStart(
                f"There is no dead letter {', '.join(map(str, missing))}: `campus-risk dead list` shows them."
            )
        unread = [letter["id"] for letter in letters if letter["reason"] == UNREAD]
        if ids and unread:
            raise CannotStart(
                f"{unread[0]} is a row that could not be read: correct it in its file, ingest the file again "
                "(rows already taken in are not doubled), then `campus-risk dead dismiss` the letter."
            )
        letters = [letter for letter in letters if letter["id"] not in unread]
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
