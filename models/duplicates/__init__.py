"""One hazard, many reports: places, wording, a score that can be read, and what is attached, suggested or kept apart (docs/duplicates.md)."""

from models.duplicates.find import (
    REOPEN_WITHIN,
    RESEND_WITHIN,
    TELLINGS,
    WINDOW,
    Found,
    Known,
    Sure,
    Told,
    find,
    is_resend,
)
from models.duplicates.flat import flatten, same_place, similarity

# Where nothing but characters is compared (models/warnings): two witnesses of one thing share about half of their pairs.
SIMILAR = 0.5

__all__ = [
    "REOPEN_WITHIN",
    "RESEND_WITHIN",
    "SIMILAR",
    "TELLINGS",
    "WINDOW",
    "Found",
    "Known",
    "Sure",
    "Told",
    "find",
    "flatten",
    "is_resend",
    "same_place",
    "similarity",
]
