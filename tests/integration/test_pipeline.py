"""A report goes from the door to the wall, on the real Kafka and the real database."""

import asyncio
import time
from typing import Any

import httpx
import orjson
import pytest
import uuid_utils.compat as uuid_utils
from kafka import KafkaProducer

from deploy.dead_letters import replay
from store import db, dead
from streams.topics import MAX_RECORD
from tests.conftest import Deployment

pytestmark = pytest.mark.runtime

SCHOOL = "330203-001"


async def landed(client: httpx.AsyncClient, id: str, within: float = 20.0) -> dict[str, Any]:
    """What became of a report, once it has landed."""
    ends = time.monotonic() + within
    while time.monotonic() < ends:
        answer = (await client.get(f"/api/v1/reports/{id}")).json()
        if answer["status"] != "accepted":
            return dict(answer)
        await asyncio.sleep(0.05)
    raise AssertionError(f"report {id} has not landed within {within} s")


def mark() -> str:
    """Letters that no other text has. No digits: one identifier in some thousands holds a mobile number, and is masked."""
    return uuid_utils.uuid4().hex.translate(str.maketrans("0123456789", "ghijklmnop"))


def produce(platform: Deployment, *values: bytes, key: bytes = SCHOOL.encode()) -> None:
    """Put raw records onto the reports topic, as somebody else's producer does."""
    producer = KafkaProducer(bootstrap_servers=platform.settings.kafka, acks="all", max_request_size=MAX_RECORD)
    try:
        for future in [producer.send(platform.topic("reports"), key=key, value=value) for value in values]:
            future.get(timeout=20)
    finally:
        producer.close()


async def query(platform: Deployment, statement: str, *values: Any) -> list[dict[str, Any]]:
    """Rows of the deployment's database."""
    async with db.connect(str(platform.settings.database)) as conn:
        return await (await conn.execute(statement, values)).fetchall()


async def eventually(platform: Deployment, statement: str, *values: Any, within: float = 20.0) -> list[dict[str, Any]]:
    """Rows, once there are any."""
    ends = time.monotonic() + within
    while time.monotonic() < ends:
        if rows := await query(platform, statement, *values):
            return rows
        await asyncio.sleep(0.1)
    raise AssertionError(f"no row within {within} s: {statement}")


async def test_a_report_becomes_a_hazard_with_category_level_and_tier(platform: Deployment) -> None:
    async with httpx.AsyncClient(base_url=platform.url) as client:
        body = {
            "source": "officer",
            "unit": SCHOOL,
            "text": "有人把电瓶车推进宿舍楼道里充电，飞线拉到二楼",
            "place": "2号宿舍楼",
        }
        answer = await client.post("/api/v1/reports", json=body)
        assert answer.status_code == 202
        became = await landed(client, answer.json()["id"])
    assert became["status"] == "opened"
    assert became["hazard"]["subcategory"] == "0104"
    assert became["hazard"]["level"] == "red"
    rows = await eventually(
        platform, "SELECT to_tier, reason FROM escalations WHERE hazard = %s", became["hazard"]["id"]
    )
    assert rows == [{"to_tier": "city", "reason": "level"}]


async def test_a_record_straight_from_kafka_lands_like_any_other(platform: Deployment) -> None:
    id = uuid_utils.uuid7()
    record = {"id": str(id), "source": "own-platform", "unit": "U01-01", "text": "实验室通风橱不工作，酸雾排不出去"}
    produce(platform, orjson.dumps(record), key=b"U01-01")
    rows = await eventually(platform, "SELECT outcome, caller FROM intake WHERE id = %s AND landed_at IS NOT NULL", id)
    assert rows == [{"outcome": "opened", "caller": "kafka"}]


