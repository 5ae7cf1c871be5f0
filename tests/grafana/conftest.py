"""A filled database, and a connection to it as an operator's Grafana has it."""

import secrets
import uuid
from collections.abc import AsyncIterator, Iterator
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import pytest_asyncio
from psycopg import sql
from psycopg.rows import dict_row

from store.db import Connection
from tests.grafana.fake import Fake, serve
from tests.grafana.filled import fill


@pytest_asyncio.fixture(loop_scope="session")
async def filled(conn: Connection) -> Connection:
    """The test's database, filled."""
    await fill(conn)
    await conn.commit()
    return conn


@pytest_asyncio.fixture(loop_scope="session")
async def grafana(dsn: str, filled: Connection) -> AsyncIterator[Connection]:
    """Logged in as docs/grafana.md tells an operator to make the login: a member of ``campus_risk_grafana``, of nothing else."""
    login, password = f"grafana_{uuid.uuid4().hex[:8]}", secrets.token_hex(8)
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as owner:
        made = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {} IN ROLE campus_risk_grafana")
        await owner.execute(made.format(sql.Identifier(login), sql.Literal(password)))
        at = urlsplit(dsn)
        place = at.netloc.rpartition("@")[2]
        address = urlunsplit((at.scheme, f"{login}:{password}@{place}", at.path, at.query, ""))
        try:
            async with await psycopg.AsyncConnection.connect(address, autocommit=True, row_factory=dict_row) as reader:
                yield reader
        finally:
            await owner.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(login)))


@pytest.fixture
def server() -> Iterator[tuple[Fake, str]]:
    """The stand-in and its address. Whatever Grafana would not have known fails the test."""
    fake = Fake()
    running, address = serve(fake)
    yield fake, address
    running.shutdown()
    running.server_close()
    assert fake.complaints == []
