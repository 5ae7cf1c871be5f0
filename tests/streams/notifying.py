"""People with channels, hazards that land, and the way from a record to a message: what the tests of notices share."""

from datetime import datetime
from uuid import UUID

import orjson

from models.hazards import Hazard
from models.levels import Level
from models.notices_channel import ChannelKind, channel
from models.notices_schedule import Quiet
from models.roles import Role
from store import accounts, channels, notices, outbox
from store.channels import Owner
from store.db import Connection
from store.sealing import sealer
from streams import escalate, notify
from streams import notices as planning
from streams.context import Context
from tests.factories import NOW, SCHOOL
from tests.store.test_landing import accepted, land, query


class Now:
    """The agents' clock, in the test's hand."""

    def __init__(self) -> None:
        self.at = NOW

    def __call__(self) -> datetime:
        return self.at


async def person(conn: Connection, login: str, role: Role = Role.ASSESSOR, unit: str = SCHOOL) -> UUID:
    id = await accounts.create(conn, login, f"姓名{login}", "no password", [(role, unit)], "test", NOW)
    await conn.commit()
    return id


async def reached_by(
    conn: Connection, context: Context, owner: UUID | str, address: str, quiet: Quiet | None = None,
    kind: ChannelKind = ChannelKind.WEBHOOK,
) -> UUID:  # fmt: skip
    who = Owner(account=owner) if isinstance(owner, UUID) else Owner(unit=owner)
    id = await channels.add(conn, who, channel(kind, address), quiet, sealer(context.settings), "test", NOW)
    await conn.commit()
    return id


async def relayed(conn: Connection, context: Context) -> None:
    """What the relay would bring: everything in the outbox, to the agents that read it, until nothing new comes of it."""
    await conn.commit()
    while rows := await outbox.peek(conn, 10_000):
        await outbox.remove(conn, [row["id"] for row in rows])
        await conn.commit()
        for aggregate, take in (("hazards", escalate.take_in), ("escalations", told)):
            values = [orjson.dumps(row["payload"]) for row in rows if row["aggregatetype"] == aggregate]
            for first in range(0, len(values), 500):
                await take(values[first : first + 500], context)


async def told(values: list[bytes], context: Context) -> None:
    await planning.tell(planning.read(values), context)


async def sent(context: Context) -> None:
    """Sweep until nothing is due."""
    while await notify.sweep(context, sealer(context.settings)):
        pass


async def storm(conn: Connection, n: int, level: Level = Level.YELLOW, at: datetime = NOW) -> None:
    for _ in range(0, n, 100):
        some = [await accepted(conn, at) for _ in range(min(n, 100))]
        await land(conn, *some, now=at, level=level)


async def live(conn: Connection, hazard: Hazard) -> set[tuple[str, UUID]]:
    rows = await query(conn, f"SELECT happening, account FROM notices WHERE hazard = %s AND {notices.LIVE}", hazard.id)
    await conn.commit()
    return {(row["happening"], row["account"]) for row in rows}
