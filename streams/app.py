"""The Faust app: settings that keep every message (design §4), and the agents on their topics."""

import faust
from faust.types import AgentT

from models.classifier.predict import Classifier
from store.settings import Settings, Unusable
from streams import classify, escalate, notices, topics
from streams.assignor import Assignor
from streams.context import Context
from streams.ending import end


class App(faust.App):  # type: ignore[misc]
    """Faust's app, with an end of its own for agents that fail."""

    async def _on_agent_error(self, agent: AgentT, exc: BaseException) -> None:
        """An agent that fails beyond its own care ends the process.

        Faust would start the agent anew behind the record that broke it, so that the record is never read again (its
        issues 189, 315, 527). A fresh process reads it again, from the last commit.
        """
        end(f"agent {agent.name} failed ({exc!r})")


def create(settings: Settings, context: Context, classifier: Classifier) -> faust.App:
    """The app of one worker process. Scale by partitions and processes, never by ``concurrency``."""
    if settings.kafka is None:
        raise Unusable("no Kafka is set: give CAMPUS_RISK_KAFKA, or run `campus-risk up` which starts one")
    app = App(
        settings.group,
        broker=f"kafka://{settings.kafka}",
        # Nothing is kept in Faust: the database holds the state.
        store="memory://",
        datadir=str(settings.local / "faust"),
        # Raw bytes and JSON of our own; pickle never.
        key_serializer="raw",
        value_serializer="raw",
        # Topics are made by us, with equal partition counts.
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        # Do not wait for a queue to drain on a rebalance: what was in flight is read again and lands once.
        stream_wait_empty=False,
        # One poll gives at most one batch, so that a slow landing never holds more than it can acknowledge.
        broker_max_poll_records=500,
        # A worker that died is noticed in seconds; a long landing does not count, for heartbeats run beside it.
        broker_session_timeout=10.0,
        broker_heartbeat_interval=3.0,
        broker_commit_interval=1.0,
        # A new group begins with the oldest record: a report sent before the first start must land.
        consumer_auto_offset_reset="earliest",
        producer_linger=0.005,
        PartitionAssignor=Assignor,
    )
    classify.register(app, _topic(app, settings, "reports"), context, classifier)
    escalate.register(app, _topic(app, settings, "hazards"), context)
    notices.register(app, _topic(app, settings, "escalations"), context)
    return app


def _topic(app: faust.App, settings: Settings, aggregate: str) -> faust.TopicT:
    return app.topic(
        topics.name(settings, aggregate),
        key_type=bytes,
        value_type=bytes,
        key_serializer="raw",
        value_serializer="raw",
        partitions=settings.partitions,
    )
