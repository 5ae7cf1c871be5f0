"""Reports: the door for people and machines."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response

from api.access import Hats, Reporting
from api.hazards import viewer
from api.metrics import ACCEPTED, REFUSED
from api.problems import Problem
from api.state import Conn, Held, State, now
from models.reports import BadReport, Report, Reporter, check, decode
from models.reports import Problem as FieldProblem
from models.roles import Actor, Role
from models.taxonomy import subcategory
from store import glass, reports
from store.db import Connection
from store.reports import Admission, Entry
from store.scope import reading

router = APIRouter(prefix="/api/v1/reports", tags=["reports"])

# A report of 10,000 characters with 20 attachments is some 80 kB. Larger bodies are still read up to here, so that the
# answer can name the field that is too long.
MAX_BODY = 4 * 1024 * 1024
# A term's paper forms of one university. Larger files go in parts, or through `campus-risk ingest`.
MAX_LINES = 10_000
MAX_BATCH = 64 * 1024 * 1024
_TOGETHER = 500


@router.post("", status_code=202)
async def post_report(
    request: Request,
    response: Response,
    actor: Reporting,
    held: Held,
    idempotency_key: Annotated[str | None, Header(max_length=255)] = None,
) -> dict[str, Any]:
    """Log one hazard. 202 means: it is in the database and will be judged, whatever fails next."""
    _expect(request, "application/json")
    try:
        report = await _checked(await _body(request, MAX_BODY), actor, held, set())
    except (BadReport, Problem):
        REFUSED.labels("rest").inc()
        raise
    async with held.pool.connection() as conn:
        admission = (await reports.accept(conn, [Entry(report, idempotency_key)], actor.id, now()))[0]
    if admission.conflict:
        REFUSED.labels("rest").inc()
        raise Problem(409, "conflict", admission.conflict.message, errors=[admission.conflict], id=str(admission.id))
    ACCEPTED.labels("rest").inc(admission.new)
    response.headers["Location"] = f"{router.prefix}/{admission.id}"
    if not admission.new:
        response.headers["Idempotent-Replayed"] = "true"
    return {"id": str(admission.id), "status": "accepted"}


@router.post("/batch", status_code=202)
async def post_batch(request: Request, actor: Reporting, held: Held) -> dict[str, Any]:
    """Log many hazards, one JSON object a line (NDJSON). Each line stands for itself: a bad one does not stop the others.

    The answer counts ``accepted`` (new), ``known`` (the same as before) and ``refused``, with a result a line.
    """
    _expect(request, "application/x-ndjson", "application/jsonl", "application/json")
    results: list[dict[str, Any]] = []
    waiting: list[tuple[int, Report]] = []
    missed: set[str] = set()
    # Whole before the first line is taken in: a body that is too large must leave nothing behind.
    for number, line in _lines(await _body(request, MAX_BATCH)):
        try:
            waiting.append((number, await _checked(line, actor, held, missed)))
        except (BadReport, Problem) as error:
            results.append(_refused(number, error))
        if len(waiting) >= _TOGETHER:
            results += await _accept(waiting, actor, held)
            waiting = []
    results += await _accept(waiting, actor, held)
    counts = {status: sum(r["status"] == status for r in results) for status in ("accepted", "known", "refused")}
    ACCEPTED.labels("batch").inc(counts["accepted"])
    REFUSED.labels("batch").inc(counts["refused"])
    results.sort(key=lambda result: result["line"])
    if not results:
        raise Problem(422, "bad-field", "没有任何一行：每行一个 JSON 对象（NDJSON）")
    if counts["refused"] == len(results):
        errors = [
            FieldProblem(f"{r['line']}.{e['field']}", e["code"], e["message"]) for r in results for e in r["errors"]
        ]
        raise Problem(422, "bad-field", "没有一行可以收下", errors=errors[:100], **counts)
    return {**counts, "results": results}


@router.get("/{id}")
async def get_report(id: UUID, hats: Hats, conn: Conn) -> dict[str, Any]:
    """What became of a report: waiting, quiet, or a hazard with its category, level, state and tier."""
    async with reading(conn, viewer(hats)):
        row = await reports.get(conn, id)
    if row is None:
        raise Problem(404, "not-found", f"没有上报 {id}，或您无权查看")
    answer: dict[str, Any] = {
        "id": str(id),
        "unit": row["unit"],
        "received_at": row["received_at"].isoformat(),
        "status": row["outcome"] or "accepted",
        "landed_at": row["landed_at"] and row["landed_at"].isoformat(),
    }
    if row["hazard_seen"]:
        sub = subcategory(row["subcategory"])
        answer["hazard"] = {
            "id": str(row["hazard"]),
            "category": sub.category,
            "subcategory": sub.code,
            "label": sub.name,
            "level": row["level"],
            "state": row["state"],
            "tier": row["tier"],
        }
    if row["text"] is not None and any(hat.role is not Role.WALL for hat in hats):
        if row["closed"]:
            # One that opened no hazard is logged under its own number.
            await glass.log(conn, hats[0], [row["hazard"] or id], "report", now())
        answer |= {"text": row["text"], "place": row["place"]}
    return answer


def _expect(request: Request, *types: str) -> None:
    given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if given not in types:
        raise Problem(415, "media-type", f"Content-Type 须为 {' 或 '.join(types)}，收到的是 {given or '（空）'}")


async def _body(request: Request, most: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise Problem(413, "too-large", f"请求体超过 {most // 1024 // 1024} MiB；大文件请放入附件")
    return bytes(body)


def _lines(body: bytes) -> list[tuple[int, bytes]]:
    """Numbered lines of the body, blank ones left out."""
    lines = [(number, line) for number, line in enumerate(body.split(b"\n"), 1) if line.strip()]
    if any(len(line) > MAX_BODY for _, line in lines):
        raise Problem(413, "too-large", f"有一行超过 {MAX_BODY // 1024 // 1024} MiB；大文件请放入附件")
    if len(lines) > MAX_LINES:
        raise Problem(413, "too-large", f"一批最多 {MAX_LINES} 行；请分批发送")
    return lines


async def _checked(raw: bytes, actor: Actor, held: State, missed: set[str]) -> Report:
    """Bytes to a report that this caller may log. ``missed``: units that were looked up in vain for this request."""
    record = decode(raw)
    unit = record.get("unit")
    if isinstance(unit, str) and unit not in missed and not await held.knows(unit):
        missed.add(unit)
    report = check(record, held.door())
    if not actor.covers(held.tree[report.unit].path):
        raise Problem(403, "forbidden", f"单位 {report.unit} 不在您的管辖范围（{actor.unit}）")
    given = report.reporter or Reporter()
    return report.model_copy(update={"reporter": given.model_copy(update={"id": given.id or actor.id})})


async def _accept(waiting: list[tuple[int, Report]], actor: Actor, held: State) -> list[dict[str, Any]]:
    if not waiting:
        return []
    async with held.pool.connection() as conn:
        admissions = await _admit(conn, [report for _, report in waiting], actor)
    return [_result(number, admission) for (number, _), admission in zip(waiting, admissions, strict=True)]


async def _admit(conn: Connection, checked: list[Report], actor: Actor) -> list[Admission]:
    return await reports.accept(conn, [Entry(report) for report in checked], actor.id, now())


def _result(number: int, admission: Admission) -> dict[str, Any]:
    if admission.conflict:
        return _refused(number, BadReport(admission.conflict))
    return {"line": number, "id": str(admission.id), "status": "accepted" if admission.new else "known"}


def _refused(number: int, error: BadReport | Problem) -> dict[str, Any]:
    problems = error.problems if isinstance(error, BadReport) else [FieldProblem("unit", error.code, error.detail)]
    errors = [{"field": p.field, "code": p.code, "message": p.message} for p in problems]
    return {"line": number, "status": "refused", "errors": errors}
