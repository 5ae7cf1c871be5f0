"""Each unit's forecast, as the last look wrote it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from models.units import UnitTree
from models.warnings.forecast import Point
from store.db import Connection, jsonb


async def put(
    conn: Connection, indices: Mapping[str, float], points: Mapping[str, Sequence[Point]], tree: UnitTree, now: datetime
) -> None:
    """Write all anew; a unit that cannot be foretold any more has none."""
    await conn.execute("DELETE FROM forecasts")
    async with conn.cursor() as cur:
        await cur.executemany(
            "INSERT INTO forecasts (unit, unit_path, at, index, points) VALUES (%s, %s, %s, %s, %s)",
            [
                (unit, tree[unit].path, now, indices[unit], jsonb([_as_json(point) for point in own]))
                for unit, own in points.items()
                if own
            ],
        )


def _as_json(point: Point) -> dict[str, Any]:
    return {"day": point.day.isoformat(), "index": point.index, "low": point.low, "high": point.high}


async def of(conn: Connection, unit: str) -> dict[str, Any] | None:
    """A unit's ``at``, ``index`` now and 14 ``points``; None where there is not enough data. Read as somebody."""
    row = await (await conn.execute("SELECT at, index, points FROM forecasts WHERE unit = %s", (unit,))).fetchone()
    return row and {"at": row["at"].isoformat(), "index": round(row["index"], 1), "points": row["points"]}
