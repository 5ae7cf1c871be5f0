"""Keys and sessions: tokens are shown once and kept as SHA-256 only (they are 256 random bits, so no slow hash is needed)."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import uuid_utils.compat as uuid_utils

from models.roles import Actor, Role
from store.db import Connection

PREFIX = "cr_"
# A demo's keys are called by it and their role: they are printed on a terminal, so they must not open a door to the outside.
DEMO = "演示"
# A duty shift and its hand-over; a wall renews its own before.
SESSION = timedelta(hours=12)


def digest(token: str) -> bytes:
    """What is kept of a token."""
    return hashlib.sha256(token.encode()).digest()


async def create(conn: Connection, name: str, unit: str, role: Role, now: datetime) -> tuple[UUID, str]:
    """A new key: its id, and the token that is shown this once."""
    id, token = uuid_utils.uuid7(), PREFIX + secrets.token_urlsafe(32)
    await conn.execute(
        "INSERT INTO keys (id, name, unit, role, hash, created_at) VALUES (%s, %s, %s, %s, %s, %s)",
        (id, name, unit, role, digest(token), now),
    )
    return id, token


async def listed(conn: Connection) -> list[dict[str, Any]]:
    """All keys, without their tokens."""
    cur = await conn.execute("SELECT id, name, unit, role, created_at, revoked_at FROM keys ORDER BY created_at")
    return await cur.fetchall()


async def demo(conn: Connection) -> int:
    """How many keys of a demo are still good."""
    names = [DEMO + role.label for role in Role]
    cur = await conn.execute("SELECT count(*) AS n FROM keys WHERE revoked_at IS NULL AND name = ANY(%s)", (names,))
    row = await cur.fetchone()
    return int(row["n"]) if row else 0


async def revoke(conn: Connection, id: UUID, now: datetime) -> bool:
    """End a key and its sessions at once. Whether there was one to end."""
    cur = await conn.execute("UPDATE keys SET revoked_at = %s WHERE id = %s AND revoked_at IS NULL", (now, id))
    await conn.execute("DELETE FROM sessions WHERE key = %s", (id,))
    return cur.rowcount == 1


_ACTOR = (
    "SELECT k.id, k.name, k.role, k.unit, u.path FROM keys k JOIN units u ON u.code = k.unit "
    "WHERE k.revoked_at IS NULL AND "
)


async def actor(conn: Connection, token: str) -> Actor | None:
    """Whose key this is; None for an unknown or revoked one."""
    cur = await conn.execute(_ACTOR + "k.hash = %s", (digest(token),))
    return _actor(await cur.fetchone())


async def begin_session(conn: Connection, token: str, now: datetime) -> str | None:
    """A session for a browser, from a key; its token, or None where the key is none. Old sessions are swept."""
    who = await actor(conn, token)
    if who is None:
        return None
    session = secrets.token_urlsafe(32)
    await conn.execute("DELETE FROM sessions WHERE expires_at < %s", (now,))
    await conn.execute(
        "INSERT INTO sessions (hash, key, created_at, expires_at) VALUES (%s, %s, %s, %s)",
        (digest(session), UUID(who.id.removeprefix("key:")), now, now + SESSION),
    )
    return session


async def session_actor(conn: Connection, session: str, now: datetime) -> Actor | None:
    """Whose session this is; None for an unknown or expired one."""
    cur = await conn.execute(
        _ACTOR + "k.id = (SELECT key FROM sessions WHERE hash = %s AND expires_at > %s)", (digest(session), now)
    )
    return _actor(await cur.fetchone())


def _actor(row: dict[str, Any] | None) -> Actor | None:
    if row is None:
        return None
    return Actor(id=f"key:{row['id']}", name=row["name"], role=Role(row["role"]), unit=row["unit"], path=row["path"])


async def end_session(conn: Connection, session: str) -> None:
    """Forget a session."""
    await conn.execute("DELETE FROM sessions WHERE hash = %s", (digest(session),))
