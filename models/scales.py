"""LS and LEC: the two scales of the field, what each score means in its own words, and the level that a score leads to.

LS: likelihood × severity, as safety offices use it (GB/T 27921, risk matrix). LEC: Graham and Kinney's likelihood, exposure, consequence.
The words of LS are this project's reading for campuses [ours]; those of LEC are the published ones. Bands are configuration, for
published sources differ (domain §4).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from types import MappingProxyType
from typing import Any

from models.levels import Level

LS_LIKELIHOOD: Mapping[float, str] = MappingProxyType(
    {
        5: "正在发生，或没有任何防范措施、经常发生",
        4: "常有发生，或防范措施不起作用、无人检查",
        3: "过去发生过，或措施偶有不执行",
        2: "很少发生，有措施且能及时发现",
        1: "极不可能发生，措施充分有效",
    }
)
LS_SEVERITY: Mapping[float, str] = MappingProxyType(
    {
        5: "可能致人死亡或多人重伤，或全校停课",
        4: "可能致人重伤，或多人需就医，或整栋楼停用",
        3: "可能致人轻伤需就医，或教学秩序受影响",
        2: "轻微不适或财物损失，现场即可处理",
        1: "基本无人身影响，仅影响观感或便利",
    }
)
LEC_LIKELIHOOD: Mapping[float, str] = MappingProxyType(
    {
        10: "完全可以预料",
        6: "相当可能",
        3: "可能，但不经常",
        1: "可能性小，完全意外",
        0.5: "很不可能，可以设想",
        0.2: "极不可能",
        0.1: "实际不可能",
    }
)
LEC_EXPOSURE: Mapping[float, str] = MappingProxyType(
    {
        10: "连续暴露",
        6: "每天工作（在校）时间内暴露",
        3: "每周一次，或偶然暴露",
        2: "每月一次暴露",
        1: "每年几次暴露",
        0.5: "非常罕见地暴露",
    }
)
LEC_CONSEQUENCE: Mapping[float, str] = MappingProxyType(
    {
        100: "大灾难，许多人死亡",
        40: "灾难，数人死亡",
        15: "非常严重，一人死亡",
        7: "严重，重伤",
        3: "重大，致残",
        1: "引人注目，需要救护",
    }
)

_SCALES: Mapping[str, Mapping[str, Mapping[float, str]]] = {
    "ls": {"likelihood": LS_LIKELIHOOD, "severity": LS_SEVERITY},
    "lec": {"likelihood": LEC_LIKELIHOOD, "exposure": LEC_EXPOSURE, "consequence": LEC_CONSEQUENCE},
}
_NAMES = {"likelihood": "可能性", "severity": "严重性", "exposure": "暴露频次", "consequence": "后果"}

Bands = tuple[tuple[float, Level], ...]

# Lower edges, gravest first. Published sources differ, so a city may bring its own.
LS_BANDS: Bands = ((17, Level.RED), (11, Level.ORANGE), (5, Level.YELLOW), (1, Level.BLUE))
LEC_BANDS: Bands = ((320, Level.RED), (160, Level.ORANGE), (70, Level.YELLOW), (0, Level.BLUE))


@dataclass(frozen=True, slots=True)
class LevelBands:
    """Lower edges of the levels, gravest first, for each scale."""

    ls: Bands = LS_BANDS
    lec: Bands = LEC_BANDS

    @classmethod
    def of(cls, profile: Mapping[str, Any] | None) -> "LevelBands":
        """From a city's profile, ``{"levels": {"ls": [17, 11, 5], "lec": [320, 160, 70]}}``: the lower edges of red, orange and yellow.

        Raises ``ValueError`` where they do not fall.
        """
        given = (profile or {}).get("levels", {})
        return cls(
            ls=_bands(given["ls"], 1) if "ls" in given else LS_BANDS,
            lec=_bands(given["lec"], 0) if "lec" in given else LEC_BANDS,
        )


def _bands(edges: Sequence[float], lowest: float) -> Bands:
    if len(edges) != 3 or any(a <= b for a, b in pairwise([*edges, lowest])):
        raise ValueError(f"等级分界须为红、橙、黄三个下限，依次递减且大于 {lowest:g}，不能是 {list(edges)}")
    return tuple(zip((*edges, lowest), Level, strict=True))


@dataclass(frozen=True, slots=True)
class Score:
    """A score on one scale: ``parts`` by name, their product, the level it leads to, and the words of each part."""

    scale: str
    parts: Mapping[str, float]
    product: float
    level: Level
    reasons: tuple[str, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """For the API, the trail and the page."""
        return {
            "scale": self.scale,
            "parts": dict(self.parts),
            "product": self.product,
            "level": self.level.value,
            "reasons": list(self.reasons),
        }


def banded(score: float, bands: Bands) -> Level:
    """The level of a score: the first band whose lower edge it reaches. Raises ``ValueError`` below every band."""
    for edge, level in bands:
        if score >= edge:
            return level
    raise ValueError(f"score {score} lies below every band; the lowest edge is {bands[-1][0]}")


def scored(scale: str, parts: Mapping[str, Any], bands: LevelBands | None = None) -> Score:
    """A score on ``ls`` or ``lec``. Raises ``ValueError`` in the officer's words: an unknown scale, a part missing, or no step of it."""
    if scale not in _SCALES:
        raise ValueError(f"没有评分法 {scale!r}：可用 ls（可能性×严重性）或 lec（可能性×暴露×后果）")
    wanted = _SCALES[scale]
    if set(parts) != set(wanted):
        raise ValueError(f"{scale.upper()} 须给出 {'、'.join(wanted)}，不能是 {'、'.join(map(str, parts)) or '空'}")
    reasons, product = [], 1.0
    for name, steps in wanted.items():
        value = parts[name]
        if isinstance(value, bool) or value not in steps:
            raise ValueError(
                f"{_NAMES[name]}（{name}）只能取 {'、'.join(f'{step:g}' for step in steps)}，不能是 {value}"
            )
        product *= value
        reasons.append(f"{_NAMES[name]} {value:g}：{steps[value]}")
    product = round(product, 2)
    held = bands or LevelBands()
    level = banded(product, held.ls if scale == "ls" else held.lec)
    return Score(scale, {name: parts[name] for name in wanted}, product, level, tuple(reasons))


def words() -> dict[str, Any]:
    """All scales with the words of each step, for a page that asks."""
    return {
        scale: {
            name: {"label": _NAMES[name], "steps": [{"value": v, "text": text} for v, text in steps.items()]}
            for name, steps in parts.items()
        }
        for scale, parts in _SCALES.items()
    }
