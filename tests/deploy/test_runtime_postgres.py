"""Decisions about the data folder that need no server; the server itself is in test_runtime_local.py."""

import asyncio
import os
import stat
import sys
from pathlib import Path

import psutil
import pytest

from deploy.runtime import postgres
from deploy.runtime.checks import CannotStart


def _data(local: Path) -> Path:
    data = local / "postgres" / "data"
    data.mkdir(parents=True)
    return data


async def test_another_majors_data_is_refused_with_the_cure(tmp_path: Path) -> None:
    (_data(tmp_path) / "PG_VERSION").write_text("16\n")
    with pytest.raises(CannotStart, match=r"PostgreSQL 16's and this release runs 17: .*pg_dump.*campus-risk reset"):
        await postgres.prepare(tmp_path)


async def test_this_majors_data_is_left_alone(tmp_path: Path) -> None:
    (_data(tmp_path) / "PG_VERSION").write_text("17\n")
    await postgres.prepare(tmp_path)
    assert [path.name for path in (tmp_path / "postgres" / "data").iterdir()] == ["PG_VERSION"]


@pytest.mark.runtime
async def test_an_interrupted_initdb_is_started_anew(tmp_path: Path) -> None:
    (_data(tmp_path) / "base").mkdir()
    (tmp_path / "postgres" / "data.new").mkdir()
    (tmp_path / "postgres" / "data.new" / "half").touch()
    await postgres.prepare(tmp_path, durable=False)
    assert (tmp_path / "postgres" / "data" / "PG_VERSION").read_text() == "17\n"
    assert not (tmp_path / "postgres" / "data.new").exists()
    assert not (tmp_path / "postgres" / "password.new").exists()
    mode = (tmp_path / "postgres" / "password").stat().st_mode
    assert stat.S_IMODE(mode) == 0o600
    rules = (tmp_path / "postgres" / "data" / "pg_hba.conf").read_text().splitlines()
    methods = {line.split()[-1] for line in rules if line and not line.startswith("#")}
    assert methods == {"scram-sha-256"}


async def test_a_pid_file_with_a_strangers_number_is_removed(tmp_path: Path) -> None:
    data = _data(tmp_path)
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n")
    await postgres.clear(tmp_path)
    assert not (data / "postmaster.pid").exists()


async def test_stragglers_of_a_killed_server_are_waited_for_and_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "_STRAGGLERS_WITHIN", 0.1)
    data = _data(tmp_path)
    straggler = await asyncio.create_subprocess_exec("sleep", "60", cwd=data)
    stranger = await asyncio.create_subprocess_exec("sleep", "60")
    try:
        await postgres.clear(tmp_path)
        assert await straggler.wait() == -9
        assert psutil.pid_exists(stranger.pid)
    finally:
        stranger.kill()
        await stranger.wait()


def test_durable_never_switches_fsync_off_and_quick_keeps_commits_through_a_kill(tmp_path: Path) -> None:
    durable = postgres.command(tmp_path, 5432)
    assert not any(word.startswith(("fsync=", "synchronous_commit=", "full_page_writes=")) for word in durable)
    assert "listen_addresses=127.0.0.1" in durable
    quick = postgres.command(tmp_path, 5432, durable=False)
    assert "fsync=off" in quick
    assert "synchronous_commit=off" not in quick


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs somebody else to run the server")
def test_root_without_user_namespaces_falls_back_to_a_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "unshare").write_text("#!/bin/sh\nexit 1\n")
    (tools / "unshare").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    folder = tmp_path / "postgres"
    folder.mkdir()
    (folder / "password").touch(mode=0o600)
    # pytest's temporary folders are 0700: nobody but root can reach this one.
    with pytest.raises(CannotStart, match="no other user can reach both"):
        postgres.not_root(folder)
    assert folder.stat().st_uid == 0
    for parent in (tmp_path, *list(tmp_path.parents)[:2]):
        parent.chmod(0o755)
    if not os.access("/", os.X_OK) or Path(sys.prefix).resolve().is_relative_to("/root"):
        pytest.skip("the environment lies where no other user may look")
    prefix = postgres.not_root(folder)
    assert prefix[0] == "setpriv"
    assert folder.stat().st_uid != 0
    assert (folder / "password").stat().st_uid == 0
