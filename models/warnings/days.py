"""What sort of day it is at a campus: weekdays in term, free days, vacation."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from models.calendar import is_working_day

# Monday to Friday in term, a free day in term, a working day and a free day in vacation. A make-up Saturday works like a Friday.
TERM, FREE, VACATION, VACATION_FREE = 0, 5, 6, 7
SORTS = 8


@dataclass(frozen=True, slots=True)
class Days:
    """``terms`` are first and last days of known terms, in any order."""

    terms: tuple[tuple[date, date], ...] = ()

    @classmethod
    def of(cls, profile: Mapping[str, Any] | None) -> "Days":
        """From a city's profile: ``terms`` as ``{"first": "2026-09-01", "last": "2027-01-28"}``."""
        return cls(_read((profile or {}).get("terms", ())))

    def sort(self, day: date) -> int:
        """0–4 Monday to Friday in term, ``FREE``, ``VACATION``, ``VACATION_FREE``."""
        return _sort(day, self.terms)

    def in_term(self, day: date) -> bool:
        """Whether a day lies in term; beyond what the city has told, by the months of the usual vacations."""
        if self.terms and min(first for first, _ in self.terms) <= day <= max(last for _, last in self.terms):
            return any(first <= day <= last for first, last in self.terms)
        return not (day.month in (7, 8) or (1, 28) <= (day.month, day.day) <= (2, 20))


def _read(terms: Iterable[Mapping[str, str]]) -> tuple[tuple[date, date], ...]:
    return tuple((date.fromisoformat(term["first"]), date.fromisoformat(term["last"])) for term in terms)


@lru_cache(maxsize=4096)
def _sort(day: date, terms: tuple[tuple[date, date], ...]) -> int:
    working = is_working_day(day)
    if not Days(terms).in_term(day):
        return VACATION if working else VACATION_FREE
    return min(day.weekday(), 4) if working else FREE
