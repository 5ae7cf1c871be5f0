"""Gates of the loop: what must be true, or filed, before a transition. Each returns the sentence that is lacking, or None.

Law: 安全生产法 §41 and the provincial regulation §15, §25 (五落实, acceptance); separation of duties: domain §2.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from models.levels import Level
from models.roles import Actor, Role

SETTLEMENTS = {
    "responsibility": "责任",
    "measures": "措施",
    "funds": "资金",
    "time_limit": "时限",
    "plan": "预案",
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What the gates look at: a hazard as far as the rules concern it.

    ``lowering`` and ``extension`` hold a proposal that waits for a second person: ``{"by": actor id, …}``.
    """

    state: str
    level: Level
    direct: bool
    major: bool
    review_owed: bool
    reporters: frozenset[str] = frozenset()
    handlers: frozenset[str] = frozenset()
    settlements: Mapping[str, str] | None = None
    lowering: Mapping[str, Any] | None = None
    extension: Mapping[str, Any] | None = None
    merged: bool = False


# What a gate asks for, in the words of the table that officers read.
LABELS = {
    "has_reason": "说明理由",
    "has_text": "填写内容",
    "has_evidence": "提交整改佐证",
    "has_lesson": "写明复盘结论",
    "names_master": "指明主隐患",
    "names_settlements": "五落实五项齐全",
    "five_settlements": "重大隐患须先完成五落实",
    "acceptance": "重大隐患须有验收文件",
    "no_review_owed": "该等级无须复盘",
    "not_own_report": "不得研判本人上报的红、橙级隐患",
    "not_own_work": "处置人本人不得复核、复盘",
    "second_person": "下调直接判定须两人一致并说明理由",
    "is_follower": "已并入主隐患",
    "extension": "处置员申请、督导员审批，不得自批",
}

Gate = Callable[[Facts, Actor, Mapping[str, Any]], str | None]


def _text(filed: Mapping[str, Any], name: str) -> str:
    value = filed.get(name)
    return value.strip() if isinstance(value, str) else ""


def has_reason(facts: Facts, actor: Actor, filed: Mapping[str, Any]) -> str | None:
    """A reason in words."""
    return None if _text(filed, "reason") else "缺少理由：请在 reason 中说明"


def has_text(facts: Facts, actor: Actor, filed: Mapping[str, Any]) -> str | None:
    """Something said."""
    return None if _text(filed, "text") else "缺少内容：请在 text 中填写"


def has_evidence(facts: Facts, actor: Actor, filed: Mapping[str, Any]) -> str | None:
    """What was done, in words or by attachments."""
    if _text(filed, "evidence") or filed.get("attachments"):
        return None
    return "缺少整改佐证：请在 evidence 中说明做了什么，或附上照片（attachments）"


def has_lesson(facts: Facts, actor: Actor, filed: Mapping[str, Any]) -> str | None:
    """What others can learn from it."""
    return None if _text(filed, "lesson") else "缺少复盘结论：请在 lesson 中写明教训与改进"


def names_master(facts: Facts, actor: Actor, filed: Mapping[str, Any]) -> str | None:
    """The hazard that this one goes into."""
    return None if _text(filed, "into") else "缺少合并目标：请在 into 中给出主隐患编号"


def names_settlements(facts: Facts, actor: Actor, filed: Mapping[str, Any]) -> str | None:
    """All five settlements, none empty."""
    return _lacking_settlements(filed.get("settlements"))


def five_settlements(facts: Facts, actor: Actor, filed: Mapping[str, Any]) -> str | None:
    """A major hazard does not leave ``dispatched`` without the five settlements (安全生产法 §41)."""
    return _lacking_settlements(facts.settlements) if facts.major else None


def _lacking_settlements(settled: object) -> str | None:
    given = settled if isinstance(settled, Mapping) else {}
    lacking = [label for key, label in SETTLEMENTS.items() if not _text(given, key)]
    return f"五落实未齐，缺：{'、'.join(lacking)}" if lacking else None


def acceptance(facts: Facts, actor: Actor, filed: Mapping[str, Any]) -> str | None:
    """A major hazard is not closed without an acceptance document (验收)."""
    if not facts.major or _text(filed, "acceptance"):
        return None
    return "重大隐患销号须有验收文件：请在 acceptance 中给出文号或附件编号"


def no_review_owed(facts: Facts, actor: Actor, filed: Mapping[str, Any]) -> str | None:
    """Straight to the archive only where the level owes no review."""
    return "该等级须先复盘再归档" if facts.review_owed else None


def is_follower(facts: Facts, actor: Actor, filed: Mapping[str, Any]) -> str | None:
    """Only what was merged into another hazard goes with it."""
    return None if facts.merged else "只有已并入的隐患才随主隐患变化"


def not_own_report(facts: Facts, actor: Actor, filed: Mapping[str, Any]) -> str | None:
    """Nobody judges a red or orange hazard that they reported themselves."""
    urgent = facts.level.urgent or filed.get("level") in (Level.RED, Level.ORANGE)
    return "红、橙级隐患不能由上报人本人研判，请由另一位研判员处理" if urgent and actor.id in facts.reporters else None


def not_own_work(facts: Facts, actor: Actor, filed: Mapping[str, Any]) -> str | None:
    """A handler never verifies their own work."""
    return "处置人不能复核、复盘自己的整改，请由另一位督导员处理" if actor.id in facts.handlers else None


def second_person(facts: Facts, actor: Actor, filed: Mapping[str, Any]) -> str | None:
    """A directly judged level is lowered by two people: one proposes (with a reason), another confirms the same level."""
    if not facts.direct or not _lowers(facts, filed):
        return None
    if not _text(filed, "reason"):
        return "下调直接判定的重大隐患须说明理由（reason）"
    return None


def awaits_second_person(facts: Facts, actor: Actor, filed: Mapping[str, Any]) -> bool:
    """Whether this lowering is only the first of two voices, so that it is noted and nothing changes yet."""
    if not facts.direct or not _lowers(facts, filed):
        return False
    proposal = facts.lowering
    return proposal is None or proposal.get("by") == actor.id or proposal.get("level") != filed.get("level")


def _lowers(facts: Facts, filed: Mapping[str, Any]) -> bool:
    level = filed.get("level")
    return level is not None and Level(level).rank > facts.level.rank


def extension(facts: Facts, actor: Actor, filed: Mapping[str, Any]) -> str | None:
    """A handler asks (until when, why); a supervisor who is not that handler grants or refuses what was asked."""
    if actor.role is Role.HANDLER:
        until = filed.get("until")
        if not isinstance(until, datetime) or until.tzinfo is None:
            return "申请延期须给出新的期限 until（带时区的时间）"
        return has_reason(facts, actor, filed)
    if facts.extension is None:
        return "没有待审批的延期申请"
    if facts.extension.get("by") == actor.id:
        return "延期不能由申请人本人审批"
    if (own := not_own_work(facts, actor, filed)) is not None:
        return own
    return None if isinstance(filed.get("approve"), bool) else "请在 approve 中给出 true（同意）或 false（不同意）"
