"""Single sign-on: which provider signs in whom, and whether an ID token of it may be believed (OpenID Connect Core §3.1.3.7)."""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

# Signatures that a published key proves. Neither `none` nor HS*, whose key would be the client's own secret.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
# Clocks of a campus drift; a token that is older or newer than this is none.
LEEWAY = timedelta(seconds=60)
# A token is made while its owner waits.
_OLDEST = timedelta(minutes=10)
_MAX_SUBJECT = 255  # OpenID Connect Core §2
_MAX_BACK = 512
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_KEYS = {"id", "label", "unit", "issuer", "client_id", "second_factor_amr", "second_factor_acr"}


class Wrong(ValueError):
    """A provider that is written wrongly (Chinese): which key, and the cure."""

    def __init__(self, key: str, said: str, cure: str) -> None:
        super().__init__(said)
        self.key, self.cure = key, cure


class BadToken(ValueError):
    """An ID token that must not be believed. The reason holds nothing of the token."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A campus's identity provider. It signs in for ``unit`` and below; ``amr`` and ``acr`` are what counts as a second factor."""

    id: str
    label: str
    unit: str
    issuer: str
    client_id: str
    amr: frozenset[str] = frozenset()
    acr: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """Who somebody is at their provider, and whether a second factor was shown there that counts here."""

    issuer: str
    subject: str
    factor: bool


def read(entry: Mapping[str, Any]) -> Provider:
    """One ``[[sign_in]]`` of a city. Raises ``Wrong``."""
    for key in entry:
        if key not in _KEYS:
            raise Wrong(key, f"{key} 无法识别", f"可写 {'、'.join(sorted(_KEYS))}；客户端密钥写在环境变量里")
    for key in ("id", "label", "unit", "issuer", "client_id"):
        if not isinstance(entry.get(key), str) or not entry[key].strip():
            raise Wrong(key, f"缺少 {key}", f'写上 {key} = "…"')
    if not _ID.fullmatch(entry["id"]):
        raise Wrong("id", f"id {entry['id']!r} 无法使用", "用小写字母、数字和连字符，最多 32 个")
    if not safe_address(entry["issuer"]) or urlsplit(entry["issuer"]).query:
        raise Wrong("issuer", "issuer 不是安全地址", "写身份提供方给出的 issuer，以 https:// 开头，逐字一致")
    for key in ("second_factor_amr", "second_factor_acr"):
        values = entry.get(key, [])
        if not isinstance(values, list) or not all(isinstance(value, str) and value for value in values):
            raise Wrong(key, f"{key} 不是文字列表", f'写成 {key} = ["mfa"]，或删去这一行')
    return Provider(
        entry["id"],
        entry["label"],
        entry["unit"],
        entry["issuer"],
        entry["client_id"],
        frozenset(entry.get("second_factor_amr", ())),
        tuple(entry.get("second_factor_acr", ())),
    )


def providers(profile: Mapping[str, Any]) -> dict[str, Provider]:
    """The providers of a city's profile, by id."""
    return {one.id: one for one in map(read, profile.get("sign_in", ()))}


def safe_address(address: str) -> bool:
    """Whether a provider may be spoken to there: HTTPS, or this machine itself."""
    parts = urlsplit(address)
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    return secure and bool(parts.hostname) and not parts.fragment and parts.username is None


def derived(browser: str, use: str) -> str:
    """``state``, ``nonce`` or PKCE ``verifier`` of one sign-in: of the browser's own cookie, so that nothing of it is kept here."""
    return _encoded(hmac.digest(browser.encode(), use.encode(), "sha256"))


def authorization(provider: Provider, endpoint: str, redirect: str, browser: str) -> str:
    """Where the browser goes to sign in (Authorization Code with PKCE S256, state and nonce)."""
    challenge = _encoded(hashlib.sha256(derived(browser, "verifier").encode()).digest())
    # No scope but `openid`: neither name nor e-mail address is asked for, for neither says who somebody is here.
    asked = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": redirect,
        "scope": "openid",
        "state": derived(browser, "state"),
        "nonce": derived(browser, "nonce"),
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    } | ({"acr_values": " ".join(provider.acr)} if provider.acr else {})
    return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(asked)}"


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def verified(token: str, keys: KeySet, provider: Provider, nonce: str, now: datetime) -> Proof:
    """Whom an ID token proves. Raises ``BadToken``."""
    try:
        claims = jwt.decode(token, keys, algorithms=ALGORITHMS).claims
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise BadToken(f"signature ({type(error).__name__})") from None
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if claims.get("iss") != provider.issuer:
        raise BadToken("iss")
    if provider.client_id not in audiences:
        raise BadToken("aud")
    if claims.get("azp", provider.client_id) != provider.client_id or (len(audiences) > 1 and "azp" not in claims):
        raise BadToken("azp")
    at = now.timestamp()
    leeway, oldest = LEEWAY.total_seconds(), _OLDEST.total_seconds()
    if at >= _instant(claims, "exp") + leeway:
        raise BadToken("exp")
    if not at - oldest - leeway <= _instant(claims, "iat") <= at + leeway:
        raise BadToken("iat")
    if "nbf" in claims and _instant(claims, "nbf") > at + leeway:
        raise BadToken("nbf")
    told = claims.get("nonce")
    if not isinstance(told, str) or not hmac.compare_digest(told.encode(), nonce.encode()):
        raise BadToken("nonce")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _MAX_SUBJECT or not subject.isprintable():
        raise BadToken("sub")
    return Proof(provider.issuer, subject, _shows_factor(claims, provider))


def _instant(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadToken(name)
    return float(value)


def _shows_factor(claims: Mapping[str, Any], provider: Provider) -> bool:
    """Only what the provider's configuration names: every provider means something else by ``mfa``."""
    amr = claims.get("amr")
    shown = {value for value in amr if isinstance(value, str)} if isinstance(amr, list) else set()
    return not provider.amr.isdisjoint(shown) or (isinstance(claims.get("acr"), str) and claims["acr"] in provider.acr)


def safe_back(path: str | None) -> str:
    """Where a page sends somebody after signing in: a path of this site, and ``/`` for everything else."""
    if not path or len(path) > _MAX_BACK or not path.startswith("/") or path.startswith("//"):
        return "/"
    # A browser takes `\` for `/`, and drops control characters before it reads an address.
    return path if path.isprintable() and "\\" not in path and " " not in path else "/"
