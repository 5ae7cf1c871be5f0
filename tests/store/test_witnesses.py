"""One hazard, many reports: five people, one hazard; a resend is dropped, what is uncertain is suggested, other places stay apart."""

from datetime import timedelta
from typing import Any

import pytest

from models.hazards import Hazard
from models.loop import Action
from models.roles import Role
from store import glass, hazards, landing, pages, suggestions, trail, units
from store.db import Connection
from store.landing import Landing
from store.scope import Viewer
from tests import factories
from tests.factories import NOW, SCHOOL
from tests.store.test_hazards import ASSESSOR, TO_CLOSED, act
from tests.store.test_landing import CLOCK, accepted, hazard_of, land, opened, query
from tests.store.test_retention import OLD, forget

pytestmark = pytest.mark.runtime

HOUR = timedelta(hours=1)
TEXT, PLACE = "三号楼二层东侧安全出口被铁链锁住", "3号楼二层东侧"
# Perhaps the same, for a person to say.
GREY_TEXT, GREY_PLACE = "楼道里堆满了课桌", "3号楼二层"
SCHOOL_VIEWER = Viewer(paths=(factories.tree()[SCHOOL].path,), confidential_units=(SCHOOL,), actor="test:assessor")

TELLINGS = [
    (TEXT, PLACE),
    ("东头那个逃生门挂了把大锁，推不开", "三教2楼东头"),
    ("三教二楼疏散门上锁，打不开", "三教2F"),
    ("二层东侧安全出口打不开，学生下课拥堵", "3号楼2层"),
    ("巡查：3号楼2层东侧疏散门铁链锁闭，已告知值班员", "3号楼2F东侧"),
]


async def suggestion(conn: Connection, hazard: Hazard) -> dict[str, Any] | None:
    return await suggestions.of(conn, hazard.id, SCHOOL_VIEWER)


async def a_pair(conn: Connection) -> tuple[Hazard, Hazard]:
    """A hazard, and another that may be it."""
    first = await opened(conn, text=TEXT, place=PLACE)
    return first, await opened(conn, text=GREY_TEXT, place=GREY_PLACE)


@pytest.mark.parametrize("batches", [1, 5])
async def test_five_people_in_five_wordings_tell_of_one_hazard(conn: Connection, batches: int) -> None:
    told = [await accepted(conn, NOW, text=text, place=place) for text, place in TELLINGS]
    size = len(told) // batches
    counts = [await land(conn, *told[at : at + size]) for at in range(0, len(told), size)]
    assert (sum(c["opened"] for c in counts), sum(c["attached"] for c in counts)) == (1, 4)
    hazard = await hazard_of(conn, told[0])
    assert {(await hazard_of(conn, report)).id for report in told} == {hazard.id}
    assert (hazard.report_count, len(hazard.reporters)) == (5, 5)
    assert await trail.broken(conn) == {}


async def test_two_kinds_of_one_category_are_compared_too(conn: Connection) -> None:
    first = await accepted(conn, text=TEXT, place=PLACE)
    await land(conn, first)
    second = await accepted(conn, text="三号楼二层东侧的安全出口被铁链锁住了！", place=PLACE)
    assert (await land(conn, second, subcategory="0102", labels=("0102",)))["attached"] == 1


@pytest.mark.parametrize("place", ["3号楼三层东侧", "3号楼二层西侧", "5号楼二层东侧"])
async def test_other_places_stay_apart(conn: Connection, place: str) -> None:
    await opened(conn, text="安全出口被铁链锁住", place=PLACE)
    other = await opened(conn, text="安全出口被铁链锁住", place=place)
    assert await suggestion(conn, other) is None


async def test_a_resend_is_dropped_kept_and_counted(conn: Connection) -> None:
    me = {"id": "informant-7"}
    first = await accepted(conn, text=TEXT, place=PLACE, reporter=me)
    await land(conn, first)
    before = await hazard_of(conn, first)
    steps = await trail.of(conn, before.id)
    again = [await accepted(conn, NOW + HOUR, text=text, place=PLACE, reporter=me) for text in (TEXT, TEXT + "！！")]
    assert await land(conn, *again, now=NOW + HOUR) == {
        "opened": 0, "attached": 0, "resent": 2, "quiet": 0, "before": 0,
    }  # fmt: skip
    assert await hazard_of(conn, again[0]) == before, "nothing changed"
    assert await trail.of(conn, before.id) == steps
    rows = await query(conn, "SELECT outcome, count(*) AS n FROM intake GROUP BY 1 ORDER BY 1")
    assert rows == [{"outcome": "opened", "n": 1}, {"outcome": "resent", "n": 2}]
    assert len(await query(conn, "SELECT id FROM reports")) == 3


