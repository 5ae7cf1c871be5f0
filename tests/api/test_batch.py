"""Many reports at once (NDJSON): each line stands for itself."""

import asyncio
from typing import Any

import httpx
import orjson
import pytest

from api import metrics
from models.roles import Role
from store.db import Connection
from tests import factories
from tests.api.test_reports import problem
from tests.conftest import Callers
from tests.factories import DISTRICT, SCHOOL, SIBLING
from tests.store.test_landing import count, query

pytestmark = pytest.mark.runtime

BATCH = "/api/v1/reports/batch"


def line(n: int, **given: Any) -> bytes:
    return orjson.dumps(factories.record(source_id=f"S-{n}", text=f"第{n}个灭火器过期", **given))


async def send(
    api: Callers, body: bytes, headers: dict[str, str] | None = None, kind: str = "application/x-ndjson"
) -> httpx.Response:
    given = headers or await api.headers(Role.INFORMANT, SCHOOL)
    return await api.anonymous.post(BATCH, content=body, headers=given | {"Content-Type": kind})


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
@pytest.mark.parametrize("last", [b"", b"\n", b"\n\n  \n"])
async def test_lines_however_they_end(api: Callers, conn: Connection, end: bytes, last: bytes) -> None:
    answer = await send(api, end.join(line(n) for n in range(3)) + last)
    assert answer.status_code == 202
    body = answer.json()
    assert (body["accepted"], body["known"], body["refused"]) == (3, 0, 0)
    assert [result["line"] for result in body["results"]] == [1, 2, 3]
    stored = await query(conn, "SELECT id FROM intake ORDER BY source_id")
    assert [result["id"] for result in body["results"]] == [str(row["id"]) for row in stored]
    assert await count(conn, "outbox") == 3


async def test_bad_lines_stop_no_good_ones_and_are_named(api: Callers, conn: Connection) -> None:
    lines = [
        line(1),
        b"{not json",
        b"",
        line(2, unit=SIBLING),
        line(3, unit="nowhere"),
        line(4, level="purple"),
        "第五".encode("gb18030"),
        line(6),
        line(1),
        orjson.dumps(factories.record(source_id="S-6", text="另一件事")),
    ]
    body = (await send(api, b"\n".join(lines))).json()
    assert (body["accepted"], body["known"], body["refused"]) == (2, 1, 6)
    told = {result["line"]: result for result in body["results"]}
    assert list(told) == [1, 2, 4, 5, 6, 7, 8, 9, 10]
    wrong = {n: (r["errors"][0]["field"], r["errors"][0]["code"]) for n, r in told.items() if "errors" in r}
    assert wrong == {
        2: ("", "json"),
        4: ("unit", "forbidden"),
        5: ("unit", "unknown_unit"),
        6: ("level", "enum"),
        7: ("", "encoding"),
        10: ("source_id", "conflict"),
    }
    assert told[9]["id"] == told[1]["id"]
    assert await count(conn, "reports") == 2


async def test_all_bad_is_a_problem_with_the_lines(api: Callers) -> None:
    body = problem(await send(api, b"{\n" + line(1, unit="nowhere")), 422, "bad-field")
    assert [(e["field"], e["code"]) for e in body["errors"]] == [("1.", "json"), ("2.unit", "unknown_unit")]
    assert (body["accepted"], body["refused"]) == (0, 2)


@pytest.mark.parametrize("body", [b"", b"\n\n", b"  \r\n"])
async def test_an_empty_one_is_a_problem(api: Callers, body: bytes) -> None:
    problem(await send(api, body), 422, "bad-field")


async def test_the_same_batch_again_is_known(api: Callers, conn: Connection) -> None:
    headers = await api.headers(Role.MACHINE, SCHOOL)
    body = b"\n".join(line(n) for n in range(1200))
    first = (await send(api, body, headers)).json()
    again = (await send(api, body, headers)).json()
    assert (first["accepted"], again["accepted"], again["known"]) == (1200, 0, 1200)
    assert [r["id"] for r in first["results"]] == [r["id"] for r in again["results"]]
    assert [r["line"] for r in again["results"]] == list(range(1, 1201))
    assert await count(conn, "outbox") == 1200


async def test_the_same_batch_twice_at_once_is_accepted_once(api: Callers, conn: Connection) -> None:
    headers = await api.headers(Role.MACHINE, SCHOOL)
    body = b"\n".join(line(n) for n in range(300))
    answers = await asyncio.gather(send(api, body, headers), send(api, body, headers))
    assert [answer.status_code for answer in answers] == [202, 202]
    assert sum(answer.json()["accepted"] for answer in answers) == 300
    assert await count(conn, "reports") == 300


async def test_many_batches_at_once_do_not_starve_each_other(api: Callers, conn: Connection) -> None:
    """More callers than the pool has connections: none may wait for one while it holds another."""
    headers = await api.headers(Role.MACHINE, SCHOOL)
    answers = await asyncio.gather(*(send(api, line(n), headers) for n in range(16)))
    assert {answer.status_code for answer in answers} == {202}
    assert await count(conn, "reports") == 16


async def test_one_line_too_many_is_413_and_leaves_nothing_behind(api: Callers, conn: Connection) -> None:
    """Lines without a name of their own would be doubled when the batch is sent again in parts."""
    small = orjson.dumps(factories.record(text="x")) + b"\n"
    problem(await send(api, small * 10_001), 413, "too-large")
    assert await count(conn, "intake") == 0


async def test_a_line_over_the_limit_is_413(api: Callers) -> None:
    problem(await send(api, line(1) + b"\n" + b"x" * (5 * 1024 * 1024)), 413, "too-large")


@pytest.mark.parametrize(
    ("kind", "status"),
    [("application/x-ndjson", 202), ("application/jsonl", 202), ("application/json", 202), ("text/csv", 415)],
)
async def test_content_types(api: Callers, kind: str, status: int) -> None:
    answer = await send(api, line(1), kind=kind)
    assert answer.status_code == status


async def test_a_district_sends_for_its_schools(api: Callers) -> None:
    headers = await api.headers(Role.MACHINE, DISTRICT)
    body = (await send(api, line(1) + b"\n" + line(2, unit=SIBLING), headers)).json()
    assert body["accepted"] == 2


@pytest.mark.parametrize(("role", "status"), [(None, 401), (Role.WALL, 403)])
async def test_who_may_not_report_sends_no_batch(api: Callers, role: Role | None, status: int) -> None:
    headers = await api.headers(role, SCHOOL) if role else {"X-None": "1"}
    assert (await send(api, line(1), headers)).status_code == status


async def test_what_a_batch_refuses_is_counted_at_its_own_door(api: Callers) -> None:
    def refused(door: str) -> float:
        return float(metrics.REFUSED.labels(door)._value.get())

    rest, batch = refused("rest"), refused("batch")
    await send(api, b"{\n" + line(1, unit="nowhere") + b"\n" + line(2))
    assert (refused("rest") - rest, refused("batch") - batch) == (0, 2)
