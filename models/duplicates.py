"""One hazard, many reports: is what is told now known already? (design §5, first version)

Candidates share the unit and the subcategory; a place that both name must agree; then the texts' character pairs are
compared. What is certain enough is attached, what is not opens a hazard of its own: a wrong merge hides a hazard, a
missed one costs a second look.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

# Two witnesses of one thing share about half of their character pairs; two things at one unit share far less.
SIMILAR = 0.5
# With the place agreed, less of the wording need agree.
SIMILAR_AT_PLACE = 0.25
# A resend of the same words months later tells of a recurrence, not of the old hazard.
WINDOW = timedelta(days=30)

# A rectification that is reported again within this time did not hold: the old hazard is opened again. Later, the same
# thing is a recurrence, and a hazard of its own. A week: the shortest term in which a school has walked every round once.
REOPEN_WITHIN = timedelta(days=7)

_NOISE = re.compile(r"[^0-9a-z\u4e00-\u9fff]+")


@dataclass(frozen=True, slots=True)
class Known:
    """An open hazard, or one closed lately, as far as the comparison needs it."""

    id: UUID
    unit: str
    subcategory: str
    place: str | None
    text: str
    opened_at: datetime
    closed_at: datetime | None = None


def flatten(text: str) -> str:
    """Text without what differs between two tellings of the same words: width, case, white space, punctuation."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", text).lower())


def similarity(one: str, other: str) -> float:
    """Jaccard similarity of character pairs, 0–1."""
    a, b = _pairs(flatten(one)), _pairs(flatten(other))
    return len(a & b) / len(a | b) if a and b else float(flatten(one) == flatten(other) != "")


def _pairs(flat: str) -> frozenset[str]:
    return frozenset(flat[i : i + 2] for i in range(len(flat) - 1)) if len(flat) > 1 else frozenset(flat)


def same_place(one: str | None, other: str | None) -> bool | None:
    """Whether two places agree; None where one of them is not given or says nothing."""
    if not one or not other:
        return None
    a, b = sorted((flatten(one), flatten(other)), key=len)
    if not a:
        return None
    # Within a longer place, but not within its number: 2层 is in 3号楼2层, and not in 12层.
    before, after = (r"(?<!\d)" if a[0].isdigit() else ""), (r"(?!\d)" if a[-1].isdigit() else "")
    return re.search(before + re.escape(a) + after, b) is not None


def _counts(candidate: Known, at: datetime) -> bool:
    """Whether a report of now may tell of it: an open one for a month, a closed one for a week after its closing."""
    if candidate.closed_at is not None:
        return at - candidate.closed_at <= REOPEN_WITHIN
    return at - candidate.opened_at <= WINDOW


def find(
    unit: str, subcategory: str, place: str | None, text: str, at: datetime, known: Iterable[Known]
) -> UUID | None:
    """The open hazard that a report tells of, or None. The most similar one wins."""
    best: tuple[float, UUID] | None = None
    for candidate in known:
        if candidate.unit != unit or candidate.subcategory != subcategory or not _counts(candidate, at):
            continue
        agreed = same_place(place, candidate.place)
        if agreed is False:
            continue
        score = similarity(text, candidate.text)
        if score >= (SIMILAR_AT_PLACE if agreed else SIMILAR) and (best is None or score > best[0]):
            best = (score, candidate.id)
    return best[1] if best else None
