"""Reading as somebody: for the length of a block the transaction sees only what its reader may see (row-level security)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from store.db import Connection

READER = "campus_risk_reader"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who reads: a person's id, their unit and subtree, and the one unit whose confidential lanes are open (none: None)."""

    path: str
    confidential_unit: str | None
    actor: str = ""
    unit: str = ""


@asynccontextmanager
async def reading(conn: Connection, viewer: Viewer) -> AsyncIterator[None]:
    """Read as ``viewer`` until the block ends. Nothing can be written inside.

    The settings hold for the transaction only, so that a connection that goes back to the pool is nobody again. After a
    failed statement the transaction is over anyway, and with it the role.
    """
    await conn.execute(
        "SELECT set_config('campus.path', %s, true), set_config('campus.confidential_unit', %s, true), "
        "set_config('campus.actor', %s, true), set_config('campus.unit', %s, true), set_config('role', %s, true)",
        (viewer.path, viewer.confidential_unit or "", viewer.actor, viewer.unit, READER),
    )
    yield
    await conn.execute(
        "SELECT set_config('role', 'none', true), set_config('campus.path', '', true), "
        "set_config('campus.confidential_unit', '', true), set_config('campus.actor', '', true), "
        "set_config('campus.unit', '', true)"
    )
