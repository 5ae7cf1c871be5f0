"""Reports after the door: the record on its way, its digest, and that nothing but a ``BadReport`` ever comes of a body."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.reports import BadReport, Report, check, decode
from models.taxonomy import subcategories
from tests.factories import SCHOOL, SIBLING, record, steady
from tests.models.test_reports import DOOR, accepted

GOLDEN = "9dbfd6055117ca265d50c83d0937d042c64169ae450651451a3ddc6850ddd4e8"


def test_the_record_on_its_way_holds_no_reporter_and_no_absent_field() -> None:
    told = accepted(reporter={"name": "张三", "mobile": "13800001234"}, source_id="a-1").record()
    assert told == {
        "schema": 1,
        "source": "officer",
        "source_id": "a-1",
        "unit": SCHOOL,
        "text": "三号楼二层安全出口被锁",
        "drill": False,
        "attachments": [],
    }


@pytest.mark.parametrize(
    "fields",
    [
        {"id": str(UUID(int=7))},
        {"reporter": {"name": "张三", "mobile": "13800001234"}},
        {"text": "  三号楼二层安全出口被锁\n"},
        {"schema": 1},
        {"drill": False},
        {"place": None},
    ],
)
def test_the_same_body_has_the_same_digest(fields: dict[str, Any]) -> None:
    assert accepted(**fields).digest() == accepted().digest()


@pytest.mark.parametrize(
    "fields",
    [
        {"text": "三号楼二层安全出口被锁。"},
        {"unit": SIBLING},
        {"source": "student"},
        {"source_id": "a-1"},
        {"place": "3号楼"},
        {"location": {"lon": 121.5, "lat": 29.9}},
        {"occurred_at": "2026-05-12T13:00:00+08:00"},
        {"reported_at": "2026-05-12T13:00:00+08:00"},
        {"category": "0101"},
        {"level": "red"},
        {"people_affected": 0},
        {"minors_involved": False},
        {"drill": True},
        {"attachments": [{"name": "a"}]},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_any_other_body_has_another_digest(fields: dict[str, Any]) -> None:
    assert accepted(**fields).digest() != accepted().digest()


def test_the_same_instant_in_another_zone_has_the_same_digest() -> None:
    one, other = "2026-05-12T13:00:00+08:00", "2026-05-12T05:00:00Z"
    assert accepted(occurred_at=one).digest() == accepted(occurred_at=other).digest()


def test_a_digest_is_32_bytes_and_the_one_written_down_once() -> None:
    # Idempotency keys are compared with stored digests: a change breaks every resend that is under way.
    assert len(accepted().digest()) == 32
    assert accepted().digest().hex() == GOLDEN


def _said(text: str) -> bool:
    """Whether something remains when white space is taken off the way a JSON door does it."""
    return bool(text.strip()) and bool(text.strip("\x1c\x1d\x1e\x1f \t\n\r\u3000"))


letters = st.characters(exclude_categories=("Cs",), exclude_characters="\x00")
words = st.text(letters | st.sampled_from("0123456789Xx- 🔥👩‍🚒é\u3000"), min_size=1, max_size=40).filter(_said)
instants = st.datetimes(
    datetime(2020, 1, 1),  # noqa: DTZ001
    datetime(2026, 5, 11),  # noqa: DTZ001
    timezones=st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
).map(datetime.isoformat)
locations = st.fixed_dictionaries(
    {"lon": st.floats(121.0, 122.2), "lat": st.floats(28.9, 30.3)},
    optional={"crs": st.sampled_from(["WGS-84", "CGCS2000", "GCJ-02"])},
)
attachments = st.fixed_dictionaries(
    {"name": words},
    optional={"url": st.just("https://example.org/照片.jpg"), "sha256": st.from_regex(r"[0-9a-f]{64}", fullmatch=True)},
)
records = st.fixed_dictionaries(
    {
        "source": st.sampled_from(["officer", "student", "system"]),
        "unit": st.sampled_from([SCHOOL, SIBLING]),
        "text": words,
    },
    optional={
        "schema": st.just(1),
        "id": st.uuids().map(str),
        "source_id": words,
        "place": words,
        "location": locations,
        "occurred_at": instants,
        "reported_at": instants,
        "category": st.sampled_from(sorted(subcategories())),
        "level": st.sampled_from(["red", "orange", "yellow", "blue"]),
        "people_affected": st.integers(0, 100_000),
        "minors_involved": st.booleans(),
        "drill": st.booleans(),
        "reporter": st.fixed_dictionaries({}, optional={"name": words, "mobile": st.just("13800001234")}),
        "attachments": st.lists(attachments, max_size=3),
    },
)


@steady
@given(records)
def test_an_accepted_record_survives_its_way_unchanged_and_without_its_reporter(given_record: dict[str, Any]) -> None:
    first = check(given_record, DOOR)
    sent = orjson.dumps(first.record())
    again = check(decode(sent), DOOR)
    assert "reporter" not in json.loads(sent)
    assert again == first.model_copy(update={"reporter": None})
    assert again.digest() == first.digest()
    assert again.record() == first.record()


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["2026-05-12T08:00:00Z", SCHOOL, "red", "0101", "GCJ-02", "1e400", "nan"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(max_size=8) | st.sampled_from(["lon", "lat", "crs", "name"]), inner, max_size=4)
    ),
    max_leaves=10,
)
fields = ["schema", *(name for name in Report.model_fields if name != "schema_")]
anywhere = st.fixed_dictionaries(
    {
        "lon": st.floats(-180, 180) | st.sampled_from([-180.0, 180.0]),
        "lat": st.floats(-90, 90) | st.sampled_from([-90.0, 90.0]),
    },
    optional={"crs": st.sampled_from(["WGS-84", "CGCS2000", "GCJ-02"])},
)


def _outcome(step: Callable[[], Any]) -> Any:
    """What a step gives, or the refusal; any other error is a failure of the test."""
    try:
        return step()
    except BadReport as refusal:
        return refusal


def _answers(given_record: Any) -> None:
    outcome = _outcome(lambda: check(given_record, DOOR))
    if isinstance(outcome, BadReport):
        assert outcome.problems
        assert all(problem.code and problem.message for problem in outcome.problems)
    else:
        assert outcome.digest()


@steady
@given(st.dictionaries(st.sampled_from(fields) | st.text(max_size=8), anything, max_size=8))
def test_any_object_is_accepted_or_a_bad_report(given_record: dict[str, Any]) -> None:
    _answers(given_record)


@steady
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(fields, anything)))
def test_a_good_record_with_anything_in_any_field_is_accepted_or_a_bad_report(spoiled: dict[str, Any]) -> None:
    _answers(record(**spoiled))


@steady
@given(anywhere)
def test_a_place_anywhere_on_earth_is_accepted_or_a_bad_report(location: dict[str, Any]) -> None:
    _answers(record(location=location))


@steady
@given(st.binary(max_size=60) | anything.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_a_record_or_a_bad_report(raw: bytes) -> None:
    outcome = _outcome(lambda: decode(raw))
    if isinstance(outcome, BadReport):
        assert [problem.field for problem in outcome.problems] == [""]
    else:
        _answers(outcome)
