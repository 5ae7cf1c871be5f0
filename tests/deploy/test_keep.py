"""``campus-risk retention``, ``export``, ``audit --export`` and ``refusals``, as somebody at a terminal uses them."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from psycopg.types.json import Jsonb
from typer.testing import CliRunner, Result

from deploy.cli import app
from deploy.runtime.checks import CannotStart
from models.retention import Kept
from models.roles import Role
from store import db, refusals
from store.db import Connection
from store.exported import Unreadable
from store.settings import Settings
from streams import keep
from streams.context import Context
from tests import factories
from tests.factories import CITY, SCHOOL
from tests.store.test_landing import accepted, count, land, opened
from tests.store.test_retention import OLD, archived

pytestmark = pytest.mark.runtime


@pytest.fixture(autouse=True)
def database(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMPUS_RISK_DATABASE", dsn)
    monkeypatch.setenv("COLUMNS", "200")


async def run(*words: str, stdin: str = "") -> Result:
    """``campus-risk`` with these words."""
    return await asyncio.to_thread(CliRunner().invoke, app, list(words), input=stdin)


async def told(*words: str) -> Any:
    result = await run(*words, "--json")
    assert result.exit_code == 0, (result.output, result.exception)
    return json.loads(result.stdout)


async def test_what_would_go_is_shown_and_goes_only_when_somebody_says_yes(conn: Connection) -> None:
    await archived(conn)
    await land(conn, await accepted(conn, OLD, drill=True), now=OLD)
    await conn.commit()
    shown = {line["kind"]: line for line in (await told("retention", "show"))["terms"]}
    assert set(shown) == set(Kept)
    assert (shown["hazards"]["due"], shown["reports"]["due"], shown["hazards"]["term"]) == (1, 1, "3 年")
    assert "《网络安全法》第二十一条" in (await run("retention", "show")).output
    assert (await told("retention", "run", "--dry-run"))["removed"] == {}
    refused = await run("retention", "run", stdin="n\n")
    assert isinstance(refused.exception, CannotStart)
    assert "隐患档案：1 条" in refused.output
    assert await count(conn, "hazards") == 1
    await conn.commit()
    assert "隐患档案 1" in (await run("retention", "run", stdin="y\n")).output
    assert (await count(conn, "hazards"), await count(conn, "reports")) == (0, 0)
    await conn.commit()
    assert "没有到期的记录" in (await run("retention", "run", "--yes")).output
    audit = await told("audit")
    assert (audit["whole"], audit["removed_by_rule"], audit["records_gone"]) == (True, {"hazards": 1, "reports": 1}, [])


async def test_a_machine_says_yes_or_nothing_goes(conn: Connection) -> None:
    await archived(conn)
    await conn.commit()
    assert isinstance((await run("retention", "run", "--json")).exception, CannotStart)
    assert (await told("retention", "run", "--yes"))["removed"] == {"hazards": 1}


async def test_a_term_in_the_database_that_is_too_short_removes_nothing(conn: Connection) -> None:
    await archived(conn)
    await conn.execute("UPDATE city SET profile = profile || %s", (Jsonb({"retention": {"hazards": "1 years"}}),))
    await conn.commit()
    refused = await run("retention", "run", "--yes")
    await conn.execute("UPDATE city SET profile = profile || %s", (Jsonb({"retention": {}}),))
    await conn.commit()
    assert isinstance(refused.exception, CannotStart)
    assert "不得短于 3 年" in str(refused.exception)
    assert await count(conn, "hazards") == 1


async def test_the_keeper_removes_what_is_due_once_a_day(conn: Connection, dsn: str) -> None:
    await archived(conn)
    young = await opened(conn, at=datetime.now(UTC) - timedelta(days=1))
    await conn.commit()
    async with db.pool(dsn, size=1) as pool:
        went = await keep.once(Context(Settings(database=dsn), pool))
    assert {kind: n for kind, n in went.items() if n} == {Kept.HAZARDS: 1}
    row = await (await conn.execute("SELECT id FROM hazards")).fetchone()
    assert row == {"id": young.id}


async def test_an_export_is_written_once_and_proved_offline(
    conn: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await opened(conn, at=datetime(2026, 5, 12, 20, 0, tzinfo=UTC))
    await conn.commit()
    out = tmp_path / "deep" / "folder"
    manifest = await told("export", "--unit", SCHOOL, "--from", "2026-05-13", "--to", "2026-05-13", "--out", str(out))
    assert manifest["files"]["hazards.jsonl"]["rows"] == 1, "a day is a day of the city"
    assert manifest["sha256"]
    assert isinstance((await run("export", "--unit", SCHOOL, "--out", str(out))).exception, CannotStart)
    assert isinstance((await run("export", "--unit", "nowhere", "--out", str(tmp_path / "x"))).exception, CannotStart)
    assert (await run("export", "--unit", SCHOOL, "--from", "May", "--out", str(tmp_path / "y"))).exit_code == 2
    monkeypatch.setenv("CAMPUS_RISK_DATABASE", "postgresql://nobody@127.0.0.1:1/none")
    assert (await told("audit", "--export", str(out)))["whole"]
    (out / "trail.csv").write_text("", "utf-8")
    broken = await run("audit", "--export", str(out))
    assert (broken.exit_code, "trail.csv" in broken.output) == (1, True)
    assert isinstance((await run("audit", "--export", str(tmp_path))).exception, Unreadable)


async def test_refusals_are_listed(conn: Connection) -> None:
    assert "没有拒绝记录" in (await run("refusals")).output
    hazard = factories.new_id()
    await refusals.note(conn, factories.actor(Role.HANDLER), hazard, f"/{CITY}/", "close", "not_own_work", OLD)
    await conn.commit()
    assert (await told("refusals"))["hazard"] == str(hazard)
    assert "not_own_work" in (await run("refusals")).output
