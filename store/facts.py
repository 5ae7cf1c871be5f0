"""What the detectors of early warning look at, read as the tables' owner: they tell counts and ids, never words.

Left out everywhere: drills, what was rejected or merged, and hazards that a warning opened, for they would warn of themselves.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

import numpy as np

from models.levels import Level
from models.risk import CLOSED_DAYS, Life
from models.units import Unit
from models.warnings.findings import GROUPS, Seen, is_lane
from models.warnings.rhythm import HORIZON, Counts
from store.db import Connection

# The latest of a category: enough to know which words are usual (models/warnings/words.py).
_TEXTS = 1000
_TEXTS_BACK = timedelta(days=365)
# A look never reads more at once, whatever happened: some ten times a large city's week.
MOST = 50_000

_COUNTED = (
    "NOT h.drill AND h.state NOT IN ('rejected', 'merged') AND h.id NOT IN (SELECT i.hazard FROM warnings w "
    "JOIN intake i ON i.id = w.report WHERE i.outcome = 'opened' AND i.hazard IS NOT NULL)"
)
_OPEN = "h.state IN ('reported', 'assessed', 'dispatched', 'handling', 'submitted')"
# Words of closed records stay where they are.
_SEEN = (
    "SELECT h.id, h.unit, h.subcategory, h.level, h.opened_at, "
    f"CASE WHEN {_OPEN} THEN NULL ELSE h.closed_at END AS closed_at, "
    "CASE WHEN h.confidential OR h.minors THEN NULL ELSE h.place END AS place, "
    "CASE WHEN h.confidential OR h.minors THEN NULL ELSE h.text END AS text FROM hazards h"
)


async def opened(conn: Connection, since: datetime, until: datetime) -> list[Seen]:
    """Hazards opened in (since, until], oldest first; at most ``MOST``, the latest of them."""
    return await _seen(
        conn,
        f"{_SEEN} WHERE h.opened_at > %(since)s AND h.opened_at <= %(until)s AND {_COUNTED} "
        f"ORDER BY h.opened_at DESC, h.id DESC LIMIT {MOST}",
        {"since": since, "until": until},
    )


async def closed_like(conn: Connection, new: Sequence[Seen], since: datetime) -> list[Seen]:
    """Hazards closed since an instant, of the units and subcategories of ``new``."""
    pairs = sorted({(seen.unit, seen.subcategory) for seen in new if not seen.confidential})
    if not pairs:
        return []
    return await _seen(
        conn,
        f"{_SEEN} JOIN unnest(%(units)s::text[], %(subcategories)s::text[]) AS p(unit, subcategory) "
        f"ON h.unit = p.unit AND h.subcategory = p.subcategory WHERE h.closed_at > %(since)s AND {_COUNTED} "
        f"ORDER BY h.opened_at DESC, h.id DESC LIMIT {MOST}",
        {"units": [unit for unit, _ in pairs], "subcategories": [code for _, code in pairs], "since": since},
    )


async def open_of(conn: Connection, subcategories: Sequence[str]) -> list[Seen]:
    """Open hazards of these subcategories that are not confidential."""
    return await _seen(
        conn,
        f"{_SEEN} WHERE {_OPEN} AND NOT h.confidential AND h.subcategory = ANY(%(codes)s) AND {_COUNTED} "
        f"ORDER BY h.opened_at DESC, h.id DESC LIMIT {MOST}",
        {"codes": list(subcategories)},
    )


async def _seen(conn: Connection, query: str, values: Mapping[str, Any]) -> list[Seen]:
    rows = await (await conn.execute(query, values)).fetchall()
    return [Seen(**row | {"level": Level(row["level"])}) for row in reversed(rows)]


async def counts(conn: Connection, units: Sequence[Unit], today: date) -> Counts:
    """Hazards a day of each unit and group for the last half year, up to yesterday; days before the first hazard are none."""
    rows = await (
        await conn.execute(
            "SELECT h.unit, left(h.subcategory, 2) AS category, (h.opened_at AT TIME ZONE 'Asia/Shanghai')::date AS day, "
            f"count(*) AS n FROM hazards h WHERE h.opened_at >= %(since)s::timestamp AT TIME ZONE 'Asia/Shanghai' "
            f"AND h.opened_at < %(today)s::timestamp AT TIME ZONE 'Asia/Shanghai' AND {_COUNTED} GROUP BY 1, 2, 3",
            {"since": today - timedelta(days=HORIZON), "today": today},
        )
    ).fetchall()
    first = min((row["day"] for row in rows), default=today)
    days = tuple(first + timedelta(days=n) for n in range((today - first).days))
    at = {unit.code: n for n, unit in enumerate(units)}
    n = np.zeros((len(units), len(GROUPS), len(days)), dtype=np.int32)
    for row in rows:
        if row["unit"] in at and row["category"] in GROUPS:
            place = (row["day"] - first).days
            n[at[row["unit"]], GROUPS.index(row["category"]), place] += row["n"]
            if not is_lane(row["category"]):
                n[at[row["unit"]], -1, place] += row["n"]
    return Counts(tuple(at), tuple(unit.kind for unit in units), GROUPS, days, n, await _hours(conn, today))


async def _hours(conn: Connection, today: date) -> list[float]:
    rows = await (
        await conn.execute(
            "SELECT extract(hour FROM h.opened_at AT TIME ZONE 'Asia/Shanghai')::int AS hour, count(*) AS n FROM hazards h "
            "WHERE h.opened_at >= %s::timestamp AT TIME ZONE 'Asia/Shanghai' GROUP BY 1",
            (today - timedelta(days=60),),
        )
    ).fetchall()
    found = [0.0] * 24
    for row in rows:
        found[row["hour"]] = float(row["n"])
    return found


async def texts(conn: Connection, until: datetime) -> list[tuple[str, str, str]]:
    """Category, unit and text of the latest reports of each category before an instant; none whose words are closed."""
    cur = await conn.execute(
        "SELECT category, unit, text FROM (SELECT left(h.subcategory, 2) AS category, h.unit, h.text, "
        "row_number() OVER (PARTITION BY left(h.subcategory, 2) ORDER BY h.opened_at DESC) AS nth FROM hazards h "
        f"WHERE h.opened_at > %(since)s AND h.opened_at <= %(until)s AND NOT h.confidential AND NOT h.minors AND {_COUNTED}) t "
        "WHERE nth <= %(most)s",
        {"since": until - _TEXTS_BACK, "until": until, "most": _TEXTS},
    )
    return [(row["category"], row["unit"], row["text"]) for row in await cur.fetchall()]


async def lives(conn: Connection, since: datetime, now: datetime) -> list[tuple[str, UUID, Life]]:
    """Unit, id and life of each hazard that counts in a risk index since an instant; confidential lanes left out.

    Overdue is the span from the first deadline that was missed to when the last missed one was met.
    """
    cur = await conn.execute(
        "WITH h AS (SELECT h.id, h.unit, h.level, h.opened_at, "
        f"CASE WHEN {_OPEN} THEN NULL ELSE h.closed_at END AS closed_at FROM hazards h WHERE NOT h.confidential AND {_COUNTED} "
        f"AND ({_OPEN} OR h.closed_at > %(since)s)) "
        "SELECT h.*, d.late, d.mended FROM h LEFT JOIN LATERAL (SELECT min(due_at) AS late, "
        "CASE WHEN bool_or(met_at IS NULL AND dropped_at IS NULL) THEN NULL ELSE max(coalesce(met_at, dropped_at)) END AS mended "
        "FROM deadlines d WHERE d.hazard = h.id AND d.kind <> 'review' AND (d.missed_at IS NOT NULL "
        "OR (d.due_at <= %(now)s AND d.met_at IS NULL AND d.dropped_at IS NULL))) d ON true",
        {"since": since - timedelta(days=CLOSED_DAYS), "now": now},
    )
    return [
        (
            row["unit"],
            row["id"],
            Life(Level(row["level"]), row["opened_at"], row["closed_at"], row["late"], row["mended"]),
        )
        for row in await cur.fetchall()
    ]
