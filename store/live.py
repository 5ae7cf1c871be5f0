"""What the wall hears at once: one notice a visible change, sent when its transaction commits."""

from collections.abc import Sequence
from typing import Any

import orjson

from models.hazards import Hazard, ticker
from models.transition import Change
from store.db import Connection

CHANNEL = "live"

# A wall shows a line a moment; a bulk import of thousands would only scroll past. The figures count them all.
MOST_LINES = 50


async def tell(conn: Connection, hazards: Sequence[tuple[Hazard, str]], at: Any) -> None:
    """Notify of ``(hazard, kind)``. A confidential one is told without any word of it: only "figures changed"."""
    lines = [ticker(hazard, kind, at) for hazard, kind in hazards if not hazard.confidential][-MOST_LINES:]
    payloads = [orjson.dumps({"event": "hazard", "data": line}).decode() for line in lines]
    if len(lines) < len(hazards):
        payloads.append(orjson.dumps({"event": "figures", "data": {"as_of": at.isoformat()}}).decode())
    async with conn.cursor() as cur:
        await cur.executemany("SELECT pg_notify(%s, %s)", [(CHANNEL, payload) for payload in payloads])


async def tell_changes(conn: Connection, changes: Sequence[Change]) -> None:
    """The same for changes of one moment."""
    if changes:
        await tell(conn, [(c.after, KINDS.get(c.event.action, c.event.action)) for c in changes], changes[-1].event.at)


KINDS = {"open": "opened", "attach": "attached", "climb": "climbed"}


async def touch(conn: Connection, at: Any) -> None:
    """Something counted changed that is not shown singly (a quiet report, a dead letter)."""
    payload = orjson.dumps({"event": "figures", "data": {"as_of": at.isoformat()}}).decode()
    await conn.execute("SELECT pg_notify(%s, %s)", (CHANNEL, payload))
