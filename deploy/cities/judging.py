"""What a city sets of judging: the bands of LS and LEC (``[levels]``), and whose corrections may be learned from (``[learning]``)."""

from typing import Any

from deploy.cities.toml import Section
from models.scales import LevelBands
from models.units import UnitTree


def levels(read_from: Section) -> dict[str, Any]:
    """The ``[levels]`` as the profile keeps them; none is well. Notes bands that do not fall."""
    given = read_from.raw.get("levels", {})
    try:
        LevelBands.of({"levels": given})
    except (ValueError, TypeError, AttributeError) as error:
        cure = "照 ls = [17, 11, 5]、lec = [320, 160, 70] 写：红、橙、黄的下限"
        read_from.problems.add(read_from.line("[levels]"), f"[levels] {error}", cure)
        return {}
    return dict(given)


def learning(read_from: Section, tree: UnitTree) -> dict[str, Any]:
    """The ``[learning]`` as the profile keeps it; none is well, and means that nothing is learned from anybody."""
    given = read_from.raw.get("learning", {})
    units = given.get("units", []) if isinstance(given, dict) else None
    line = read_from.line("[learning]")
    if not isinstance(units, list):
        read_from.problems.add(line, "[learning] units 须是单位编码的列表", '写成 units = ["U01"]')
        return {}
    for unit in units:
        if unit not in tree:
            read_from.problems.add(line, f"[learning] 单位 {unit} 不存在", "写 units.csv 里的编码")
    return {"units": list(units)} if units else {}
