"""Channels: from plain parts, or an Apprise URL of an allowed scheme, to the one Apprise URL that is kept (sealed), and its mask.

Whatever else Apprise could do with a URL (read key files, follow redirects, skip certificates) is not let through.
"""

import ipaddress
import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit


class ChannelKind(StrEnum):
    """By what way somebody is told."""

    DINGTALK = "dingtalk"
    WECOM = "wecom"
    EMAIL = "email"
    WEBHOOK = "webhook"

    @property
    def label(self) -> str:
        """The Chinese word on the page."""
        return {"dingtalk": "钉钉", "wecom": "企业微信", "email": "电子邮件", "webhook": "网络回调"}[self.value]


class BadChannel(ValueError):
    """An address that cannot be a channel; says why, and what to write."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A checked channel. ``url`` holds tokens and is for sealing only; ``masked`` may be shown; ``host`` is given by a person, if any."""

    kind: ChannelKind
    url: str
    masked: str
    host: str | None = None


_SCHEMES = {
    "dingtalk": ChannelKind.DINGTALK,
    "wecombot": ChannelKind.WECOM,
    "mailto": ChannelKind.EMAIL,
    "mailtos": ChannelKind.EMAIL,
    "json": ChannelKind.WEBHOOK,
    "jsons": ChannelKind.WEBHOOK,
}
# Parameters of an Apprise URL that say where and as whom, and none that say how: those are ours.
_PARAMETERS = {
    ChannelKind.DINGTALK: {"secret"},
    ChannelKind.WECOM: set[str](),
    ChannelKind.EMAIL: {"from", "to", "name", "smtp", "mode"},
    ChannelKind.WEBHOOK: set[str](),
}
_TOKEN = re.compile(r"[A-Za-z0-9]{8,128}")
_KEY = re.compile(r"[A-Za-z0-9_-]{8,128}")
_MAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+")
# Of a webhook's own query and headers; a header of ours (Host, Content-Length) cannot be overwritten.
_HEADER = re.compile(r"(?i)(authorization|x-[a-z0-9-]{1,60})")
MOST = 1000


def channel(kind: ChannelKind, address: str, secret: str | None = None) -> Channel:
    """A channel from plain parts: a robot's token or webhook address, a mail address, an ``https://`` address. Raises ``BadChannel``."""
    address = address.strip()
    if not address or len(address) > MOST or any(ord(char) <= 32 for char in address):
        raise BadChannel(f"地址须为 1–{MOST} 个不含空白的字符")
    if urlsplit(address).scheme in _SCHEMES:
        found = of_url(address)
        if found.kind is not kind:
            raise BadChannel(f"此 Apprise 地址是{found.kind.label}，不是{kind.label}")
        return found
    match kind:
        case ChannelKind.DINGTALK:
            return _dingtalk(_from_webhook(address, "oapi.dingtalk.com", "access_token"), secret or "")
        case ChannelKind.WECOM:
            return _wecom(_from_webhook(address, "qyapi.weixin.qq.com", "key"))
        case ChannelKind.EMAIL:
            return _mail(address)
        case ChannelKind.WEBHOOK:
            return _webhook(address)


