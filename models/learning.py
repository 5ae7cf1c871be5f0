"""What assessors correct becomes training sentences: masked, with the consent of their unit, and never out of a closed lane."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models.classifier.text import clean, masked
from models.levels import Level
from models.privacy import mask_text
from models.taxonomy import is_confidential, subcategories

# Whose voice a correction is, in the corpus.
ORIGIN = "assessor"


@dataclass(frozen=True, slots=True)
class Correction:
    """What was reported, and what an assessor made of it: a subcategory and a level, or none where it was rejected."""

    text: str
    subcategory: str | None
    level: Level | None
    direct: bool


def consenting(profile: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Units whose corrections may be learned from, each for all below it: ``{"learning": {"units": ["U01"]}}``. None by default."""
    return tuple((profile or {}).get("learning", {}).get("units", ()))


def as_corpus(corrections: Iterable[Correction]) -> str:
    """Corrections as a file of the corpus, each sentence once. What masks to nothing, or lies in a closed lane, is left out."""
    lines = ["# Corrections of assessors, masked."]
    head, seen = "", set[str]()
    for one in corrections:
        if one.subcategory is not None and (one.subcategory not in subcategories() or is_confidential(one.subcategory)):
            continue
        # Numbers, names of buildings and addresses go too: they are no features, and a file may leave the house.
        text = masked(clean(mask_text(one.text)).text).replace("\n", " ").lstrip("@#")
        if not any(char.isalnum() for char in text) or text in seen:
            continue
        seen.add(text)
        wanted = _head(one)
        if wanted != head:
            lines.append(wanted)
            head = wanted
        lines.append(text)
    return "\n".join(lines) + "\n"


def _head(one: Correction) -> str:
    if one.subcategory is None:
        return f"@- {ORIGIN} other"
    return f"@{one.subcategory} {ORIGIN} {one.level or '?'}" + (" direct" if one.direct else "")


def agreement(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Of hazards that an assessor has judged, the share in which the machine had said the same: ``(machine, assessor)``."""
    return sum(machine == assessor for machine, assessor in pairs) / len(pairs) if pairs else None
