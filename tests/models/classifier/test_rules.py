"""Direct judgements: each rule with what fulfils it and what only looks like it — denied, solved, played, planned, outdoors, another thing."""

import time

import pytest

from models.classifier.direct_rules import DIRECT_RULES
from models.classifier.polarity import clauses
from models.classifier.rules import GUIDE, direct
from models.classifier.text import clean

POSITIVE = {
    "fire-responsibility": [
        "学校没有建立消防安全责任制",
        "消防安全责任人不明确，无人签字",
        "问了一圈，防火这块没有人管",
        "消防负责人一栏空白，校长也说不清",
        "说是总务处管消防，总务处说不归他们",
    ],
    "dormitory-below-ground": [
        "学生宿舍设在地下一层",
        "托班活动室设在半地下室",
        "实习生都睡在负一层",
        "幼儿园把午睡室搬到地下室了",
        "B1那几间改成了寝室，没有窗",
    ],
    "children-fourth-floor": [
        "幼儿园中班教室设在四楼",
        "儿童活动室位于5层",
        "小班的娃娃天天爬到五楼",
        "托育中心开在写字楼十二层",
        "早教班，6楼，电梯只有一部",
    ],
    "flammable-panels": [
        "食堂隔断是泡沫夹芯板，达不到A级",
        "礼堂软包为可燃材料",
        "报告厅墙面贴的海绵，没有防火证明",
        "学生宿舍是彩钢板房，芯材聚苯乙烯",
        "幼儿园走廊吊顶全用泡沫板",
    ],
    "dead-alarm": [
        "火灾自动报警系统瘫痪",
        "宿舍楼未安装火灾报警系统",
        "消控室主机屏幕黑着，没人管",
        "按了手报，整栋楼一点动静没有",
        "消防主机嫌吵，晚上给关了",
    ],
    "dead-sprinkler": [
        "喷淋系统被关闭",
        "自动喷水灭火系统失效",
        "末端试水拧开没水",
        "图书馆的喷头全是假的，后面没接管子",
        "喷淋管道冻裂以后一直没通水",
    ],
    "dead-hydrant": [
        "室内消火栓没水",
        "消火栓打开无水",
        "消防栓一滴水都放不出来",
        "三楼的栓压力为零",
        "消防水箱干涸，泵也启动不了",
    ],
    "dead-exhaust": [
        "机械排烟风机无法启动",
        "排烟口打不开，手动也不行",
        "地下车库未设机械排烟",
        "楼顶排烟风机电机烧了半年",
    ],
    "no-smoke-alarm": [
        "宿舍没有安装烟感",
        "午睡室未设独立式感烟报警器",
        "整层寝室天花板只剩底座，烟感拆走了",
        "学生公寓里找不到一个烟感，都没装",
    ],
    "bike-inside": [
        "楼道里有电动车充电",
        "学生把电瓶带进寝室",
        "走廊停着电动车，还在充电",
        "车推进楼道接了根线充电",
        "骑手的锂电池放床底下充",
        "电梯里又有人推电驴进来",
    ],
    "flying-wire": [
        "有人飞线充电",
        "从窗户拉线给电动车充电",
        "五楼甩下来一根线，底下电驴正充着",
        "门卫室扯了插排出来给三轮充电",
        "阳台上吊着插座，给楼下的车充电",
    ],
    "d-grade": [
        "D级危房仍在使用",
        "鉴定为D级的平房里还在上课",
        "评了D级的老礼堂照常排练",
        "鉴定结论整体危险，楼里还住着人",
    ],
}
NEGATIVE = {
    "fire-responsibility": [
        "消防安全责任制已建立",
        "消防责任书已签，无问题",
        "拟修订消防安全责任制，下周征求意见",
        "消防楼梯堆满拖把，没人管",
        "消防责任人每周巡查，记录齐全",
    ],
    "dormitory-below-ground": [
        "宿舍地下车库积水",
        "地下水管漏到宿舍",
        "学生宿舍都在二楼以上",
        "地下室的学生宿舍已全部清空，学生搬到三楼",
        "演练：模拟地下宿舍起火",
    ],
    "children-fourth-floor": [
        "幼儿园设在二楼",
        "小学生从四楼窗户往下看",
        "给园长培训：幼儿班为什么不能设在四层以上",
        "幼儿园四楼已改作仓库",
        "大班从三楼搬到一楼",
    ],
    "flammable-panels": [
        "夹芯板经检测合格，达到A级",
        "可燃气体报警器失灵",
        "教室角落堆着泡沫箱",
        "泡沫板房已拆除完毕",
        "拟将礼堂软包换成A级材料，下月招标",
    ],
    "dead-alarm": [
        "火灾自动报警系统测试正常",
        "火灾报警系统故障已修复",
        "燃气报警器坏了",
        "有个烟感一直滴滴响",
        "演练：模拟报警主机断电",
    ],
    "dead-sprinkler": [
        "实验室紧急喷淋装置没水",
        "喷淋系统检测合格",
        "喷淋的阀门已经修好，放水正常",
        "喷淋联动演练，模拟总阀关闭",
        "打球把一个喷头的装饰盖打掉了",
    ],
    "dead-hydrant": [
        "消火栓水压正常",
        "消火栓没水的问题已整改",
        "消火栓箱门被自行车挡住",
        "反映消火栓没水，核实是误报",
        "拟更换室外消火栓三只",
    ],
    "dead-exhaust": [
        "厨房油烟排烟口打不开",
        "排烟风机检测正常",
        "排烟风机故障已修复",
        "演练时排烟系统启动顺利",
    ],
    "no-smoke-alarm": [
        "宿舍烟感已全部安装",
        "宿舍烟感响了一声",
        "宿舍有个烟感没电了",
        "计划给宿舍加装烟感",
    ],
    "bike-inside": [
        "未发现电动车进楼道充电",
        "楼道电动车充电问题已整改",
        "演练：模拟楼道电动车起火",
        "电动车在校内撞人",
        "室外车棚里电动车停得太挤",
        "寝室里拿充电宝充手机",
        "楼道里的电动车都已推到车棚",
    ],
    "flying-wire": [
        "巡查未发现飞线充电",
        "飞线已拆除完毕",
        "宿舍里拉网线绊人",
        "班会讲飞线充电的危险",
        "充电桩电缆外皮破了",
    ],
    "d-grade": [
        "D级危房已拆除完毕",
        "经鉴定为B级，可以使用",
        "C级教学楼还在上课",
        "组织D级危房倒塌桌面推演",
        "D级那栋楼去年就清空了",
    ],
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
    assert min(len(texts) for one in (POSITIVE, NEGATIVE) for texts in one.values()) >= 4


def test_every_rule_can_be_told_to_an_officer() -> None:
    assert GUIDE == "教发厅函〔2024〕20号"
    assert all(rule.sentence and rule.article and rule.subcategory and rule.marks for rule in DIRECT_RULES)


def test_what_fulfils_a_rule_stands_close_together() -> None:
    far = "电瓶车停在校门口，今天食堂的饭很好吃，操场上有人跑步，图书馆闭馆，宿舍楼道很干净"
    assert "bike-inside" not in fired(far)


def test_what_is_set_aside_fulfils_no_rule() -> None:
    assert fired("喷淋没水已整改，但消火栓没水") == {"dead-hydrant"}


# Texts that make a careless expression go back and forth: starts of patterns without their ends, and long runs of nothing.
@pytest.mark.parametrize(
    "unit",
    [
        "消防",
        "电动车",
        "线插从窗",
        "压力0",
        "没没没",
        "说去看了",
        "幼儿，",
        "，",
        "a0",
        " x",
        "关于反映",
        "喷头套，全",
        "d级在",
        "栓",
    ],
)
def test_any_text_is_judged_in_bounded_time(unit: str) -> None:
    text = clean((unit * 2000)[:2000]).text
    text = text if len(text) > 1000 else (unit * 2000)[:2000]
    direct(clauses(text))
    took = []
    for _ in range(3):
        start = time.perf_counter()
        direct(clauses(text))
        took.append(time.perf_counter() - start)
    assert min(took) < 0.02
