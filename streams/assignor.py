"""Faust's assignor, with eyes for a broker that has just come back and does not know its topics yet.

Faust passes over a topic that the cluster's metadata lacks, and assigns nothing: the worker then runs, heartbeats, and
reads no record for ever. Seen after ``kill -9`` of the broker under load. A worker that ends instead begins anew, and
waits for the topics first (``streams.topics.wait``).
"""

from typing import Any

from faust.assignor import PartitionAssignor

from streams.ending import end


class Assignor(PartitionAssignor):  # type: ignore[misc]
    """Assigns all of the group's topics, or ends the process."""

    @classmethod
    def _get_copartitioned_groups(cls, topics: set[str], cluster: Any, subscriptions: Any) -> Any:
        lacking = sorted(topic for topic in topics if not cluster.partitions_for_topic(topic))
        if lacking:
            end(f"the broker does not know {', '.join(lacking)} yet")
        return super()._get_copartitioned_groups(topics, cluster, subscriptions)
