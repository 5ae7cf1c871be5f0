"""Figures of the one screen, for a unit and all below it (domain §7). Read as somebody without
confidential lanes (``store.scope``): those are counted apart, and small counts not told."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from models.calendar import SHANGHAI
from models.hazards import Hazard, ticker
from models.levels import Level
from models.loop import OPEN_STATES, Phase, State
from models.taxonomy import categories, subcategories, subcategory
from models.units import Unit
from models.warnings.findings import Kind
from store import corrections, forecasts, hazards, live, warnings
from store.db import Connection

# Rates and times look back this far: a month holds enough of them to be a figure, and is near enough to act on.
PERIOD = timedelta(days=30)
_OPEN = sorted(OPEN_STATES)
_LISTED = 12
_RECENT = 30
_WARNED = 8


async def figures(
    conn: Connection, unit: Unit, children: Sequence[Unit], tiers: Mapping[str, str], now: datetime
) -> dict[str, Any]:
    """Everything the wall shows, as ``GET /api/v1/cockpit`` gives it."""
    midnight = now.astimezone(SHANGHAI).replace(hour=0, minute=0, second=0, microsecond=0)
    scope = {"path": unit.path, "now": now, "midnight": midnight, "since": now - PERIOD, "open": _OPEN}
    rows = await _open_rows(conn, scope)
    return {
        "as_of": now.isoformat(),
        "unit": {"code": unit.code, "name": unit.name, "tier": unit.tier},
        "today": await _today(conn, scope, whole_city=unit.parent is None),
        "open": await _open(conn, scope, rows),
        "tiers": await _tiers(conn, scope, rows, tiers),
        "hours": await _hours(conn, scope),
        "categories": _by_category(rows),
        "confidential": await _confidential(conn, unit),
        "units": _by_child(rows, children),
        "urgent": await _urgent(conn, scope),
        "climbed": await _climbed(conn, scope),
        "rates": await _rates(conn, scope),
        "times": await _times(conn, scope),
        "judging": await corrections.drift(conn, unit.path, now),
        "recent": await _recent(conn, scope),
        "warnings": await _warnings(conn),
        "forecast": await forecasts.of(conn, unit.code),
    }


async def _one(conn: Connection, query: str, scope: Mapping[str, Any]) -> dict[str, Any]:
    row = await (await conn.execute(query, scope)).fetchone()
    return row or {}


async def _all(conn: Connection, query: str, scope: Mapping[str, Any]) -> list[dict[str, Any]]:
    return await (await conn.execute(query, scope)).fetchall()


def _levels(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    return {level.value: sum(row["n"] for row in rows if row["level"] == level) for level in Level}


async def _open_rows(conn: Connection, scope: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Open hazards counted by all that the screen cuts them by: one pass over the open ones, whatever it shows."""
    return await _all(
        conn,
        "SELECT unit_path, level, state, tier, subcategory, count(*) AS n, count(*) FILTER (WHERE major) AS major, "
        "count(*) FILTER (WHERE listed) AS listed, count(*) FILTER (WHERE EXISTS ("
        "SELECT 1 FROM deadlines d WHERE d.hazard = h.id AND d.met_at IS NULL AND d.dropped_at IS NULL "
        "AND (d.missed_at IS NOT NULL OR d.due_at <= %(now)s))) AS overdue "
        "FROM hazards h WHERE state = ANY(%(open)s) AND unit_path ^@ %(path)s "
        "GROUP BY unit_path, level, state, tier, subcategory",
        scope,
    )


async def _today(conn: Connection, scope: Mapping[str, Any], *, whole_city: bool) -> dict[str, int]:
    arrived = await _one(
        conn,
        "SELECT count(*) AS reports, count(*) FILTER (WHERE outcome = 'opened') AS hazards, "
        "count(*) FILTER (WHERE outcome = 'attached') AS attached, count(*) FILTER (WHERE outcome = 'quiet') AS quiet "
        "FROM intake i JOIN units u ON u.code = i.unit WHERE i.received_at >= %(midnight)s AND u.path ^@ %(path)s",
        scope,
    )
    rest = await _one(
        conn,
        "SELECT (SELECT count(*) FROM hazards WHERE closed_at >= %(midnight)s AND unit_path ^@ %(path)s) AS closed, "
        "(SELECT count(*) FROM escalations e JOIN hazards h ON h.id = e.hazard WHERE e.at >= %(midnight)s "
        "AND e.from_unit <> e.to_unit AND h.unit_path ^@ %(path)s) AS climbed, "
        "dead_letters_since(%(midnight)s) AS dead",
        scope,
    )
    # A dead letter names no unit that exists, so only the whole city counts them.
    return {**arrived, "dead": rest["dead"] if whole_city else 0, "closed": rest["closed"], "climbed": rest["climbed"]}


