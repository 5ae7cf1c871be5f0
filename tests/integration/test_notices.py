"""A report at the door becomes a message at somebody's receiver: real processes, real Kafka, real HTTP."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from deploy.runtime.local import LocalRuntime
from models.notices_channel import ChannelKind, channel
from models.roles import Role
from store import accounts, channels, db
from store.channels import Owner
from store.sealing import sealer
from tests.conftest import deployed
from tests.factories import CITY, SCHOOL
from tests.receivers import listening

pytestmark = pytest.mark.runtime


async def test_from_the_door_to_the_receiver(
    runtime: LocalRuntime, template: str, trained: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAMPUS_RISK_NOTIFY_PRIVATE", "1")
    parts = ("keeper", "worker", "api")
    with listening() as school, listening() as city:
        async with deployed(runtime, template, trained, *parts, demo=True) as platform:
            async with db.connect(str(platform.settings.database)) as conn:
                now = datetime.now(UTC)
                for unit, role, hook in ((SCHOOL, Role.ASSESSOR, school), (CITY, Role.SUPERVISOR, city)):
                    id = await accounts.create(conn, f"p.{role.value}", "某人", "none", [(role, unit)], "test", now)
                    made = channel(ChannelKind.WEBHOOK, hook.url)
                    await channels.add(conn, Owner(account=id), made, None, sealer(platform.settings), "test", now)
            body = {"source": "officer", "unit": SCHOOL, "text": "三号楼二层安全出口被锁", "level": "red"}
            async with httpx.AsyncClient(base_url=platform.url) as client:
                assert (await client.post("/api/v1/reports", json=body)).status_code == 202
            async with asyncio.timeout(40):
                while not (school.bodies and city.bodies):
                    await asyncio.sleep(0.1)
            # Two more looks of the sender: nothing comes twice.
            await asyncio.sleep(1.5)
            assert school.titles == ["【红】新隐患待研判：疏散通道与安全出口"]
            assert city.titles == ["【红】隐患升级：疏散通道与安全出口"]
            assert "三号楼" not in str(school.bodies + city.bodies)
