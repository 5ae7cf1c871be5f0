"""Events of the trail: append-only, each bound to the one before it by a hash.

``hash = SHA-256(previous hash ‖ canonical JSON of the event)``, one chain a hazard, so that a changed, dropped or
inserted row is found by reading the chain again.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

# Readers accept every version up to this one; a writer always writes this one.
SCHEMA = 1
GENESIS = b"\x00" * 32


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a hazard. ``seq`` counts from 1 within the hazard; ``at`` is in UTC."""

    hazard: UUID
    seq: int
    at: datetime
    action: str
    actor: str
    role: str
    before: str | None
    after: str
    data: Mapping[str, Any] = field(default_factory=dict)
    schema: int = SCHEMA

    def canonical(self) -> bytes:
        """The bytes that are hashed: sorted keys, UTC to the microsecond, no white space."""
        return orjson.dumps(
            {
                "schema": self.schema,
                "hazard": str(self.hazard),
                "seq": self.seq,
                "at": self.at.astimezone(UTC).isoformat(timespec="microseconds"),
                "action": self.action,
                "actor": self.actor,
                "role": self.role,
                "before": self.before,
                "after": self.after,
                "data": self.data,
            },
            option=orjson.OPT_SORT_KEYS,
        )


def link(previous: bytes, event: Event) -> bytes:
    """The hash that binds an event to what came before it."""
    return hashlib.sha256(previous + event.canonical()).digest()


def broken_at(chain: Iterable[tuple[Event, bytes]]) -> int | None:
    """The first ``seq`` at which a hazard's trail does not hold together; None when it is whole."""
    previous, expected = GENESIS, 1
    for event, digest in chain:
        if event.seq != expected or link(previous, event) != digest:
            return expected
        previous, expected = digest, expected + 1
    return None
