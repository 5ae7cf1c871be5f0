"""Runs one program to its end (Maven, initdb, npm): cancelling stops it, a failure shows its last lines."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from deploy.runtime.checks import CannotStart

# Enough to hold a tool's own error message; a whole Java stack trace only hides the first sentence.
_LINES = 12


def last_lines(log: Path, offset: int = 0, lines: int = _LINES) -> str:
    """The last lines of a log from `offset` bytes on, indented for the terminal; empty when there are none."""
    # 16 KiB hold a dozen long lines; a broker's log of megabytes must not be read for them.
    with contextlib.suppress(FileNotFoundError), log.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(offset, size - 16_384))
        text = file.read().decode(errors="replace")
        return "\n".join(f"    {line}" for line in text.rstrip().splitlines()[-lines:])
    return ""


async def run_once(
    command: Sequence[str],
    *,
    log: Path,
    failure: str,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run `command`, its output to `log`. CannotStart with `failure` (cause and cure) and the last lines if it fails."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        offset = output.tell()
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
            cwd=cwd,
            env=env,
            start_new_session=True,
        )
    try:
        code = await process.wait()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        raise
    if code != 0:
        shown = last_lines(log, offset)
        raise CannotStart(f"{failure}\n{shown}" if shown else failure)
