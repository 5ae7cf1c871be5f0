"""For operators and orchestrators: is the process alive, is it ready."""

from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse

from api.state import Conn, Held, now
from store import health

router = APIRouter(prefix="/health", tags=["operators"])


@router.get("/live")
async def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "live"}


@router.get("/ready")
async def ready(conn: Conn, held: Held) -> JSONResponse:
    """The database answers and a city is loaded. A Kafka that is away does not count: reports are taken all the same."""
    if not held.tree.root:
        await held.refresh()
    figures: dict[str, Any] = await health.gauges(conn, now())
    loaded = held.tree.root is not None
    body = {
        "status": "ready" if loaded else "no city is loaded: run campus-risk city load",
        "units": len(held.tree),
        "outbox": figures["outbox"],
        "outbox_age_seconds": round(figures["outbox_age"], 1),
        "reports_waiting": figures["waiting"],
    }
    return JSONResponse(body, status_code=200 if loaded else 503)
