"""The way out of one message: Apprise's plugins, in a thread, with the addresses they may speak to fenced in. No SQL.

``requests`` and ``smtplib`` look a name up again when they connect, so a look before is not enough: while a message is being
sent, each connection of its thread is checked as it is made (an audit hook of Python, set once a process).
"""

import asyncio
import functools
import logging
import re
import socket
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from json import dumps
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import requests
from apprise import AppriseAsset, NotifyFormat, NotifyType
from apprise.exception import AppriseImproperlyConfigured
from apprise.plugins.base import NotifyBase
from apprise.plugins.custom_json import NotifyJSON
from apprise.plugins.dingtalk import NotifyDingTalk
from apprise.plugins.wecombot import NotifyWeComBot

from models.levels import Level
from models.notices_channel import BadChannel, Channel, is_public
from models.notices_text import Message
from store.sealing import Sealer
from store.settings import Settings, Unusable

with warnings.catch_warnings():
    # It looks for a module that Python 3.13 has dropped, and brings its own where there is none.
    warnings.filterwarnings("ignore", "'imghdr' is deprecated", DeprecationWarning)
    from apprise.plugins.email import NotifyEmail

log = logging.getLogger(__name__)

# Apprise's sockets give up after 4 s each; a receiver that answers drop by drop is left after this.
TIMEOUT = 20.0
# What a message's type is to receivers that look at it (a webhook's `type`).
_TYPE = {
    Level.RED: NotifyType.FAILURE,
    Level.ORANGE: NotifyType.WARNING,
    Level.YELLOW: NotifyType.WARNING,
    Level.BLUE: NotifyType.INFO,
}
_STATUS = re.compile(r"error=(\d{3})\b")


class _Fenced(OSError):
    """A connection to an address that a message may not reach."""


_fence: ContextVar[bool] = ContextVar("fence", default=False)
_said: ContextVar[list[str] | None] = ContextVar("said", default=None)


def _watch(event: str, args: tuple[Any, ...]) -> None:
    if event == "socket.connect" and _fence.get() and isinstance(args[1], tuple) and not is_public(str(args[1][0])):
        raise _Fenced("this address may not be spoken to")


class _Ear(logging.Handler):
    """Apprise answers yes or no, and says why to its log only: heard here for a reason code, and passed on to nobody.

    Its lines hold addresses, and tokens that do not fit.
    """

    def emit(self, record: logging.LogRecord) -> None:
        if (lines := _said.get()) is not None:
            lines.append(record.getMessage())


@functools.cache
def _ready() -> AppriseAsset:
    sys.addaudithook(_watch)
    theirs = logging.getLogger("apprise")
    theirs.propagate = False
    theirs.setLevel(logging.WARNING)
    theirs.addHandler(_Ear())
    return AppriseAsset(
        app_id="campus-risk", app_desc="campus-risk", app_url="", http_redirects=False, async_mode=False
    )


class _Robot(NotifyBase):  # type: ignore[no-untyped-call]
    """A robot answers 200 also where it refuses, and says so in ``errcode``; Apprise's plugins look at the status only."""

    answer: str | None = None

    def _post(self, url: str, payload: dict[str, Any], params: dict[str, str] | None = None) -> bool:
        headers = {"User-Agent": self.app_id, "Content-Type": "application/json; charset=utf-8"}
        try:
            got = requests.post(
                url,
                data=dumps(payload).encode(),
                params=params,
                headers=headers,
                verify=self.verify_certificate,
                timeout=self.request_timeout,
                allow_redirects=False,
            )
            code = got.json().get("errcode") if got.status_code == requests.codes.ok else None
        except requests.exceptions.JSONDecodeError:
            self.answer = "no_answer"
        except requests.RequestException:
            self.answer = "unreachable"
        else:
            status = "no_answer" if got.status_code == requests.codes.ok else f"http_{got.status_code}"
            self.answer = None if code == 0 else status if code is None else f"errcode_{code}"
        return self.answer is None


class DingTalk(_Robot, NotifyDingTalk):  # type: ignore[no-untyped-call]
    """Apprise's DingTalk robot, that believes the robot's own answer."""

    def send(
        self,
        body: str,
        title: str = "",
        notify_type: NotifyType = NotifyType.INFO,
        body_format: NotifyFormat | None = None,
        **kwargs: Any,
    ) -> bool:
        """Post one text."""
        content = f"{title}\r\n{body}" if title else body
        payload = {"msgtype": "text", "at": {"atMobiles": self.targets, "isAtAll": False}, "text": {"content": content}}
        params = None
        if self.secret:
            timestamp, sign = self.get_signature()  # type: ignore[no-untyped-call]
            # Quoted by the plugin already, and requests quotes it once more: the robot's manual asks for once.
            params = {"timestamp": timestamp, "sign": unquote(sign)}
        return self._post(self.notify_url.format(token=self.token), payload, params)


