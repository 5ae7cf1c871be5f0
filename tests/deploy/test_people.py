"""``campus-risk account``: from the first administrator to a forgotten authenticator."""

import asyncio
import json

import pytest
from typer.testing import CliRunner, Result

from deploy.cli import app
from deploy.runtime.checks import CannotStart
from models.roles import Role
from store import accounts, sign_in
from store.db import Connection
from tests.factories import CITY, NOW, SCHOOL
from tests.store.test_landing import count

pytestmark = pytest.mark.runtime


@pytest.fixture
def database(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMPUS_RISK_DATABASE", dsn)
    monkeypatch.setenv("COLUMNS", "200")


async def run(*words: str, stdin: str = "") -> Result:
    """``campus-risk account`` with these words."""
    return await asyncio.to_thread(CliRunner().invoke, app, ["account", *words], input=stdin)


async def ran(*words: str, stdin: str = "") -> str:
    result = await run(*words, stdin=stdin)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


CREATE = ("create", "--login", " Li.Si ", "--name", "李四", "--grant", f"admin@{CITY}", "--grant", f"handler@{SCHOOL}")


@pytest.mark.usefixtures("database")
async def test_an_account_is_made_and_its_password_shown_once(conn: Connection) -> None:
    told = json.loads(await ran(*CREATE, "--json"))
    assert told["login"] == "li.si"
    read = await sign_in.secrets_of(conn, "li.si")
    assert read
    assert accounts.verified(read.password, told["password"])
    listed = await ran("list")
    assert f"admin@{CITY}" in listed
    assert told["password"] not in listed
    await conn.commit()
    again = await run(*CREATE)
    assert isinstance(again.exception, CannotStart)
    assert "taken" in str(again.exception)


@pytest.mark.usefixtures("database")
async def test_a_password_may_be_asked_for(conn: Connection) -> None:
    password = "lantern-no-3-still-lit"
    output = await ran(*CREATE, "--ask", stdin=f"{password}\n{password}\n")
    assert password not in output
    read = await sign_in.secrets_of(conn, "li.si")
    assert read
    assert accounts.verified(read.password, password)
    weak = await run("reset-password", "--login", "li.si", "--ask", stdin="short\nshort\n")
    assert isinstance(weak.exception, CannotStart)


@pytest.mark.usefixtures("database")
async def test_roles_come_and_go_and_the_account_is_closed(conn: Connection) -> None:
    await ran(*CREATE)
    await ran("grant", "--login", "li.si", f"assessor@{SCHOOL}")
    await ran("revoke", "--login", "li.si", f"handler@{SCHOOL}")
    account = await accounts.by_login(conn, "li.si")
    assert account
    assert {(grant.role, grant.unit) for grant in account.live} == {(Role.ADMIN, CITY), (Role.ASSESSOR, SCHOOL)}
    await sign_in.begin(conn, account.id, NOW, factor=False)
    await conn.commit()
    await ran("disable", "--login", "li.si")
    assert await count(conn, "sessions") == 0


@pytest.mark.usefixtures("database")
async def test_resets_end_sessions(conn: Connection) -> None:
    await ran(*CREATE)
    for command in ("reset-password", "reset-second-factor"):
        account = await accounts.by_login(conn, "li.si")
        assert account
        await sign_in.begin(conn, account.id, NOW, factor=False)
        await conn.commit()
        await ran(command, "--login", "li.si")
        assert await count(conn, "sessions") == 0


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize(
    ("words", "cure"),
    [
        (("disable", "--login", "nobody"), "account list"),
        (("grant", "--login", "nobody", f"handler@{SCHOOL}"), "account list"),
        (("create", "--login", "new.one", "--name", "x", "--grant", "handler@nowhere"), "/api/v1/units"),
    ],
)
async def test_what_is_not_there_is_said_with_the_cure(conn: Connection, words: tuple[str, ...], cure: str) -> None:
    result = await run(*words)
    assert isinstance(result.exception, CannotStart)
    assert cure in str(result.exception)
    assert await count(conn, "accounts") == 0


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("grant", ["wall@330200", "system@330200", "handler", "handler@", "@330200"])
async def test_what_is_no_grant(grant: str) -> None:
    result = await run("create", "--login", "new.one", "--name", "x", "--grant", grant)
    assert result.exit_code == 2
    assert "ROLE@UNIT" in result.output
