"""Real receivers, the agents' clock in the test's hand, and a context of its own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.runtime.checks import free_port
from store.settings import Settings
from streams import escalate, notify
from streams import notices as planning
from streams.context import Context, opened
from tests.receivers import Hook, Mails, listening, mail_server
from tests.streams.notifying import Now


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> Now:
    clock = Now()
    for module in (notify, planning, escalate):
        monkeypatch.setattr(module, "now", clock)
    return clock


@pytest.fixture
def hook() -> Iterator[Hook]:
    with listening() as found:
        yield found


@pytest.fixture
def mails() -> Iterator[Mails]:
    with mail_server(free_port()) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="session")
async def context(dsn: str, tmp_path: Path) -> AsyncIterator[Context]:
    settings = Settings(database=dsn, local=tmp_path, notify_private=True, public_url="http://campus.example/")
    async with opened(settings) as context:
        yield context
