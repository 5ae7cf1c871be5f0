"""Which identity providers sign people in, as a city sets it: ``[[sign_in]]``."""

from typing import Any

from deploy.cities.clock import line_of
from deploy.cities.toml import Section
from models.identity import Wrong, read
from models.units import UnitTree


def sign_in(read_from: Section, tree: UnitTree) -> tuple[dict[str, Any], ...]:
    """The ``[[sign_in]]`` as the profile keeps them; none is well. Notes what cannot be used."""
    problems, source = read_from.problems, read_from.source
    entries = [one.raw for one in read_from.sections("sign_in", "")] if "sign_in" in read_from.raw else []
    seen: dict[str, int] = {}
    for n, raw in enumerate(entries, 1):
        name = f"第 {n} 个 [[sign_in]] "
        try:
            provider = read(raw)
        except Wrong as wrong:
            problems.add(line_of(source, "sign_in", n, wrong.key), f"{name}{wrong}", wrong.cure)
            continue
        if provider.unit not in tree:
            where = line_of(source, "sign_in", n, "unit")
            problems.add(where, f"{name}单位 {provider.unit} 不存在", "写 units.csv 里的编码")
        # Two of one issuer would be one identity with two subtrees.
        for key, value in (("id", provider.id), ("issuer", provider.issuer)):
            if value in seen:
                where = line_of(source, "sign_in", n, key)
                problems.add(where, f"{name}{key} 与第 {seen[value]} 个重复", "各用各的，或合并为一节")
            seen[value] = n
    return tuple(entries)
