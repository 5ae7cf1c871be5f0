"""Accounts, their grants, and administering them. Passwords are kept as argon2id only. Sign-in: ``store/sign_in.py``."""

import functools
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import uuid_utils.compat as uuid_utils
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from models import accounts
from models.roles import Role
from store import acts, identities
from store.acts import Act
from store.db import Connection

# RFC 9106's second recommendation (64 MiB, three passes) with one lane, for the door hashes on one core: about a tenth of a second, and
# more than the least that OWASP names (19 MiB, two passes). A stolen table then costs 64 MiB and that tenth a guess.
HASHER = PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=1)


class Taken(ValueError):
    """A login that another account has."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One role in one unit; ``path`` is the unit's."""

    id: UUID
    role: Role
    unit: str
    path: str
    live: bool


@dataclass(frozen=True, slots=True)
class Account:
    """One person's account. ``confirmed``: it has a second factor. Revoked grants are listed too."""

    id: UUID
    login: str
    name: str
    confirmed: bool
    created_at: datetime
    disabled_at: datetime | None
    grants: tuple[Grant, ...]

    @property
    def live(self) -> tuple[Grant, ...]:
        """The grants that hold."""
        return tuple(grant for grant in self.grants if grant.live)


def hashed(password: str, hasher: PasswordHasher = HASHER) -> str:
    """A password as it is kept. Takes a tenth of a second of one core: not on an event loop."""
    return hasher.hash(accounts.normal_password(password))


def verified(kept: str | None, password: str) -> bool:
    """Whether it is this password. Without one that is kept (an unknown login) the answer is no, and takes as long."""
    dummy = _dummy()
    try:
        HASHER.verify(kept or dummy, accounts.normal_password(password))
    except (VerificationError, InvalidHashError):
        return False
    return kept is not None


@functools.cache
def _dummy() -> str:
    return hashed(secrets.token_urlsafe())


def invented() -> str:
    """A password of 120 random bits, to be shown once."""
    return secrets.token_urlsafe(15)


async def create(
    conn: Connection,
    login: str,
    name: str,
    password: str,
    grants: Sequence[tuple[Role, str]],
    by: str,
    now: datetime,
) -> UUID:
    """A new account; ``login`` is normalised, ``password`` hashed. Raises ``Taken``."""
    id = uuid_utils.uuid7()
    # Not by the error of the unique index: the database's own log would then hold the login.
    cur = await conn.execute(
        "INSERT INTO accounts (id, login, name, password, password_at, created_at, created_by) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (login) DO NOTHING",
        (id, login, name, password, now, now, by),
    )
    if cur.rowcount == 0:
        raise Taken(f"登录名 {login} 已被使用")
    for role, unit in grants:
        await grant(conn, id, role, unit, by, now)
    return id


async def grant(conn: Connection, account: UUID, role: Role, unit: str, by: str, now: datetime) -> UUID:
    """Give a role in a unit and below. The grant's id; that of the one in force where there is one already."""
    await conn.execute(
        "INSERT INTO grants (id, account, role, unit, granted_at, granted_by) VALUES (%s, %s, %s, %s, %s, %s) "
        "ON CONFLICT (account, role, unit) WHERE revoked_at IS NULL DO NOTHING",
        (uuid_utils.uuid7(), account, role, unit, now, by),
    )
    cur = await conn.execute(
        "SELECT id FROM grants WHERE account = %s AND role = %s AND unit = %s AND revoked_at IS NULL",
        (account, role, unit),
    )
    row = await cur.fetchone()
    assert row  # noqa: S101 - inserted above, or in force before
    return UUID(str(row["id"]))


async def revoke(conn: Connection, account: UUID, id: UUID, by: str, now: datetime) -> bool:
    """Take a grant back: it holds no longer from the next request on. Whether there was one."""
    cur = await conn.execute(
        "UPDATE grants SET revoked_at = %s, revoked_by = %s WHERE id = %s AND account = %s AND revoked_at IS NULL",
        (now, by, id, account),
    )
    return cur.rowcount == 1


