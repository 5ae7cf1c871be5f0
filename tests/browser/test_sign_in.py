"""Signing in with a real Chromium: password and authenticator, enrolment, and a real identity provider."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pyotp
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from deploy.runtime import web
from deploy.runtime.local import LocalRuntime
from models.roles import Role
from store import accounts, db, identities, units
from streams.context import now
from tests import provider
from tests.conftest import Deployment, deployed

pytestmark = [pytest.mark.runtime, pytest.mark.browser]

PROJECT = Path(__file__).parent.parent.parent
PASSWORD = "第三盏路灯-也还亮着呢"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def issuer() -> AsyncIterator[str]:
    async with provider.real() as address:
        yield address


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def platform_(runtime: LocalRuntime, template: str, trained: Path, issuer: str) -> AsyncIterator[Deployment]:
    """The pages and the API of a city with an identity provider, and nobody's key."""
    await web.build(PROJECT / "web", trained / "web.log", lambda line: None)
    # Its secret comes by the environment, as in a deployment.
    os.environ["CAMPUS_RISK_OIDC_SECRETS"] = '{"u01": "given by the campus"}'
    try:
        async with deployed(runtime, template, trained) as platform:
            async with db.connect(str(platform.settings.database)) as conn:
                city = await units.city(conn)
                assert city
                profile = city["profile"] | {"sign_in": [provider.entry(issuer, "U01")]}
                await conn.execute("UPDATE city SET profile = %s", (db.jsonb(profile),))
            await platform.start("api")
            yield platform
    finally:
        del os.environ["CAMPUS_RISK_OIDC_SECRETS"]


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A laptop's window that fails its test on any error in its console."""
    context = await browser.new_context(viewport={"width": 1280, "height": 900}, locale="zh-CN")
    page = await context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    await context.close()
    assert errors == []


async def person(platform: Deployment, login: str, *grants: tuple[Role, str]) -> None:
    """An account."""
    async with db.connect(str(platform.settings.database)) as conn:
        kept = await asyncio.to_thread(accounts.hashed, PASSWORD)
        await accounts.create(conn, login, "李四", kept, grants, "test", now())


async def sign_in(page: Page, login: str, password: str = PASSWORD) -> None:
    """Fill the first step and send it."""
    await page.get_by_label("登录名").fill(login)
    await page.get_by_label("口令").fill(password)
    await page.get_by_role("button", name="登录", exact=True).click()


async def picture(page: Page, tmp_path: Path, name: str) -> None:
    """A picture to be looked at: where ``PICTURES`` says, else beside the test."""
    await page.screenshot(path=Path(os.environ.get("PICTURES", tmp_path)) / f"sign-in-{name}.png", full_page=True)


async def test_password_enrolment_and_authenticator(platform_: Deployment, page: Page, tmp_path: Path) -> None:
    await person(platform_, "zhou.qi", (Role.SUPERVISOR, "U01"))
    await page.goto(f"{platform_.url}/?unit=U01")
    await page.get_by_test_id("to-sign-in").click()
    await expect(page.get_by_test_id("provider-u01")).to_be_visible()
    await picture(page, tmp_path, "password")
    await sign_in(page, "zhou.qi", "not this one")
    await expect(page.get_by_role("alert")).to_contain_text("登录名、口令或验证码不对")
    await sign_in(page, "zhou.qi")
    await expect(page.get_by_role("heading", name="启用双重验证")).to_be_visible()
    totp = pyotp.parse_uri(await page.get_by_test_id("uri").inner_text())
    assert isinstance(totp, pyotp.TOTP)
    assert (await page.get_by_test_id("secret").inner_text()).replace(" ", "") == totp.secret
    # That a reader of codes reads it: web/tests/qr.test.ts.
    box = await page.get_by_role("img", name="供验证器扫描的二维码").bounding_box()
    assert box is not None
    assert box["width"] == box["height"] >= 200
    await picture(page, tmp_path, "enrol")
    await page.get_by_test_id("typed").fill(totp.now())
    await page.get_by_role("button", name="启用").click()
    await expect(page.get_by_test_id("recovery-codes").locator("li")).to_have_count(10)
    recovery = await page.get_by_test_id("recovery-codes").locator("li").first.inner_text()
    await picture(page, tmp_path, "codes")
    await page.get_by_role("button", name="已保存，继续").click()
    await page.wait_for_url(f"{platform_.url}/?unit=U01")
    await expect(page.get_by_test_id("live-state")).to_contain_text("实时")

    await page.context.clear_cookies()
    await page.goto(f"{platform_.url}/sign-in.html")
    await sign_in(page, "zhou.qi")
    await expect(page.get_by_role("heading", name="双重验证")).to_be_visible()
    await page.get_by_label("验证码或恢复码").fill("000000")
    await page.get_by_role("button", name="继续").click()
    await expect(page.get_by_role("alert")).to_contain_text("验证码不对")
    await page.get_by_label("验证码或恢复码").fill(recovery)
    await page.get_by_role("button", name="继续").click()
    await expect(page.get_by_role("heading", name="我的账号")).to_be_visible()
    await expect(page.get_by_test_id("session")).to_have_count(2)
    await picture(page, tmp_path, "account")
    await page.get_by_test_id("session").filter(has_not_text="本机").get_by_role("button").click()
    await expect(page.get_by_test_id("session")).to_have_count(1)
    await page.get_by_role("button", name="退出登录").click()
    await expect(page.get_by_test_id("notice")).to_have_text("已退出登录。")
    assert (await page.request.get(f"{platform_.url}/api/v1/me")).status == 401


