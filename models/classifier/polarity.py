"""What raises nothing: drills, passed checks, solved matters and denied rumours — judged clause by clause.

"A栋演练正常，但B栋安全出口被锁" is a drill and a finding: only the first half is set aside. A rule may set aside too little (the
assessor then rejects a report), it should never set aside a finding; so every rule has guards.
"""

import re
from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """Why a clause raises nothing; ``OPEN`` is everything else."""

    OPEN = "open"
    DRILL = "drill"
    TALK = "talk"
    SOLVED = "solved"
    PASSED = "passed"
    DENIED = "denied"


LABELS = {
    Status.DRILL: "演练",
    Status.TALK: "培训或宣传",
    Status.SOLVED: "已处置或已整改",
    Status.PASSED: "检查正常或合格",
    Status.DENIED: "已核实不属实",
}

_TURNS = re.compile(
    r"(?:但是|但|不过|然而|可是|可今|只是|(?<!冷)却|唯独|唯有|惟有|唯|惟|另外|另有|另|随后|后来|其实|同时)(?![人能用])"
)
_CLAUSE = re.compile(r"[，,。！!？?；;：:\n、]|\.(?!\d)")

# Guards, tried first: with one of these in it, a clause stays open whatever else it says.
_STILL = re.compile(
    r"不是(?:演练|演习)|并非演|真的|又[^，]{0,6}(?:了|堆|坏|漏|松|丢|有|冒)|再次|依旧|依然|仍(?!可)|尚未|还没|逾期|没人|不到位|不彻底|"
    r"没(?:有)?(?:整改|清理|修|换|处理|解决|消毒|合格)|未(?:整改|清理|修|换|处|解决|按|经|及时|落实|组织|开展|通过|达标|建立|检定|检测|检验|"
    r"消毒|校|做)|不合格|不正常|不达标|不符合|不合规|不齐|不畅|不通过|拒不|谎称|假装|说是|缺少|缺失|过期|超期|(?:无|没有|缺乏|没)[^，]{0,3}(?:演练|培训)"
)
_HARM = re.compile(r"受伤|送医|骨折|晕倒|流血|昏迷|死亡|被困|被骗|中毒(?!应急|演)|失联")
_DRILL = re.compile(r"演练|演习")
# Talks and lessons cover their own clause only, and none that names a lack: "未签责任书", "听讲座时侧门推不开" are findings.
_TALK = re.compile(
    r"(?:安全教育|普法|科普|演示|培训|宣传|宣讲|讲座|主题班会|班会|课件|公开课|竞赛|知识问答|讲解|示范|倡议|承诺书|责任书|警示教育)"
    r"(?!机构|班|贷|费|单|公司|片|队|结束|现场|厅|室)"
)
_LACK = re.compile(r"未|没|无|缺|不|推不|堵|锁|坏|倒|塌|着火|被")
_SOLVED = re.compile(
    r"(?:已|已经|均已|都已|现已)[^，]{0,8}(?:整改|清理|清除|修复|修好|修补|换|处理|处置|解决|拆除|拆走|恢复|追回|归还|找到|解除|补齐|销号|转运|运走|"
    r"摘除|清退|抽干|除冰|完成|到位|竣工|康复|消毒|撤|补好|返校|到家|控制|办理|安装)|"
    r"(?:修|换|补|找|清|办|装|处理|清理|解决|整改)(?:好|到|走|完|干净|完毕|完成|到位)了?(?:$|了|[^不])|"
    r"(?:整改|清理|维修|更换|转运|处理|修复)(?:完毕|完成|到位)|康复|痊愈|平安(?:归|返)|安全返|预警(?:解除|取消)|疫情解除|恢复(?:供|正常|通|运行)|虚惊一场"
)
_PASSED = re.compile(
    r"合格|(?<!不太)(?<!不大)(?<!不)正常|无异常|未见异常|达标|未发现|未见(?!审|报|批|到)|未检出|没有发现|没发现|查无|无(?:隐患|问题|事故|差错|[^，]{0,12}现象)|良好|牢固|符合|畅通|平稳|"
    r"零报告|(?<!开)通过(?!个人|网|微|q)|齐全|有效|有序|井然|顺利|圆满|全员到|落实到位|完好|一致(?!认为)"
)
_DENIED = re.compile(
    r"(?<!造)谣(?:言|传)|不属实|不实|误报|误会|(?:网传|传言|听说|网上说)[^，]{0,14}(?:是假|没有|不是)|玩笑|已?排除|不存在|不构成|"
    r"没转钱|未造成损失|是油漆|没有危险|没有着火|无明火|未起火"
)
_RULES = (
    (Status.DRILL, _DRILL),
    (Status.TALK, _TALK),
    (Status.DENIED, _DENIED),
    (Status.SOLVED, _SOLVED),
    (Status.PASSED, _PASSED),
)


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a text and its status."""

    text: str
    status: Status

    @property
    def open(self) -> bool:
        """Whether it may be a finding."""
        return self.status is Status.OPEN


def status(clause: str) -> Status:
    """The status of one clause, guards first."""
    if _STILL.search(clause):
        return Status.OPEN
    for found, pattern in _RULES:
        if pattern.search(clause) and not (found is Status.TALK and _LACK.search(clause)):
            return (
                Status.OPEN
                if found is not Status.DENIED and _HARM.search(clause) and found is not Status.SOLVED
                else found
            )
    return Status.OPEN


def clauses(cleaned: str) -> tuple[Clause, ...]:
    """The clauses of a cleaned text. A drill covers its whole stretch up to a turn (但, 另外…); a solution covers what it follows."""
    parts: list[Clause] = []
    for stretch in _TURNS.split(cleaned):
        texts = [part.strip() for part in _CLAUSE.split(stretch) if part.strip()]
        found = [status(part) for part in texts]
        harmed = any(_HARM.search(part) or _STILL.search(part) for part in texts)
        if Status.DRILL in found and not harmed:
            found = [Status.DRILL if one is Status.OPEN else one for one in found]
        for kind in (Status.SOLVED, Status.DENIED):
            if kind in found:
                last = len(found) - 1 - found[::-1].index(kind)
                found = [
                    kind if one is Status.OPEN and index < last and not _STILL.search(texts[index]) else one
                    for index, one in enumerate(found)
                ]
        parts += [Clause(text, one) for text, one in zip(texts, found, strict=True)]
    return tuple(parts)
