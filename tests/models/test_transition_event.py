"""What a change leaves: one event, bound to the last, that reads back from storage as it was written."""

from datetime import datetime, timedelta, timezone
from enum import StrEnum
from uuid import UUID

import orjson
import pytest

from models.deadlines import Kind
from models.events import GENESIS, broken_at, link
from models.levels import Level
from models.loop import Action, Refused, State
from models.roles import Role
from models.transition import as_stored, plan
from tests.factories import NOW, actor, hazard, new_id

LATER, UNTIL = NOW + timedelta(hours=1), NOW + timedelta(days=3)


def test_a_change_leaves_one_event_that_is_bound_to_the_last() -> None:
    held = hazard(version=4, trail_hash=b"\x07" * 32)
    change = plan(held, Action.ASSESS, actor(Role.ASSESSOR, id="ann"), {"level": "orange"}, LATER)
    event = change.event
    assert (event.hazard, event.seq, event.at, event.action) == (held.id, 5, LATER, "assess")
    assert (event.actor, event.role, event.before, event.after) == ("ann", "assessor", "reported", "assessed")
    assert event.data == {"level": "orange"}
    assert (change.after.version, change.after.trail_hash) == (5, link(b"\x07" * 32, event))


def test_a_trail_that_was_stored_and_read_back_has_the_same_hashes() -> None:
    held, trail = hazard(version=0, state=State.HANDLING), []
    for action, role, filed in (
        (Action.EXTEND, Role.HANDLER, {"until": UNTIL, "reason": "未到", "kind": Kind.RECTIFY}),
        (Action.FEEDBACK, Role.HANDLER, {"text": "配件已到🔧", "attachments": [{"name": "照片"}], "extra": new_id()}),
        (Action.ASSESS, Role.ASSESSOR, {"level": Level.ORANGE, "reason": "人多"}),
    ):
        change = plan(held, action, actor(role, id="ann"), filed, LATER)
        held = change.after
        read = orjson.loads(orjson.dumps(change.event.data))
        trail.append(
            (
                type(change.event)(**{n: getattr(change.event, n) for n in change.event.__slots__} | {"data": read}),
                held.trail_hash,
            )
        )
    assert held.version == 3
    assert trail[0][1] == link(GENESIS, trail[0][0])
    assert broken_at(trail) is None


def test_a_refused_action_raises_and_the_hazard_is_as_it_was() -> None:
    held = hazard()
    copy = hazard(id=held.id)
    with pytest.raises(Refused):
        plan(held, Action.CLOSE, actor(Role.SUPERVISOR, id="ann"), {}, LATER)
    assert held == copy


class Word(StrEnum):
    ONE = "one"


def test_data_is_stored_as_json_will_give_it_back() -> None:
    shanghai = timezone(timedelta(hours=8))
    stored = as_stored(
        {
            "word": Word.ONE,
            "id": UUID(int=7),
            "at": datetime(2026, 5, 12, 14, 0, tzinfo=shanghai),
            "absent": None,
            "inside": {"absent": None},
            "pair": (1, 2),
        }
    )
    assert stored == {
        "word": "one",
        "id": "00000000-0000-0000-0000-000000000007",
        "at": "2026-05-12T14:00:00+08:00",
        "inside": {"absent": None},
        "pair": [1, 2],
    }
    assert as_stored(stored) == stored
