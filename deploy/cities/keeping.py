"""How long a city keeps its records, beyond what law asks: ``[retention]``."""

from typing import Any

from deploy.cities.toml import Section
from models.policy import Wrong
from models.retention import terms


def retention(read_from: Section) -> dict[str, Any]:
    """The ``[retention]`` as the profile keeps it; none is well. Notes what is shorter than its floor, with the article."""
    given = read_from.raw.get("retention", {})
    if not isinstance(given, dict):
        read_from.problems.add(read_from.line("retention"), "retention 须是一节", "写成 [retention]，每项一行")
        return {}
    for key, value in given.items():
        try:
            terms({key: value})
        except Wrong as wrong:
            read_from.problems.add(_line(read_from.source, key), f"[retention] {wrong}", wrong.cure)
    return dict(given)


def _line(source: str, key: str) -> int:
    """The line of a key within the section; the section's own where it is not found."""
    at = 0
    for number, line in enumerate(source.splitlines(), 1):
        stripped = line.strip()
        if stripped.startswith("["):
            if at:
                break
            at = number if stripped.startswith("[retention]") else 0
        elif at and stripped.split("=")[0].strip() == key:
            return number
    return at
