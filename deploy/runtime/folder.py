"""The data folder belongs to one runtime at a time: its lock, and what a killed one left running in it."""

import contextlib
import fcntl
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

from deploy.runtime.checks import CannotStart, gone

# In the environment of every child, so that an orphan can be told from a stranger's process whatever its command is.
MARK = "CAMPUS_RISK_RUNTIME"

# A broker writes out its logs and PostgreSQL a checkpoint: both take a second or two, on a slow disk ten.
_ORPHAN_STOPS_WITHIN = 15.0


@contextlib.contextmanager
def held(local: Path) -> Iterator[None]:
    """Hold the data folder `local` (made if missing); CannotStart when another runtime holds it.

    The kernel drops the lock with the process, so a dead holder, kill -9 included, is no obstacle.
    """
    try:
        local.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(local / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as failed:
        raise CannotStart(
            f"The data folder {local} cannot be written to ({failed.strerror}): "
            "give it to the user who starts, or choose another with CAMPUS_RISK_LOCAL=<folder>."
        ) from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
            raise CannotStart(
                f"campus-risk is already running on {local} (pid {holder}): "
                "stop that one, or give this one its own folder and ports with CAMPUS_RISK_LOCAL, CAMPUS_RISK_PORT, "
                "CAMPUS_RISK_KAFKA_PORT and CAMPUS_RISK_DATABASE_PORT."
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def mark(local: Path, name: str) -> dict[str, str]:
    """The environment entry that says whose child a process is."""
    return {MARK: f"{local.resolve()}:{name}"}


def orphans(local: Path) -> dict[int, str]:
    """Processes that a runtime on this data folder started and that still run: pid → child's name."""
    prefix = f"{local.resolve()}:"
    found = {}
    for process in psutil.process_iter():
        try:
            value = process.environ().get(MARK, "")
        except (psutil.Error, OSError):
            continue  # gone meanwhile, or not ours to look at: then it is not our child either
        if value.startswith(prefix) and process.pid != os.getpid():
            found[process.pid] = value.removeprefix(prefix)
    return found


async def stop_orphans(local: Path, say: Callable[[str], None]) -> list[str]:
    """Stop what a killed runtime left behind on `local`. Call it only while holding the folder. → the names stopped."""
    names = []
    for pid, name in orphans(local).items():
        with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
            process = psutil.Process(pid)
            say(f"{name}: still running from an earlier start that was killed (pid {pid}); stopping it")
            # SIGINT is PostgreSQL's fast shutdown; its SIGTERM would wait for every client to leave.
            os.kill(pid, signal.SIGINT if name == "postgres" else signal.SIGTERM)
            names.append(name)
            if not await gone(process, _ORPHAN_STOPS_WITHIN):
                process.kill()
                await gone(process, _ORPHAN_STOPS_WITHIN)
    return names
