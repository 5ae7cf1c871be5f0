"""``campus-risk warnings``: listed, closed with a reason, counted."""

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from deploy.cli import app
from deploy.runtime.checks import CannotStart
from store.db import Connection
from tests.factories import SCHOOL
from tests.store.test_landing import query
from tests.store.test_warnings import FOUND, look

pytestmark = pytest.mark.runtime


@pytest.fixture
def local(dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CAMPUS_RISK_DATABASE", dsn)
    monkeypatch.setenv("CAMPUS_RISK_LOCAL", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "300")
    return tmp_path


async def run(*words: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, ["warnings", *words])


@pytest.mark.usefixtures("local")
async def test_listed_closed_and_counted(conn: Connection) -> None:
    await look(conn, FOUND)
    await conn.commit()
    (line,) = [json.loads(line) for line in (await run("list", "--json")).output.splitlines()]
    assert (line["unit"], line["grade"], line["state"]) == (SCHOOL, "yellow", "open")
    assert SCHOOL in (await run("list")).output
    assert isinstance((await run("close", line["id"], "--reason", " ")).exception, CannotStart)
    assert "已关闭" in (await run("close", line["id"], "--reason", "集中录入", "--false")).output
    assert isinstance((await run("close", line["id"], "--reason", "x")).exception, CannotStart)
    assert (await run("list", "--json")).output == ""
    (closed,) = [json.loads(line) for line in (await run("list", "--all", "--json")).output.splitlines()]
    assert (closed["outcome"], closed["closing"]) == ("false", "集中录入")
    assert (await query(conn, "SELECT closed_by FROM warnings")) == [{"closed_by": "system:operator"}]
    assert (await run("figures", "--json")).exit_code == 0
