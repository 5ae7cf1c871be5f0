"""Direct judgements: what makes a hazard red whatever its score (教发厅函〔2024〕20号, as listed in the domain's §4).

Read the table as an officer would: a rule fires where every one of its patterns is found in the same open stretch of text and none of
its exceptions is. What a drill, a passed check or a solution says is never looked at (``polarity``).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from models.classifier.polarity import Clause

GUIDE = "教发厅函〔2024〕20号"


@dataclass(frozen=True, slots=True)
class DirectRule:
    """``article``: where the guide says it; ``all_of``: patterns that must all be found; ``unless``: what takes it out of scope."""

    key: str
    sentence: str
    article: str
    subcategory: str
    all_of: tuple[str, ...]
    unless: str = ""


_DEAD = (
    r"(?:未|没有?|无|缺|不)[^，]{0,4}(?:安装|设|装|配|启动|联动|出水|出烟|工作|响应|反应|水压|有水)|瘫痪|停用|失效|失灵|停运|断电|无水|没水|无压|"
    r"归零|(?:被|人为)?关闭|打不开|停止状态|无法(?:启动|运行|联动)|不能(?:启动|用)|拆除|坏了|整体故障"
)
_SLEEPS = r"宿舍|寝室|公寓|午睡|住宿|床位|学生楼"
_BATTERY_BIKE = (
    r"电动(?:自行|摩托)?车|电瓶(?!灯)|电动三轮|三轮电瓶|小电驴|电摩|电动自行车|(?:\d+v)[^，]{0,6}电池|锂电(?!钻)"
)
_INSIDE = (
    r"楼道|楼内|室内|屋内|寝室|宿舍(?!区|旁|楼下|外)|走廊|大厅|门厅|电梯|教室|公寓(?!外|旁)|楼梯|进楼|上楼|入楼|杂物间|负一层|地下|"
    r"架空层|床底|床下|办公室(?!外)"
)

DIRECT_RULES: tuple[DirectRule, ...] = (
    DirectRule(
        "fire-responsibility",
        "未建立、未落实消防安全责任制",
        "消防安全",
        "0102",
        (r"消防[^，]{0,4}责任", r"未|没有|缺失|无(?!误)|空白|不明确"),
        r"责任书已|火灾责任认定",
    ),
    DirectRule(
        "dormitory-below-ground",
        "学生宿舍或儿童用房设在地下、半地下",
        "消防安全",
        "0301",
        (
            r"地下(?!水|管|车库|通道|停车)|负[一二三1-3]层|半地下",
            r"学生宿舍|宿舍|住有|幼儿|托班|托幼|小班|中班|大班|儿童|孩子[^，]{0,4}(?:上课|睡)|午睡",
        ),
        r"积水|进水|倒灌|电动|电瓶|试剂|气瓶|煤气|钢瓶",
    ),
    DirectRule(
        "children-fourth-floor",
        "幼儿、儿童用房设在四层及以上",
        "消防安全",
        "0301",
        (
            r"幼儿|托班|托幼|小班|中班|大班|儿童|托管班",
            r"(?:[四五六七八九十4-9]|1\d)[层楼]",
            r"设[在置于]|位于|搬到|在[^，]{0,4}[层楼]|安排",
        ),
        r"坠|掉|跌|栏|窗|施工围",
    ),
    DirectRule(
        "flammable-panels",
        "人员密集场所采用易燃可燃装修或燃烧性能低于A级的夹芯板",
        "消防安全",
        "0105",
        (
            r"泡沫(?!箱|灭火)|聚氨酯|聚苯|夹芯|可燃|易燃材料|软包|吸[音声]|阻燃处理",
            r"达不到a|未达a|b[12]级|可燃|易燃|低于a|未做阻燃|夹芯|芯材",
        ),
        r"可燃气|可燃物垃圾|探测|报警|围挡|垃圾",
    ),
    DirectRule(
        "dead-alarm",
        "火灾自动报警系统未设置或瘫痪",
        "消防安全",
        "0102",
        (r"(?:火灾|自动|消防)[^，]{0,4}(?:报警(?:系统|主机|控制|装置)|控制柜)", _DEAD),
        r"燃气|可燃",
    ),
    DirectRule(
        "dead-sprinkler",
        "自动喷水灭火系统未设置或瘫痪",
        "消防安全",
        "0102",
        (r"喷淋(?!装置阀门|器)|自动喷水|喷水管网", _DEAD),
        r"紧急喷淋|洗眼",
    ),
    DirectRule("dead-hydrant", "消火栓系统未设置或无水", "消防安全", "0102", (r"消[火防]栓", _DEAD), r"前$|堆|围着"),
    DirectRule(
        "dead-exhaust",
        "机械排烟系统未设置或瘫痪",
        "消防安全",
        "0102",
        (r"排烟(?:系统|风机|口|设施|阀)", _DEAD),
        r"厨房|油烟",
    ),
    DirectRule(
        "no-smoke-alarm",
        "住人场所未设联网或独立式感烟报警",
        "消防安全",
        "0102",
        (_SLEEPS, r"烟感|感烟|烟雾报警", r"(?:未|没有?|无)[^，]{0,4}(?:安装|装|设|配)|缺"),
    ),
    DirectRule(
        "bike-inside",
        "电动自行车或其蓄电池在室内停放、充电",
        "消防安全",
        "0104",
        (_BATTERY_BIKE, _INSIDE),
        r"撞|刮|校内超速|超速|头盔|被[盗偷]|偷|大厅外",
    ),
    DirectRule(
        "flying-wire",
        "私拉电线、飞线充电",
        "消防安全",
        "0104",
        (
            r"飞线|(?:拉|接|甩|垂|吊|延长)[^，]{0,10}线|线[^，]{0,4}(?:拉|垂|甩)",
            r"飞线|电动|电瓶|电摩|车[^，]{0,6}充|车棚|充电",
        ),
        r"手机充电|投影|台灯",
    ),
    DirectRule(
        "d-grade",
        "D级危房仍在使用",
        "校舍安全",
        "0301",
        (r"d级|整体危险", r"使用|上课|住|安排|借用|出入|办公|开放|教室"),
        r"已停用|已封|已拆|停止使用",
    ),
)

_COMPILED = [
    (rule, tuple(re.compile(one) for one in rule.all_of), re.compile(rule.unless) if rule.unless else None)
    for rule in DIRECT_RULES
]


def stretches(parts: Sequence[Clause]) -> list[str]:
    """Open clauses, joined where they are neighbours: "走廊停着电动车，还在充电" is one stretch."""
    joined: list[str] = []
    open_before = False
    for part in parts:
        if part.open:
            joined = [*joined[:-1], f"{joined[-1]} {part.text}"] if open_before else [*joined, part.text]
        open_before = part.open
    return joined


def direct(parts: Sequence[Clause]) -> tuple[DirectRule, ...]:
    """The direct rules that open clauses fulfil, in the table's order; patterns must meet within two neighbouring clauses."""
    texts = [part.text if part.open else "" for part in parts]
    windows = [f"{one} {two}" for one, two in zip(texts, [*texts[1:], ""], strict=True) if one]
    return tuple(
        rule
        for rule, patterns, unless in _COMPILED
        if any(
            all(pattern.search(window) for pattern in patterns) and not (unless and unless.search(window))
            for window in windows
        )
    )
