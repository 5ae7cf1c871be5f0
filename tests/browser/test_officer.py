"""The officer's page on a phone's window: reporting with and without a signal, with a real Chromium and the whole platform."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, Route, expect

from deploy.runtime import web
from deploy.runtime.local import LocalRuntime
from models.roles import Role
from store import accounts, db
from streams.context import now
from tests.conftest import Deployment, deployed

pytestmark = [pytest.mark.runtime, pytest.mark.browser]

PROJECT = Path(__file__).parent.parent.parent
PASSWORD = "第三盏路灯-也还亮着呢"
SCHOOL = "330203-001"
TEXT = "二楼东侧安全出口上锁，推不开"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def school(runtime: LocalRuntime, template: str, trained: Path) -> AsyncIterator[Deployment]:
    """The platform with two informants of one school, who need no second factor."""
    await web.build(PROJECT / "web", trained / "web.log", lambda line: None)
    async with deployed(runtime, template, trained, "keeper", "worker", "api") as platform:
        async with db.connect(str(platform.settings.database)) as conn:
            kept = await asyncio.to_thread(accounts.hashed, PASSWORD)
            for login, name in (("chen", "陈一"), ("wang", "王二")):
                await accounts.create(conn, login, name, kept, [(Role.INFORMANT, SCHOOL)], "test", now())
        yield platform


@pytest_asyncio.fixture(loop_scope="session")
async def phone(browser: Browser) -> AsyncIterator[BrowserContext]:
    """A phone that fails its test on any error of a page."""
    context = await browser.new_context(
        viewport={"width": 390, "height": 844}, device_scale_factor=2, has_touch=True, is_mobile=True, locale="zh-CN"
    )
    errors: list[str] = []
    context.on("weberror", lambda error: errors.append(str(error.error)))
    yield context
    await context.close()
    assert errors == []


async def opened(phone: BrowserContext, platform: Deployment, login: str = "chen", where: str = "") -> Page:
    """The officer's page, signed in, able to open without a signal."""
    page = await phone.new_page()
    await page.goto(f"{platform.url}/officer.html{where}")
    await page.get_by_role("link", name="去登录").click()
    await page.get_by_label("登录名").fill(login)
    await page.get_by_label("口令").fill(PASSWORD)
    await page.get_by_role("button", name="登录", exact=True).click()
    await expect(page.locator(".who")).to_contain_text("陈一" if login == "chen" else "王二")
    await page.evaluate("navigator.serviceWorker.ready.then(() => null)")
    return page


async def texts(platform: Deployment) -> list[str]:
    """What arrived, oldest first."""
    async with db.connect(str(platform.settings.database)) as conn:
        return [
            row["text"]
            for row in await (await conn.execute("SELECT text FROM reports ORDER BY received_at")).fetchall()
        ]


async def picture(page: Page, tmp_path: Path, name: str) -> None:
    """A picture to be looked at: where ``PICTURES`` says, else beside the test."""
    await page.screenshot(path=Path(os.environ.get("PICTURES", tmp_path)) / f"officer-{name}.png", full_page=True)


async def test_a_report_is_judged_while_typing_sent_and_followed(
    school: Deployment, phone: BrowserContext, tmp_path: Path
) -> None:
    page = await opened(phone, school)
    await page.get_by_test_id("text").fill(TEXT)
    # The first to ask waits for the server to load its classifier.
    await expect(page.get_by_test_id("suggestion")).to_contain_text("疏散通道与安全出口", timeout=30_000)
    await page.get_by_test_id("place").fill("3号楼二层东侧")
    await picture(page, tmp_path, "typing")
    await page.get_by_test_id("submit").click()
    await expect(page.get_by_test_id("done")).to_contain_text("已送达")
    await expect(page.get_by_test_id("report-sent")).to_have_count(1)
    assert TEXT in await texts(school)
    # Looked at again once it has been judged.
    async with asyncio.timeout(30):
        while not await page.get_by_test_id("fate").count():
            await page.reload()
            await asyncio.sleep(1)
    await expect(page.get_by_test_id("fate")).to_contain_text("待研判")
    # The next one is told from the same place.
    await expect(page.get_by_test_id("place")).to_have_value("3号楼二层东侧")


