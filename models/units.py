"""Units and their tree: schools and colleges at the bottom, the city at the top (domain §3).

Every unit has a materialised ``path`` such as ``/330200/330203/330203-001/``: "within" is a prefix test, in Python and in SQL alike.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit. ``tier`` is its place in the chain, ``kind`` what it is; ``members`` counts pupils and staff."""

    code: str
    name: str
    kind: str
    tier: str
    parent: str | None = None
    path: str = ""
    district: str | None = None
    lon: float | None = None
    lat: float | None = None
    members: int = 0
    obliged: bool = True


class UnknownUnit(LookupError):
    """A code that no unit of this city has."""

    def __init__(self, code: str) -> None:
        super().__init__(f"unknown unit {code!r}: the codes of this city are listed by GET /api/v1/units")
        self.code = code


class UnitTree:
    """All units of a city, by code. Raises ``ValueError`` on a code given twice, a missing parent, a
    second root or a circle."""

    def __init__(self, units: Iterable[Unit]) -> None:
        raw: dict[str, Unit] = {}
        for unit in units:
            if unit.code in raw:
                raise ValueError(f"two units have the code {unit.code}: {raw[unit.code].name} and {unit.name}")
            raw[unit.code] = unit
        self._units = {code: _with_path(code, raw) for code in raw}
        roots = [code for code, unit in self._units.items() if unit.parent is None]
        if raw and len(roots) != 1:
            raise ValueError(f"a city has one root unit, found {len(roots)}: {', '.join(sorted(roots)[:5])}")
        self.root = self._units[roots[0]] if roots else None

    def __len__(self) -> int:
        return len(self._units)

    def __iter__(self) -> Iterator[Unit]:
        return iter(self._units.values())

    def __contains__(self, code: object) -> bool:
        return code in self._units

    def __getitem__(self, code: str) -> Unit:
        try:
            return self._units[code]
        except KeyError:
            raise UnknownUnit(code) from None

    def upward(self, code: str) -> tuple[Unit, ...]:
        """The unit itself, its parent, and so on up to the city."""
        return tuple(self[step] for step in reversed(self[code].path.strip("/").split("/")))

    def within(self, code: str, scope: str) -> bool:
        """Whether a unit is the scope or lies below it."""
        return self[code].path.startswith(self[scope].path)


def _with_path(code: str, units: dict[str, Unit]) -> Unit:
    steps: list[str] = []
    at: str | None = code
    while at is not None:
        if at in steps:
            raise ValueError(f"unit {code} lies in a circle: {' → '.join([*steps, at])}")
        if at not in units:
            raise ValueError(f"unit {steps[-1]} names the parent {at}, which is no unit")
        steps.append(at)
        at = units[at].parent
    unit = units[code]
    return Unit(
        **{name: getattr(unit, name) for name in Unit.__slots__ if name != "path"},
        path="/" + "/".join(reversed(steps)) + "/",
    )
