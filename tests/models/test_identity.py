"""ID tokens that may be believed and those that may not; providers as they are written; where one goes back to."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from models import identity
from models.identity import BadToken, Proof, Provider, Wrong, derived, read, safe_back, verified

NOW = datetime(2026, 5, 12, 6, 0, tzinfo=UTC)
AT = int(NOW.timestamp())
KEY = RSAKey.generate_key(2048, {"kid": "one"})
OTHER = RSAKey.generate_key(2048, {"kid": "one"})
KEYS = KeySet([RSAKey.import_key(KEY.as_dict(private=False))])
ISSUER = "https://sso.example.edu.cn"
PROVIDER = Provider("u01", "统一身份认证", "U01", ISSUER, "campus-risk", frozenset({"mfa"}), ("urn:strong",))
GOOD = {"iss": ISSUER, "aud": "campus-risk", "sub": "s-1", "nonce": "n-1", "iat": AT, "exp": AT + 300}


def token(by: Any = KEY, alg: str = "RS256", **more: Any) -> str:
    claims = {name: value for name, value in (GOOD | more).items() if value is not None}
    return jwt.encode({"alg": alg, "kid": "one"}, claims, by, algorithms=[alg])


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def proof(given: str, provider: Provider = PROVIDER) -> Proof:
    return verified(given, KEYS, provider, "n-1", NOW)


def test_a_good_token_proves_issuer_and_subject() -> None:
    assert proof(token()) == Proof(ISSUER, "s-1", factor=False)
    assert proof(token(aud=["campus-risk"])).subject == "s-1"
    assert proof(token(aud=["campus-risk", "other"], azp="campus-risk")).subject == "s-1"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"iss": "https://other.example"}, "iss"),
        ({"iss": ISSUER + "/"}, "iss"),
        ({"iss": None}, "iss"),
        ({"aud": "another-client"}, "aud"),
        ({"aud": []}, "aud"),
        ({"aud": None}, "aud"),
        ({"aud": ["campus-risk", "other"]}, "azp"),
        ({"azp": "other"}, "azp"),
        ({"exp": AT - 61}, "exp"),
        ({"exp": None}, "exp"),
        ({"exp": "soon"}, "exp"),
        ({"exp": True}, "exp"),
        ({"iat": AT + 61}, "iat"),
        ({"iat": AT - 3600}, "iat"),
        ({"iat": None}, "iat"),
        ({"nbf": AT + 120}, "nbf"),
        ({"nonce": "n-2"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"nonce": 5}, "nonce"),
        ({"sub": ""}, "sub"),
        ({"sub": None}, "sub"),
        ({"sub": 7}, "sub"),
        ({"sub": "x" * 256}, "sub"),
        ({"sub": "a\nb"}, "sub"),
    ],
)
def test_a_token_with_a_wrong_claim_proves_nothing(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadToken, match=reason):
        proof(token(**change))


@pytest.mark.parametrize("change", [{"exp": AT - 59}, {"iat": AT + 59}, {"nbf": AT + 59}])
def test_clocks_may_differ_by_a_minute(change: dict[str, Any]) -> None:
    assert proof(token(**change)).subject == "s-1"


def test_another_key_s_signature_proves_nothing_whatever_it_calls_itself() -> None:
    with pytest.raises(BadToken, match="signature"):
        proof(token(by=OTHER))


@pytest.mark.parametrize("alg", ["none", "None", "NONE"])
def test_a_token_without_a_signature_proves_nothing(alg: str) -> None:
    for end in ("", token().rpartition(".")[2]):
        with pytest.raises(BadToken, match="signature"):
            proof(f"{part({'alg': alg, 'kid': 'one'})}.{part(GOOD)}.{end}")


def test_a_public_key_is_no_shared_secret() -> None:
    signed = f"{part({'alg': 'HS256', 'kid': 'one'})}.{part(GOOD)}"
    mac = hmac.digest(KEY.as_pem(private=False), signed.encode(), "sha256")
    forged = f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    with pytest.raises(BadToken, match="signature"):
        proof(forged)


@pytest.mark.parametrize("given", ["", "x", "a.b.c", "a.b.c.d.e", f"{part({'alg': 'RS256'})}.{part([1])}.x"])
def test_what_is_no_token(given: str) -> None:
    with pytest.raises(BadToken):
        proof(given)


@pytest.mark.parametrize(
    ("claims", "counts"),
    [
        ({"amr": ["pwd", "mfa"]}, True),
        ({"amr": ["pwd", "otp"]}, False),
        ({"amr": "mfa"}, False),
        ({"amr": [5, None]}, False),
        ({"acr": "urn:strong"}, True),
        ({"acr": "urn:weak"}, False),
        ({"acr": ["urn:strong"]}, False),
        ({}, False),
    ],
)
def test_a_second_factor_counts_where_the_configuration_names_it(claims: dict[str, Any], counts: bool) -> None:
    assert proof(token(**claims)).factor is counts
    silent = Provider("u01", "统一身份认证", "U01", ISSUER, "campus-risk")
    assert proof(token(**claims), silent).factor is False


def test_what_a_browser_takes_along_comes_of_its_cookie_alone() -> None:
    asked = parse_qs(urlsplit(identity.authorization(PROVIDER, f"{ISSUER}/auth?x=1", "https://r/cb", "b")).query)
    assert (asked["x"], asked["scope"], asked["response_type"]) == (["1"], ["openid"], ["code"])
    assert (asked["state"], asked["nonce"]) == ([derived("b", "state")], [derived("b", "nonce")])
    challenge = hashlib.sha256(derived("b", "verifier").encode()).digest()
    assert asked["code_challenge"] == [base64.urlsafe_b64encode(challenge).rstrip(b"=").decode()]
    assert (asked["code_challenge_method"], asked["acr_values"]) == (["S256"], ["urn:strong"])
    assert len({derived(b, use) for b in ("a", "b") for use in ("state", "nonce", "verifier")}) == 6
    assert 43 <= len(derived("b", "verifier")) <= 128, "RFC 7636 §4.1"


ENTRY = {"id": "u01", "label": "统一身份认证", "unit": "U01", "issuer": ISSUER, "client_id": "campus-risk"}


def test_a_provider_as_it_is_written() -> None:
    assert read(ENTRY | {"second_factor_amr": ["mfa"], "second_factor_acr": ["urn:strong"]}) == PROVIDER
    assert list(identity.providers({"sign_in": [ENTRY]})) == ["u01"]
    assert identity.providers({}) == {}


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"id": "U 1"}, "id"),
        ({"label": " "}, "label"),
        ({"client_id": 5}, "client_id"),
        ({"issuer": "http://sso.example.edu.cn"}, "issuer"),
        ({"issuer": "https://user@sso.example.edu.cn"}, "issuer"),
        ({"issuer": "https://sso.example.edu.cn/#x"}, "issuer"),
        ({"issuer": "https://sso.example.edu.cn/?x=1"}, "issuer"),
        ({"issuer": "sso"}, "issuer"),
        ({"second_factor_amr": "mfa"}, "second_factor_amr"),
        ({"second_factor_acr": [5]}, "second_factor_acr"),
        ({"client_secret": "in the open"}, "client_secret"),
    ],
)
def test_a_provider_that_is_written_wrongly(change: dict[str, Any], key: str) -> None:
    with pytest.raises(Wrong) as caught:
        read(ENTRY | change)
    assert caught.value.key == key
    assert caught.value.cure
    assert "in the open" not in str(caught.value) + caught.value.cure


@pytest.mark.parametrize("path", ["/", "/?unit=U01", "/desk.html#h=1", "/sign-in.html"])
def test_back_to_a_page_of_this_site(path: str) -> None:
    assert safe_back(path) == path


@pytest.mark.parametrize(
    "path",
    [None, "", "desk", "https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example",
     "/\n/evil.example", "javascript:alert(1)", "/ /x", "/" + "x" * 600],
)  # fmt: skip
def test_and_nowhere_else(path: str | None) -> None:
    assert safe_back(path) == "/"


def test_a_token_of_yesterday_is_no_longer_good() -> None:
    with pytest.raises(BadToken, match="exp"):
        verified(token(), KEYS, PROVIDER, "n-1", NOW + timedelta(days=1))