def of_url(url: str) -> Channel:
    """A channel from an Apprise URL. Raises ``BadChannel``: for another scheme, and for a parameter that is not let through."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise BadChannel("地址无法解析，请检查主机与端口") from None
    kind = _SCHEMES.get(parts.scheme)
    if kind is None:
        raise BadChannel(f"不支持 {parts.scheme or '空'}:// ；可用：{'、'.join(f'{scheme}://' for scheme in _SCHEMES)}")
    given = _query(parts.query)
    headers = {key: value for key, value in given.items() if kind is ChannelKind.WEBHOOK and key[:1] in "+-"}
    if strange := sorted(set(given) - _PARAMETERS[kind] - set(headers)):
        raise BadChannel(f"Apprise 参数 {'、'.join(strange)} 不予使用，请去掉")
    host = parts.netloc.rpartition("@")[2].partition("/")[0]
    if kind is ChannelKind.DINGTALK:
        return _dingtalk(host, unquote(parts.username or "") or given.get("secret", ""))
    if kind is ChannelKind.WECOM:
        return _wecom(host)
    if not parts.hostname:
        raise BadChannel("地址缺少主机")
    own = (
        f"{quote(unquote(parts.username), safe='')}:{quote(unquote(parts.password or ''), safe='')}@"
        if parts.username
        else ""
    )
    where = f"{_bracketed(parts.hostname)}{f':{port}' if port else ''}"
    if kind is ChannelKind.EMAIL:
        to = given.get("to") or unquote(parts.path.strip("/"))
        if not _MAIL.fullmatch(to) or ("from" in given and not _MAIL.fullmatch(given["from"])):
            raise BadChannel("收件人（to）与发件人（from）须各为一个电子邮箱地址")
        query = urlencode({**given, "to": to, "format": "text"})
        return Channel(
            kind, f"{parts.scheme}://{own}{where}/?{query}", _masked_mail(to), given.get("smtp") or parts.hostname
        )
    for name in headers:
        if name.startswith("+") and not _HEADER.fullmatch(name[1:]):
            raise BadChannel(f"请求头 {name[1:]} 不予使用；可用 Authorization 与 X- 开头的")
    query = "&".join(f"{key[0]}{quote(key[1:], safe='')}={quote(value, safe='')}" for key, value in headers.items())
    return Channel(
        kind, f"{parts.scheme}://{own}{where}{parts.path or '/'}?{query}{'&' if query else ''}format=text", f"{where}/…", parts.hostname
    )  # fmt: skip


def _query(query: str) -> dict[str, str]:
    """Parameters by name. A plus that leads a name is Apprise's mark of a header, and no space."""
    pairs = (part.partition("=") for part in query.split("&") if part)
    return {key[:1] + unquote(key[1:]): unquote(value.replace("+", " ")) for key, _, value in pairs}


def _from_webhook(address: str, host: str, parameter: str) -> str:
    """A robot's token: as it is, or out of the webhook address that its page shows."""
    parts = urlsplit(address)
    if parts.scheme:
        if parts.scheme != "https" or parts.hostname != host:
            raise BadChannel(f"机器人地址须以 https://{host}/ 开头，或只写其中的 {parameter}")
        return dict(parse_qsl(parts.query)).get(parameter, "")
    return address


def _dingtalk(token: str, secret: str) -> Channel:
    if not _TOKEN.fullmatch(token) or (secret and not _TOKEN.fullmatch(secret)):
        raise BadChannel("钉钉机器人的 access_token 与加签密钥（secret）只含字母与数字")
    return Channel(
        ChannelKind.DINGTALK, f"dingtalk://{f'{secret}@' if secret else ''}{token}/?format=text", f"…{token[-4:]}"
    )


def _wecom(key: str) -> Channel:
    if not _KEY.fullmatch(key):
        raise BadChannel("企业微信机器人的 key 只含字母、数字、- 与 _")
    return Channel(ChannelKind.WECOM, f"wecombot://{key}/?format=text", f"…{key[-4:]}")


def _mail(address: str) -> Channel:
    """Sent by the deployment's own mail server: the URL has no host of its own."""
    if not _MAIL.fullmatch(address):
        raise BadChannel("不是电子邮箱地址")
    return Channel(ChannelKind.EMAIL, f"mailto:?{urlencode({'to': address})}", _masked_mail(address))


def _masked_mail(address: str) -> str:
    name, _, domain = address.partition("@")
    return f"{name[:1]}***@{domain}"


def _webhook(address: str) -> Channel:
    try:
        parts = urlsplit(address)
        given = parse_qsl(parts.query, keep_blank_values=True)
    except ValueError:
        raise BadChannel("地址无法解析，请检查主机与端口") from None
    if parts.scheme not in ("http", "https"):
        raise BadChannel("回调地址须以 https:// 或 http:// 开头")
    scheme = "jsons" if parts.scheme == "https" else "json"
    query = "&".join(f"-{quote(key, safe='')}={quote(value, safe='')}" for key, value in given)
    return of_url(f"{scheme}://{parts.netloc}{parts.path}{f'?{query}' if query else ''}")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def is_public(address: str) -> bool:
    """Whether an IP address may be spoken to: no loopback, link-local, private, shared, reserved or multicast one, however it is wrapped."""
    try:
        given = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(given, ipaddress.IPv6Address):
        # An IPv4 address inside an IPv6 one (mapped, 6to4, NAT64) leads to that IPv4 address.
        inner = given.ipv4_mapped or given.sixtofour
        if inner is None and given in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(given) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    return given.is_global and not given.is_multicast
