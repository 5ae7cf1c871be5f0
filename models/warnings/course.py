"""The course of a warning: opened by a finding, kept while it holds, raised, closed when the cause has been gone for days."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from models.levels import Level
from models.warnings.findings import Finding, Kind


class Status(StrEnum):
    """Where a warning stands. Acknowledged is not closed: somebody knows, and the cause goes on."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


class Outcome(StrEnum):
    """How a warning ended: by itself, dealt with, or a mistake of ours. False ones are counted."""

    GONE = "gone"
    HANDLED = "handled"
    FALSE = "false"

    @property
    def label(self) -> str:
        """The Chinese word on the page."""
        return {Outcome.GONE: "自行消除", Outcome.HANDLED: "已处置", Outcome.FALSE: "误报"}[self]


# How long a cause must be gone. A surge's window ends by itself, a weekend must not end a pile-up; weather ends on its hour.
GONE_AFTER: Mapping[Kind, timedelta] = {
    Kind.SURGE: timedelta(days=3),
    Kind.RECURRENCE: timedelta(days=3),
    Kind.CLUSTER: timedelta(days=3),
    Kind.PILEUP: timedelta(days=3),
    Kind.WEATHER: timedelta(0),
    Kind.FORECAST: timedelta(days=3),
}


@dataclass(frozen=True, slots=True)
class Held:
    """A warning that is not closed, or whose key still rests after a person closed it (``rests_until``)."""

    key: str
    kind: Kind
    grade: Level
    held_at: datetime
    rests_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Steps:
    """What a look changes: findings to open; findings that go on, with whether they raise the grade; keys that are over."""

    open: tuple[Finding, ...]
    go_on: tuple[tuple[Finding, bool], ...]
    gone: tuple[str, ...]


def steps(findings: Iterable[Finding], held: Sequence[Held], looked: Iterable[Kind], now: datetime) -> Steps:
    """Compare what is found now with what is held. ``looked``: kinds that this look examined in full; others do not end.

    A key that rests opens again only for a graver finding than the one that was closed.
    """
    known = {one.key: one for one in held}
    opened, going = [], []
    found: dict[str, Finding] = {}
    for finding in findings:
        # Two detectors of one cause: the graver counts.
        if finding.key not in found or finding.grade.rank < found[finding.key].grade.rank:
            found[finding.key] = finding
    for key, finding in found.items():
        before = known.get(key)
        if before is None or (before.rests_until is not None and finding.grade.rank < before.grade.rank):
            opened.append(finding)
        elif before.rests_until is None:
            going.append((finding, finding.grade.rank < before.grade.rank))
    kinds = frozenset(looked)
    gone = [
        one.key
        for one in held
        if one.rests_until is None
        and one.kind in kinds
        and one.key not in found
        and now - one.held_at >= GONE_AFTER[one.kind]
    ]
    return Steps(tuple(opened), tuple(going), tuple(gone))
