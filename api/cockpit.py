"""The one screen: its figures, and the live stream."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Annotated, Any

import orjson
import psycopg
import psycopg_pool
from fastapi import APIRouter, Query, Request
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.access import Caller, people, scope
from api.problems import Problem
from api.state import Held, State, now
from models.units import Unit
from store import cockpit
from store.scope import Viewer, reading

router = APIRouter(prefix="/api/v1/cockpit", tags=["cockpit"])

# Many walls ask at once after each event: one answer serves all of them this long, and still shows a report within a second.
FRESH = 0.25
# A stream ends and the page opens the next, so that memory stays flat over weeks.
LIFETIME = 600.0
PING = 15.0
# A stream whose session or key was taken back ends within this and the second that the queue is waited for.
CHECK = 5.0


@router.get("")
async def get_cockpit(
    actor: Caller, held: Held, unit: Annotated[str | None, Query(max_length=64)] = None
) -> dict[str, Any]:
    """Every figure of the one screen, for a unit and all below it."""
    at = scope(actor, held, unit)
    async with held.lock:
        told, figures = held.figures.get(at.code, (0.0, {}))
        if time.monotonic() - told < FRESH:
            return figures
        figures = await _read(held, at)
        held.figures[at.code] = (time.monotonic(), figures)
    return figures


async def _read(held: State, at: Unit) -> dict[str, Any]:
    children = [unit for unit in held.tree if unit.parent == at.code]
    # As somebody to whom no confidential lane is open: so every viewer of a unit gets the same figures, none of them can be
    # reckoned back to a single confidential hazard, and one answer serves all.
    async with held.pool.connection() as conn, reading(conn, Viewer((at.path,))):
        figures = await cockpit.figures(conn, at, children, held.tiers, now())
    for line in figures["recent"]:
        _complete(line, held)
    return figures


def _complete(line: dict[str, Any], held: State) -> dict[str, Any]:
    """A ticker line with the words that only the units know."""
    line["tier_label"] = held.tiers.get(line["tier"], line["tier"])
    line["district"] = held.tree[line["unit"]].district if line["unit"] in held.tree else None
    return line


@router.get("/stream")
async def stream(
    request: Request, actor: Caller, held: Held, unit: Annotated[str | None, Query(max_length=64)] = None
) -> EventSourceResponse:
    """The live stream (SSE): ``hello``, ``hazard``, ``figures``, ``ping``. It ends after ten minutes; reconnect.

    It ends sooner, within some five seconds, when the session or key it was opened with does, or the role that let it see the unit.
    """

    async def open_still() -> bool:
        return await _may_still(request, held, unit)

    return EventSourceResponse(
        _events(held, scope(actor, held, unit).path, open_still),
        ping=int(PING),
        ping_message_factory=lambda: ServerSentEvent(event="ping", data=f'{{"as_of":"{now().isoformat()}"}}'),
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _may_still(request: Request, held: State, unit: str | None) -> bool:
    """Whether whoever opened a stream may still read it: asked anew, as for a new request."""
    try:
        scope((await people(request, held))[0], held, unit)
    except Problem:
        return False
    except (psycopg.Error, psycopg_pool.PoolTimeout):
        # Nobody can take anything back while the database is away either; asked again in a moment.
        return True
    return True


async def _events(held: State, path: str, open_still: Callable[[], Awaitable[bool]]) -> AsyncIterator[ServerSentEvent]:
    ends = time.monotonic() + LIFETIME
    checked = time.monotonic()
    async with held.hub.reader() as queue:
        yield _event(0, "hello", {"as_of": now().isoformat()})
        while time.monotonic() < ends and not held.hub.closing:
            if time.monotonic() - checked >= CHECK:
                if not await open_still():
                    return
                checked = time.monotonic()
            try:
                async with asyncio.timeout(1.0):
                    number, event, data = await queue.get()
            except TimeoutError:
                continue
            if event == "hazard":
                if data["path"].startswith(path):
                    line = {name: value for name, value in data.items() if name != "path"}
                    yield _event(number, event, _complete(line, held))
            else:
                yield _event(number, event, data or {"as_of": now().isoformat()})


def _event(number: int, event: str, data: dict[str, Any]) -> ServerSentEvent:
    return ServerSentEvent(id=str(number), event=event, data=orjson.dumps(data).decode())
