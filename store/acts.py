"""What was done to an account, by whom and when: closing, opening, resets, links. Append-only."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from store.db import Connection


class Act(StrEnum):
    """What can be done to an account."""

    DISABLE = "disable"
    ENABLE = "enable"
    PASSWORD = "password"  # noqa: S105 - the name of an act
    RESET_FACTOR = "reset-second-factor"
    LINK = "link"
    UNLINK = "unlink"
    LINK_CODE = "link-code"


async def record(conn: Connection, account: UUID, act: Act, by: str, now: datetime, detail: str | None = None) -> None:
    """Note one act. ``by``: ``account:<id>``, ``key:<id>`` or ``cli``. ``detail`` holds no secret."""
    await conn.execute(
        "INSERT INTO account_acts (at, account, act, by, detail) VALUES (%s, %s, %s, %s, %s)",
        (now, account, act.value, by, detail),
    )


async def listed(conn: Connection, account: UUID) -> list[dict[str, Any]]:
    """An account's acts, newest first: ``at, act, by, detail``."""
    cur = await conn.execute(
        "SELECT at, act, by, detail FROM account_acts WHERE account = %s ORDER BY at DESC LIMIT 200", (account,)
    )
    return await cur.fetchall()
