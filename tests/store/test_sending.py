"""The way out: what receivers really get, what counts as taken, and where no message may go."""

import base64
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from apprise import NotifyFormat, NotifyType
from apprise.plugins.dingtalk import NotifyDingTalk
from apprise.plugins.wecombot import NotifyWeComBot

from deploy.runtime.checks import free_port
from models.levels import Level
from models.notices_channel import BadChannel, ChannelKind, channel
from models.notices_text import Message
from store import sending
from store.sealing import Sealer
from store.settings import Settings
from tests.receivers import Hook, Robot, listening, mail_server

TOKEN, SECRET, KEY = "a1b2c3d4e5f60718", "SECabcdef0123456789", "693a91f6-7aaa-4bc4"
TEXT = Message("【红】隐患升级：疏散通道与安全出口", "单位：试验小学\n请到平台确认收到", Level.RED)


def settings(**more: Any) -> Settings:
    return Settings(local=Path("none"), notify_private=True, **more)


@pytest.fixture
def hook() -> Iterator[Hook]:
    with listening() as found:
        yield found


@pytest.fixture
def robot() -> Iterator[Robot]:
    with listening(Robot) as found:
        assert isinstance(found, Robot)
        yield found


def url(kind: ChannelKind, address: str, secret: str | None = None) -> str:
    return channel(kind, address, secret).url


def test_a_webhook_gets_title_message_and_type(hook: Hook) -> None:
    assert sending.send(url(ChannelKind.WEBHOOK, hook.url + "?room=7"), TEXT, settings()) is None
    assert hook.bodies == [
        {"version": "1.0", "title": TEXT.title, "message": TEXT.body, "attachments": [], "type": "failure"}
    ]
    assert hook.asked == ["/hook?room=7"]


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_a_webhook_that_refuses_is_a_failure_with_its_status(hook: Hook, status: int) -> None:
    hook.status = status
    assert sending.send(url(ChannelKind.WEBHOOK, hook.url), TEXT, settings()) == f"http_{status}"


def test_nobody_listening_is_unreachable() -> None:
    assert sending.send(url(ChannelKind.WEBHOOK, f"http://127.0.0.1:{free_port()}/"), TEXT, settings()) == "unreachable"


def test_a_redirect_is_not_followed(hook: Hook) -> None:
    with listening() as elsewhere:
        hook.status, hook.location = 307, elsewhere.url
        assert sending.send(url(ChannelKind.WEBHOOK, hook.url), TEXT, settings()) == "http_307"
        assert elsewhere.asked == []


async def test_a_receiver_that_hangs_is_left(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "TIMEOUT", 0.2)
    hook.delay = 1.0
    sealed = Sealer("x").seal(url(ChannelKind.WEBHOOK, hook.url))
    assert await sending.deliver(sealed, TEXT, settings(), Sealer("x")) == "timeout"
    assert await sending.deliver(sealed, TEXT, settings(), Sealer("another")) == "sealed"


def test_a_mail_goes_through_the_deployments_own_server() -> None:
    with mail_server(free_port()) as mails:
        mail = url(ChannelKind.EMAIL, "li@school.example")
        assert sending.send(mail, TEXT, settings(mail=mails.url)) is None
        (one,) = mails.taken
        assert (one["Subject"], one["To"], mails.to) == (TEXT.title, "li@school.example", [["li@school.example"]])
        assert "duty@campus.example" in one["From"]
        assert one.get_content_type() == "text/plain"
        assert "单位：试验小学" in one.get_content()
        mails.refuses = True
        assert sending.send(mail, TEXT, settings(mail=mails.url)) == "refused"
    assert sending.send(mail, TEXT, settings(mail=mails.url)) == "unreachable"
    assert sending.send(mail, TEXT, settings()) == "no_mail_server"


def test_a_mail_by_a_server_of_ones_own() -> None:
    with mail_server(free_port()) as mails:
        own = f"mailto://127.0.0.1:{mails.port}/?from=a@b.example&to=li@school.example"
        assert sending.send(url(ChannelKind.EMAIL, own), TEXT, settings()) is None
        assert mails.to == [["li@school.example"]]