class WeCom(_Robot, NotifyWeComBot):  # type: ignore[no-untyped-call]
    """Apprise's WeCom robot, that believes the robot's own answer."""

    def send(self, body: str, title: str = "", notify_type: NotifyType = NotifyType.INFO, **kwargs: Any) -> bool:
        """Post one text; Apprise has put the title into it."""
        return self._post(self.notify_url.format(key=self.key), {"msgtype": "text", "text": {"content": body}})


_PLUGINS: dict[str, type[NotifyBase]] = {
    "dingtalk": DingTalk,
    "wecombot": WeCom,
    "mailto": NotifyEmail,
    "mailtos": NotifyEmail,
    "json": NotifyJSON,
    "jsons": NotifyJSON,
}


def _plugin(url: str, settings: Settings) -> tuple[NotifyBase, bool]:
    """The plugin of a kept URL, and whether a person chose its host. Raises ``BadChannel``."""
    asset, parts, own = _ready(), urlsplit(url), True
    if parts.scheme == "mailto" and not parts.netloc:
        if settings.mail is None:
            raise BadChannel("本平台没有配置邮件服务器：请运维设置 CAMPUS_RISK_MAIL")
        target, url, own = parse_qs(parts.query)["to"][0], settings.mail.get_secret_value(), False
    made = _PLUGINS.get(urlsplit(url).scheme)
    results = made.parse_url(url) if made else None
    if made is None or not results:
        raise BadChannel("Apprise 读不懂这个地址，请检查主机与写法")
    if not own:
        results |= {"targets": [target], "format": "text"}
    try:
        return made(**results | {"asset": asset}), own
    except (AppriseImproperlyConfigured, TypeError):
        raise BadChannel("Apprise 不接受这个地址，请检查主机与写法") from None


def check(channel: Channel, settings: Settings) -> None:
    """Whether a channel can be sent by at all. Raises ``BadChannel``: what Apprise refuses, and a host that may not be spoken to."""
    _plugin(channel.url, settings)
    if channel.host and not settings.notify_private and _fenced(channel.host):
        raise BadChannel(
            "不能通知到本机、内网或无法解析的地址；确需通知校内接收端时，由运维设置 CAMPUS_RISK_NOTIFY_PRIVATE=1"
        )


async def checked(channel: Channel, settings: Settings) -> None:
    """``check`` in a thread, for looking a name up may take seconds. Raises ``BadChannel``."""
    await asyncio.to_thread(check, channel, settings)


def _fenced(host: str) -> bool:
    """Whether a name leads to an address that may not be spoken to, or nowhere."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return True
    return not all(is_public(str(address[0])) for *_, address in found)


@contextmanager
def _listening(fence: bool) -> Iterator[list[str]]:
    lines: list[str] = []
    fenced, heard = _fence.set(fence), _said.set(lines)
    try:
        yield lines
    finally:
        _fence.reset(fenced)
        _said.reset(heard)


def send(url: str, message: Message, settings: Settings) -> str | None:
    """Send one message by a kept URL: None where the receiver took it, else a reason code (docs/runbooks/notices.md). Blocks."""
    try:
        plugin, own = _plugin(url, settings)
    except BadChannel:
        return "no_mail_server" if url.startswith("mailto:?") and settings.mail is None else "bad_address"
    fence = own and not settings.notify_private
    host = getattr(plugin, "smtp_host", None) or plugin.host
    if fence and host and not isinstance(plugin, _Robot) and _fenced(str(host)):
        return "fenced_address"
    with _listening(fence) as lines:
        went = plugin.notify(
            body=message.body, title=message.title, notify_type=_TYPE[message.level], body_format=NotifyFormat.TEXT
        )
    if went:
        return None
    return (plugin.answer if isinstance(plugin, _Robot) else None) or _reason(lines)


def _reason(lines: list[str]) -> str:
    for line in lines:
        if status := _STATUS.search(line):
            return f"http_{status[1]}"
        if "onnection error" in line.lower():
            return "unreachable"
    return "refused"


async def deliver(sealed: str, text: Message, settings: Settings, ours: Sealer) -> str | None:
    """Send one message by a sealed address, in a thread; None where it was taken, else a reason code."""
    try:
        url = ours.open(sealed)
    except Unusable:
        return "sealed"
    try:
        # The thread is not stopped by this: it ends with its sockets, and may yet deliver what is called late here.
        return await asyncio.wait_for(asyncio.to_thread(send, url, text, settings), TIMEOUT)
    except TimeoutError:
        return "timeout"
    except Exception as error:
        log.error("Apprise broke on a %s channel (%s)", url.partition(":")[0], type(error).__name__)
        return "broken"
