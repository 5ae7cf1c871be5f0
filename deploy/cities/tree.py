"""Units form a tree with the city at its root; what would break it is found here, with its line in the file."""

from collections.abc import Mapping

from deploy.cities.problems import Problems
from models.units import Unit


def check_tree(
    units: Mapping[str, Unit],
    lines: Mapping[str, int],
    root: str,
    ranks: Mapping[str, int],
    problems: Problems,
) -> None:
    """Notes unknown parents and districts, circles, a second root, and units that stand above their parent.

    ``units`` and ``lines`` (of the file) by code; ``root`` is the city's code; ``ranks`` by tier.
    """
    if root not in units:
        cure = "加一行 kind 为 city、parent 留空，编码与 city.toml 的 code 相同"
        problems.add(0, f"没有城市自己的一行（编码 {root}）", cure)
    for unit in units.values():
        line = lines[unit.code]
        if unit.district and unit.district not in units:
            problems.add(line, f"区县 {unit.district} 不存在", "district 填表中某个区县的编码，或留空")
        if not unit.parent:
            if unit.code != root:
                problems.add(line, f"{unit.code} 没有上级", f"parent 填上级单位的编码，直属市里的填 {root}")
            continue
        parent = units.get(unit.parent)
        if parent is None:
            problems.add(line, f"上级 {unit.parent} 不存在", "先加上这个上级单位，或改正 parent")
        elif _in_circle(unit, units):
            problems.add(line, f"{unit.code} 的上级绕成了一圈", "沿 parent 一路向上应到达城市，改正其中一个 parent")
        elif ranks[unit.tier] > ranks[parent.tier]:
            above = f"高于上级 {parent.code} 的 {parent.tier}"
            problems.add(line, f"{unit.code} 的层级 {unit.tier} {above}", "调换上下级，或改正 tier")


def _in_circle(unit: Unit, units: Mapping[str, Unit]) -> bool:
    seen = {unit.code}
    above = units.get(unit.parent or "")
    while above is not None:
        if above.code == unit.code:
            return True
        if above.code in seen:  # a circle further up: reported at the units that form it
            return False
        seen.add(above.code)
        above = units.get(above.parent or "")
    return False
