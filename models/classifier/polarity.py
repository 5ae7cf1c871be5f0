"""What raises nothing: drills, passed checks, solved matters, denied rumours, plans and questions — judged clause by clause.

"A栋演练正常，但B栋安全出口被锁" is a drill and a finding: only the first half is set aside. A rule may set aside too little (the
assessor then rejects a report), it should never set aside a finding; so every rule has guards. Quantifiers are bounded and never
nested, and ``[^，]`` keeps a pattern within its clause: a text of 2,000 characters takes a few milliseconds whatever it holds.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from models.classifier import polarity_words as words


class Status(StrEnum):
    """Why a clause raises nothing; ``OPEN`` is everything else."""

    OPEN = "open"
    DRILL = "drill"
    TALK = "talk"
    SOLVED = "solved"
    PASSED = "passed"
    DENIED = "denied"
    PLAN = "plan"
    QUESTION = "question"
    TALE = "tale"


LABELS = {
    Status.DRILL: "演练",
    Status.TALK: "培训或宣传",
    Status.SOLVED: "已处置或已整改",
    Status.PASSED: "检查正常或合格",
    Status.DENIED: "已核实不属实",
    Status.PLAN: "计划、通知或假设",
    Status.QUESTION: "咨询",
    Status.TALE: "转述他处或虚构",
}


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a text and its status."""

    text: str
    status: Status

    @property
    def open(self) -> bool:
        """Whether it may be a finding."""
        return self.status is Status.OPEN


_RULES = (
    (Status.DRILL, words.DRILL),
    (Status.TALK, words.TALK),
    (Status.DENIED, words.DENIED),
    (Status.SOLVED, words.SOLVED),
    (Status.PASSED, words.PASSED),
    (Status.PLAN, words.SUPPOSED),
)


def _status(clause: str, rules: tuple[tuple[Status, re.Pattern[str]], ...]) -> Status:
    """The status of one clause by the rules that may apply, guards first."""
    if words.STILL.search(clause) and not words.UNHURT.search(clause):
        return Status.OPEN
    for found, pattern in rules:
        if pattern.search(clause):
            if found is Status.TALK and words.LACK.search(clause):
                continue
            if found is Status.DRILL and words.REVEALED.search(clause):
                return Status.OPEN
            if found is Status.SOLVED and words.NOT_YET.search(clause):
                continue
            if found is not Status.DENIED and words.HARM.search(clause) and not words.UNHURT.search(clause):
                return Status.OPEN
            return found
    return Status.OPEN


def clauses(cleaned: str) -> tuple[Clause, ...]:
    """The clauses of a cleaned text. A drill covers its stretch up to a turn (但, 另外…) or a finding; a solution or a denial covers
    what comes before it; a rumour that was checked, a plan, a question and a tale cover the whole text."""
    stretches = [
        [part for part in map(str.strip, words.CLAUSE.split(stretch)) if part] for stretch in words.TURNS.split(cleaned)
    ]
    flat = "，".join([part for texts in stretches for part in texts])
    rules = tuple(rule for rule in _RULES if rule[1].search(flat))
    whole = _whole(cleaned, flat)
    if whole is None and not rules:
        return tuple([Clause(part, Status.OPEN) for texts in stretches for part in texts])
    parts: list[Clause] = []
    for texts in stretches:
        found = _covered(texts, [_status(part, rules) for part in texts])
        parts += [Clause(text, one) for text, one in zip(texts, found, strict=True)]
    if whole is not None and not any(words.STILL.search(part.text) for part in parts):
        parts = [Clause(part.text, whole) if part.open else part for part in parts]
    return tuple(parts)


def _whole(cleaned: str, flat: str) -> Status | None:
    """What a text is as a whole, where nothing in it reports anything."""
    if (
        words.RUMOUR.search(flat)
        and (checked := words.CHECKED.search(flat))
        and not words.CONFIRMED.search(flat[checked.start() :])
    ):
        return Status.DENIED
    if (other := words.RATHER.match(flat)) and not words.DEFECT.search(flat, other.end()):
        return Status.DENIED
    if words.TALE.search(flat):
        return Status.TALE if not words.OURS.search(flat) else None
    asked, planned, taught = words.ASKED.search(cleaned), words.PLAN.search(flat), words.LESSON.match(flat)
    if (asked or planned or taught) and not words.REPORT.search(flat):
        return Status.QUESTION if asked else Status.PLAN if planned else Status.TALK
    return None


def _covered(texts: list[str], found: list[Status]) -> list[Status]:
    """A stretch with what its drill, solution or denial covers."""
    if Status.DRILL in found:
        over = harmed = False
        covered = []
        for text, one in zip(texts, found, strict=True):
            harmed = harmed or bool(words.HARM.search(text) and not words.UNHURT.search(text))
            real = over and bool(words.DEFECT.search(text))
            stays = one is Status.OPEN and (harmed or real or words.FOUND.search(text) or words.STILL.search(text))
            over = over or bool(words.DRILL_OVER.search(text) or stays)
            covered.append(one if stays or one is not Status.OPEN else Status.DRILL)
        found = covered
    for kind in (Status.SOLVED, Status.DENIED):
        if kind in found:
            last = len(found) - 1 - found[::-1].index(kind)
            # What is wrong after a solution was not solved by it, and neither, perhaps, was what comes before.
            after = any(
                one is Status.OPEN and words.DEFECT.search(text)
                for text, one in zip(texts[last + 1 :], found[last + 1 :], strict=True)
            )
            reach = 1 if after else last
            found = [
                kind
                if one is Status.OPEN
                and last - reach <= at < last
                and not (
                    words.STILL.search(texts[at]) and not (kind is Status.DENIED and words.RUMOUR.match(texts[at]))
                )
                and not (words.HARM.search(texts[at]) and kind is Status.SOLVED)
                else one
                for at, one in enumerate(found)
            ]
    return found


def defective(text: str) -> bool:
    """Whether a text holds any word of a defect, harm or breach."""
    return bool(words.DEFECT.search(text))
