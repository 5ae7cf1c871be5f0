"""Talking to identity providers: discovery, the code for an ID token, and the keys that sign it."""

import asyncio
import logging
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import httpx
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from api.state import now
from models.identity import BadToken, Proof, Provider, derived, safe_address, verified

log = logging.getLogger(__name__)

# Somebody waits before a white page.
_TIMEOUT = httpx.Timeout(5.0)
# A provider's metadata and keys are some kilobytes; what is longer is something else.
_MOST = 1_000_000
# Keys are rotated within days, and published before they sign.
_FRESH = 3600.0
# An unknown key makes us look again, yet not at every forged token.
_AGAIN = 30.0


class Unreachable(Exception):
    """A provider that does not answer, or not as OpenID Connect says. The reason holds nothing secret."""


@dataclass(slots=True)
class Known:
    """What a provider published."""

    metadata: dict[str, Any]
    keys: KeySet
    read: float


@dataclass(slots=True)
class Providers:
    """What was read of the providers, kept for an hour."""

    known: dict[str, Known] = field(default_factory=dict)
    locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def at(self, provider: Provider, *, older: float = _FRESH) -> Known:
        """Metadata and keys, read anew where they are ``older`` (seconds). Raises ``Unreachable``."""
        # One lock a provider: those of another one do not wait for a provider that hangs.
        async with self.locks.setdefault(provider.issuer, asyncio.Lock()):
            known = self.known.get(provider.issuer)
            if known is None or time.monotonic() - known.read > older:
                known = self.known[provider.issuer] = await _discovered(provider)
        return known

    async def proof(self, provider: Provider, secret: str | None, code: str, browser: str, redirect: str) -> Proof:
        """Whom an authorization code proves. Raises ``Unreachable`` and ``BadToken``."""
        known = await self.at(provider)
        token = await _exchanged(provider, known.metadata, secret, code, browser, redirect)
        nonce = derived(browser, "nonce")
        try:
            return verified(token, known.keys, provider, nonce, now())
        except BadToken as error:
            if not str(error).startswith("signature"):
                raise
        known = await self.at(provider, older=_AGAIN)
        return verified(token, known.keys, provider, nonce, now())


async def _discovered(provider: Provider) -> Known:
    async with _client() as client:
        metadata = await _json(
            client, client.build_request("GET", provider.issuer.rstrip("/") + "/.well-known/openid-configuration")
        )
        # Else one provider could speak for another (OpenID Connect Discovery §4.3).
        if metadata.get("issuer") != provider.issuer:
            raise Unreachable("its metadata names another issuer")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not isinstance(metadata.get(name), str) or not safe_address(metadata[name]):
                raise Unreachable(f"its {name} is no safe address")
        published = await _json(client, client.build_request("GET", metadata["jwks_uri"]))
    try:
        keys = KeySet.import_key_set({"keys": published["keys"]})
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise Unreachable(f"its keys cannot be read ({type(error).__name__})") from None
    return Known(metadata, keys, time.monotonic())


async def _exchanged(
    provider: Provider, metadata: dict[str, Any], secret: str | None, code: str, browser: str, redirect: str
) -> str:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect,
        "code_verifier": derived(browser, "verifier"),
    }
    headers, methods = {}, metadata.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    if secret is not None and "client_secret_basic" in methods:
        # Both are form-encoded first (RFC 6749 §2.3.1).
        basic = httpx.BasicAuth(quote(provider.client_id, safe=""), quote(secret, safe=""))
        headers = {"Authorization": next(basic.auth_flow(httpx.Request("POST", "/"))).headers["Authorization"]}
    else:
        form["client_id"] = provider.client_id
        if secret is not None:
            form["client_secret"] = secret
    async with _client() as client:
        told = await _json(client, client.build_request("POST", metadata["token_endpoint"], data=form, headers=headers))
    token = told.get("id_token")
    if not isinstance(token, str):
        raise Unreachable("it gave no ID token")
    return token


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=False, headers={"Accept": "application/json"})


async def _json(client: httpx.AsyncClient, request: httpx.Request) -> dict[str, Any]:
    """A JSON object from a provider. Raises ``Unreachable``."""
    try:
        async with asyncio.timeout(2 * float(_TIMEOUT.read or 5)):
            answer = await client.send(request, stream=True)
            try:
                body = b""
                async for part in answer.aiter_bytes():
                    body += part
                    if len(body) > _MOST:
                        raise Unreachable("its answer is too long")
            finally:
                await answer.aclose()
        found = httpx.Response(answer.status_code, content=body).json() if answer.status_code == 200 else None
    except (httpx.HTTPError, TimeoutError, ValueError) as error:
        raise Unreachable(f"{request.url.path}: {type(error).__name__}") from None
    if not isinstance(found, dict):
        raise Unreachable(f"{request.url.path}: {answer.status_code}, or no JSON object")
    return found
