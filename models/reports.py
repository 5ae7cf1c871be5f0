"""A report: what somebody or something says they found. The same record in REST, NDJSON, files and on ``risk.reports``.

``decode`` turns bytes into a record, ``check`` a record into a ``Report``. Both say which field is wrong and how to
mend it (``BadReport``), so that every door refuses alike: REST with a 4xx problem, Kafka with a dead letter.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator
from pydantic_core import ErrorDetails

from models import place, privacy
from models.levels import Level
from models.taxonomy import subcategories
from models.units import UnitTree

SCHEMA = 1

# Some 20 screens of a phone. Longer ones are documents: they belong into an attachment, and would stall the classifier.
MAX_TEXT = 10_000
# Phones run fast by minutes, not by days.
AHEAD = timedelta(minutes=10)
# Hazard records are kept 3 years by law and imported from older systems; before this a clock was reset (1970) or a year mistyped.
BEHIND = timedelta(days=3653)

Short = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Code = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Location(_Strict):
    """Degrees, and the system they are in."""

    lon: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    crs: place.Crs = place.Crs.WGS84


class Reporter(_Strict):
    """Who reported, for calling back. Kept apart from the text, masked wherever it is shown, never on Kafka."""

    id: Code | None = None
    name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=64)] | None = None
    mobile: Annotated[str, StringConstraints(strip_whitespace=True, max_length=32)] | None = None


class Attachment(_Strict):
    """A photo or document that is kept elsewhere."""

    name: Short
    url: Annotated[str, StringConstraints(max_length=2000)] | None = None
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None


class Report(_Strict):
    """One report, as accepted. Instants in UTC; coordinates in WGS-84 or CGCS2000."""

    schema_: Annotated[int, Field(alias="schema", ge=1, le=SCHEMA)] = SCHEMA
    id: UUID | None = None
    source: Code
    source_id: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128)] | None = None
    unit: Code
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TEXT)]
    place: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] | None = None
    location: Location | None = None
    occurred_at: AwareDatetime | None = None
    reported_at: AwareDatetime | None = None
    category: str | None = None
    level: Level | None = None
    people_affected: Annotated[int, Field(ge=0, le=100_000)] | None = None
    minors_involved: bool | None = None
    drill: bool = False
    reporter: Reporter | None = None
    attachments: Annotated[tuple[Attachment, ...], Field(max_length=20)] = ()

    @field_validator("category")
    @classmethod
    def _known_category(cls, value: str | None) -> str | None:
        if value is not None and value not in subcategories():
            raise ValueError(f"没有类别 {value}；可用的四位代码见 GET /api/v1/taxonomy")
        return value

    def record(self) -> dict[str, Any]:
        """The record as sent on Kafka: no reporter, absent fields left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"reporter"})

    def digest(self) -> bytes:
        """What makes two bodies the same: every field but the id, and but what the door fills in."""
        body = self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"id", "reporter"})
        return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).digest()


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a record: the field (``a.b`` for nested ones, empty for the whole), a code, a sentence."""

    field: str
    code: str
    message: str


class BadReport(ValueError):
    """A record that cannot be accepted as it is; ``problems`` holds at least one."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__("；".join(f"{p.field}: {p.message}" if p.field else p.message for p in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Door:
    """What a record is checked against: the units, the city's bounds, and now."""

    tree: UnitTree
    now: datetime
    bounds: place.Bounds | None = None


