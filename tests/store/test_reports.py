"""The door: each report is accepted once, with its outbox row, or refused without a trace."""

import asyncio
from typing import Any

import pytest

from models.reports import Report
from store import db, outbox, reports
from store.db import Connection
from store.reports import Admission, Entry
from tests import factories
from tests.factories import NOW, SCHOOL
from tests.store.test_landing import count, land, query

pytestmark = pytest.mark.runtime


async def accept(conn: Connection, *told: Report, key: str | None = None, caller: str = "test") -> list[Admission]:
    return await reports.accept(conn, [Entry(report, key) for report in told], caller, NOW)


async def stored(conn: Connection) -> dict[str, int]:
    return {table: await count(conn, table) for table in ("intake", "reports", "outbox")}


async def test_a_new_report_is_stored_with_its_outbox_row(conn: Connection) -> None:
    report = factories.report(source_id="S-1", reporter={"id": "u1", "name": "张三", "mobile": "13800001234"})
    assert await accept(conn, report, key="k") == [Admission(report.id, new=True)]
    assert await stored(conn) == {"intake": 1, "reports": 1, "outbox": 1}
    row = (await query(conn, "SELECT * FROM intake"))[0]
    assert (row["id"], row["unit"], row["source_id"], row["caller"]) == (report.id, SCHOOL, "S-1", "test")
    assert (row["idempotency_key"], row["received_at"], row["outcome"]) == ("k", NOW, None)
    assert bytes(row["digest"]) == report.digest()


async def test_what_the_outbox_says_is_the_record_without_the_person(conn: Connection) -> None:
    report = factories.report(
        text="电梯困人", location={"lon": 121.5, "lat": 29.8}, reporter={"id": "u1", "name": "张三"}
    )
    await accept(conn, report)
    row = (await outbox.peek(conn, 10))[0]
    assert (row["aggregatetype"], row["aggregateid"], row["type"]) == ("reports", SCHOOL, "report.accepted")
    assert row["payload"] == report.record()
    assert "reporter" not in row["payload"]
    assert Report.model_validate(row["payload"]).digest() == report.digest()


async def test_a_report_without_an_id_gets_one_in_answer_and_outbox(conn: Connection) -> None:
    answer = (await accept(conn, factories.report(id=None)))[0]
    assert answer.new
    assert answer.id.version == 7
    assert (await outbox.peek(conn, 10))[0]["payload"]["id"] == str(answer.id)


async def test_nothing_to_accept_is_no_error(conn: Connection) -> None:
    assert await accept(conn) == []


async def test_without_publish_there_is_no_outbox_row(conn: Connection) -> None:
    report = factories.report()
    await reports.accept(conn, [Entry(report)], "kafka", NOW, publish=False)
    assert await stored(conn) == {"intake": 1, "reports": 1, "outbox": 0}


@pytest.mark.parametrize("by", ["id", "source_id", "key"])
async def test_the_same_body_again_is_known_under_its_first_id(conn: Connection, by: str) -> None:
    id = factories.new_id() if by == "id" else None
    fields: dict[str, Any] = {"id": id, "source_id": "S-1" if by == "source_id" else None}
    key = "k-1" if by == "key" else None
    first = (await accept(conn, factories.report(**fields), key=key))[0]
    again = (await accept(conn, factories.report(**fields), key=key))[0]
    assert again == Admission(first.id, new=False)
    assert await stored(conn) == {"intake": 1, "reports": 1, "outbox": 1}


@pytest.mark.parametrize(("by", "field"), [("id", "id"), ("source_id", "source_id"), ("key", "Idempotency-Key")])
async def test_another_body_is_a_conflict_that_names_the_field_and_stores_nothing(
    conn: Connection, by: str, field: str
) -> None:
    id = factories.new_id() if by == "id" else None
    fields: dict[str, Any] = {"id": id, "source_id": "S-1" if by == "source_id" else None}
    key = "k-1" if by == "key" else None
    first = (await accept(conn, factories.report(**fields), key=key))[0]
    before = await stored(conn)
    other = (await accept(conn, factories.report(**fields, text="另一件事：配电箱门打不开"), key=key))[0]
    assert not other.new
    assert other.id == first.id
    assert other.conflict is not None
    assert (other.conflict.field, other.conflict.code) == (field, "conflict")
    assert str(first.id) in other.conflict.message
    assert await stored(conn) == before
    assert await query(conn, "SELECT text FROM reports") == [{"text": factories.record()["text"]}]


