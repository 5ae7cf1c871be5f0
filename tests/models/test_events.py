"""The trail: bytes that stay the same for ever, and a chain that shows every change."""

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.events import GENESIS, Event, broken_at, link
from tests.factories import steady

HAZARD = UUID("018f5a3c-0000-7000-8000-000000000001")
AT = datetime(2026, 5, 12, 6, 0, 0, 120000, tzinfo=UTC)

# Written down once. Hashes of stored trails are computed over bytes like these: a change of either breaks every old trail.
CANONICAL = (
    '{"action":"open","actor":"system:classify","after":"reported","at":"2026-05-12T06:00:00.120000+00:00",'
    '"before":null,"data":{"level":"red","n":[1,2.5,null,true],"text":"安全出口被锁🔥"},'
    '"hazard":"018f5a3c-0000-7000-8000-000000000001","role":"system","schema":1,"seq":1}'
)
DIGEST = "bb7d0818394e82e686bf3ca3842ff4b4d9a89913789623d262c876cfe64e3201"

# The same event in schema 2: the hash of its data stands in their place.
DATA_DIGEST = "e44f4f9890ff1167dce8ca4358120ed565ce4844e7b2d99e001839d23a7b116a"
CANONICAL_2 = CANONICAL.replace(
    '{"level":"red","n":[1,2.5,null,true],"text":"安全出口被锁🔥"}', f'"{DATA_DIGEST}"'
).replace('"schema":1', '"schema":2')


def event(seq: int = 1, **fields: Any) -> Event:
    given_fields: dict[str, Any] = {
        "hazard": HAZARD,
        "seq": seq,
        "at": AT,
        "action": "open",
        "actor": "system:classify",
        "role": "system",
        "before": None,
        "after": "reported",
        "data": {"text": "安全出口被锁🔥", "n": [1, 2.5, None, True], "level": "red"},
    }
    return Event(**given_fields | fields)


def trail(length: int) -> list[tuple[Event, bytes]]:
    chain, previous = [], GENESIS
    for seq in range(1, length + 1):
        told = event(seq, at=AT + timedelta(minutes=seq), data={"n": seq})
        previous = link(previous, told)
        chain.append((told, previous))
    return chain


def test_the_canonical_bytes_are_those_written_down_once() -> None:
    assert event(schema=1).canonical() == CANONICAL.encode()
    assert event(schema=2).canonical() == CANONICAL_2.encode()
    assert event().schema == 2


def test_the_hash_is_the_one_written_down_once() -> None:
    assert link(GENESIS, event(schema=1)).hex() == DIGEST
    assert hashlib.sha256(bytes(32) + CANONICAL.encode()).hexdigest() == DIGEST


def test_an_event_is_proved_without_its_data_by_their_hash() -> None:
    told = event()
    assert told.digest() == DATA_DIGEST
    assert link(GENESIS, event(data={}), DATA_DIGEST) == link(GENESIS, told) != link(GENESIS, event(data={}))


def test_a_chain_that_began_in_schema_1_goes_on_in_schema_2() -> None:
    first, second = event(1, schema=1), event(2)
    one = link(GENESIS, first)
    assert broken_at([(first, one), (second, link(one, second))]) is None


def test_the_bytes_depend_on_the_instant_and_not_on_its_zone() -> None:
    shanghai = AT.astimezone(timezone(timedelta(hours=8)))
    assert event(at=shanghai).canonical() == event().canonical()


def test_the_bytes_do_not_depend_on_the_order_of_keys() -> None:
    assert (
        event(data={"b": {"y": 1, "x": 2}, "a": 0}).canonical()
        == event(data={"a": 0, "b": {"x": 2, "y": 1}}).canonical()
    )


def test_whole_seconds_are_written_to_the_microsecond_too() -> None:
    assert b'"at":"2026-05-12T06:00:00.000000+00:00"' in event(at=AT.replace(microsecond=0)).canonical()


@pytest.mark.parametrize(
    "changed",
    [
        {"hazard": UUID(int=7)},
        {"seq": 2},
        {"at": AT + timedelta(microseconds=1)},
        {"action": "attach"},
        {"actor": "somebody"},
        {"role": "assessor"},
        {"before": "reported"},
        {"after": "assessed"},
        {"data": {}},
        {"schema": 1},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_every_field_is_under_the_hash(changed: dict[str, Any]) -> None:
    assert link(GENESIS, event(**changed)) != link(GENESIS, event())


def test_the_previous_hash_is_under_the_hash() -> None:
    assert link(b"\x01" * 32, event()) != link(GENESIS, event())


def test_a_whole_trail_and_an_empty_one_hold_together() -> None:
    assert broken_at(trail(6)) is None
    assert broken_at([]) is None


@steady
@given(st.integers(1, 12), st.data())
def test_a_changed_event_is_found_where_it_stands(length: int, data: st.DataObject) -> None:
    chain = trail(length)
    at = data.draw(st.integers(0, length - 1))
    told, digest = chain[at]
    chain[at] = (replace(told, data={"n": "forged"}), digest)
    assert broken_at(chain) == at + 1


@steady
@given(st.integers(2, 12), st.data())
def test_a_changed_event_with_its_own_hash_mended_breaks_the_next_one(length: int, data: st.DataObject) -> None:
    chain = trail(length)
    at = data.draw(st.integers(0, length - 2))
    forged = replace(chain[at][0], actor="forger")
    chain[at] = (forged, link(chain[at - 1][1] if at else GENESIS, forged))
    assert broken_at(chain) == at + 2


@steady
@given(st.integers(2, 12), st.data())
def test_a_dropped_event_is_found_where_it_is_missing(length: int, data: st.DataObject) -> None:
    chain = trail(length)
    at = data.draw(st.integers(0, length - 2))
    del chain[at]
    assert broken_at(chain) == at + 1


@steady
@given(st.integers(1, 12), st.data())
def test_an_inserted_event_is_found(length: int, data: st.DataObject) -> None:
    chain = trail(length)
    at = data.draw(st.integers(0, length - 1))
    extra = event(at + 1, action="inserted")
    chain.insert(at, (extra, link(chain[at - 1][1] if at else GENESIS, extra)))
    assert broken_at(chain) == at + 2


@steady
@given(st.integers(2, 12), st.data())
def test_two_events_that_changed_places_are_found(length: int, data: st.DataObject) -> None:
    chain = trail(length)
    at = data.draw(st.integers(0, length - 2))
    chain[at], chain[at + 1] = chain[at + 1], chain[at]
    assert broken_at(chain) == at + 1


def test_an_altered_hash_is_found_where_it_stands() -> None:
    chain = trail(4)
    chain[2] = (chain[2][0], bytes(32))
    assert broken_at(chain) == 3


def test_a_trail_that_does_not_begin_at_one_is_broken_at_one() -> None:
    assert broken_at(trail(4)[1:]) == 1


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@steady
@given(st.dictionaries(st.text(max_size=6), json_values, max_size=4))
def test_whatever_the_data_the_same_event_has_the_same_hash(data: dict[str, Any]) -> None:
    backwards = dict(reversed(data.items()))
    assert link(GENESIS, event(data=data)) == link(GENESIS, event(data=backwards))
    assert broken_at([(event(data=data), link(GENESIS, event(data=backwards)))]) is None
