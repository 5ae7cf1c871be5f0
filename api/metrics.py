"""Prometheus metrics with bounded labels: counts and times of this process, and gauges read from the database."""

import time
from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest

from api.state import Conn, Held, now
from store import health

router = APIRouter(tags=["operators"])

ACCEPTED = Counter("campus_risk_reports_accepted_total", "Reports accepted at the door", ["door"])
REFUSED = Counter("campus_risk_reports_refused_total", "Reports refused at the door", ["door"])
TRANSITIONS_REFUSED = Counter("campus_risk_transitions_refused_total", "Refused transitions", ["rule"])
REQUESTS = Histogram(
    "campus_risk_http_request_seconds",
    "Time to answer",
    ["method", "route", "status"],
    buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
READERS = Gauge("campus_risk_stream_readers", "Open live streams")
OUTBOX = Gauge("campus_risk_outbox_messages", "Messages that wait for Kafka")
OUTBOX_AGE = Gauge("campus_risk_outbox_age_seconds", "Age of the oldest message that waits for Kafka")
WAITING = Gauge("campus_risk_reports_waiting", "Accepted reports that have not landed")
DEAD = Gauge("campus_risk_dead_letters", "Dead letters not replayed")
OPEN = Gauge("campus_risk_hazards_open", "Open hazards", ["level"])
OVERDUE = Gauge(
    "campus_risk_deadlines_overdue", "Running deadlines past their instant, which the clock has not swept yet"
)


@router.get("/metrics", include_in_schema=False)
async def metrics(conn: Conn, held: Held) -> Response:
    """The metrics page."""
    figures = await health.gauges(conn, now())
    READERS.set(held.hub.readers)
    OUTBOX.set(figures["outbox"])
    OUTBOX_AGE.set(figures["outbox_age"])
    WAITING.set(figures["waiting"])
    DEAD.set(figures["dead"])
    OVERDUE.set(figures["overdue"])
    for level, count in figures["open"].items():
        OPEN.labels(level).set(count)
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def measure(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Middleware: time by method, route (never the path: that is unbounded) and status."""
    start = time.perf_counter()
    response = await call_next(request)
    route = getattr(request.scope.get("route"), "path", "none")
    REQUESTS.labels(request.method, route, str(response.status_code)).observe(time.perf_counter() - start)
    return response
