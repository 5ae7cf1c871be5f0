"""How busy a campus is at a given moment: hours, weekdays, terms, months. Plausible figures, chosen for the demo."""

from collections.abc import Sequence
from datetime import date, datetime

from models.calendar import SHANGHAI, is_working_day

# Reports of an hour against a mean hour of a school day, local time. Peaks: arrival, long break, lunch, going home,
# the evening round of the dormitories. The mean of the 24 is 1, so a chosen rate stays the rate over a school day.
HOURS = (
    0.15, 0.10, 0.08, 0.08, 0.10, 0.25, 0.80, 1.80, 1.70, 1.70, 1.90, 1.80,
    1.60, 1.20, 1.40, 1.60, 2.00, 1.50, 0.95, 0.90, 0.90, 0.85, 0.44, 0.20,
)  # fmt: skip
# Saturday and Sunday, a public holiday: boarders and universities stay, day schools are empty.
FREE_DAY = 0.35
# Out of term a campus has guards, builders and a few boarders.
VACATION = 0.25


def intensity(now: datetime, terms: Sequence[tuple[date, date]] = ()) -> float:
    """The multiplier of the rhythm at an aware instant, between 0.005 and 2.

    ``terms`` are first and last days of known terms; a day outside all of them is vacation if it lies within their
    span. Without them, and outside their span, the months decide (winter and summer vacation).
    """
    local = now.astimezone(SHANGHAI)
    day = local.date()
    hour = HOURS[local.hour]
    following = HOURS[(local.hour + 1) % 24]
    level = hour + (following - hour) * local.minute / 60
    if not in_term(day, terms):
        level *= VACATION
    return level if is_working_day(day) else level * FREE_DAY


def in_term(day: date, terms: Sequence[tuple[date, date]] = ()) -> bool:
    """Whether a day lies in term."""
    if terms and min(first for first, _ in terms) <= day <= max(last for _, last in terms):
        return any(first <= day <= last for first, last in terms)
    return not (day.month in (7, 8) or (1, 28) <= (day.month, day.day) <= (2, 20))


def part_of_day(local: datetime) -> str:
    """``night``, ``meal``, ``evening`` or ``lesson``: which kinds of trouble an hour brings."""
    hour = local.hour
    if hour < 6 or hour >= 22:
        return "night"
    if hour in (7, 11, 12, 17):
        return "meal"
    return "evening" if hour >= 18 else "lesson"
