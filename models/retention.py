"""How long records are kept: the law's floors, this project's terms, and a city's longer ones.

Pure. A city lengthens a term in its profile (``[retention]``) and never shortens one below its floor. The database holds
the floors of the law once more by itself (``store/migrations/0013-keeping.sql``).
"""

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from models.policy import Wrong


class Kept(StrEnum):
    """What is kept for a time, in the order in which it is shown."""

    HAZARDS = "hazards"
    REPORTS = "reports"
    ACCESS_LOG = "access_log"
    REFUSALS = "refusals"
    DELIVERIES = "deliveries"
    SESSIONS = "sessions"
    ATTEMPTS = "attempts"

    @property
    def label(self) -> str:
        """The Chinese word on the page."""
        return _LABEL[self]

    @property
    def guarded(self) -> bool:
        """Whether it goes through the database's own rule, which leaves a tombstone."""
        return self in (Kept.HAZARDS, Kept.REPORTS, Kept.ACCESS_LOG, Kept.REFUSALS)


_LABEL = {
    Kept.HAZARDS: "隐患档案",
    Kept.REPORTS: "无需处置的上报",
    Kept.ACCESS_LOG: "查看日志",
    Kept.REFUSALS: "拒绝记录",
    Kept.DELIVERIES: "送达记录",
    Kept.SESSIONS: "登录会话",
    Kept.ATTEMPTS: "登录失败计数",
}

_SPAN = re.compile(r"([1-9]\d{0,3}) ?(days|months|years)")
# A record that is kept for longer than a career is kept for ever, which nobody may decide in a configuration.
_MOST_MONTHS = 50 * 12


@dataclass(frozen=True, slots=True)
class Term:
    """A span of the calendar: whole months and whole days, as law counts them."""

    months: int = 0
    days: int = 0

    def before(self, now: datetime) -> datetime:
        """The instant up to which records have been kept for this long; a month that has no such day ends on its last.

        >>> Term(months=6).before(datetime.fromisoformat("2026-08-31T08:00:00+00:00")).date().isoformat()
        '2026-02-28'
        """
        year, month = divmod(now.year * 12 + now.month - 1 - self.months, 12)
        day = min(now.day, calendar.monthrange(year, month + 1)[1])
        moved = now.replace(year=year, month=month + 1, day=day)
        return datetime.fromtimestamp(moved.timestamp() - self.days * 86_400, moved.tzinfo)

    @property
    def least_days(self) -> int:
        """The fewest days that it can be."""
        return self.days + _days(self.months, least=True)

    @property
    def most_days(self) -> int:
        """The most days that it can be."""
        return self.days + _days(self.months, least=False)

    @property
    def said(self) -> str:
        """In Chinese: 3 年, 6 个月, 30 天."""
        if self.days:
            return f"{self.days} 天"
        return f"{self.months // 12} 年" if self.months % 12 == 0 else f"{self.months} 个月"


def _days(months: int, *, least: bool) -> int:
    """Fewest or most days in so many months, wherever in the four years of the calendar they begin."""
    lengths = [calendar.monthrange(2023 + n // 12, n % 12 + 1)[1] for n in range(48)]
    whole, rest = divmod(months, 48)
    sums = [sum(lengths[(start + n) % 48] for n in range(rest)) for start in range(48)]
    return whole * sum(lengths) + (min(sums) if least else max(sums))


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind's floor, whose floor it is, and the term where a city says nothing."""

    floor: Term
    article: str
    term: Term


_RECORDS = "省级隐患排查治理规定（治理档案至少保存三年，自归档起）"
_LOGS = "《网络安全法》第二十一条（网络日志不少于六个月）"
_OURS = "平台规则"

RULES: Mapping[Kept, Rule] = {
    Kept.HAZARDS: Rule(Term(36), _RECORDS, Term(36)),
    # A drill, a passed check: what was reported belongs to the same records, though nobody had to act.
    Kept.REPORTS: Rule(Term(36), _RECORDS, Term(36)),
    # Twice the floor: an inquiry asks about the term before, and begins months after it.
    Kept.ACCESS_LOG: Rule(Term(6), _LOGS, Term(12)),
    # With the hazards that they are about: an attempt against separation of duties is proof like the trail itself.
    Kept.REFUSALS: Rule(Term(6), _LOGS, Term(36)),
    # Whether a notice arrived is asked within the term in which it was sent.
    Kept.DELIVERIES: Rule(Term(days=30), f"{_OURS}（一个学期内可查是否送达）", Term(6)),
    # An ended session proves nothing any more; a week lets its owner see it in a question about yesterday's sign-in.
    Kept.SESSIONS: Rule(Term(days=1), f"{_OURS}（会话十二小时失效）", Term(days=7)),
    # Failures are forgotten after an hour of quiet; a day covers a guess that is spread over a night.
    Kept.ATTEMPTS: Rule(Term(days=1), f"{_OURS}（失败计数一小时后作废）", Term(days=1)),
}


def terms(given: Mapping[str, Any] | None) -> dict[Kept, Term]:
    """The terms in force, from a profile's ``retention`` such as ``{"access_log": "18 months"}``. Raises ``Wrong``."""
    found = {kind: rule.term for kind, rule in RULES.items()}
    for key, value in (given or {}).items():
        if key not in list(Kept):
            raise Wrong(key, f"{key} 无法识别", f"可写 {'、'.join(Kept)}")
        found[Kept(key)] = _checked(Kept(key), value)
    return found


def _checked(kind: Kept, value: object) -> Term:
    match = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise Wrong(kind, f"保存期限 {value!r} 无法识别", '写成 "30 days"、"18 months"、"5 years"')
    count = int(match[1])
    term = Term(days=count) if match[2] == "days" else Term(count * (12 if match[2] == "years" else 1))
    rule = RULES[kind]
    # Months against months exactly; days against months by the longest that the months can be.
    shorter = (
        term.months < rule.floor.months if term.months and rule.floor.months else term.least_days < rule.floor.most_days
    )
    if shorter:
        said = f"{kind.label}的保存期限不得短于 {rule.floor.said}，依据：{rule.article}"
        raise Wrong(kind, said, f"改为不短于 {rule.floor.said}，或删去此项用默认的 {rule.term.said}")
    if term.least_days > _days(_MOST_MONTHS, least=False):
        raise Wrong(kind, f"{kind.label}的保存期限 {value!r} 超过五十年", "改短，或删去此项用默认的")
    return term
