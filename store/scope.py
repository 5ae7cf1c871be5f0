"""Reading as somebody: for the length of a block the transaction sees only what its reader may see (row-level security)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from store.db import Connection

READER = "campus_risk_reader"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who reads: their subtrees, the units whose confidential lanes are open to them, their id, and their own units."""

    paths: tuple[str, ...]
    confidential_units: tuple[str, ...] = ()
    actor: str = ""
    units: tuple[str, ...] = ()


@asynccontextmanager
async def reading(conn: Connection, viewer: Viewer) -> AsyncIterator[None]:
    """Read as ``viewer`` until the block ends. Nothing can be written inside.

    The settings hold for the transaction only, so that a connection that goes back to the pool is nobody again. After a
    failed statement the transaction is over anyway, and with it the role. Codes and paths hold no comma (models.reports.Code).
    """
    await _become(conn, READER, viewer)
    yield
    await _become(conn, "none", Viewer(()))


async def _become(conn: Connection, role: str, viewer: Viewer) -> None:
    await conn.execute(
        "SELECT set_config('campus.paths', %s, true), set_config('campus.confidential_units', %s, true), "
        "set_config('campus.actor', %s, true), set_config('campus.units', %s, true), set_config('role', %s, true)",
        (",".join(viewer.paths), ",".join(viewer.confidential_units), viewer.actor, ",".join(viewer.units), role),
    )
