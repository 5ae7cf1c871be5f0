"""The wall in a real Chromium, over the whole platform: what is posted is seen."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
import uuid_utils.compat as uuid_utils
from playwright.async_api import Browser, Page, expect

from deploy.runtime import web
from deploy.runtime.local import LocalRuntime
from deploy.simulate import Simulator
from models.reports import Door, check
from models.roles import Role
from models.taxonomy import subcategories
from store import db, health, keys, reports, units
from store.reports import Entry
from streams.context import now
from tests.conftest import Deployment, deployed

pytestmark = [pytest.mark.runtime, pytest.mark.browser]

PROJECT = Path(__file__).parent.parent.parent
SCHOOL = "330203-001"
# Background services of the browser would look up hosts that no wall ever needs.


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def city(runtime: LocalRuntime, template: str, trained: Path) -> AsyncIterator[Deployment]:
    """The platform with its pages and a first day of reports."""
    await web.build(PROJECT / "web", trained / "web.log", lambda line: None)
    async with deployed(runtime, template, trained, "keeper", "worker", "api", demo=True) as platform:
        async with db.connect(str(platform.settings.database)) as conn:
            tree = await units.tree(conn)
            simulator, at = Simulator(tree, subcategories(), seed=11), now()
            drawn = [check(simulator.next(at), Door(tree=tree, now=at)) for _ in range(250)]
            await reports.accept(conn, [Entry(report) for report in drawn], "test", at)
            await conn.commit()
            # The worker may still be loading: what the tests look at begins when the first day has landed.
            async with asyncio.timeout(90):
                while (await health.gauges(conn, now()))["waiting"]:
                    await conn.commit()
                    await asyncio.sleep(0.2)
        yield platform


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A wall of 1920 × 1080 that fails its test on any error in its console."""
    context = await browser.new_context(viewport={"width": 1920, "height": 1080}, locale="zh-CN")
    page = await context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    await context.close()
    assert errors == []


