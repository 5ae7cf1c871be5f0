"""What can be a channel, how it is kept and shown, and what is not let through to Apprise."""

import pytest

from models.notices_channel import BadChannel, ChannelKind, channel, is_public, of_url

TOKEN, SECRET = "a1b2c3d4e5f60718293a4b5c6d7e8f90", "SECabcdef0123456789"
KEY = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"


@pytest.mark.parametrize(
    ("kind", "address", "secret", "url", "masked"),
    [
        ("dingtalk", TOKEN, None, f"dingtalk://{TOKEN}/?format=text", "…8f90"),
        ("dingtalk", TOKEN, SECRET, f"dingtalk://{SECRET}@{TOKEN}/?format=text", "…8f90"),
        (
            "dingtalk",
            f"https://oapi.dingtalk.com/robot/send?access_token={TOKEN}",
            SECRET,
            f"dingtalk://{SECRET}@{TOKEN}/?format=text",
            "…8f90",
        ),
        ("dingtalk", f"dingtalk://{SECRET}@{TOKEN}/", None, f"dingtalk://{SECRET}@{TOKEN}/?format=text", "…8f90"),
        ("wecom", KEY, None, f"wecombot://{KEY}/?format=text", "…5aaa"),
        (
            "wecom",
            f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={KEY}",
            None,
            f"wecombot://{KEY}/?format=text",
            "…5aaa",
        ),
        ("email", "duty.li@school.example", None, "mailto:?to=duty.li%40school.example", "d***@school.example"),
        (
            "email",
            "mailtos://u:p@smtp.school.example:465/?from=a@b.example&to=li@school.example&mode=ssl",
            None,
            "mailtos://u:p@smtp.school.example:465/?from=a%40b.example&to=li%40school.example&mode=ssl&format=text",
            "l***@school.example",
        ),
        (
            "webhook",
            "https://hook.example/a/b?k=v",
            None,
            "jsons://hook.example/a/b?-k=v&format=text",
            "hook.example/…",
        ),
        (
            "webhook",
            "json://u:p%40@hook.example:8080/a?+X-Key=1",
            None,
            "json://u:p%40@hook.example:8080/a?+X-Key=1&format=text",
            "hook.example:8080/…",
        ),
    ],
)
def test_plain_parts_and_apprise_urls(kind: str, address: str, secret: str | None, url: str, masked: str) -> None:
    made = channel(ChannelKind(kind), address, secret)
    assert (made.kind.value, made.url, made.masked) == (kind, url, masked)


@pytest.mark.parametrize(
    ("kind", "address", "said"),
    [
        ("webhook", "ftp://hook.example/", "https://"),
        ("webhook", "file:///etc/passwd", "https://"),
        ("webhook", "jsons:///nohost", "主机"),
        ("webhook", "https://h.example:99999/", "端口"),
        ("webhook", "a b", "空白"),
        ("webhook", "", "字符"),
        ("email", "nobody", "邮箱"),
        ("email", "a@b.example,c@d.example", "邮箱"),
        ("email", "mailto://h.example/?to=a@b.example&pgpprv=/etc/passwd", "pgpprv"),
        ("email", "mailto://h.example/?to=a@b.example&wkd=yes", "wkd"),
        ("email", "mailto://h.example/?to=a@b.example&bcc=c@d.example", "bcc"),
        ("email", "mailto://h.example/?from=x", "收件人"),
        ("webhook", "jsons://h.example/?verify=no", "verify"),
        ("webhook", "jsons://h.example/?redirect=yes", "redirect"),
        ("webhook", "jsons://h.example/?rto=9999", "rto"),
        ("webhook", "jsons://h.example/?method=DELETE", "method"),
        ("webhook", "jsons://h.example/?+Host=inner", "Host"),
        ("webhook", "jsons://h.example/?:type=x", ":type"),
        ("dingtalk", "https://evil.example/robot/send?access_token=x", "oapi.dingtalk.com"),
        ("dingtalk", "short", "钉钉"),
        ("wecom", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send", "企业微信"),
        ("webhook", f"dingtalk://{TOKEN}/", "钉钉"),
    ],
)
def test_what_is_no_channel_is_refused_with_a_sentence(kind: str, address: str, said: str) -> None:
    with pytest.raises(BadChannel, match=said):
        channel(ChannelKind(kind), address)


@pytest.mark.parametrize(
    "scheme", ["slack", "syslog", "dbus", "macosx", "windows", "xml", "form", "apprise", "sns", "exec"]
)
def test_other_schemes_of_apprise_are_refused(scheme: str) -> None:
    with pytest.raises(BadChannel, match=r"不支持|dingtalk"):
        of_url(f"{scheme}://somewhere/")


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "127.8.8.8", "::1", "10.0.0.8", "172.16.0.1", "192.168.1.1", "169.254.169.254", "fe80::1%eth0", "fc00::1",
     "0.0.0.0", "::", "100.64.0.1", "224.0.0.1", "ff02::1", "::ffff:127.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1",  # noqa: S104
     "255.255.255.255", "no address"],
)  # fmt: skip
def test_inner_addresses_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public_addresses_are(address: str) -> None:
    assert is_public(address)