async def test_without_a_signal_it_is_kept_when_the_page_closes_and_sent_once(
    school: Deployment, phone: BrowserContext, tmp_path: Path
) -> None:
    page = await opened(phone, school)
    await phone.set_offline(True)
    # The page itself opens without a signal.
    await page.reload()
    await expect(page.get_by_test_id("offline")).to_be_visible()
    told = ["地下车库消防栓没有水", "三楼西侧楼梯扶手断了"]
    for text in told:
        await page.get_by_test_id("text").fill(text)
        await page.get_by_test_id("submit").click()
        await expect(page.get_by_test_id("done")).to_contain_text("已存在本机")
    await expect(page.get_by_test_id("waiting")).to_contain_text("2")
    await picture(page, tmp_path, "offline")
    await page.close()
    again = await phone.new_page()
    await again.goto(f"{school.url}/officer.html")
    await expect(again.get_by_test_id("report-waiting")).to_have_count(2)
    assert not set(told) & set(await texts(school))
    await phone.set_offline(False)
    await expect(again.get_by_test_id("report-sent")).to_have_count(2, timeout=20_000)
    assert [text for text in await texts(school) if text in told] == told


async def test_an_answer_that_is_lost_on_the_way_sends_nothing_twice(school: Deployment, phone: BrowserContext) -> None:
    page = await opened(phone, school)
    lost = 0

    async def lose(route: Route) -> None:
        nonlocal lost
        if lost < 2:
            lost += 1
            await route.fetch()  # The server has it, the phone never learns.
            await route.abort()
        else:
            await route.continue_()

    await page.route("**/api/v1/reports", lose)
    text = "实验室废液桶没有盖子，气味很大"
    await page.get_by_test_id("text").fill(text)
    await page.get_by_test_id("submit").click()
    await expect(page.get_by_test_id("report-sent")).to_have_count(1, timeout=20_000)
    assert (lost, (await texts(school)).count(text)) == (2, 1)


async def test_what_waits_is_sent_under_nobody_elses_name(school: Deployment, phone: BrowserContext) -> None:
    page = await opened(phone, school)
    await phone.set_offline(True)
    text = "操场看台护栏螺丝松了"
    await page.get_by_test_id("text").fill(text)
    await page.get_by_test_id("submit").click()
    await expect(page.get_by_test_id("report-waiting")).to_have_count(1)
    # Its session ends before the signal is back, and somebody else takes the phone.
    await phone.clear_cookies()
    await page.close()
    await phone.set_offline(False)
    other = await opened(phone, school, "wang")
    await expect(other.get_by_text("本机还有他人的 1 条上报")).to_be_visible()
    await expect(other.get_by_test_id("report-waiting")).to_have_count(0)
    assert text not in await texts(school)
    await phone.clear_cookies()
    await other.close()
    own = await opened(phone, school)
    await expect(own.get_by_test_id("report-sent")).to_have_count(1)
    assert (await texts(school)).count(text) == 1


async def test_a_confidential_matter_says_who_will_see_it_and_a_refused_one_can_be_mended(
    school: Deployment, phone: BrowserContext, tmp_path: Path
) -> None:
    page = await opened(phone, school, where=f"#unit={SCHOOL}&place=3%E5%8F%B7%E6%A5%BC%3Cb%3Ex%3C/b%3E")
    # The code on the wall outlives the sign-in, and markup in it stays text.
    await expect(page.get_by_test_id("place")).to_have_value("3号楼<b>x</b>")
    await page.get_by_test_id("submit").click()
    await expect(page.get_by_role("alert")).to_contain_text("请写一句")
    await page.get_by_test_id("text").fill("有几个高年级的天天堵在厕所打他，还逼他下跪录像")
    await expect(page.get_by_role("alert")).to_be_empty()
    await expect(page.get_by_test_id("confidential")).to_contain_text("保密通道")
    await picture(page, tmp_path, "confidential")

    async def refuse(route: Route) -> None:
        await route.fulfill(status=422, json={"detail": "单位已停用：<i>请改选</i>"})

    await page.route("**/api/v1/reports", refuse)
    await page.get_by_test_id("submit").click()
    refused = page.get_by_test_id("report-refused")
    # Markup stays text.
    await expect(refused).to_contain_text("单位已停用：<i>请改选</i>")
    await page.unroute("**/api/v1/reports")
    await refused.get_by_role("button", name="改后重报").click()
    await expect(page.get_by_test_id("text")).to_have_value("有几个高年级的天天堵在厕所打他，还逼他下跪录像")
    await page.get_by_test_id("submit").click()
    await expect(page.get_by_test_id("report-sent")).to_have_count(1)
    await refused.get_by_role("button", name="删除").click()
    await refused.get_by_role("button", name="再按一次删除").click()
    await expect(refused).to_have_count(0)


async def test_targets_are_large_enough_and_nothing_overflows(school: Deployment, phone: BrowserContext) -> None:
    page = await opened(phone, school)
    small = await page.evaluate(
        "[...document.querySelectorAll('button, textarea, select, input:not([type=checkbox]), label.tick')]"
        ".map((e) => [e.tagName, e.getBoundingClientRect().height]).filter(([, height]) => height < 48)"
    )
    assert small == []
    assert await page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
