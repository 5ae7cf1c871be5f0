"""A hazard as the platform keeps it, and what is told of it on ``risk.hazards`` and the live stream."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from models import privacy
from models.chain import Chain, step_for_level
from models.gates import Facts
from models.levels import Level
from models.loop import State
from models.policy import Kind, held
from models.taxonomy import is_confidential, subcategory

SCHEMA = 1


@dataclass(frozen=True, slots=True)
class Hazard:
    """One hazard: the row of the table, typed. Instants in UTC; ``step`` counts from the bottom of ``chain``.

    ``policy`` is the text of the deadline policy in force when it opened (``models.policy.held`` reads it). ``minors``: a
    report of it says that minors are involved; then it holds no words (``shielded``).
    """

    id: UUID
    unit: str
    unit_path: str
    subcategory: str
    level: Level
    state: State
    text: str
    place: str | None
    chain: Chain
    step: int
    direct: bool
    major: bool
    listed: bool
    drill: bool
    report_count: int
    confidence: float | None
    machine_subcategory: str | None
    machine_level: Level | None
    model: str | None
    reasons: tuple[str, ...]
    merged_into: UUID | None
    reporters: frozenset[str]
    handlers: frozenset[str]
    settlements: Mapping[str, str] | None
    lowering: Mapping[str, Any] | None
    extension: Mapping[str, Any] | None
    opened_at: datetime
    assessed_at: datetime | None
    dispatched_at: datetime | None
    submitted_at: datetime | None
    closed_at: datetime | None
    archived_at: datetime | None
    version: int
    trail_hash: bytes
    policy: str | None = None
    minors: bool = False

    @property
    def confidential(self) -> bool:
        """Whether it lies in a confidential lane."""
        return is_confidential(self.subcategory)

    @property
    def tier(self) -> str:
        """The tier that holds it now."""
        return self.chain.at(self.step).tier

    @property
    def stands_at(self) -> str:
        """The unit that holds it now."""
        return self.chain.at(self.step).unit

    @property
    def routed(self) -> bool:
        """Whether it stands at the tier that its level asks for, or higher."""
        return self.step >= step_for_level(self.level, self.chain)

    def facts(self) -> Facts:
        """What the loop's gates look at."""
        return Facts(
            state=self.state,
            level=self.level,
            direct=self.direct,
            major=self.major,
            review_owed=held(self.policy).spans[self.level][Kind.REVIEW] is not None,
            reporters=self.reporters,
            handlers=self.handlers,
            settlements=self.settlements,
            lowering=self.lowering,
            extension=self.extension,
            merged=self.merged_into is not None,
        )


def shielded(hazard: Hazard) -> Hazard:
    """The hazard without a word about minors: they stand in the reports and the trail alone, which are closed.

    Level, category, unit and deadlines stay, so that every tier can work on it; one without minors comes back as it is.
    """
    if not hazard.minors:
        return hazard
    words = privacy.closed_words()
    return replace(
        hazard,
        text=privacy.closed_words(subcategory(hazard.subcategory).name),
        place=None,
        # Reasons quote the report's own words.
        reasons=(),
        settlements=hazard.settlements and dict.fromkeys(hazard.settlements, words),
        lowering=_unworded(hazard.lowering),
        extension=_unworded(hazard.extension),
    )


def _unworded(proposal: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    return proposal and {name: value for name, value in proposal.items() if name != "reason"}


# Of what came with an action, Kafka is told ids, codes, tiers and instants. Words and people stay in the database.
_TOLD = (
    "report", "subcategory", "category", "level", "direct", "confidence", "labels", "model", "into", "kind", "round",
    "due_at", "until", "approve", "on", "proposed", "to_step", "from_unit", "from_tier", "to_unit", "to_tier",
)  # fmt: skip


def notice(hazard: Hazard, action: str, at: datetime, data: Mapping[str, Any]) -> dict[str, Any]:
    """The record on ``risk.hazards``: what changed and where the hazard stands. No text, no person."""
    return {
        "schema": SCHEMA,
        "id": str(hazard.id),
        "seq": hazard.version,
        "action": action,
        "at": at.isoformat(),
        "unit": hazard.unit,
        "subcategory": hazard.subcategory,
        "level": hazard.level.value,
        "state": hazard.state.value,
        "tier": hazard.tier,
        "step": hazard.step,
        "data": {name: data[name] for name in _TOLD if name in data},
    }


def ticker(hazard: Hazard, kind: str, at: datetime) -> dict[str, Any]:
    """One line of the live stream. Never the reporter's own words: no mask knows every name that somebody may write."""
    label = subcategory(hazard.subcategory).name
    return {
        "at": at.isoformat(),
        "kind": kind,
        "id": str(hazard.id),
        "unit": hazard.unit,
        "unit_name": hazard.chain.at(0).name,
        "path": hazard.unit_path,
        "subcategory": hazard.subcategory,
        "label": label,
        "level": hazard.level.value,
        "state": hazard.state.value,
        "phase": hazard.state.phase,
        "tier": hazard.tier,
        "summary": privacy.excerpt(f"{label}·{hazard.place}" if hazard.place else label),
    }
