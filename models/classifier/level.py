"""A first score for a hazard: a base for each subcategory and words that lift it. A suggestion for the assessor, bands by domain §4."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from models.levels import Level, gravest
from models.scales import LevelBands, Score, scored

# What such a hazard is worth when a report says nothing more: red where a life is at stake by its very kind, orange where people are
# hurt or soon will be, yellow what must be mended within days, blue what only annoys. [ours], configurable by the caller.
BASE: Mapping[str, Level] = MappingProxyType(
    dict.fromkeys(["0901", "1003", "1304"], Level.RED)
    | dict.fromkeys(
        [
            "0104",
            "0105",
            "0201",
            "0202",
            "0204",
            "0301",
            "0302",
            "0304",
            "0401",
            "0402",
            "0403",
            "0502",
            "0601",
            "0602",
            "0701",
            "0704",
            "0801",
            "0802",
            "0804",
            "0902",
            "0903",
            "1001",
            "1004",
            "1101",
            "1104",
            "1303",
            "1401",
            "1402",
            "1403",
        ],
        Level.ORANGE,
    )
    | dict.fromkeys(
        [
            "0101",
            "0102",
            "0103",
            "0203",
            "0205",
            "0303",
            "0305",
            "0404",
            "0405",
            "0501",
            "0503",
            "0504",
            "0603",
            "0702",
            "0703",
            "0803",
            "0805",
            "0806",
            "0904",
            "1002",
            "1102",
            "1103",
            "1201",
            "1202",
            "1203",
            "1204",
            "1205",
            "1301",
            "1302",
            "1404",
            "9900",
        ],
        Level.YELLOW,
    )
)

# What likelihood and severity (LS, models/scales.py) such a base stands for: products in the middle of their band.
_LS_OF_BASE = {Level.RED: (4, 5), Level.ORANGE: (3, 4), Level.YELLOW: (3, 3), Level.BLUE: (2, 2)}

_MANY = r"(?:1\d|[2-9]\d|\d{3,})[余多]?[名个人例位]|十[几多余]|几十|数十|上百|多名|集体|大批|[好十]几个班|聚集性"


@dataclass(frozen=True, slots=True)
class Sign:
    """Words that say how likely or how grave it is; ``only`` names the subcategories that it counts for, none: all."""

    reason: str
    pattern: str
    likelihood: int
    severity: int
    only: frozenset[str] = frozenset()


SIGNS: tuple[Sign, ...] = (
    Sign(
        "有人伤亡或生命危险",
        r"死亡|身亡|猝死|叫不醒|昏迷|无意识|意识模糊|心脏骤停|心肺复苏|没有?呼吸|生命危险|抢救|大出血",
        5,
        5,
    ),
    Sign("有人被困", r"被困|困人|关在电梯|困在(?!难)|卡住不动", 5, 5),
    Sign("正在起火或爆炸", r"着火(?!点)|起火|明火|火焰|火势|火光|爆炸|烧起来|浓烟|黑烟", 5, 5),
    Sign("坍塌或大面积险情", r"坍塌|倒塌|垮塌|滑坡|塌了", 5, 5),
    Sign("持械或以刀伤人", r"持刀|持械|砍人|捅|持棍", 5, 5),
    Sign("燃气正在泄漏", r"正在漏|满屋子?气|煤气味很?[重浓大]|嘶嘶", 5, 5),
    Sign("疑似食物中毒涉及多人", _MANY, 4, 5, frozenset({"0502"})),
    Sign(
        "有人受伤或送医",
        r"受伤|砸伤|摔伤|撞伤|烫伤|咬伤|刺伤|打伤|流血|骨折|送医|住院|120|救护车|急诊|烧到|中毒|晕倒|晕厥",
        4,
        4,
    ),
    Sign("涉及多人", _MANY, 3, 4),
    # Yellow is days; a way out that does not open is a matter of the next fire.
    Sign("逃生出口打不开", r"(?:安全|疏散|逃生|消防)(?:出口|门|通道).{0,12}(?:锁|焊死|封死|钉死|打不开|推不开)", 4, 4),
    Sign("险情正在发生或随时发生", r"随时|马上|快要|差点|险些|冒烟|火花|漏电|触电|失控|正在|持续", 4, 3),
    Sign("涉及被骗钱款较大", r"\d+(?:\.\d+)?万|[一二三五六八]万|报警|裸照|裸贷", 3, 4),
)
_COMPILED = tuple((sign, re.compile(sign.pattern)) for sign in SIGNS)


def suggested(
    subcategories: Sequence[str],
    text: str,
    base: Mapping[str, Level] = BASE,
    bands: LevelBands | None = None,
) -> tuple[Score, tuple[str, ...]]:
    """An LS score and Chinese reasons for the open part of a cleaned text. Raises ``KeyError`` on an unknown subcategory.

    Each sign lifts likelihood or severity, none lowers them: the level is that of the gravest.
    """
    main = gravest(base[code] for code in subcategories)
    likelihood, severity = _LS_OF_BASE[main]
    reasons = [f"该类隐患起评为{main.label}色"]
    score = scored("ls", {"likelihood": likelihood, "severity": severity}, bands)
    for sign, pattern in _COMPILED:
        if sign.only and not sign.only & set(subcategories):
            continue
        raised = (max(likelihood, sign.likelihood), max(severity, sign.severity))
        if raised == (likelihood, severity) or not pattern.search(text):
            continue
        likelihood, severity = raised
        lifted = scored("ls", {"likelihood": likelihood, "severity": severity}, bands)
        if lifted.level is not score.level:
            reasons.append(f"{sign.reason}，升为{lifted.level.label}色")
        score = lifted
    return score, tuple(reasons)
