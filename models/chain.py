"""The chain of tiers that a hazard climbs: by level when it opens, by time when a deadline is missed (domain §3).

The chain in force at opening is kept with the hazard; a later edit of the tree does not change it. It is a list of
units from the reporting one up to the city, so a further tier (a street, say) needs a unit in the tree and no code.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from models.levels import Level
from models.units import Unit


class ClimbReason(StrEnum):
    """Why a hazard stands higher than before."""

    LEVEL = "level"
    DEADLINE = "deadline"
    INSTRUCTED = "instructed"
    UNMANNED = "unmanned"


@dataclass(frozen=True, slots=True)
class Link:
    """One step of the chain; ``people`` are the account ids that it counted on at opening, by role."""

    unit: str
    tier: str
    name: str
    people: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chain:
    """Links from the bottom up; never empty."""

    links: tuple[Link, ...]

    def __post_init__(self) -> None:
        if not self.links:
            raise ValueError("a chain has at least one link: the unit that the hazard lies in")

    @property
    def top(self) -> int:
        """The highest step."""
        return len(self.links) - 1

    def at(self, step: int) -> Link:
        """The link at a step. Raises ``IndexError`` beyond the ends."""
        if not 0 <= step <= self.top:
            raise IndexError(f"step {step} lies outside a chain of {len(self.links)} links")
        return self.links[step]

    def as_json(self) -> list[dict[str, Any]]:
        """As kept with the hazard."""
        return [
            {"unit": link.unit, "tier": link.tier, "name": link.name}
            | ({"people": {role: list(ids) for role, ids in link.people.items()}} if link.people else {})
            for link in self.links
        ]

    @classmethod
    def from_json(cls, links: Iterable[Mapping[str, Any]]) -> "Chain":
        """The snapshot read back."""
        return cls(tuple(Link(link["unit"], link["tier"], link["name"], link.get("people", {})) for link in links))


def snapshot(upward: Iterable[Unit], people: Mapping[str, Mapping[str, Sequence[str]]] | None = None) -> Chain:
    """The chain in force now, for a unit and its ancestors (``UnitTree.upward``), with the people on duty by unit and role."""
    there = people or {}
    return Chain(tuple(Link(unit.code, unit.tier, unit.name, there.get(unit.code, {})) for unit in upward))


def follows_another(chain: Chain, upward: Iterable[Unit]) -> bool:
    """Whether a hazard's chain is not the one that its unit would get now."""
    return [link.unit for link in chain.links] != [unit.code for unit in upward]


def step_for_level(level: Level, chain: Chain) -> int:
    """Where a hazard of this level belongs at least: red at the top, orange one tier up, yellow and blue where it lies."""
    if level is Level.RED:
        return chain.top
    if level is Level.ORANGE:
        return min(1, chain.top)
    return 0


def climbed(step: int, chain: Chain) -> int:
    """One tier up; the top stays the top (a missed deadline there is still recorded, and urged anew)."""
    return min(step + 1, chain.top)
