"""What raises nothing, clause by clause, and the guards that keep a finding from being set aside."""

import time

import pytest

from models.classifier.polarity import LABELS, Status, clauses, defective
from models.classifier.text import clean


def statuses(text: str) -> list[Status]:
    return [clause.status for clause in clauses(clean(text).text)]


def findings(text: str) -> list[str]:
    return [clause.text for clause in clauses(clean(text).text) if clause.open and defective(clause.text)]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("今天下午组织消防演练", Status.DRILL),
        ("氨气泄漏应急桌面推演", Status.DRILL),
        ("禁毒讲座在礼堂举行", Status.TALK),
        ("杂物已全部清理", Status.SOLVED),
        ("楼道电动车已全部清走", Status.SOLVED),
        ("飞线已拆除完毕", Status.SOLVED),
        ("灭火器检查合格", Status.PASSED),
        ("夜查未见电动车入室", Status.PASSED),
        ("网传着火是谣言", Status.DENIED),
        ("拟更换消防主机", Status.PLAN),
        ("万一着火怎么办", Status.PLAN),
        ("请问宿舍能用小风扇吗", Status.QUESTION),
        ("游戏里骑电瓶送外卖", Status.TALE),
    ],
)
def test_one_clause_that_raises_nothing(text: str, status: Status) -> None:
    assert statuses(text) == [status]


@pytest.mark.parametrize(
    "text",
    [
        "未签订消防安全责任书",
        "竞赛队把酸和酒精放在一起",
        "屏幕被换成赌场宣传片",
        "晚会未见审批",
        "灭火器检查不合格",
        "水质未达标",
        "杂物尚未清理",
        "昨天修的没修好",
        "门锁坏了没人来修",
        "这不是演习",
        "整改不到位",
        "培训机构卷款跑路",
        "同学被造谣",
        "演练中一名学生骨折送医",
        "报警器不正常",
        "这个门一直锁着正常吗",
        "说是修好了",
        "去年就说修好的水位报警还是哑的",
        "推车无法通过",
        "账和实物不一致",
        "合格证已过有效期",
        "找了三天没找到",
        "责令三日内全部清除",
        "明天要换的灯现在掉下来了",
        "刺伤一名保安，已控制",
    ],
)
def test_a_finding_stays_open(text: str) -> None:
    assert Status.OPEN in statuses(text)
    assert set(statuses(text)) == {Status.OPEN}


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("A栋演练正常，但B栋安全出口被锁", "b栋安全出口被锁"),
        ("演练圆满结束，收工时发现消火栓没水", "收工时发现消火栓没水"),
        ("上周裂缝修好了，结果今天又裂了", "今天又裂了"),
        ("漏水已处理完毕，另外发现喷头被漆糊死", "发现喷头被漆糊死"),
        ("灭火器年检合格，唯独三楼那只没压力", "三楼那只没压力"),
        ("都说是误会，可今晚那辆车又撞了人", "今晚那辆车又撞了人"),
        ("听完讲座出来，侧门推不开", "侧门推不开"),
        ("请问楼梯间的门一直锁着对吗", "请问楼梯间的门一直锁着对吗"),
        ("计划下月换灯，现在灯罩快掉了", "现在灯罩快掉了"),
        ("演练时按了手报，整栋楼没响", "整栋楼没响"),
    ],
)
def test_a_finding_beside_it_is_kept(text: str, finding: str) -> None:
    assert finding in findings(text)


@pytest.mark.parametrize(
    "text",
    [
        "昨天楼梯间堆的纸箱，今早已清理干净",
        "消火栓没水的事，查明是阀门误关，已恢复正常",
        "说食堂着火，去看了，是蒸汽",
        "反映有人提电瓶进楼，调监控看是个音箱",
        "没走丢，在图书角看书呢",
        "组织D级危房倒塌推演，八个部门参加",
        "疏散演练，模拟三楼起火，全程四分钟",
        "拟为宿舍加装烟感，列入明年预算",
        "请问电动车能在学校上牌吗",
        "要是着火了怎么办，所以要练",
    ],
)
def test_a_text_without_any_finding(text: str) -> None:
    assert findings(text) == []


def test_what_comes_after_a_solution_limits_what_it_covers() -> None:
    assert findings("墙裂了，走廊灯坏了，门锁已修好，水管漏水") == ["墙裂了", "水管漏水"]
    assert findings("墙裂了，走廊灯坏了，门锁已修好") == []


def test_a_confirmed_rumour_is_a_report() -> None:
    assert findings("有人反映楼道漏电，现场核查属实，责令整改")


def test_every_status_is_named_for_officers() -> None:
    assert set(LABELS) == set(Status) - {Status.OPEN}


def test_clauses_lose_no_text() -> None:
    assert clauses("") == ()
    assert clauses("，。！") == ()
    assert "".join(clause.text for clause in clauses("灯坏了，已换，门锁着")) == "灯坏了已换门锁着"


@pytest.mark.parametrize(
    "unit",
    [
        "演练",
        "说",
        "已",
        "修好",
        "未见",
        "无",
        "请问",
        "拟",
        "如果",
        "没没",
        "，",
        "合格",
        "真",
        "关于，看了",
        "x",
        "  a",
        "讲",
    ],
)
def test_any_text_is_judged_in_bounded_time(unit: str) -> None:
    text = (unit * 2000)[:2000]
    took = []
    for _ in range(3):
        start = time.perf_counter()
        clauses(text)
        took.append(time.perf_counter() - start)
    assert min(took) < 0.02
