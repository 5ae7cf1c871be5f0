"""People's accounts: which roles they hold, what a password must be, one-time codes, and how long a guesser waits."""

import ipaddress
import unicodedata
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from hmac import compare_digest

import pyotp

from models.roles import Actor, Role

# Machines and walls have keys; the platform acts by itself.
GRANTABLE = (Role.INFORMANT, Role.ASSESSOR, Role.HANDLER, Role.SUPERVISOR, Role.LEADER, Role.ADMIN, Role.AUDITOR)
# Those who close hazards, instruct or administer: a stolen password alone must not do that.
NEEDS_FACTOR = frozenset({Role.SUPERVISOR, Role.LEADER, Role.ADMIN})

# No composition rules (NIST SP 800-63B §3.1.1.2). Its 15 without a second factor is more than people will type in a corridor, its 8 too
# few for the roles that may go without one: 12, and guessing is slowed by ``wait``.
MIN_PASSWORD = 12
# A passphrase fits; what is longer only costs work at the door.
MAX_PASSWORD = 128
MAX_LOGIN = 64
_LOGIN_MARKS = frozenset("._-@")

# The commonest that are long enough to pass otherwise; those that repeat a piece are refused by rule.
_LIST = """
123456789012 1234567890123 12345678901234 123456789abc 123456abcdef 1234567890ab 123456789qwe 1q2w3e4r5t6y
1qaz2wsx3edc 1qaz2wsx3edc4rfv qazwsxedcrfv qwertyuiop12 qwertyuiop123 qwertyuiop1234 qwertyuiop[] qwertyuiopasdf
qwerty123456 asdfghjkl123 zxcvbnm12345 abcdefghijkl abcdefg12345 abcdef123456 abc123456789 abcd12345678 a123456789012
aa1234567890 password1234 password12345 password123456 password@123 passw0rd1234 p@ssw0rd1234 administrator
admin1234567 admin12345678 admin@123456 admin@12345678 administrator1 iloveyou1234 iloveyou1314 woaini123456
woaini1314520 woaini5201314 5201314woaini welcome12345 welcome@1234 changeme1234 letmein12345 huawei@12345
root12345678 test12345678 user12345678 xuexiao12345 anquan123456 jiaoyu123456 campus-risk1 campusrisk123
campus-risk123
"""
_COMMON = frozenset(_LIST.split())

# What a person mistypes before the platform takes it for guessing.
FREE_PER_LOGIN = 5
# A whole campus stands behind one address.
FREE_PER_ADDRESS = 20
_FIRST_WAIT = timedelta(seconds=15)
# A longer one would let anybody lock out somebody else for good; with this, some 13 guesses an hour remain.
_LONGEST_WAIT = timedelta(minutes=15)
# Quiet for so long, and the count begins anew.
FORGOTTEN_AFTER = timedelta(hours=1)

STEP = 30  # seconds a code holds: the default of RFC 6238 and of every authenticator
_CODE_LENGTH = 6
ISSUER = "campus-risk"


def normal_login(login: str) -> str:
    """The one spelling that is kept and looked for: half width, lower case, no blanks around."""
    return unicodedata.normalize("NFKC", login).strip().casefold()


def login_fault(login: str) -> str | None:
    """Why a normalised login cannot be one (Chinese), or None: 3–64 letters, digits and ``._-@``."""
    if not 3 <= len(login) <= MAX_LOGIN:
        return f"登录名须为 3–{MAX_LOGIN} 个字符"
    if not all(char.isalnum() or char in _LOGIN_MARKS for char in login):
        return "登录名只能用文字、数字与 . _ - @"
    return None


def normal_password(password: str) -> str:
    """What is hashed: the same characters give the same password, whichever keyboard wrote them."""
    return unicodedata.normalize("NFKC", password)


def password_fault(password: str, login: str) -> str | None:
    """Why a password is too weak (Chinese; it never repeats the password), or None."""
    plain = normal_password(password).casefold()
    if not MIN_PASSWORD <= len(plain) <= MAX_PASSWORD:
        return f"口令须为 {MIN_PASSWORD}–{MAX_PASSWORD} 个字符"
    if plain in _COMMON:
        return "这个口令太常见，请换一个"
    # A string that repeats a piece of itself lies inside its own double, ends cut off.
    if plain in (plain + plain)[1:-1] or len(set(plain)) < 5:
        return "口令只是重复，请换一个"
    if len(login) >= 3 and login in plain:
        return "口令不能包含登录名"
    return None


def needs_factor(roles: Iterable[Role]) -> bool:
    """Whether somebody with these roles must have a second factor."""
    return not NEEDS_FACTOR.isdisjoint(roles)


def enrolment_uri(secret: str, login: str) -> str:
    """What an authenticator reads: ``otpauth://totp/…`` (key URI format)."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=ISSUER)


def code_step(secret: str, code: str, now: datetime, taken: int) -> int | None:
    """The time step a code belongs to, or None: of now, the step before or after, and later than the last one taken."""
    code = code.replace(" ", "")
    if len(code) != _CODE_LENGTH or not code.isascii() or not code.isdigit():
        return None
    totp, at = pyotp.TOTP(secret), int(now.timestamp()) // STEP
    for step in (at - 1, at, at + 1):
        if step > taken and compare_digest(totp.generate_otp(step), code):
            return step
    return None


def normal_recovery(code: str) -> str:
    """A recovery code as it is hashed: capitals, without what people put between."""
    return "".join(char for char in code.upper() if char.isalnum())


def wait(failures: int, free: int) -> timedelta:
    """How long the next attempt waits after so many failures: nothing below ``free``, then 15 s doubling up to 15 min."""
    if failures < free:
        return timedelta(0)
    return min(_FIRST_WAIT * (1 << min(failures - free, 10)), _LONGEST_WAIT)


def address_group(address: str) -> str:
    """Which addresses are counted as one: an IPv4 address, or the /64 of an IPv6 one, which is what one customer is given."""
    try:
        given = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(given, ipaddress.IPv6Address):
        return str(given.ipv4_mapped or ipaddress.ip_network((given, 64), strict=False))
    return str(given)


def furthest_first(hats: Iterable[Actor], preferred: Collection[Role]) -> tuple[Actor, ...]:
    """One person's hats: those with a preferred role first, and of these the one that reaches furthest (the shortest path)."""
    order = list(Role)
    return tuple(sorted(hats, key=lambda h: (h.role not in preferred, h.path.count("/"), order.index(h.role), h.unit)))
