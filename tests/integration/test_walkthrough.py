"""The full path of a red and of a yellow hazard, over HTTP on the real platform; written down as ``docs/walkthrough.md``.

``make pictures`` writes the page from what the platform really answered.
"""

import asyncio
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from models.roles import Role
from store import db, keys
from tests.conftest import Deployment
from tests.factories import CITY, DISTRICT, SCHOOL

pytestmark = pytest.mark.runtime

SHOWN = (
    "status",
    "level",
    "state",
    "tier",
    "subcategory",
    "label",
    "report_count",
    "major",
    "actions",
    "detail",
    "rule",
    "who",
)


SETTLED = {
    "responsibility": "后勤处副处长",
    "measures": "拆除飞线，电动车一律移出楼内，增设室外充电棚",
    "funds": "校内安全专项经费三万元",
    "time_limit": "今日二十时前管控，七日内建成充电棚",
    "plan": "整改期间宿管每两小时巡查一次，楼道配备灭火毯",
}


class Story:
    """Posts as one of the four roles, keeps what was said, and knows the hazard's version."""

    def __init__(self, platform: Deployment, title: str) -> None:
        self.platform, self.lines = platform, [f"## {title}", ""]
        self.hazard, self.version = "", 0
        self._keys: dict[tuple[Role, str], str] = {}

    async def call(self, role: Role, unit: str, method: str, path: str, body: Any = None, expect: int = 200) -> Any:
        """One request, and what came back."""
        if (role, unit) not in self._keys:
            async with db.connect(str(self.platform.settings.database)) as conn:
                _, self._keys[role, unit] = await keys.create(conn, role.label, unit, role, datetime.now(UTC))
        headers = {"Authorization": f"Bearer {self._keys[role, unit]}"}
        if path.endswith("/actions"):
            headers["If-Match"] = f'"{self.version}"'
        async with httpx.AsyncClient(base_url=self.platform.url) as client:
            answer = await client.request(method, f"/api/v1{path}", json=body, headers=headers)
        assert answer.status_code == expect, answer.text
        return answer.json()

    def tell(self, who: str, what: str, body: Any, answer: dict[str, Any], status: int) -> None:
        """One step of the page."""
        shown = {name: answer[name] for name in SHOWN if answer.get(name) not in (None, False, [], "")}
        self.lines += [
            f"**{who}** — {what}", "",
            "```json", json.dumps(body, ensure_ascii=False), "```", "",
            f"→ {status}", "",
            "```json", json.dumps(shown, ensure_ascii=False), "```", "",
        ]  # fmt: skip

    async def report(self, what: str, text: str, place: str) -> dict[str, Any]:
        """Somebody reports, and it lands."""
        body = {"source": "officer", "unit": SCHOOL, "text": text, "place": place}
        id = (await self.call(Role.INFORMANT, SCHOOL, "POST", "/reports", body, expect=202))["id"]
        async with asyncio.timeout(30):
            while (became := await self.call(Role.INFORMANT, SCHOOL, "GET", f"/reports/{id}"))["status"] == "accepted":
                await asyncio.sleep(0.05)
        self.tell("信息员 informant", what, body, became | became.get("hazard", {}) | {"status": became["status"]}, 202)
        self.hazard = became["hazard"]["id"]
        return became

    async def look(self) -> dict[str, Any]:
        """The hazard now."""
        seen = await self.call(Role.SUPERVISOR, CITY, "GET", f"/hazards/{self.hazard}")
        self.version = seen["version"]
        return dict(seen)

    async def act(self, role: Role, unit: str, what: str, expect: int = 200, **body: Any) -> dict[str, Any]:
        """One transition, or its refusal."""
        await self.look()
        answer = await self.call(role, unit, "POST", f"/hazards/{self.hazard}/actions", body, expect)
        self.tell(f"{role.label} {role.value} @ {unit}", what, body, answer, expect)
        return dict(answer)

    async def trail(self) -> list[dict[str, Any]]:
        """The whole trail, as the last part of the page."""
        events = (await self.call(Role.AUDITOR, CITY, "GET", f"/hazards/{self.hazard}/trail"))["items"]
        self.lines += [
            "The trail 轨迹:",
            "",
            "| # | at (UTC) | action | role | from → to | hash |",
            "|---|---|---|---|---|---|",
        ]
        self.lines += [
            f"| {e['seq']} | {e['at'][11:19]} | {e['action']} | {e['role']} | {e['before'] or '–'} → {e['after']} | `{e['hash'][:12]}…` |"
            for e in events
        ]
        self.lines.append("")
        return list(events)


async def climbed(story: Story, tier: str) -> None:
    """Wait until the hazard stands at a tier."""
    async with asyncio.timeout(20):
        while (await story.look())["tier"] != tier:
            await asyncio.sleep(0.05)


