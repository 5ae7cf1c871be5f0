"""The real broker and the real server: started, killed, started again, with their data."""

import asyncio
from pathlib import Path

import psutil
import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.runtime.checks import CannotStart
from deploy.runtime.local import LocalRuntime

pytestmark = pytest.mark.runtime


async def _topic(bootstrap: str, name: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, 1, 1)])
    finally:
        await admin.close()


async def _send(bootstrap: str, topic: str, value: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, max_request_size=4 << 20)
    await producer.start()
    try:
        await producer.send_and_wait(topic, value)
    finally:
        await producer.stop()


async def _read(bootstrap: str, topic: str, count: int) -> list[bytes]:
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        return [(await asyncio.wait_for(consumer.getone(), 20)).value or b"" for _ in range(count)]
    finally:
        await consumer.stop()


async def test_what_was_written_survives_kills_and_a_restart(tmp_path: Path) -> None:
    said: list[str] = []
    large = b"x" * (3 << 20)
    async with LocalRuntime(tmp_path / "local", durable=False, say=said.append) as runtime:
        async with await psycopg.AsyncConnection.connect(runtime.dsn) as connection:
            await connection.execute("CREATE TABLE kept AS SELECT 'yes' AS word")
            await connection.execute("CREATE EXTENSION pg_trgm")
        await _topic(runtime.kafka, "kept")
        await _send(runtime.kafka, "kept", large)

        with pytest.raises(CannotStart, match="already running"):
            await LocalRuntime(tmp_path / "local").__aenter__()

        runtime.kill("postgres")
        runtime.kill("kafka")
        await runtime.until_ready("postgres")
        await runtime.until_ready("kafka")
        await _send(runtime.kafka, "kept", b"after")
        pids = [runtime.supervisor.pid(name) for name in ("postgres", "kafka")]
    assert not any(psutil.pid_exists(pid) for pid in pids if pid)
    assert said[-2:] == ["kafka: stopping", "postgres: stopping"]

    # Other free ports than before: neither data folder may remember its own.
    async with LocalRuntime(tmp_path / "local", durable=False) as runtime:
        async with await psycopg.AsyncConnection.connect(runtime.dsn) as connection:
            row = await (await connection.execute("SELECT word FROM kept")).fetchone()
        assert row == ("yes",)
        assert await _read(runtime.kafka, "kept", 2) == [large, b"after"]


async def test_a_failed_start_leaves_nothing_running(tmp_path: Path) -> None:
    async with LocalRuntime(tmp_path / "one", durable=False, with_kafka=False) as first:
        port = int(first.dsn.rsplit(":", 1)[1].split("/")[0])
        with pytest.raises(CannotStart, match=f"Port {port} is in use by postgres"):
            async with LocalRuntime(tmp_path / "two", database_port=port, with_kafka=False):
                raise AssertionError("started")
        # The lock of the failed one is free again.
        async with LocalRuntime(tmp_path / "two", durable=False, with_kafka=False):
            pass
