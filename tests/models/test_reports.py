"""Reports at the door: what is refused and in which words, and what is changed."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.place import Bounds, Crs, from_gcj02
from models.reports import AHEAD, BEHIND, MAX_TEXT, BadReport, Door, Report, check, decode
from tests import factories
from tests.factories import NOW, SCHOOL, record

BOUNDS = Bounds(120.9, 28.8, 122.3, 30.4)
DOOR = Door(factories.tree(), NOW, BOUNDS)
MEGABYTE = 2**20


def accepted(**fields: Any) -> Report:
    return check(record(**fields), DOOR)


def refused(given_record: dict[str, Any]) -> dict[str, str]:
    """Field → code of every problem."""
    with pytest.raises(BadReport) as caught:
        check(given_record, DOOR)
    assert all(problem.message for problem in caught.value.problems)
    return {problem.field: problem.code for problem in caught.value.problems}


# decode


def test_bytes_become_a_record() -> None:
    assert decode('{"unit": "330203-001", "text": "门被锁🔒"}'.encode()) == {"unit": "330203-001", "text": "门被锁🔒"}


def test_a_byte_order_mark_is_no_part_of_the_record() -> None:
    assert decode(b"\xef\xbb\xbf" + b'{"a": 1}') == {"a": 1}


@pytest.mark.parametrize(
    ("raw", "code", "says"),
    [
        ('{"text": "安全"}'.encode("gb18030"), "encoding", "第 10 字节"),
        (b'{"text": "\xff"}', "encoding", "第 10 字节"),
        ('{"a": 1}'.encode("utf-16"), "encoding", "第 0 字节"),
        (b'{"text": "half', "json", "JSON"),
        (b"{'text': 1}", "json", "JSON"),
        (b'{"a": NaN}', "json", "JSON"),
        (b'{"a": "\\ud800"}', "json", "JSON"),
        (b'{"a": 1} {"a": 2}', "json", "JSON"),
        (b"", "json", "JSON"),
        (b" \n", "json", "JSON"),
        (b"\xef\xbb\xbf", "json", "JSON"),
        (b"[]", "json", "JSON 对象"),
        (b'[{"text": "a"}]', "json", "JSON 对象"),
        (b'"text"', "json", "JSON 对象"),
        (b"null", "json", "JSON 对象"),
        (b"42", "json", "JSON 对象"),
    ],
)
def test_what_is_no_record_is_refused_with_the_cause(raw: bytes, code: str, says: str) -> None:
    with pytest.raises(BadReport, match=says) as caught:
        decode(raw)
    assert [(problem.field, problem.code) for problem in caught.value.problems] == [("", code)]


def test_a_thousand_levels_of_nesting_are_refused_and_break_nothing() -> None:
    with pytest.raises(BadReport):
        decode(b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}")


# check: what is refused


def test_an_empty_record_names_every_field_that_is_missing() -> None:
    assert refused({}) == {"source": "missing", "unit": "missing", "text": "missing"}


def test_several_problems_are_told_at_once_each_by_its_field() -> None:
    told = refused({"source": "officer", "text": " ", "colour": 1, "level": "pink", "location": {"lon": 200, "lat": 1}})
    assert told == {
        "unit": "missing",
        "text": "string_too_short",
        "colour": "extra_forbidden",
        "level": "enum",
        "location.lon": "less_than_equal",
    }


def test_unit_time_and_place_are_told_at_once_too() -> None:
    told = refused(
        record(
            unit="nowhere",
            occurred_at="1970-01-01T00:00:00Z",
            reported_at="2100-01-01T00:00:00Z",
            location={"lon": 116.4, "lat": 39.9},
        )
    )
    assert told == {
        "unit": "unknown_unit",
        "occurred_at": "too_old",
        "reported_at": "in_future",
        "location": "outside_city",
    }


def test_the_sentence_of_a_refusal_names_field_and_cure() -> None:
    with pytest.raises(BadReport, match="text: 必填"):
        check({"source": "officer", "unit": SCHOOL}, DOOR)
    with pytest.raises(BadReport, match="unit: 没有单位 nowhere"):
        check(record(unit="nowhere"), DOOR)


@pytest.mark.parametrize("name", ["colour", "Text", "schema_", "unit_path"])
def test_an_unknown_field_is_refused_by_name(name: str) -> None:
    assert refused(record(**{name: 1})) == {name: "extra_forbidden"}


def test_an_unknown_field_inside_another_is_refused_with_its_way() -> None:
    assert refused(record(location={"lon": 121.5, "lat": 29.9, "x": 1})) == {"location.x": "extra_forbidden"}
    assert refused(record(attachments=[{"name": "a"}, {"name": "b", "x": 1}])) == {"attachments.1.x": "extra_forbidden"}


@pytest.mark.parametrize("text", ["", " ", "\n\t\u3000"])
def test_an_empty_text_is_refused(text: str) -> None:
    assert refused(record(text=text)) == {"text": "string_too_short"}


def test_a_text_at_the_limit_is_accepted_and_one_character_more_is_not() -> None:
    assert len(accepted(text="字" * MAX_TEXT).text) == MAX_TEXT
    assert refused(record(text="字" * (MAX_TEXT + 1))) == {"text": "string_too_long"}


def test_a_text_of_a_megabyte_is_refused_with_the_limit_and_without_the_text() -> None:
    with pytest.raises(BadReport, match="超过 10000 个字符") as caught:
        check(record(text="a" * MEGABYTE), DOOR)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("text", {"text": "门\x00被锁"}),
        ("place", {"place": "3号楼\x00"}),
        ("source_id", {"source_id": "a\x00b"}),
        ("reporter.name", {"reporter": {"name": "张\x00三"}}),
        ("reporter.mobile", {"reporter": {"mobile": "138\x00"}}),
        ("attachments.0.name", {"attachments": [{"name": "a\x00.jpg"}]}),
        ("attachments.0.url", {"attachments": [{"name": "a", "url": "https://example.org/\x00"}]}),
    ],
)
def test_a_nul_is_refused_in_every_field_for_no_database_can_keep_it(field: str, fields: dict[str, Any]) -> None:
    assert set(refused(record(**fields))) == {field}


def test_half_a_surrogate_pair_is_refused() -> None:
    assert set(refused(record(text="门\ud800"))) == {"text"}


@pytest.mark.parametrize("name", ["occurred_at", "reported_at"])
@pytest.mark.parametrize(
    ("instant", "code"),
    [
        ("1970-01-01T00:00:00+00:00", "too_old"),
        ("2100-01-01T00:00:00+08:00", "in_future"),
        ("2026-05-12T08:00:00", "timezone_aware"),
        ("2026-05-12", "timezone_aware"),
        ("2026-02-30T08:00:00Z", None),
        ("yesterday", None),
        ("", None),
        ("0001-01-01T00:00:00+14:00", "too_old"),
        ("9999-12-31T23:59:59-14:00", "in_future"),
        ((NOW + AHEAD + timedelta(microseconds=1)).isoformat(), "in_future"),
        ((NOW - BEHIND - timedelta(microseconds=1)).isoformat(), "too_old"),
    ],
)
def test_an_instant_out_of_reach_is_refused(name: str, instant: str, code: str | None) -> None:
    told = refused(record(**{name: instant}))
    assert set(told) == {name}
    assert code is None or told[name] == code


@pytest.mark.parametrize("instant", [NOW + AHEAD, NOW - BEHIND, NOW])
def test_an_instant_just_within_reach_is_accepted(instant: datetime) -> None:
    assert accepted(occurred_at=instant.isoformat(), reported_at=instant.isoformat()).occurred_at == instant


@pytest.mark.parametrize(
    ("location", "field"),
    [
        ({"lon": 116.4, "lat": 39.9}, "location"),
        ({"lon": 0, "lat": 0}, "location"),
        ({"lon": 29.87, "lat": 121.55}, "location.lat"),
        ({"lon": 29.87, "lat": 121.55, "crs": "GCJ-02"}, "location.lat"),
        ({"lon": 121.5}, "location.lat"),
        ({"lon": 121.5, "lat": 29.9, "crs": "BD-09"}, "location.crs"),
        ({"lon": "here", "lat": 29.9}, "location.lon"),
        ({"lon": float("nan"), "lat": 29.9}, "location.lon"),
        ({"lon": float("inf"), "lat": 29.9}, "location.lon"),
        ([121.5, 29.9], "location"),
    ],
)
def test_a_place_outside_the_city_or_with_its_axes_swapped_is_refused(location: Any, field: str) -> None:
    assert set(refused(record(location=location))) == {field}


@pytest.mark.parametrize(
    ("lon", "lat"), [(-180.0, 29.9), (180.0, 29.9), (121.5, 90.0), (121.5, -90.0), (0.0, 89.9999999), (-180.0, 90.0)]
)
def test_gcj02_at_the_ends_of_the_earth_is_refused_like_any_other_place(lon: float, lat: float) -> None:
    assert set(refused(record(location={"lon": lon, "lat": lat, "crs": "GCJ-02"}))) == {"location"}


@pytest.mark.parametrize("unit", ["nowhere", "330203-0010", "330203"[:5]])
def test_an_unknown_unit_is_refused(unit: str) -> None:
    assert refused(record(unit=unit)) == {"unit": "unknown_unit"}


@pytest.mark.parametrize("unit", ["", "a b", "x" * 65, "单位", "a/b", "a\nb"])
def test_a_unit_that_can_be_no_code_is_refused(unit: str) -> None:
    assert set(refused(record(unit=unit))) == {"unit"}


@pytest.mark.parametrize("version", [2, 99, 10**12])
def test_a_record_of_a_later_version_is_refused_as_such_whatever_else_it_holds(version: int) -> None:
    assert refused({"schema": version, "unheard_of": True}) == {"schema": "future_version"}


@pytest.mark.parametrize("version", [0, -1, "one", None, 1.5])
def test_a_version_that_never_was_is_refused(version: Any) -> None:
    assert set(refused(record(schema=version))) == {"schema"}


@pytest.mark.parametrize("category", ["01", "0199", "消防", "", "010"])
def test_an_unknown_category_is_refused(category: str) -> None:
    assert set(refused(record(category=category))) == {"category"}


def test_an_unknown_level_is_refused_with_the_four_that_are() -> None:
    with pytest.raises(BadReport, match=r"level: .*red.*orange.*yellow.*blue"):
        check(record(level="RED"), DOOR)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("people_affected", -1),
        ("people_affected", 100_001),
        ("people_affected", 1.5),
        ("id", "not-a-uuid"),
        ("source", ""),
        ("source_id", ""),
        ("source_id", "x" * 129),
        ("place", "x" * 201),
        ("attachments", [{"name": "a"}] * 21),
        ("drill", "perhaps"),
        ("text", 5),
        ("text", ["a"]),
        ("text", None),
    ],
)
def test_a_value_out_of_bounds_is_refused(name: str, value: Any) -> None:
    assert set(refused(record(**{name: value}))) == {name}


def test_an_attachment_has_a_name_and_a_whole_hash() -> None:
    assert refused(record(attachments=[{"sha256": "abc"}])) == {
        "attachments.0.name": "missing",
        "attachments.0.sha256": "string_pattern_mismatch",
    }


# check: what is changed


def test_the_least_record_is_accepted_with_its_defaults() -> None:
    report = accepted()
    assert (report.source, report.unit, report.text) == ("officer", SCHOOL, "三号楼二层安全出口被锁")
    assert (report.drill, report.attachments, report.id, report.location, report.level) == (False, (), None, None, None)


def test_instants_become_utc() -> None:
    report = accepted(occurred_at="2026-05-12T13:00:00+08:00", reported_at="2026-05-12T05:30:00Z")
    assert report.occurred_at == datetime(2026, 5, 12, 5, 0, tzinfo=UTC)
    assert report.occurred_at.utcoffset() == timedelta(0)
    assert report.reported_at is not None
    assert report.reported_at.utcoffset() == timedelta(0)


def test_numbers_of_people_are_masked_in_text_and_place() -> None:
    report = accepted(text="联系13800001234，证号330203201001011234", place="门卫13900005678")
    assert report.text == "联系138****1234，证号330***********1234"
    assert report.place == "门卫139****5678"


def test_an_empty_place_is_no_place() -> None:
    assert accepted(place="  ").place is None


def test_gcj02_is_converted_and_says_so() -> None:
    report = accepted(location={"lon": 121.554158, "lat": 29.867417, "crs": "GCJ-02"})
    assert report.location is not None
    assert report.location.crs is Crs.WGS84
    assert (report.location.lon, report.location.lat) == pytest.approx((121.55, 29.87), abs=2e-6)
    assert (report.location.lon, report.location.lat) == pytest.approx(from_gcj02(121.554158, 29.867417), abs=1e-6)


@pytest.mark.parametrize("crs", ["WGS-84", "CGCS2000"])
def test_the_other_systems_stay_as_they_came_with_their_name(crs: str) -> None:
    location = accepted(location={"lon": 121.554158123, "lat": 29.867417, "crs": crs}).location
    assert location is not None
    assert (location.lon, location.lat, location.crs) == (121.554158123, 29.867417, crs)


def test_the_citys_bounds_are_asked_of_the_converted_point() -> None:
    # Inside by its GCJ-02 numbers, outside by its true place: 0.004° further west.
    location = {"lon": 120.902, "lat": 29.87, "crs": "GCJ-02"}
    assert refused(record(location=location)) == {"location": "outside_city"}


def test_without_bounds_any_place_is_accepted() -> None:
    report = check(record(location={"lon": 2.35, "lat": 48.85}), Door(factories.tree(), NOW))
    assert report.location is not None
