"""``campus-risk check``, what keeps a part from starting, and the heartbeat that says whether one is well."""

import asyncio
import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner, Result

from deploy import beat
from deploy.cli import app
from deploy.commands import check
from deploy.runtime.checks import CannotStart, free_port
from deploy.runtime.local import LocalRuntime
from models.classifier.train import ARTIFACT, MANIFEST
from models.roles import Role
from store import db, keys
from store.db import Connection
from store.settings import PREFIX, Settings, Unusable
from streams import topics
from tests.api.test_operators import serving
from tests.conftest import deployed, fresh_database, settings_for
from tests.factories import CITY, NOW

SECRET = "0123456789abcdef-and-more"
EVERYWHERE = "0.0.0.0"  # noqa: S104


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting from outside."""
    for name in list(os.environ):
        if name.startswith(PREFIX):
            monkeypatch.delenv(name)


async def run(*words: str) -> Result:
    """``campus-risk check`` with these words: in a thread, for it has a loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, app, ["check", *words])


def process(*words: str, **given: str) -> subprocess.CompletedProcess[str]:
    """``campus-risk`` as a process of its own, with these settings and no others."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)} | given
    command = [sys.executable, "-m", "deploy", *words]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)


def standing(*parts: str, **more: object) -> str:
    """What is told of these settings."""
    return "\n".join(check.standing(Settings.model_validate({"secret": SECRET, **more}), *parts))


def test_a_demo_stays_on_its_machine() -> None:
    assert "CAMPUS_RISK_DEMO" in standing("api", host=EVERYWHERE, demo=True)
    for host in ("127.0.0.1", "::1", "localhost"):
        assert standing("api", host=host, demo=True) == ""
    assert standing("keeper", host=EVERYWHERE, demo=True) == "", "it serves nobody"


def test_processes_without_a_folder_in_common_need_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "CAMPUS_RISK_SECRET is not set" in standing("keeper", host=EVERYWHERE, secret=None)
    assert standing("keeper", secret=None) == ""
    monkeypatch.setenv("CAMPUS_RISK_RUNTIME", "/somewhere:keeper")
    assert standing("keeper", host=EVERYWHERE, secret=None) == "", "children of `up` share a folder"


@pytest.mark.parametrize("secret", ["short", f"{SECRET},short", " , "])
def test_a_secret_that_can_be_guessed_is_none(secret: str) -> None:
    told = standing("api", secret=secret)
    assert "CAMPUS_RISK_SECRET" in told
    assert "short," not in told, "never repeated"
    assert standing("api", secret=f"{SECRET}, {SECRET}") == ""


def test_a_worker_needs_its_classifier(tmp_path: Path) -> None:
    assert "campus-risk train" in standing("worker", local=tmp_path)
    assert standing("api", "keeper", local=tmp_path) == ""


def test_a_start_is_refused_with_one_list(tmp_path: Path) -> None:
    settings = Settings.model_validate(
        {"host": EVERYWHERE, "demo": True, "secret": "x", "oidc_secrets": "[]", "local": tmp_path}
    )
    with pytest.raises(CannotStart) as refused:
        check.at_start(settings, "api")
    lines = str(refused.value).splitlines()
    assert lines[0].startswith("3 thing(s)")
    assert [line[:4] for line in lines[1:]] == ["  - "] * 3


@pytest.mark.parametrize("part", ["api", "worker", "keeper"])
def test_the_parts_ask_before_they_start(part: str, tmp_path: Path) -> None:
    done = process(
        part,
        CAMPUS_RISK_DATABASE="postgresql://me:word-of-the-database@127.0.0.1:1/none",
        CAMPUS_RISK_KAFKA="127.0.0.1:1",
        CAMPUS_RISK_SECRET="guess-me",
        CAMPUS_RISK_LOCAL=str(tmp_path),
    )
    assert done.returncode == 1
    assert "CAMPUS_RISK_SECRET is shorter than 16 characters" in done.stderr
    assert "Traceback" not in done.stderr
    for value in ("guess-me", "word-of-the-database"):
        assert value not in done.stderr + done.stdout


async def test_a_slip_of_the_hand_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "open").write_text(SECRET)
    (tmp_path / "open").chmod(0o644)
    monkeypatch.setenv("CAMPUS_RISK_PROT", "8001")
    monkeypatch.setenv("CAMPUS_RISK_GRAFANA_URL", "https://grafana.example.edu")
    monkeypatch.setenv("CAMPUS_RISK_SECRET_FILE", str(tmp_path / "open"))
    monkeypatch.setenv("CAMPUS_RISK_PARTITIONS", "many")
    done = await run("--no-servers")
    assert done.exit_code == 1
    assert "CAMPUS_RISK_PROT is no setting: CAMPUS_RISK_PORT is meant?" in done.output
    assert f"everybody may read {tmp_path / 'open'}" in done.output
    assert "CAMPUS_RISK_PARTITIONS: input should be a valid integer" in done.output
    assert "GRAFANA" not in done.output
    assert SECRET not in done.output


def test_servers_that_do_not_answer_are_two_lines(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    for name in (ARTIFACT, MANIFEST):
        (tmp_path / "models" / name).touch()
    done = process(
        "check",
        CAMPUS_RISK_DATABASE=f"postgresql://me:word-of-mine@127.0.0.1:{free_port()}/none",
        CAMPUS_RISK_KAFKA=f"127.0.0.1:{free_port()}",
        CAMPUS_RISK_LOCAL=str(tmp_path),
    )
    assert done.returncode == 1
    first, *others = done.stdout.splitlines()
    assert first == "2 thing(s) to mend before this can run:"
    assert "the database does not answer" in others[0]
    assert "Kafka does not answer" in others[1]
    assert "word-of-mine" not in done.stdout + done.stderr


@pytest.mark.runtime
async def test_a_deployment_becomes_right_step_by_step(
    runtime: LocalRuntime, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with fresh_database(runtime, "template0") as dsn:
        settings = settings_for(runtime, trained, dsn)
        monkeypatch.setenv("CAMPUS_RISK_DATABASE", dsn)
        monkeypatch.setenv("CAMPUS_RISK_KAFKA", str(settings.kafka))
        monkeypatch.setenv("CAMPUS_RISK_TOPIC_PREFIX", settings.topic_prefix)
        monkeypatch.setenv("CAMPUS_RISK_LOCAL", str(trained))
        first = (await run()).output
        assert "migrations are not applied, 0001-units is the first: run `campus-risk migrate`" in first
        assert f"Kafka lacks the topics {settings.topic_prefix}risk.dead" in first
        await asyncio.to_thread(db.migrate, dsn)
        await asyncio.to_thread(topics.create, settings)
        second = (await run()).output.splitlines()
        assert second == [
            "1 thing(s) to mend before this can run:",
            "  - no city is loaded: run `campus-risk city load <folder>`",
        ]


@pytest.mark.runtime
async def test_a_deployment_that_is_right_says_so(
    runtime: LocalRuntime, trained: Path, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_for(runtime, trained, dsn)
    topics.create(settings)
    monkeypatch.setenv("CAMPUS_RISK_DATABASE", dsn)
    monkeypatch.setenv("CAMPUS_RISK_KAFKA", str(settings.kafka))
    monkeypatch.setenv("CAMPUS_RISK_TOPIC_PREFIX", settings.topic_prefix)
    monkeypatch.setenv("CAMPUS_RISK_LOCAL", str(trained))
    done = await run()
    assert (done.exit_code, done.output) == (0, "nothing is wrong\n")


@pytest.mark.runtime
async def test_keys_of_a_demo_open_nothing_from_outside(
    runtime: LocalRuntime, trained: Path, dsn: str, conn: Connection
) -> None:
    public = settings_for(runtime, trained, dsn, host=EVERYWHERE, secret=SECRET)
    key, _ = await keys.create(conn, f"{keys.DEMO}{Role.AUDITOR.label}", CITY, Role.AUDITOR, NOW)
    await keys.create(conn, f"{keys.DEMO}之后的大屏", CITY, Role.WALL, NOW)
    await conn.commit()
    assert await check.served(public) == [check.told_of_demo_keys(1), *await _topics(public)]
    with pytest.raises(Unusable, match="1 keys of a demo"):
        async with serving(public):
            pass
    async with serving(settings_for(runtime, trained, dsn)) as client:
        assert (await client.get("/health/ready")).status_code == 200
    await keys.revoke(conn, key, NOW)
    await conn.commit()
    async with serving(public) as client:
        assert (await client.get("/health/ready")).status_code == 200


async def _topics(settings: Settings) -> list[str]:
    missing = await asyncio.to_thread(topics.lacking, settings, topics.AGGREGATES)
    return [f"Kafka lacks the topics {', '.join(missing)}: run `campus-risk topics`"]


@pytest.mark.runtime
async def test_a_password_of_odd_letters_opens_the_database(runtime: LocalRuntime, dsn: str) -> None:
    role, password = f"odd_{os.getpid()}", "a/b@c:d%e?f#g"
    async with await psycopg.AsyncConnection.connect(runtime.dsn, autocommit=True) as admin:
        await admin.execute(f"CREATE ROLE {role} LOGIN SUPERUSER PASSWORD '{password}'")
        try:
            place = dsn.rpartition("@")[2]
            settings = Settings.model_validate(
                {"database": f"postgresql://{role}@{place}", "database_password": password}
            )
            async with db.connect(str(settings.database)) as conn:
                assert await db.pending(conn) == []
            assert await asyncio.to_thread(db.migrate, str(settings.database)) == []
        finally:
            await admin.execute(f"DROP ROLE {role}")


async def test_a_beat_is_felt_until_it_stops(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beat, "EVERY", 0.01)
    file = beat.path(tmp_path / "new", "worker")
    assert not beat.well(file, time.time())
    answers: list[str | Exception | None] = [None, OSError("the database is away"), "has stalled"]

    async def stalled() -> str | None:
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    task = asyncio.create_task(beat.beat(file, stalled))
    while len(answers) > 1:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    last = file.stat().st_mtime
    await asyncio.sleep(0.1)
    task.cancel()
    assert file.stat().st_mtime == last, "a worker that has stalled does not beat"
    assert beat.well(file, last + beat.PATIENCE - 1)
    assert not beat.well(file, last + beat.PATIENCE + 1)


@pytest.mark.parametrize(("age", "code"), [(None, 1), (0.0, 0), (60.0, 1)])
def test_the_question_is_cheap_and_answers_by_its_exit(tmp_path: Path, age: float | None, code: int) -> None:
    if age is not None:
        file = beat.path(tmp_path, "keeper")
        file.parent.mkdir()
        file.touch()
        os.utime(file, (time.time() - age, time.time() - age))
    env = os.environ | {"CAMPUS_RISK_LOCAL": str(tmp_path), "PYTHONPROFILEIMPORTTIME": "1"}
    done = subprocess.run([sys.executable, "-m", "deploy.beat", "keeper"], env=env, capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == code
    assert "pydantic" not in done.stderr, "asked every few seconds: it must import nothing of ours"


@pytest.mark.runtime
async def test_running_parts_beat(runtime: LocalRuntime, template: str, tmp_path: Path, trained: Path) -> None:
    async with deployed(runtime, template, trained, "keeper", "worker") as platform:
        for part in ("keeper", "worker"):
            file = beat.path(Path(platform.settings.local), part)
            begun = time.time()
            async with asyncio.timeout(60):
                while not (file.exists() and file.stat().st_mtime >= begun - 1):
                    await asyncio.sleep(0.1)
            assert beat.well(file, time.time())
