import pytest
from store.db import Connection
pytestmark = pytest.mark.runtime
async def test_a(conn: Connection) -> None:
    assert (await (await conn.execute("select current_user, (select rolsuper from pg_roles where rolname=current_user) s, version()")).fetchone()) == 1
async def test_b(api, conn):
    assert (await api.anonymous.get("/health/ready")).json() == 1