def test_dingtalk_gets_a_signed_text(robot: Robot, monkeypatch: pytest.MonkeyPatch) -> None:
    robot.secret = SECRET
    monkeypatch.setattr(sending.DingTalk, "notify_url", robot.url + "?access_token={token}")
    assert sending.send(url(ChannelKind.DINGTALK, TOKEN, SECRET), TEXT, settings()) is None
    assert f"access_token={TOKEN}" in robot.asked[0]
    assert robot.bodies[0]["text"]["content"] == f"{TEXT.title}\r\n{TEXT.body}"
    assert sending.send(url(ChannelKind.DINGTALK, TOKEN), TEXT, settings()) == "errcode_310000", "200, and yet no"


def test_wecom_gets_a_text_that_it_takes(robot: Robot, monkeypatch: pytest.MonkeyPatch) -> None:
    robot.most = 2048
    monkeypatch.setattr(sending.WeCom, "notify_url", robot.url + "?key={key}")
    assert sending.send(url(ChannelKind.WECOM, KEY), TEXT, settings()) is None
    assert robot.asked == [f"/hook?key={KEY}"]
    assert robot.bodies[0] == {"msgtype": "text", "text": {"content": f"{TEXT.title}\r\n{TEXT.body}"}}
    robot.most = 3
    assert sending.send(url(ChannelKind.WECOM, KEY), TEXT, settings()) == "errcode_40035"


@pytest.mark.parametrize(
    ("ours", "theirs", "address", "parameter"),
    [
        (sending.DingTalk, NotifyDingTalk, f"dingtalk://{SECRET}@{TOKEN}/", "access_token={token}"),
        (sending.WeCom, NotifyWeComBot, f"wecombot://{KEY}/", "key={key}"),
    ],
)
def test_robots_get_what_apprises_own_plugins_send(
    robot: Robot, ours: Any, theirs: Any, address: str, parameter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for made in (ours, theirs):
        monkeypatch.setattr(made, "notify_url", f"{robot.url}?{parameter}")
        plugin = made(**made.parse_url(address + "?format=text"))
        plugin.notify(body=TEXT.body, title=TEXT.title, notify_type=NotifyType.INFO, body_format=NotifyFormat.TEXT)
    assert robot.bodies[0] == robot.bodies[1]
    assert len({path.split("timestamp")[0] for path in robot.asked}) == 1
    assert [("sign=" in path) for path in robot.asked] == ["dingtalk" in address] * 2


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1"])
def test_inner_addresses_are_refused_when_a_channel_is_made_and_when_it_is_used(hook: Hook, host: str) -> None:
    made = channel(ChannelKind.WEBHOOK, hook.url.replace("127.0.0.1", host))
    outside = Settings(local=Path("none"))
    with pytest.raises(BadChannel):
        sending.check(made, outside)
    assert sending.send(made.url, TEXT, outside) in ("fenced_address", "bad_address")
    assert hook.asked == []


def test_a_name_that_changes_its_mind_between_look_and_connection_is_caught(
    hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the look finds a public address, the connection an inner one."""
    real, port = socket.getaddrinfo, int(hook.url.rpartition(":")[2].partition("/")[0])
    looks = 0

    def changing(host: Any, *rest: Any, **more: Any) -> Any:
        nonlocal looks
        if host != "rebind.example":
            return real(host, *rest, **more)
        looks += 1
        address = ("8.8.8.8", port) if looks == 1 else ("127.0.0.1", port)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address)]

    monkeypatch.setattr(socket, "getaddrinfo", changing)
    address = url(ChannelKind.WEBHOOK, f"http://rebind.example:{port}/")
    assert sending.send(address, TEXT, Settings(local=Path("none"))) == "unreachable"
    assert looks > 1
    assert hook.asked == []
    looks = 1
    assert sending.send(address, TEXT, settings()) is None, "where inner receivers are allowed it goes through"


def test_no_address_and_no_token_reaches_a_log(hook: Hook, caplog: pytest.LogCaptureFixture) -> None:
    hook.status = 500
    caplog.set_level("DEBUG")
    with pytest.raises(BadChannel):
        sending.check(channel(ChannelKind.EMAIL, "li@school.example"), settings())
    secret = base64.b16encode(b"a token").decode()
    sending.send(url(ChannelKind.WEBHOOK, f"{hook.url}/{secret}"), TEXT, settings())
    theirs = [record for record in caplog.records if record.name.startswith("apprise")]
    assert not [record for record in theirs if secret in record.getMessage()]
