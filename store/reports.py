"""The door: a report is accepted once, with its outbox row, in one transaction (design §1, rule 1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import uuid_utils.compat as uuid_utils

from models.reports import Problem, Report
from models.taxonomy import is_confidential
from store import outbox
from store.db import Connection, jsonb


@dataclass(frozen=True, slots=True)
class Entry:
    """A report at the door. ``idempotency_key`` is the caller's own, for one request."""

    report: Report
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Admission:
    """What the door says: accepted now, known already (the same body), or in conflict (another body under the same id)."""

    id: UUID
    new: bool
    conflict: Problem | None = None


async def accept(
    conn: Connection, entries: Sequence[Entry], caller: str, now: datetime, *, publish: bool = True
) -> list[Admission]:
    """Accept reports, each once; one ``Admission`` an entry, in order.

    What is new is stored and, with ``publish``, put into the outbox for ``risk.reports``. The same id, idempotency key
    or (unit, source, source_id) with the same body is known; with another body it is a conflict, and changes nothing.
    """
    if not entries:
        return []
    named = [(entry, entry.report.id or uuid_utils.uuid7()) for entry in entries]
    first: dict[UUID, Entry] = {}
    for entry, id in named:
        # One request may name an id twice: the first body of it is the one that counts.
        first.setdefault(id, entry)
    fresh: set[UUID] = set()
    async with conn.cursor() as cur:
        # In one order for everybody, so that two batches that share reports cannot wait for each other.
        rows = [
            (id, *_keys(entry.report), caller, entry.idempotency_key, now, _confidential(entry.report))
            for id, entry in sorted(first.items(), key=_order)
        ]
        await cur.executemany(
            "INSERT INTO intake (id, unit, source, source_id, digest, caller, idempotency_key, received_at, confidential) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING RETURNING id",
            rows,
            returning=True,
        )
        while True:
            fresh.update(row["id"] for row in await cur.fetchall())
            if not cur.nextset():
                break
    await _store(conn, [(entry.report, id) for id, entry in first.items() if id in fresh], now, publish)
    return await _admissions(conn, named, fresh, caller)


def _keys(report: Report) -> tuple[str, str, str | None, bytes]:
    return report.unit, report.source, report.source_id, report.digest()


def _confidential(report: Report) -> bool:
    return report.category is not None and is_confidential(report.category)


def _order(item: tuple[UUID, Entry]) -> tuple[str, str, str]:
    id, entry = item
    return entry.report.unit, entry.report.source, entry.report.source_id or str(id)


async def _admissions(
    conn: Connection, named: Sequence[tuple[Entry, UUID]], fresh: set[UUID], caller: str
) -> list[Admission]:
    unclaimed = set(fresh)
    answers = []
    for entry, id in named:
        if id in unclaimed:
            unclaimed.discard(id)
            answers.append(Admission(id, new=True))
        else:
            answers.append(await _known(conn, entry, id, caller))
    return answers


async def _known(conn: Connection, entry: Entry, id: UUID, caller: str) -> Admission:
    report = entry.report
    cur = await conn.execute(
        "SELECT id, digest, id = %(id)s AS by_id, caller = %(caller)s AND idempotency_key = %(key)s AS by_key FROM intake "
        "WHERE id = %(id)s OR (caller = %(caller)s AND idempotency_key = %(key)s) "
        "OR (unit = %(unit)s AND source = %(source)s AND source_id = %(source_id)s) "
        "ORDER BY by_id DESC NULLS LAST, by_key DESC NULLS LAST LIMIT 1",
        {"id": id, "caller": caller, "key": entry.idempotency_key}
        | {"unit": report.unit, "source": report.source, "source_id": report.source_id},
    )
    row = await cur.fetchone()
    if row is None:
        raise RuntimeError("a report was refused as known, yet nothing known matches it: was intake changed by hand?")
    if bytes(row["digest"]) == report.digest():
        return Admission(row["id"], new=False)
    field = "id" if row["by_id"] else "Idempotency-Key" if row["by_key"] else "source_id"
    return Admission(
        row["id"],
        new=False,
        conflict=Problem(field, "conflict", f"已用于另一份内容不同的上报（{row['id']}）；请换一个，或原样重发"),
    )


async def _store(conn: Connection, reports: Sequence[tuple[Report, UUID]], now: datetime, publish: bool) -> None:
    async with conn.cursor() as cur:
        await cur.executemany(
            "INSERT INTO reports (id, received_at, schema, unit, source, text, place, lon, lat, crs, occurred_at, "
            "reported_at, category, level, people_affected, minors_involved, drill, reporter, attachments) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [_row(report, id, now) for report, id in reports],
        )
    if publish:
        await outbox.put(
            conn,
            [
                outbox.Message("reports", report.unit, "report.accepted", report.record() | {"id": str(id)})
                for report, id in reports
            ],
        )


def _row(r: Report, id: UUID, now: datetime) -> tuple[Any, ...]:
    at = r.location
    return (
        id,
        now,
        r.schema_,
        r.unit,
        r.source,
        r.text,
        r.place,
        at and at.lon,
        at and at.lat,
        at and at.crs,
        r.occurred_at,
        r.reported_at,
        r.category,
        r.level,
        r.people_affected,
        r.minors_involved,
        r.drill,
        jsonb(r.reporter and r.reporter.model_dump(exclude_none=True)),
        jsonb([attachment.model_dump(exclude_none=True) for attachment in r.attachments]),
    )


async def get(conn: Connection, id: UUID) -> dict[str, Any] | None:
    """What became of a report: its intake row, and once landed its hazard's state, level and tier.

    Read as somebody (``store.scope``), text and hazard are None where they are closed to them.
    """
    cur = await conn.execute(
        "SELECT i.id, i.unit, u.path AS unit_path, i.source, i.source_id, i.received_at, i.outcome, i.landed_at, i.hazard, "
        "r.text, r.place, r.occurred_at, coalesce(r.reported_at, i.received_at) AS reported_at, h.state, h.level, h.tier, h.subcategory, "
        "h.id IS NOT NULL AS hazard_seen, i.confidential OR r.minors_involved IS TRUE OR words_closed(i.hazard) AS closed "
        "FROM intake i JOIN units u ON u.code = i.unit LEFT JOIN reports r ON r.id = i.id "
        "LEFT JOIN hazards h ON h.id = i.hazard WHERE i.id = %s",
        (id,),
    )
    return await cur.fetchone()


async def of(conn: Connection, hazard: UUID) -> list[dict[str, Any]]:
    """What was reported about a hazard, oldest first: ``id, received_at, source, text, place, occurred_at, attachments``.

    Read as somebody (``store.scope``), it holds what is open to them.
    """
    cur = await conn.execute(
        "SELECT r.id, r.received_at, r.source, r.text, r.place, r.occurred_at, r.attachments FROM intake i "
        "JOIN reports r ON r.id = i.id AND r.received_at = i.received_at WHERE i.hazard = %s ORDER BY r.received_at, r.id",
        (hazard,),
    )
    return await cur.fetchall()
