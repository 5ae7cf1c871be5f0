"""Builds the pages when their sources have changed since the last build."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

from deploy.runtime.checks import CannotStart, program
from deploy.runtime.once import run_once

_NOT_SOURCES = {"node_modules", "dist", "coverage", "test-results", "playwright-report"}
_CURE = "Node.js 20 or newer with npm builds the pages; install it"


def digest(web: Path) -> str:
    """A hash over the names and contents of all sources under `web`. By content: a fresh clone has new dates."""
    total = hashlib.sha256()
    for folder, names, files in os.walk(web):
        # Hidden ones are caches and editors' leavings.
        names[:] = sorted(name for name in names if name not in _NOT_SOURCES and not name.startswith("."))
        for name in sorted(files):
            path = Path(folder, name)
            if name.endswith((".log", ".tsbuildinfo")):
                continue  # written by the build itself
            content = path.read_bytes()
            total.update(f"{path.relative_to(web).as_posix()}\0{len(content)}\0".encode())
            total.update(content)
    return total.hexdigest()


async def build(web: Path, log: Path, say: Callable[[str], None]) -> Path:
    """Bring `web/dist` up to date with npm → its path. Does nothing when it is. CannotStart with one sentence if it fails.

    log: the file that takes npm's output.
    """
    dist = web / "dist"
    lock = web / "package-lock.json"
    if not (web / "package.json").exists() or not lock.exists():
        raise CannotStart(f"The pages' sources are not at {web}: start from a clone of the project.")
    wanted = digest(web)
    stamp = dist / ".sources"
    if stamp.exists() and stamp.read_text() == wanted:
        return dist
    program("node", _CURE)
    npm = program("npm", _CURE)
    await _install(npm, web, log, say)
    say("web: building the pages")
    await run_once(
        [npm, "run", "build", "--silent"],
        cwd=web,
        log=log,
        failure=f"The pages could not be built: mend what npm says below (all of it is in {log}).",
    )
    if not (dist / "index.html").exists():
        raise CannotStart(f"`npm run build` in {web} made no dist/index.html: check its build script (see {log}).")
    # Inside dist, so that deleting dist builds anew; last, so that an interrupted build does not count.
    stamp.write_text(wanted)
    return dist


async def _install(npm: str, web: Path, log: Path, say: Callable[[str], None]) -> None:
    stamp = web / "node_modules" / ".installed"
    wanted = hashlib.sha256((web / "package-lock.json").read_bytes()).hexdigest()
    # `make test-web` writes the same stamp, with a line end.
    if stamp.exists() and stamp.read_text().strip() == wanted:
        return
    say("web: installing the pages' packages with npm (once)")
    await run_once(
        [npm, "ci", "--no-audit", "--no-fund"],
        cwd=web,
        log=log,
        failure=f"npm could not install the pages' packages: check the network and npm's settings (see {log}).",
    )
    stamp.write_text(wanted)
