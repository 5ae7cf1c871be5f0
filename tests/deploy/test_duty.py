"""``campus-risk roster`` and ``campus-risk chain``: turns set by login, gaps that a cron job can see."""

import asyncio
import json

import pytest
from typer.testing import CliRunner, Result

from deploy.cli import app
from deploy.runtime.checks import CannotStart
from models.levels import Level
from models.roles import Role
from store import units
from store.db import Connection
from tests import factories
from tests.api.test_sessions import account
from tests.factories import CITY, NOW, SCHOOL
from tests.store.test_landing import opened

pytestmark = pytest.mark.runtime

SET = ("roster", "set", "--unit", SCHOOL, "--role", "assessor", "--first-day", "2026-05-01")


@pytest.fixture
def database(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMPUS_RISK_DATABASE", dsn)
    monkeypatch.setenv("COLUMNS", "200")


async def run(*words: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, list(words))


async def lines(*words: str) -> list[dict[str, object]]:
    result = await run(*words, "--json")
    return [json.loads(line) for line in result.output.splitlines()]


@pytest.mark.usefixtures("database")
async def test_a_roster_is_set_by_logins_and_planned(conn: Connection) -> None:
    for login in ("a.one", "a.two"):
        await account(conn, login, (Role.ASSESSOR, SCHOOL))
    assert (await run(*SET, "--turn", "day", "a.one", "A.Two")).exit_code == 0
    listed = await lines("roster", "list")
    assert [(row["unit"], row["role"]) for row in listed] == [(SCHOOL, "assessor")]
    watches = await lines("roster", "plan", "--unit", SCHOOL, "--role", "assessor", "--days", "3")
    assert len(watches) == 4
    assert all(row["on_duty"] for row in watches)
    assert (await run("roster", "gaps")).exit_code == 0
    assert "已停用" in (await run("roster", "end", "--unit", SCHOOL, "--role", "assessor")).output
    assert "本来就没有" in (await run("roster", "end", "--unit", SCHOOL, "--role", "assessor")).output


@pytest.mark.usefixtures("database")
async def test_a_gap_ends_with_one(conn: Connection) -> None:
    await account(conn, "a.one", (Role.ASSESSOR, SCHOOL))
    assert (await run(*SET, "--holidays", "nobody", "a.one")).exit_code == 0
    result = await run("roster", "gaps")
    assert result.exit_code == 1
    assert SCHOOL in result.output


@pytest.mark.usefixtures("database")
async def test_what_cannot_be_a_roster_is_said_in_one_sentence(conn: Connection) -> None:
    await account(conn, "a.one", (Role.HANDLER, SCHOOL))
    for words, sentence in (
        ((*SET, "a.nobody"), "no account a.nobody"),
        ((*SET, "a.one"), "没有「研判员」角色"),
        (("roster", "set", "--unit", "x", "--role", "assessor", "--first-day", "2026-05-01", "a.one"), "no unit x"),
    ):
        result = await run(*words)
        assert isinstance(result.exception, CannotStart)
        assert sentence in str(result.exception)
    assert (await run("roster", "end", "--unit", SCHOOL, "--role", "informant")).exit_code == 2


@pytest.mark.usefixtures("database")
async def test_old_chains_are_listed(conn: Connection) -> None:
    await opened(conn, Level.YELLOW)
    await conn.commit()
    assert "现在的链条" in (await run("chain", "left")).output
    before = await units.tree(conn)
    moved = [factories.unit(u.code, CITY if u.code == SCHOOL else u.parent, tier=u.tier, name=u.name) for u in before]
    await units.load(conn, CITY, "试验市", {}, type(before)(moved), NOW)
    await conn.commit()
    (row,) = await lines("chain", "left")
    assert (row["unit"], row["count"]) == (SCHOOL, 1)
