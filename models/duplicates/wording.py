"""What two tellings have in common: characters, and the field's words for things, troubles and places.

Rare characters and pairs weigh more than common ones; how rare they are is counted in the classifier's training texts
(``rarity.json``). ``words.txt`` holds the words of one meaning: 升降梯 and 电梯 share one character and are one thing.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from models.duplicates.flat import flatten
from models.duplicates.places import Place, digits, parse

HERE = Path(__file__).parent
KINDS = ("thing", "trouble", "place")


@dataclass(frozen=True, slots=True)
class Telling:
    """One report, prepared: ``grams`` characters and pairs of text and place; ``words`` names by kind."""

    flat: str
    text: frozenset[str]
    field: frozenset[str]
    chars: frozenset[str]
    words: Mapping[str, frozenset[str]]
    place: Place
    field_place: Place
    field_words: frozenset[str]


@cache
def _rarity() -> Mapping[str, float]:
    return dict(json.loads((HERE / "rarity.json").read_text("utf-8"))["weights"])


@cache
def _words() -> tuple[re.Pattern[str], Mapping[str, tuple[tuple[str, str], ...]]]:
    """One pattern of all words, longest first, and what each means as (kind, name)."""
    meaning: dict[str, list[tuple[str, str]]] = {}
    kind = ""
    for line in (HERE / "words.txt").read_text("utf-8").splitlines():
        if line.startswith("["):
            kind = line.strip("[]")
        elif line.strip() and not line.startswith("#"):
            name, *others = line.split()
            for word in (name, *others):
                meaning.setdefault(digits(word), []).append((kind, name))
    pattern = re.compile("|".join(map(re.escape, sorted(meaning, key=lambda word: (-len(word), word)))))
    return pattern, {word: tuple(names) for word, names in meaning.items()}


def weight(grams: frozenset[str]) -> float:
    """How much a set of characters or pairs says. One that the corpus never had weighs as much as the rarest."""
    table = _rarity()
    rarest = table[""]
    return sum(table.get(gram, rarest) for gram in grams)


def shared(one: frozenset[str], other: frozenset[str]) -> float:
    """Weight of what both have, over that of what either has, 0–1."""
    whole = weight(one | other)
    return weight(one & other) / whole if whole else 0.0


def held(one: frozenset[str], other: frozenset[str]) -> float:
    """Weight of what both have, over that of the lesser, 0–1."""
    least = min(weight(one), weight(other))
    return weight(one & other) / least if least else 0.0


def pairs(flat: str) -> frozenset[str]:
    """Neighbouring characters."""
    return frozenset(flat[i : i + 2] for i in range(len(flat) - 1))


def telling(text: str, place: str | None) -> Telling:
    """A report, prepared for comparison."""
    said, where = digits(text), digits(place or "")
    whole = f"{where} {said}"
    pattern, meaning = _words()
    named: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for found in pattern.finditer(whole):
        for kind, name in meaning[found[0]]:
            named[kind].add(name)
    return Telling(
        flat=flatten(text),
        text=pairs(flatten(said)),
        field=pairs(flatten(where)),
        chars=frozenset(flatten(whole)),
        words={kind: frozenset(names) for kind, names in named.items()},
        place=parse(whole),
        field_place=parse(where),
        field_words=frozenset(
            n for found in pattern.finditer(where) for kind, n in meaning[found[0]] if kind == "place"
        ),
    )
