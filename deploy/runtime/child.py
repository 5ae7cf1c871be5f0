"""One child process of the supervisor: started, waited for, kept up, ended."""

import asyncio
import contextlib
import functools
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.runtime.checks import CannotStart
from deploy.runtime.folder import mark
from deploy.runtime.once import last_lines

Say = Callable[[str], None]

# Readiness is asked ten times a second: a start of half a second is not rounded up to a whole one, and it costs nothing.
_READY_EVERY = 0.1

# A check that hangs must not hide that the child has died meanwhile.
_READY_ANSWERS_WITHIN = 5.0

# A hanging worker is found within seconds, and three questions of a database a minute more would not be noticed either.
_STALLED_EVERY = 5.0

# First again at once-like speed (a single kill heals before anyone looks), then doubling, so that a child that fails at
# each start does not burn a core; never slower than 15 s, so that the platform is back soon after the cause is gone.
_BACKOFF_FIRST, _BACKOFF_MOST = 0.2, 15.0

# A child that stayed up for a minute has recovered: its next death starts from the fast end again.
_STEADY_AFTER = 60.0

# One old log of 10 MiB beside the current one: days of a quiet platform, and both open in any editor.
_LOG_MOST = 10 << 20


@dataclass(frozen=True)
class Child:
    """A long-running program.

    ready: asked until it returns True; None means ready as soon as it runs. An exception counts as "not yet".
    stalled: asked every few seconds; a reason (or True) restarts the child. An exception counts as "cannot tell", so that
    a database that is down does not restart a worker that waits for it.
    before: awaited before each start, restarts included.
    prefix: a command that becomes the child's own after having changed who it is (`unshare …`, `setpriv …`).
    """

    name: str
    command: Sequence[str]
    env: Mapping[str, str] | None = None
    ready: Callable[[], Awaitable[bool]] | None = None
    stop_after: float = 10.0
    stalled: Callable[[], Awaitable[str | bool | None]] | None = None
    ready_within: float = 60.0
    stalled_every: float = _STALLED_EVERY
    before: Callable[[], Awaitable[None]] | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    cwd: Path | None = None
    prefix: Sequence[str] = ()


@functools.cache
def _tether() -> bool:
    # setpriv (util-linux) sets the parent-death signal and then becomes the program: no code runs between fork and exec
    # in a process that has threads. It must come after `unshare`: entering a user namespace clears the setting.
    # Where it is missing (macOS, busybox), orphans are stopped by the next start instead (folder.py).
    tool = shutil.which("setpriv")
    return tool is not None and subprocess.run([tool, "--pdeathsig", "TERM", "true"], check=False).returncode == 0


def tethered(command: Sequence[str], prefix: Sequence[str], on_death: signal.Signals) -> list[str]:
    """The command that receives `on_death` when the thread that started it ends."""
    tether = ["setpriv", "--pdeathsig", on_death.name.removeprefix("SIG"), "--"] if _tether() else []
    return [*prefix, *tether, *command]


