"""Events of the trail: append-only, each bound to the one before it by a hash.

``hash = SHA-256(previous hash ‖ canonical JSON of the event)``, one chain a hazard, so that a changed, dropped or
inserted row is found by reading the chain again. Since schema 2 the event holds the SHA-256 of its data in their place,
so that a chain can be proved by somebody who may not see the words in it.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

# Readers accept every version up to this one; a writer always writes this one.
SCHEMA = 2
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

    def digest(self) -> str:
        """SHA-256 of the data's canonical JSON, hexadecimal."""
        return hashlib.sha256(orjson.dumps(self.data, option=orjson.OPT_SORT_KEYS)).hexdigest()

    def canonical(self, digest: str | None = None) -> bytes:
        """The bytes that are hashed: sorted keys, UTC to the microsecond, no white space.

        ``digest`` is that of the data, for one who holds the event without them; schema 1 cannot be proved so.
        """
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
                "data": self.data if self.schema < 2 else digest or self.digest(),
            },
            option=orjson.OPT_SORT_KEYS,
        )


def link(previous: bytes, event: Event, digest: str | None = None) -> bytes:
    """The hash that binds an event to what came before it; ``digest`` as in ``Event.canonical``."""
    return hashlib.sha256(previous + event.canonical(digest)).digest()


def broken_at(chain: Iterable[tuple[Event, bytes]]) -> int | None:
    """The first ``seq`` at which a hazard's trail does not hold together; None when it is whole."""
    previous, expected = GENESIS, 1
    for event, digest in chain:
        if event.seq != expected or link(previous, event) != digest:
            return expected
        previous, expected = digest, expected + 1
    return None
