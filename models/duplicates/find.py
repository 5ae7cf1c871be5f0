"""Is what is told now known already? Nothing, the same as a known hazard, or perhaps the same (grey: for the assessor to say).

Candidates share the unit and the category, or are of a kind that the report names too. A wrong merge hides a hazard, a missed one costs
a second look: so only what is certain enough is attached.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from uuid import UUID

from models.duplicates import wording
from models.duplicates.flat import flatten
from models.duplicates.score import Evidence, Weights, evidence, rivals, weights
from models.duplicates.wording import Telling
from models.taxonomy import is_confidential

# A resend of the same words months later tells of a recurrence, not of the old hazard.
WINDOW = timedelta(days=30)
# A rectification that is reported again within this time did not hold: the old hazard is opened again. Later, the same
# thing is a recurrence, and a hazard of its own. A week: the shortest term in which a school has walked every round once.
REOPEN_WITHIN = timedelta(days=7)
# The same words from the same person within a day are one report sent twice.
RESEND_WITHIN = timedelta(days=1)
# The last tellings say where a hazard stands; more of them cost time and change little.
TELLINGS = 8
# The classifier gives two tellings of one hazard different kinds about once in five times: odds of one to four.
ACROSS = 0.25
# So many characters of the very same sentence are no chance; 漏水了 is anybody's.
SAME_WORDS = 6
# Where both name things, troubles or places and have none in common, it is for a person to say, unless the words themselves agree.
WORDS_AGREE = 0.25
_KINDS_APART = ("thing_apart", "trouble_apart", "place_apart")


class Sure(StrEnum):
    """How sure: ``same`` is attached, ``grey`` is suggested."""

    SAME = "same"
    GREY = "grey"


@dataclass(frozen=True, slots=True)
class Told:
    """One report of a hazard. ``by``: whoever sent it, as far as the platform can tell them apart."""

    text: str
    place: str | None
    at: datetime
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """An open hazard, or one closed lately, as far as the comparison needs it. ``told``: its reports, oldest first."""

    id: UUID
    unit: str
    subcategory: str
    place: str | None
    text: str
    opened_at: datetime
    closed_at: datetime | None = None
    told: tuple[Told, ...] = ()

    @property
    def tellings(self) -> tuple[Told, ...]:
        """Its last reports; where none is at hand, its own words."""
        return self.told[-TELLINGS:] or (Told(self.text, self.place, self.opened_at),)


@dataclass(frozen=True, slots=True)
class Found:
    """A hazard that a report tells of, or may tell of: ``score`` 0–1, ``reasons`` in Chinese, none of them the report's own words."""

    sure: Sure
    id: UUID
    score: float
    reasons: tuple[str, ...]


# Tens of bytes each; the reports of a busy hour, so that a batch prepares each text once.
@lru_cache(maxsize=8192)
def prepared(text: str, place: str | None) -> Telling:
    """A telling, prepared once."""
    return wording.telling(text, place)


def _counts(candidate: Known, at: datetime) -> bool:
    """Whether a report of now may tell of it: an open one for a month, a closed one for a week after its closing."""
    if candidate.closed_at is not None:
        return at - candidate.closed_at <= REOPEN_WITHIN
    return at - candidate.opened_at <= WINDOW


def _kin(subcategory: str, labels: Collection[str], candidate: Known) -> bool:
    """Whether the kinds can be one hazard's. What is confidential and what is not never meet."""
    if is_confidential(subcategory) is not is_confidential(candidate.subcategory):
        return False
    return candidate.subcategory[:2] == subcategory[:2] or candidate.subcategory in labels


def find(
    unit: str,
    subcategory: str,
    place: str | None,
    text: str,
    at: datetime,
    known: Iterable[Known],
    labels: Collection[str] = (),
    model: Weights | None = None,
) -> Found | None:
    """The known hazard that a report tells of (``same``) or may tell of (``grey``), or None. The likeliest one wins."""
    new = prepared(text, place)
    if not new.flat:
        return None
    model = model or weights()
    of_unit = [one for one in known if one.unit == unit and _counts(one, at) and _kin(subcategory, labels, one)]
    looked = [(one, look(new, one, at)) for one in of_unit]
    left = [(one, seen) for one, seen in looked if seen.veto is None]
    scored = zip(left, rivals([seen for _, seen in left]), strict=True)
    best = max(
        ((_score(new, one, seen, values, subcategory, model), one, seen) for (one, seen), values in scored),
        key=lambda each: each[0],
        default=None,
    )
    if best is None or best[0] < model.grey:
        return None
    score, one, seen = best
    sure = Sure.SAME if score >= model.same and not _unsure(seen, subcategory) else Sure.GREY
    return Found(sure, one.id, round(score, 4), _reasons(new, one, score))


def look(new: Telling, candidate: Known, at: datetime) -> Evidence:
    """What speaks for and against a report telling of a candidate."""
    told = candidate.tellings
    tellings = [prepared(one.text, one.place) for one in told]
    return evidence(new, tellings, at - told[-1].at, at - candidate.opened_at)


def _score(
    new: Telling, one: Known, seen: Evidence, values: dict[str, float], subcategory: str, model: Weights
) -> float:
    if len(new.flat) >= SAME_WORDS and any(flatten(told.text) == new.flat for told in one.tellings):
        return 1.0
    score = model.score(values)
    if one.subcategory != subcategory:
        score = score * ACROSS / (1 - score + score * ACROSS)
    return score


def _unsure(seen: Evidence, subcategory: str) -> bool:
    """Whether a likely one is for a person to say all the same. In a confidential lane that is so for all but like words: a child's cry that
    is put to another child's is not heard."""
    if seen.values["pairs_most"] >= WORDS_AGREE:
        return False
    return is_confidential(subcategory) or any(seen.values[name] for name in _KINDS_APART)


_SAYS = {"thing": "同一事物", "trouble": "同一情形", "place": "同一处所"}


def _reasons(new: Telling, one: Known, score: float) -> tuple[str, ...]:
    tellings: Sequence[Telling] = [prepared(told.text, told.place) for told in one.tellings]
    said = [
        f"{label}：{'、'.join(common)}"
        for kind, label in _SAYS.items()
        if (common := sorted(new.words[kind] & frozenset().union(*(each.words[kind] for each in tellings))))
    ]
    return (*said, f"相似度 {score:.2f}")


def is_resend(unit: str, place: str | None, text: str, by: str | None, at: datetime, known: Known) -> bool:
    """Whether a report is one of the hazard's own sent again: the same sender, unit, words and place within a day."""
    if by is None or known.unit != unit:
        return False
    same = (flatten(text), flatten(place or ""))
    return any(
        told.by == by and abs(at - told.at) <= RESEND_WITHIN and (flatten(told.text), flatten(told.place or "")) == same
        for told in known.told
    )
