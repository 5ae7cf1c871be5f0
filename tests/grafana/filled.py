"""A database in which every panel has something to show, at the instant of the test: panels ask of now."""

from datetime import UTC, datetime, timedelta

from models.levels import Level
from models.loop import Action
from models.reports import BadReport, Problem
from store import dead, escalations
from store.db import Connection
from tests import factories
from tests.factories import COLLEGE, SIBLING
from tests.store.test_hazards import ASSESSOR, HANDLER, SUPERVISOR, TO_CLOSED, TO_HANDLING, act
from tests.store.test_landing import CLOCK, accepted, land, opened

SECRET = "几名学生长期欺负同班同学"
WORDS = "三号楼二层安全出口被锁"


async def fill(conn: Connection) -> datetime:
    """Fill it; the instant of it all, an hour ago."""
    at = datetime.now(UTC) - timedelta(hours=1)
    red = await opened(conn, Level.RED, at=at - timedelta(minutes=40))
    orange = [await opened(conn, Level.ORANGE, unit=unit, at=at) for unit in (SIBLING, COLLEGE)]
    await escalations.route(conn, [red.id, *(one.id for one in orange)], at, CLOCK)
    for n in range(1, len(TO_CLOSED) + 1):
        await act(conn, await opened(conn, Level.YELLOW, "0402", at=at, unit=f"330203-{n:03}"), *TO_CLOSED[:n], at=at)
    back = (
        *TO_HANDLING,
        (Action.SUBMIT, HANDLER, {"evidence": "已处理"}),
        (Action.RETURN, SUPERVISOR, {"reason": "未处理彻底"}),
    )
    await act(conn, await opened(conn, Level.RED, "0301", at=at), *back, at=at)
    await act(conn, await opened(conn, Level.BLUE, "0801", at=at), (Action.REJECT, ASSESSOR, {"reason": "误报"}), at=at)
    for n in range(1, 7):
        await opened(conn, Level.YELLOW, "1001", text=SECRET, at=at, unit=f"330203-{n:03}")
    await opened(conn, Level.RED, "0901", text=SECRET, at=at)
    await land(conn, await accepted(conn, at, drill=True, unit=COLLEGE), now=at)
    await escalations.sweep(conn, datetime.now(UTC), CLOCK)
    # A rectification that fell due in time, as it lies in the database a day later.
    await conn.execute(
        "INSERT INTO deadlines (hazard, kind, round, begun_at, due_at, met_at) SELECT id, 'rectify', 1, %s, %s, %s "
        "FROM hazards WHERE unit = %s AND level = 'red' ON CONFLICT (hazard, kind, round) DO UPDATE SET due_at = EXCLUDED.due_at, "
        "met_at = EXCLUDED.met_at, missed_at = NULL",
        (at - timedelta(minutes=30), at + timedelta(minutes=5), at, red.unit),
    )
    await accepted(conn, at)
    await _letter(conn, at)
    await _delivery(conn, at)
    return at


async def _letter(conn: Connection, at: datetime) -> None:
    error = BadReport(Problem(WORDS, "extra_forbidden", WORDS))
    await dead.put(conn, [dead.letter(factories.new_id(), "risk.reports", 0, 1, b"key", WORDS.encode(), error)], at)


async def _delivery(conn: Connection, at: datetime) -> None:
    await conn.execute(
        "WITH made AS (INSERT INTO channels (id, unit, kind, sealed, masked, created_at, created_by) "
        "VALUES (gen_random_uuid(), %s, 'webhook', 'sealed', 'https://…', %s, 'test') RETURNING id) "
        "INSERT INTO deliveries (message, channel, at, recipient, sent, notices) "
        "SELECT gen_random_uuid(), id, %s, 'unit:' || %s, true, '{}' FROM made",
        (SIBLING, at, at, SIBLING),
    )
