"""The tree of units: paths, the way up, and trees that are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.units import UnitTree, UnknownUnit
from tests import factories
from tests.factories import CITY, COLLEGE, DISTRICT, SCHOOL, SIBLING, UNIVERSITY, steady, unit


def test_a_path_names_every_unit_from_the_city_down_and_ends_with_a_slash() -> None:
    assert factories.tree()[SCHOOL].path == f"/{CITY}/{DISTRICT}/{SCHOOL}/"
    assert factories.tree()[CITY].path == f"/{CITY}/"


def test_a_path_that_came_with_a_unit_is_not_believed() -> None:
    assert UnitTree([unit("C"), unit("S", "C", path="/elsewhere/")])["S"].path == "/C/S/"


def test_everything_else_of_a_unit_is_kept() -> None:
    given_unit = unit("S", "C", lon=121.5, lat=29.9, members=7, obliged=False, district="330203")
    kept = UnitTree([unit("C"), given_unit])["S"]
    assert (kept.name, kept.kind, kept.tier, kept.parent) == ("S", "school", "school", "C")
    assert (kept.lon, kept.lat, kept.members, kept.obliged, kept.district) == (121.5, 29.9, 7, False, "330203")


def test_the_way_up_begins_with_the_unit_and_ends_with_the_city() -> None:
    assert [u.code for u in factories.tree().upward(SCHOOL)] == [SCHOOL, DISTRICT, CITY]
    assert [u.code for u in factories.tree().upward(COLLEGE)] == [COLLEGE, UNIVERSITY, CITY]
    assert [u.code for u in factories.tree().upward(CITY)] == [CITY]


@pytest.mark.parametrize(
    ("code", "scope", "inside"),
    [
        (SCHOOL, SCHOOL, True),
        (SCHOOL, DISTRICT, True),
        (SCHOOL, CITY, True),
        (DISTRICT, SCHOOL, False),
        (SCHOOL, SIBLING, False),
        (COLLEGE, DISTRICT, False),
    ],
)
def test_within_holds_for_the_scope_and_all_below_it(code: str, scope: str, inside: bool) -> None:
    assert factories.tree().within(code, scope) is inside


def test_a_code_that_begins_like_another_is_not_within_it() -> None:
    units = UnitTree([unit("C"), unit("C1", "C"), unit("C12", "C")])
    assert not units.within("C12", "C1")


def test_an_unknown_code_is_named() -> None:
    with pytest.raises(UnknownUnit, match="'nowhere'") as caught:
        factories.tree()["nowhere"]
    assert caught.value.code == "nowhere"
    assert "nowhere" not in factories.tree()


def test_an_unknown_code_is_named_wherever_it_is_asked_for() -> None:
    with pytest.raises(UnknownUnit):
        factories.tree().upward("nowhere")
    with pytest.raises(UnknownUnit):
        factories.tree().within("nowhere", CITY)
    with pytest.raises(UnknownUnit):
        factories.tree().within(SCHOOL, "nowhere")


def test_a_missing_parent_is_refused_with_both_names() -> None:
    with pytest.raises(ValueError, match="unit S names the parent D"):
        UnitTree([unit("C"), unit("S", "D")])


def test_a_circle_is_refused_with_the_way_round() -> None:
    with pytest.raises(ValueError, match="A → B → A"):
        UnitTree([unit("A", "B"), unit("B", "A")])


def test_a_unit_that_is_its_own_parent_is_a_circle() -> None:
    with pytest.raises(ValueError, match="A → A"):
        UnitTree([unit("A", "A")])


def test_two_roots_are_refused_with_their_names() -> None:
    with pytest.raises(ValueError, match="found 2: A, B"):
        UnitTree([unit("A"), unit("B")])


def test_no_units_make_an_empty_tree_without_a_root() -> None:
    empty = UnitTree([])
    assert len(empty) == 0
    assert empty.root is None
    assert list(empty) == []


@st.composite
def trees(draw: st.DrawFn) -> dict[str, str | None]:
    """Code → parent of a random tree, in random order; the root is ``u0``."""
    size = draw(st.integers(1, 25))
    parents: dict[str, str | None] = {"u0": None}
    for n in range(1, size):
        parents[f"u{n}"] = f"u{draw(st.integers(0, n - 1))}"
    return {code: parents[code] for code in draw(st.permutations(sorted(parents)))}


def _build(parents: dict[str, str | None]) -> UnitTree:
    return UnitTree(unit(code, parent) for code, parent in parents.items())


@steady
@given(trees())
def test_whatever_the_tree_and_its_order_the_way_up_follows_the_parents(parents: dict[str, str | None]) -> None:
    tree = _build(parents)
    assert len(tree) == len(parents)
    assert tree.root is not None
    assert tree.root.code == "u0"
    for code in parents:
        expected, at = [], code
        while at is not None:
            expected.append(at)
            at = parents[at]
        assert [u.code for u in tree.upward(code)] == expected
        assert tree[code].path == "/" + "/".join(reversed(expected)) + "/"
        assert {scope for scope in parents if tree.within(code, scope)} == set(expected)


@steady
@given(trees(), st.data())
def test_a_circle_anywhere_is_refused(parents: dict[str, str | None], data: st.DataObject) -> None:
    victim = data.draw(st.sampled_from(sorted(parents)))
    below = sorted(code for code in parents if _build(parents).within(code, victim))
    with pytest.raises(ValueError, match="circle"):
        _build(parents | {victim: data.draw(st.sampled_from(below))})


@steady
@given(trees(), st.data())
def test_a_parent_that_is_no_unit_is_refused_by_name(parents: dict[str, str | None], data: st.DataObject) -> None:
    victim = data.draw(st.sampled_from(sorted(parents)))
    with pytest.raises(ValueError, match=f"unit {victim} names the parent ghost"):
        _build(parents | {victim: "ghost"})
