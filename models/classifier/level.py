"""A first level for a hazard: a base for each subcategory and words that lift it. A suggestion for the assessor, bands by §4."""

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from models.levels import Level, gravest

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

_TO_RED = (
    (
        "有人伤亡或生命危险",
        r"死亡|身亡|猝死|叫不醒|昏迷|无意识|意识模糊|心脏骤停|心肺复苏|没有?呼吸|生命危险|抢救|大出血",
    ),
    ("有人被困", r"被困|困人|关在电梯|困在(?!难)|卡住不动"),
    ("正在起火或爆炸", r"着火(?!点)|起火|明火|火焰|火势|火光|爆炸|烧起来|浓烟|黑烟"),
    ("坍塌或大面积险情", r"坍塌|倒塌|垮塌|滑坡|塌了"),
    ("持械或以刀伤人", r"持刀|持械|砍人|捅|持棍"),
    ("燃气正在泄漏", r"正在漏|满屋子?气|煤气味很?[重浓大]|嘶嘶"),
)
_MANY = r"(?:1\d|[2-9]\d|\d{3,})[余多]?[名个人例位]|十[几多余]|几十|数十|上百|多名|集体|大批|[好十]几个班|聚集性"
_TO_ORANGE = (
    (
        "有人受伤或送医",
        r"受伤|砸伤|摔伤|撞伤|烫伤|咬伤|刺伤|打伤|流血|骨折|送医|住院|120|救护车|急诊|烧到|中毒|晕倒|晕厥",
    ),
    ("涉及多人", _MANY),
    # Yellow is days; a way out that does not open is a matter of the next fire.
    ("逃生出口打不开", r"(?:安全|疏散|逃生|消防)(?:出口|门|通道).{0,12}(?:锁|焊死|封死|钉死|打不开|推不开)"),
    ("险情正在发生或随时发生", r"随时|马上|快要|差点|险些|冒烟|火花|漏电|触电|失控|正在|持续"),
    ("涉及被骗钱款较大", r"\d+(?:\.\d+)?万|[一二三五六八]万|报警|裸照|裸贷"),
)
_COMPILED_RED = tuple((reason, re.compile(pattern)) for reason, pattern in _TO_RED)
_COMPILED_ORANGE = tuple((reason, re.compile(pattern)) for reason, pattern in _TO_ORANGE)
_MANY_SICK = re.compile(_MANY)


def suggested(
    subcategories: Sequence[str], text: str, base: Mapping[str, Level] = BASE
) -> tuple[Level, tuple[str, ...]]:
    """Level and Chinese reasons for the open part of a cleaned text. Raises ``KeyError`` on an unknown subcategory."""
    main = gravest(base[code] for code in subcategories)
    reasons = [f"该类隐患起评为{main.label}色"]
    level = main
    for target, table in ((Level.RED, _COMPILED_RED), (Level.ORANGE, _COMPILED_ORANGE)):
        for reason, pattern in table:
            if level.rank > target.rank and pattern.search(text):
                level = target
                reasons.append(f"{reason}，升为{target.label}色")
    if level is Level.ORANGE and "0502" in subcategories and _MANY_SICK.search(text):
        level = Level.RED
        reasons.append("疑似食物中毒涉及多人，升为红色")
    return level, tuple(reasons)