async def test_by_the_campus_with_a_link_code_and_again_without(
    platform_: Deployment, page: Page, tmp_path: Path
) -> None:
    await person(platform_, "wu.ba", (Role.HANDLER, "U01-01"))
    async with db.connect(str(platform_.settings.database)) as conn:
        account = await accounts.by_login(conn, "wu.ba")
        assert account
        code, _ = await identities.new_code(conn, account.id, "cli", now())
    await page.goto(f"{platform_.url}/sign-in.html?back=/%3Funit%3DU01-01")
    await page.get_by_test_id("provider-u01").click()
    await page.get_by_placeholder("sub").fill("student-of-life")
    await page.get_by_role("button", name="Authorize").click()
    await expect(page.get_by_role("heading", name="关联账号")).to_be_visible()
    await expect(page.get_by_test_id("subject")).to_have_text("student-of-life")
    assert page.url == f"{platform_.url}/sign-in.html?back=/%3Funit%3DU01-01"
    await picture(page, tmp_path, "link")
    await page.get_by_label("一次性关联码").fill("AAAA-AAAA")
    await page.get_by_role("button", name="关联并登录").click()
    await expect(page.get_by_role("alert")).to_contain_text("关联码不对")
    await page.get_by_label("一次性关联码").fill(code)
    await page.get_by_role("button", name="关联并登录").click()
    await page.wait_for_url(f"{platform_.url}/?unit=U01-01")
    await expect(page.get_by_test_id("live-state")).to_contain_text("实时")

    await page.context.clear_cookies()
    await page.goto(f"{platform_.url}/sign-in.html")
    await page.get_by_test_id("provider-u01").click()
    await page.get_by_placeholder("sub").fill("student-of-life")
    await page.get_by_role("button", name="Authorize").click()
    await expect(page.get_by_role("heading", name="我的账号")).to_be_visible()
    await expect(page.get_by_test_id("session").filter(has_text="本机")).to_contain_text("试验大学统一身份认证")
    await page.get_by_test_id("identity").get_by_role("button").click()
    await expect(page.get_by_test_id("notice")).to_have_text("已退出登录。")


async def test_who_says_no_reads_a_sentence_and_the_page_forgets_no_language(platform_: Deployment, page: Page) -> None:
    await page.goto(f"{platform_.url}/sign-in.html")
    await page.get_by_role("link", name="English").click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await page.goto(f"{platform_.url}/sign-in.html?back=//evil.example#oidc=denied")
    await expect(page.get_by_role("alert")).to_contain_text("You cancelled at your campus.")
    assert await page.evaluate("document.documentElement.lang") == "en"
    assert "oidc" not in page.url


async def test_everything_is_reached_and_named_by_keyboard(platform_: Deployment, page: Page) -> None:
    """Each control has a name, focus goes through all of them in order, and is seen."""
    await page.goto(f"{platform_.url}/sign-in.html")
    await expect(page.get_by_test_id("provider-u01")).to_be_visible()
    await page.get_by_label("登录名").focus()
    order = []
    for _ in range(4):
        order.append(await page.evaluate("document.activeElement.dataset.testid ?? ''"))
        outline = await page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline == "solid"
        await page.keyboard.press("Tab")
    assert order == ["login", "password", "submit", "provider-u01"]
    unnamed = await page.evaluate(
        "[...document.querySelectorAll('input, button, a')].filter(e => !(e.labels?.length || e.textContent.trim() || e.ariaLabel)).length"
    )
    assert unnamed == 0
