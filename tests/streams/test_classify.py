"""The classify agent's own care: what one record does, it does to itself alone."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import orjson
import pytest
import pytest_asyncio

from models.classifier.predict import Classifier
from models.judgement import Judgement
from models.scales import LevelBands
from store import db, landing
from store.settings import Settings
from streams.classify import Source, take_in
from streams.context import Context, opened

pytestmark = pytest.mark.runtime

SCHOOL = "330203-001"


def source(offset: int, record: dict[str, Any] | bytes) -> Source:
    value = record if isinstance(record, bytes) else orjson.dumps(record)
    return Source("risk.reports", 0, offset, 1_770_000_000.0 + offset, SCHOOL.encode(), value)


def told(text: str, **more: Any) -> dict[str, Any]:
    return {"source": "test", "unit": SCHOOL, "text": text, **more}


@pytest_asyncio.fixture(loop_scope="session")
async def context(dsn: str) -> AsyncIterator[Context]:
    async with opened(Settings(database=dsn, local=Path("none"))) as context:
        yield context


async def count(context: Context, table: str, where: str = "true") -> int:
    async with context.pool.connection() as conn:
        row = await (await conn.execute(f"SELECT count(*) AS n FROM {table} WHERE {where}")).fetchone()
    assert row
    return int(row["n"])


async def test_a_batch_read_again_lands_once(context: Context, classifier: Classifier) -> None:
    batch = [source(i, told(f"{i}号楼灭火器过期没人换")) for i in range(20)]
    await take_in(batch, context, classifier)
    hazards, trail = await count(context, "hazards"), await count(context, "trail")
    await take_in(batch, context, classifier)
    assert await count(context, "reports") == 20
    assert (await count(context, "hazards"), await count(context, "trail")) == (hazards, trail)


async def test_a_batch_of_bad_records_only_becomes_dead_letters(context: Context, classifier: Classifier) -> None:
    await take_in([source(0, b"{"), source(1, b"\xff")], context, classifier)
    assert await count(context, "dead_letters") == 2


async def test_a_record_that_breaks_the_landing_is_a_dead_letter_and_the_others_land(
    context: Context, classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = landing.land

    async def breaks_on_poison(conn: Any, landings: Sequence[landing.Landing], *rest: Any) -> dict[str, int]:
        if any("毒" in one.report.text for one in landings):
            raise ZeroDivisionError("a mistake of ours")
        return await whole(conn, landings, *rest)

    monkeypatch.setattr(landing, "land", breaks_on_poison)
    texts = ["消火栓没水", "毒", "电梯门夹人", "锅炉超压"]
    await take_in([source(i, told(text)) for i, text in enumerate(texts)], context, classifier)
    assert await count(context, "intake", "landed_at IS NOT NULL") == 3
    assert await count(context, "dead_letters", "reason = 'landing' AND detail LIKE '%ZeroDivisionError%'") == 1


async def test_a_text_that_breaks_the_classifier_goes_to_the_assessor(context: Context, classifier: Classifier) -> None:
    class Fragile:
        manifest = classifier.manifest

        def classify(self, texts: Sequence[str], bands: LevelBands | None = None) -> list[Judgement]:
            if any("碎" in text for text in texts):
                raise RecursionError
            return classifier.classify(texts)

    await take_in([source(0, told("玻璃门碎了")), source(1, told("消火栓没水"))], context, Fragile())  # type: ignore[arg-type]
    assert await count(context, "hazards", "subcategory = '9900' AND confidence = 0") == 1
    assert await count(context, "hazards") == 2


async def test_judging_does_not_stand_in_the_way_of_heartbeats(context: Context, classifier: Classifier) -> None:
    """CPU work in the loop delays everything (Faust issue 312): the classifier runs beside it."""

    class Slow:
        manifest = classifier.manifest

        def classify(self, texts: Sequence[str], bands: LevelBands | None = None) -> list[Judgement]:
            time.sleep(0.6)
            return classifier.classify(texts)

    beats = 0

    async def heart() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0.02)
            beats += 1

    heartbeat = asyncio.create_task(heart())
    await take_in([source(0, told("消火栓没水"))], context, Slow())  # type: ignore[arg-type]
    heartbeat.cancel()
    assert beats > 5


async def test_a_unit_added_since_the_start_is_known(context: Context, classifier: Classifier, dsn: str) -> None:
    async with db.connect(dsn) as conn:
        await conn.execute(
            "INSERT INTO units (code, name, kind, tier, parent, path) "
            "VALUES ('330203-777', '新校', 'school', 'school', '330203', '/330200/330203/330203-777/')"
        )
    await take_in([source(0, told("消火栓没水", unit="330203-777"))], context, classifier)
    assert await count(context, "hazards", "unit = '330203-777'") == 1


def test_a_record_without_an_id_gets_the_same_one_each_time_it_is_read() -> None:
    one, other = source(1, told("消火栓没水")), source(2, told("消火栓没水"))
    assert one.id() == source(1, told("消火栓没水")).id() != other.id()
    assert one.id().version == 7
    assert one.id().int >> 80 == int(one.timestamp * 1000)
