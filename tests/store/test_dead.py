"""Dead letters: kept once with their bytes, listed until somebody sends them again."""

from datetime import timedelta

import pytest

from models.reports import BadReport, Problem
from store import dead, outbox
from store.db import Connection
from store.dead import Letter
from tests import factories
from tests.factories import NOW
from tests.store.test_landing import count, query

pytestmark = pytest.mark.runtime


def letter(n: int = 1, value: bytes | None = b"\xff\x00{broken") -> Letter:
    error = BadReport(Problem("unit", "unknown_unit", "没有单位 X"), Problem("text", "missing", "必填"))
    return dead.letter(factories.new_id(), "risk.reports", 0, n, b"X", value, error)


async def test_a_letter_keeps_the_bytes_and_the_reason(conn: Connection) -> None:
    kept = letter()
    await dead.put(conn, [kept], NOW)
    row = (await dead.listed(conn))[0]
    assert (row["id"], row["value"], row["key"]) == (kept.id, kept.value, b"X")
    assert (row["reason"], row["field"], row["at"]) == ("unknown_unit", "unit", NOW)
    assert "text: 必填" in row["detail"]


async def test_a_letter_without_bytes_is_kept_too(conn: Connection) -> None:
    await dead.put(conn, [letter(value=None)], NOW)
    assert (await dead.listed(conn))[0]["value"] is None


async def test_a_second_landing_keeps_the_first(conn: Connection) -> None:
    kept = letter()
    await dead.put(conn, [kept], NOW)
    await dead.put(conn, [kept], NOW + timedelta(hours=1))
    assert await query(conn, "SELECT at FROM dead_letters") == [{"at": NOW}]


async def test_a_second_landing_tells_kafka_nothing_new(conn: Connection) -> None:
    """``Letter``: its id is derived from where it stood, so that a second landing adds nothing."""
    kept = letter()
    await dead.put(conn, [kept], NOW)
    await dead.put(conn, [kept], NOW + timedelta(hours=1))
    assert await count(conn, "outbox") == 1


async def test_kafka_is_told_of_the_letter_and_not_of_its_bytes(conn: Connection) -> None:
    kept = letter()
    await dead.put(conn, [kept], NOW)
    told = (await outbox.peek(conn, 10))[0]
    assert (told["aggregatetype"], told["type"], told["payload"]["id"]) == ("dead", "dead.letter", str(kept.id))
    assert "broken" not in str(told["payload"])


async def test_a_replayed_letter_leaves_the_list(conn: Connection) -> None:
    one, other = letter(1), letter(2)
    await dead.put(conn, [one, other], NOW)
    assert [row["value"] for row in await dead.get(conn, [one.id])] == [one.value]
    await dead.mark_replayed(conn, [one.id], NOW)
    assert {row["id"] for row in await dead.listed(conn)} == {other.id}
    assert {row["id"] for row in await dead.listed(conn, replayed=True)} == {one.id, other.id}


async def test_nothing_dead_is_no_error(conn: Connection) -> None:
    await dead.put(conn, [], NOW)
    assert await count(conn, "dead_letters") == 0
