"""The processes beside each other: what one's death may not stop, and what ends one."""

import asyncio
import os
import signal
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from kafka import KafkaProducer

from deploy.runtime.checks import free_port
from deploy.runtime.local import LocalRuntime
from deploy.up import Stall
from models.deadlines import Clock
from models.levels import Level
from store import db, landing, reports, units
from store.reports import Entry
from streams import keeper, topics
from streams.context import now
from tests.conftest import Deployment, deployed, settings_for
from tests.factories import judgement, report

pytestmark = pytest.mark.runtime

SCHOOL = "330203-001"


async def rows(dsn: str, statement: str, *values: Any) -> list[dict[str, Any]]:
    async with db.connect(dsn) as conn:
        return await (await conn.execute(statement, values)).fetchall()


async def until(dsn: str, statement: str, *values: Any, within: float = 30.0) -> list[dict[str, Any]]:
    ends = time.monotonic() + within
    while time.monotonic() < ends:
        if found := await rows(dsn, statement, *values):
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(f"no row within {within} s: {statement}")


async def test_a_deadline_climbs_though_kafka_is_away(runtime: LocalRuntime, dsn: str, trained: Path) -> None:
    settings = settings_for(runtime, trained, dsn, kafka=f"127.0.0.1:{free_port()}")
    at = now() - timedelta(minutes=14, seconds=58)
    async with db.connect(dsn) as conn:
        told = report(unit=SCHOOL)
        await reports.accept(conn, [Entry(told)], "test", at)
        tree = await units.tree(conn)
        red = judgement(level=Level.RED, direct=True)
        await landing.land(conn, [landing.Landing(told, red)], tree, at, Clock())
    task = asyncio.create_task(keeper.run(settings))
    try:
        found = await until(dsn, "SELECT reason, kind, round, to_tier, at - due_at AS late FROM escalations")
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert [(r["reason"], r["kind"], r["round"], r["to_tier"]) for r in found] == [
        ("deadline", "assess", 1, "district")
    ]
    assert timedelta(0) <= found[0]["late"] < timedelta(seconds=30)


async def test_reports_are_taken_while_kafka_is_away_and_land_when_it_is_back(
    runtime: LocalRuntime, template: str, trained: Path
) -> None:
    async with deployed(runtime, template, trained, "api", demo=True) as platform:
        async with httpx.AsyncClient(base_url=platform.url) as client:
            body = {"source": "officer", "unit": SCHOOL, "text": "体育馆消火栓没水"}
            answer = await client.post("/api/v1/reports", json=body)
            assert answer.status_code == 202
            ready = (await client.get("/health/ready")).json()
            assert (ready["outbox"], ready["reports_waiting"]) == (1, 1)
        await platform.start("keeper", "worker")
        await until(str(platform.settings.database), "SELECT 1 FROM intake WHERE landed_at IS NOT NULL")
        await until(str(platform.settings.database), "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM outbox)")


async def test_a_second_worker_shares_the_work_and_takes_over_when_the_first_dies(
    runtime: LocalRuntime, template: str, trained: Path
) -> None:
    """Rebalances in mid-flight lose nothing and land nothing twice (Faust issues 606, 323, 185)."""
    async with deployed(runtime, template, trained, "keeper", "worker") as first:
        dsn = str(first.settings.database)
        second = Deployment(first.settings, runtime)
        second.mark = first.mark + "-second"
        produce(first, 300, 0)
        await second.start("worker")
        produce(first, 300, 300)
        await until(dsn, "SELECT 1 FROM intake HAVING count(*) > 100")
        runtime.kill(first.name("worker"))
        produce(first, 300, 600)
        await until(dsn, "SELECT 1 FROM intake HAVING count(*) FILTER (WHERE landed_at IS NOT NULL) = 900", within=90)
        await second.stop()
        told = await rows(
            dsn,
            "SELECT data->>'report' AS report, count(*) AS n FROM trail WHERE action IN ('open', 'attach') GROUP BY 1",
        )
        raised = await rows(dsn, "SELECT count(*) AS n FROM intake WHERE outcome <> 'quiet'")
        assert {row["n"] for row in told} == {1}
        assert len(told) == raised[0]["n"]


