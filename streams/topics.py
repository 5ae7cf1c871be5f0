"""The topics: five, with equal partition counts, made by us and never by a client that mistyped a name."""

import asyncio
import logging
from collections.abc import Sequence

from kafka import KafkaAdminClient
from kafka.admin import NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError

from store.settings import Settings, Unusable

log = logging.getLogger(__name__)

_PAUSE = 1.0

# The largest record on any topic: as the local broker allows. A report is 80 kB at most, but what somebody else sends by
# mistake (a text of 1 MB) must reach the dead letters too, and be replayed from there.
MAX_RECORD = 4 * 1024 * 1024

# What the agents read.
READ = ("reports", "hazards", "escalations")
AGGREGATES = ("reports", "hazards", "escalations", "warnings", "dead")


def name(settings: Settings, aggregate: str) -> str:
    """The topic of an aggregate: ``risk.reports`` and so on, behind the deployment's prefix."""
    return f"{settings.topic_prefix}risk.{aggregate}"


def create(settings: Settings) -> list[str]:
    """Make the topics that are missing; their names. Raises ``kafka.errors.KafkaError`` where Kafka does not answer."""
    admin = KafkaAdminClient(bootstrap_servers=_bootstrap(settings), client_id="campus-risk-topics")
    try:
        known = set(admin.list_topics())
        missing = [name(settings, aggregate) for aggregate in AGGREGATES if name(settings, aggregate) not in known]
        if missing:
            try:
                admin.create_topics(
                    [
                        NewTopic(topic, num_partitions=settings.partitions, replication_factor=settings.replication)
                        for topic in missing
                    ]
                )
            except TopicAlreadyExistsError:
                # Another process of ours was quicker.
                return []
        return missing
    finally:
        admin.close()


async def wait(settings: Settings) -> None:
    """Wait until the broker knows the topics that the agents read: one that has just come back may not yet.

    Faust would take an unknown topic for one without partitions, and read nothing.
    """
    while True:
        try:
            missing = await asyncio.to_thread(lacking, settings)
        except KafkaError as error:
            log.warning("the worker waits for Kafka (%s)", type(error).__name__)
        else:
            if not missing:
                return
            log.warning("the worker waits for the topics %s; `campus-risk topics` makes them", ", ".join(missing))
        await asyncio.sleep(_PAUSE)


def lacking(settings: Settings, aggregates: Sequence[str] = READ) -> list[str]:
    """The topics that the broker does not know. Raises ``kafka.errors.KafkaError`` where Kafka does not answer."""
    admin = KafkaAdminClient(bootstrap_servers=_bootstrap(settings), client_id="campus-risk-topics")
    try:
        known = set(admin.list_topics())
    finally:
        admin.close()
    return sorted({name(settings, aggregate) for aggregate in aggregates} - known)


def _bootstrap(settings: Settings) -> str:
    if settings.kafka is None:
        raise Unusable("no Kafka is set: give CAMPUS_RISK_KAFKA, or run `campus-risk up` which starts one")
    return settings.kafka
