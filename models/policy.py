"""Deadline policies: how long each kind runs at each level, for a city and for a unit of its own, above the law's floors.

A city sets them in its profile, entry by entry; a unit's entry holds for all below it. What an entry does not name
stays as it is above. The policy in force when a hazard opens is kept with it as text (domain §5).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from typing import Any, TypeAlias

import orjson

from models.levels import Level


class Kind(StrEnum):
    """What must have happened by the deadline."""

    ASSESS = "assess"
    REPORT = "report"
    CONTROL = "control"
    RECTIFY = "rectify"
    REVIEW = "review"

    @property
    def label(self) -> str:
        """The Chinese word on the page."""
        return _LABEL[self]

    @property
    def climbs(self) -> bool:
        """Whether missing it lifts the hazard; a review is owed for a closed hazard, which never climbs."""
        return self is not Kind.REVIEW


_LABEL = {
    Kind.ASSESS: "研判",
    Kind.REPORT: "上报市级",
    Kind.CONTROL: "初步管控",
    Kind.RECTIFY: "整改销号",
    Kind.REVIEW: "复盘",
}

# How long each kind runs at each level. None: not owed.
Spans: TypeAlias = Mapping[Level, Mapping[Kind, timedelta | None]]

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

# domain §5, the project's defaults. Yellow's review is sampled, so nothing falls due by itself.
DEFAULT_POLICY: Spans = {
    Level.RED: {
        Kind.ASSESS: 15 * _MINUTE,
        Kind.REPORT: 1 * _HOUR,
        Kind.CONTROL: 30 * _MINUTE,
        Kind.RECTIFY: 24 * _HOUR,
        Kind.REVIEW: 3 * _DAY,
    },
    Level.ORANGE: {
        Kind.ASSESS: 30 * _MINUTE,
        Kind.REPORT: 1 * _HOUR,
        Kind.CONTROL: 2 * _HOUR,
        Kind.RECTIFY: 3 * _DAY,
        Kind.REVIEW: 7 * _DAY,
    },
    Level.YELLOW: {
        Kind.ASSESS: 2 * _HOUR,
        Kind.REPORT: None,
        Kind.CONTROL: 8 * _HOUR,
        Kind.RECTIFY: 7 * _DAY,
        Kind.REVIEW: None,
    },
    Level.BLUE: {
        Kind.ASSESS: 8 * _HOUR,
        Kind.REPORT: None,
        Kind.CONTROL: 24 * _HOUR,
        Kind.RECTIFY: 15 * _DAY,
        Kind.REVIEW: None,
    },
}
# Reminders at half of the span and shortly before its end.
DEFAULT_MARKS = (0.5, 0.9)
# Sooner than after a quarter of the span nobody needs reminding; the clock does not look before (store/reminders.py).
EARLIEST_MARK = 0.25

_SPAN = re.compile(r"(-?\d{1,6})([mhd])")
_UNIT = {"m": _MINUTE, "h": _HOUR, "d": _DAY}
_NEVER = "none"
# A deadline further away than a year is none; the calendar searches little further (models/calendar.py).
_LONGEST = 366 * _DAY


class Wrong(ValueError):
    """An entry that cannot be read: ``key`` is where, ``cure`` what to write instead."""

    def __init__(self, key: str, said: str, cure: str) -> None:
        super().__init__(said)
        self.key = key
        self.cure = cure


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a city's profile: spans of one level, for the whole city (``unit`` None) or for a unit and all below it."""

    unit: str | None
    level: Level
    spans: Mapping[Kind, timedelta | None]
    marks: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """Spans and marks of every level. ``marks`` are fractions of the span, in order."""

    spans: Spans = field(default_factory=lambda: DEFAULT_POLICY)
    marks: Mapping[Level, tuple[float, ...]] = field(default_factory=lambda: dict.fromkeys(Level, DEFAULT_MARKS))

    def with_entries(self, entries: Iterable[Entry]) -> "Policy":
        """This policy with what the entries name in its place; a later entry counts more."""
        spans, marks = dict(self.spans), dict(self.marks)
        for entry in entries:
            spans[entry.level] = {**spans[entry.level], **entry.spans}
            if entry.marks is not None:
                marks[entry.level] = entry.marks
        return Policy(spans, marks)

    def text(self) -> str:
        """What a hazard keeps: JSON, spans in seconds. ``held`` reads it."""
        return orjson.dumps(
            {
                level.value: {"marks": self.marks[level]}
                | {kind.value: span.total_seconds() for kind, span in self.spans[level].items() if span is not None}
                for level in Level
            }
        ).decode()


@lru_cache(maxsize=1024)
def held(text: str | None) -> Policy:
    """The policy that a hazard keeps; None is one from before policies could be configured."""
    if text is None:
        return Policy()
    kept = orjson.loads(text)
    return Policy(
        {
            level: {
                kind: timedelta(seconds=kept[level][kind.value]) if kind.value in kept[level] else None for kind in Kind
            }
            for level in Level
        },
        {level: tuple(kept[level]["marks"]) for level in Level},
    )


def nearest(city: Policy, own: Mapping[str, Sequence[Entry]], path: str) -> Policy:
    """The policy of a unit: the city's, with the entries of each unit on its path from the top down."""
    policy = city
    for code in path.strip("/").split("/"):
        if code in own:
            policy = policy.with_entries(own[code])
    return policy


