"""``campus-risk account``: from the first administrator to a forgotten authenticator."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from deploy.cli import app
from deploy.runtime.checks import CannotStart
from models.roles import Role
from store import accounts, identities, sign_in, units
from store.db import Connection
from store.sealing import sealer
from store.settings import Settings
from streams.context import now
from tests.factories import CITY, NOW, SCHOOL
from tests.provider import entry
from tests.store.test_landing import count, query

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
async def test_a_closed_account_is_opened_with_a_new_password_and_all_of_it_is_written_down(conn: Connection) -> None:
    await ran(*CREATE)
    again = await run("enable", "--login", "li.si")
    assert isinstance(again.exception, CannotStart)
    await ran("disable", "--login", "li.si")
    told = json.loads(await ran("enable", "--login", "li.si", "--json"))
    read = await sign_in.secrets_of(conn, "li.si")
    assert read
    assert accounts.verified(read.password, told["password"])
    await ran("reset-password", "--login", "li.si")
    await ran("reset-second-factor", "--login", "li.si")
    rows = await query(conn, "SELECT act, by FROM account_acts ORDER BY at")
    acts = ["disable", "enable", "password", "reset-second-factor"]
    assert [(row["act"], row["by"]) for row in rows] == [(act, "cli") for act in acts]
    listed = await ran("acts", "--login", "li.si")
    assert [act for act in acts if act in listed] == acts


ISSUER = "https://sso.example.edu.cn"
LINK = ("link", "--login", "li.si", "--provider", "u01", "--subject", "s-1")


@pytest.fixture
def provided(monkeypatch: pytest.MonkeyPatch) -> None:
    """The city has an identity provider."""
    whole = units.city

    async def city(conn: Connection) -> dict[str, Any] | None:
        found = await whole(conn)
        return found and found | {"profile": {"sign_in": [entry(ISSUER, "330203")]}}

    monkeypatch.setattr(units, "city", city)


@pytest.mark.usefixtures("database", "provided")
async def test_identities_are_linked_listed_and_taken_back(conn: Connection) -> None:
    await ran(*CREATE)
    await ran(*LINK)
    listed = await ran("identities", "--login", "li.si")
    assert (ISSUER in listed, "s-1" in listed) == (True, True)
    found = await identities.linked(conn, ISSUER, "s-1")
    assert found
    await conn.commit()
    await ran("create", "--login", "other", "--name", "王五", "--grant", f"handler@{SCHOOL}")
    taken = await run(*LINK[:2], "other", *LINK[3:])
    assert "another account" in str(taken.exception)
    await ran("unlink", "--login", "li.si", str(found[0]))
    assert await identities.linked(conn, ISSUER, "s-1") is None
    gone = await run("unlink", "--login", "li.si", str(found[0]))
    assert "account identities" in str(gone.exception)


@pytest.mark.usefixtures("database", "provided")
async def test_a_link_code_is_shown_once_and_kept_as_a_hash(conn: Connection) -> None:
    await ran(*CREATE)
    code = (await ran("link-code", "--login", "li.si")).split()[0]
    account = await accounts.by_login(conn, "li.si")
    assert account
    assert await identities.code_owner(conn, code, now()) == account.id
    assert code.replace("-", "") not in repr(await query(conn, "SELECT * FROM link_codes"))
    await conn.commit()
    await ran("disable", "--login", "li.si")
    assert await identities.code_owner(conn, code, now()) is None
    closed = await run("link-code", "--login", "li.si")
    assert "account enable" in str(closed.exception)


@pytest.mark.usefixtures("database", "provided")
async def test_a_link_that_could_sign_nobody_in_is_refused(conn: Connection) -> None:
    await ran("create", "--login", "li.si", "--name", "李四", "--grant", "handler@U01")
    assert "grant one first" in str((await run(*LINK)).exception)
    assert "[[sign_in]]" in str((await run(*LINK[:4], "u99", *LINK[5:])).exception)
    assert await count(conn, "identities") == 0


@pytest.mark.usefixtures("database")
async def test_secrets_that_lie_open_are_sealed(
    conn: Connection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CAMPUS_RISK_LOCAL", str(tmp_path))
    await ran(*CREATE)
    await conn.execute("UPDATE accounts SET totp_secret = 'JBSWY3DPEHPK3PXP'")
    await conn.commit()
    assert "1 " in await ran("seal")
    kept = (await query(conn, "SELECT totp_secret AS s FROM accounts"))[0]["s"]
    assert sealer(Settings(local=tmp_path)).open(kept) == "JBSWY3DPEHPK3PXP"


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
