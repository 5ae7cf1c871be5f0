"""Weather (气象): what the weather service warns of, and which units and hazards it concerns.

``Notice`` is what a translator of CAP 1.2 fills: identifier, event, severity (Extreme, Severe, Moderate, Minor), area codes,
onset, expires, references that it ends, and whether it is an exercise. The plain JSON of ``POST /api/v1/warnings/weather``
has the same fields.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from models.levels import Level
from models.units import Unit, UnitTree
from models.warnings import grades
from models.warnings.findings import Finding, Kind, Seen
from models.warnings.places import lowest


class Event(StrEnum):
    """Weather that campuses prepare for."""

    TYPHOON = "typhoon"
    RAIN = "rain"
    WIND = "wind"
    THUNDER = "thunder"
    HEAT = "heat"
    COLD = "cold"
    SNOW = "snow"
    FOG = "fog"

    @property
    def label(self) -> str:
        """The Chinese word on the page."""
        return _EVENTS[self][0]

    @property
    def concerns(self) -> tuple[str, ...]:
        """Subcategories that it makes likelier, the first its own."""
        return _EVENTS[self][1]


# 13xx and what the weather breaks: walls and things that fall, building sites, power, water, gates, water to drown in, crowds.
_EVENTS: dict[Event, tuple[str, tuple[str, ...]]] = {
    Event.TYPHOON: ("台风", ("1301", "0302", "0303", "0304", "0404", "1303", "1402")),
    Event.RAIN: ("暴雨", ("1301", "1303", "0405", "0404", "0703", "1304")),
    Event.WIND: ("大风", ("1301", "0302", "0304", "1402")),
    Event.THUNDER: ("雷电", ("1302", "0404", "0305", "1402")),
    Event.HEAT: ("高温", ("1302", "0602", "0501", "0504", "0404", "1304")),
    Event.COLD: ("低温冰冻", ("1302", "0405", "0402", "0103", "0703")),
    Event.SNOW: ("暴雪", ("1302", "0301", "0703", "0701")),
    Event.FOG: ("大雾", ("0703", "0701", "0704")),
}
# CAP's severity, as the national colours are given in it (domain §9).
SEVERITY = {"Extreme": Level.RED, "Severe": Level.ORANGE, "Moderate": Level.YELLOW, "Minor": Level.BLUE}


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice in force. ``areas``: codes of units (a district's is its area code)."""

    id: str
    event: Event
    severity: Level
    areas: tuple[str, ...]
    onset: datetime
    expires: datetime
    exercise: bool = False


def roots(areas: Iterable[str], tree: UnitTree) -> list[Unit]:
    """The units that stand for these areas: those of the codes, and universities that lie in the area of a district."""
    wanted = {code for code in areas if code in tree}
    found = {
        unit.code: unit
        for unit in tree
        if unit.code in wanted or (unit.kind == "university" and unit.district in wanted)
    }
    paths = [unit.path for unit in found.values()]
    return [
        unit for unit in found.values() if not any(unit.path != path and unit.path.startswith(path) for path in paths)
    ]


# Warned of as soon as it is announced for the next day; earlier the announcement still changes.
AHEAD = timedelta(hours=24)


def find(notices: Iterable[Notice], related: Sequence[Seen], tree: UnitTree, now: datetime) -> list[Finding]:
    """A finding for each notice in force, or about to be. ``related``: open hazards that are not confidential."""
    found = []
    for notice in notices:
        own = roots(notice.areas, tree)
        if notice.exercise or not own or not notice.onset - AHEAD <= now < notice.expires:
            continue
        paths = tuple(unit.path for unit in own)
        inside = [
            s
            for s in related
            if s.subcategory in notice.event.concerns and s.unit in tree and tree[s.unit].path.startswith(paths)
        ]
        found.append(_finding(notice, own, inside, lowest(tree[code].path for code in notice.areas if code in tree)))
    return found


def _finding(notice: Notice, own: Sequence[Unit], inside: Sequence[Seen], above: str) -> Finding:
    """``above``: the lowest unit above the areas that were named; universities that lie in them are concerned beside it."""
    urgent = [seen for seen in inside if seen.level.urgent]
    grade, reason = grades.weather(notice.severity, len(inside), len(urgent))
    return Finding(
        kind=Kind.WEATHER,
        key=f"weather:{notice.id}",
        unit=above,
        units=tuple(sorted(unit.code for unit in own)),
        grade=grade,
        reason=reason,
        sentence=f"{notice.event.label}{notice.severity.label}色预警，相关隐患尚有 {len(inside)} 件未销号，请先行排查；涉及 {len(own)} 个区域或单位",
        subcategory=notice.event.concerns[0],
        evidence={
            "event": notice.event.value,
            "severity": notice.severity.value,
            "onset": notice.onset.isoformat(),
            "expires": notice.expires.isoformat(),
            "subcategories": list(notice.event.concerns),
            "open": len(inside),
        },
        hazards=tuple(seen.id for seen in sorted(inside, key=lambda s: (s.level.rank, s.opened_at))[:50]),
        rest=max(notice.expires - notice.onset, timedelta(0)) + AHEAD,
        downward=True,
    )