def produce(platform: Deployment, count: int, start: int) -> None:
    """Raw records of many units, so that every partition has some."""
    producer = KafkaProducer(bootstrap_servers=platform.settings.kafka, acks="all")
    for i in range(start, start + count):
        unit = f"330203-{i % 10 + 1:03}"
        record = {"source": "own", "source_id": str(i), "unit": unit, "text": f"{i}号实验室通风橱不工作，编号第{i}台"}
        producer.send(topics.name(platform.settings, "reports"), key=unit.encode(), value=orjson.dumps(record))
    producer.flush()
    producer.close()


async def test_an_agent_that_can_keep_nothing_ends_its_worker_and_the_record_lands_afterwards(
    runtime: LocalRuntime, template: str, trained: Path
) -> None:
    """An exception in an agent acknowledges the event and loses it (Faust issues 189, 315, 527): ours ends the process."""
    async with deployed(runtime, template, trained, "keeper", "worker") as platform:
        dsn = str(platform.settings.database)
        async with db.connect(dsn) as conn:
            await conn.execute("ALTER TABLE intake RENAME TO intake_away")
            await conn.execute("ALTER TABLE dead_letters RENAME TO dead_letters_away")
        before = runtime.supervisor.restarts(platform.name("worker"))
        produce(platform, 3, 0)
        ends = time.monotonic() + 40
        while runtime.supervisor.restarts(platform.name("worker")) == before and time.monotonic() < ends:
            await asyncio.sleep(0.2)
        assert runtime.supervisor.restarts(platform.name("worker")) > before
        assert "the worker ends" in platform.log("worker")
        async with db.connect(dsn) as conn:
            await conn.execute("ALTER TABLE intake_away RENAME TO intake")
            await conn.execute("ALTER TABLE dead_letters_away RENAME TO dead_letters")
        await until(dsn, "SELECT 1 FROM intake HAVING count(*) FILTER (WHERE landed_at IS NOT NULL) = 3", within=60)
        assert await rows(dsn, "SELECT 1 FROM dead_letters") == []


async def test_a_worker_that_hangs_is_told_from_one_that_works(
    runtime: LocalRuntime, template: str, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Consumers slowly die (Faust issues 175, 523, 532): a report that waits though it was sent gives the worker away."""
    async with deployed(runtime, template, trained, "keeper", "worker", "api", demo=True) as platform:
        dsn = str(platform.settings.database)
        lives = 0
        stalled = Stall(dsn, lambda: lives)
        monkeypatch.setattr(stalled, "_life", 0)
        monkeypatch.setattr(stalled, "_since", -3600.0)
        pid = runtime.supervisor.pid(platform.name("worker"))
        assert pid is not None
        async with httpx.AsyncClient(base_url=platform.url) as client:
            body = {"source": "officer", "unit": SCHOOL, "text": "体育馆消火栓没水"}
            await client.post("/api/v1/reports", json=body)
            await until(dsn, "SELECT 1 FROM intake WHERE landed_at IS NOT NULL")
            assert not await stalled()
            os.kill(pid, signal.SIGSTOP)
            try:
                await client.post("/api/v1/reports", json={**body, "text": "门厅应急灯不亮"})
                await until(dsn, "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM outbox)")
                assert not await stalled()
                async with db.connect(dsn) as conn:
                    await conn.execute(
                        "UPDATE intake SET received_at = received_at - interval '2 minutes', landed_at = landed_at - interval '2 minutes'"
                    )
                assert "has waited" in str(await stalled())
                lives += 1
                assert not await stalled(), "a worker that has just been restarted must be given time to begin"
            finally:
                os.kill(pid, signal.SIGCONT)