async def test_a_record_without_an_id_lands_once_even_when_read_again(platform: Deployment) -> None:
    text = "图书馆三楼吊顶掉下来一块，差点砸到人"
    produce(platform, orjson.dumps({"source": "own-platform", "unit": SCHOOL, "text": text}))
    await eventually(platform, "SELECT 1 FROM reports WHERE text = %s", text)
    platform.runtime.kill(platform.name("worker"))
    await asyncio.sleep(1)
    marker = {"source": "own-platform", "unit": SCHOOL, "text": "门卫室的监控坏了看不到画面"}
    produce(platform, orjson.dumps(marker))
    await eventually(platform, "SELECT 1 FROM reports WHERE text = %s", marker["text"], within=60)
    assert await query(platform, "SELECT count(*) AS n FROM reports WHERE text = %s", text) == [{"n": 1}]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"{not json", "json"),
        (b"\xff\xfe\x00\x01", "encoding"),
        (b"", "json"),
        (b"[1, 2]", "json"),
        (orjson.dumps({"source": "x", "unit": "nowhere", "text": "灭火器过期"}), "unknown_unit"),
        (orjson.dumps({"source": "x", "unit": SCHOOL, "text": "字" * 400_000}), "string_too_long"),
        (
            orjson.dumps({"source": "x", "unit": SCHOOL, "text": "灭火器过期", "occurred_at": "1970-01-01T00:00:00Z"}),
            "too_old",
        ),
        (
            orjson.dumps({"source": "x", "unit": SCHOOL, "text": "灭火器过期", "occurred_at": "2100-01-01T00:00:00Z"}),
            "in_future",
        ),
        (
            orjson.dumps(
                {"source": "x", "unit": SCHOOL, "text": "灭火器过期", "location": {"lon": 2.35, "lat": 48.85}}
            ),
            "outside_city",
        ),
        (orjson.dumps({"schema": 9, "source": "x", "unit": SCHOOL, "text": "灭火器过期"}), "future_version"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
async def test_a_bad_record_becomes_a_dead_letter_with_its_bytes_and_the_partition_goes_on(
    platform: Deployment, value: bytes, reason: str
) -> None:
    follower = {"source": "x", "unit": SCHOOL, "text": f"消火栓没水 {mark()}"}
    produce(platform, value, orjson.dumps(follower))
    await eventually(platform, "SELECT 1 FROM reports WHERE text = %s", follower["text"])
    rows = await query(platform, "SELECT reason, value, key FROM dead_letters WHERE value = %s", value)
    assert rows == [{"reason": reason, "value": value, "key": SCHOOL.encode()}]


async def test_a_known_id_with_another_body_becomes_a_dead_letter(platform: Deployment) -> None:
    id = str(uuid_utils.uuid7())
    first, second = (
        orjson.dumps({"id": id, "source": "x", "unit": SCHOOL, "text": text})
        for text in ("电梯门夹人了", "锅炉压力表没检定")
    )
    produce(platform, first, second, first)
    rows = await eventually(platform, "SELECT reason, field FROM dead_letters WHERE value = %s", second)
    assert rows == [{"reason": "conflict", "field": "id"}]
    assert await query(platform, "SELECT count(*) AS n FROM reports WHERE id = %s", id) == [{"n": 1}]


async def test_a_dead_letter_lands_after_its_cause_is_mended_and_it_is_replayed(platform: Deployment) -> None:
    value = orjson.dumps({"source": "x", "unit": "330203-999", "text": "新校区操场单杠焊接处断裂"})
    produce(platform, value)
    rows = await eventually(platform, "SELECT id FROM dead_letters WHERE value = %s", value)
    async with db.connect(str(platform.settings.database)) as conn:
        await conn.execute(
            "INSERT INTO units (code, name, kind, tier, parent, path) "
            "VALUES ('330203-999', '新设试验学校', 'school', 'school', '330203', '/330200/330203/330203-999/')"
        )
    assert await replay(platform.settings, [rows[0]["id"]]) == 1
    await eventually(platform, "SELECT 1 FROM hazards WHERE unit = '330203-999'")
    async with db.connect(str(platform.settings.database)) as conn:
        assert rows[0]["id"] not in {row["id"] for row in await dead.listed(conn)}


async def test_the_stream_tells_of_a_report_within_a_second(platform: Deployment) -> None:
    async with httpx.AsyncClient(base_url=platform.url, timeout=30) as client:
        body = {"source": "officer", "unit": SCHOOL, "text": f"三楼走廊应急照明灯不亮 {mark()}"}
        # Once beforehand, so that what is measured is the way, not the first load of anything.
        await landed(
            client, (await client.post("/api/v1/reports", json={**body, "text": "预热：灭火器压力不足"})).json()["id"]
        )
        async with client.stream("GET", "/api/v1/cockpit/stream") as stream:
            lines = stream.aiter_lines()
            async for line in lines:
                if line.startswith("event: hello"):
                    break
            started = time.monotonic()
            async with httpx.AsyncClient(base_url=platform.url) as poster:
                id = (await poster.post("/api/v1/reports", json=body)).json()["id"]
                hazard = (await landed(poster, id))["hazard"]["id"]
            async for line in lines:
                if line.startswith("data: ") and orjson.loads(line[6:]).get("id") == hazard:
                    break
            took = time.monotonic() - started
    told = orjson.loads(line[6:])
    assert told["level"] in ("red", "orange", "yellow", "blue")
    assert told["tier_label"]
    assert took < 10, "the stream is judged for speed in bench/door.py; here it must only tell"


async def test_five_witnesses_of_one_hazard_are_one_hazard(platform: Deployment) -> None:
    tellings = [
        "五号楼西侧安全出口被锁住了",
        "5号楼西侧的安全出口被锁住了打不开",
        "五号楼西侧安全出口被锁住",
        "五号楼西侧安全出口又被锁住了！！",
        "注意：五号楼西侧安全出口被锁住了",
    ]
    async with httpx.AsyncClient(base_url=platform.url) as client:
        became = []
        for text in tellings:
            body = {"source": "officer", "unit": "330203-002", "text": text, "place": "五号楼西侧"}
            became.append(await landed(client, (await client.post("/api/v1/reports", json=body)).json()["id"]))
    assert {b["hazard"]["id"] for b in became} == {became[0]["hazard"]["id"]}
    assert [b["status"] for b in became] == ["opened"] + ["attached"] * 4


async def test_a_drill_raises_nothing(platform: Deployment) -> None:
    async with httpx.AsyncClient(base_url=platform.url) as client:
        body = {"source": "officer", "unit": SCHOOL, "text": "消防疏散演练：模拟三楼起火", "drill": True}
        became = await landed(client, (await client.post("/api/v1/reports", json=body)).json()["id"])
    assert became["status"] == "quiet"
    assert "hazard" not in became
