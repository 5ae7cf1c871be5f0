"""Settings: from the environment and from files, all that is wrong at once, and no secret in anything that is printed."""

from pathlib import Path

import psycopg.conninfo
import pytest
from pydantic import ValidationError

from store import secret_files
from store.settings import PREFIX, Settings, Unusable, wrong

TOLD = "correct-horse-battery-staple"


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting from outside."""
    for name in Settings.model_fields:
        for suffix in ("", secret_files.SUFFIX):
            monkeypatch.delenv(PREFIX + name.upper() + suffix, raising=False)


def give(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, text: str, mode: int = 0o600) -> Path:
    """A file with a setting in it, named in the environment."""
    path = tmp_path / name
    path.write_text(text, "utf-8")
    path.chmod(mode)
    monkeypatch.setenv(f"{PREFIX}{name.upper()}_FILE", str(path))
    return path


@pytest.mark.parametrize("name", ["secret", "oidc_secrets", "mail", "database_password"])
def test_each_secret_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    give(monkeypatch, tmp_path, name, TOLD + "\n")
    value = getattr(Settings(), name)
    assert value.get_secret_value() == TOLD, "an editor's last newline is no part of it"


def test_every_setting_may_come_from_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    give(monkeypatch, tmp_path, "port", "8123\n")
    give(monkeypatch, tmp_path, "database", "postgresql://somebody:word@host/name")
    assert (Settings().port, Settings().database) == (8123, "postgresql://somebody:word@host/name")
    assert wrong() == []


def test_what_is_given_in_code_goes_before(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    give(monkeypatch, tmp_path, "group", "of-the-file")
    assert Settings(group="of-the-code").group == "of-the-code"


@pytest.mark.parametrize("password", ["plain", "a/b@c:d%e?f#g h", "密码", "$&+,;="])
def test_a_password_joins_the_address_whatever_is_in_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, password: str
) -> None:
    monkeypatch.setenv("CAMPUS_RISK_DATABASE", "postgresql://campus_risk@one:5432,two:5433/risk?sslmode=require")
    give(monkeypatch, tmp_path, "database_password", password)
    parts = psycopg.conninfo.conninfo_to_dict(str(Settings().database))
    assert parts == {
        "user": "campus_risk", "password": password, "host": "one,two", "port": "5432,5433", "dbname": "risk",
        "sslmode": "require",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("address", "cure"),
    [
        ("postgresql://me:already@host/name", "already holds a password"),
        ("postgresql://host/name", "names no user"),
        ("host=somewhere user=me", "begins with postgresql://"),
    ],
)
def test_a_password_that_fits_nowhere_is_said(monkeypatch: pytest.MonkeyPatch, address: str, cure: str) -> None:
    monkeypatch.setenv("CAMPUS_RISK_DATABASE", address)
    monkeypatch.setenv("CAMPUS_RISK_DATABASE_PASSWORD", TOLD)
    (sentence,) = wrong()
    assert cure in sentence
    assert TOLD not in sentence
    assert "already@" not in sentence


def test_settings_never_print_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECRET", "OIDC_SECRETS", "MAIL", "DATABASE_PASSWORD"):
        monkeypatch.setenv(PREFIX + name, TOLD)
    monkeypatch.setenv("CAMPUS_RISK_DATABASE", "postgresql://me@host/name")
    settings = Settings()
    assert TOLD in str(settings.database)
    for printed in (repr(settings), str(settings), f"{settings}"):
        assert TOLD not in printed
    with pytest.raises(Unusable) as refused:
        settings.oidc_secret("u01")
    assert TOLD not in str(refused.value)


def test_an_error_never_repeats_what_stands_in_the_wrong_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAMPUS_RISK_SECRET", TOLD)
    monkeypatch.setenv("CAMPUS_RISK_DATABASE", f"host=x password={TOLD}")
    monkeypatch.setenv("CAMPUS_RISK_DATABASE_PASSWORD", "other")
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert TOLD not in str(refused.value)
    assert TOLD not in " ".join(wrong())


def test_everything_that_is_wrong_is_told_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CAMPUS_RISK_PORT", "http")
    monkeypatch.setenv("CAMPUS_RISK_PARTITIONS", "0")
    monkeypatch.setenv("CAMPUS_RISK_SECRET_FILE", str(tmp_path / "missing"))
    give(monkeypatch, tmp_path, "mail", "\n")
    give(monkeypatch, tmp_path, "group", "x")
    monkeypatch.setenv("CAMPUS_RISK_GROUP", "y")
    (tmp_path / "oidc").write_bytes(b"\xff\xfe")
    monkeypatch.setenv("CAMPUS_RISK_OIDC_SECRETS_FILE", str(tmp_path / "oidc"))
    told = wrong()
    for words in (
        "CAMPUS_RISK_PORT: input should be a valid integer",
        "not 'http'",
        "CAMPUS_RISK_PARTITIONS: input should be greater than or equal to 1",
        "CAMPUS_RISK_SECRET_FILE: " + str(tmp_path / "missing") + " cannot be read (No such file or directory)",
        "CAMPUS_RISK_MAIL_FILE: " + str(tmp_path / "mail") + " is empty",
        "CAMPUS_RISK_GROUP and CAMPUS_RISK_GROUP_FILE are both set",
        "is no UTF-8 text",
    ):
        assert any(words in sentence for sentence in told), words
    assert len(told) == 6
    with pytest.raises(Unusable):
        Settings()


def test_a_file_that_everybody_may_read_is_used_and_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = give(monkeypatch, tmp_path, "secret", TOLD, mode=0o644)
    found = secret_files.read(["secret"], {"CAMPUS_RISK_SECRET_FILE": str(path)}, PREFIX)
    assert found.values == {"secret": TOLD}
    (sentence,) = found.open
    assert str(path) in sentence
    path.chmod(0o440)
    assert secret_files.read(["secret"], {"CAMPUS_RISK_SECRET_FILE": str(path)}, PREFIX).open == []


def test_the_classifier_lies_in_the_local_folder_or_where_it_is_said(tmp_path: Path) -> None:
    assert Settings(local=tmp_path).models_dir == tmp_path / "models"
    assert Settings(local=tmp_path, models=Path("/opt/models")).models_dir == Path("/opt/models")
