"""Direct judgements and what raises nothing: each rule with what fulfils it and what only looks like it."""

import pytest

from models.classifier.polarity import Status, clauses
from models.classifier.rules import DIRECT_RULES, direct
from models.classifier.text import clean

POSITIVE = {
    "fire-responsibility": ["学校没有建立消防安全责任制", "消防安全责任人不明确，无人签字"],
    "dormitory-below-ground": ["学生宿舍设在地下一层", "托班活动室设在半地下室"],
    "children-fourth-floor": ["幼儿园中班教室设在四楼", "儿童活动室位于5层"],
    "flammable-panels": ["食堂隔断是泡沫夹芯板，达不到A级", "礼堂软包为可燃材料"],
    "dead-alarm": ["火灾自动报警系统瘫痪", "宿舍楼未安装火灾报警系统"],
    "dead-sprinkler": ["喷淋系统被关闭", "自动喷水灭火系统失效"],
    "dead-hydrant": ["室内消火栓没水", "消火栓打开无水"],
    "dead-exhaust": ["机械排烟风机无法启动"],
    "no-smoke-alarm": ["宿舍没有安装烟感", "午睡室未设独立式感烟报警器"],
    "bike-inside": ["楼道里有电动车充电", "学生把电瓶带进寝室", "走廊停着电动车，还在充电"],
    "flying-wire": ["有人飞线充电", "从窗户拉线给电动车充电"],
    "d-grade": ["D级危房仍在使用", "鉴定为D级的平房里还在上课"],
}
NEGATIVE = {
    "fire-responsibility": ["消防安全责任制已建立", "消防责任书已签，无问题"],
    "dormitory-below-ground": ["宿舍地下车库积水", "地下水管漏到宿舍"],
    "children-fourth-floor": ["幼儿园设在二楼", "小学生从四楼窗户往下看"],
    "flammable-panels": ["夹芯板经检测合格，达到A级", "可燃气体报警器失灵"],
    "dead-alarm": ["火灾自动报警系统测试正常", "火灾报警系统故障已修复"],
    "dead-sprinkler": ["实验室紧急喷淋装置没水", "喷淋系统检测合格"],
    "dead-hydrant": ["消火栓水压正常", "消火栓没水的问题已整改"],
    "dead-exhaust": ["厨房油烟排烟口打不开"],
    "no-smoke-alarm": ["宿舍烟感已全部安装", "宿舍烟感响了一声"],
    "bike-inside": [
        "未发现电动车进楼道充电",
        "楼道电动车充电问题已整改",
        "演练：模拟楼道电动车起火",
        "电动车在校内撞人",
    ],
    "flying-wire": ["巡查未发现飞线充电", "飞线已拆除完毕"],
    "d-grade": ["D级危房已拆除完毕", "经鉴定为B级，可以使用"],
}


def fired(text: str) -> set[str]:
    return {rule.key for rule in direct(clauses(clean(text).text))}


@pytest.mark.parametrize(("key", "text"), [(key, text) for key, texts in POSITIVE.items() for text in texts])
def test_a_rule_fires(key: str, text: str) -> None:
    assert key in fired(text)


@pytest.mark.parametrize(("key", "text"), [(key, text) for key, texts in NEGATIVE.items() for text in texts])
def test_a_rule_stays_silent(key: str, text: str) -> None:
    assert key not in fired(text)


def test_every_rule_has_both_kinds_of_examples() -> None:
    keys = [rule.key for rule in DIRECT_RULES]
    assert len(keys) == len(set(keys))
    assert set(POSITIVE) == set(NEGATIVE) == set(keys)


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("今天下午组织消防演练", Status.DRILL),
        ("禁毒讲座在礼堂举行", Status.TALK),
        ("未签订消防安全责任书", Status.OPEN),
        ("竞赛队把酸和酒精放在一起", Status.OPEN),
        ("屏幕被换成赌场宣传片", Status.OPEN),
        ("晚会未见审批", Status.OPEN),
        ("杂物已全部清理", Status.SOLVED),
        ("灭火器检查合格", Status.PASSED),
        ("网传着火是谣言", Status.DENIED),
        ("灭火器检查不合格", Status.OPEN),
        ("杂物尚未清理", Status.OPEN),
        ("这不是演习", Status.OPEN),
        ("整改不到位", Status.OPEN),
        ("培训机构卷款跑路", Status.OPEN),
        ("同学被造谣", Status.OPEN),
        ("演练中一名学生骨折送医", Status.OPEN),
        ("报警器不正常", Status.OPEN),
    ],
)
def test_the_status_of_one_clause(text: str, status: Status) -> None:
    assert [clause.status for clause in clauses(text)] == [status]


def test_a_turn_ends_what_a_drill_covers() -> None:
    found = clauses(clean("A栋演练正常，但B栋安全出口被锁").text)
    assert [clause.text for clause in found if clause.open] == ["b栋安全出口被锁"]


def test_a_solution_covers_what_it_follows() -> None:
    assert not any(clause.open for clause in clauses(clean("昨天楼梯间堆的纸箱，今早已清理干净").text))
