"""``check``: everything that is wrong with this deployment, in one list. The serving processes ask the part that needs no server."""

import asyncio
import contextlib
import difflib
import os
from typing import Annotated

import kafka.errors
import psycopg
import typer
from rich.console import Console

from deploy import connection
from deploy.runtime.checks import CannotStart
from deploy.runtime.folder import MARK
from store import db, keys, secret_files, units
from store import settings as given
from store.settings import PREFIX, Settings, Unusable
from streams import topics

console = Console(highlight=False)

# Fernet's key is 32 bytes; half of that in letters is the least that nobody guesses. `openssl rand -hex 32` gives 64.
SECRET_LEAST = 16
# From here a demo may be served: nobody but this machine reaches it (api/access.py has the same).
_HERE = ("127.0.0.1", "::1", "localhost")
# Read by `campus-risk grafana` and by a Grafana container; the supervisor marks its children with the other.
_OTHERS = (f"{PREFIX}GRAFANA_", MARK)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(check)


def check(
    servers: Annotated[bool, typer.Option(help="ask the database and Kafka too")] = True,
) -> None:
    """Check settings, secret files, database, migrations, topics and classifier; list everything that is wrong. Ends with 1 then."""
    found = [*given.wrong(), *unknown(), *open_files()]
    if not given.wrong():
        try:
            settings = connection.resolved()
        except CannotStart as error:
            found.append(str(error))
        else:
            found += standing(settings, "api", "worker")
            found += asyncio.run(served(settings)) if servers else []
    if found:
        console.print(listed(found), markup=False, soft_wrap=True)
        raise typer.Exit(1)
    console.print("nothing is wrong" if servers else "nothing is wrong; database and Kafka were not asked")


def at_start(settings: Settings, part: str) -> None:
    """Refuse to start ``api``, ``worker`` or ``keeper`` with what can be known without waiting. Raises ``CannotStart``."""
    if found := standing(settings, part):
        raise CannotStart(listed(found))


def listed(found: list[str]) -> str:
    """One sentence a line."""
    return "\n".join(
        [f"{len(found)} thing(s) to mend before this can run:", *(f"  - {sentence}" for sentence in found)]
    )


def standing(settings: Settings, *parts: str) -> list[str]:
    """What is wrong by the settings and the files of this machine alone."""
    found = []
    if settings.host not in _HERE and settings.demo and "api" in parts:
        found.append(
            f"{PREFIX}DEMO lets visitors in without a key and {PREFIX}HOST is {settings.host}: set 127.0.0.1, or no demo"
        )
    if settings.secret is None and settings.host not in _HERE and MARK not in os.environ:
        # Processes of `up` share a folder, and the secret that is made in it. Containers share none.
        found.append(
            f"{PREFIX}SECRET is not set, and each process would make one of its own that the others cannot open: "
            "make one with `openssl rand -hex 32`, and set the same everywhere"
        )
    elif settings.secret is not None and not settings.secret.get_secret_value().strip(" ,"):
        found.append(f"{PREFIX}SECRET holds no secret")
    elif settings.secret is not None and min(map(len, _parts(settings))) < SECRET_LEAST:
        found.append(f"{PREFIX}SECRET is shorter than {SECRET_LEAST} characters: make one with `openssl rand -hex 32`")
    try:
        settings.oidc_secret("")
    except Unusable as error:
        found.append(str(error))
    if "worker" in parts and not _classifier(settings):
        found.append(f"there is no classifier in {settings.models_dir}: make one with `campus-risk train`")
    return found


def _classifier(settings: Settings) -> bool:
    # Takes most of a second to import, and only a worker asks.
    from models.classifier.train import ARTIFACT, MANIFEST

    return all((settings.models_dir / name).is_file() for name in (ARTIFACT, MANIFEST))


def _parts(settings: Settings) -> list[str]:
    text = settings.secret.get_secret_value() if settings.secret else ""
    return [part.strip() for part in text.split(",") if part.strip()]


def unknown() -> list[str]:
    """Variables that look like settings and are none: most often a slip of the hand."""
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    known += [name + secret_files.SUFFIX for name in known]
    found = []
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name not in known and not name.startswith(_OTHERS):
            near = difflib.get_close_matches(name, known, 1)
            found.append(f"{name} is no setting" + (f": {near[0]} is meant?" if near else ""))
    return found


def open_files() -> list[str]:
    """Files with a setting in them that every user of this machine may read."""
    return secret_files.read(Settings.model_fields, os.environ, PREFIX).open


async def served(settings: Settings) -> list[str]:
    """What is wrong with the database and with Kafka; each that does not answer is one sentence."""
    found = []
    try:
        async with db.connect(str(settings.database)) as conn:
            found += await _stored(conn, settings)
    except psycopg.Error as error:
        told = str(error).strip().splitlines() or [type(error).__name__]
        found.append(f"the database does not answer ({told[0]}): check {PREFIX}DATABASE")
    if not await _listens(str(settings.kafka)):
        return [*found, f"Kafka does not answer at {settings.kafka}: check {PREFIX}KAFKA"]
    try:
        if lacking := await asyncio.to_thread(topics.lacking, settings, topics.AGGREGATES):
            found.append(f"Kafka lacks the topics {', '.join(lacking)}: run `campus-risk topics`")
    except kafka.errors.KafkaError as error:
        found.append(f"Kafka does not answer ({type(error).__name__}): check {PREFIX}KAFKA")
    return found


async def _listens(addresses: str) -> bool:
    """Whether somebody listens at one of these. Kafka's own client would try for half a minute."""
    for address in addresses.split(","):
        host, _, port = address.strip().rpartition(":")
        with contextlib.suppress(OSError, ValueError):
            async with asyncio.timeout(db.CONNECT_TIMEOUT):
                _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
            writer.close()
            return True
    return False


async def _stored(conn: db.Connection, settings: Settings) -> list[str]:
    if todo := await db.pending(conn):
        return [f"{len(todo)} migrations are not applied, {todo[0]} is the first: run `campus-risk migrate`"]
    found = []
    if await units.city(conn) is None:
        found.append("no city is loaded: run `campus-risk city load <folder>`")
    if settings.host not in _HERE and (count := await keys.demo(conn)):
        found.append(told_of_demo_keys(count))
    return found


def told_of_demo_keys(count: int) -> str:
    """The sentence about keys that a demo printed on a terminal and that would let anybody in from outside."""
    return f"{count} keys of a demo still open this database: end them with `campus-risk key revoke` before it is served outside this machine"