class Keeper:
    """Keeps one Child up. All methods belong to the supervisor's event loop."""

    def __init__(self, child: Child, local: Path, say: Say) -> None:
        self.child = child
        self.restarts = 0
        self.is_ready = asyncio.Event()
        self.log = local / "logs" / f"{child.name}.log"
        self._pid_file = local / "run" / f"{child.name}.pid"
        self._local = local
        self._say = say
        self._process: asyncio.subprocess.Process | None = None
        self._watch: asyncio.Task[None] | None = None
        self._offset = 0
        self._started = 0.0

    @property
    def pid(self) -> int | None:
        """The running process, None between two of them."""
        return None if self._process is None or self._process.returncode is not None else self._process.pid

    async def start(self) -> None:
        """Start and wait for readiness, then keep it up. CannotStart with the last lines when the first start fails."""
        self._say(f"{self.child.name}: starting")
        await self._bring_up()
        self._say(f"{self.child.name}: ready after {time.monotonic() - self._started:.1f} s")
        self._watch = asyncio.create_task(self._keep(), name=f"keep {self.child.name}")

    def let_go(self) -> None:
        """No more restarts."""
        if self._watch is not None:
            self._watch.cancel()

    async def end(self) -> None:
        """The stop signal, then SIGKILL after `stop_after` seconds; returns when it is gone."""
        self.is_ready.clear()
        self.let_go()
        if self._watch is not None:
            # Not `await self._watch`: that could not tell its cancellation from our own.
            await asyncio.wait([self._watch])
        await self._end()
        self._pid_file.unlink(missing_ok=True)

    def kill(self) -> int:
        """SIGKILL the process alone, as a fault would → its pid. ProcessLookupError when it does not run."""
        if self.pid is None:
            raise ProcessLookupError(f"{self.child.name} is not running")
        self.is_ready.clear()
        os.kill(self.pid, signal.SIGKILL)
        return self.pid

    def kill_group(self) -> None:
        """SIGKILL the process and what it started in its group."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    async def _bring_up(self) -> None:
        try:
            if self.child.before is not None:
                await self.child.before()
            await self._spawn()
            await self._until_ready()
        except BaseException:
            await self._end(at_once=True)
            raise
        self.is_ready.set()

    async def _spawn(self) -> None:
        child = self.child
        for folder in (self.log.parent, self._pid_file.parent):
            folder.mkdir(parents=True, exist_ok=True)
        if self.log.exists() and self.log.stat().st_size > _LOG_MOST:
            self.log.replace(self.log.with_suffix(".log.1"))
        with self.log.open("ab") as output:
            self._offset = output.tell()
            self._started = time.monotonic()
            self._process = await asyncio.create_subprocess_exec(
                *tethered(child.command, child.prefix, child.stop_signal),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                env={**(os.environ if child.env is None else child.env), **mark(self._local, child.name)},
                cwd=child.cwd,
                # Its own session: a terminal's Ctrl-C reaches the supervisor alone, which then stops in order.
                start_new_session=True,
            )
        self._pid_file.write_text(f"{self._process.pid}\n")

    async def _until_ready(self) -> None:
        while True:
            assert self._process is not None  # noqa: S101  (set by _spawn; for the type checker)
            if self._process.returncode is not None:
                raise CannotStart(
                    self._with_lines(f"{self.child.name} {_ending(self._process.returncode)} at its start")
                )
            if self.child.ready is None:
                return
            left = self.child.ready_within - (time.monotonic() - self._started)
            if left <= 0:
                raise CannotStart(
                    self._with_lines(f"{self.child.name} was not ready within {self.child.ready_within:.0f} s")
                )
            if await self._answers(self.child.ready, min(left, _READY_ANSWERS_WITHIN)) and self.pid is not None:
                return
            await asyncio.sleep(_READY_EVERY)

    @staticmethod
    async def _answers(ready: Callable[[], Awaitable[bool]], within: float) -> bool:
        # asyncio.timeout throughout, not wait_for: in Python 3.11 that loses a cancellation which arrives in the moment
        # the awaited thing ends, and stop() then waits for ever.
        with contextlib.suppress(Exception):
            async with asyncio.timeout(within):
                return await ready()
        return False

    def _with_lines(self, sentence: str) -> str:
        return f"{sentence}; its log {self.log} ends with:\n{last_lines(self.log, self._offset) or '    (nothing)'}"

    async def _keep(self) -> None:
        failures = 0
        while True:
            ended = await self._until_down()
            self.is_ready.clear()
            if time.monotonic() - self._started > _STEADY_AFTER:
                failures = 0
            # What it started in its group may hold its port.
            self.kill_group()
            while True:
                delay = min(_BACKOFF_FIRST * 2**failures, _BACKOFF_MOST)
                failures += 1
                self.restarts += 1
                self._say(f"{self.child.name}: {ended}; starting again in {delay:.1f} s")
                await asyncio.sleep(delay)
                try:
                    await self._bring_up()
                except CannotStart as failed:
                    ended = failed.message
                except OSError as failed:
                    ended = f"could not be started ({failed})"
                else:
                    self._say(f"{self.child.name}: ready again after {time.monotonic() - self._started:.1f} s")
                    break

    async def _until_down(self) -> str:
        assert self._process is not None  # noqa: S101  (set by _spawn; for the type checker)
        down = asyncio.ensure_future(self._process.wait())
        try:
            while True:
                done, _ = await asyncio.wait({down}, timeout=self.child.stalled_every)
                if done:
                    return _ending(down.result())
                if reason := await self._stall():
                    self.is_ready.clear()
                    await self._end()
                    return f"had stalled ({reason})"
        finally:
            down.cancel()

    async def _stall(self) -> str | None:
        if self.child.stalled is None:
            return None
        try:
            async with asyncio.timeout(self.child.stalled_every):
                found = await self.child.stalled()
        except Exception:
            return None
        return "no progress" if found is True else found or None

    async def _end(self, *, at_once: bool = False) -> None:
        if self._process is None:
            return
        if self._process.returncode is None and not at_once:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(self.child.stop_signal)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.child.stop_after):
                    await self._process.wait()
        self.kill_group()
        await self._process.wait()


def _ending(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