async def red(platform: Deployment) -> Story:
    """A major hazard: to the top at once, five settlements, acceptance, review, lesson."""
    story = Story(platform, "Red 红: an electric bicycle charges in a dormitory corridor")
    school = (Role.HANDLER, SCHOOL)
    await story.report("a phone in a corridor", "有人把电瓶车推进宿舍楼道里充电，飞线拉到二楼", "2号宿舍楼二层")
    await climbed(story, "city")
    seen = await story.look()
    assert (seen["level"], seen["major"], seen["machine"]["direct"]) == ("red", True, True)
    await story.act(Role.ASSESSOR, CITY, "confirms category and level", action="assess", level="red", category="0104")
    await story.act(Role.ASSESSOR, CITY, "dispatches to the school", action="dispatch", handler="后勤处")
    refused = await story.act(*school, "may not start yet", expect=409, action="start")
    assert refused["rule"] == "five_settlements"
    await story.act(*school, "files the five settlements 五落实", action="settle", settlements=SETTLED)
    await story.act(*school, "starts", action="start")
    await story.act(
        *school, "hands in what was done", action="submit", evidence="车辆已移至室外车棚，飞线已拆除，张贴告知"
    )
    refused = await story.act(*school, "may not verify their own work", expect=403, action="close")
    assert "supervisor" in refused["who"]
    refused = await story.act(Role.SUPERVISOR, DISTRICT, "may not close without acceptance", expect=409, action="close")
    assert refused["rule"] == "acceptance"
    await story.act(Role.SUPERVISOR, DISTRICT, "closes 销号", action="close", acceptance="区教〔2026〕验收12号")
    await story.act(Role.SUPERVISOR, DISTRICT, "leads the review 复盘", action="review")
    done = await story.act(
        Role.SUPERVISOR, DISTRICT, "writes the lesson, archives", action="archive",
        lesson="宿舍楼须配室外充电棚；夜间巡查增加楼道一项",
    )  # fmt: skip
    assert done["state"] == "archived"
    events = await story.trail()
    assert [e["action"] for e in events] == [
        "open", "climb", "assess", "dispatch", "settle", "start", "submit", "close", "review", "archive",
    ]  # fmt: skip
    return story


async def yellow(platform: Deployment) -> Story:
    """An everyday one: stays at the school, a second witness, sent back once, comes again within the week."""
    story = Story(platform, "Yellow 黄: fire extinguishers out of date")
    assessor, handler, supervisor = ((role, SCHOOL) for role in (Role.ASSESSOR, Role.HANDLER, Role.SUPERVISOR))
    text = "实验楼一层走廊灭火器过期，压力表指到红区"
    first = await story.report("walks a round", text, "实验楼一层")
    second = await story.report(
        "a second witness, other words", "实验楼一层走廊的灭火器都过期了，压力表在红区", "实验楼一层"
    )
    assert (first["status"], second["status"]) == ("opened", "attached")
    assert (await story.look())["tier"] == "school"
    await story.act(*assessor, "confirms", action="assess", level="yellow")
    await story.act(*assessor, "dispatches", action="dispatch")
    await story.act(*handler, "starts", action="start")
    await story.act(*handler, "hands in", action="submit", evidence="已更换4具")
    await story.act(*supervisor, "sends it back 退回整改", action="return", reason="二层两具仍在过期，请一并更换")
    await story.act(*handler, "hands in again", action="submit", evidence="二层两具已更换，标签照片附后")
    await story.act(*supervisor, "closes", action="close")
    again = await story.report("the same place again, days later", text, "实验楼一层")
    assert again["status"] == "attached"
    assert (await story.look())["state"] == "dispatched"
    await story.act(*handler, "starts again", action="start")
    await story.act(*handler, "hands in", action="submit", evidence="全楼灭火器逐具核对，台账上墙")
    await story.act(*supervisor, "closes", action="close")
    done = await story.act(*supervisor, "archives: this level owes no review", action="archive")
    assert done["state"] == "archived"
    events = await story.trail()
    assert [e["action"] for e in events if e["role"] == "system"] == ["open", "attach", "reopen", "attach"]
    return story


async def test_a_red_and_a_yellow_hazard_go_the_whole_way(platform: Deployment) -> None:
    stories = [await red(platform), await yellow(platform)]
    page = [
        "# A walk through the loop 闭环走读",
        "",
        "Two hazards from the first report to the archive, as the running platform answered: `make pictures` writes this page.",
        "Refusals are part of it: each names the rule and who could act. Answers are shortened to what matters.",
        "",
        *(line for story in stories for line in story.lines),
    ]
    if "WALKTHROUGH" in os.environ:
        await asyncio.to_thread(Path(os.environ["WALKTHROUGH"]).write_text, "\n".join(page).rstrip() + "\n", "utf-8")
