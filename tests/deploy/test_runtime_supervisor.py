"""Real child processes: order, readiness, restarts, stalls, signals."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from deploy.runtime import child as child_module
from deploy.runtime.checks import CannotStart
from deploy.runtime.supervisor import Child, Supervisor

_SLEEP = ("sleep", "60")


class Said(list[str]):
    def about(self, *words: str) -> bool:
        return any(all(word in line for word in words) for line in self)


@pytest.fixture
def said() -> Said:
    return Said()


@pytest_asyncio.fixture
async def supervisor(tmp_path: Path, said: Said) -> AsyncIterator[Supervisor]:
    made = Supervisor(tmp_path, said.append)
    yield made
    await made.stop()


def _python(code: str, *args: str) -> tuple[str, ...]:
    return (sys.executable, "-c", code, *args)


async def _until(condition: object, within: float = 10.0) -> None:
    assert callable(condition)
    end = time.monotonic() + within
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        await asyncio.sleep(0.02)


async def test_each_is_ready_before_the_next_starts_and_stopped_in_reverse(
    supervisor: Supervisor, said: Said, tmp_path: Path
) -> None:
    answers = iter([False, False, True])

    async def ready() -> bool:
        return next(answers)

    await supervisor.start(Child("first", _SLEEP, ready=ready), Child("second", _SLEEP))
    assert [line.split(" after")[0] for line in said] == [
        "first: starting",
        "first: ready",
        "second: starting",
        "second: ready",
    ]
    pids = [supervisor.pid(name) for name in ("first", "second")]
    assert (tmp_path / "run" / "first.pid").read_text() == f"{pids[0]}\n"
    said.clear()
    await supervisor.stop()
    assert said == ["second: stopping", "first: stopping"]
    assert not any(psutil.pid_exists(pid) for pid in pids if pid)
    assert list((tmp_path / "run").iterdir()) == []


async def test_a_child_that_dies_at_its_start_shows_its_last_lines(supervisor: Supervisor) -> None:
    dying = Child("dying", _python("print('line of before'); raise SystemExit('no such broker')"), ready=_never)
    with pytest.raises(CannotStart) as caught:
        await supervisor.start(dying)
    assert "dying ended with exit code 1 at its start" in caught.value.message
    assert "    no such broker" in caught.value.message


async def _never() -> bool:
    return False


async def test_a_child_that_is_never_ready_is_killed_and_said(supervisor: Supervisor, tmp_path: Path) -> None:
    with pytest.raises(CannotStart, match="slow was not ready within 0 s"):
        await supervisor.start(Child("slow", _SLEEP, ready=_never, ready_within=0.3))
    assert supervisor.pid("slow") is None
    assert not psutil.pid_exists(int((tmp_path / "run" / "slow.pid").read_text()))


async def test_a_program_that_does_not_exist_is_one_sentence(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_module, "_tether", lambda: False)
    with pytest.raises(CannotStart, match="absent could not be started"):
        await supervisor.start(Child("absent", ("/nonexistent/program",)))


async def test_a_killed_child_comes_back(supervisor: Supervisor, said: Said) -> None:
    async def ready() -> bool:
        return True

    await supervisor.start(Child("worker", _SLEEP, ready=ready))
    killed = supervisor.kill("worker")
    await supervisor.until_ready("worker", within=5)
    assert supervisor.pid("worker") not in (killed, None)
    assert supervisor.restarts("worker") == 1
    assert said.about("worker: was ended by SIGKILL; starting again in 0.2 s")
    assert said.about("worker: ready again")


async def test_a_killed_childs_own_children_do_not_survive_it(supervisor: Supervisor, tmp_path: Path) -> None:
    note = tmp_path / "grandchild"
    code = "import subprocess,sys,time; p=subprocess.Popen(['sleep','60']); open(sys.argv[1],'w').write(str(p.pid)+'\\n'); p.wait()"
    await supervisor.start(Child("parent", _python(code, str(note))))
    await _until(lambda: note.exists() and note.read_text().endswith("\n"))
    grandchild = int(note.read_text())
    supervisor.kill("parent")
    await _until(lambda: not psutil.pid_exists(grandchild))


async def test_restarts_slow_down_and_are_capped(
    supervisor: Supervisor, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_module, "_BACKOFF_FIRST", 0.01)
    monkeypatch.setattr(child_module, "_BACKOFF_MOST", 0.04)
    await supervisor.start(Child("flapping", ("false",)))
    await _until(lambda: supervisor.restarts("flapping") >= 5)
    delays = [line.rsplit("in ", 1)[1] for line in said if "starting again" in line]
    assert delays[:2] == ["0.0 s", "0.0 s"]
    assert said.about("ended with exit code 1")


async def test_a_child_that_stayed_up_starts_fast_again(
    supervisor: Supervisor, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_module, "_BACKOFF_FIRST", 0.1)
    monkeypatch.setattr(child_module, "_STEADY_AFTER", 0.0)
    await supervisor.start(Child("steady", _SLEEP))
    for _ in range(3):
        supervisor.kill("steady")
        await supervisor.until_ready("steady", within=5)
    assert [line for line in said if "again in" in line] == [
        "steady: was ended by SIGKILL; starting again in 0.1 s"
    ] * 3


async def test_ready_of_a_dead_child_is_not_believed(supervisor: Supervisor) -> None:
    async def ready() -> bool:
        await asyncio.sleep(0.5)
        return True

    with pytest.raises(CannotStart, match="ended with exit code 1 at its start"):
        await supervisor.start(Child("dead", ("false",), ready=ready))


async def test_a_restart_that_fails_is_tried_again(supervisor: Supervisor, said: Said, tmp_path: Path) -> None:
    fails = tmp_path / "fails"
    code = "import os,sys,time; os.path.exists(sys.argv[1]) and sys.exit('database is down'); time.sleep(60)"

    async def ready() -> bool:
        await asyncio.sleep(0.2)
        return True

    await supervisor.start(Child("agent", _python(code, str(fails)), ready=ready))
    fails.touch()
    supervisor.kill("agent")
    await _until(lambda: said.about("agent ended with exit code 1 at its start", "database is down"))
    fails.unlink()
    await supervisor.until_ready("agent", within=10)


async def test_a_stalled_child_is_restarted_with_its_reason(supervisor: Supervisor, said: Said) -> None:
    reasons = iter(["no commit for 60 s"])

    async def stalled() -> str | None:
        return next(reasons, None)

    await supervisor.start(Child("agent", _SLEEP, stalled=stalled, stalled_every=0.05))
    await _until(lambda: supervisor.restarts("agent") == 1)
    await supervisor.until_ready("agent", within=5)
    assert said.about("agent: had stalled (no commit for 60 s); starting again")


async def test_stop_is_not_lost_in_a_check_that_ends_in_the_same_moment(supervisor: Supervisor) -> None:
    async def stalled() -> None:
        return None

    await supervisor.start(Child("agent", _SLEEP, stalled=stalled, stalled_every=0.0))
    await asyncio.sleep(0.1)
    async with asyncio.timeout(5):
        await supervisor.stop()


async def test_a_stall_check_that_cannot_tell_restarts_nothing(supervisor: Supervisor) -> None:
    asked = 0

    async def stalled() -> bool:
        nonlocal asked
        asked += 1
        raise ConnectionError("the database is down")

    await supervisor.start(Child("agent", _SLEEP, stalled=stalled, stalled_every=0.02))
    await _until(lambda: asked >= 3)
    assert supervisor.restarts("agent") == 0


async def test_a_child_that_ignores_its_stop_signal_is_killed(supervisor: Supervisor, tmp_path: Path) -> None:
    note = tmp_path / "deaf"
    code = "import signal,sys,time; signal.signal(15, signal.SIG_IGN); open(sys.argv[1],'w').close(); time.sleep(60)"
    await supervisor.start(Child("deaf", _python(code, str(note)), stop_after=0.2))
    await _until(note.exists)
    pid = supervisor.pid("deaf")
    assert pid is not None
    await asyncio.wait_for(supervisor.stop(), 5)
    assert not psutil.pid_exists(pid)


async def test_an_oversized_log_is_rotated_at_the_start(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_module, "_LOG_MOST", 10)
    log = tmp_path / "logs" / "talker.log"
    log.parent.mkdir()
    log.write_text("of an earlier run\n")
    await supervisor.start(Child("talker", ("sh", "-c", "echo hello; sleep 60")))
    await _until(lambda: log.read_text() == "hello\n")
    assert log.with_suffix(".log.1").read_text() == "of an earlier run\n"


async def test_one_child_can_be_ended_and_started_again(supervisor: Supervisor) -> None:
    await supervisor.start(Child("api", _SLEEP))
    with pytest.raises(ValueError, match="runs already"):
        await supervisor.start(Child("api", _SLEEP))
    await supervisor.end("api")
    await supervisor.start(Child("api", _SLEEP))
    assert supervisor.pid("api") is not None


_MAIN = """
import asyncio, sys
from pathlib import Path
from deploy.runtime.supervisor import Child, Supervisor

