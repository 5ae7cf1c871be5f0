"""The grade of a warning, by rule and with its reason. A working reading (暂定口径), in one place so that it can be changed."""

from collections import Counter
from collections.abc import Sequence

from models.levels import Level
from models.taxonomy import OTHER
from models.warnings.findings import Seen

Graded = tuple[Level, str]


def commonest(hazards: Sequence[Seen]) -> str:
    """The subcategory that most of them have, the first by code where several do; ``9900`` of none."""
    counts = Counter(seen.subcategory for seen in hazards)
    return min(counts, key=lambda code: (-counts[code], code)) if counts else OTHER


def surge(hazards: Sequence[Seen], expected: float) -> Graded:
    """By what the hazards themselves are, then by how far they exceed the rhythm."""
    red, orange = _many(hazards, Level.RED), _many(hazards, Level.ORANGE)
    if red >= 3:
        return Level.RED, f"其中红色 {red} 件"
    if red or orange >= 3:
        return Level.ORANGE, f"其中红色 {red} 件、橙色 {orange} 件"
    if len(hazards) >= 10 and len(hazards) >= 5 * expected:
        return Level.ORANGE, "达到平时五倍以上且不少于十件"
    if all(seen.level is Level.BLUE for seen in hazards):
        return Level.BLUE, "均为蓝色隐患"
    return Level.YELLOW, "超出本单位规律"


def recurrence(level: Level, times: int) -> Graded:
    """By the hazard that came back, and how often it did."""
    if level.urgent or times >= 3:
        return Level.ORANGE, f"{level.label}色隐患第 {times} 次出现"
    return (Level.BLUE if level is Level.BLUE else Level.YELLOW), f"{level.label}色隐患第 {times} 次出现"


def cluster(hazards: Sequence[Seen], units: int, *, shared: bool) -> Graded:
    """What crosses units is graver than what does not: orange where it is wide, urgent, or has one source."""
    if _many(hazards, Level.RED) and units >= 3:
        return Level.RED, f"涉及 {units} 个单位，其中有红色隐患"
    if shared:
        return Level.ORANGE, f"涉及 {units} 个单位，线索相同"
    if units >= 6 or _many(hazards, Level.ORANGE):
        return Level.ORANGE, f"涉及 {units} 个单位"
    return Level.YELLOW, f"涉及 {units} 个单位，暂无红、橙色隐患"


def pileup(overdue: Sequence[Level]) -> Graded:
    """By the gravest that is overdue."""
    red = sum(level is Level.RED for level in overdue)
    if red >= 3:
        return Level.RED, f"超期的红色隐患 {red} 件"
    if any(level.urgent for level in overdue):
        return Level.ORANGE, "超期的有红、橙色隐患"
    return Level.YELLOW, "超期件数超出本单位常态"


# The index's own scale: the city's median unit stands at 50 (models/risk.py), 80 is 2.3 times its raw figure, 90 is 3.3 times.
FORECAST_LEVELS: tuple[tuple[float, Level], ...] = ((90.0, Level.ORANGE), (80.0, Level.YELLOW))


def weather(severity: Level, related: int, urgent: int) -> Graded:
    """As the weather service graded it; one step graver where the ground is not ready for it."""
    if severity is not Level.RED and urgent >= 3:
        graver = {Level.BLUE: Level.YELLOW, Level.YELLOW: Level.ORANGE, Level.ORANGE: Level.RED}[severity]
        return graver, f"气象部门{severity.label}色预警；相关红、橙色隐患尚有 {urgent} 件未销号，提高一级"
    return severity, f"气象部门{severity.label}色预警；相关隐患尚有 {related} 件未销号"


def _many(hazards: Sequence[Seen], level: Level) -> int:
    return sum(seen.level is level for seen in hazards)
