"""A heartbeat in a file, for whoever restarts containers: ``python -m deploy.beat worker`` ends with 0 while the worker is well.

A worker and a keeper have no port to ask. The file is touched from the event loop, so a loop that hangs stops the beat. Nothing
but the standard library is imported here: the question is asked every few seconds, beside the process that it is about.
"""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

EVERY = 5.0
# Six beats: a pause of the machine or a full disk for a moment is no reason to kill a worker.
PATIENCE = 30.0


def path(local: Path, part: str) -> Path:
    """Where a part's beat lies."""
    return local / "beat" / part


async def beat(file: Path, stalled: Callable[[], Awaitable[str | None]] | None = None) -> None:
    """Touch the file until cancelled. ``stalled`` gives a reason to stop, and then the beat is left out."""
    file.parent.mkdir(parents=True, exist_ok=True)
    while True:
        reason = None
        if stalled is not None:
            # A database that is away does not make a worker sick that waits for it.
            with contextlib.suppress(Exception):
                reason = await stalled()
        if reason is None:
            file.touch()  # noqa: ASYNC240 - one inode in memory
        await asyncio.sleep(EVERY)


def well(file: Path, now: float) -> bool:
    """Whether the last beat is young; ``now`` in seconds since 1970."""
    try:
        return now - file.stat().st_mtime < PATIENCE
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(0 if well(path(Path(os.environ.get("CAMPUS_RISK_LOCAL", ".local")), sys.argv[1]), time.time()) else 1)
