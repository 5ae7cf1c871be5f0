"""Units and the city's profile."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from models.place import Bounds
from models.units import Unit, UnitTree
from store.db import Connection, jsonb

_COLUMNS = ("code", "name", "kind", "tier", "parent", "path", "district", "lon", "lat", "members", "obliged")


async def load(conn: Connection, code: str, name: str, profile: Any, tree: UnitTree, now: datetime) -> int:
    """Put a city and its units in place: new ones are added, known ones brought up to date. How many units it holds.

    A unit that is gone from the list stays: hazards still name it.
    """
    await conn.execute(
        "INSERT INTO city (code, name, profile, loaded_at) VALUES (%s, %s, %s, %s) ON CONFLICT (code) DO UPDATE "
        "SET name = excluded.name, profile = excluded.profile, loaded_at = excluded.loaded_at",
        (code, name, jsonb(profile), now),
    )
    # A parent goes before its children.
    units: Sequence[Unit] = sorted(tree, key=lambda unit: unit.path.count("/"))
    async with conn.cursor() as cur:
        await cur.executemany(
            f"INSERT INTO units ({', '.join(_COLUMNS)}) VALUES ({', '.join(['%s'] * len(_COLUMNS))}) "
            f"ON CONFLICT (code) DO UPDATE SET {', '.join(f'{c} = excluded.{c}' for c in _COLUMNS[1:])}",
            [tuple(getattr(unit, column) for column in _COLUMNS) for unit in units],
        )
    return len(units)


async def tree(conn: Connection) -> UnitTree:
    """All units. Some 2,500 rows: a process reads them at start and when they change."""
    cur = await conn.execute(f"SELECT {', '.join(_COLUMNS)} FROM units")
    return UnitTree(Unit(**row) for row in await cur.fetchall())


async def city(conn: Connection) -> dict[str, Any] | None:
    """The city's ``code, name, profile, loaded_at``; None before one is loaded."""
    cur = await conn.execute("SELECT code, name, profile, loaded_at FROM city ORDER BY loaded_at DESC LIMIT 1")
    return await cur.fetchone()


def bounds(profile: Any) -> Bounds | None:
    """The rectangle of valid coordinates in a city's profile."""
    given = (profile or {}).get("bounds")
    return Bounds(**given) if given else None
