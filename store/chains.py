"""Open hazards that still follow a chain which their unit would no longer get: what a change of the tree has left as it was."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from models.chain import Chain, follows_another
from models.loop import OPEN_STATES
from models.units import UnitTree
from store.db import Connection

# Enough ids to look at some; the count tells of all.
_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Left:
    """Open hazards of one unit on one old chain: the units' names bottom up, as then and as now, how many, and the newest ids."""

    unit: str
    then: tuple[str, ...]
    now: tuple[str, ...]
    count: int
    hazards: tuple[UUID, ...]

    def as_dict(self) -> dict[str, Any]:
        """For the API and the command line."""
        return {
            "unit": self.unit,
            "then": list(self.then),
            "now": list(self.now),
            "count": self.count,
            "hazards": [str(id) for id in self.hazards],
        }


async def left(conn: Connection, tree: UnitTree, path: str = "/") -> list[Left]:
    """Old chains still followed within a subtree, by unit. Read as somebody, it tells only of what they may see."""
    cur = await conn.execute(
        "SELECT h.unit, c.links, min(h.chain::text)::jsonb AS chain, count(*) AS count, "
        "(array_agg(h.id ORDER BY h.opened_at DESC))[:%(shown)s] AS hazards FROM hazards h CROSS JOIN LATERAL "
        "(SELECT array_agg(l.link ->> 'unit' ORDER BY l.n) AS links FROM jsonb_array_elements(h.chain) WITH ORDINALITY l(link, n)) c "
        "WHERE h.state = ANY(%(open)s) AND h.unit_path ^@ %(path)s GROUP BY h.unit, c.links ORDER BY h.unit, c.links",
        {"shown": _SHOWN, "open": sorted(OPEN_STATES), "path": path},
    )
    found = []
    for row in await cur.fetchall():
        chain, upward = Chain.from_json(row["chain"]), tree.upward(row["unit"])
        if follows_another(chain, upward):
            then = tuple(link.name for link in chain.links)
            found.append(
                Left(row["unit"], then, tuple(unit.name for unit in upward), row["count"], tuple(row["hazards"]))
            )
    return found
