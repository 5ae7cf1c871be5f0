"""The lines of an exported folder: masked, numbered, and each bound to the one before it, so that it is proved offline.

A line is a JSON object with ``n`` (from 1) and ``link``, the SHA-256 of the link before it and of the line without it. A
trail's line has its event's ``hash`` and ``digest`` (SHA-256 of its data) too: by them the hazard's chain is recomputed
from the file alone, with words masked or left out (``models/events.py``, schema 2).
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from models.events import Event
from models.loop import Action
from models.privacy import closed_words, mask_name, mask_text
from models.roles import Role

SCHEMA = 1
# What each file holds, in the order of the columns of its CSV.
FILES: Mapping[str, tuple[str, ...]] = {
    "hazards": (
        "id", "unit", "subcategory", "level", "state", "tier", "text", "place", "report_count", "major", "listed", "drill",
        "confidential", "minors", "direct", "confidence", "machine_subcategory", "machine_level", "model", "merged_into",
        "settlements", "opened_at", "assessed_at", "dispatched_at", "submitted_at", "closed_at", "archived_at", "version",
        "trail_hash",
    ),
    "trail": (
        "hazard", "seq", "at", "schema", "action", "actor", "role", "before", "after", "data", "digest", "masked", "hash",
    ),
    "deadlines": ("hazard", "kind", "round", "begun_at", "due_at", "moved_from", "met_at", "missed_at", "dropped_at"),
    "escalations": (
        "hazard", "seq", "at", "reason", "kind", "round", "due_at", "from_unit", "from_tier", "to_unit", "to_tier",
    ),
}  # fmt: skip
# Of an event's data, what officers write; all else is ids, codes, tiers and instants.
_WORDS = frozenset({"reason", "text", "evidence", "lesson", "acceptance", "handler", "settlements", "attachments"})
# Spreadsheets take a cell that begins with one of these for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def canonical(value: Any) -> bytes:
    """JSON with sorted keys and no white space."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def told(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the database as JSON holds it: instants in UTC, hashes hexadecimal."""
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, UUID):
        return str(value)
    return bytes(value).hex() if isinstance(value, bytes | memoryview) else value


def masked(words: Any, *, closed: bool) -> Any:
    """Words as a masked export tells them: numbers of people starred, and nothing at all of a closed record."""
    if isinstance(words, str):
        return closed_words() if closed else mask_text(words)
    if isinstance(words, Mapping):
        return {name: masked(value, closed=closed) for name, value in words.items()}
    if isinstance(words, list):
        return [masked(value, closed=closed) for value in words]
    return words


def _masked_data(data: Mapping[str, Any], *, closed: bool) -> dict[str, Any]:
    told = {name: masked(value, closed=closed) if name in _WORDS else value for name, value in data.items()}
    if isinstance(told.get("handler"), str) and not told["handler"].isascii() and not closed:
        # A name; an id of an account would be ASCII.
        told["handler"] = mask_name(told["handler"])
    return told


def hazard_line(row: Mapping[str, Any], *, open_words: bool) -> dict[str, Any]:
    """One line of ``hazards``."""
    line = told(row)
    if not open_words:
        closed = bool(row["confidential"] or row["minors"])
        line |= {name: masked(line[name], closed=closed) for name in ("text", "place", "settlements")}
    return line


def trail_line(row: Mapping[str, Any], *, closed: bool, open_words: bool) -> dict[str, Any]:
    """One line of ``trail``; ``masked`` says that its data are not as they were hashed."""
    event = event_of(row)
    line = told(row) | {"digest": event.digest(), "masked": False}
    if not open_words:
        # Where the platform climbs, the reason is a code of ours.
        coded = event.role == Role.SYSTEM and event.action == Action.CLIMB
        data = dict(event.data) if coded else _masked_data(event.data, closed=closed)
        line |= {"data": data, "masked": data != dict(event.data)}
    return line


def event_of(row: Mapping[str, Any]) -> Event:
    """The event that a row, or a line, of the trail tells of."""
    values = {name: row[name] for name in Event.__slots__}
    if isinstance(values["at"], str):
        values |= {"at": datetime.fromisoformat(values["at"]), "hazard": UUID(values["hazard"])}
    return Event(**values)


def bound(previous: str, line: Mapping[str, Any]) -> str:
    """The link of a line: hexadecimal, over the link before it and the line without its own."""
    bare = {name: value for name, value in line.items() if name != "link"}
    return hashlib.sha256(previous.encode() + canonical(bare)).hexdigest()


def cells(name: str, line: Mapping[str, Any]) -> list[str]:
    """A line as a row of the CSV: objects as JSON, nothing that a spreadsheet would run."""
    return [_cell(line[column]) for column in ("n", *FILES[name])]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool | dict | list):
        return canonical(value).decode()
    text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) and not isinstance(value, int | float) else text