async def _open(conn: Connection, scope: Mapping[str, Any], rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    owed = await _all(
        conn,
        "SELECT h.level, count(*) AS n FROM hazards h JOIN deadlines d ON d.hazard = h.id AND d.kind = 'review' "
        "AND d.met_at IS NULL AND d.dropped_at IS NULL "
        "AND h.state IN ('closed', 'reviewing') AND h.unit_path ^@ %(path)s GROUP BY h.level",
        scope,
    )
    matrix = [
        {"level": level.value, "phase": phase.value, "count": sum(r["n"] for r in rows if _in(r, level, phase))}
        for level in Level
        for phase in (Phase.WARN, Phase.INTERVENE)
    ]
    matrix += [{"level": level, "phase": Phase.REVIEW.value, "count": count} for level, count in _levels(owed).items()]
    return {
        "total": sum(row["n"] for row in rows),
        "overdue": sum(row["overdue"] for row in rows),
        "major": sum(row["major"] for row in rows),
        "listed": sum(row["listed"] for row in rows),
        "by_level": _levels(rows),
        "by_phase": {phase.value: sum(m["count"] for m in matrix if m["phase"] == phase) for phase in Phase},
        "by_state": {state: sum(row["n"] for row in rows if row["state"] == state) for state in _OPEN},
        "matrix": matrix,
    }


def _in(row: Mapping[str, Any], level: Level, phase: Phase) -> bool:
    return row["level"] == level and State(row["state"]).phase is phase


async def _tiers(
    conn: Connection, scope: Mapping[str, Any], rows: Sequence[dict[str, Any]], tiers: Mapping[str, str]
) -> list[dict[str, Any]]:
    arrived = {
        row["tier"]: row["n"]
        for row in await _all(
            conn,
            "SELECT e.to_tier AS tier, count(*) AS n FROM escalations e JOIN hazards h ON h.id = e.hazard "
            "WHERE e.at >= %(midnight)s AND e.from_unit <> e.to_unit AND h.unit_path ^@ %(path)s GROUP BY e.to_tier",
            scope,
        )
    }
    return [
        {
            "tier": tier,
            "label": label,
            "open": sum(row["n"] for row in rows if row["tier"] == tier),
            "by_level": _levels([row for row in rows if row["tier"] == tier]),
            "climbed_in": arrived.get(tier, 0),
        }
        for tier, label in tiers.items()
    ]


async def _hours(conn: Connection, scope: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = await _all(
        conn,
        "WITH hours AS (SELECT generate_series(date_trunc('hour', %(now)s) - interval '23 hours', "
        "date_trunc('hour', %(now)s), interval '1 hour') AS hour), "
        "arrived AS (SELECT date_trunc('hour', i.received_at) AS hour, count(*) AS reports, "
        "count(*) FILTER (WHERE outcome = 'opened') AS hazards FROM intake i JOIN units u ON u.code = i.unit "
        "WHERE i.received_at >= date_trunc('hour', %(now)s) - interval '23 hours' AND u.path ^@ %(path)s GROUP BY 1), "
        "ended AS (SELECT date_trunc('hour', closed_at) AS hour, count(*) AS closed FROM hazards "
        "WHERE closed_at >= date_trunc('hour', %(now)s) - interval '23 hours' AND unit_path ^@ %(path)s GROUP BY 1) "
        "SELECT hour, coalesce(reports, 0) AS reports, coalesce(hazards, 0) AS hazards, coalesce(closed, 0) AS closed "
        "FROM hours LEFT JOIN arrived USING (hour) LEFT JOIN ended USING (hour) ORDER BY hour",
        scope,
    )
    return [{**row, "hour": row["hour"].isoformat()} for row in rows]


def _by_category(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    counts = {code: sum(r["n"] for r in rows if r["subcategory"][:2] == code) for code in categories()}
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [{"code": code, "name": categories()[code], "open": count} for code, count in ordered]


async def _confidential(conn: Connection, unit: Unit) -> list[dict[str, Any]]:
    """Open hazards of the confidential lanes, the one figure in which they count. None: fewer than five."""
    rows = await _all(conn, "SELECT category, open FROM confidential_open(%(path)s)", {"path": unit.path})
    counts = {row["category"]: row["open"] for row in rows}
    lanes = dict.fromkeys(sub.category for sub in subcategories().values() if sub.confidential)
    return [{"code": code, "name": categories()[code], "open": counts.get(code)} for code in lanes]


def _by_child(rows: Sequence[dict[str, Any]], children: Sequence[Unit]) -> list[dict[str, Any]]:
    result = []
    for child in children:
        own = [row for row in rows if row["unit_path"].startswith(child.path)]
        result.append(
            {"code": child.code, "name": child.name, "kind": child.kind, "lon": child.lon, "lat": child.lat}
            | {
                "open": sum(row["n"] for row in own),
                "by_level": _levels(own),
                "overdue": sum(r["overdue"] for r in own),
            }
        )
    return result


async def _urgent(conn: Connection, scope: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = await _all(
        conn,
        "SELECT h.id, h.chain->0->>'name' AS unit_name, h.subcategory, h.level, h.state, h.tier, h.opened_at, "
        "d.due_at, d.kind AS due_kind FROM hazards h LEFT JOIN LATERAL (SELECT due_at, kind FROM deadlines "
        "WHERE hazard = h.id AND met_at IS NULL AND dropped_at IS NULL ORDER BY due_at LIMIT 1) d ON true "
        "WHERE h.state = ANY(%(open)s) AND h.level IN ('red', 'orange') AND NOT h.confidential "
        f"AND h.unit_path ^@ %(path)s ORDER BY d.due_at NULLS LAST, h.level DESC, h.id LIMIT {_LISTED}",
        scope,
    )
    return [
        {**row, "id": str(row["id"]), "label": subcategory(row["subcategory"]).name}
        | {"opened_at": row["opened_at"].isoformat(), "due_at": row["due_at"] and row["due_at"].isoformat()}
        for row in rows
    ]


async def _climbed(conn: Connection, scope: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows = await _all(
        conn,
        "SELECT h.id, e.at, h.chain->0->>'name' AS unit_name, h.subcategory, h.level, e.from_tier, e.to_tier, e.reason "
        "FROM escalations e JOIN hazards h ON h.id = e.hazard WHERE e.from_unit <> e.to_unit AND NOT h.confidential "
        f"AND h.unit_path ^@ %(path)s ORDER BY e.at DESC, e.seq DESC, h.id LIMIT {_LISTED}",
        scope,
    )
    return [
        {**row, "id": str(row["id"]), "at": row["at"].isoformat(), "label": subcategory(row["subcategory"]).name}
        for row in rows
    ]


async def _rates(conn: Connection, scope: Mapping[str, Any]) -> dict[str, float | None]:
    """Shares, 0–1. A zero denominator gives None, shown as "—", never as 100 %."""
    return await _one(
        conn,
        "WITH found AS (SELECT state FROM hazards WHERE opened_at >= %(since)s AND unit_path ^@ %(path)s), "
        "fell_due AS (SELECT d.met_at <= d.due_at AS timely FROM deadlines d JOIN hazards h ON h.id = d.hazard "
        "WHERE d.kind = 'rectify' AND d.round = 1 AND d.dropped_at IS NULL AND d.due_at BETWEEN %(since)s AND %(now)s "
        "AND h.unit_path ^@ %(path)s), "
        "obliged AS (SELECT code FROM units WHERE obliged AND path ^@ %(path)s) "
        "SELECT (SELECT count(*) FILTER (WHERE state IN ('closed', 'reviewing', 'archived'))::float8 "
        "/ nullif(count(*) FILTER (WHERE state NOT IN ('rejected', 'merged')), 0) FROM found) AS closing, "
        "(SELECT count(*) FILTER (WHERE timely)::float8 / nullif(count(*), 0) FROM fell_due) AS timely, "
        "(SELECT count(*) FILTER (WHERE state = 'rejected')::float8 / nullif(count(*), 0) FROM found) AS false_report, "
        "(SELECT count(DISTINCT i.unit)::float8 / nullif((SELECT count(*) FROM obliged), 0) FROM intake i "
        "JOIN obliged o ON o.code = i.unit WHERE i.received_at >= %(since)s) AS usage",
        scope,
    )


async def _times(conn: Connection, scope: Mapping[str, Any]) -> dict[str, float | None]:
    """Seconds: response is reported → assessed, handling is dispatched → closed."""
    return await _one(
        conn,
        "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY response) AS response_p50, "
        "percentile_cont(0.9) WITHIN GROUP (ORDER BY response) AS response_p90, "
        "percentile_cont(0.5) WITHIN GROUP (ORDER BY handling) AS handling_p50, "
        "percentile_cont(0.9) WITHIN GROUP (ORDER BY handling) AS handling_p90 FROM ("
        "SELECT extract(epoch FROM assessed_at - opened_at)::float8 AS response, "
        "extract(epoch FROM closed_at - dispatched_at)::float8 AS handling "
        "FROM hazards WHERE opened_at >= %(since)s AND unit_path ^@ %(path)s) t",
        scope,
    )


async def _recent(conn: Connection, scope: Mapping[str, Any]) -> list[dict[str, Any]]:
    columns = ", ".join(f"h.{column}" for column in hazards.COLUMNS)
    rows = await _all(
        conn,
        f"SELECT t.action, t.at, {columns} FROM trail t JOIN hazards h ON h.id = t.hazard "
        "WHERE t.at >= %(since)s AND NOT h.confidential AND h.unit_path ^@ %(path)s "
        f"ORDER BY t.at DESC, t.seq DESC LIMIT {_RECENT}",
        scope,
    )
    return [_line(hazards.typed(row), row["action"], row["at"]) for row in rows]


async def _warnings(conn: Connection) -> list[dict[str, Any]]:
    rows = await warnings.shown(conn, _WARNED)
    return [
        {**row, "id": str(row["id"]), "label": Kind(row["kind"]).label, "opened_at": row["opened_at"].isoformat()}
        for row in rows
    ]


def _line(hazard: Hazard, action: str, at: datetime) -> dict[str, Any]:
    line = ticker(hazard, live.KINDS.get(action, action), at)
    del line["path"]
    return line
