"""Landing: judged reports become hazards, or witnesses of known ones, in one transaction a batch.

Safe to run twice on the same reports: the intake rows are locked first, and what has landed is left alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import uuid_utils.compat as uuid_utils

from models import duplicates
from models.deadlines import Clock
from models.duplicates import Found, Known, Sure, Told
from models.events import Event
from models.hazards import Hazard, notice
from models.judgement import Judgement
from models.levels import gravest
from models.loop import OPEN_STATES, Action, State
from models.opening import Opening, graded, is_quiet, open_hazard
from models.reports import Report
from models.roles import system
from models.taxonomy import is_confidential
from models.transition import Change, plan
from models.units import UnitTree
from store import deadlines, duty, hazards, live, outbox, suggestions, trail
from store.db import Connection

_CLASSIFY = system("classify")
# Who sent a report: the person where one is named, else the machine or key that sent it.
_BY = "coalesce('p:' || (r.reporter->>'id'), 'm:' || i.source || ':' || i.caller)"
# States in which a hazard takes a further report: open ones attach it, closed ones are opened again by it.
_TAKING = OPEN_STATES | {State.CLOSED, State.REVIEWING}


@dataclass(frozen=True, slots=True)
class Landing:
    """A report that was accepted, and what the classifier says of it. ``report.id`` is set."""

    report: Report
    judgement: Judgement


@dataclass(slots=True)
class _Batch:
    """What one batch will write."""

    openings: list[Opening]
    changes: dict[UUID, list[Change]]
    outcomes: list[tuple[str, UUID | None, bool, UUID]]
    known: list[Known]
    people: Mapping[str, Mapping[str, Sequence[str]]]
    suggested: list[tuple[UUID, Found]]


async def land(
    conn: Connection, landings: Sequence[Landing], tree: UnitTree, now: datetime, clock: Clock
) -> dict[str, int]:
    """Land a batch; how many were ``opened``, ``attached``, ``resent``, ``quiet``, and how many had landed ``before``."""
    waiting = await _waiting(conn, [_id(landing) for landing in landings])
    todo = {_id(landing): landing for landing in landings if _id(landing) in waiting}
    chains = {unit.code for one in todo.values() for unit in tree.upward(one.report.unit)}
    people = (await duty.book(conn, sorted(chains), clock)).snapshot(chains, now)
    batch = _Batch([], {}, [], await _known(conn, todo.values(), now), people, [])
    held = {h.id: h for h in await hazards.locked(conn, sorted(_matches(todo.values(), waiting, batch.known)))}
    batch.known = [k for k in batch.known if k.id not in held or held[k.id].state in _TAKING]
    for id, landing in todo.items():
        _decide(landing, waiting[id], tree, now, clock, held, batch)
    await _write(conn, batch, now, clock)
    counts = {"opened": 0, "attached": 0, "resent": 0, "quiet": 0, "before": len(landings) - len(todo)}
    for outcome, *_ in batch.outcomes:
        counts[outcome] += 1
    return counts


def _id(landing: Landing) -> UUID:
    if landing.report.id is None:
        raise ValueError("a report gets its id at the door: this one has none")
    return landing.report.id


@dataclass(frozen=True, slots=True)
class _Arrival:
    """What the door knows of a report and Kafka does not: when it was received, and from whom."""

    at: datetime
    reporter: str | None
    by: str | None


async def _waiting(conn: Connection, ids: Sequence[UUID]) -> dict[UUID, _Arrival]:
    """Accepted reports that have not landed, locked."""
    cur = await conn.execute(
        f"SELECT i.id, i.received_at, r.reporter->>'id' AS reporter, {_BY} AS by FROM intake i "
        "JOIN reports r ON r.id = i.id AND r.received_at = i.received_at "
        "WHERE i.id = ANY(%s) AND i.landed_at IS NULL ORDER BY i.id FOR UPDATE OF i",
        (list(ids),),
    )
    return {row["id"]: _Arrival(row["received_at"], row["reporter"], row["by"]) for row in await cur.fetchall()}


async def _known(conn: Connection, landings: Any, now: datetime) -> list[Known]:
    """Hazards of the same units and kin categories that are open, or were closed lately, with their last tellings."""
    loud = [x for x in landings if not is_quiet(x.report, x.judgement)]
    kin = {(x.report.unit, code[:2]) for x in loud for code in (graded(x.report, x.judgement)[0], *x.judgement.labels)}
    if not kin:
        return []
    cur = await conn.execute(
        # Where a hazard's words are closed, the comparison needs the reports' own. They are not kept beyond it.
        "SELECT h.id, h.unit, h.subcategory, h.place, h.text, h.opened_at, h.closed_at, t.told FROM hazards h "
        "JOIN unnest(%s::text[], %s::text[]) AS p(unit, category) ON h.unit = p.unit AND left(h.subcategory, 2) = p.category "
        "LEFT JOIN LATERAL (SELECT jsonb_agg(jsonb_build_array(x.text, x.place, x.received_at, x.by) ORDER BY x.received_at, x.id) AS told "
        f"FROM (SELECT r.text, r.place, i.received_at, i.id, {_BY} AS by FROM intake i JOIN reports r ON r.id = i.id "
        "AND r.received_at = i.received_at WHERE i.hazard = h.id AND i.outcome IN ('opened', 'attached') "
        "ORDER BY i.received_at DESC, i.id DESC LIMIT %s) AS x) AS t ON true "
        "WHERE h.state IN ('reported', 'assessed', 'dispatched', 'handling', 'submitted') "
        "OR (h.state IN ('closed', 'reviewing') AND h.merged_into IS NULL AND h.closed_at > %s)",
        (*map(list, zip(*sorted(kin), strict=True)), duplicates.TELLINGS, now - duplicates.REOPEN_WITHIN),
    )
    return [Known(**row | {"told": _told(row["told"])}) for row in await cur.fetchall()]


def _told(rows: Sequence[tuple[str, str | None, str, str | None]] | None) -> tuple[Told, ...]:
    return tuple(Told(text, place, datetime.fromisoformat(at), by) for text, place, at, by in rows or ())


def _match(landing: Landing, received: datetime, known: Sequence[Known]) -> Found | None:
    report, labels = landing.report, landing.judgement.labels
    subcategory, _ = graded(report, landing.judgement)
    return duplicates.find(report.unit, subcategory, report.place, report.text, received, known, labels)


def _matches(landings: Any, waiting: Mapping[UUID, _Arrival], known: Sequence[Known]) -> set[UUID]:
    found = {_match(x, waiting[_id(x)].at, known) for x in landings if not is_quiet(x.report, x.judgement)}
    return {one.id for one in found if one is not None and one.sure is Sure.SAME}


def _decide(
    landing: Landing,
    arrival: _Arrival,
    tree: UnitTree,
    now: datetime,
    clock: Clock,
    held: dict[UUID, Hazard],
    batch: _Batch,
) -> None:
    report, judgement = landing.report, landing.judgement
    # A quiet word about a confidential matter is as confidential as a loud one.
    closed = any(is_confidential(code) for code in (*judgement.labels, judgement.subcategory))
    if is_quiet(report, judgement):
        batch.outcomes.append(("quiet", None, closed, _id(landing)))
        return
    subcategory, level = graded(report, judgement)
    found = _match(landing, arrival.at, batch.known)
    match = found.id if found is not None and found.sure is Sure.SAME else None
    if match is not None and match in held:
        if _resent(landing, arrival, held[match], batch.known):
            batch.outcomes.append(("resent", match, closed, _id(landing)))
            return
        told = {
            "report": str(report.id),
            "level": level.value,
            "direct": judgement.direct,
            "reporter": arrival.reporter,
            "minors": report.minors_involved or None,
        }
        if not held[match].state.is_open:
            _plan(match, Action.REOPEN, {"reason": "销号后七日内再次上报", "report": str(report.id)}, now, held, batch)
        _plan(match, Action.ATTACH, told, now, held, batch)
        heard = Told(report.text, report.place, arrival.at, arrival.by)
        batch.known = [replace(k, told=(*k.told, heard)) if k.id == match else k for k in batch.known]
        batch.outcomes.append(("attached", match, closed, _id(landing)))
        return
    opening = open_hazard(
        uuid_utils.uuid7(),
        report,
        judgement,
        tree.upward(report.unit),
        arrival.at,
        arrival.reporter,
        now,
        clock,
        batch.people,
    )
    batch.openings.append(opening)
    batch.outcomes.append(("opened", opening.hazard.id, closed, _id(landing)))
    # The next report of this very batch may tell of the same.
    held[opening.hazard.id] = opening.hazard
    told_by = Told(report.text, report.place, arrival.at, arrival.by)
    batch.known.append(
        Known(opening.hazard.id, report.unit, subcategory, report.place, report.text, arrival.at, told=(told_by,))
    )
    if found is not None and found.sure is Sure.GREY and _is_open(found.id, batch.known):
        batch.suggested.append((opening.hazard.id, found))


def _is_open(id: UUID, known: Sequence[Known]) -> bool:
    # Nothing can be merged into a closed one.
    return any(one.id == id and one.closed_at is None for one in known)


def _resent(landing: Landing, arrival: _Arrival, held: Hazard, known: Sequence[Known]) -> bool:
    """Whether a report is one of the hazard's own sent again. One that says more (minors, a graver level) is a witness all the same."""
    report = landing.report
    level = graded(report, landing.judgement)[1]
    if not held.state.is_open or (report.minors_involved and not held.minors):
        return False
    if held.state is State.REPORTED and gravest([held.level, level]) is not held.level:
        return False
    one = next(k for k in known if k.id == held.id)
    return duplicates.is_resend(report.unit, report.place, report.text, arrival.by, arrival.at, one)


