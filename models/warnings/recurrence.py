"""Recurrence (复发): the same unit, place and subcategory again within 90 days after closing (domain §7, 重复发生率)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from models.duplicates import SIMILAR, flatten, same_place, similarity
from models.taxonomy import subcategory
from models.warnings import grades
from models.warnings.findings import Finding, Kind, Seen

WITHIN = timedelta(days=90)
# A place of fewer characters (食堂, 操场) is half the campus: two hazards there are two, unless the words agree.
LEAST_PLACE = 4
# The words of two reports of one fault, by two people, weeks apart. Far below what makes a duplicate, above what two faults share.
SAME_FAULT = 0.12
# Told of while the hazard is young (streams/warn.py), so that a month is for good; the next recurrence is another hazard and key.
_REST = timedelta(days=30)


def find(new: Iterable[Seen], closed: Mapping[tuple[str, str], Sequence[Seen]], now: datetime) -> list[Finding]:
    """Recurrences among new hazards. ``closed``: hazards of the last months with a closing, by unit and subcategory."""
    found = []
    for seen in new:
        if seen.confidential or seen.text is None:
            continue
        before = [one for one in closed.get((seen.unit, seen.subcategory), ()) if _again(one, seen)]
        if before:
            found.append(_finding(seen, sorted(before, key=lambda one: one.opened_at)))
    return found


def _again(before: Seen, seen: Seen) -> bool:
    if before.id == seen.id or before.closed_at is None or before.text is None or seen.text is None:
        return False
    if not timedelta(0) <= seen.opened_at - before.closed_at <= WITHIN:
        return False
    # Without a place on both nothing is "the same place": two calls of a swindler are two.
    if not same_place(before.place, seen.place):
        return False
    named = min(len(flatten(before.place or "")), len(flatten(seen.place or ""))) >= LEAST_PLACE
    return similarity(before.text, seen.text) >= (SAME_FAULT if named else SIMILAR)


def _finding(seen: Seen, before: Sequence[Seen]) -> Finding:
    last = max(before, key=lambda one: one.closed_at or one.opened_at)
    days = (seen.opened_at - last.closed_at).days if last.closed_at else 0
    times = len(before) + 1
    grade, reason = grades.recurrence(seen.level, times)
    return Finding(
        kind=Kind.RECURRENCE,
        key=f"recurrence:{seen.id}",
        unit=seen.unit,
        units=(seen.unit,),
        grade=grade,
        reason=reason,
        sentence=f"“{subcategory(seen.subcategory).name}”在同一处销号 {days} 天后再次出现，第 {times} 次；上次整改未能根除",
        subcategory=seen.subcategory,
        evidence={"days_after_closing": days, "times": times},
        hazards=(seen.id, *(one.id for one in before)),
        rest=_REST,
    )