async def disable(conn: Connection, account: UUID, by: str, now: datetime) -> bool:
    """Close an account: its sessions end at once, its identities and link codes are taken back. Whether it was open."""
    cur = await conn.execute(
        "UPDATE accounts SET disabled_at = %s, disabled_by = %s WHERE id = %s AND disabled_at IS NULL",
        (now, by, account),
    )
    closed = cur.rowcount == 1
    await conn.execute("DELETE FROM sessions WHERE account = %s", (account,))
    await identities.void_codes(conn, account)
    if closed:
        for row in await identities.listed(conn, account):
            await identities.unlink(conn, account, row["id"], by, now)
        await acts.record(conn, account, Act.DISABLE, by, now)
    return closed


async def enable(conn: Connection, account: UUID, password: str, by: str, now: datetime) -> bool:
    """Open a closed account with a new (hashed) password. Whether it was closed.

    What it had before does not come back: its sessions have ended, its identities must be linked anew.
    """
    cur = await conn.execute(
        "UPDATE accounts SET disabled_at = NULL, disabled_by = NULL, password = %s, password_at = %s "
        "WHERE id = %s AND disabled_at IS NOT NULL",
        (password, now, account),
    )
    if cur.rowcount == 0:
        return False
    await conn.execute("DELETE FROM sessions WHERE account = %s", (account,))
    await acts.record(conn, account, Act.ENABLE, by, now)
    return True


async def set_password(conn: Connection, account: UUID, password: str, now: datetime) -> None:
    """A new (hashed) password. Ending sessions is the caller's: it knows which one may stay."""
    await conn.execute("UPDATE accounts SET password = %s, password_at = %s WHERE id = %s", (password, now, account))


async def reset_factor(conn: Connection, account: UUID, by: str, now: datetime) -> None:
    """Forget the second factor and its recovery codes, and end all sessions: the next sign-in enrols anew."""
    await conn.execute(
        "UPDATE accounts SET totp_secret = NULL, totp_pending = NULL, totp_step = 0 WHERE id = %s", (account,)
    )
    await conn.execute("DELETE FROM recovery_codes WHERE account = %s", (account,))
    await conn.execute("DELETE FROM sessions WHERE account = %s", (account,))
    await acts.record(conn, account, Act.RESET_FACTOR, by, now)


_LISTED = (
    "SELECT a.id, a.login, a.name, a.totp_secret IS NOT NULL AS confirmed, a.created_at, a.disabled_at, "
    "coalesce(jsonb_agg(jsonb_build_object('id', g.id, 'role', g.role, 'unit', g.unit, 'path', u.path, "
    "'live', g.revoked_at IS NULL) ORDER BY g.id) FILTER (WHERE g.id IS NOT NULL), '[]') AS grants "
    "FROM accounts a LEFT JOIN grants g ON g.account = a.id LEFT JOIN units u ON u.code = g.unit "
)


async def listed(
    conn: Connection, paths: Sequence[str] = ("/",), *, limit: int = 200, after: UUID | None = None
) -> list[Account]:
    """Accounts by login that hold, or held, a role within one of these paths; for ``/`` those that never held one too.

    ``after`` is the last one of the page before: by its id, for a login in an address would end up in somebody's log.
    """
    cur = await conn.execute(
        f"{_LISTED} WHERE (%(after)s::uuid IS NULL OR a.login > (SELECT login FROM accounts WHERE id = %(after)s)) "
        "AND ('/' = ANY(%(paths)s) OR EXISTS (SELECT 1 FROM grants x JOIN units v ON v.code = x.unit "
        "WHERE x.account = a.id AND EXISTS (SELECT 1 FROM unnest(%(paths)s::text[]) p WHERE v.path ^@ p))) "
        "GROUP BY a.id ORDER BY a.login LIMIT %(limit)s",
        {"after": after, "paths": list(paths), "limit": limit},
    )
    return [_account(row) for row in await cur.fetchall()]


async def found(conn: Connection, account: UUID) -> Account | None:
    """One account, or None."""
    cur = await conn.execute(f"{_LISTED} WHERE a.id = %s GROUP BY a.id", (account,))
    row = await cur.fetchone()
    return _account(row) if row else None


async def by_login(conn: Connection, login: str) -> Account | None:
    """The account with a (normalised) login, or None."""
    cur = await conn.execute(f"{_LISTED} WHERE a.login = %s GROUP BY a.id", (login,))
    row = await cur.fetchone()
    return _account(row) if row else None


def _account(row: dict[str, Any]) -> Account:
    given = tuple(Grant(UUID(g["id"]), Role(g["role"]), g["unit"], g["path"], g["live"]) for g in row.pop("grants"))
    return Account(**row, grants=given)
