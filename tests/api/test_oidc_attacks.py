"""Single sign-on under attack: other browsers, other providers, other sites, and tokens that lie."""

import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi import FastAPI

from api import oidc
from api import providers as talking
from models.roles import Role
from store import sign_in
from store.db import Connection
from tests import provider as providers
from tests.api.campus import Person, configure, linked
from tests.api.test_reports import problem
from tests.factories import COLLEGE, UNIVERSITY
from tests.provider import Made, agreed, entry
from tests.store.test_landing import count, query

pytestmark = pytest.mark.runtime


async def test_a_sign_in_is_bound_to_the_browser_that_began_it(app: FastAPI, conn: Connection, issuer: str) -> None:
    """Login CSRF: an attacker's own sign-in, finished in another's browser, does nothing; nor does a second time."""
    configure(app, entry(issuer, UNIVERSITY))
    await linked(conn, issuer, "attacker", "attacker", (Role.HANDLER, COLLEGE))
    attacker, victim = Person(app), Person(app)
    back = await agreed(await attacker.begin(), "attacker")
    assert await victim.come_back(back) == "expired"
    await victim.begin()
    assert await victim.come_back(back) == "expired", "in the midst of a sign-in of their own"
    problem(await victim("GET", "/me"), 401, "unauthenticated")
    assert await attacker.come_back(back) == "done"
    assert await attacker.come_back(back) == "expired"
    assert await count(conn, "sessions") == 1


async def test_one_provider_s_answer_is_not_another_s(app: FastAPI, issuer: str, made: Made) -> None:
    """Mix-up: an answer at the other provider's address, or one that names another issuer."""
    configure(app, entry(issuer, UNIVERSITY, "honest"), entry(made.issuer, UNIVERSITY, "u01"))
    person = Person(app)
    back = await agreed(await person.begin(id="honest"), "one")
    assert await person.come_back(back.replace("/honest/", "/u01/")) == "expired"
    assert made.asked == [], "the code was not given away"
    location = await person.begin()
    token = made.sign(made.claims(location))
    assert await person.lie(made, token, location, iss=issuer) == "failed"
    location = await person.begin()
    assert await person.lie(made, made.sign(made.claims(location)), location, iss=made.issuer) == "unknown"


async def test_where_a_provider_promises_to_name_itself_it_must(app: FastAPI, made: Made) -> None:
    made.metadata["authorization_response_iss_parameter_supported"] = True
    configure(app, entry(made.issuer, UNIVERSITY))
    person = Person(app)
    location = await person.begin()
    assert await person.lie(made, made.sign(made.claims(location)), location) == "failed"


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/\\evil.example", None, "x" * 1000])
async def test_the_way_back_leads_to_no_other_site(app: FastAPI, issuer: str, back: str | None) -> None:
    configure(app, entry(issuer, UNIVERSITY))
    person = Person(app)
    answer = await person.client.get(await agreed(await person.begin(back), "somebody"))
    assert answer.headers["location"] == "/sign-in.html?back=/#oidc=unknown"


async def test_a_good_token_of_the_hand_made_provider_is_believed(app: FastAPI, made: Made) -> None:
    """So that those below are refused for what they are. This one is a public client: it has no secret."""
    app.state.held.settings.oidc_secrets = None
    configure(app, entry(made.issuer, UNIVERSITY))
    person = Person(app)
    location = await person.begin()
    assert await person.lie(made, made.sign(made.claims(location)), location) == "unknown"
    assert made.asked[0].keys() == {"grant_type", "code", "redirect_uri", "code_verifier", "client_id"}


@pytest.mark.parametrize(
    "change",
    [{"aud": "other"}, {"exp": int(time.time()) - 3600}, {"nonce": "other"}, {"nonce": None}, {"iss": "https://o.example"},
     {"azp": "other"}, {"iat": 1}, {"sub": None}],
)  # fmt: skip
async def test_a_token_that_lies_signs_nobody_in(app: FastAPI, made: Made, change: dict[str, Any]) -> None:
    configure(app, entry(made.issuer, UNIVERSITY))
    person = Person(app)
    location = await person.begin()
    assert await person.lie(made, made.sign(made.claims(location, **change)), location) == "failed"
    problem(await person("GET", "/oidc/waiting"), 401, "unauthenticated")
    problem(await person("GET", "/me"), 401, "unauthenticated")


async def test_a_token_of_another_key_or_of_none_signs_nobody_in(app: FastAPI, made: Made) -> None:
    configure(app, entry(made.issuer, UNIVERSITY))
    person = Person(app)
    location = await person.begin()
    assert await person.lie(made, made.sign(made.claims(location), by=providers.key()), location) == "failed"
    location = await person.begin()
    header, claims, _ = made.sign(made.claims(location)).split(".")
    assert await person.lie(made, f"eyJhbGciOiJub25lIn0.{claims}.", location) == "failed"
    location = await person.begin()
    assert await person.lie(made, f"{header}.{claims}.", location) == "failed"
    location = await person.begin()
    assert await person.lie(made, "", location) == "failed"


async def test_a_new_signing_key_is_looked_up(app: FastAPI, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talking, "_AGAIN", 0.0)
    configure(app, entry(made.issuer, UNIVERSITY))
    person = Person(app)
    location = await person.begin()
    made.keys = [providers.key("two")]
    assert await person.lie(made, made.sign(made.claims(location)), location) == "unknown"


@pytest.mark.parametrize(
    "change",
    [{"issuer": "https://other.example"}, {"token_endpoint": "http://sso.example.edu.cn/token"}, {"jwks_uri": None}],
)
async def test_metadata_that_cannot_be_trusted(app: FastAPI, made: Made, change: dict[str, Any]) -> None:
    made.metadata |= change
    configure(app, entry(made.issuer, UNIVERSITY))
    problem(await Person(app)("POST", "/oidc/u01/begin", {}), 503, "busy")


async def test_the_client_s_secret_is_shown_to_its_provider_alone(
    app: FastAPI, made: Made, caplog: pytest.LogCaptureFixture
) -> None:
    configure(app, entry(made.issuer, UNIVERSITY))
    person = Person(app)
    location = await person.begin()
    assert "s:e" not in location
    token = made.sign(made.claims(location, aud="other"))
    assert await person.lie(made, token, location) == "failed"
    assert made.authorized == ["Basic Y2FtcHVzLXJpc2s6cyUzQWUlMkJj"]
    ours = "\n".join(r.getMessage() for r in caplog.records if r.name.startswith("api"))
    assert "aud" in ours
    assert not [word for word in (token, "s:e+c", "s-1") if word in ours]


async def test_another_site_s_page_begins_and_ends_nothing(app: FastAPI, issuer: str) -> None:
    configure(app, entry(issuer, UNIVERSITY))
    for path in ("/oidc/u01/begin", "/oidc/session"):
        problem(await Person(app)("POST", path, {}, Origin="https://evil.example"), 403, "forbidden")


async def test_of_a_sign_in_under_way_only_hashes_are_kept(app: FastAPI, conn: Connection, issuer: str) -> None:
    configure(app, entry(issuer, UNIVERSITY))
    person = Person(app)
    asked = parse_qs(urlsplit(await person.begin()).query)
    kept = repr(await query(conn, "SELECT * FROM oidc_sign_ins"))
    for secret in (asked["state"][0], asked["nonce"][0], person.client.cookies[oidc.COOKIE]):
        assert secret not in kept
    assert await sign_in.session(conn, person.client.cookies[oidc.COOKIE], datetime.now(UTC)) is None
