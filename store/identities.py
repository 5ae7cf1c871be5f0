"""Identities at providers: linked to accounts, by whom; codes that link; and sign-ins that are under way at a provider."""

import base64
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import uuid_utils.compat as uuid_utils

from models.accounts import normal_recovery
from models.identity import Proof
from store import acts
from store.acts import Act
from store.db import Connection
from store.keys import digest

# Somebody looks for their campus password meanwhile.
UNDER_WAY = timedelta(minutes=10)
# Handed over on paper or by telephone on a Friday, it still holds on Monday morning.
CODE_LIFE = timedelta(days=3)


class Taken(ValueError):
    """An identity that is linked to another account."""


@dataclass(frozen=True, slots=True)
class UnderWay:
    """A sign-in that came back from a provider. ``account`` and ``session``: of somebody who links; ``proof``: once it is known."""

    provider: str
    back: str
    account: UUID | None
    session: UUID | None
    proof: Proof | None


async def link(conn: Connection, account: UUID, issuer: str, subject: str, by: str, now: datetime) -> UUID:
    """Link an identity; its id, that of the link in force where there is one. Raises ``Taken``."""
    cur = await conn.execute(
        "INSERT INTO identities (id, account, issuer, subject, linked_at, linked_by) VALUES (%s, %s, %s, %s, %s, %s) "
        "ON CONFLICT (issuer, subject) WHERE unlinked_at IS NULL DO NOTHING",
        (uuid_utils.uuid7(), account, issuer, subject, now, by),
    )
    new, held = cur.rowcount == 1, await linked(conn, issuer, subject)
    if held is None or held[1] != account:
        raise Taken("该身份已关联到另一个账号；请先在那里解除")
    if new:
        await acts.record(conn, account, Act.LINK, by, now, f"{issuer} {subject}")
    return held[0]


async def linked(conn: Connection, issuer: str, subject: str) -> tuple[UUID, UUID] | None:
    """Identity and account that somebody's subject at an issuer is linked to, or None."""
    cur = await conn.execute(
        "SELECT id, account FROM identities WHERE issuer = %s AND subject = %s AND unlinked_at IS NULL",
        (issuer, subject),
    )
    row = await cur.fetchone()
    return (row["id"], row["account"]) if row else None


async def unlink(conn: Connection, account: UUID, id: UUID, by: str, now: datetime) -> bool:
    """Take a link back and end the sessions begun with it. Whether there was one."""
    cur = await conn.execute(
        "UPDATE identities SET unlinked_at = %s, unlinked_by = %s WHERE id = %s AND account = %s AND unlinked_at IS NULL "
        "RETURNING issuer, subject",
        (now, by, id, account),
    )
    row = await cur.fetchone()
    if row is None:
        return False
    await conn.execute("DELETE FROM sessions WHERE identity = %s", (id,))
    await acts.record(conn, account, Act.UNLINK, by, now, f"{row['issuer']} {row['subject']}")
    return True


async def listed(conn: Connection, account: UUID) -> list[dict[str, Any]]:
    """An account's linked identities, oldest first: ``id, issuer, subject, linked_at, used_at``."""
    cur = await conn.execute(
        "SELECT id, issuer, subject, linked_at, used_at FROM identities WHERE account = %s AND unlinked_at IS NULL "
        "ORDER BY linked_at, id",
        (account,),
    )
    return await cur.fetchall()


async def used(conn: Connection, id: UUID, now: datetime) -> None:
    """Somebody signed in with it."""
    await conn.execute("UPDATE identities SET used_at = %s WHERE id = %s", (now, id))


async def new_code(conn: Connection, account: UUID, by: str, now: datetime) -> tuple[str, datetime]:
    """A code of 80 random bits that links once, and until when; one before it is void."""
    code = base64.b32encode(secrets.token_bytes(10)).decode()
    await void_codes(conn, account)
    await conn.execute("DELETE FROM link_codes WHERE expires_at < %s", (now,))
    await conn.execute(
        "INSERT INTO link_codes (hash, account, made_at, made_by, expires_at) VALUES (%s, %s, %s, %s, %s)",
        (digest(code), account, now, by, now + CODE_LIFE),
    )
    await acts.record(conn, account, Act.LINK_CODE, by, now)
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4)), now + CODE_LIFE


async def code_owner(conn: Connection, code: str, now: datetime) -> UUID | None:
    """Whose account a link code is for; None for an unknown, used or old one."""
    cur = await conn.execute(
        "SELECT account FROM link_codes WHERE hash = %s AND expires_at > %s", (digest(normal_recovery(code)), now)
    )
    row = await cur.fetchone()
    return row["account"] if row else None


async def take_code(conn: Connection, code: str, now: datetime) -> str | None:
    """Who made a link code, which is used up by this; None where somebody was faster."""
    cur = await conn.execute(
        "DELETE FROM link_codes WHERE hash = %s AND expires_at > %s RETURNING made_by",
        (digest(normal_recovery(code)), now),
    )
    row = await cur.fetchone()
    return row["made_by"] if row else None


async def void_codes(conn: Connection, account: UUID) -> None:
    """Forget an account's link codes."""
    await conn.execute("DELETE FROM link_codes WHERE account = %s", (account,))


async def begin(
    conn: Connection,
    browser: str,
    provider: str,
    back: str,
    now: datetime,
    *,
    links: tuple[UUID, UUID] | None = None,
) -> None:
    """A sign-in goes to a provider. ``links``: account and session of somebody who links. Those that are over are swept."""
    await conn.execute("DELETE FROM oidc_sign_ins WHERE expires_at < %s", (now,))
    account, session = links or (None, None)
    await conn.execute(
        "INSERT INTO oidc_sign_ins (hash, provider, back, account, session, expires_at) VALUES (%s, %s, %s, %s, %s, %s)",
        (digest(browser), provider, back, account, session, now + UNDER_WAY),
    )


async def returned(conn: Connection, browser: str, provider: str, now: datetime) -> UnderWay | None:
    """The sign-in that comes back from its provider, once. To be committed before the code is exchanged."""
    cur = await conn.execute(
        "UPDATE oidc_sign_ins SET taken_at = %s WHERE hash = %s AND provider = %s AND taken_at IS NULL AND expires_at > %s "
        "RETURNING provider, back, account, session",
        (now, digest(browser), provider, now),
    )
    row = await cur.fetchone()
    return UnderWay(**row, proof=None) if row else None


async def prove(conn: Connection, browser: str, proof: Proof, now: datetime) -> None:
    """Keep who came back, until a code is brought: of the authenticator, or one that links."""
    await conn.execute(
        "UPDATE oidc_sign_ins SET issuer = %s, subject = %s, factor = %s, expires_at = %s WHERE hash = %s",
        (proof.issuer, proof.subject, proof.factor, now + UNDER_WAY, digest(browser)),
    )


async def waiting(conn: Connection, browser: str, now: datetime) -> UnderWay | None:
    """Who came back and waits for a code, held until the transaction ends."""
    cur = await conn.execute(
        "SELECT provider, back, account, session, issuer, subject, factor FROM oidc_sign_ins "
        "WHERE hash = %s AND expires_at > %s AND subject IS NOT NULL FOR UPDATE",
        (digest(browser), now),
    )
    row = await cur.fetchone()
    if row is None:
        return None
    proof = Proof(row.pop("issuer"), row.pop("subject"), row.pop("factor"))
    return UnderWay(**row, proof=proof)


async def finish(conn: Connection, browser: str) -> None:
    """Forget a sign-in that is over."""
    await conn.execute("DELETE FROM oidc_sign_ins WHERE hash = %s", (digest(browser),))
