"""One look: all detectors over what is known now. The keeper and the simulated year look with the same eyes."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from models.warnings import cluster, recurrence, surge
from models.warnings.cluster import Ground, Standing
from models.warnings.findings import ALL, Finding, Seen
from models.warnings.rhythm import Rhythm
from models.warnings.words import Usual

# The longest window of surge and cluster.
RECENT = max(*surge.WINDOWS, *cluster.WINDOWS)


@dataclass(frozen=True, slots=True)
class Known:
    """What is learnt once a day, or an hour: rhythm, ground, usual words."""

    rhythm: Rhythm
    ground: Ground
    usual: Usual = field(default_factory=lambda: Usual(()))


def cells(recent: Iterable[Seen]) -> dict[tuple[str, str], list[Seen]]:
    """Hazards by unit and category, and by unit over all open categories."""
    found: dict[tuple[str, str], list[Seen]] = defaultdict(list)
    for seen in recent:
        found[seen.unit, seen.category].append(seen)
        if not seen.confidential:
            found[seen.unit, ALL].append(seen)
    return found


def counted(
    recent: Sequence[Seen], known: Known, standing: Sequence[Standing], now: datetime, new: Sequence[Seen] | None = None
) -> list[Finding]:
    """Surges and clusters among the hazards of the last week; with ``new``, only where these can have changed something."""
    by_cell = cells(recent)
    touched = list(by_cell) if new is None else list(cells(new))
    categories = sorted({seen.category for seen in (recent if new is None else new)})
    return [
        *surge.find(by_cell, known.rhythm, touched, now),
        *cluster.find(recent, known.rhythm, known.ground, known.usual, standing, now, categories),
    ]


def recurring(new: Sequence[Seen], before: Iterable[Seen], now: datetime) -> list[Finding]:
    """Recurrences among new hazards. ``before``: hazards with a closing of the last three months."""
    closed: Mapping[tuple[str, str], list[Seen]] = defaultdict(list)
    wanted = {(seen.unit, seen.subcategory) for seen in new}
    for seen in before:
        if (
            (seen.unit, seen.subcategory) in wanted
            and seen.closed_at is not None
            and now - seen.closed_at <= recurrence.WITHIN + timedelta(days=31)
        ):
            closed[seen.unit, seen.subcategory].append(seen)
    return recurrence.find(new, closed, now)
