"""How a judged report becomes a hazard: level, chain, deadlines and the first event of its trail."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from models.chain import snapshot
from models.deadlines import Clock, Kind, effects
from models.events import GENESIS, Event, link
from models.hazards import Hazard, shielded
from models.judgement import Judgement
from models.levels import Level, gravest
from models.loop import Action, State
from models.reports import Report
from models.roles import system
from models.transition import as_stored
from models.units import Unit

_CLASSIFY = system("classify")


@dataclass(frozen=True, slots=True)
class Opening:
    """A new hazard with its first event and its first deadlines, as ``(kind, due)``."""

    hazard: Hazard
    event: Event
    deadlines: tuple[tuple[Kind, datetime], ...]


def is_quiet(report: Report, judgement: Judgement) -> bool:
    """Whether a report raises nothing: a drill, a passed check, something solved or denied.

    An officer who names a level has judged with their own eyes: then the machine's "nothing here" does not silence it.
    """
    return report.drill or (not judgement.raises and report.level is None)


def graded(report: Report, judgement: Judgement) -> tuple[str, Level]:
    """Subcategory and level to open with: what the officer named counts, and the graver of both levels."""
    levels = [judgement.level] if report.level is None else [judgement.level, report.level]
    return report.category or judgement.subcategory, gravest(levels)


def open_hazard(
    id: UUID,
    report: Report,
    judgement: Judgement,
    upward: Sequence[Unit],
    received_at: datetime,
    reporter: str | None,
    now: datetime,
    clock: Clock,
    people: Mapping[str, Mapping[str, Sequence[str]]] | None = None,
) -> Opening:
    """The hazard that a report opens. Deadlines count from ``received_at``, when the platform could first know.

    The policy in force now is kept with the hazard and counts for its life, as are the chain and the ``people`` on duty in it.
    """
    subcategory, level = graded(report, judgement)
    chain = snapshot(upward, people)
    clock = clock.at(upward[0].path)
    hazard = Hazard(
        id=id,
        unit=report.unit,
        unit_path=upward[0].path,
        subcategory=subcategory,
        level=level,
        state=State.REPORTED,
        text=report.text,
        place=report.place,
        chain=chain,
        step=0,
        direct=judgement.direct,
        major=level is Level.RED,
        listed=False,
        drill=report.drill,
        report_count=1,
        confidence=judgement.confidence,
        machine_subcategory=judgement.subcategory,
        machine_level=judgement.level,
        model=judgement.model,
        reasons=tuple(judgement.reasons),
        merged_into=None,
        reporters=frozenset({reporter} if reporter else ()),
        handlers=frozenset(),
        settlements=None,
        lowering=None,
        extension=None,
        opened_at=received_at,
        assessed_at=None,
        dispatched_at=None,
        submitted_at=None,
        closed_at=None,
        archived_at=None,
        version=0,
        trail_hash=GENESIS,
        policy=clock.policy.text(),
        minors=bool(report.minors_involved),
    )
    event = Event(
        hazard=id,
        seq=1,
        at=now,
        action=Action.OPEN,
        actor=_CLASSIFY.id,
        role=_CLASSIFY.role,
        before=None,
        after=State.REPORTED,
        data=as_stored(
            {
                "report": str(report.id),
                "subcategory": subcategory,
                "level": level,
                "direct": judgement.direct,
                "confidence": round(judgement.confidence, 4),
                "labels": list(judgement.labels),
                "model": judgement.model,
                "minors": report.minors_involved or None,
            }
        ),
    )
    return Opening(
        hazard=replace(shielded(hazard), version=1, trail_hash=link(GENESIS, event)),
        event=event,
        deadlines=tuple(
            (kind, due)
            for kind in effects(Action.OPEN, None, State.REPORTED).begin
            # Where the chain has no higher tier there is nobody to report to.
            if not (kind is Kind.REPORT and chain.top == 0) and (due := clock.due(kind, level, received_at)) is not None
        ),
    )
