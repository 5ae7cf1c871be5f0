"""Surge, recurrence, cluster, pile-up, weather and forecast: what each finds, what it lets be, and what it never tells."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from models.levels import Level
from models.units import UnitTree
from models.warnings import cluster, forecast, look, pileup, surge, weather
from models.warnings.cluster import Ground, Standing
from models.warnings.findings import ALL, Finding, Kind, Seen
from models.warnings.forecast import Point
from models.warnings.pileup import Overdue
from models.warnings.places import lowest, neighbours
from models.warnings.rhythm import Rhythm
from models.warnings.weather import Event, Notice
from models.warnings.words import Usual, runs
from tests.factories import CITY, COLLEGE, DISTRICT, SCHOOL, UNIVERSITY, new_id, tree, unit
from tests.models.warnings.making import NOW, rhythm, seen

SCHOOLS = tuple(f"s{n:02d}" for n in range(30))


@pytest.fixture(scope="module")
def city() -> Rhythm:
    """Thirty schools with some hazards of each of three categories a week."""
    return rhythm({school: {"01": 0.15, "05": 0.06, "06": 0.06, "09": 0.02} for school in SCHOOLS})


def surges(hazards: Sequence[Seen], learnt: Rhythm) -> list[Finding]:
    cells = look.cells(hazards)
    return surge.find(cells, learnt, cells, NOW)


def test_a_burst_is_a_surge_with_its_numbers_and_hazards(city: Rhythm) -> None:
    burst = [seen("s01", "0101", hours=h) for h in range(1, 9)]
    found = {one.key: one for one in surges(burst, city)}
    assert set(found) == {"surge:s01:01", "surge:s01:all"}
    own = found["surge:s01:01"]
    assert own.hazards == tuple(one.id for one in burst)
    assert own.evidence["count"] == 8
    assert own.evidence["days"] == 1
    assert own.evidence["chance"] < surge.ALPHA
    assert "“消防安全”1 天 8 件" in own.sentence
    assert (own.subcategory, own.unit, own.grade) == ("0101", "s01", Level.YELLOW)


def test_what_is_usual_for_a_unit_is_no_surge_there(city: Rhythm) -> None:
    assert surges([seen("s01", "0101", hours=20 * h) for h in range(3)], city) == []
    busy = rhythm({"A": {"01": 4.0}, "B": {"01": 4.0}})
    assert surges([seen("A", "0101", hours=h) for h in range(1, 7)], busy) == []


def test_a_city_that_has_only_begun_warns_of_no_surge_and_no_cluster() -> None:
    young = rhythm({"A": {"01": 0.1}}, days=10)
    assert surges([seen(hours=h) for h in range(1, 20)], young) == []
    assert cluster.find([seen()], young, ground(), Usual(()), (), NOW) == []


def test_a_unit_that_the_rhythm_does_not_know_yet_waits_for_the_next_learning(city: Rhythm) -> None:
    assert surges([seen("new", hours=h) for h in range(1, 20)], city) == []


def test_a_confidential_lane_is_told_from_five_on_without_ids_and_stands_in_no_total(city: Rhythm) -> None:
    assert surges([seen("s01", "0901", hours=h, text=None, place=None) for h in range(1, 5)], city) == []
    (found,) = surges([seen("s01", "0901", hours=h, text=None, place=None) for h in range(1, 8)], city)
    assert found.key == "surge:s01:09"
    assert found.hazards == ()
    assert ("s01", ALL) not in look.cells([seen("s01", "0901")])


def test_red_hazards_raise_the_grade(city: Rhythm) -> None:
    burst = [seen("s01", "0101", hours=h, level=Level.RED if h < 4 else Level.BLUE) for h in range(1, 9)]
    assert {one.grade for one in surges(burst, city)} == {Level.RED}
    calm = [seen("s01", "0101", hours=h, level=Level.BLUE) for h in range(1, 9)]
    assert {one.grade for one in surges(calm, city)} == {Level.BLUE}


# Recurrence -----------------------------------------------------------------------------------------------------------


def before(**fields: Any) -> Seen:
    given: dict[str, Any] = {
        "hours": 24 * 40,
        "closed_at": NOW - timedelta(days=20),
        "text": "走廊顶上漏水，地上一大滩",
    }
    return seen(subcategory="0405", **given | fields)


def again(**fields: Any) -> Seen:
    return seen(subcategory="0405", **{"text": "又漏水了，走廊地上一大滩水"} | fields)


def recurring(new: Seen, *old: Seen) -> list[Finding]:
    return look.recurring([new], old, NOW)


def test_the_same_place_and_kind_again_after_closing_is_a_recurrence() -> None:
    old, new = before(), again(place="3号楼2层东侧")
    (found,) = recurring(new, old)
    assert found.key == f"recurrence:{new.id}"
    assert found.hazards == (new.id, old.id)
    assert found.evidence == {"days_after_closing": 19, "times": 2}
    assert "销号 19 天后再次出现" in found.sentence


@pytest.mark.parametrize(
    "old",
    [
        before(place="5号楼1层"),
        before(unit="B"),
        before(closed_at=None),
        before(place=None),
        before(text=None),
        before(hours=24 * 200, closed_at=NOW - timedelta(days=91)),
        before(closed_at=NOW),
        before(text="窗台外花盆要掉下来砸人"),
    ],
    ids=[
        "another place",
        "another unit",
        "not closed",
        "no place",
        "closed words",
        "long ago",
        "closed later",
        "another fault",
    ],
)
def test_and_nothing_else_is(old: Seen) -> None:
    assert recurring(again(), old) == []


def test_a_place_that_is_half_the_campus_needs_the_same_words() -> None:
    assert recurring(again(place="食堂"), before(place="食堂")) == []
    assert recurring(again(place="食堂", text="走廊顶上漏水，地上一滩"), before(place="食堂"))


def test_the_third_time_is_orange() -> None:
    older = before(hours=24 * 80, closed_at=NOW - timedelta(days=60))
    (found,) = recurring(again(), older, before())
    assert found.grade is Level.ORANGE
    assert found.evidence["times"] == 3


# Cluster --------------------------------------------------------------------------------------------------------------


def ground() -> Ground:
    units = [unit("C", kind="city"), *(unit(f"D{n}", "C", kind="district") for n in range(2))]
    units += [unit(s, f"D{n // 15}", lon=121 + n / 100, lat=29.8) for n, s in enumerate(SCHOOLS)]
    whole = UnitTree(units)
    return Ground(neighbours([u for u in whole if u.kind == "school"]), {u.code: u.path for u in whole})


def clusters(
    hazards: Sequence[Seen], learnt: Rhythm, usual: Usual | None = None, standing: Sequence[Standing] = ()
) -> list[Finding]:
    return cluster.find(hazards, learnt, ground(), usual or Usual(()), standing, NOW)


def food(clue: str = "") -> list[Seen]:
    """Seven hazards at four schools far apart, each told in other words."""
    told = (
        "米饭里有石子",
        "鸡腿发黏还有怪味",
        "孩子吃完肚子疼",
        "汤里捞出钢丝",
        "牛奶鼓包了",
        "菜叶上爬着青虫",
        "面包长毛",
    )
    schools = ("s02", "s09", "s17", "s26", "s02", "s09", "s17")
    return [
        seen(s, "0501", hours=5 + 6 * n, text=f"{clue}{text}")
        for n, (s, text) in enumerate(zip(schools, told, strict=True))
    ]


def earlier() -> Usual:
    texts = [("05", SCHOOLS[n % 30], f"第{n}次说餐盘没洗干净油腻腻") for n in range(200)]
    return Usual([*texts, *(("05", s, "鲜禾配送的菜不新鲜") for s in ("s02", "s09", "s17", "s26"))])


def test_one_supplier_s_food_at_four_schools_is_a_cluster_by_its_name(city: Rhythm) -> None:
    (found,) = clusters(food("鲜禾配送的，"), city, earlier())
    assert set(found.units) == {"s02", "s09", "s17", "s26"}
    assert found.evidence["shared"] == ["鲜禾配送的"]
    assert found.unit == "C"
    assert found.grade is Level.ORANGE
    # On walls and in messages stands the sentence alone.
    assert "鲜禾" not in found.sentence
    assert len(found.hazards) == 7


def test_neighbours_with_too_many_are_a_cluster_without_a_word(city: Rhythm) -> None:
    near = [seen(SCHOOLS[n % 5], "0601", hours=3 + 4 * n, text=f"{n}个不同的说法{n * 7}") for n in range(15)]
    (found,) = clusters(near, city)
    assert set(found.units) == set(SCHOOLS[:5])
    assert found.unit == "D0"
    assert "shared" not in found.evidence


def test_one_school_s_surge_is_no_cluster_and_three_single_hazards_are_none(city: Rhythm) -> None:
    assert clusters([seen("s05", "0601", hours=h, text=None) for h in range(1, 20)], city) == []
    assert clusters([seen(s, "0601", hours=9, text=None) for s in ("s01", "s14", "s28")], city) == []


def test_words_that_everybody_uses_join_nobody(city: Rhythm) -> None:
    usual = Usual([("05", SCHOOLS[n % 30], "餐盘没洗干净") for n in range(100)])
    told = [seen(s, "0501", hours=9, text="餐盘没洗干净") for s in SCHOOLS[::9]]
    assert clusters(told, city, usual) == []


def test_a_cluster_that_goes_on_keeps_its_key(city: Rhythm) -> None:
    (found,) = clusters(
        food("鲜禾配送的，"), city, earlier(), [Standing("cluster:05:first", "05", frozenset({"s02", "s09", "s11"}))]
    )
    assert found.key == "cluster:05:first"
    (other,) = clusters(
        food("鲜禾配送的，"), city, earlier(), [Standing("cluster:06:first", "06", frozenset(found.units))]
    )
    assert other.key.startswith("cluster:05:")


def test_a_lane_s_cluster_names_no_hazard(city: Rhythm) -> None:
    near = [seen(SCHOOLS[n % 5], "0902", hours=3 + 4 * n, text=None, place=None) for n in range(15)]
    (found,) = clusters(near, city)
    assert found.hazards == ()


def test_runs_leave_numbers_out() -> None:
    assert runs("3号楼2层") == frozenset()
    assert runs("鲜禾配送") == {"鲜禾配", "禾配送"}


def test_neighbours_are_nearest_first_and_a_unit_without_a_place_stands_alone() -> None:
    units = [unit("a", lon=121.0, lat=29.0), unit("b", lon=121.2, lat=29.0), unit("c", lon=121.05, lat=29.0), unit("d")]
    assert neighbours(units) == {"a": ("a", "c", "b"), "b": ("b", "c", "a"), "c": ("c", "a", "b"), "d": ("d",)}
    assert neighbours([unit("d")]) == {"d": ("d",)}
    assert lowest(["/C/D/a/", "/C/D/b/"]) == "D"
    assert lowest(["/C/D/a/"]) == "a"


# Pile-up --------------------------------------------------------------------------------------------------------------


def overdue(count: int, level: Level = Level.YELLOW) -> dict[str, Overdue]:
    return {"A": Overdue((level,) * count, tuple(new_id() for _ in range(count)))}


@pytest.mark.parametrize(
    ("count", "usual", "warned"), [(4, 0.0, False), (6, 0.2, True), (9, 8.0, False), (30, 8.0, True)],
    ids=["below the floor", "unusual", "usual for it", "beyond its usual"],
)  # fmt: skip
def test_a_pile_up_is_beyond_the_floor_and_beyond_the_unit_s_own_normal(count: int, usual: float, warned: bool) -> None:
    history = {"A": np.random.default_rng(1).poisson(usual, 52).astype(float), "B": np.zeros(52)}
    found = pileup.find(overdue(count), history, {"A": "school", "B": "college"})
    assert bool(found) is warned


def test_grades_of_a_pile_up_follow_the_gravest() -> None:
    kinds = {"A": "school"}
    assert pileup.find(overdue(8), {}, kinds)[0].grade is Level.YELLOW
    assert pileup.find(overdue(8, Level.ORANGE), {}, kinds)[0].grade is Level.ORANGE
    assert pileup.find(overdue(8, Level.RED), {}, kinds)[0].grade is Level.RED
    assert pileup.find(overdue(8), {}, {}) == []


# Weather --------------------------------------------------------------------------------------------------------------


def notice(**fields: Any) -> Notice:
    given: dict[str, Any] = {
        "id": "w1",
        "event": Event.TYPHOON,
        "severity": Level.YELLOW,
        "areas": (DISTRICT,),
        "onset": NOW + timedelta(hours=6),
        "expires": NOW + timedelta(days=2),
    }
    return Notice(**given | fields)


def test_a_notice_concerns_its_area_downwards_and_names_what_is_not_ready() -> None:
    related = [seen(SCHOOL, "0302"), seen(SCHOOL, "0101"), seen(COLLEGE, "0302")]
    (found,) = weather.find([notice()], related, tree(), NOW)
    assert (found.unit, found.units, found.downward) == (DISTRICT, (DISTRICT,), True)
    assert found.hazards == (related[0].id,)
    assert found.subcategory == "1301"
    assert found.grade is Level.YELLOW
    assert "台风黄色预警，相关隐患尚有 1 件未销号" in found.sentence


def test_urgent_hazards_on_the_ground_raise_it_by_one() -> None:
    related = [seen(SCHOOL, "0302", level=Level.ORANGE) for _ in range(3)]
    assert weather.find([notice()], related, tree(), NOW)[0].grade is Level.ORANGE
    assert weather.find([notice(severity=Level.RED)], related, tree(), NOW)[0].grade is Level.RED


@pytest.mark.parametrize(
    "wrong",
    [{"exercise": True}, {"areas": ("nowhere",)}, {"onset": NOW + timedelta(days=2), "expires": NOW + timedelta(days=3)}, {"onset": NOW - timedelta(days=1), "expires": NOW}],
    ids=["an exercise", "no unit of ours", "too early", "over"],
)  # fmt: skip
def test_nothing_is_warned_of(wrong: dict[str, Any]) -> None:
    assert weather.find([notice(**wrong)], [], tree(), NOW) == []


def test_universities_in_a_district_s_area_are_concerned_and_nested_areas_count_once() -> None:
    units = UnitTree(
        [unit("C"), unit("D", "C", district="D"), unit("s", "D"), unit("U", "C", kind="university", district="D")]
    )
    assert {u.code for u in weather.roots(["D", "s"], units)} == {"D", "U"}
    (found,) = weather.find([notice(areas=("D",))], [], units, NOW)
    assert (found.unit, found.units) == ("D", ("D", "U"))
    assert {u.code for u in weather.roots([CITY, UNIVERSITY], tree())} == {CITY}


def test_every_event_has_subcategories() -> None:
    for event in Event:
        assert event.concerns
        assert event.label


# Forecast -------------------------------------------------------------------------------------------------------------


def test_a_fortnight_with_an_interval_that_widens() -> None:
    raw = np.random.default_rng(6).gamma(20, 0.2, 120)
    points = forecast.ahead(raw, date(2025, 12, 17), k=4.0)
    assert len(points) == 14
    assert points[0].day == date(2025, 12, 18)
    assert all(0 <= p.low <= p.index <= p.high <= 100 for p in points)
    walk = np.abs(np.cumsum(np.random.default_rng(7).normal(0, 0.3, 120)) + 6)
    widths = [p.high - p.low for p in forecast.ahead(walk, date(2025, 12, 17), k=4.0)]
    assert widths[-1] > 2 * widths[0]
    assert forecast.ahead(walk, date(2025, 12, 17), 4.0) == forecast.ahead(walk, date(2025, 12, 17), 4.0)


def test_too_short_a_past_foretells_nothing() -> None:
    assert forecast.ahead(np.ones(forecast.LEAST_DAYS - 1), date(2025, 12, 17), 1.0) == ()


def foretold(low: float, usual: float) -> list[Finding]:
    points = [Point(date(2025, 12, 18) + timedelta(days=n), 95.0, low, 99.0) for n in range(14)]
    return forecast.find({"A": points, "B": ()}, {"A": usual})


def test_a_warning_where_the_lower_end_crosses_what_was_not_usual() -> None:
    (found,) = foretold(low=85.0, usual=60.0)
    assert (found.kind, found.grade) == (Kind.FORECAST, Level.YELLOW)
    assert foretold(low=92.0, usual=60.0)[0].grade is Level.ORANGE
    assert foretold(low=79.0, usual=60.0) == []
    assert foretold(low=85.0, usual=83.0) == []
