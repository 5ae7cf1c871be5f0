"""Signing in: attempts that are counted, second factors, and the sessions of accounts. Tokens and codes are kept as hashes."""

import base64
import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pyotp

from models import accounts
from models.roles import Actor, Role
from store.db import Connection
from store.keys import SESSION, digest
from store.sealing import Sealer

RECOVERY_CODES = 10
# How a sealed text begins (Fernet's version and the first bytes of its clock). A second factor's own alphabet has capitals only.
_SEALED = "gAAAAA"


@dataclass(frozen=True, slots=True)
class Secrets:
    """What proves that somebody is the account's owner. ``totp`` and ``pending`` are sealed; those of earlier versions are not yet."""

    id: UUID
    login: str
    password: str
    totp: str | None
    pending: str | None
    step: int


@dataclass(frozen=True, slots=True)
class Session:
    """One browser's session of an account, with the hats its owner wears in it.

    ``identity``: what it was begun with at a provider. Such a session has the hats of the provider's subtree only, and is
    ``whole`` where there are no others.
    """

    id: UUID
    account: UUID
    login: str
    name: str
    factor: bool
    confirmed: bool
    identity: UUID | None
    begun: datetime
    whole: bool
    hats: tuple[Actor, ...]

    @property
    def needs_factor(self) -> bool:
        """Whether its owner's roles ask for a second factor."""
        return accounts.needs_factor(hat.role for hat in self.hats)

    @property
    def enrols_only(self) -> bool:
        """Whether it may do nothing but set up a second factor."""
        return self.needs_factor and not self.factor


@dataclass(frozen=True, slots=True)
class Bucket:
    """What attempts are counted for, and how many are free."""

    hash: bytes
    free: int


def buckets(login: str, address: str) -> tuple[Bucket, Bucket]:
    """Those of an address and of a (normalised) login, in the order in which everybody locks them."""
    return (
        Bucket(_hash(f"address:{accounts.address_group(address)}"), accounts.FREE_PER_ADDRESS),
        Bucket(_hash(f"login:{login}"), accounts.FREE_PER_LOGIN),
    )


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


async def count(conn: Connection, counted: Sequence[Bucket], now: datetime) -> timedelta | None:
    """Count an attempt before it is looked at, so that many at once are no way round; None, or how long to wait first.

    To be committed before the password is verified. ``forgive`` takes back what was no failure.
    """
    forgotten = now - accounts.FORGOTTEN_AFTER
    await conn.execute(
        "DELETE FROM attempts WHERE bucket IN (SELECT bucket FROM attempts WHERE last_at < %s FOR UPDATE SKIP LOCKED)",
        (forgotten,),
    )
    for bucket in counted:
        cur = await conn.execute(
            "INSERT INTO attempts (bucket, failures, last_at) VALUES (%s, 1, %s) ON CONFLICT (bucket) DO UPDATE "
            "SET failures = CASE WHEN attempts.last_at < %s THEN 1 ELSE attempts.failures + 1 END, "
            "last_at = excluded.last_at WHERE attempts.blocked_until IS NULL OR attempts.blocked_until <= excluded.last_at RETURNING failures",
            (bucket.hash, now, forgotten),
        )
        row = await cur.fetchone()
        if row is None:
            cur = await conn.execute("SELECT blocked_until FROM attempts WHERE bucket = %s", (bucket.hash,))
            row = await cur.fetchone()
            until: datetime | None = row["blocked_until"] if row else None
            # Its owner signed in just now, and the wait is gone again.
            return until - now if until else timedelta(seconds=1)
        pause = accounts.wait(row["failures"], bucket.free)
        if pause:
            await conn.execute("UPDATE attempts SET blocked_until = %s WHERE bucket = %s", (now + pause, bucket.hash))
    return None


async def forgive(conn: Connection, counted: Sequence[Bucket], *, known: bool) -> None:
    """Take the last attempt back. ``known``: its owner signed in, so the login's failures before were theirs and are forgotten.

    Those of the address stay: somebody with an account of their own could otherwise guess at others' without end.
    """
    address, login = counted
    back = "UPDATE attempts SET failures = greatest(failures - 1, 0), blocked_until = NULL WHERE bucket = %s"
    await conn.execute(back, (address.hash,))
    await conn.execute("DELETE FROM attempts WHERE bucket = %s" if known else back, (login.hash,))