async def test_a_key_belongs_to_its_caller(conn: Connection) -> None:
    await accept(conn, factories.report(id=None), key="k", caller="one")
    assert (await accept(conn, factories.report(id=None), key="k", caller="two"))[0].new


async def test_a_source_id_belongs_to_its_unit_and_source(conn: Connection) -> None:
    told = [
        factories.report(source_id="S-1"),
        factories.report(source_id="S-1", source="system"),
        factories.report(source_id="S-1", unit=factories.SIBLING),
    ]
    assert [answer.new for answer in await accept(conn, *told)] == [True, True, True]


async def test_reports_without_any_name_of_their_own_are_all_new(conn: Connection) -> None:
    told = [factories.report(id=None) for _ in range(3)]
    assert [answer.new for answer in await accept(conn, *told)] == [True, True, True]


async def test_the_same_id_twice_in_one_batch_is_accepted_once(conn: Connection) -> None:
    report = factories.report()
    assert [answer.new for answer in await accept(conn, report, report)] == [True, False]
    assert await stored(conn) == {"intake": 1, "reports": 1, "outbox": 1}


async def test_the_same_id_with_two_bodies_in_one_batch_keeps_one_of_them_whole(conn: Connection) -> None:
    id = factories.new_id()
    told = [factories.report(id=id, text="甲：电梯门夹人"), factories.report(id=id, text="乙：锅炉压力表没检定")]
    answers = await accept(conn, *told)
    assert sorted(answer.new for answer in answers) == [False, True]
    kept = next(report for report, answer in zip(told, answers, strict=True) if answer.new)
    refused = next(answer for answer in answers if not answer.new)
    assert refused.conflict is not None
    assert refused.conflict.field == "id"
    assert await query(conn, "SELECT text FROM reports") == [{"text": kept.text}]
    digests = await query(conn, "SELECT digest FROM intake")
    assert [bytes(row["digest"]) for row in digests] == [kept.digest()], "intake and reports tell of the same body"


async def test_the_same_source_id_twice_in_one_batch_is_accepted_once(conn: Connection) -> None:
    told = [factories.report(id=None, source_id="S-1") for _ in range(2)]
    first, second = await accept(conn, *told)
    assert (first.new, second) == (True, Admission(first.id, new=False))


async def test_answers_stand_in_the_order_of_the_entries(conn: Connection) -> None:
    known, clash = factories.report(), factories.report()
    await accept(conn, known, clash)
    fresh = factories.report()
    other = factories.report(id=clash.id, text="另一件事")
    answers = await accept(conn, other, fresh, known)
    assert [(a.id, a.new, a.conflict is not None) for a in answers] == [
        (clash.id, False, True),
        (fresh.id, True, False),
        (known.id, False, False),
    ]


async def _at_once(dsn: str, *batches: list[Report]) -> list[list[Admission]]:
    async def once(told: list[Report]) -> list[Admission]:
        async with db.connect(dsn) as own:
            return await accept(own, *told)

    return await asyncio.gather(*map(once, batches))


async def test_two_connections_with_the_same_ids_end_with_one_row_each(dsn: str, conn: Connection) -> None:
    told = [factories.report() for _ in range(50)]
    answers = await _at_once(dsn, told, told[::-1])
    assert sorted(sum(a.new for a in some) for some in answers) == [0, 50]
    assert not [a for some in answers for a in some if a.conflict]
    assert await stored(conn) == {"intake": 50, "reports": 50, "outbox": 50}


async def test_two_connections_with_the_same_source_ids_do_not_wait_for_each_other(dsn: str, conn: Connection) -> None:
    """A resend of a file while the first sending still runs, the lines in another order."""
    told = [factories.report(id=None, source_id=f"S-{n}") for n in range(200)]
    answers = await _at_once(dsn, told, told[::-1])
    assert sum(a.new for some in answers for a in some) == 200
    assert await stored(conn) == {"intake": 200, "reports": 200, "outbox": 200}


async def test_what_became_of_a_report(conn: Connection) -> None:
    report = factories.report()
    assert await reports.get(conn, factories.new_id()) is None
    await accept(conn, report)
    waiting = await reports.get(conn, report.id or factories.new_id())
    assert waiting is not None
    assert (waiting["outcome"], waiting["hazard"], waiting["text"]) == (None, None, report.text)
    await land(conn, report)
    landed = await reports.get(conn, report.id or factories.new_id())
    assert landed is not None
    assert (landed["outcome"], landed["state"], landed["tier"]) == ("opened", "reported", "school")
    assert landed["unit_path"] == f"/330200/330203/{SCHOOL}/"
