"""Passwords, codes, waits and hats."""

from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from models import accounts
from models.roles import Actor, Role

NOW = datetime(2026, 5, 1, 8, 0, 10, tzinfo=UTC)
# The secret of RFC 6238's test vectors, "12345678901234567890".
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


@pytest.mark.parametrize(
    "password", ["穿过操场的第三盏路灯还亮着", "correct horse battery", "Qx7-vb2-Lm9-0", "q" * 8 + "wert" * 2 + "y"]
)
def test_a_password_that_will_do(password: str) -> None:
    assert accounts.password_fault(password, "zhang.san") is None


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("elevenchars", "12–128"),
        ("x1y2z3" * 22, "12–128"),
        ("Password1234", "常见"),
        ("1qaz2wsx3edc", "常见"),
        ("１２３４５６７８９０１２", "常见"),
        ("abcdeabcdeabcde", "重复"),
        ("aaaabbbbccccd", "重复"),
        ("my-Zhang.San-2026", "登录名"),
    ],
)
def test_a_weak_password_is_refused_and_not_repeated(password: str, why: str) -> None:
    fault = accounts.password_fault(password, "zhang.san")
    assert fault is not None
    assert why in fault
    assert password not in fault


def test_every_common_password_would_pass_but_for_the_list() -> None:
    for word in accounts._COMMON:
        assert "常见" in str(accounts.password_fault(word, "nobody"))
        assert accounts.password_fault(word + "‖", "nobody") is None


@pytest.mark.parametrize(("typed", "kept"), [(" Zhang.San ", "zhang.san"), ("ＡＢＣ", "abc"), ("张三", "张三")])
def test_a_login_has_one_spelling(typed: str, kept: str) -> None:
    assert accounts.normal_login(typed) == kept


@pytest.mark.parametrize("login", ["ab", "x" * 65, "a b c", "a/b/c", "a\x00bc", "<b>x"])
def test_what_is_no_login(login: str) -> None:
    assert accounts.login_fault(login)


def test_codes_are_those_of_the_rfc() -> None:
    at = datetime.fromtimestamp(1111111109, UTC)
    assert accounts.code_step(SECRET, "081804", at, 0) == 1111111109 // 30


@pytest.mark.parametrize(("seconds", "good"), [(-60, False), (-30, True), (0, True), (30, True), (60, False)])
def test_a_code_holds_one_step_around(seconds: int, good: bool) -> None:
    code = pyotp.TOTP(SECRET).at(NOW + timedelta(seconds=seconds))
    assert (accounts.code_step(SECRET, code, NOW, 0) is not None) is good


def test_a_code_is_taken_once_and_none_before_it_afterwards() -> None:
    totp = pyotp.TOTP(SECRET)
    step = accounts.code_step(SECRET, totp.at(NOW), NOW, 0)
    assert step is not None
    assert accounts.code_step(SECRET, totp.at(NOW), NOW, step) is None
    assert accounts.code_step(SECRET, totp.at(NOW - timedelta(seconds=30)), NOW, step) is None
    assert accounts.code_step(SECRET, totp.at(NOW + timedelta(seconds=30)), NOW, step) == step + 1


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "１２３４５６", "²²²²²²"])
def test_what_is_no_code(code: str) -> None:
    assert accounts.code_step(SECRET, code, NOW, 0) is None


def test_the_uri_is_one_that_authenticators_read() -> None:
    read = pyotp.parse_uri(accounts.enrolment_uri(SECRET, "zhang.san"))
    assert isinstance(read, pyotp.TOTP)
    assert (read.secret, read.issuer, read.name, read.interval, read.digits) == (
        SECRET,
        "campus-risk",
        "zhang.san",
        30,
        6,
    )


def test_waits_double_to_a_quarter_of_an_hour() -> None:
    waits = [accounts.wait(failures, 5).total_seconds() for failures in (0, 4, 5, 6, 7, 10, 11, 12, 10**6)]
    assert waits == [0, 0, 15, 30, 60, 480, 900, 900, 900]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("socket", "socket", True),
    ],
)
def test_which_addresses_count_as_one(one: str, other: str, same: bool) -> None:
    assert (accounts.address_group(one) == accounts.address_group(other)) is same


@pytest.mark.parametrize("role", list(Role))
def test_who_needs_a_second_factor(role: Role) -> None:
    assert accounts.needs_factor([Role.INFORMANT, role]) is (role in (Role.SUPERVISOR, Role.LEADER, Role.ADMIN))


def test_the_hat_that_reaches_furthest_comes_first() -> None:
    def hat(role: Role, path: str) -> Actor:
        return Actor("account:1", "张三", role, path.strip("/").split("/")[-1], path)

    school, district, wall = (
        hat(Role.HANDLER, "/c/d/s/"),
        hat(Role.ASSESSOR, "/c/d/"),
        hat(Role.WALL, "/c/"),
    )
    assert accounts.furthest_first([school, wall, district], {Role.HANDLER, Role.ASSESSOR}) == (district, school, wall)
    assert accounts.furthest_first([], ()) == ()