async def test_a_report_twice_in_one_batch_is_a_resend_of_the_first(conn: Connection) -> None:
    me = {"id": "informant-7"}
    told = [await accepted(conn, text=TEXT, place=PLACE, reporter=me) for _ in range(3)]
    counts = await land(conn, *told)
    assert (counts["opened"], counts["resent"], counts["attached"]) == (1, 2, 0)


async def test_where_nobody_is_named_the_sender_is_the_key(conn: Connection) -> None:
    told = [await accepted(conn, text=TEXT, place=PLACE, reporter=None, source="system") for _ in range(2)]
    assert (await land(conn, *told))["resent"] == 1
    other = await accepted(conn, text=TEXT, place=PLACE, reporter=None, source="student")
    assert (await land(conn, other))["attached"] == 1


@pytest.mark.parametrize(
    ("fields", "level", "after"),
    [
        ({"reporter": {"id": "informant-8"}}, "yellow", HOUR),
        ({}, "orange", HOUR),
        ({"minors_involved": True}, "yellow", HOUR),
        ({}, "yellow", timedelta(hours=25)),
    ],
    ids=["another person", "graver", "minors", "a day later"],
)
async def test_what_says_more_is_a_witness(
    conn: Connection, fields: dict[str, Any], level: str, after: timedelta
) -> None:
    me = {"reporter": {"id": "informant-7"}, "text": TEXT, "place": PLACE}
    await land(conn, await accepted(conn, **me))
    again = await accepted(conn, NOW + after, **{**me, **fields, "level": level})
    assert (await land(conn, again, now=NOW + after))["attached"] == 1
    assert (await hazard_of(conn, again)).minors == bool(fields.get("minors_involved"))


async def test_the_same_words_after_closing_open_the_hazard_again(conn: Connection) -> None:
    me = {"reporter": {"id": "informant-7"}, "text": TEXT, "place": PLACE}
    first = await accepted(conn, **me)
    await land(conn, first)
    await act(conn, await hazard_of(conn, first), *TO_CLOSED)
    again = await accepted(conn, NOW + HOUR, **me)
    assert (await land(conn, again, now=NOW + HOUR))["attached"] == 1
    assert (await hazard_of(conn, again)).state.is_open


async def test_what_is_not_certain_enough_is_suggested(conn: Connection) -> None:
    first, other = await a_pair(conn)
    made = await suggestion(conn, other)
    assert made is not None
    assert made["id"] == str(first.id)
    assert 0 < made["score"] < 1
    assert made["reasons"][-1].startswith("相似度")
    assert await suggestion(conn, first) is None
    assert (await hazards.get(conn, first.id)).report_count == 1, "nothing was merged"


@pytest.mark.parametrize(
    ("steps", "answer"),
    [
        ((Action.MERGE, {}), "taken"),
        ((Action.ASSESS, {}), "refused"),
        ((Action.REJECT, {"reason": "误报"}), "refused"),
    ],
    ids=["merged", "assessed", "rejected"],
)
async def test_what_the_assessor_does_is_the_answer(
    conn: Connection, steps: tuple[Action, dict[str, Any]], answer: str
) -> None:
    first, other = await a_pair(conn)
    action, filed = steps
    filed = filed | ({"into": str(first.id)} if action is Action.MERGE else {})
    await act(conn, other, (action, ASSESSOR, filed))
    assert await query(conn, "SELECT hazard, answer FROM suggestions") == [{"hazard": other.id, "answer": answer}]
    assert await suggestion(conn, other) is None, "answered once, asked no more"


