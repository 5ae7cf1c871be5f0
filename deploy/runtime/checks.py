"""What must hold before anything is started. Each failure is one sentence that says the cause and the cure."""

import asyncio
import os
import random
import re
import shutil
import socket
import subprocess
from pathlib import Path

import psutil

LOOPBACK = "127.0.0.1"

# Kafka 4 brokers are compiled for Java 17 and fail on anything older with an UnsupportedClassVersionError.
JAVA_LEAST = 17

# The write-ahead log may grow to 512 MB between two checkpoints and the broker's jars, indexes and first segments take
# some 150 MB. Below 1 GiB a day's work can fill the disk, and PostgreSQL stops with a PANIC when it cannot write its log.
DISK_LEAST = 1 << 30

# Below 32768 lies no port that Linux hands out for outgoing connections. From that range, a client that keeps calling a
# killed server can be given the server's own port and connect to itself, and the server then finds its port taken.
_PORTS_FROM, _PORTS_TO = 20_000, 32_000

# A busy machine has a few hundred listeners: fifty random tries that all fail mean that binding itself does not work.
_PORT_TRIES = 50

# The layout of the data folder: raised when an older release's folder can no longer be used as it is.
LAYOUT = "1"


class CannotStart(Exception):
    """The platform cannot start; `message` is one sentence for the person at the terminal, with the cure."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def free_port(host: str = LOOPBACK) -> int:
    """A TCP port that nobody listens on now, outside the range of outgoing connections."""
    for _ in range(_PORT_TRIES):
        port = random.randint(_PORTS_FROM, _PORTS_TO - 1)  # noqa: S311  (nothing here is secret)
        if _can_bind(host, port):
            return port
    raise CannotStart(f"No free port was found on {host}: check that this machine's loopback interface is up.")


def _can_bind(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the servers do: a connection of the last run in TIME_WAIT does not make a port "in use".
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True


def check_port(port: int, variable: str, host: str = LOOPBACK) -> None:
    """Raise CannotStart when `port` is taken; `variable` is the setting that moves it."""
    if _can_bind(host, port):
        return
    raise CannotStart(
        f"Port {port} is in use by {_holder(port)}: stop it, or choose another port with {variable}=<port>."
    )


def _holder(port: int) -> str:
    try:
        for connection in psutil.net_connections(kind="tcp"):
            if connection.laddr and connection.laddr.port == port and connection.status == psutil.CONN_LISTEN:
                if connection.pid is None:
                    break
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:
        pass  # another user's process, on a system that hides those: the port and the cure still stand
    return "another program"


def java() -> str:
    """The `java` that starts the broker: JAVA_HOME's, else the one on PATH. CannotStart if missing or too old."""
    cure = f"install a Java runtime {JAVA_LEAST} or newer, or point CAMPUS_RISK_KAFKA at an existing broker"
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=str(Path(home) / "bin")) if home else None
    program = found or shutil.which("java")
    if program is None:
        raise CannotStart(f"Java was not found, and the Kafka broker needs it: {cure}.")
    printed = subprocess.run([program, "-version"], capture_output=True, text=True, check=False).stderr
    match = re.search(r'version "(\d+)(?:\.(\d+))?', printed)
    if match is None:
        raise CannotStart(f"{program} does not say its version: {cure}.")
    # Java 8 and older call themselves 1.8, 1.7, …
    major = int(match[2] or 0) if match[1] == "1" else int(match[1])
    if major < JAVA_LEAST:
        raise CannotStart(f"Java {major} at {program} is too old for the Kafka broker: {cure}.")
    return program


def program(name: str, why: str) -> str:
    """The path of a program that must be on PATH; `why` says in a few words what it is for and how to get it."""
    found = shutil.which(name)
    if found is None:
        raise CannotStart(f"{name} was not found: {why}.")
    return found


def check_disk(folder: Path, least: int = DISK_LEAST) -> None:
    """Raise CannotStart when less than `least` bytes are free where `folder` lies."""
    free = shutil.disk_usage(folder).free
    if free < least:
        raise CannotStart(
            f"Only {free >> 20} MiB are free at {folder} and {least >> 20} MiB are needed: "
            "free some space, or put the data elsewhere with CAMPUS_RISK_LOCAL=<folder>."
        )


def check_layout(local: Path) -> None:
    """Raise CannotStart when the data folder is of another release; note the layout in a fresh one."""
    noted = local / "VERSION"
    if not noted.exists():
        noted.write_text(LAYOUT + "\n")
        return
    found = noted.read_text().strip()
    if found != LAYOUT:
        raise CannotStart(
            f"The data folder {local} has layout {found or 'unknown'} and this release uses {LAYOUT}: "
            "empty it with `campus-risk reset` (it asks first), or keep it and choose another with CAMPUS_RISK_LOCAL."
        )


async def gone(process: psutil.Process, within: float) -> bool:
    """Wait up to `within` seconds for a process that is not our child to end."""
    waited = 0.0
    while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
        if waited >= within:
            return False
        await asyncio.sleep(0.05)
        waited += 0.05
    return True
