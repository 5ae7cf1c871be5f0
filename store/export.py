"""The trail of a unit and all below it, written out: JSON Lines and CSV with a manifest, in constant memory."""

import csv
import hashlib
import io
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from models import export
from models.roles import system
from store.db import Connection

# Rows that are held at once: a trail's are some 500 bytes each.
AT_ONCE = 1000
MANIFEST = "manifest.json"
_EXPORT = system("export")
# Excel reads a CSV as UTF-8 only when it begins with this mark.
_BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Hazards of a unit's subtree that were opened in a period: from ``since``, before ``until``; None: no bound."""

    unit: str
    path: str
    since: datetime | None = None
    until: datetime | None = None
    open_words: bool = False


_CHOSEN = (
    "h.unit_path ^@ %(path)s AND (%(since)s::timestamptz IS NULL OR h.opened_at >= %(since)s) "
    "AND (%(until)s::timestamptz IS NULL OR h.opened_at < %(until)s)"
)
# Each in the order of the hazards' ids, so that a proof walks all files side by side.
_QUERIES: Mapping[str, str] = {
    "hazards": f"SELECT {', '.join(f'h.{c}' for c in export.FILES['hazards'])} FROM hazards h WHERE {_CHOSEN} ORDER BY h.id",
    "trail": "SELECT t.hazard, t.seq, t.at, t.schema, t.action, t.actor, t.role, t.before, t.after, t.data, t.hash, "
    f"h.confidential OR h.minors AS closed FROM trail t JOIN hazards h ON h.id = t.hazard WHERE {_CHOSEN} "
    "ORDER BY t.hazard, t.seq",
    "deadlines": f"SELECT {', '.join(f'd.{c}' for c in export.FILES['deadlines'])} FROM deadlines d "
    f"JOIN hazards h ON h.id = d.hazard WHERE {_CHOSEN} ORDER BY d.hazard, d.kind, d.round",
    "escalations": f"SELECT {', '.join(f'e.{c}' for c in export.FILES['escalations'])} FROM escalations e "
    f"JOIN hazards h ON h.id = e.hazard WHERE {_CHOSEN} ORDER BY e.hazard, e.seq",
}


@dataclass(slots=True)
class _File:
    """One file under way: its hash and its rows, counted as they are written."""

    path: Path
    _open: IO[bytes] = field(init=False)
    _hash: Any = field(default_factory=hashlib.sha256)
    rows: int = 0

    def __enter__(self) -> "_File":
        self._open = self.path.open("xb")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._open.close()

    def write(self, data: bytes, rows: int = 0) -> None:
        """Add bytes that hold so many rows."""
        self._open.write(data)
        self._hash.update(data)
        self.rows += rows

    def told(self) -> dict[str, Any]:
        """What the manifest says of it."""
        return {"rows": self.rows, "sha256": self._hash.hexdigest()}


async def count(conn: Connection, wanted: Wanted) -> int:
    """How many lines an export will hold."""
    total = 0
    for query in _QUERIES.values():
        cur = await conn.execute(f"SELECT count(*) AS n FROM ({query}) q", _values(wanted))
        row = await cur.fetchone()
        total += int(row["n"]) if row else 0
    return total


async def write(
    conn: Connection, wanted: Wanted, folder: Path, by: str, now: datetime, step: Callable[[int], None]
) -> dict[str, Any]:
    """Write the files and the manifest into an empty folder; the manifest. ``step`` hears of lines as they are written.

    The caller's transaction must be a repeatable read, so that the files tell of one moment. With ``open_words`` each closed
    record counts as read, and is logged. Raises ``FileExistsError``.
    """
    files: dict[str, dict[str, Any]] = {}
    links: dict[str, str] = {}
    heads = hashlib.sha256()
    for name in export.FILES:
        with _File(folder / f"{name}.jsonl") as lines, _File(folder / f"{name}.csv") as table:
            table.write((_BOM + _row(["n", *export.FILES[name]])).encode())
            link = ""
            async for row in _rows(conn, name, wanted):
                line = _line(name, row, wanted.open_words) | {"n": lines.rows + 1}
                link = export.bound(link, line)
                lines.write(export.canonical(line | {"link": link}) + b"\n", 1)
                table.write(_row(export.cells(name, line)).encode(), 1)
                if name == "hazards":
                    heads.update(f"{line['id']}{line['trail_hash']}".encode())
                step(1)
            files[lines.path.name], files[table.path.name], links[name] = lines.told(), table.told(), link
    if wanted.open_words:
        await _log(conn, wanted, by, now)
    manifest = {
        "schema": export.SCHEMA,
        "made_at": now.isoformat(),
        "by": by,
        "unit": wanted.unit,
        "from": wanted.since and wanted.since.isoformat(),
        "to": wanted.until and wanted.until.isoformat(),
        "masked": not wanted.open_words,
        "files": files,
        "links": links,
        "chain_heads": {"hazards": files["hazards.jsonl"]["rows"], "sha256": heads.hexdigest()},
    }
    with _File(folder / MANIFEST) as file:
        file.write(export.canonical(manifest) + b"\n")
        return manifest | {"sha256": file.told()["sha256"]}


def _values(wanted: Wanted) -> dict[str, Any]:
    return {"path": wanted.path, "since": wanted.since, "until": wanted.until}


async def _rows(conn: Connection, name: str, wanted: Wanted) -> AsyncIterator[dict[str, Any]]:
    async with conn.cursor(name=f"export_{name}") as cur:
        cur.itersize = AT_ONCE
        await cur.execute(_QUERIES[name], _values(wanted))
        async for row in cur:
            yield row


def _line(name: str, row: dict[str, Any], open_words: bool) -> dict[str, Any]:
    if name == "hazards":
        return export.hazard_line(row, open_words=open_words)
    if name == "trail":
        closed = row.pop("closed")
        return export.trail_line(row, closed=closed, open_words=open_words)
    return export.told(row)


def _row(values: list[str]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow(values)
    return out.getvalue()


async def _log(conn: Connection, wanted: Wanted, by: str, now: datetime) -> None:
    await conn.execute(
        "INSERT INTO access_log (at, actor, role, unit, hazard, what) SELECT %(now)s, %(by)s, %(role)s, %(unit)s, h.id, 'export' "
        f"FROM hazards h WHERE (h.confidential OR h.minors) AND {_CHOSEN}",
        _values(wanted) | {"now": now, "by": by, "role": _EXPORT.role, "unit": wanted.unit},
    )
