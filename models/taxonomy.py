"""The taxonomy: 14 categories, 62 subcategories and ``9900`` other.

A code is four digits; its first two are the category. Labels are Chinese, codes are what is stored.
Source: ``taxonomy.json`` beside this file.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType

OTHER = "9900"


@dataclass(frozen=True, slots=True)
class Subcategory:
    """One kind of hazard. ``phrases`` are example wordings; ``confidential`` lanes close text to all but named roles."""

    code: str
    name: str
    category: str
    category_name: str
    confidential: bool
    cap_category: str
    event_class: str
    phrases: tuple[str, ...]


@cache
def subcategories() -> Mapping[str, Subcategory]:
    """All subcategories by their four-digit code, in the taxonomy's order."""
    raw = json.loads(resources.files(__package__).joinpath("taxonomy.json").read_text("utf-8"))
    return MappingProxyType(
        {
            child["code"]: Subcategory(
                code=child["code"],
                name=child["name"],
                category=parent["code"],
                category_name=parent["name"],
                confidential=parent["confidential"],
                cap_category=parent["cap_category"],
                event_class=parent["event_class"],
                phrases=tuple(child["phrases"]),
            )
            for parent in raw
            for child in parent["children"]
        }
    )


def subcategory(code: str) -> Subcategory:
    """One subcategory. Raises ``KeyError`` that names the code where it is unknown."""
    try:
        return subcategories()[code]
    except KeyError:
        raise KeyError(
            f"unknown subcategory {code!r}: the taxonomy has four-digit codes such as 0101, and 9900"
        ) from None


@cache
def categories() -> Mapping[str, str]:
    """Category names by their two-digit code, ``99`` included."""
    return MappingProxyType({sub.category: sub.category_name for sub in subcategories().values()})


def is_confidential(code: str) -> bool:
    """Whether a subcategory lies in a confidential lane (09 mental health, 10 bullying and assault)."""
    return subcategory(code).confidential
