"""Channels of people and units in the database: added, listed without their secrets, tried, removed, and how they fare."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import uuid_utils.compat as uuid_utils

from models.notices_channel import Channel, ChannelKind
from models.notices_schedule import Quiet
from store.db import Connection
from store.sealing import Sealer

# More ways to one person than this are a mistake, and a message tries no more than three anyway.
MOST = 10
# A channel that failed goes behind the others for so long, then has its turn again.
_BEHIND = timedelta(minutes=10)
# A trial costs a message at somebody's receiver.
TRIAL_EVERY = timedelta(seconds=10)


class TooMany(ValueError):
    """An owner that has enough channels."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose channel: an account or a unit, never both."""

    account: UUID | None = None
    unit: str | None = None

    @property
    def recipient(self) -> str:
        """As notices name it."""
        return f"account:{self.account}" if self.account else f"unit:{self.unit}"

    @classmethod
    def of(cls, recipient: str) -> "Owner":
        """From a notice's ``recipient``."""
        kind, _, id = recipient.partition(":")
        return cls(account=UUID(id)) if kind == "account" else cls(unit=id)


@dataclass(frozen=True, slots=True)
class Way:
    """A channel to send by: ``sealed`` is opened by whoever sends, outside of any transaction."""

    id: UUID
    kind: ChannelKind
    sealed: str
    quiet: Quiet | None


_SHOWN = "id, account, unit, kind, masked, quiet_from, quiet_to, created_at, created_by, failures, failed_at, reason"


async def add(
    conn: Connection, owner: Owner, channel: Channel, quiet: Quiet | None, sealer: Sealer, by: str, now: datetime
) -> UUID:
    """A new channel; what waits for its owner is looked at again at once. Raises ``TooMany``."""
    await conn.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"channels {owner.recipient}",))
    if len(await listed(conn, owner)) >= MOST:
        raise TooMany(f"每人、每单位至多 {MOST} 个渠道；请先删除不用的")
    id = uuid_utils.uuid7()
    await conn.execute(
        "INSERT INTO channels (id, account, unit, kind, sealed, masked, quiet_from, quiet_to, created_at, created_by) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            id,
            owner.account,
            owner.unit,
            channel.kind,
            sealer.seal(channel.url),
            channel.masked,
            quiet and quiet.start,
            quiet and quiet.end,
            now,
            by,
        ),
    )
    await conn.execute(
        "UPDATE notices SET next_at = %s, held = NULL WHERE recipient = %s AND held = 'no_channel' "
        "AND acknowledged_at IS NULL AND ended_at IS NULL",
        (now, owner.recipient),
    )
    return id


async def listed(conn: Connection, owner: Owner) -> list[dict[str, Any]]:
    """An owner's channels, oldest first, without their addresses."""
    cur = await conn.execute(
        f"SELECT {_SHOWN} FROM channels WHERE removed_at IS NULL AND (account = %s OR unit = %s) ORDER BY created_at, id",
        (owner.account, owner.unit),
    )
    return await cur.fetchall()


async def found(conn: Connection, id: UUID) -> dict[str, Any] | None:
    """One channel with its ``sealed`` address, or None."""
    cur = await conn.execute(f"SELECT {_SHOWN}, sealed FROM channels WHERE id = %s AND removed_at IS NULL", (id,))
    return await cur.fetchone()


async def failing(conn: Connection, limit: int = 1000) -> list[dict[str, Any]]:
    """Channels whose last message did not go through, the longest failing first."""
    cur = await conn.execute(
        f"SELECT {_SHOWN} FROM channels WHERE removed_at IS NULL AND failures > 0 ORDER BY failures DESC, id LIMIT %s",
        (limit,),
    )
    return await cur.fetchall()


async def remove(conn: Connection, id: UUID, by: str, now: datetime) -> bool:
    """Take a channel out and forget its address. Whether there was one."""
    cur = await conn.execute(
        "UPDATE channels SET removed_at = %s, removed_by = %s, sealed = NULL WHERE id = %s AND removed_at IS NULL",
        (now, by, id),
    )
    return cur.rowcount == 1


async def ways(conn: Connection, recipient: str, now: datetime) -> list[Way]:
    """By what ways a recipient can be told, best first; one that failed a moment ago comes last."""
    owner = Owner.of(recipient)
    cur = await conn.execute(
        "SELECT id, kind, sealed, quiet_from, quiet_to FROM channels WHERE removed_at IS NULL AND (account = %s OR unit = %s) "
        "ORDER BY (failures > 0 AND failed_at > %s), created_at, id",
        (owner.account, owner.unit, now - _BEHIND),
    )
    return [
        Way(row["id"], ChannelKind(row["kind"]), row["sealed"], quiet_of(row)) for row in await cur.fetchall()
    ]  # fmt: skip


def quiet_of(row: dict[str, Any]) -> Quiet | None:
    """A row's quiet hours."""
    return None if row["quiet_from"] is None else Quiet(row["quiet_from"], row["quiet_to"])


async def have(conn: Connection, units: Sequence[str]) -> set[str]:
    """Which of these units have a channel of their own."""
    cur = await conn.execute(
        "SELECT DISTINCT unit FROM channels WHERE unit = ANY(%s) AND removed_at IS NULL", (list(units),)
    )
    return {row["unit"] for row in await cur.fetchall()}


async def tried(conn: Connection, id: UUID, now: datetime) -> bool:
    """Whether a trial of a channel is due: not within ten seconds of its last message. Locks the channel."""
    await conn.execute("SELECT 1 FROM channels WHERE id = %s FOR UPDATE", (id,))
    cur = await conn.execute("SELECT max(at) AS last FROM deliveries WHERE channel = %s", (id,))
    row = await cur.fetchone()
    return not row or row["last"] is None or row["last"] <= now - TRIAL_EVERY


async def record(
    conn: Connection,
    message: UUID,
    recipient: str,
    channel: UUID,
    reason: str | None,
    notices: Sequence[UUID],
    now: datetime,
) -> None:
    """What became of one attempt: sent where ``reason`` is None. A channel's failures in a row are counted with it."""
    await conn.execute(
        "INSERT INTO deliveries (message, channel, at, recipient, sent, reason, notices) VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (message, channel, now, recipient, reason is None, reason, list(notices)),
    )
    await conn.execute(
        "UPDATE channels SET failures = CASE WHEN %(reason)s::text IS NULL THEN 0 ELSE failures + 1 END, "
        "failed_at = CASE WHEN %(reason)s::text IS NULL THEN failed_at ELSE %(now)s END, reason = %(reason)s WHERE id = %(id)s",
        {"reason": reason, "now": now, "id": channel},
    )
