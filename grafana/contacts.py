"""Contact points: whom alerts reach. One of Grafana's contact points, with a receiver for each address that was given."""

import hashlib
from collections.abc import Iterable
from urllib.parse import urlsplit

from grafana_foundation_sdk.builders import alerting

from grafana.resource import Kind, Resource, plain
from grafana.words import PREFIX

NAME = "校园风险值守"
# The key that holds the address, by Grafana's type of receiver.
_SETTING = {"email": "addresses", "dingding": "url", "wecom": "url", "webhook": "url"}


class BadContact(ValueError):
    """An address that Grafana cannot send to. It never repeats the address, which may hold a token."""


def contacts(given: Iterable[str]) -> list[Resource]:
    """Receivers of ``type:address``. Raises ``BadContact``.

    A receiver's uid holds a hash of its address: Grafana never gives an address with a token back, so a changed one could
    not be seen otherwise. It then is a new receiver, and the old one goes.
    """
    return [_contact(*_read(n, one)) for n, one in enumerate(given, 1)]


def _read(n: int, given: str) -> tuple[str, str]:
    kind, _, address = given.partition(":")
    if kind not in _SETTING:
        raise BadContact(f"contact {n} has no known type: write type:address, with one of {', '.join(_SETTING)}")
    if kind == "email":
        if "@" not in address:
            raise BadContact(f"contact {n} is no e-mail address: write email:duty@example.edu")
    elif urlsplit(address).scheme not in {"https", "http"} or not urlsplit(address).hostname:
        raise BadContact(f"contact {n} needs the web address that {kind} gave: write {kind}:https://…")
    return kind, address


def _contact(kind: str, address: str) -> Resource:
    uid = f"{PREFIX}{kind}-{hashlib.sha256(f'{kind}:{address}'.encode()).hexdigest()[:8]}"
    built = (
        alerting.ContactPoint()
        .uid(uid)
        .name(NAME)
        # mypy: the SDK lists the types as literals, and _SETTING holds only such.
        .type(kind)  # type: ignore[arg-type]
        .settings({_SETTING[kind]: address})
        .disable_resolve_message(False)
    )
    return Resource(Kind.CONTACT, uid, f"{NAME} · {kind}", plain(built.build()))
