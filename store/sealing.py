"""Sealed values: what must be read back (a second factor's secret, a channel's address with its token) lies encrypted in the database.

Fernet (AES-128-CBC with HMAC-SHA256, PyPI ``cryptography``). Of several secrets the first seals and each one opens, so
that a secret is rotated by putting the new one in front.
"""

import base64
import hashlib
import secrets
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from store.settings import Settings, Unusable

# As many bytes as the key that is derived holds; more would add nothing.
_BYTES = 32
_FILE = "secret"


class Sealer:
    """Seals and opens short texts with a deployment's secrets."""

    def __init__(self, *texts: str) -> None:
        self._fernet = MultiFernet([Fernet(_key(text)) for text in texts])

    def seal(self, text: str) -> str:
        """ASCII, some 100 characters longer than the text."""
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """The text. Raises ``Unusable`` where no secret of this deployment sealed it."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise Unusable(
                "a sealed value of the database opens with no secret of this deployment: "
                "put the secret that sealed it into CAMPUS_RISK_SECRET, behind the new one and a comma"
            ) from None


def sealer(settings: Settings) -> Sealer:
    """From ``CAMPUS_RISK_SECRET`` (several with commas, the newest first), or from the local folder, where one is made once."""
    if settings.secret is not None:
        return Sealer(*[part.strip() for part in settings.secret.get_secret_value().split(",") if part.strip()])
    path = settings.local / _FILE
    if not path.exists():
        _make(path)
    return Sealer(path.read_text().strip())


def _make(path: Path) -> None:
    """Written aside and linked into place: of two processes that start at once the first one's secret holds for both, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    own = path.with_name(f"{_FILE}.{secrets.token_hex(4)}")
    own.touch(mode=0o600)
    own.write_text(secrets.token_urlsafe(_BYTES) + "\n")
    try:
        path.hardlink_to(own)
    except FileExistsError:
        pass
    finally:
        own.unlink()


def _key(text: str) -> bytes:
    """A secret of any length as a Fernet key. Secrets are random, so a plain hash is enough; a password would need more."""
    return base64.urlsafe_b64encode(hashlib.sha256(b"campus-risk/sealing:" + text.encode()).digest())
