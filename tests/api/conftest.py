"""Identity providers for the tests of single sign-on, and an API of their city."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from fastapi import FastAPI

from api.app import create as create_api
from deploy.runtime.local import LocalRuntime
from tests import provider as providers
from tests.conftest import settings_for
from tests.provider import Made


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def issuer() -> AsyncIterator[str]:
    async with providers.real() as address:
        yield address


@pytest.fixture
def made() -> Iterator[Made]:
    with providers.made() as provider:
        yield provider


@pytest_asyncio.fixture(loop_scope="session")
async def app(dsn: str, runtime: LocalRuntime, trained: Path) -> AsyncIterator[FastAPI]:
    """The API of a city that has no provider yet."""
    app = create_api(settings_for(runtime, trained, dsn, oidc_secrets='{"u01": "s:e+c", "honest": "x"}'))
    async with app.router.lifespan_context(app):
        yield app
