"""The classify agent: reports in, hazards out. Checks, judges, looks for what is known, lands; all in one transaction."""

import asyncio
import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import faust

from models.classifier.predict import Classifier
from models.judgement import Judgement, abstention
from models.reports import BadReport, Problem, Report, check, decode
from models.scales import LevelBands
from store import dead, landing, reports
from store.db import Connection
from store.landing import Landing
from store.reports import Entry
from streams.batches import batches
from streams.context import TRANSIENT, Context, now, retrying

log = logging.getLogger(__name__)

CALLER = "kafka"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a record stood on Kafka."""

    topic: str
    partition: int
    offset: int
    timestamp: float
    key: bytes | None
    value: bytes | None

    def id(self) -> UUID:
        """A UUIDv7 for a record that brought none: derived from where it stood, so that reading it again gives the same."""
        place = f"{self.topic}|{self.partition}|{self.offset}|{self.timestamp}|".encode() + (self.value or b"")
        digest = bytearray(hashlib.sha256(place).digest()[:16])
        digest[:6] = int(max(self.timestamp, 0) * 1000).to_bytes(6, "big")
        digest[6] = 0x70 | digest[6] & 0x0F
        digest[8] = 0x80 | digest[8] & 0x3F
        return UUID(bytes=bytes(digest))


def register(app: faust.App, topic: faust.TopicT, context: Context, classifier: Classifier) -> None:
    """Add the agent to an app."""

    @app.agent(topic, name="classify", concurrency=1)  # type: ignore[untyped-decorator]
    async def classify(stream: faust.StreamT) -> None:
        async for batch in batches(stream):
            await take_in([_source(event) for event in batch], context, classifier)


def _source(event: faust.EventT) -> Source:
    message = event.message
    return Source(
        message.topic, message.partition, message.offset, message.timestamp or 0.0, message.key, message.value
    )


async def take_in(sources: Sequence[Source], context: Context, classifier: Classifier) -> None:
    """Land a batch. Returns when every record of it is in the database: as a hazard, a witness, quiet, or a dead letter."""
    at = now()
    good, bad = _checked(sources, context, at)
    if any(letter.reason == "unknown_unit" for letter in bad):
        # A unit may have been added since: look once more before a record is given up.
        async for attempt in retrying():
            with attempt:
                await context.refresh()
        good, bad = _checked(sources, context, at)
    judged = await asyncio.to_thread(_judged, classifier, [report.text for report, _ in good], context.bands)
    pairs = [(Landing(report, judgement), source) for (report, source), judgement in zip(good, judged, strict=True)]
    async for attempt in retrying():
        with attempt:
            await _land(pairs, bad, context, at)


def _checked(
    sources: Sequence[Source], context: Context, at: datetime
) -> tuple[list[tuple[Report, Source]], list[dead.Letter]]:
    good, bad, door = [], [], context.door(at)
    for source in sources:
        try:
            report = check(decode(source.value or b""), door)
        except BadReport as error:
            bad.append(_letter(source, error))
        else:
            good.append((report if report.id else report.model_copy(update={"id": source.id()}), source))
    return good, bad


def _judged(classifier: Classifier, texts: Sequence[str], bands: LevelBands) -> list[Judgement]:
    """Judgements of a batch. A text that the classifier breaks on is an assessor's to judge, not a reason to stop."""
    try:
        return list(classifier.classify(texts, bands))
    except Exception:
        if len(texts) > 1:
            return [judgement for text in texts for judgement in _judged(classifier, [text], bands)]
        log.exception("the classifier broke on a text of %d characters; it goes to the assessor", len(texts[0]))
        return [abstention("机器研判失败，请人工研判", classifier.manifest.version)]


def _letter(source: Source, error: BadReport) -> dead.Letter:
    return dead.letter(source.id(), source.topic, source.partition, source.offset, source.key, source.value, error)


async def _land(
    pairs: Sequence[tuple[Landing, Source]], bad: Sequence[dead.Letter], context: Context, at: datetime
) -> None:
    """One transaction; where one record breaks it, each record gets its own, so that the others land.

    Whatever a record does to us, it ends as a dead letter: an agent that dies of it would lose its place in the stream.
    """
    try:
        async with context.pool.connection() as conn, conn.transaction():
            await _write(conn, pairs, bad, context, at)
    except TRANSIENT:
        raise
    except Exception as error:
        if len(pairs) + len(bad) > 1:
            for pair in pairs:
                await _land([pair], [], context, at)
            for letter in bad:
                await _land([], [letter], context, at)
        elif pairs:
            log.exception("a record cannot land; it goes to the dead letters")
            problem = Problem("", "landing", f"{type(error).__name__}: {error}")
            await _land([], [_letter(pairs[0][1], BadReport(problem))], context, at)
        else:
            raise


async def _write(
    conn: Connection,
    pairs: Sequence[tuple[Landing, Source]],
    bad: Sequence[dead.Letter],
    context: Context,
    at: datetime,
) -> None:
    # Records that came through our own door are known here by id and body; those straight from Kafka are accepted now.
    admissions = await reports.accept(conn, [Entry(pair.report) for pair, _ in pairs], CALLER, at, publish=False)
    letters, landings = list(bad), []
    for (pair, source), admission in zip(pairs, admissions, strict=True):
        if admission.conflict:
            letters.append(_letter(source, BadReport(admission.conflict)))
        else:
            landings.append(Landing(pair.report.model_copy(update={"id": admission.id}), pair.judgement))
    await landing.land(conn, landings, context.tree, at, context.clock)
    await dead.put(conn, letters, at)
