"""A real Apache Kafka broker on this machine: resolved with Maven, formatted once, one node that is broker and controller."""

import asyncio
import base64
import hashlib
import shutil
import struct
import uuid
from collections.abc import Callable
from pathlib import Path

from deploy.runtime.checks import LOOPBACK, java, program
from deploy.runtime.once import run_once

VERSION = "4.4.0"
POM = Path(__file__).parent.parent / "kafka" / "pom.xml"

# The broker's own structures take about 200 MB with a few dozen partitions; messages live in the page cache, not here.
# The rest is room for fetches of 4 MiB messages. Without a limit Java would take a quarter of the machine.
HEAP = "512m"

# A report may carry 1 MB of text. In risk.dead it stands inside a JSON record that quotes it: escaping can double it
# (a backslash or quote is two bytes, a Chinese character stays three), and base64 adds a third. 4 MiB hold the worst.
MESSAGE_MOST = 4 << 20

# The database is the truth, so the topics only bridge outages: a week covers a holiday's. Per partition 256 MiB (some
# 500,000 reports) bound the disk whatever the load, in 64 MiB segments, because only whole closed segments are deleted.
RETENTION_HOURS, RETENTION_BYTES, SEGMENT_BYTES = 168, 256 << 20, 64 << 20

# A broker that was killed is fenced until its old session ends, and its successor waits for that: 9 s by default, which
# protects against a slow network between brokers. Here the only controller is in the same process.
SESSION_MS, HEARTBEAT_MS = 3_000, 500

_LOGGING = """\
status = warn
shutdownHook = disable
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %p %m (%c)%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
logger.server.name = kafka.server.KafkaRaftServer
logger.server.level = info
"""


async def resolve(local: Path, say: Callable[[str], None]) -> Path:
    """The folder with the broker's jars, fetched on the first call → `<local>/kafka/libs-4.4.0`. CannotStart if it fails."""
    libs = local / "kafka" / f"libs-{VERSION}"
    stamp = libs / ".complete"
    wanted = hashlib.sha256(POM.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return libs
    mvn = program("mvn", "Maven brings the Kafka broker; install it, or set CAMPUS_RISK_KAFKA to an existing broker")
    say(f"kafka: fetching Apache Kafka {VERSION} with Maven (once)")
    # An interrupted copy must not look like a whole one, and jars of an older pom must not linger on the class path.
    shutil.rmtree(libs, ignore_errors=True)
    await run_once(
        [mvn, "-q", "-B", "-f", str(POM), "dependency:copy-dependencies", f"-DoutputDirectory={libs.resolve()}"],
        log=local / "logs" / "maven.log",
        failure="Maven could not fetch the Kafka broker: check the network and Maven's settings, "
        "or set CAMPUS_RISK_KAFKA to an existing broker.",
    )
    stamp.write_text(wanted)
    return libs


def settings(data: Path, port: int, controller_port: int) -> str:
    """The text of server.properties: both listeners on loopback only, everything replicated once."""
    values = {
        "process.roles": "broker,controller",
        "node.id": 1,
        # Static voters, not the newer dynamic ones: those keep the controller's port in the data, and it may change.
        "controller.quorum.voters": f"1@{LOOPBACK}:{controller_port}",
        "listeners": f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "controller.listener.names": "CONTROLLER",
        "inter.broker.listener.name": "PLAINTEXT",
        "log.dirs": data.resolve(),
        # Topics are made by us with equal partition counts; a mistyped name must fail, not make a topic.
        "auto.create.topics.enable": "false",
        "offsets.topic.replication.factor": 1,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        # 50 by default: each is a folder with files to open at every start. One machine has a handful of groups.
        "offsets.topic.num.partitions": 4,
        "message.max.bytes": MESSAGE_MOST,
        "replica.fetch.max.bytes": MESSAGE_MOST,
        "log.retention.hours": RETENTION_HOURS,
        "log.retention.bytes": RETENTION_BYTES,
        "log.segment.bytes": SEGMENT_BYTES,
        # Waits for more members before the first assignment: 3 s at each start for nothing, on one machine.
        "group.initial.rebalance.delay.ms": 0,
        "broker.session.timeout.ms": SESSION_MS,
        "broker.heartbeat.interval.ms": HEARTBEAT_MS,
    }
    return "".join(f"{key}={value}\n" for key, value in values.items())


async def prepare(local: Path, libs: Path, port: int, controller_port: int) -> Path:
    """Write the configuration and format the storage if it is not yet → the configuration's path. Idempotent."""
    folder = local / "kafka"
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    (folder / "log4j2.properties").write_text(_LOGGING)
    config = folder / "server.properties"
    config.write_text(settings(data, port, controller_port))
    # Written last by the formatter, so an interrupted formatting is simply done again.
    if not (data / "meta.properties").exists():
        cluster = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        await run_once(
            [
                *_java(local, libs, "64m"),
                "kafka.tools.StorageTool",
                "format",
                # One argument with its value: an id may begin with a dash.
                f"--cluster-id={cluster}",
                f"--config={config.resolve()}",
                "--ignore-formatted",
            ],
            log=local / "logs" / "kafka-format.log",
            failure=f"Kafka could not format its data folder {data}: check that it can be written to.",
        )
    return config


def command(local: Path, libs: Path) -> list[str]:
    """The command that runs the broker in the foreground."""
    return [*_java(local, libs, HEAP), "kafka.Kafka", str((local / "kafka" / "server.properties").resolve())]


def _java(local: Path, libs: Path, heap: str) -> list[str]:
    logging = (local / "kafka" / "log4j2.properties").resolve()
    return [
        java(),
        f"-Xmx{heap}",
        # Two cores at most matter here: the serial collector starts faster and needs no threads of its own.
        "-XX:+UseSerialGC",
        "-Xshare:auto",
        "-Djava.awt.headless=true",
        f"-Dlog4j2.configurationFile={logging.as_uri()}",
        "-cp",
        f"{libs.resolve()}/*",
    ]


async def ready(host: str, port: int) -> bool:
    """Does the broker answer a Metadata request with itself in the list of brokers? An open port alone proves nothing."""
    name = b"campus-risk"
    # Metadata v4: api key 3, version 4, correlation 1, client id; then no topics, and none made.
    request = struct.pack(f">hhih{len(name)}sib", 3, 4, 1, len(name), name, 0, 0)
    try:
        reader, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    try:
        writer.write(struct.pack(">i", len(request)) + request)
        await writer.drain()
        # size, correlation, throttle time, number of brokers
        async with asyncio.timeout(5):
            head = await reader.readexactly(16)
    except (OSError, asyncio.IncompleteReadError, TimeoutError):
        return False
    finally:
        writer.close()
    _, correlation, _, brokers = struct.unpack(">iiii", head)
    return bool(correlation == 1 and brokers >= 1)
