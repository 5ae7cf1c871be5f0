"""Cases like the one that somebody is typing: what was reported in the same words before, and what became of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from models.duplicates import similarity
from models.privacy import excerpt
from store.db import Connection

# Cases are compared one by one; the newest of a kind tell more than those of years ago.
_LOOKED_AT = 300
_SHOWN = 3
# Below a tenth of shared character pairs two texts share their grammar and no matter.
_LIKE = 0.1


@dataclass(frozen=True, slots=True)
class Case:
    """One earlier hazard, as far as its reader may see it. ``remedy``: what was done, in the handler's words, masked."""

    id: UUID
    unit: str
    text: str
    state: str
    level: str
    opened_at: datetime
    likeness: float
    remedy: str | None

    def as_dict(self) -> dict[str, Any]:
        """For the API."""
        return {
            "id": str(self.id),
            "unit": self.unit,
            "text": self.text,
            "state": self.state,
            "level": self.level,
            "opened_at": self.opened_at.isoformat(),
            "likeness": round(self.likeness, 3),
            "remedy": self.remedy,
        }


async def cases(conn: Connection, subcategory: str, text: str) -> list[Case]:
    """The most similar hazards of a subcategory. To be asked as a reader (``store.scope.reading``): the database decides what they see."""
    cur = await conn.execute(
        "SELECT id, unit, text, state, level, opened_at FROM hazards WHERE subcategory = %s AND NOT confidential AND NOT minors "
        "AND state NOT IN ('rejected', 'merged') ORDER BY opened_at DESC LIMIT %s",
        (subcategory, _LOOKED_AT),
    )
    rows = [(similarity(text, row["text"]), row) for row in await cur.fetchall()]
    best = sorted((pair for pair in rows if pair[0] >= _LIKE), key=lambda pair: -pair[0])[:_SHOWN]
    remedies = await _remedies(conn, [row["id"] for _, row in best])
    return [
        Case(**row | {"text": excerpt(row["text"])}, likeness=likeness, remedy=remedies.get(row["id"]))
        for likeness, row in best
    ]


async def _remedies(conn: Connection, ids: list[UUID]) -> dict[UUID, str]:
    """What was filed when each was submitted last."""
    cur = await conn.execute(
        "SELECT DISTINCT ON (hazard) hazard, data ->> 'evidence' AS evidence FROM trail "
        "WHERE hazard = ANY(%s) AND action = 'submit' ORDER BY hazard, seq DESC",
        (ids,),
    )
    return {row["hazard"]: excerpt(row["evidence"], 80) for row in await cur.fetchall() if row["evidence"]}
