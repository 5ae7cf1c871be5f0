"""Keeping: once a day what has been kept for its term goes, in small batches (decision 0015)."""

import asyncio
import logging

import psycopg

from models.policy import Wrong
from models.retention import Kept, Term, terms
from store import retention, units
from streams.context import TRANSIENT, Context, now

log = logging.getLogger(__name__)

# Terms are counted in days: looking more often finds nothing new.
EVERY = 24 * 3600.0
# Between two batches, so that officers' transactions come first.
PAUSE = 0.2
BY = "system:keeper"


async def run(context: Context) -> None:
    """Once at the start and then once a day, for ever. Two keepers side by side take different rows."""
    while True:
        try:
            await once(context)
        except TRANSIENT as error:
            log.warning("keeping waits for the database (%s)", type(error).__name__)
        except Wrong as error:
            # The rest of the keeper must go on: terms that cannot be read keep everything until they are mended.
            log.error("nothing was removed, for the city's [retention] cannot be used: %s", error)
        await asyncio.sleep(EVERY)


async def once(context: Context) -> dict[Kept, int]:
    """Remove all that is due; how many of each kind went. A kind that the database refuses is left, and said."""
    async with context.pool.connection() as conn:
        city = await units.city(conn)
    given = terms(city["profile"].get("retention") if city else None)
    went = dict.fromkeys(Kept, 0)
    for kind in Kept:
        try:
            while n := await _batch(context, kind, given[kind]):
                went[kind] += n
                await asyncio.sleep(PAUSE)
        except (psycopg.errors.RestrictViolation, psycopg.errors.IntegrityError) as error:
            log.error("%s were not removed: %s", kind, str(error).splitlines()[0])
    if any(went.values()):
        log.info("kept for their term and removed: %s", ", ".join(f"{n} {kind}" for kind, n in went.items() if n))
    return went


async def _batch(context: Context, kind: Kept, term: Term) -> int:
    async with context.pool.connection() as conn, conn.transaction():
        return await retention.forget(conn, kind, term, BY, now())
