"""Words without what differs between two copies of them; overlap without weights; places as strings."""

import re
import unicodedata

_NOISE = re.compile(r"[^0-9a-z\u4e00-\u9fff]+")


def flatten(text: str) -> str:
    """Text without what differs between two tellings of the same words: width, case, white space, punctuation."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", text).lower())


def similarity(one: str, other: str) -> float:
    """Jaccard similarity of character pairs, 0–1."""
    a, b = _pairs(flatten(one)), _pairs(flatten(other))
    return len(a & b) / len(a | b) if a and b else float(flatten(one) == flatten(other) != "")


def _pairs(flat: str) -> frozenset[str]:
    return frozenset(flat[i : i + 2] for i in range(len(flat) - 1)) if len(flat) > 1 else frozenset(flat)


def same_place(one: str | None, other: str | None) -> bool | None:
    """Whether two places agree; None where one of them is not given or says nothing."""
    if not one or not other:
        return None
    a, b = sorted((flatten(one), flatten(other)), key=len)
    if not a:
        return None
    # Within a longer place, but not within its number: 2层 is in 3号楼2层, and not in 12层.
    before, after = (r"(?<!\d)" if a[0].isdigit() else ""), (r"(?!\d)" if a[-1].isdigit() else "")
    return re.search(before + re.escape(a) + after, b) is not None
