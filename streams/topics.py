"""The topics: five, with equal partition counts, made by us and never by a client that mistyped a name."""

from kafka import KafkaAdminClient
from kafka.admin import NewTopic
from kafka.errors import TopicAlreadyExistsError

from store.settings import Settings, Unusable

# The largest record on any topic: as the local broker allows. A report is 80 kB at most, but what somebody else sends by
# mistake (a text of 1 MB) must reach the dead letters too, and be replayed from there.
MAX_RECORD = 4 * 1024 * 1024

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


def _bootstrap(settings: Settings) -> str:
    if settings.kafka is None:
        raise Unusable("no Kafka is set: give CAMPUS_RISK_KAFKA, or run `campus-risk up` which starts one")
    return settings.kafka
