"""Surge (突增): more hazards of one group at one unit than its own rhythm explains."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from models.taxonomy import categories
from models.warnings import grades
from models.warnings.findings import ALL, GROUPS, LEAST_TOLD, Finding, Kind, Seen, is_lane
from models.warnings.rhythm import Array, Rhythm
from models.warnings.tails import tail

# A day, three days, a week: from a burst to a slow rise.
WINDOWS = (timedelta(days=1), timedelta(days=3), timedelta(days=7))
# False surges that a unit may get in a quarter. The whole platform is to stay below one; recurrence, pile-up, cluster and forecast share the rest.
BUDGET = 0.3
# Overlapping windows of a week on 91 days are worth some 26 independent looks at each length (a day's window 91, three
# days' 30, a week's 13: 134 in all, which are correlated, about half). The budget is shared evenly: Bonferroni's bound.
_LOOKS = 70
ALPHA = BUDGET / (len(GROUPS) * _LOOKS)
# Two are a pair, not a surge.
LEAST = 3


def find(
    recent: Mapping[tuple[str, str], Sequence[Seen]], rhythm: Rhythm, cells: Iterable[tuple[str, str]], now: datetime
) -> list[Finding]:
    """Surges among these (unit, group) cells. ``recent``: hazards of the last week by unit and category, ``ALL`` included."""
    if not rhythm.enough:
        return []
    fractions = [rhythm.fractions(now - window, now) for window in WINDOWS]
    found = []
    for unit, group in cells:
        if unit in rhythm.units and (
            finding := _one(unit, group, recent.get((unit, group), ()), rhythm, fractions, now)
        ):
            found.append(finding)
    return found


def _one(
    unit: str, group: str, hazards: Sequence[Seen], rhythm: Rhythm, fractions: Sequence[Array], now: datetime
) -> Finding | None:
    best: tuple[float, timedelta, float, list[Seen]] | None = None
    for window, part in zip(WINDOWS, fractions, strict=True):
        inside = [seen for seen in hazards if now - window < seen.opened_at <= now]
        if len(inside) < (LEAST_TOLD if is_lane(group) else LEAST):
            continue
        usual = rhythm.one(unit, group, part)
        chance = tail(len(inside), usual.mean, usual.variance)
        if chance <= ALPHA and (best is None or chance < best[0]):
            best = (chance, window, usual.mean, inside)
    return None if best is None else _finding(unit, group, *best)


def _finding(unit: str, group: str, chance: float, window: timedelta, usual: float, inside: Sequence[Seen]) -> Finding:
    grade, reason = grades.surge(inside, usual)
    name = "各类合计" if group == ALL else f"“{categories()[group]}”"
    subcategory = grades.commonest(inside)
    return Finding(
        kind=Kind.SURGE,
        key=f"surge:{unit}:{group}",
        unit=unit,
        units=(unit,),
        grade=grade,
        reason=reason,
        sentence=f"{name}{window.days} 天 {len(inside)} 件，按本单位规律约 {usual:.1f} 件；偶然出现的可能为{odds(chance)}",
        subcategory=subcategory,
        evidence={
            "group": group,
            "days": window.days,
            "count": len(inside),
            "expected": round(usual, 2),
            "chance": float(f"{chance:.2g}"),
        },
        hazards=() if is_lane(group) else tuple(seen.id for seen in inside),
    )


def odds(chance: float) -> str:
    """A chance as people read it: 万分之三."""
    if chance >= 1e-3:
        return f"千分之{chance * 1e3:.0f}"
    return f"万分之{chance * 1e4:.0f}" if chance >= 1e-4 else "万分之一以下"
