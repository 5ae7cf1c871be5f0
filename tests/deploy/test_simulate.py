"""The simulator: deterministic, accepted at the door, plausible in its shares, and nobody's data."""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

import deploy.cities
from deploy.cities import City, load_city
from deploy.simulate import Simulator, Truth
from deploy.simulate.material import STAGES, matters, places, speakers, speech
from models.duplicates import Known, Sure, find
from models.place import Bounds
from models.reports import Door, check
from models.taxonomy import subcategories

START = datetime(2026, 11, 24, 0, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def city() -> City:
    return load_city(Path(deploy.cities.__file__).parent / "ningbo")


def drawn(city: City, count: int, seed: int = 7, start: datetime = START) -> list[tuple[dict[str, Any], Truth]]:
    simulator = Simulator(city.units, subcategories(), seed)
    return [simulator.draw(start + timedelta(seconds=6 * number)) for number in range(count)]


@pytest.fixture(scope="module")
def day(city: City) -> list[tuple[dict[str, Any], Truth]]:
    return drawn(city, 6000)


def test_the_same_seed_and_instants_give_the_same_reports(city: City) -> None:
    assert drawn(city, 300) == drawn(city, 300)
    assert [record["text"] for record, _ in drawn(city, 50)] != [
        record["text"] for record, _ in drawn(city, 50, seed=8)
    ]


def test_every_report_passes_the_door(city: City, day: list[tuple[dict[str, Any], Truth]]) -> None:
    box: Bounds = city.bounds
    for number, (record, _) in enumerate(day):
        check(record, Door(city.units, START + timedelta(seconds=6 * number), box))


def test_ids_are_unique_and_name_the_simulator(day: list[tuple[dict[str, Any], Truth]]) -> None:
    assert len({record["source_id"] for record, _ in day}) == len(day)
    assert all(record["source"] == "simulate" and record["source_id"] == truth.source_id for record, truth in day)


def test_shares_of_second_witnesses_and_of_what_raises_nothing(day: list[tuple[dict[str, Any], Truth]]) -> None:
    kinds = Counter(truth.kind for _, truth in day)
    assert 0.08 <= kinds["duplicate"] / len(day) <= 0.12
    assert 0.04 <= (kinds["drill"] + kinds["passed"]) / len(day) <= 0.06
    assert kinds["vague"]
    assert all(truth.raises == (truth.kind not in ("drill", "passed")) for _, truth in day)


def test_a_second_witness_tells_of_the_same_place_later_in_other_words(
    day: list[tuple[dict[str, Any], Truth]],
) -> None:
    first = {record["source_id"]: record for record, _ in day}
    pairs = [(first[truth.duplicate_of], record) for record, truth in day if truth.duplicate_of]
    assert all(one["unit"] == two["unit"] and one.get("place") == two.get("place") for one, two in pairs)
    later = [
        datetime.fromisoformat(two["occurred_at"]) - datetime.fromisoformat(one["occurred_at"]) for one, two in pairs
    ]
    assert all(timedelta(0) <= gap <= timedelta(hours=6) for gap in later)
    assert sum(one["text"] == two["text"] for one, two in pairs) < 0.02 * len(pairs)


def test_most_second_witnesses_would_attach(day: list[tuple[dict[str, Any], Truth]]) -> None:
    first = {record["source_id"]: record for record, _ in day}
    pairs = [(first[truth.duplicate_of], record, truth) for record, truth in day if truth.duplicate_of]
    attached = 0
    for one, two, truth in pairs:
        open_since = datetime.fromisoformat(one["reported_at"])
        known = Known(
            UUID(int=1), one["unit"], truth.subcategory, one.get("place"), one["text"], open_since
        )  # fmt: skip
        at = datetime.fromisoformat(two["reported_at"])
        found = find(two["unit"], truth.subcategory, two.get("place"), two["text"], at, [known])
        attached += found is not None and found.sure is Sure.SAME
    assert attached > 0.8 * len(pairs)


def test_no_mobile_identity_number_or_whole_name(day: list[tuple[dict[str, Any], Truth]]) -> None:
    for record, _ in day:
        assert not re.search(r"1[3-9]\d{9}|\d{17}[\dXx]", record["text"])
        reporter = record.get("reporter")
        if reporter:
            assert re.fullmatch(r"138\*{4}\d{4}", reporter["mobile"])
            assert reporter["name"].endswith("*")
        for attachment in record.get("attachments", ()):
            assert attachment["url"].startswith("https://files.example.invalid/")


def test_confidential_lanes_come_seldom_and_without_photo(day: list[tuple[dict[str, Any], Truth]]) -> None:
    lanes = [record for record, truth in day if truth.subcategory[:2] in ("09", "10")]
    assert 0.005 <= len(lanes) / len(day) <= 0.06
    assert not any("attachments" in record for record in lanes)


def test_seasons_change_what_is_reported(city: City) -> None:
    def share(month: int, code: str) -> float:
        found = drawn(city, 3000, start=datetime(2026, month, 10, 2, 0, tzinfo=UTC))
        return sum(truth.subcategory == code for _, truth in found) / len(found)

    assert share(9, "1301") > 5 * share(12, "1301")
    assert share(12, "0601") > share(6, "0601")
    assert share(6, "1403") > share(10, "1403")


def test_at_night_day_schools_are_silent(city: City) -> None:
    found = drawn(city, 1000, start=datetime(2026, 11, 24, 15, 0, tzinfo=UTC))
    day_schools = sum("幼儿园" in city.units[record["unit"]].name for record, _ in found)
    assert day_schools < 0.02 * len(found)


def test_the_material_covers_the_taxonomy_and_repeats_none_of_its_phrases() -> None:
    assert set(matters()) == set(subcategories())
    said = [
        clause
        for matter in matters().values()
        for clauses in (*matter.says.values(), matter.more, matter.sensor, matter.summer, matter.winter)
        for clause in clauses
    ]
    phrases = [phrase for sub in subcategories().values() for phrase in sub.phrases]
    assert not [(phrase, clause) for phrase in phrases for clause in said if phrase in clause]


def test_the_material_names_only_places_and_speakers_that_exist() -> None:
    for matter in matters().values():
        assert set(matter.places) <= set(places())
        assert set(matter.speakers) <= set(speakers())
        assert set(matter.says) <= set(STAGES)
        assert any(matter.says.values())
    assert {code for kind in ("drill", "passed") for code, _ in speech()["quiet"][kind]} <= set(subcategories())


def test_a_taxonomy_without_material_is_refused(city: City) -> None:
    other = {**subcategories(), "9801": subcategories()["9900"]}
    with pytest.raises(ValueError, match="no phrases for 9801"):
        Simulator(city.units, other, 1)


def test_a_city_without_schools_is_refused(city: City) -> None:
    offices = [unit for unit in city.units if unit.kind in ("city", "district")]
    with pytest.raises(ValueError, match="nothing to draw from"):
        Simulator(offices, subcategories(), 1)