_SECRETS = (
    "SELECT id, login, password, totp_secret AS totp, totp_pending AS pending, totp_step AS step FROM accounts "
    "WHERE disabled_at IS NULL AND "
)


async def secrets_of(conn: Connection, login: str) -> Secrets | None:
    """Those of an account by its (normalised) login; None for an unknown or disabled one."""
    cur = await conn.execute(f"{_SECRETS} login = %s", (login,))
    row = await cur.fetchone()
    return Secrets(**row) if row else None


async def locked(conn: Connection, read: Secrets) -> Secrets | None:
    """The same, held until the transaction ends; None where account or password changed since it was read."""
    cur = await conn.execute(f"{_SECRETS} id = %s AND password = %s FOR UPDATE", (read.id, read.password))
    row = await cur.fetchone()
    return Secrets(**row) if row else None


async def owner(conn: Connection, account: UUID) -> Secrets | None:
    """Those of an open account, held until the transaction ends."""
    cur = await conn.execute(f"{_SECRETS} id = %s FOR UPDATE", (account,))
    row = await cur.fetchone()
    return Secrets(**row) if row else None


def _opened(kept: str, seal: Sealer) -> str:
    return seal.open(kept) if kept.startswith(_SEALED) else kept


async def take_code(conn: Connection, held: Secrets, code: str, now: datetime, seal: Sealer) -> bool:
    """Whether a code is good: of the authenticator, or a recovery code. Either is good once. ``held`` is ``locked`` or ``owner``.

    Each use seals the secret anew: one that lay open, or under an older secret of the deployment, does so no longer.
    """
    if held.totp is None:
        return False
    secret = _opened(held.totp, seal)
    step = accounts.code_step(secret, code, now, held.step)
    if step is not None:
        await conn.execute(
            "UPDATE accounts SET totp_step = %s, totp_secret = %s WHERE id = %s", (step, seal.seal(secret), held.id)
        )
        return True
    cur = await conn.execute(
        "UPDATE recovery_codes SET used_at = %s WHERE account = %s AND hash = %s AND used_at IS NULL",
        (now, held.id, _hash(accounts.normal_recovery(code))),
    )
    return cur.rowcount == 1


async def seal_all(conn: Connection, seal: Sealer) -> int:
    """Seal what still lies open, of accounts that nobody uses too; how many."""
    cur = await conn.execute(
        "SELECT id, totp_secret, totp_pending FROM accounts WHERE NOT (coalesce(totp_secret, %(sealed)s) ^@ %(sealed)s "
        "AND coalesce(totp_pending, %(sealed)s) ^@ %(sealed)s) FOR UPDATE",
        {"sealed": _SEALED},
    )
    rows = await cur.fetchall()
    for row in rows:
        kept = [text and seal.seal(_opened(text, seal)) for text in (row["totp_secret"], row["totp_pending"])]
        await conn.execute("UPDATE accounts SET totp_secret = %s, totp_pending = %s WHERE id = %s", (*kept, row["id"]))
    return len(rows)


async def enrol(conn: Connection, account: UUID, seal: Sealer) -> str:
    """A new secret that waits for its first code; the factor in force stays until then."""
    secret = pyotp.random_base32()
    await conn.execute("UPDATE accounts SET totp_pending = %s WHERE id = %s", (seal.seal(secret), account))
    return secret


async def confirm(
    conn: Connection, session: Session, held: Secrets, code: str, now: datetime, seal: Sealer
) -> list[str] | None:
    """Put the enrolled secret in force by its first code: new recovery codes, shown this once; None for a wrong code.

    This session has a second factor from now on; all others end. ``held`` is ``locked`` or ``owner``.
    """
    secret = _opened(held.pending, seal) if held.pending else None
    step = accounts.code_step(secret, code, now, 0) if secret else None
    if secret is None or step is None:
        return None
    await conn.execute(
        "UPDATE accounts SET totp_secret = %s, totp_pending = NULL, totp_step = %s WHERE id = %s",
        (seal.seal(secret), step, held.id),
    )
    await conn.execute("UPDATE sessions SET factor = true WHERE id = %s", (session.id,))
    await end_all(conn, held.id, but=session.id)
    return await new_recovery_codes(conn, held.id)


