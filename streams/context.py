"""What the agents share: connections, units, clock and classifier of one process."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import psycopg
import psycopg_pool
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_exponential_jitter

from models.deadlines import Clock
from models.place import Bounds
from models.reports import Door
from models.scales import LevelBands
from models.units import UnitTree
from store import db, units
from store.settings import Settings, Unusable

log = logging.getLogger(__name__)

# What passes by itself when the database is back: retried without acknowledging. Everything else is the record's fault.
TRANSIENT = (psycopg.OperationalError, psycopg.InterfaceError, psycopg_pool.PoolTimeout, OSError)


def retrying() -> AsyncRetrying:
    """Retry for as long as it takes: quickly at first, so that a restart costs a second, then every ten seconds."""
    return AsyncRetrying(
        retry=retry_if_exception_type(TRANSIENT),
        wait=wait_exponential_jitter(multiplier=0.2, max=10, jitter=0.3),
        before_sleep=_say,
    )


def _say(state: RetryCallState) -> None:
    error = state.outcome.exception() if state.outcome else None
    log.warning("the database does not answer (%s); attempt %d, retrying", type(error).__name__, state.attempt_number)


def now() -> datetime:
    """The present, in UTC: the one place where the agents read a clock."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Context:
    """Shared by the agents of a process. ``refresh`` reads units and profile anew."""

    settings: Settings
    pool: db.Pool
    tree: UnitTree = field(default_factory=lambda: UnitTree(()))
    bounds: Bounds | None = None
    clock: Clock = field(default_factory=Clock)
    bands: LevelBands = field(default_factory=LevelBands)
    read_at: datetime | None = None

    async def refresh(self) -> None:
        """Read the units and the city's profile."""
        async with self.pool.connection() as conn:
            self.tree = await units.tree(conn)
            city = await units.city(conn)
        profile = city["profile"] if city else {}
        self.bounds = units.bounds(profile)
        self.clock = Clock.of(profile)
        self.bands = LevelBands.of(profile)
        self.read_at = now()

    def door(self, at: datetime) -> Door:
        """What records are checked against."""
        return Door(tree=self.tree, now=at, bounds=self.bounds)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Context]:
    """A context with open connections; waits for the database, however long it is away."""
    if settings.database is None:
        raise Unusable("no database is set: give CAMPUS_RISK_DATABASE, or run `campus-risk up` which starts one")
    async with db.pool(settings.database, size=4) as pool:
        context = Context(settings=settings, pool=pool)
        async for attempt in retrying():
            with attempt:
                await context.refresh()
        yield context
