"""Real receivers on this machine: a mail server, an HTTP receiver, and strict stand-ins for what DingTalk's and WeCom's robots take."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Hook:
    """An HTTP receiver. ``status`` is what it answers; ``delay`` how long it takes; ``bodies`` what it took, in order."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.url = f"http://{address[0]}:{address[1]}/hook"
        self.status, self.delay, self.location = 200, 0.0, ""
        self.bodies: list[dict[str, Any]] = []
        self.asked: list[str] = []

    def answer(self, path: str, content_type: str, raw: bytes) -> tuple[int, dict[str, Any]]:
        """Take a body, or refuse it."""
        self.asked.append(path)
        if self.status == 200:
            self.bodies.append(json.loads(raw))
        return self.status, {}

    @property
    def titles(self) -> list[str]:
        """Titles of what was taken."""
        return [body["title"] for body in self.bodies]


class Robot(Hook):
    """What a robot's documentation asks for; a refusal is a 200 with an ``errcode``, as from the real ones."""

    secret: str | None = None
    most = 20_000

    def answer(self, path: str, content_type: str, raw: bytes) -> tuple[int, dict[str, Any]]:
        """Take a text as the robot would."""
        self.asked.append(path)
        body, query = json.loads(raw), parse_qs(urlsplit(path).query)
        code = self._refusal(body, query, content_type, len(raw))
        if code == 0:
            self.bodies.append(body)
        return 200, {"errcode": code, "errmsg": "ok" if code == 0 else "refused"}

    def _refusal(self, body: dict[str, Any], query: dict[str, list[str]], content_type: str, size: int) -> int:
        if not content_type.startswith("application/json") or body.get("msgtype") != "text":
            return 40035
        if not isinstance(body["text"]["content"], str) or len(body["text"]["content"].encode()) > self.most:
            return 40035
        if self.secret is None:
            return 0
        stamp = query.get("timestamp", ["0"])[0]
        sign = hmac.new(self.secret.encode(), f"{stamp}\n{self.secret}".encode(), hashlib.sha256).digest()
        fresh = abs(time.time() * 1000 - int(stamp)) < 3_600_000
        return 0 if fresh and query.get("sign") == [base64.b64encode(sign).decode()] else 310000


@contextmanager
def listening(kind: type[Hook] = Hook, port: int = 0) -> Iterator[Hook]:
    """A receiver on the loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(hook.delay)
            status, answer = hook.answer(self.path, self.headers["Content-Type"], raw)
            body = json.dumps(answer).encode()
            self.send_response(status)
            if hook.location:
                self.send_header("Location", hook.location)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    hook = kind(("127.0.0.1", server.server_address[1]))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Mails:
    """A handler of a mail server: ``taken`` are the mails, in order; ``refuses`` answers 451 as an overloaded one does."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.to: list[list[str]] = []
        self.refuses = False
        self.port = 0

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Take one mail."""
        if self.refuses:
            return "451 try again later"
        content = envelope.content
        assert isinstance(content, bytes)
        self.taken.append(message_from_bytes(content, policy=policy.default))  # type: ignore[arg-type]
        self.to.append(list(envelope.rcpt_tos))
        return "250 taken"

    @property
    def url(self) -> str:
        """The server as a deployment's ``CAMPUS_RISK_MAIL``."""
        return f"mailto://127.0.0.1:{self.port}/?from=duty@campus.example"


@contextmanager
def mail_server(port: int) -> Iterator[Mails]:
    """A real SMTP server on the loopback."""
    mails = Mails()
    mails.port = port
    controller = Controller(mails, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield mails
    finally:
        controller.stop()