async def new_recovery_codes(conn: Connection, account: UUID) -> list[str]:
    """Ten codes of 80 random bits, so that SHA-256 is hash enough; those before are void."""
    raw = [base64.b32encode(secrets.token_bytes(10)).decode() for _ in range(RECOVERY_CODES)]
    await conn.execute("DELETE FROM recovery_codes WHERE account = %s", (account,))
    async with conn.cursor() as cur:
        await cur.executemany(
            "INSERT INTO recovery_codes (account, hash) VALUES (%s, %s)", [(account, _hash(code)) for code in raw]
        )
    return ["-".join(code[at : at + 4] for at in range(0, len(code), 4)) for code in raw]


async def recovery_left(conn: Connection, account: UUID) -> int:
    """How many recovery codes are unused."""
    cur = await conn.execute(
        "SELECT count(*) AS n FROM recovery_codes WHERE account = %s AND used_at IS NULL", (account,)
    )
    row = await cur.fetchone()
    return int(row["n"]) if row else 0


async def begin(
    conn: Connection, account: UUID, now: datetime, *, factor: bool, by: tuple[UUID, str] | None = None
) -> str:
    """A session; its token. ``by``: the identity that began it, and the path of its provider's unit. Sessions that are over are swept."""
    token = secrets.token_urlsafe(32)
    identity, within = by or (None, None)
    await conn.execute("DELETE FROM sessions WHERE expires_at < %s", (now,))
    await conn.execute(
        "INSERT INTO sessions (hash, account, factor, created_at, expires_at, identity, within) "
        "VALUES (%s, %s, %s, %s, %s, %s, %s)",
        (digest(token), account, factor, now, now + SESSION, identity, within),
    )
    return token


async def session(conn: Connection, token: str, now: datetime) -> Session | None:
    """Whose session this is; None for an unknown or expired one, or a disabled account."""
    cur = await conn.execute(
        "SELECT s.id, s.factor, s.identity, s.created_at AS begun, a.id AS account, a.login, a.name, "
        "a.totp_secret IS NOT NULL AS confirmed, g.role, g.unit, u.path, "
        "s.within IS NULL OR u.path ^@ s.within AS worn FROM sessions s JOIN accounts a ON a.id = s.account "
        "LEFT JOIN grants g ON g.account = a.id AND g.revoked_at IS NULL "
        "LEFT JOIN units u ON u.code = g.unit WHERE s.hash = %s AND s.expires_at > %s AND a.disabled_at IS NULL",
        (digest(token), now),
    )
    rows = await cur.fetchall()
    if not rows:
        return None
    given = [row for row in rows if row["role"]]
    hats = tuple(_hat(row) for row in given if row["worn"])
    kept = {name: rows[0][name] for name in Session.__slots__ if name not in ("hats", "whole")}
    return Session(**kept, whole=len(hats) == len(given), hats=hats)


def _hat(row: dict[str, Any]) -> Actor:
    return Actor(
        id=f"account:{row['account']}", name=row["name"], role=Role(row["role"]), unit=row["unit"], path=row["path"]
    )


async def alive(conn: Connection, account: UUID, session: UUID, now: datetime) -> bool:
    """Whether a session of an account goes on."""
    cur = await conn.execute(
        "SELECT 1 FROM sessions WHERE account = %s AND id = %s AND expires_at > %s", (account, session, now)
    )
    return await cur.fetchone() is not None


async def sessions(conn: Connection, account: UUID, now: datetime) -> list[dict[str, Any]]:
    """An account's sessions, newest first: ``id, created_at, expires_at, factor``, and ``issuer`` where a provider began it."""
    cur = await conn.execute(
        "SELECT s.id, s.created_at, s.expires_at, s.factor, i.issuer FROM sessions s "
        "LEFT JOIN identities i ON i.id = s.identity WHERE s.account = %s AND s.expires_at > %s "
        "ORDER BY s.created_at DESC, s.id",
        (account, now),
    )
    return await cur.fetchall()


async def end(conn: Connection, account: UUID, session: UUID) -> bool:
    """End one of an account's sessions. Whether there was one."""
    cur = await conn.execute("DELETE FROM sessions WHERE account = %s AND id = %s", (account, session))
    return cur.rowcount == 1


async def end_all(conn: Connection, account: UUID, *, but: UUID | None = None) -> int:
    """End an account's sessions, but one that may stay; how many."""
    cur = await conn.execute("DELETE FROM sessions WHERE account = %s AND id IS DISTINCT FROM %s", (account, but))
    return cur.rowcount
