"""Each obstacle is named in one sentence with its cause and cure."""

import os
import shutil
import socket
from pathlib import Path

import pytest

from deploy.runtime import checks


def _script(folder: Path, name: str, body: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def _java_says(folder: Path, version: str) -> None:
    _script(folder, "java", f"echo 'openjdk version \"{version}\" 2025-01-01' >&2")


def test_port_in_use_names_the_holder_and_the_setting() -> None:
    with socket.create_server((checks.LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(checks.CannotStart) as caught:
            checks.check_port(port, "CAMPUS_RISK_PORT")
    assert f"Port {port} is in use by" in caught.value.message
    assert f"(pid {os.getpid()})" in caught.value.message
    assert "CAMPUS_RISK_PORT=<port>" in caught.value.message


def test_port_is_free_again_although_old_connections_linger() -> None:
    with socket.create_server((checks.LOOPBACK, 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection((checks.LOOPBACK, port)):
            accepted, _ = server.accept()
            accepted.close()  # the server's side closes first: it is left in TIME_WAIT
    checks.check_port(port, "CAMPUS_RISK_PORT")


def test_free_port_lies_below_the_outgoing_range_and_can_be_bound() -> None:
    port = checks.free_port()
    assert 20_000 <= port < 32_000
    with socket.create_server((checks.LOOPBACK, port)):
        pass


@pytest.mark.parametrize("version", ["17.0.15", "21", "25.0.1"])
def test_java_new_enough_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    _java_says(tmp_path, version)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    assert checks.java() == str(tmp_path / "java")


@pytest.mark.parametrize(("version", "major"), [("11.0.2", 11), ("1.8.0_392", 8)])
def test_java_too_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, major: int) -> None:
    _java_says(tmp_path, version)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(checks.CannotStart, match=rf"^Java {major} at .* is too old .* install a Java runtime 17"):
        checks.java()


def test_java_home_comes_before_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _java_says(tmp_path / "home" / "bin", "21.0.1")
    _java_says(tmp_path, "17.0.1")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    assert checks.java() == str(tmp_path / "home" / "bin" / "java")


def test_missing_java_and_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("JAVA_HOME", raising=False)
    with pytest.raises(checks.CannotStart, match="Java was not found"):
        checks.java()
    with pytest.raises(checks.CannotStart, match=r"^mvn was not found: install it\.$"):
        checks.program("mvn", "install it")


def test_disk_full_says_how_much_is_missing(tmp_path: Path) -> None:
    checks.check_disk(tmp_path, least=0)
    with pytest.raises(checks.CannotStart, match=r"MiB are free at .* CAMPUS_RISK_LOCAL"):
        checks.check_disk(tmp_path, least=shutil.disk_usage(tmp_path).total + 1)


def test_layout_is_noted_once_and_a_stale_one_refused(tmp_path: Path) -> None:
    checks.check_layout(tmp_path)
    assert (tmp_path / "VERSION").read_text() == f"{checks.LAYOUT}\n"
    checks.check_layout(tmp_path)
    (tmp_path / "VERSION").write_text("0\n")
    with pytest.raises(checks.CannotStart, match=r"layout 0 .* `campus-risk reset`"):
        checks.check_layout(tmp_path)
