"""Makes what tests need, with plausible defaults; a test names only what it is about."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import uuid_utils.compat as uuid_utils
from hypothesis import settings

from models.chain import Chain, Link
from models.deadlines import Clock
from models.events import GENESIS
from models.hazards import Hazard
from models.judgement import Judgement
from models.levels import Level
from models.loop import State
from models.opening import Opening, open_hazard
from models.reports import Report
from models.roles import Actor, Role
from models.units import Unit, UnitTree

# A Tuesday afternoon in term: on duty, so that yellow and blue deadlines begin at once.
NOW = datetime(2026, 5, 12, 6, 0, tzinfo=UTC)

CITY, DISTRICT, SCHOOL, SIBLING, UNIVERSITY, COLLEGE = "330200", "330203", "330203-001", "330203-002", "U01", "U01-01"

_UNITS = (
    Unit(CITY, "试验市", "city", "city"),
    Unit(DISTRICT, "试验区教育局", "district", "district", CITY, district=DISTRICT),
    Unit(SCHOOL, "试验小学", "school", "school", DISTRICT, district=DISTRICT, members=1200),
    Unit(SIBLING, "试验中学", "school", "school", DISTRICT, district=DISTRICT, members=900),
    Unit(UNIVERSITY, "试验大学", "university", "university", CITY, members=20000),
    Unit(COLLEGE, "试验大学化学学院", "college", "school", UNIVERSITY, members=1500),
)


# For property tests: two cores are shared, so that a slow moment is no failure.
steady = settings(deadline=None)


def tree() -> UnitTree:
    """A city with one district of two schools and one university of one college."""
    return UnitTree(_UNITS)


def unit(code: str, parent: str | None = None, **fields: Any) -> Unit:
    """A unit of a made-up tree, named like its code."""
    return Unit(**{"code": code, "name": code, "kind": "school", "tier": "school", "parent": parent} | fields)


def actor(role: Role = Role.ASSESSOR, unit: str = SCHOOL, id: str | None = None) -> Actor:
    """Somebody with a role in a unit."""
    return Actor(id or f"test:{role.value}:{unit}", role.label, role, unit, tree()[unit].path)


def record(**fields: Any) -> dict[str, Any]:
    """A record as a client sends it."""
    return {"source": "officer", "unit": SCHOOL, "text": "三号楼二层安全出口被锁", **fields}


def report(**fields: Any) -> Report:
    """An accepted report with an id."""
    return Report.model_validate(record(**{"id": uuid_utils.uuid7(), **fields}))


def judgement(**fields: Any) -> Judgement:
    """What a classifier might say."""
    given: dict[str, Any] = {
        "category": "01",
        "subcategory": "0101",
        "level": Level.YELLOW,
        "direct": False,
        "confidence": 0.9,
        "labels": ("0101",),
        "raises": True,
        "reasons": ("安全出口、锁",),
        "model": "test",
    }
    return Judgement(**given | fields)


def opening(
    level: Level = Level.YELLOW, unit: str = SCHOOL, now: datetime = NOW, clock: Clock | None = None, **fields: Any
) -> Opening:
    """A report that opened a hazard."""
    told = report(unit=unit)
    return open_hazard(
        uuid_utils.uuid7(),
        told,
        judgement(level=level, **fields),
        tree().upward(unit),
        received_at=now,
        reporter="test:informant",
        now=now,
        clock=clock or Clock(),
    )


def hazard(**fields: Any) -> Hazard:
    """A hazard in any state, not from a database."""
    given: dict[str, Any] = {
        "id": uuid_utils.uuid7(),
        "unit": SCHOOL,
        "unit_path": tree()[SCHOOL].path,
        "subcategory": "0101",
        "level": Level.YELLOW,
        "state": State.REPORTED,
        "text": "三号楼二层安全出口被锁",
        "place": "3号楼2层",
        "chain": Chain(tuple(Link(u.code, u.tier, u.name) for u in tree().upward(SCHOOL))),
        "step": 0,
        "direct": False,
        "major": False,
        "listed": False,
        "drill": False,
        "report_count": 1,
        "confidence": 0.9,
        "machine_subcategory": "0101",
        "machine_level": Level.YELLOW,
        "model": "test",
        "reasons": (),
        "merged_into": None,
        "reporters": frozenset({"test:informant"}),
        "handlers": frozenset(),
        "settlements": None,
        "lowering": None,
        "extension": None,
        "opened_at": NOW,
        "assessed_at": None,
        "dispatched_at": None,
        "submitted_at": None,
        "closed_at": None,
        "archived_at": None,
        "version": 1,
        "trail_hash": GENESIS,
    }
    return Hazard(**given | fields)


def new_id() -> UUID:
    """A UUIDv7."""
    return uuid_utils.uuid7()


def somewhere() -> str:
    """A place like no other, without a building, a floor or a number in it."""
    return "".join(chr(0x5000 + byte) for byte in uuid_utils.uuid4().bytes[:8])


def clock() -> Clock:
    """The default policy and calendar."""
    return Clock()


FIVE: Mapping[str, str] = {
    "responsibility": "总务处主任负责",
    "measures": "拆除门锁，加装推杆",
    "funds": "校内维修经费",
    "time_limit": "今日十八时前",
    "plan": "整改期间专人值守",
}
