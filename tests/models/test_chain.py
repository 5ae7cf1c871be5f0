"""The chain: where a level belongs, how far time lifts, and that the snapshot lasts."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.chain import Chain, Link, climbed, snapshot, step_for_level
from models.levels import Level
from models.units import UnitTree
from tests import factories
from tests.factories import CITY, DISTRICT, SCHOOL, steady, unit


def chain(length: int) -> Chain:
    return Chain(tuple(Link(f"u{n}", f"tier{n}", f"单位{n}") for n in range(length)))


@pytest.mark.parametrize(
    ("level", "length", "step"),
    [
        (Level.RED, 1, 0),
        (Level.RED, 2, 1),
        (Level.RED, 3, 2),
        (Level.RED, 4, 3),
        (Level.ORANGE, 1, 0),
        (Level.ORANGE, 2, 1),
        (Level.ORANGE, 3, 1),
        (Level.ORANGE, 4, 1),
        (Level.YELLOW, 1, 0),
        (Level.YELLOW, 4, 0),
        (Level.BLUE, 1, 0),
        (Level.BLUE, 4, 0),
    ],
)
def test_red_goes_to_the_top_orange_one_up_and_the_others_stay(level: Level, length: int, step: int) -> None:
    assert step_for_level(level, chain(length)) == step


def test_climbing_goes_one_tier_at_a_time_and_stops_at_the_top() -> None:
    steps, at = [0], 0
    for _ in range(5):
        at = climbed(at, chain(3))
        steps.append(at)
    assert steps == [0, 1, 2, 2, 2, 2]


def test_a_snapshot_runs_from_the_unit_up_to_the_city() -> None:
    taken = snapshot(factories.tree().upward(SCHOOL))
    assert [(link.unit, link.tier) for link in taken.links] == [
        (SCHOOL, "school"),
        (DISTRICT, "district"),
        (CITY, "city"),
    ]
    assert taken.top == 2
    assert taken.at(0).name == "试验小学"


def test_a_later_edit_of_the_tree_does_not_change_the_snapshot() -> None:
    before = [unit("C", tier="city"), unit("D", "C", tier="district"), unit("S", "D")]
    taken = snapshot(UnitTree(before).upward("S"))
    moved = UnitTree([unit("C", tier="city"), unit("D", "C", tier="district"), unit("S", "C")])
    assert [link.unit for link in taken.links] == ["S", "D", "C"]
    assert [link.unit for link in snapshot(moved.upward("S")).links] == ["S", "C"]


def test_a_street_between_school_and_district_needs_a_unit_and_no_code() -> None:
    units = [unit("C", tier="city"), unit("D", "C", tier="district"), unit("T", "D", tier="street"), unit("S", "T")]
    taken = snapshot(UnitTree(units).upward("S"))
    assert [link.tier for link in taken.links] == ["school", "street", "district", "city"]
    assert taken.at(step_for_level(Level.ORANGE, taken)).tier == "street"
    assert taken.at(step_for_level(Level.RED, taken)).tier == "city"
    assert taken.at(climbed(1, taken)).tier == "district"


def test_a_chain_is_never_empty() -> None:
    with pytest.raises(ValueError, match="at least one link"):
        Chain(())
    with pytest.raises(ValueError, match="at least one link"):
        Chain.from_json([])


@pytest.mark.parametrize("step", [-1, 3, 99])
def test_a_step_outside_the_chain_is_an_error_and_never_counts_from_the_end(step: int) -> None:
    with pytest.raises(IndexError, match=f"step {step}"):
        chain(3).at(step)


links = st.builds(Link, unit=st.text(max_size=9), tier=st.text(max_size=9), name=st.text(max_size=9))


@steady
@given(st.lists(links, min_size=1, max_size=8).map(lambda found: Chain(tuple(found))))
def test_a_chain_survives_json(taken: Chain) -> None:
    assert Chain.from_json(json.loads(json.dumps(taken.as_json()))) == taken


@steady
@given(st.integers(1, 9), st.integers(0, 8), st.sampled_from(Level))
def test_no_step_ever_lies_outside_the_chain(length: int, step: int, level: Level) -> None:
    taken, at = chain(length), min(step, length - 1)
    assert 0 <= step_for_level(level, taken) <= taken.top
    assert at <= climbed(at, taken) <= min(at + 1, taken.top)


@steady
@given(st.integers(1, 9))
def test_a_graver_level_never_belongs_lower(length: int) -> None:
    steps = [step_for_level(level, chain(length)) for level in sorted(Level, key=lambda level: level.rank)]
    assert steps == sorted(steps, reverse=True)
