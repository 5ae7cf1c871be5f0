"""kill -9 under load: every report that got its 202 lands, once."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest

from deploy.cities import load_city
from deploy.demo import NINGBO
from deploy.runtime.local import LocalRuntime
from deploy.simulate import Simulator
from models.taxonomy import subcategories
from store import audit, db
from streams.context import now
from tests.conftest import Deployment, deployed

pytestmark = [pytest.mark.runtime, pytest.mark.faults, pytest.mark.timeout(240)]

# Some 20 posters keep the door busy on two cores without being the load test themselves.
POSTERS = 20
BEFORE, AFTER = 2.0, 4.0
# What raises nothing, and what a hazard was told of already in the same words: both land without an event in any trail.
SILENT = ("quiet", "resent")


class Load:
    """Posters that go on whatever fails, and remember only what got a 202."""

    def __init__(self, url: str, seed: int) -> None:
        self.accepted: list[UUID] = []
        self.refusals: Counter[str] = Counter()
        self._simulator = Simulator(load_city(NINGBO).units, subcategories(), seed, source=f"load-{seed}")
        self._url, self._stop = url, asyncio.Event()

    async def _post(self) -> None:
        async with httpx.AsyncClient(base_url=self._url, timeout=10) as client:
            while not self._stop.is_set():
                try:
                    answer = await client.post("/api/v1/reports", json=self._simulator.next(now()))
                except httpx.HTTPError as error:
                    self.refusals[type(error).__name__] += 1
                    await asyncio.sleep(0.05)
                    continue
                if answer.status_code == 202:
                    self.accepted.append(UUID(answer.json()["id"]))
                else:
                    assert answer.status_code == 503, answer.text
                    self.refusals["503"] += 1
                    await asyncio.sleep(0.05)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Load"]:
        """Load for as long as the block runs."""
        async with asyncio.TaskGroup() as posters:
            for _ in range(POSTERS):
                posters.create_task(self._post())
            try:
                yield self
            finally:
                self._stop.set()


async def rows(platform: Deployment, statement: str, *values: Any) -> list[dict[str, Any]]:
    async with db.connect(str(platform.settings.database)) as conn:
        return await (await conn.execute(statement, values)).fetchall()


async def all_landed(platform: Deployment, within: float = 120.0) -> None:
    """Wait until nothing accepted waits any more."""
    ends = time.monotonic() + within
    while time.monotonic() < ends:
        if (await rows(platform, "SELECT count(*) AS n FROM intake WHERE landed_at IS NULL"))[0]["n"] == 0:
            return
        await asyncio.sleep(0.5)
    waiting = await rows(platform, "SELECT count(*) AS n FROM intake WHERE landed_at IS NULL")
    raise AssertionError(
        f"{waiting[0]['n']} reports have not landed within {within} s\n{platform.log('worker')[-2000:]}"
    )


async def each_landed_once(platform: Deployment, accepted: list[UUID]) -> None:
    """By the database's count: every 202 is there, with one outcome, and no report is in two events of any trail."""
    assert len(set(accepted)) == len(accepted)
    found = await rows(
        platform, "SELECT id, outcome FROM intake WHERE id = ANY(%s) AND landed_at IS NOT NULL", accepted
    )
    assert len(found) == len(accepted)
    told = Counter(
        row["report"]
        for row in await rows(
            platform, "SELECT data->>'report' AS report FROM trail WHERE action IN ('open', 'attach')"
        )
    )
    assert all(told[str(row["id"])] == (0 if row["outcome"] in SILENT else 1) for row in found)
    assert set(told.values()) <= {1}
    async with db.connect(str(platform.settings.database)) as conn:
        findings = await audit.examine(conn, now())
    assert findings.whole, findings
    assert findings.dead == 0


@pytest.mark.parametrize("victim", ["worker", "keeper", "kafka", "postgres"])
async def test_every_report_with_a_202_lands_once_though_a_process_is_killed(
    runtime: LocalRuntime, template: str, trained: Any, victim: str
) -> None:
    async with deployed(runtime, template, trained, "keeper", "worker", "api", demo=True) as platform:
        seed = ["worker", "keeper", "kafka", "postgres"].index(victim)
        async with Load(platform.url, seed).running() as load:
            await asyncio.sleep(BEFORE)
            before = len(load.accepted)
            name = platform.name(victim) if victim in ("worker", "keeper") else victim
            runtime.kill(name)
            await asyncio.sleep(AFTER)
            await runtime.until_ready(name)
            await asyncio.sleep(BEFORE)
        assert before > 0, "there was no load before the kill"
        assert len(load.accepted) > before, "there was no load after the kill"
        if victim != "postgres":
            assert not load.refusals, "the door depends on nothing but the database"
        await all_landed(platform)
        await each_landed_once(platform, load.accepted)
