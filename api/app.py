"""The web application: REST under ``/api/v1``, the pages, health and metrics."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from fastapi import FastAPI
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.staticfiles import StaticFiles
from tenacity import AsyncRetrying, retry_if_exception_type, wait_exponential_jitter

from api import (
    accounts,
    cockpit,
    duty,
    glass,
    hazards,
    health,
    metrics,
    myself,
    notices,
    oidc,
    problems,
    refusals,
    reports,
    sessions,
    warnings,
    words,
)
from api.access import LOOPBACK
from api.hub import Hub
from api.state import State
from store import db, keys
from store.settings import Settings, Unusable

# In an installed wheel the pages lie in this package; in a checkout where they are built.
_PACKED = Path(__file__).parent / "pages"
PAGES = _PACKED if _PACKED.is_dir() else Path(__file__).parent.parent / "web" / "dist"


def create(settings: Settings) -> FastAPI:
    """The application of one process."""
    if settings.database is None:
        raise Unusable("no database is set: give CAMPUS_RISK_DATABASE, or run `campus-risk up` which starts one")
    if settings.demo and settings.host not in (*LOOPBACK, "localhost"):
        raise Unusable(
            f"a demo lets visitors in without a key, so it serves this machine only: set CAMPUS_RISK_HOST to 127.0.0.1 "
            f"instead of {settings.host}, or run without --demo"
        )
    settings.oidc_secret("")  # what cannot be read is said now, not to the first person who signs in
    app = FastAPI(title="campus-risk", version="1", summary="一环四员 · 校园风险智控", lifespan=_lifespan, openapi_url="/api/v1/openapi.json", docs_url=None, redoc_url=None)  # fmt: skip
    app.state.held = State(settings=settings, pool=db.pool(settings.database), hub=Hub(settings.database))
    problems.install(app)
    app.middleware("http")(metrics.measure)
    if settings.demo:
        # A demo answers without a key: another site's page must not reach it through a name of its own.
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK, "localhost"])
    for module in (
        reports,
        hazards,
        glass,
        cockpit,
        words,
        sessions,
        oidc,
        myself,
        accounts,
        duty,
        notices,
        refusals,
        warnings,
        health,
        metrics,
    ):
        app.include_router(module.router)
    if PAGES.is_dir():
        app.mount("/", StaticFiles(directory=PAGES, html=True), name="pages")
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    held: State = app.state.held
    async with held.pool:
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(Exception), wait=wait_exponential_jitter(multiplier=0.2, max=5)
        ):
            with attempt:
                await held.refresh()
                left = await _demo_keys_outside(held)
        if left:
            raise Unusable(
                f"{left} keys of a demo still open this database: end them with `campus-risk key revoke`, "
                f"or serve this machine only with CAMPUS_RISK_HOST=127.0.0.1"
            )
        listening = asyncio.create_task(held.hub.run(), name="hub")
        reading = asyncio.create_task(held.keep_up(), name="units and profile")
        try:
            yield
        finally:
            held.hub.close()
            for task in (listening, reading):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task


async def _demo_keys_outside(held: State) -> int:
    """How many keys of a demo would open this database from outside: they were printed on a terminal, so there must be none."""
    if held.settings.host in (*LOOPBACK, "localhost"):
        return 0
    async with held.pool.connection() as conn:
        return await keys.demo(conn)
