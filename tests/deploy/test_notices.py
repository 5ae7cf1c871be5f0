"""``campus-risk notices`` and ``campus-risk channel``: what waits, what reached nobody, and whether a channel works."""

import asyncio
import json
from pathlib import Path
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from deploy.cli import app
from deploy.runtime.checks import CannotStart
from models.deadlines import Clock
from models.loop import State
from models.notices import Happening, Target
from models.notices_channel import ChannelKind, channel
from models.roles import Role
from store import channels, claims, notices
from store.channels import Owner
from store.db import Connection
from store.notices import Plan
from store.sealing import sealer
from store.settings import Settings
from tests.factories import NOW, SCHOOL
from tests.receivers import listening
from tests.store.test_landing import opened

pytestmark = pytest.mark.runtime


@pytest.fixture
def local(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CAMPUS_RISK_DATABASE", dsn)
    monkeypatch.setenv("CAMPUS_RISK_LOCAL", str(tmp_path))
    monkeypatch.setenv("CAMPUS_RISK_NOTIFY_PRIVATE", "1")
    monkeypatch.setenv("COLUMNS", "300")
    return tmp_path


async def run(*words: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, list(words))


@pytest.mark.usefixtures("local")
async def test_what_reached_nobody_is_listed_and_ends_with_one(conn: Connection) -> None:
    assert (await run("notices", "failing")).exit_code == 0
    hazard = await opened(conn)
    target = Target(Happening.OPENED, 0, (Role.ASSESSOR,))
    await notices.plan(conn, [Plan(hazard, "seq:1", (target,), 1, hazard.level, State.REPORTED)], NOW, Clock())
    await conn.execute("UPDATE notices SET next_at = %s", (NOW,))
    await claims.claim(conn, f"unit:{SCHOOL}", NOW, Clock())
    await conn.commit()
    for command, code in (("list", 0), ("pending", 0), ("failing", 1)):
        result = await run("notices", command, "--json")
        assert result.exit_code == code, result.output
        (line,) = [json.loads(line) for line in result.output.splitlines()]
        assert (line["recipient"], line["held"]) == (f"unit:{SCHOOL}", "no_channel")
    assert SCHOOL in (await run("notices", "list")).output


async def test_a_channel_is_tried_from_the_command_line(conn: Connection, local: Path) -> None:
    ours = sealer(Settings(local=local))
    with listening() as hook:
        made = channel(ChannelKind.WEBHOOK, hook.url)
        id = await channels.add(conn, Owner(unit=SCHOOL), made, None, ours, "test", NOW)
        await conn.commit()
        result = await run("channel", "test", str(id))
        assert (result.exit_code, hook.titles) == (0, ["【测试】通知渠道测试"])
        hook.status = 503
        result = await run("channel", "test", str(id))
        assert result.exit_code == 1
        assert "http_503" in result.output
    failing = await run("channel", "failing", "--json")
    assert json.loads(failing.output)["reason"] == "http_503"
    assert hook.url not in failing.output


@pytest.mark.usefixtures("local")
async def test_a_channel_that_is_not_there_is_said_with_the_cure() -> None:
    result = await run("channel", "test", str(uuid4()))
    assert isinstance(result.exception, CannotStart)
    assert "channel failing" in str(result.exception)
