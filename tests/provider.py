"""Identity providers for tests: a real one in a process of its own, and a hand-made one that says whatever a test wants."""

import asyncio
import json
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from deploy.runtime.checks import free_port

CLIENT = "campus-risk"


def entry(issuer: str, unit: str, id: str = "u01", **more: Any) -> dict[str, Any]:
    """A ``[[sign_in]]``."""
    return {"id": id, "label": "试验大学统一身份认证", "unit": unit, "issuer": issuer, "client_id": CLIENT, **more}


@asynccontextmanager
async def real() -> AsyncIterator[str]:
    """The address of a real OpenID provider (PyPI oidc-provider-mock); whoever names a subject to it is that."""
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with httpx.AsyncClient() as client, asyncio.timeout(30):
            while True:
                try:
                    await client.get(f"{issuer}/.well-known/openid-configuration")
                    break
                except httpx.HTTPError:
                    await asyncio.sleep(0.1)
        yield issuer
    finally:
        process.terminate()
        await process.wait()


async def agreed(location: str, subject: str) -> str:
    """Somebody signs in at the real provider as ``subject``; where it sends their browser back to."""
    async with httpx.AsyncClient() as client:
        answer = await client.post(location, data={"sub": subject})
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


def key(kid: str = "one") -> RSAKey:
    """A signing key."""
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"})


class Made:
    """A provider whose every answer a test decides."""

    def __init__(self, port: int) -> None:
        self.issuer = f"http://127.0.0.1:{port}"
        self.keys = [key()]
        self.metadata: dict[str, Any] = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }
        self.token: Any = None
        self.asked: list[dict[str, str]] = []
        self.authorized: list[str | None] = []

    def claims(self, location: str, **more: Any) -> dict[str, Any]:
        """What a good token says for somebody who was sent to ``location``; ``None`` leaves a claim out."""
        at = int(time.time())
        nonce = parse_qs(urlsplit(location).query)["nonce"][0]
        said = {"iss": self.issuer, "aud": CLIENT, "sub": "s-1", "nonce": nonce, "iat": at, "exp": at + 300} | more
        return {name: value for name, value in said.items() if value is not None}

    def sign(self, claims: dict[str, Any], by: RSAKey | None = None) -> str:
        """A token."""
        by = by or self.keys[0]
        return jwt.encode({"alg": "RS256", "kid": by.kid}, claims, by, algorithms=["RS256"])

    def answer(self, path: str) -> Any:
        """The JSON at a path."""
        return {
            "/.well-known/openid-configuration": self.metadata,
            "/keys": KeySet(self.keys).as_dict(private=False),
            "/token": {"access_token": "x", "token_type": "Bearer", "id_token": self.token},
        }[path]


@contextmanager
def made() -> Iterator[Made]:
    """Such a provider, running."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(provider.answer(urlsplit(self.path).path)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            provider.asked.append({name: values[0] for name, values in form.items()})
            provider.authorized.append(self.headers.get("Authorization"))
            self.do_GET()

        def log_message(self, *words: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider = Made(server.server_port)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
