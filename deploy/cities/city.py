"""A city as its folder describes it: ``city.toml`` read and checked, its units beside it."""

from dataclasses import asdict, dataclass, field
from datetime import date, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from deploy.cities.clock import Closure, closures, deadlines, leaves_duty_days, vacation
from deploy.cities.judging import learning, levels
from deploy.cities.keeping import retention
from deploy.cities.problems import Problems
from deploy.cities.sign_in import sign_in
from deploy.cities.toml import Section, read_toml
from deploy.cities.units import load_units
from models.place import Bounds
from models.units import UnitTree


@dataclass(frozen=True, slots=True)
class Tier:
    """One step of the chain. Rank 1 is the bottom; tiers of one rank stand side by side."""

    key: str
    label: str
    rank: int


@dataclass(frozen=True, slots=True)
class Duty:
    """Duty hours, local time. ``weekdays`` as ISO counts them: 1 is Monday. ``vacation``: ``duty`` or ``closed``."""

    weekdays: tuple[int, ...]
    hours: tuple[tuple[time, time], ...]
    vacation: str


@dataclass(frozen=True, slots=True)
class Term:
    """A school term; ``first`` and ``last`` are its first and last day."""

    name: str
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class City:
    """A city. ``tiers`` bottom first, ``districts`` the outline's path if any, ``deadlines`` entries as
    ``models.policy.read`` takes them, ``sign_in`` as ``models.identity.read`` does,
    ``retention`` as ``models.retention.terms`` does."""

    code: str
    name: str
    tz: ZoneInfo
    tiers: tuple[Tier, ...]
    bounds: Bounds
    duty: Duty
    terms: tuple[Term, ...]
    roles: dict[str, str]
    units: UnitTree
    districts: Path | None
    deadlines: tuple[dict[str, Any], ...] = ()
    closed: tuple[Closure, ...] = ()
    sign_in: tuple[dict[str, Any], ...] = ()
    retention: dict[str, Any] = field(default_factory=dict)
    levels: dict[str, Any] = field(default_factory=dict)
    learning: dict[str, Any] = field(default_factory=dict)

    def profile(self) -> dict[str, Any]:
        """Everything but the units, as JSON: what the store keeps and the pages read."""
        return {
            "time_zone": self.tz.key,
            "tiers": [{"key": tier.key, "label": tier.label, "rank": tier.rank} for tier in self.tiers],
            "bounds": asdict(self.bounds),
            "duty": {
                "weekdays": list(self.duty.weekdays),
                "hours": [[start.isoformat("minutes"), end.isoformat("minutes")] for start, end in self.duty.hours],
                "vacation": self.duty.vacation,
            },
            "terms": [
                {"name": term.name, "first": term.first.isoformat(), "last": term.last.isoformat()}
                for term in self.terms
            ],
            "deadlines": list(self.deadlines),
            "closed": [closure.as_json() for closure in self.closed],
            "roles": self.roles,
            "sign_in": list(self.sign_in),
            "retention": self.retention,
            "levels": self.levels,
            "learning": self.learning,
        }


def load_city(folder: Path) -> City:
    """The city described by ``folder``. Raises ``CityError`` that names file, line and cure of every problem."""
    path = folder / "city.toml"
    problems = Problems(path.name)
    text, raw = read_toml(path, problems)
    problems.stop()
    read = Section("", raw, text, problems)
    tz = read.zone("time_zone")
    tiers = tuple(
        Tier(one.text("key"), one.text("label"), one.whole("rank")) for one in read.sections("tiers", "key label rank")
    )
    box = read.section("bounds", "west south east north")
    bounds = Bounds(*(box.number(side) for side in ("west", "south", "east", "north")))
    if bounds.west >= bounds.east or bounds.south >= bounds.north:
        problems.add(read.line("[bounds]"), "坐标范围是空的", "west 应小于 east，south 应小于 north")
    duty = _duty(read.section("duty", "weekdays hours"))
    terms = tuple(
        Term(one.text("name"), one.day("first"), one.day("last")) for one in read.sections("terms", "name first last")
    )
    for term in terms:
        if term.first >= term.last:
            problems.add(read.line(term.name), f"学期“{term.name}”结束早于开始", "改正 first 与 last")
    roles = {key: str(label) for key, label in raw.get("roles", {}).items()}
    code, name = read.text("code"), read.text("name")
    outline = folder / str(raw["districts"]) if raw.get("districts") else None
    if outline is not None and not outline.is_file():
        problems.add(read.line("districts"), f"找不到区县边界 {outline.name}", "放入该文件，或删去 districts 一行")
    problems.stop()
    units = load_units(
        folder / str(raw.get("units", "units.csv")),
        code,
        {tier.key: tier.rank for tier in tiers},
        bounds,
    )
    own, closed = deadlines(read, units), closures(read, units)
    providers, kept = sign_in(read, units), retention(read)
    bands, learned = levels(read), learning(read, units)
    problems.stop()
    city = City(
        code, name, tz, tiers, bounds, duty, terms, roles, units, outline, own, closed, providers, kept, bands, learned
    )
    leaves_duty_days(city.profile(), units, read)
    problems.stop()
    return city


def _duty(section: Section) -> Duty:
    spans: list[tuple[time, time]] = []
    for span in section.raw.get("hours", ()):
        try:
            start, end = (time.fromisoformat(str(moment)) for moment in span)
        except ValueError:
            section.problems.add(section.line("hours"), f"值班时段 {span} 无法识别", '写成 ["08:00", "17:00"]')
            continue
        if start >= end:
            section.problems.add(section.line("hours"), f"值班时段 {span} 是空的", "开始要早于结束")
        spans.append((start, end))
    days = tuple(section.raw.get("weekdays", ()))
    if not days or any(day not in range(1, 8) for day in days):
        section.problems.add(section.line("weekdays"), "值班星期无法识别", "写成 [1, 2, 3, 4, 5]，1 是星期一")
    return Duty(days, tuple(spans), vacation(section))
