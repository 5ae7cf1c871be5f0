"""One runtime a data folder; what a killed one left running is stopped by the next."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from deploy.runtime import folder
from deploy.runtime.checks import CannotStart

_HOLD = """
import sys, time
from pathlib import Path
from deploy.runtime import folder
with folder.held(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def _project() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}


def test_a_second_runtime_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    with (
        folder.held(tmp_path / "local"),
        pytest.raises(CannotStart, match=rf"already running on .* \(pid {os.getpid()}\)"),
        folder.held(tmp_path / "local"),
    ):
        raise AssertionError("held twice")
    with folder.held(tmp_path / "local"):
        assert (tmp_path / "local" / "lock").read_text() == f"{os.getpid()}\n"


def test_a_holder_killed_with_sigkill_is_no_obstacle(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True, env=_project()
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(CannotStart, match=f"pid {holder.pid}"), folder.held(tmp_path):
            raise AssertionError("held twice")
        holder.kill()
        holder.wait()
        with folder.held(tmp_path):
            pass


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(CannotStart, match=r"cannot be written to .* CAMPUS_RISK_LOCAL"),
        folder.held(tmp_path / "file" / "x"),
    ):
        raise AssertionError("held")


async def test_orphans_of_this_folder_alone_are_stopped(tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "mine2"
    orphan = await asyncio.create_subprocess_exec("sleep", "60", env={**os.environ, **folder.mark(mine, "kafka")})
    other = await asyncio.create_subprocess_exec("sleep", "60", env={**os.environ, **folder.mark(theirs, "kafka")})
    try:
        assert folder.orphans(mine) == {orphan.pid: "kafka"}
        said: list[str] = []
        assert await folder.stop_orphans(mine, said.append) == ["kafka"]
        assert said == [f"kafka: still running from an earlier start that was killed (pid {orphan.pid}); stopping it"]
        assert await asyncio.wait_for(orphan.wait(), 5) == -15
        assert folder.orphans(mine) == {}
        assert psutil.pid_exists(other.pid)
    finally:
        for process in (orphan, other):
            if process.returncode is None:
                process.kill()
            await process.wait()
