"""Direct judgements: what makes a hazard red whatever its score (教发厅函〔2024〕20号, as listed in the domain's §4).

The table is in ``direct_rules``; here it is looked up. A rule fires where all patterns of one of its ways are found in neighbouring
open clauses and none of its exceptions is. What a drill, a passed check or a solution says is never looked at (``polarity``).
"""

import re
from collections.abc import Sequence

from models.classifier.direct_rules import DIRECT_RULES, GUIDE, DirectRule
from models.classifier.polarity import Clause

__all__ = ["DIRECT_RULES", "GUIDE", "DirectRule", "direct"]

# "走廊停着电动车，还在充电", "幼儿园，4层，大班4个": what belongs together stands within this many clauses.
REACH = 3


class _Compiled:
    """A rule ready for use; ``marks`` are characters of which a text must hold one, far cheaper to look for than the patterns."""

    __slots__ = ("marks", "rule", "unless", "ways")

    def __init__(self, rule: DirectRule) -> None:
        self.rule = rule
        self.marks = frozenset(rule.marks)
        self.ways = tuple(tuple(re.compile(one).search for one in way) for way in rule.ways)
        self.unless = re.compile(rule.unless).search if rule.unless else None

    def fires(self, whole: str, windows: Sequence[str]) -> bool:
        """Whether a way is found in one window; first in the whole, for most texts fail there."""
        for way in self.ways:
            if all(search(whole) for search in way) and any(
                all(search(window) for search in way) and not (self.unless and self.unless(window))
                for window in windows
            ):
                return True
        return False


_COMPILED = tuple(_Compiled(rule) for rule in DIRECT_RULES)


def direct(parts: Sequence[Clause]) -> tuple[DirectRule, ...]:
    """The direct rules that open clauses fulfil, in the table's order."""
    texts = [part.text for part in parts if part.open]
    whole = "，".join(texts)
    if not whole:
        return ()
    hopeful = [one for one in _COMPILED if not one.marks.isdisjoint(whole)]
    if not hopeful:
        return ()
    windows = _windows(parts)
    return tuple(one.rule for one in hopeful if one.fires(whole, windows))


def _windows(parts: Sequence[Clause]) -> list[str]:
    """Stretches of ``REACH`` neighbouring clauses, what is set aside among them left out: "灯坏了，（已修好，）门锁着"."""
    if len(parts) <= REACH:
        return ["，".join(part.text for part in parts if part.open)]
    return [
        "，".join(part.text for part in parts[at : at + REACH] if part.open) for at in range(len(parts) - REACH + 1)
    ]
