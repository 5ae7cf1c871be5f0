"""People of a campus who sign in with browsers of their own."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
from fastapi import FastAPI

from models.roles import Role
from store import identities
from store.db import Connection
from tests.api.test_sessions import account
from tests.provider import Made, agreed

V1 = "/api/v1"


class Person:
    """A browser with a cookie jar of its own."""

    def __init__(self, app: FastAPI) -> None:
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app, raise_app_exceptions=False), base_url="http://test"
        )

    async def __call__(self, method: str, path: str, json: Any = None, **headers: str) -> httpx.Response:
        return await self.client.request(method, V1 + path, json=json, headers=headers)

    async def begin(self, back: str | None = "/", id: str = "u01") -> str:
        """The address to sign in at."""
        answer = await self("POST", f"/oidc/{id}/begin", {"back": back})
        assert answer.status_code == 200, answer.text
        return str(answer.json()["location"])

    async def come_back(self, address: str) -> str:
        """What the callback says: the fragment of the page it sends to."""
        answer = await self.client.get(address)
        assert answer.status_code == 303, answer.text
        page = urlsplit(answer.headers["location"])
        assert (page.scheme, page.netloc, page.path) == ("", "", "/sign-in.html")
        return page.fragment.removeprefix("oidc=")

    async def sign_in(self, subject: str, id: str = "u01") -> str:
        """To the real provider and back."""
        return await self.come_back(await agreed(await self.begin(id=id), subject))

    async def lie(self, made: Made, token: str, location: str, **more: str) -> str:
        """Back from the hand-made provider with a token."""
        made.token = token
        state = parse_qs(urlsplit(location).query)["state"][0]
        return await self.come_back(f"{V1}/oidc/u01/callback?" + str(httpx.QueryParams(code="c", state=state, **more)))


def configure(app: FastAPI, *entries: dict[str, Any]) -> None:
    """What the city's profile says: in this process only, for the databases of tests share their city."""
    app.state.held.city = {**app.state.held.city, "profile": {"sign_in": list(entries)}}


async def linked(conn: Connection, issuer: str, subject: str, login: str, *grants: tuple[Role, str]) -> UUID:
    """An account with a linked identity."""
    id = await account(conn, login, *grants)
    await identities.link(conn, id, issuer, subject, "test", datetime.now(UTC))
    await conn.commit()
    return id
