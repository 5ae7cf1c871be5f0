"""Everything of a record but its words: ids, times, coordinates, who reported, how many, a photo."""

import hashlib
import random
import re
from datetime import datetime
from typing import Any

from deploy.simulate.material import speech
from models.units import Unit

# How many of the reports bring what: most people type a sentence and a place, and nothing else.
LOCATED, REPORTER, CATEGORISED, PHOTO = 0.4, 0.3, 0.12, 0.06
_HARMED = ("0502", "0601", "0602", "1001", "1002", "1003", "1004")
_COUNT = re.compile(r"(\d+)(?:个|名)?(?:孩子|学生|小朋友|人|同学|女生|例)")


def a_record(
    source: str, source_id: str, unit: Unit, text: str, place: str, occurred: datetime, local: datetime
) -> dict[str, Any]:
    """The record of a report made at ``local`` about what was seen at ``occurred`` (both aware)."""
    record: dict[str, Any] = {
        "schema": 1,
        "source": source,
        "source_id": source_id,
        "unit": unit.code,
        "text": text.strip(),
        "occurred_at": occurred.isoformat(timespec="seconds"),
        "reported_at": local.isoformat(timespec="seconds"),
    }
    if place:
        record["place"] = place
    return record


def a_location(unit: Unit, rng: random.Random) -> dict[str, object] | None:
    """A point on the unit's ground, some hundred metres around its own; None where the reporter shared none."""
    if rng.random() > LOCATED or unit.lon is None or unit.lat is None:
        return None
    lon, lat = (round(degree + rng.uniform(-0.0012, 0.0012), 6) for degree in (unit.lon, unit.lat))
    return {"lon": lon, "lat": lat, "crs": "WGS-84" if rng.random() < 0.8 else "CGCS2000"}


def adorn(
    record: dict[str, Any], rng: random.Random, code: str, stage: str, speaker: str, core: str, confidential: bool
) -> None:
    """Adds what some reports bring along. Names and numbers are masked from the start: they stand for nobody."""
    if speaker != "machine" and rng.random() < REPORTER:
        name = rng.choice(speech()["common"]["names"])
        record["reporter"] = {"name": name, "mobile": f"138****{rng.randrange(10_000):04d}"}
    if speaker not in ("student", "parent") and rng.random() < CATEGORISED:
        record["category"] = code
    counted = _COUNT.search(core)
    if counted and rng.random() < 0.5:
        record["people_affected"] = int(counted[1])
    if stage != "u" and (confidential or code in _HARMED) and rng.random() < 0.6:
        record["minors_involved"] = True
    if speaker != "machine" and not confidential and rng.random() < PHOTO:
        name = f"{record['source_id']}.jpg"
        url = f"https://files.example.invalid/{name}"
        record["attachments"] = [{"name": name, "url": url, "sha256": hashlib.sha256(url.encode()).hexdigest()}]
