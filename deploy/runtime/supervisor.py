"""Starts children in order, keeps them up, stops them in reverse: API, then agents, then Kafka, then PostgreSQL."""

import asyncio
import contextlib
import signal
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from deploy.runtime.checks import CannotStart
from deploy.runtime.child import Child, Keeper, Say

__all__ = ["Child", "Say", "Supervisor"]

# Closing the terminal window ends the platform as Ctrl-C does.
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Supervisor:
    """Must be used from the main thread's event loop: the children die with the thread that starts them."""

    def __init__(self, local: Path, say: Say) -> None:
        self.local = local
        self._say = say
        self._keepers: dict[str, Keeper] = {}

    async def start(self, *children: Child) -> None:
        """Start each one and wait for its readiness before the next. CannotStart when one fails; stop() is the caller's."""
        for child in children:
            if child.name in self._keepers:
                raise ValueError(f"a child named {child.name} runs already")
            keeper = self._keepers[child.name] = Keeper(child, self.local, self._say)
            try:
                await keeper.start()
            except OSError as failed:
                raise CannotStart(f"{child.name} could not be started: {failed}.") from failed

    async def stop(self) -> None:
        """Stop all, last started first. No restart happens once this is called."""
        for keeper in self._keepers.values():
            keeper.let_go()
        for name, keeper in reversed(list(self._keepers.items())):
            self._say(f"{name}: stopping")
            await keeper.end()
            # Only now: until it is gone, kill_all() must still find it.
            del self._keepers[name]

    async def end(self, name: str) -> None:
        """Stop one child on purpose, without a restart; it can be started again with start()."""
        await self._keepers.pop(name).end()

    def pid(self, name: str) -> int | None:
        """The process id of a child, None while it is down. KeyError for an unknown name."""
        return self._keepers[name].pid

    def restarts(self, name: str) -> int:
        """How often a child was started again."""
        return self._keepers[name].restarts

    def kill(self, name: str) -> int:
        """SIGKILL one child, as a fault would; it is then restarted → the pid killed."""
        return self._keepers[name].kill()

    def log(self, name: str) -> Path:
        """The file that takes a child's output."""
        return self._keepers[name].log

    async def until_ready(self, name: str, within: float = 60.0) -> None:
        """Wait until a killed child is ready again. TimeoutError after `within` seconds."""
        async with asyncio.timeout(within):
            await self._keepers[name].is_ready.wait()

    def kill_all(self) -> None:
        """SIGKILL everything, now. Data survives it: PostgreSQL and Kafka both recover from their logs."""
        for keeper in self._keepers.values():
            keeper.let_go()
            keeper.kill_group()

    async def guard(self, body: Coroutine[Any, Any, None]) -> bool:
        """Run `body` until it ends or a signal asks to stop → True when it was a signal.

        The first SIGINT, SIGTERM or SIGHUP cancels `body`, whose `finally` or `async with` calls stop(); the second one
        kills every child at once. An exception of `body` is passed on.
        """
        loop = asyncio.get_running_loop()
        task = loop.create_task(body)
        asked = 0

        def on_signal() -> None:
            nonlocal asked
            asked += 1
            if asked == 1:
                self._say("stopping; once more to kill everything at once")
                task.cancel()
            else:
                self.kill_all()

        for number in _STOPPING:
            loop.add_signal_handler(number, on_signal)
        try:
            await asyncio.wait([task])
        finally:
            for number in _STOPPING:
                loop.remove_signal_handler(number)
            if not task.done():  # we were cancelled ourselves
                task.cancel()
                await asyncio.wait([task])
        with contextlib.suppress(asyncio.CancelledError):
            task.result()
        return asked > 0

    async def forever(self) -> None:
        """Keep the children up until cancelled."""
        await asyncio.Event().wait()
