"""The broker's configuration and the question whether it answers; the broker itself is in test_runtime_local.py."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from deploy.runtime import kafka
from deploy.runtime.checks import LOOPBACK, CannotStart, free_port


def test_settings_listen_on_loopback_only_and_make_no_topics(tmp_path: Path) -> None:
    values = dict(line.split("=", 1) for line in kafka.settings(tmp_path, 19092, 19093).splitlines())
    assert values["listeners"] == "PLAINTEXT://127.0.0.1:19092,CONTROLLER://127.0.0.1:19093"
    assert values["auto.create.topics.enable"] == "false"
    assert int(values["message.max.bytes"]) == 4 * 1024 * 1024
    assert values["offsets.topic.replication.factor"] == "1"


async def test_resolve_does_nothing_when_complete_and_starts_anew_when_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    script = '#!/bin/sh\nfor a; do case "$a" in -DoutputDirectory=*) mkdir -p "${a#*=}"; touch "${a#*=}/new.jar";; esac; done\n'
    (tools / "mvn").write_text(script)
    (tools / "mvn").chmod(0o755)
    monkeypatch.setenv("PATH", str(tools), prepend=":")
    stale = tmp_path / "kafka" / "libs-4.4.0" / "half.jar"
    stale.parent.mkdir(parents=True)
    stale.touch()
    said: list[str] = []
    libs = await kafka.resolve(tmp_path, said.append)
    assert sorted(path.name for path in libs.iterdir()) == [".complete", "new.jar"]
    assert await kafka.resolve(tmp_path, said.append) == libs
    assert len(said) == 1


async def test_maven_that_fails_is_one_sentence_with_its_last_lines(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mvn").write_text("#!/bin/sh\necho 'Could not resolve kafka_2.13'\nexit 1\n")
    (tmp_path / "mvn").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(CannotStart, match=r"^Maven could not fetch the Kafka broker: (.|\n)*Could not resolve"):
        await kafka.resolve(tmp_path / "local", lambda line: None)


@contextlib.asynccontextmanager
async def _server(answer: bytes) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        size = struct.unpack(">i", await reader.readexactly(4))[0]
        await reader.readexactly(size)
        writer.write(answer)
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, LOOPBACK, 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (struct.pack(">iiii", 100, 1, 0, 1), True),
        (struct.pack(">iiii", 100, 1, 0, 0), False),  # not yet a member of its own cluster
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", False),
        (b"", False),
    ],
)
async def test_ready_wants_a_broker_in_the_answer(answer: bytes, expected: bool) -> None:
    async with _server(answer) as port:
        assert await kafka.ready(LOOPBACK, port) is expected


async def test_nobody_listens_is_not_ready() -> None:
    assert await kafka.ready(LOOPBACK, free_port()) is False
