"""The settings that keep every message (design: what Faust is known to lose, and how not to)."""

from pathlib import Path

import pytest

from store import db
from store.settings import Settings
from streams import app as apps
from streams import assignor
from streams.context import Context


@pytest.fixture
def app(classifier: object) -> apps.App:
    settings = Settings(kafka="127.0.0.1:1", database="postgresql://127.0.0.1:1/none", local=Path("none"))
    return apps.create(settings, Context(settings, db.pool(str(settings.database))), classifier)  # type: ignore[arg-type]


def test_one_agent_a_topic_and_one_actor_an_agent(app: apps.App) -> None:
    topics = [topic for agent in app.agents.values() for topic in agent.channel.topics]
    assert sorted(topics) == ["risk.escalations", "risk.hazards", "risk.reports"]
    assert {agent.concurrency for agent in app.agents.values()} == {1}


def test_nothing_is_kept_in_faust_and_nothing_is_pickled(app: apps.App) -> None:
    assert not app.tables
    assert app.conf.store.scheme == "memory"
    assert app.conf.processing_guarantee.name == "AT_LEAST_ONCE"
    assert {str(app.conf.key_serializer), str(app.conf.value_serializer)} == {"raw"}


def test_topics_are_ours_to_make(app: apps.App) -> None:
    assert app.conf.topic_allow_declare is False
    assert app.conf.topic_disable_leader is True
    assert app.conf.web_enabled is False


def test_a_rebalance_does_not_wait_and_a_poll_gives_one_batch(app: apps.App) -> None:
    assert app.conf.stream_wait_empty is False
    assert app.conf.broker_max_poll_records == 500
    assert app.conf.consumer_auto_offset_reset == "earliest"


def test_a_worker_without_kafka_says_how_to_get_one() -> None:
    settings = Settings(database="postgresql://127.0.0.1:1/none")
    with pytest.raises(ValueError, match="CAMPUS_RISK_KAFKA"):
        apps.create(settings, Context(settings, db.pool(str(settings.database))), None)  # type: ignore[arg-type]


def test_a_broker_that_does_not_know_its_topics_yet_ends_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faust would assign nothing and read nothing for ever: seen after the broker was killed under load."""

    class Ended(Exception):
        pass

    def ended(reason: str) -> None:
        raise Ended(reason)

    class Cluster:
        def partitions_for_topic(self, topic: str) -> set[int]:
            return {0, 1} if topic == "risk.reports" else set()

    monkeypatch.setattr(assignor, "end", ended)
    with pytest.raises(Ended, match=r"risk\.hazards"):
        assignor.Assignor._get_copartitioned_groups({"risk.reports", "risk.hazards"}, Cluster(), {})
    groups = assignor.Assignor._get_copartitioned_groups({"risk.reports"}, Cluster(), {"one": ["risk.reports"]})
    assert {count: [set(group) for group in found] for count, found in groups.items()} == {2: [{"risk.reports"}]}