def decode(raw: bytes) -> Mapping[str, Any]:
    """Bytes to a record. Raises ``BadReport`` on a wrong encoding, broken JSON, or JSON that is no object."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadReport(
            Problem("", "encoding", f"不是 UTF-8（第 {error.start} 字节处）；请以 UTF-8 编码发送")
        ) from None
    try:
        record = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadReport(Problem("", "json", f"不是合法的 JSON：{error}")) from None
    if not isinstance(record, dict):
        raise BadReport(Problem("", "json", '须为一个 JSON 对象，形如 {"unit": …, "text": …}'))
    return record


def check(record: Mapping[str, Any], door: Door) -> Report:
    """A record to a ``Report``: masked, in UTC, in WGS-84 or CGCS2000. Raises ``BadReport`` with every problem found."""
    version = record.get("schema", SCHEMA)
    if isinstance(version, int) and version > SCHEMA:
        raise BadReport(
            Problem(
                "schema",
                "future_version",
                f"记录版本 {version} 高于本平台支持的 {SCHEMA}；请升级平台，或按版本 {SCHEMA} 发送",
            )
        )
    if nul := _nul_in(record):
        raise BadReport(*(Problem(name, "nul", "含有空字符（NUL）；请去掉后重发") for name in nul))
    try:
        report = Report.model_validate(dict(record))
    except ValidationError as error:
        raise BadReport(*map(_problem, error.errors(include_url=False, include_context=True))) from None
    problems = [*_unit_problems(report, door), *_time_problems(report, door.now), *_place_problems(report, door.bounds)]
    if problems:
        raise BadReport(*problems)
    return report.model_copy(
        update={
            "text": privacy.mask_text(report.text),
            "place": privacy.mask_text(report.place) if report.place else None,
            "location": _wgs84(report.location),
            "occurred_at": report.occurred_at and report.occurred_at.astimezone(UTC),
            "reported_at": report.reported_at and report.reported_at.astimezone(UTC),
        }
    )


def _nul_in(value: object, name: str = "") -> list[str]:
    """The fields that hold a NUL, which no text of the database can."""
    if isinstance(value, str):
        return [name] if "\x00" in value else []
    if isinstance(value, Mapping):
        # A name is shown as it would be typed: what holds the NUL itself is no field of ours.
        inner = [found for key, part in value.items() for found in _nul_in(part, f"{name}.{key}".lstrip("."))]
        return inner + [name for key in value if isinstance(key, str) and "\x00" in key]
    if isinstance(value, list | tuple):
        return [found for at, part in enumerate(value) for found in _nul_in(part, f"{name}.{at}".lstrip("."))]
    return []


def _unit_problems(report: Report, door: Door) -> list[Problem]:
    if report.unit in door.tree:
        return []
    return [Problem("unit", "unknown_unit", f"没有单位 {report.unit}；本市的单位代码见 GET /api/v1/units")]


def _time_problems(report: Report, now: datetime) -> list[Problem]:
    problems = []
    for name in ("occurred_at", "reported_at"):
        value: datetime | None = getattr(report, name)
        if value is None:
            continue
        if value > now + AHEAD:
            problems.append(Problem(name, "in_future", f"{value.isoformat()} 在将来；请检查设备的时钟"))
        elif value < now - BEHIND:
            problems.append(Problem(name, "too_old", f"{value.isoformat()} 早于十年前；请检查设备的时钟或年份"))
    return problems


def _place_problems(report: Report, bounds: place.Bounds | None) -> list[Problem]:
    location = _wgs84(report.location)
    if location is None or bounds is None or bounds.hold(location.lon, location.lat):
        return []
    return [
        Problem(
            "location",
            "outside_city",
            f"坐标 {location.lon:.5f}, {location.lat:.5f} 不在本市范围内；请检查经纬度顺序与坐标系 crs",
        )
    ]


def _wgs84(location: Location | None) -> Location | None:
    if location is None or location.crs is not place.Crs.GCJ02:
        return location
    lon, lat = place.from_gcj02(location.lon, location.lat)
    return Location(lon=round(lon, 6), lat=round(lat, 6), crs=place.Crs.WGS84)


def _problem(error: ErrorDetails) -> Problem:
    name = ".".join(str(part) for part in error["loc"])
    kind, context = error["type"], error.get("ctx", {})
    message = {
        "missing": "必填",
        "extra_forbidden": "没有这个字段；请检查拼写",
        "string_too_long": f"超过 {context.get('max_length')} 个字符；长文请放入附件",
        "string_too_short": "不能为空",
        "timezone_aware": "时间须带时区，例如 2026-05-01T08:00:00+08:00",
        "enum": f"须为以下之一：{context.get('expected')}",
        "string_pattern_mismatch": f"格式不对，须符合 {context.get('pattern')}",
        "string_type": "须为文字",
        "uuid_parsing": "须为 UUID，例如 01890a5d-ac96-774b-bcce-b302099a8057",
        "uuid_type": "须为 UUID",
        "greater_than_equal": f"不能小于 {context.get('ge')}",
        "less_than_equal": f"不能大于 {context.get('le')}",
        "finite_number": "须为有限的数",
        "int_parsing": "须为整数",
        "int_type": "须为整数",
        "int_from_float": "须为整数",
        "float_parsing": "须为数",
        "float_type": "须为数",
        "bool_parsing": "须为 true 或 false",
        "bool_type": "须为 true 或 false",
        "datetime_parsing": "须为 RFC 3339 时间，例如 2026-05-01T08:00:00+08:00",
        "datetime_from_date_parsing": "须为 RFC 3339 时间，例如 2026-05-01T08:00:00+08:00",
        "datetime_type": "须为 RFC 3339 时间，例如 2026-05-01T08:00:00+08:00",
        "model_type": "须为一个 JSON 对象",
        "tuple_type": "须为一个数组",
        "too_long": f"最多 {context.get('max_length')} 项",
    }.get(kind, error["msg"].removeprefix("Value error, "))
    return Problem(name, kind, message)
