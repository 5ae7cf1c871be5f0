"""What assessors said of hazards, beside what the machine had said: for learning, and for watching the machine drift."""

from datetime import datetime, timedelta
from typing import Any

from models.learning import Correction, consenting
from models.levels import Level
from models.taxonomy import OTHER
from store import units
from store.db import Connection

# Drift is a matter of weeks: a term's new words, a new kind of fraud. Shorter and a quiet unit shows nothing.
WINDOW = timedelta(days=30)


async def read(conn: Connection) -> list[Correction]:
    """All corrections and confirmations that may be learned from, oldest first.

    Only of units that consent, and never of a confidential lane, of a minor's record or of a drill.
    """
    city = await units.city(conn)
    allowed = consenting(city["profile"] if city else None)
    tree = await units.tree(conn)
    paths = [tree[code].path for code in allowed if code in tree]
    cur = await conn.execute(
        "SELECT h.text, h.subcategory, h.level, h.direct, h.state, h.merged_into FROM hazards h "
        "WHERE NOT h.confidential AND NOT h.minors AND NOT h.drill AND EXISTS "
        "(SELECT 1 FROM unnest(%s::text[]) AS p(path) WHERE h.unit_path ^@ p.path) AND "
        "(h.assessed_at IS NOT NULL OR h.state = 'rejected') ORDER BY h.opened_at, h.id",
        (paths,),
    )
    return [
        Correction(row["text"], None, None, False)
        if row["state"] == "rejected"
        else Correction(row["text"], row["subcategory"], Level(row["level"]), row["direct"] and row["level"] == "red")
        for row in await cur.fetchall()
    ]


async def drift(conn: Connection, path: str, now: datetime) -> dict[str, Any]:
    """How far assessors agree with the machine in a subtree, in the last thirty days and in the thirty before: ``assessed``, ``agreed``,
    ``abstained``, each 0–1 or None, and the versions that judged."""
    cur = await conn.execute(
        "SELECT count(*) FILTER (WHERE recent) AS assessed, "
        "avg((machine_subcategory = subcategory)::int) FILTER (WHERE recent AND machine_subcategory <> %(other)s) AS agreed, "
        "avg((machine_subcategory = %(other)s)::int) FILTER (WHERE recent) AS abstained, "
        "avg((machine_subcategory = subcategory)::int) FILTER (WHERE NOT recent AND machine_subcategory <> %(other)s) AS agreed_before, "
        "array_agg(DISTINCT model) FILTER (WHERE recent AND model IS NOT NULL) AS models FROM "
        "(SELECT machine_subcategory, subcategory, model, assessed_at > %(since)s AS recent FROM hazards "
        "WHERE assessed_at > %(before)s AND unit_path ^@ %(path)s AND machine_subcategory IS NOT NULL) h",
        {"other": OTHER, "since": now - WINDOW, "before": now - 2 * WINDOW, "path": path},
    )
    row = await cur.fetchone() or {}
    shares = {
        name: None if row[name] is None else round(float(row[name]), 4)
        for name in ("agreed", "abstained", "agreed_before")
    }
    return {"assessed": row["assessed"], **shares, "models": row["models"] or []}
