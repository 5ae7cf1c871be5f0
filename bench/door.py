"""From the door to the wall, and how much a minute: one JSON line.

``wall_ms``: from a POST until the live stream tells of the hazard, one at a time, on an idle platform. ``reports_per_s``:
10,000 reports accepted in batches until the last has landed. ``floor_per_s``: the same number of bare rows into one table of
the same database in the same run, so that ``ratio`` says what judging, the trail, deadlines and climbing cost.
"""

import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import orjson

from deploy.cities import load_city
from deploy.demo import NINGBO
from deploy.runtime.local import LocalRuntime
from deploy.simulate import Simulator
from models.classifier.train import train
from models.reports import Door, check
from models.taxonomy import subcategories
from store import db, reports
from store.reports import Entry
from streams.context import now
from tests.conftest import deployed, migrated_template

ONE_BY_ONE = 100
TOGETHER = 10_000
BATCH = 500
CORPUS = Path(__file__).parent.parent / "models" / "classifier" / "corpus"


async def wall(url: str, records: list[dict[str, Any]]) -> list[float]:
    """Milliseconds from a POST to the stream, one report at a time; quiet ones are passed over."""
    took: list[float] = []
    async with (
        httpx.AsyncClient(base_url=url, timeout=30) as client,
        client.stream("GET", "/api/v1/cockpit/stream") as s,
    ):
        lines = s.aiter_lines()
        for record in records:
            started = time.perf_counter()
            async with asyncio.timeout(10):
                await client.post("/api/v1/reports", json=record)
                async for line in lines:
                    if line.startswith("data: ") and orjson.loads(line[6:]).get("kind") in ("opened", "attached"):
                        break
            took.append((time.perf_counter() - started) * 1000)
            await asyncio.sleep(0.05)
    return took


async def throughput(dsn: str, simulator: Simulator) -> tuple[float, float]:
    """Reports a second until all have landed, and bare rows a second."""
    at = now()
    door = Door(tree=load_city(NINGBO).units, now=at)
    entries = [Entry(check(simulator.next(at), door)) for _ in range(TOGETHER)]
    async with db.connect(dsn, autocommit=True) as conn:
        started = time.perf_counter()
        for start in range(0, TOGETHER, BATCH):
            async with conn.transaction():
                await reports.accept(conn, entries[start : start + BATCH], "bench", now())
        while (await (await conn.execute("SELECT count(*) AS n FROM intake WHERE landed_at IS NULL")).fetchone())["n"]:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        all_landed = time.perf_counter() - started
        await conn.execute("CREATE TABLE bare (id uuid PRIMARY KEY, body jsonb)")
        rows = [(e.report.digest().hex()[:32], orjson.dumps(e.report.record()).decode()) for e in entries]
        started = time.perf_counter()
        for start in range(0, TOGETHER, BATCH):
            async with conn.transaction(), conn.cursor() as cur:
                await cur.executemany(
                    "INSERT INTO bare VALUES (%s, %s) ON CONFLICT DO NOTHING", rows[start : start + BATCH]
                )
        bare = time.perf_counter() - started
    return TOGETHER / all_landed, TOGETHER / bare


async def main() -> None:
    """Run on a runtime of its own."""
    with tempfile.TemporaryDirectory() as folder:
        local = Path(folder)
        train(CORPUS / "train", local / "models", lambda line: None)
        async with LocalRuntime(local) as runtime:
            template = await migrated_template(runtime)
            async with deployed(runtime, template, local, "keeper", "worker", "api", demo=True) as platform:
                simulator = Simulator(load_city(NINGBO).units, subcategories(), seed=1, source="bench")
                records = [
                    r for r, truth in (simulator.draw(now()) for _ in range(2 * ONE_BY_ONE)) if truth.kind == "hazard"
                ]
                shown = [r for r in records if not r.get("category", "").startswith(("09", "10"))]
                for record in shown:
                    record["category"] = "0102"
                    record["level"] = "yellow"
                took = await wall(platform.url, shown[:ONE_BY_ONE])
                landed, bare = await throughput(str(platform.settings.database), simulator)
    quantiles = statistics.quantiles(took[5:], n=20)
    figures = {
        "bench": "door",
        "wall_ms_p50": round(statistics.median(took[5:]), 1),
        "wall_ms_p95": round(quantiles[18], 1),
        "reports_per_s": round(landed),
        "floor_per_s": round(bare),
        "ratio": round(bare / landed, 1),
    }
    print(json.dumps(figures))


asyncio.run(main())
