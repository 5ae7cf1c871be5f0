"""Takes in a file: through the same door as everything else, in batches, with a bar; refused rows become dead letters."""

import asyncio
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from deploy.dead_letters import UNREAD
from deploy.readers import Row, read
from models.reports import BadReport, Door, Problem, Report, check
from models.units import UnitTree
from store import db, dead, reports, units
from store.db import Connection
from store.reports import Entry
from store.settings import Settings
from streams.context import now

CALLER = "ingest"
_BATCH = 500
_LOOK = 0.3


@dataclass(slots=True)
class Outcome:
    """What became of a file's rows."""

    accepted: int = 0
    known: int = 0
    refused: int = 0
    errors: list[tuple[int, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    landed: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "accepted": self.accepted,
            "known": self.known,
            "refused": self.refused,
            "landed": self.landed,
            "notes": self.notes,
            "errors": [{"row": number, "error": error} for number, error in self.errors],
        }


async def ingest(settings: Settings, path: Path, *, wait: bool, quiet: bool, console: Console) -> Outcome:
    """Read, check, accept; then wait until all have landed. Raises ``CannotRead`` where the file cannot be read at all."""
    outcome = Outcome()
    ids: list[UUID] = []
    async with db.connect(str(settings.database)) as conn:
        tree, city = await units.tree(conn), await units.city(conn)
        await conn.commit()
        door = Door(tree=tree, now=now(), bounds=units.bounds(city["profile"]) if city else None)
        with _bar(console, quiet) as bar:
            reading = bar.add_task("读取与收下", total=None)
            for rows in _batches(read(path, _codes(tree), outcome.notes.append)):
                async with conn.transaction():
                    ids += await _accept(conn, path, rows, door, outcome)
                bar.update(reading, advance=len(rows))
            bar.update(reading, total=bar.tasks[0].completed)
            if wait and ids:
                await _until_landed(conn, ids, bar)
        outcome.landed = await _landed(conn, ids)
    return outcome


def _codes(tree: UnitTree) -> dict[str, str]:
    """Codes and names to codes: people write either. A name that two units share stands for neither."""
    names: dict[str, str] = {}
    for unit in tree:
        names[unit.name] = "" if unit.name in names else unit.code
    return {name: code for name, code in names.items() if code} | {unit.code: unit.code for unit in tree}


@contextmanager
def _bar(console: Console, quiet: bool) -> Iterator[Progress]:
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, disable=quiet, transient=True) as bar:
        yield bar


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    batch: list[Row] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


async def _accept(conn: Connection, path: Path, rows: list[Row], door: Door, outcome: Outcome) -> list[UUID]:
    """One batch; the ids of all that are in the database now, new or known."""
    good: list[tuple[Row, Report]] = []
    letters = []
    for row in rows:
        try:
            good.append((row, _checked(row, door)))
        except BadReport as error:
            letters.append(_letter(path, row, error, outcome))
    ids = []
    admissions = await reports.accept(conn, [Entry(report) for _, report in good], CALLER, now())
    for (row, _), admission in zip(good, admissions, strict=True):
        if admission.conflict:
            letters.append(_letter(path, row, BadReport(admission.conflict), outcome))
            continue
        ids.append(admission.id)
        outcome.accepted += admission.new
        outcome.known += not admission.new
    await dead.put(conn, letters, now())
    return ids


def _checked(row: Row, door: Door) -> Report:
    if row.record is None:
        raise BadReport(Problem("", UNREAD, row.error or ""))
    return check(row.record, door)


def _letter(path: Path, row: Row, error: BadReport, outcome: Outcome) -> dead.Letter:
    """A refused row, kept with its own cells. Its id comes from what it says, so that reading it again adds nothing."""
    outcome.refused += 1
    outcome.errors.append((row.number, row.error or f"第 {row.number} 行：{error}"))
    value = orjson.dumps(row.record or dict(row.raw), default=str)
    id = UUID(bytes=hashlib.sha256(f"{path.name}|{row.number}|".encode() + value).digest()[:16], version=4)
    return dead.letter(id, f"file:{path.name}", 0, row.number, None, value, error)


async def _landed(conn: Connection, ids: list[UUID]) -> dict[str, int]:
    cur = await conn.execute(
        "SELECT coalesce(outcome, 'waiting') AS outcome, count(*) AS n FROM intake WHERE id = ANY(%s) GROUP BY 1",
        (ids,),
    )
    counts = {row["outcome"]: row["n"] for row in await cur.fetchall()}
    await conn.commit()
    return counts


async def _until_landed(conn: Connection, ids: list[UUID], bar: Progress) -> None:
    task = bar.add_task("研判与落库", total=len(ids))
    while True:
        counts = await _landed(conn, ids)
        done = len(ids) - counts.get("waiting", 0)
        bar.update(task, completed=done)
        if done >= len(ids):
            return
        await asyncio.sleep(_LOOK)
