"""What assessors said beside what the machine had said: for learning with consent, and for watching the drift."""

from datetime import timedelta

import pytest

from models.learning import Correction
from models.levels import Level
from models.loop import Action
from store import corrections, units
from store.db import Connection
from tests.factories import CITY, DISTRICT, NOW, SCHOOL, UNIVERSITY
from tests.store.test_hazards import ASSESSOR, act
from tests.store.test_landing import accepted, hazard_of, land, opened

pytestmark = pytest.mark.runtime

ASSESS = (Action.ASSESS, ASSESSOR, {"category": "0401", "level": Level.YELLOW, "reason": "类别有误"})


async def consent(conn: Connection, *codes: str) -> None:
    tree = await units.tree(conn)
    await units.load(conn, CITY, "试验市", {"learning": {"units": list(codes)}}, tree, NOW)


async def test_only_units_that_consent_are_learned_from(conn: Connection) -> None:
    await act(conn, await opened(conn, text="电梯门夹人"), ASSESS)
    assert await corrections.read(conn) == []
    await consent(conn, UNIVERSITY)
    assert await corrections.read(conn) == []
    await consent(conn, DISTRICT)
    assert await corrections.read(conn) == [Correction("电梯门夹人", "0401", Level.YELLOW, False)]


async def test_what_nobody_assessed_teaches_nothing_and_a_rejection_does(conn: Connection) -> None:
    await consent(conn, SCHOOL)
    await opened(conn, text="还没有人看过")
    await act(conn, await opened(conn, text="发票怎么开"), (Action.REJECT, ASSESSOR, {"reason": "不是隐患"}))
    assert await corrections.read(conn) == [Correction("发票怎么开", None, None, False)]


async def test_closed_records_are_not_learned_from(conn: Connection) -> None:
    await consent(conn, SCHOOL)
    await act(conn, await opened(conn, subcategory="1001", text="几个人围着他"), (*ASSESS[:2], {"category": "1001"}))
    report = await accepted(conn, NOW, text="孩子摔了", minors_involved=True)
    await land(conn, report)
    await act(conn, await hazard_of(conn, report), ASSESS)
    assert await corrections.read(conn) == []


async def test_drift_counts_agreement_of_this_month_and_the_last(conn: Connection) -> None:
    for n, category in enumerate(("0101", "0101", "0401")):
        hazard = await opened(conn, at=NOW, text=f"第{n}件")
        await act(conn, hazard, (Action.ASSESS, ASSESSOR, {"category": category}))
    path = (await units.tree(conn))[DISTRICT].path
    found = await corrections.drift(conn, path, NOW + timedelta(days=1))
    assert (found["assessed"], found["agreed"], found["abstained"]) == (3, round(2 / 3, 4), 0.0)
    assert found["models"] == ["test"]
    later = await corrections.drift(conn, path, NOW + timedelta(days=40))
    assert (later["assessed"], later["agreed"], later["agreed_before"]) == (0, None, round(2 / 3, 4))
    other = (await units.tree(conn))[UNIVERSITY].path
    assert (await corrections.drift(conn, other, NOW + timedelta(days=1)))["assessed"] == 0