def _plan(
    id: UUID, action: Action, told: Mapping[str, Any], now: datetime, held: dict[UUID, Hazard], batch: _Batch
) -> None:
    change = plan(held[id], action, _CLASSIFY, told, now)
    held[id] = change.after
    batch.changes.setdefault(id, []).append(change)


async def _write(conn: Connection, batch: _Batch, now: datetime, clock: Clock) -> None:
    opened = [opening.hazard for opening in batch.openings]
    await hazards.insert(conn, opened)
    await suggestions.put(conn, batch.suggested, now)
    await trail.append(conn, [(opening.event, opening.hazard.trail_hash) for opening in batch.openings])
    await deadlines.open_all(
        conn, [(x.hazard.id, kind, x.hazard.opened_at, due) for x in batch.openings for kind, due in x.deadlines]
    )
    await outbox.put(conn, [_opened(opening.hazard, opening.event) for opening in batch.openings])
    await live.tell(conn, [(hazard, "opened") for hazard in opened], now)
    # A hazard may gain several witnesses in one batch: each change is written in its turn.
    rounds = max(map(len, batch.changes.values()), default=0)
    for turn in range(rounds):
        changes = [c[turn] for c in batch.changes.values() if turn < len(c)]
        await hazards.write(conn, changes, clock)
        for change in changes:
            await hazards.lead(conn, change, now, clock)
    async with conn.cursor() as cur:
        await cur.executemany(
            "UPDATE intake SET outcome = %s, hazard = %s, confidential = confidential OR %s, landed_at = %s WHERE id = %s",
            [(outcome, hazard, closed, now, id) for outcome, hazard, closed, id in batch.outcomes],
        )
    if any(outcome in ("quiet", "resent") for outcome, *_ in batch.outcomes):
        await live.touch(conn, now)


def _opened(hazard: Hazard, event: Event) -> outbox.Message:
    return outbox.Message("hazards", hazard.unit, "hazard.open", notice(hazard, event.action, event.at, event.data))
