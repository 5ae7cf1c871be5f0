"""What the endpoints share: connections, units, the live hub, the classifier."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import psycopg
import psycopg_pool
from fastapi import Depends, Request

from api.hub import Hub
from models.deadlines import Clock
from models.place import Bounds
from models.reports import Door
from models.scales import LevelBands
from models.units import UnitTree
from store import db, units
from store.settings import Settings

# The same as the agents' (streams/clock.py): both sides judge by one tree soon after it changed.
_REFRESH_EVERY = 60.0

if TYPE_CHECKING:
    from models.classifier.predict import Classifier


@dataclass(slots=True)
class State:
    """One a process. ``refresh`` reads units and the city's profile anew."""

    settings: Settings
    pool: db.Pool
    hub: Hub
    tree: UnitTree = field(default_factory=lambda: UnitTree(()))
    city: dict[str, Any] | None = None
    bounds: Bounds | None = None
    clock: Clock = field(default_factory=Clock)
    bands: LevelBands = field(default_factory=LevelBands)
    classifier: "Classifier | None" = None
    figures: dict[str, tuple[float, dict[str, Any]]] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def refresh(self) -> None:
        """Read the units and the city's profile."""
        async with self.pool.connection() as conn:
            self.tree, self.city = await units.tree(conn), await units.city(conn)
        profile = self.city["profile"] if self.city else {}
        self.bounds = units.bounds(profile)
        self.clock = Clock.of(profile)
        self.bands = LevelBands.of(profile)

    async def keep_up(self) -> None:
        """Refresh for ever: a unit that moved, a term that was changed counts here too after a minute."""
        while True:
            await asyncio.sleep(_REFRESH_EVERY)
            with contextlib.suppress(psycopg.OperationalError, psycopg_pool.PoolTimeout):
                await self.refresh()

    async def knows(self, code: str) -> bool:
        """Whether a unit exists; reads the units anew before it says no.

        Takes a connection of its own: do not hold one when calling.
        """
        if code not in self.tree:
            await self.refresh()
        return code in self.tree

    def door(self) -> Door:
        """What records are checked against, now."""
        return Door(tree=self.tree, now=now(), bounds=self.bounds)

    @property
    def tiers(self) -> dict[str, str]:
        """Labels of the tiers, from the bottom up."""
        profile = self.city["profile"] if self.city else {}
        return {tier["key"]: tier["label"] for tier in profile.get("tiers", [])}


def now() -> datetime:
    """The present, in UTC: the one place where the endpoints read a clock."""
    return datetime.now(UTC)


def state(request: Request) -> State:
    """The process's state, as a dependency."""
    held: State = request.app.state.held
    return held


async def transaction(request: Request) -> AsyncIterator[db.Connection]:
    """One transaction a request: committed before the answer goes out, rolled back on any error."""
    async with state(request).pool.connection() as conn:
        yield conn


Held = Annotated[State, Depends(state)]
# ``function`` scope: the commit happens before the response is sent, so that a 202 is never ahead of the database.
Conn = Annotated[db.Connection, Depends(transaction, scope="function")]
