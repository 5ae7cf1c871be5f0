"""What a city sets of its clock: ``[[deadlines]]``, ``[[closed]]`` and vacations, read and held against the law's floors."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from deploy.cities.problems import Problems
from deploy.cities.toml import Section
from models.calendar import CLOSED, DAY, DUTY, SHANGHAI
from models.deadlines import Clock
from models.policy import Breach, Entry, Policy, Wrong, breaches, nearest, read
from models.units import UnitTree

# A closure that is longer than a year closes a school for good: that is no matter of deadlines.
_LONGEST_CLOSURE = 366


@dataclass(frozen=True, slots=True)
class Closure:
    """Days on which nobody of a unit, and of all below it, is on duty; ``first`` and ``last`` both included."""

    unit: str
    first: date
    last: date

    def as_json(self) -> dict[str, str]:
        """For the profile."""
        return {"unit": self.unit, "first": self.first.isoformat(), "last": self.last.isoformat()}


def vacation(duty: Section) -> str:
    """Whether vacations count like term time (``duty``, the default) or stop the clock of yellow and blue (``closed``)."""
    said = duty.raw.get("vacation", DUTY)
    if said not in (DUTY, CLOSED):
        cure = f'写成 "{DUTY}"（假期有值班）或 "{CLOSED}"（假期不计时）'
        duty.problems.add(duty.line("vacation"), f"假期 {said!r} 无法识别", cure)
        return DUTY
    return str(said)


def closures(read: Section, tree: UnitTree) -> tuple[Closure, ...]:
    """The ``[[closed]]`` days of units; none is well."""
    found: list[Closure] = []
    for one in _optional(read, "closed"):
        closure = Closure(one.text("unit"), one.day("first"), one.day("last" if "last" in one.raw else "first"))
        where = line_of(read.source, "closed", len(found) + 1, "unit")
        if closure.unit not in tree:
            read.problems.add(where, f"{one.name}单位 {closure.unit} 不存在", "写 units.csv 里的编码")
        if not 0 <= (closure.last - closure.first).days < _LONGEST_CLOSURE:
            read.problems.add(where, f"{one.name}结束早于开始，或超过一年", "改正 first 与 last")
        found.append(closure)
    return tuple(found)


def deadlines(read_from: Section, tree: UnitTree) -> tuple[dict[str, Any], ...]:
    """The ``[[deadlines]]`` as the profile keeps them. Notes what cannot be read and what no configuration may loosen."""
    problems, source = read_from.problems, read_from.source
    given = [one.raw for one in _optional(read_from, "deadlines")]
    entries: dict[tuple[str | None, str], tuple[int, Entry]] = {}
    for n, raw in enumerate(given, 1):
        name = f"第 {n} 个 [[deadlines]] "
        try:
            entry = read(raw)
        except Wrong as wrong:
            problems.add(line_of(source, "deadlines", n, wrong.key), f"{name}{wrong}", wrong.cure)
            continue
        if entry.unit is not None and entry.unit not in tree:
            where = line_of(source, "deadlines", n, "unit")
            problems.add(where, f"{name}单位 {entry.unit!r} 不存在", "写 units.csv 里的编码；全市通用则删去 unit")
            continue
        if (entry.unit, entry.level) in entries:
            first, _ = entries[entry.unit, entry.level]
            problems.add(line_of(source, "deadlines", n, "level"), f"{name}与第 {first} 个重复", "合并为一节")
        entries[entry.unit, entry.level] = (n, entry)
    _hold_against_the_law(list(entries.values()), tree, source, problems)
    return tuple(given)


def _hold_against_the_law(entries: list[tuple[int, Entry]], tree: UnitTree, source: str, problems: Problems) -> None:
    by_unit: dict[str | None, list[tuple[int, Entry]]] = {None: []}
    for n, entry in entries:
        by_unit.setdefault(entry.unit, []).append((n, entry))
    city = Policy().with_entries(entry for _, entry in by_unit[None])
    own = {unit: [entry for _, entry in some] for unit, some in by_unit.items() if unit is not None}
    for breach in breaches(city):
        _note(breach, by_unit[None], "", source, problems)
    for unit in own:
        path = tree[unit].path
        inherited = breaches(nearest(city, own, path.removesuffix(f"{unit}/")))
        for breach in breaches(nearest(city, own, path)):
            if breach not in inherited:
                _note(breach, by_unit[unit], f"单位 {unit} 的", source, problems)


def _note(breach: Breach, entries: list[tuple[int, Entry]], whose: str, source: str, problems: Problems) -> None:
    """At the last entry that names it; a unit's breach may also come of what it inherits, then at its first."""
    to_blame = [n for n, entry in entries if entry.level in breach.levels and breach.kind in entry.spans]
    n = to_blame[-1] if to_blame else entries[0][0]
    problems.add(line_of(source, "deadlines", n, breach.kind), f"{whose}{breach.said}", breach.cure)


def leaves_duty_days(profile: Mapping[str, Any], tree: UnitTree, read_from: Section) -> None:
    """Notes a unit whose closed days leave no day on which a deadline could fall due."""
    clock = Clock.of(profile)
    for path in ("/", *(tree[code].path for code in clock.closed)):
        calendar = clock.at(path).calendar
        for day in sorted(calendar.closed):
            if day - DAY in calendar.closed:
                continue
            try:
                calendar.add(datetime.combine(day, time(), SHANGHAI), DAY)
            except ValueError:
                where = read_from.line("[[closed]]") or read_from.line("[[terms]]")
                read_from.problems.add(where, f"{day} 起一年多没有一个值班日", "缩短停课或假期，或补上学期")


def _optional(read_from: Section, key: str) -> list[Section]:
    return read_from.sections(key, "") if key in read_from.raw else []


def line_of(source: str, header: str, n: int, key: str) -> int:
    """The line of a key in the n-th table of a header; the header's own where the table does not hold the key."""
    seen, at = 0, 0
    for number, line in enumerate(source.splitlines(), 1):
        stripped = line.strip()
        if stripped.startswith("["):
            if seen == n:
                break
            if stripped.startswith(f"[[{header}]]"):
                seen += 1
                at = number
        elif seen == n and stripped.split("=")[0].strip() == key:
            return number
    return at