DEAF = "import signal,time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"

async def main():
    supervisor = Supervisor(Path(sys.argv[1]), lambda line: print(line, flush=True))
    async def body():
        try:
            await supervisor.start(Child("one", ("sleep", "60")))
            if "deaf" in sys.argv:
                async def ready():
                    return "deaf" in supervisor.log("two").read_text()
                await supervisor.start(Child("two", (sys.executable, "-c", DEAF), ready=ready, stop_after=60))
            print("up", flush=True)
            await supervisor.forever()
        finally:
            await supervisor.stop()
    print("signalled", await supervisor.guard(body()), flush=True)

asyncio.run(main())
"""


def _platform(local: Path, *args: str) -> subprocess.Popen[str]:
    started = subprocess.Popen(
        [sys.executable, "-c", _MAIN, str(local), *args],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert started.stdout is not None
    for line in started.stdout:
        if line == "up\n":
            return started
    raise AssertionError("did not come up")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything(tmp_path: Path, number: signal.Signals) -> None:
    with _platform(tmp_path) as platform:
        pid = int((tmp_path / "run" / "one.pid").read_text())
        platform.send_signal(number)
        printed, _ = platform.communicate(timeout=10)
    assert printed.splitlines()[-2:] == ["one: stopping", "signalled True"]
    assert platform.returncode == 0
    assert not psutil.pid_exists(pid)


def test_a_second_ctrl_c_kills_at_once(tmp_path: Path) -> None:
    with _platform(tmp_path, "deaf") as platform:
        pids = [int((tmp_path / "run" / f"{name}.pid").read_text()) for name in ("one", "two")]
        platform.send_signal(signal.SIGINT)
        assert platform.stdout is not None
        while platform.stdout.readline() != "two: stopping\n":
            pass
        platform.send_signal(signal.SIGINT)
        platform.communicate(timeout=10)
    assert platform.returncode == 0
    assert not any(psutil.pid_exists(pid) for pid in pids)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the parent-death signal is Linux's")
def test_children_die_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    with _platform(tmp_path) as platform:
        pid = int((tmp_path / "run" / "one.pid").read_text())
        platform.kill()
        platform.communicate(timeout=10)
    end = time.monotonic() + 5
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end
        time.sleep(0.02)