def read(raw: Mapping[str, Any]) -> Entry:
    """An entry as a profile holds it: ``unit``, ``level``, one span a kind (``15m``, ``2h``, ``3d``, ``none``), ``remind``.

    Raises ``Wrong``.
    """
    known = {"unit", "level", "remind", *(kind.value for kind in Kind)}
    for key in raw:
        if key not in known:
            raise Wrong(key, f"{key} 无法识别", f"可写 {'、'.join(sorted(known))}")
    if raw.get("level") not in list(Level):
        raise Wrong("level", f"等级 {raw.get('level')!r} 无法识别", f"写成 {'、'.join(Level)} 之一")
    spans = {kind: _span(kind, raw[kind.value]) for kind in Kind if kind.value in raw}
    return Entry(raw.get("unit"), Level(raw["level"]), spans, _marks(raw["remind"]) if "remind" in raw else None)


def _span(kind: Kind, value: object) -> timedelta | None:
    if value == _NEVER:
        return None
    match = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise Wrong(kind, f"时限 {value!r} 无法识别", '写成 "15m"、"2h"、"3d"，不设写 "none"')
    span = int(match[1]) * _UNIT[match[2]]
    if not timedelta(0) < span <= _LONGEST:
        raise Wrong(kind, f"时限 {value!r} 须大于零且不超过 {_LONGEST.days} 天", "改成一个正的、不超过一年的时限")
    return span


def _marks(value: object) -> tuple[float, ...]:
    given = value if isinstance(value, list) else [value]
    numbers = [float(one) for one in given if isinstance(one, (int, float)) and not isinstance(one, bool)]
    ordered = all(earlier < later for earlier, later in pairwise(numbers))
    if len(numbers) != len(given) or not ordered or not all(EARLIEST_MARK <= one < 1 for one in numbers):
        raise Wrong(
            "remind", f"提醒点 {value!r} 无法识别", f"写成 [0.5, 0.9]：由小到大，各在 {EARLIEST_MARK} 与 1 之间"
        )
    return tuple(numbers)


@dataclass(frozen=True, slots=True)
class Breach:
    """What a policy may not be: which levels and which kind, what is wrong (with the article) and the cure."""

    levels: tuple[Level, ...]
    kind: Kind
    said: str
    cure: str


# What every level needs, for an open hazard always has a running deadline.
_ALWAYS = (Kind.ASSESS, Kind.CONTROL, Kind.RECTIFY)

# Longest spans: level, kind, at most, where it is written. Read aloud to whoever configures, so in their words.
_FLOORS: tuple[tuple[Level, Kind, timedelta, str], ...] = (
    *(
        (level, Kind.REPORT, _HOUR, "《生产安全事故报告和调查处理条例》第九条（一小时内）、《宁波市学校安全条例》第三十六条（重大的立即）")
        for level in (Level.RED, Level.ORANGE)
    ),
    *(
        (level, Kind.REPORT, 24 * _HOUR, "《宁波市学校安全条例》第三十六条（二十四小时内）")
        for level in (Level.YELLOW, Level.BLUE)
    ),
    (Level.RED, Kind.RECTIFY, 30 * _DAY, "重大隐患整改方案至多三十天（《安全生产法》第四十一条，五落实之时限）"),
)  # fmt: skip


def breaches(policy: Policy) -> list[Breach]:
    """What the law, or sense, does not allow of a policy; empty where all is well."""
    found = []
    for level in Level:
        for kind in _ALWAYS:
            if policy.spans[level][kind] is None:
                said = f"{level.label}级“{kind.label}”不能不设：未销号的隐患须始终有时限"
                found.append(Breach((level,), kind, said, "写上时限，或删去此项用上级的"))
    for level, kind, most, article in _FLOORS:
        span = policy.spans[level][kind]
        # Whom the law gives an hour cannot be excused; yellow and blue are hazards more often than accidents.
        if span is None and not level.urgent:
            continue
        if span is None or span > most:
            said = f"{level.label}级“{kind.label}”不得宽于 {said_span(most)}，依据：{article}"
            found.append(Breach((level,), kind, said, f"改为不超过 {said_span(most)}"))
    # One mistake is said once: a span that is refused already need not be compared.
    refused = {(level, breach.kind) for breach in found for level in breach.levels}
    for kind in Kind:
        for graver, milder in pairwise(sorted(Level, key=lambda level: level.rank)):
            if (graver, kind) in refused or (milder, kind) in refused:
                continue
            longer, shorter = (policy.spans[level][kind] or timedelta.max for level in (graver, milder))
            if longer > shorter:
                said = f"{graver.label}级“{kind.label}”慢于{milder.label}级，较重的等级不得慢于较轻的"
                found.append(Breach((graver, milder), kind, said, f"缩短{graver.label}级的，或放长{milder.label}级的"))
    return found


def said_span(span: timedelta) -> str:
    """A span in Chinese, in the largest unit that is exact: 30 天, 24 小时, 15 分钟."""
    if span % _DAY == timedelta(0) and span > _DAY:
        return f"{span // _DAY} 天"
    if span % _HOUR == timedelta(0):
        return f"{span // _HOUR} 小时"
    return f"{span // _MINUTE} 分钟"
