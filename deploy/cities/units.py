"""The table of units of a city, read and checked."""

import csv
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from deploy.cities.problems import Problems
from deploy.cities.tree import check_tree
from models.place import Bounds
from models.units import Unit, UnitTree

COLUMNS = ("code", "name", "kind", "tier", "parent", "district", "lon", "lat", "members", "obliged")
KINDS = ("city", "district", "university", "college", "school")
_TRUTH = {"true": True, "1": True, "是": True, "false": False, "0": False, "否": False}


def load_units(path: Path, root: str, ranks: Mapping[str, int], bounds: Bounds) -> UnitTree:
    """The tree of units; a parent may stand anywhere in the file.

    ``root`` is the city's code, ``ranks`` the rank of each tier.
    Raises ``CityError`` with every problem found.
    """
    problems = Problems(path.name)
    lines: dict[str, int] = {}
    units: dict[str, Unit] = {}
    for line, row in _rows(path, problems):
        unit = _unit(row, line, bounds, ranks, problems)
        if unit is None:
            continue
        if unit.code in units:
            problems.add(line, f"编码 {unit.code} 与第 {lines[unit.code]} 行重复", "每个单位一个编码，改掉其中一个")
            continue
        units[unit.code] = unit
        lines[unit.code] = line
    if not problems.found:
        check_tree(units, lines, root, ranks, problems)
    problems.stop()
    return UnitTree(units.values())


def _rows(path: Path, problems: Problems) -> Iterable[tuple[int, dict[str, str]]]:
    try:
        text = path.read_text("utf-8-sig")
    except FileNotFoundError:
        problems.add(0, "找不到文件", f"在 {path.parent} 里放一份，列为 {','.join(COLUMNS)}")
        return
    except UnicodeDecodeError:
        problems.add(0, "不是 UTF-8 编码", "在 Excel 里另存为“CSV UTF-8（逗号分隔）”")
        return
    reader = csv.DictReader(text.splitlines())
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        problems.add(1, f"表头缺少列 {'、'.join(missing)}", f"表头应为 {','.join(COLUMNS)}")
        return
    for row in reader:
        yield reader.line_num, {name: (row.get(name) or "").strip() for name in COLUMNS}


def _unit(
    row: dict[str, str],
    line: int,
    bounds: Bounds,
    ranks: Mapping[str, int],
    problems: Problems,
) -> Unit | None:
    before = len(problems.found)
    for name in ("code", "name"):
        if not row[name]:
            problems.add(line, f"{name} 为空", "每个单位都要有编码和名称")
    if "/" in row["code"]:
        problems.add(line, f"编码 {row['code']} 含有斜杠", "斜杠用来分隔层级路径，编码里换成短横线")
    if row["kind"] not in KINDS:
        problems.add(line, f"kind “{row['kind']}” 无法识别", f"填 {'、'.join(KINDS)} 之一")
    if row["tier"] not in ranks:
        problems.add(line, f"tier “{row['tier']}” 不在 city.toml 的层级中", f"填 {'、'.join(ranks)} 之一")
    lon, lat = _number(row["lon"]), _number(row["lat"])
    if not bounds.hold(lon, lat):
        problems.add(
            line,
            f"坐标 {row['lon'] or '空'},{row['lat'] or '空'} 不在本市范围内",
            f"经度 {bounds.west}–{bounds.east}，纬度 {bounds.south}–{bounds.north}；检查经纬度是否写反，或改 city.toml 的 [bounds]",
        )
    members = _number(row["members"])
    if not (members >= 0 and members == int(members)):
        problems.add(line, f"members “{row['members']}” 不是人数", "填师生总人数，如 1250；不清楚时填 0")
    obliged = _TRUTH.get(row["obliged"].lower())
    if obliged is None:
        problems.add(line, f"obliged “{row['obliged']}” 无法识别", "填 true 或 false")
    if len(problems.found) > before:
        return None
    return Unit(
        code=row["code"],
        name=row["name"],
        kind=row["kind"],
        tier=row["tier"],
        parent=row["parent"] or None,
        district=row["district"] or None,
        lon=lon,
        lat=lat,
        members=int(members),
        obliged=bool(obliged),
    )


def _number(text: str) -> float:
    """The number, or not-a-number: every comparison with it fails, so each check reports it in its own words."""
    try:
        value = float(text)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan
