"""What a message says, in Chinese: level, event, kind of hazard, unit, deadline, link. Never a reporter's word, never a person."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from models.calendar import SHANGHAI
from models.levels import Level
from models.notices import Happening
from models.policy import Kind
from models.taxonomy import is_confidential, subcategory

# A WeCom robot takes 2,048 bytes (its own limit); what Apprise and the robot put around the text needs some.
MOST_BYTES = 1900
# A phone shows about ten lines of a message; the counts above them tell of the rest.
_LINES = 5
CONFIDENTIAL = "保密通道隐患"
_CLOSING = "请到平台确认收到；确认不等于处置完成。"


@dataclass(frozen=True, slots=True)
class Told:
    """What a message tells of one notice."""

    hazard: UUID
    level: Level
    happening: Happening
    subcategory: str
    unit_name: str
    due_kind: str | None = None
    due_at: datetime | None = None

    @property
    def label(self) -> str:
        """The kind of hazard; of a confidential lane nothing but that it is one."""
        return CONFIDENTIAL if is_confidential(self.subcategory) else subcategory(self.subcategory).name

    @property
    def due(self) -> str | None:
        """The deadline in words: 研判 05-12 14:15."""
        if self.due_at is None:
            return None
        kind = f"{Kind(self.due_kind).label} " if self.due_kind else ""
        return f"{kind}{self.due_at.astimezone(SHANGHAI):%m-%d %H:%M}"


@dataclass(frozen=True, slots=True)
class Message:
    """A title of one line, a body of several, and the gravest level in it."""

    title: str
    body: str
    level: Level


def message(told: Sequence[Told], public_url: str) -> Message:
    """The message of a group, gravest first; of one notice where it is alone. Raises ``ValueError`` on none."""
    if not told:
        raise ValueError("a message tells of at least one notice")
    ordered = sorted(told, key=lambda one: one.level.rank)
    return _single(ordered[0], public_url) if len(ordered) == 1 else _many(ordered, public_url)


def _single(one: Told, public_url: str) -> Message:
    lines = [f"单位：{one.unit_name}", f"类别：{one.label}"]
    if one.due:
        lines.append(f"期限：{one.due}")
    lines += [f"查看：{public_url}/desk#hazard={one.hazard}", _CLOSING]
    return Message(f"【{one.level.label}】{one.happening.label}：{one.label}", "\n".join(lines), one.level)


def _many(told: Sequence[Told], public_url: str) -> Message:
    levels = Counter(one.level for one in told)
    happenings = Counter(one.happening for one in told)
    hazards, units = len({one.hazard for one in told}), len({one.unit_name for one in told})
    head = [
        "等级：" + " · ".join(f"{level.label} {levels[level]}" for level in Level if levels[level]),
        "事项：" + " · ".join(f"{happening.label} {n}" for happening, n in happenings.most_common()),
        f"涉及 {units} 个单位、{hazards} 条隐患",
    ]
    gravest = told[0]
    tail = [f"最急：{public_url}/desk#hazard={gravest.hazard}", f"全部：{public_url}/desk", _CLOSING]
    lines = [_line(one) for one in told[:_LINES]]
    while lines and len("\n".join([*head, *lines, *tail]).encode()) > MOST_BYTES - 100:
        lines.pop()
    rest = [f"……另有 {len(told) - len(lines)} 条"] if len(told) > len(lines) else []
    title = f"【{gravest.level.label}】隐患通知 {len(told)} 条"
    return Message(title, "\n".join([*head, *lines, *rest, *tail]), gravest.level)


def _line(one: Told) -> str:
    due = f"，{one.due}" if one.due else ""
    return f"【{one.level.label}】{one.happening.label}：{one.label}，{one.unit_name}{due}"


def trial(public_url: str) -> Message:
    """What a test-send says."""
    return Message("【测试】通知渠道测试", f"这是一条测试消息，收到即表示渠道可用。\n平台：{public_url}", Level.BLUE)