async def test_one_that_was_merged_elsewhere_was_refused(conn: Connection) -> None:
    _, other = await a_pair(conn)
    third = await opened(conn, text="食堂门口安全出口指示灯坏了", place="食堂门口")
    await act(conn, other, (Action.MERGE, ASSESSOR, {"into": str(third.id)}))
    assert await query(conn, "SELECT answer FROM suggestions WHERE hazard = %s", other.id) == [{"answer": "refused"}]


async def test_nothing_is_suggested_that_cannot_take_it(conn: Connection) -> None:
    first, other = await a_pair(conn)
    await act(conn, first, (Action.REJECT, ASSESSOR, {"reason": "误报"}))
    assert await suggestion(conn, other) is None


async def test_nothing_is_suggested_into_a_closed_one(conn: Connection) -> None:
    await act(conn, await opened(conn, text=TEXT, place=PLACE), *TO_CLOSED)
    await opened(conn, text=GREY_TEXT, place=GREY_PLACE)
    assert await query(conn, "SELECT 1 AS n FROM suggestions") == []


async def test_a_suggestion_is_shown_to_who_may_see_both(conn: Connection) -> None:
    judged = {"subcategory": "1001"}
    first = await opened(conn, text="几名学生长期欺负同班同学", place="初二3班", **judged)
    other = await opened(conn, text="同班的几个人又欺负他", place=None, **judged)
    assert await suggestion(conn, other) is not None
    outsider = Viewer(paths=SCHOOL_VIEWER.paths, actor="test:auditor")
    auditor = factories.actor(Role.AUDITOR, id="test:auditor")
    asked = await glass.ask(conn, other.id, auditor, "配合调查", NOW)
    await conn.execute(
        "UPDATE glass SET approved_by = 'test:leader', approved_at = now(), expires_at = now() + interval '1 hour' WHERE id = %s",
        (asked,),
    )
    assert (await pages.visible(conn, other.id, outsider)).id == other.id
    assert await suggestions.of(conn, other.id, outsider) is None, "the other one is closed to them"
    assert first.confidential


async def test_reasons_are_left_out_where_minors_are_involved(conn: Connection) -> None:
    _, other = await a_pair(conn)
    witness = await accepted(conn, text=GREY_TEXT + "！", place=GREY_PLACE, minors_involved=True)
    assert (await land(conn, witness))["attached"] == 1
    made = await suggestion(conn, other)
    assert made is not None
    assert made["reasons"] == []


async def test_a_minors_hazard_is_found_by_its_reports_words_and_none_is_kept(conn: Connection) -> None:
    first = await accepted(conn, text=TEXT, place=PLACE, minors_involved=True)
    await land(conn, first)
    for text, place in TELLINGS[1:]:
        assert (await land(conn, await accepted(conn, text=text, place=place)))["attached"] == 1
    grey = await accepted(conn, text=GREY_TEXT, place=GREY_PLACE)
    await land(conn, grey)
    kept = str(
        await query(
            conn, "SELECT h.*, s.* FROM hazards h LEFT JOIN suggestions s ON s.into_hazard = h.id WHERE h.minors"
        )
    )
    assert all(text not in kept and place not in kept for text, place in TELLINGS)


async def test_confidential_words_are_never_put_to_an_open_lane(conn: Connection) -> None:
    text = "几个学生在操场打架"
    await opened(conn, subcategory="0802", text=text, place="操场")
    report = await accepted(conn, text=text, place="操场")
    judgement = factories.judgement(category="10", subcategory="1001", labels=("1001", "0802"))
    told = await landing.land(conn, [Landing(report, judgement)], await units.tree(conn), NOW, CLOCK)
    assert told["opened"] == 1
    assert await query(conn, "SELECT 1 AS n FROM suggestions") == []


async def test_a_suggestion_goes_with_either_of_its_hazards(conn: Connection) -> None:
    first = await opened(conn, at=OLD, text=TEXT, place=PLACE)
    other = await opened(conn, at=OLD, text=GREY_TEXT, place=GREY_PLACE)
    await act(conn, first, (Action.REJECT, ASSESSOR, {"reason": "误报"}), at=OLD)
    assert len(await query(conn, "SELECT 1 AS n FROM suggestions")) == 1
    assert await forget(conn) == 1
    assert await query(conn, "SELECT 1 AS n FROM suggestions") == []
    assert (await hazards.get(conn, other.id)).state.is_open