async def post(platform: Deployment, **fields: Any) -> str:
    """Post a report as an officer does; its id."""
    body = {"source": "officer", "unit": SCHOOL, "text": "三号楼二层安全出口被锁", **fields}
    async with httpx.AsyncClient(base_url=platform.url) as client:
        answer = await client.post("/api/v1/reports", json=body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


async def number(page: Page, name: str) -> int:
    """A figure of the wall."""
    return int((await page.get_by_test_id(name).inner_text()).replace(",", ""))


async def test_a_hazard_that_is_posted_is_seen_with_category_level_and_tier(city: Deployment, page: Page) -> None:
    await page.goto(city.url)
    await expect(page.get_by_test_id("live-state")).to_contain_text("实时")
    before = await number(page, "today-reports")
    await post(city, text="有人把电瓶车推进宿舍楼道里充电，飞线拉到二楼", place=f"2号宿舍楼 {uuid_utils.uuid7()}"[:18])
    item = page.get_by_test_id("ticker-item").filter(has_text="电动车违规充电停放").first
    await expect(item).to_be_visible()
    await expect(item).to_have_attribute("data-level", "red")
    climbed = page.locator('[data-testid="ticker-item"][data-level="red"][data-tier="city"]').first
    await expect(climbed).to_be_visible()
    await expect(page.get_by_test_id("today-reports")).to_have_text(f"{before + 1:,}")


async def test_the_figures_are_those_of_the_database(city: Deployment, page: Page) -> None:
    await page.goto(city.url)
    await expect(page.get_by_test_id("live-state")).to_contain_text("实时")
    async with db.connect(str(city.settings.database)) as conn:
        cur = await conn.execute(
            "SELECT level, count(*) AS n FROM hazards WHERE state = 'reported' AND NOT confidential GROUP BY level"
        )
        counts = {row["level"]: row["n"] for row in await cur.fetchall()}
    assert sum(counts.values()) > 100
    for level in ("red", "orange", "yellow", "blue"):
        await expect(page.get_by_test_id(f"open-{level}")).to_have_text(f"{counts.get(level, 0):,}")
    await expect(page.get_by_test_id("open-total")).to_have_text(f"{sum(counts.values()):,}")


async def test_markup_in_a_report_stays_text(city: Deployment, page: Page) -> None:
    await page.goto(city.url)
    await expect(page.get_by_test_id("live-state")).to_contain_text("实时")
    await post(city, text="电梯困人 <img src=x onerror=\"document.title='owned'\">", place="<b>1号梯</b>")
    await expect(page.get_by_test_id("ticker-item").filter(has_text="<b>1号梯</b>").first).to_be_visible()
    assert await page.title() != "owned"


async def test_of_confidential_reports_nothing_is_seen_but_that_they_are_few(city: Deployment, page: Page) -> None:
    await page.goto(city.url)
    await expect(page.get_by_test_id("live-state")).to_contain_text("实时")
    before = await number(page, "open-total")
    await post(
        city, text="有学生站在天台边上说不想活了，班主任正在劝", place="天台九", category="0901", unit="330203-003"
    )
    await post(city, text="消防栓被杂物挡住", place="一号楼东", unit="330203-003")
    await expect(page.get_by_test_id("ticker-item").filter(has_text="一号楼东").first).to_be_visible()
    await expect(page.get_by_test_id("open-total")).to_have_text(f"{before + 1:,}")
    await expect(page.get_by_test_id("confidential")).to_contain_text("<5")
    await expect(page.get_by_test_id("stage")).not_to_contain_text("天台九")
    await expect(page.get_by_test_id("stage")).not_to_contain_text("自伤自杀风险")


async def test_the_wall_recovers_when_the_server_was_killed(city: Deployment, page: Page) -> None:
    await page.goto(city.url)
    await expect(page.get_by_test_id("live-state")).to_contain_text("实时")
    killed = city.runtime.kill(city.name("api"))
    async with asyncio.timeout(60):
        while city.runtime.supervisor.pid(city.name("api")) in (killed, None):
            await asyncio.sleep(0.1)
    await city.runtime.until_ready(city.name("api"))
    # It may be back before the page has said that it was away: what counts is that the next report arrives, without a reload.
    await expect(page.get_by_test_id("live-state")).to_contain_text("实时", timeout=60_000)
    await post(city, text="锅炉安全阀失灵，压力一直往上走", place="锅炉房七")
    await expect(page.get_by_test_id("ticker-item").filter(has_text="锅炉房七").first).to_be_visible(timeout=20_000)


async def test_a_wall_key_opens_the_wall_and_nothing_else(
    runtime: LocalRuntime, template: str, trained: Path, page: Page
) -> None:
    async with deployed(runtime, template, trained, "api") as platform:
        await page.goto(platform.url)
        await expect(page.get_by_role("textbox")).to_be_visible()
        async with db.connect(str(platform.settings.database)) as conn:
            _, token = await keys.create(conn, "wall", "330203", Role.WALL, now())
        await page.goto(f"{platform.url}/#key={token}")
        await page.reload()
        await expect(page.get_by_test_id("live-state")).to_contain_text("实时")
        await expect(page.get_by_test_id("stage")).to_contain_text("海曙区教育局")
        assert token not in page.url
        answer = await page.request.get(f"{platform.url}/api/v1/hazards")
        assert answer.status == 403


async def test_no_request_leaves_for_a_third_party(city: Deployment, page: Page) -> None:
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(httpx.URL(request.url).host))
    await page.goto(city.url)
    await expect(page.get_by_test_id("live-state")).to_contain_text("实时")
    assert hosts == {"127.0.0.1"}


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (3840, 2160)])
async def test_the_wall_fills_its_screen(
    city: Deployment, browser: Browser, tmp_path: Path, width: int, height: int
) -> None:
    """And makes the pictures of the docs: `make pictures`."""
    context = await browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
    page = await context.new_page()
    await page.goto(city.url)
    await expect(page.get_by_test_id("live-state")).to_contain_text("实时")
    await expect(page.get_by_test_id("ticker-item").first).to_be_visible()
    # Charts draw in their own time; the picture waits for them, no assertion does.
    await page.wait_for_timeout(2500)
    box = await page.get_by_test_id("stage").bounding_box()
    assert box
    assert (round(box["width"]), round(box["height"])) == (width, height)
    pictures = Path(os.environ["PICTURES"]) if "PICTURES" in os.environ else tmp_path
    picture = pictures / f"wall-{width}.png"
    await page.screenshot(path=picture)
    assert picture.stat().st_size > 100_000
    await context.close()
