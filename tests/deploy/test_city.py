"""A city's folder: the demo city holds together, and a folder that does not says where and what to do."""

import json
import shutil
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest

import deploy.cities
from deploy.cities import City, CityError, load_city
from deploy.cities.outline import inside
from models.deadlines import Clock, Kind
from models.levels import Level
from models.policy import Policy, breaches

NINGBO = Path(deploy.cities.__file__).parent / "ningbo"


@pytest.fixture(scope="module")
def ningbo() -> City:
    return load_city(NINGBO)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    copy = tmp_path / "city"
    shutil.copytree(NINGBO, copy)
    return copy


def replaced(folder: Path, file: str, old: str, new: str) -> Path:
    path = folder / file
    content = path.read_text("utf-8")
    assert old in content
    path.write_text(content.replace(old, new, 1), "utf-8")
    return folder


def line_of(folder: Path, start: str) -> int:
    lines = (folder / "units.csv").read_text("utf-8").splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith(start))


def test_the_demo_city_has_its_units(ningbo: City) -> None:
    kinds = Counter(unit.kind for unit in ningbo.units)
    assert (ningbo.code, ningbo.name, ningbo.tz.key) == ("330200", "宁波市", "Asia/Shanghai")
    assert kinds["city"] == 1
    assert kinds["district"] == 10
    assert kinds["university"] == 16
    assert 290 <= kinds["school"] <= 320
    colleges = Counter(unit.parent for unit in ningbo.units if unit.kind == "college")
    assert len(colleges) == 16
    assert all(6 <= count <= 12 for count in colleges.values())
    assert len({unit.name for unit in ningbo.units}) == len(ningbo.units)


def test_paths_run_from_the_city_down(ningbo: City) -> None:
    assert ningbo.units["330203-001"].path == "/330200/330203/330203-001/"
    assert ningbo.units["U01-01"].path == "/330200/U01/U01-01/"


def test_all_with_school_duties_are_obliged_and_offices_are_not(ningbo: City) -> None:
    assert {unit.kind for unit in ningbo.units if unit.obliged} == {"school", "university", "college"}
    assert {unit.kind for unit in ningbo.units if not unit.obliged} == {"city", "district"}


def test_university_and_district_share_a_rank(ningbo: City) -> None:
    ranks = {tier.key: tier.rank for tier in ningbo.tiers}
    assert [tier.key for tier in ningbo.tiers] == ["school", "university", "district", "city"]
    assert ranks["school"] < ranks["university"] == ranks["district"] < ranks["city"]


def test_every_school_lies_inside_its_district(ningbo: City) -> None:
    assert ningbo.districts is not None
    features = json.loads(ningbo.districts.read_text("utf-8"))["features"]
    rings = {
        feature["properties"]["code"]: [
            [tuple(point) for point in shape[0]] for shape in feature["geometry"]["coordinates"]
        ]
        for feature in features
    }
    assert len(rings) == 10
    for unit in ningbo.units:
        if unit.district and unit.lon is not None and unit.lat is not None:
            point = (unit.lon, unit.lat)
            assert any(inside(point, ring) for ring in rings[unit.district]), unit


def test_the_outline_is_small_and_its_licence_lies_beside_it(ningbo: City) -> None:
    assert ningbo.districts is not None
    assert ningbo.districts.stat().st_size < 150_000
    assert "MIT License" in (NINGBO / "LICENSE-geojson.txt").read_text("utf-8")


def test_the_profile_is_json_with_the_bounds(ningbo: City) -> None:
    profile = json.loads(json.dumps(ningbo.profile()))
    assert profile["bounds"] == {"west": 120.83, "south": 28.8, "east": 122.33, "north": 30.56}
    assert profile["roles"]["informant"] == "信息员"


SCHOOL = "330203-001,"


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        (4, "330299", "上级 330299 不存在"),
        (4, "", "没有上级"),
        (4, "330203-001", "绕成了一圈"),
        (3, "city", "高于上级"),
        (3, "village", "不在 city.toml 的层级中"),
        (2, "shop", "kind “shop” 无法识别"),
        (5, "330299", "区县 330299 不存在"),
        (6, "29.86", "不在本市范围内"),
        (6, "", "不在本市范围内"),
        (8, "many", "不是人数"),
        (9, "maybe", "填 true 或 false"),
        (1, "", "name 为空"),
    ],
)
def test_a_wrong_unit_names_file_line_and_cure(folder: Path, column: int, value: str, said: str) -> None:
    number = line_of(folder, SCHOOL)
    lines = (folder / "units.csv").read_text("utf-8").splitlines()
    cells = lines[number - 1].split(",")
    cells[column] = value
    lines[number - 1] = ",".join(cells)
    (folder / "units.csv").write_text("\n".join(lines) + "\n", "utf-8")
    with pytest.raises(CityError) as caught:
        load_city(folder)
    assert f"units.csv 第 {number} 行" in str(caught.value)
    assert said in str(caught.value)
    assert str(caught.value).endswith("。")


def test_a_code_that_is_there_twice(folder: Path) -> None:
    first, second = line_of(folder, "330203-001,"), line_of(folder, "330203-002,")
    replaced(folder, "units.csv", "330203-002,", "330203-001,")
    with pytest.raises(CityError, match=f"第 {second} 行：编码 330203-001 与第 {first} 行重复"):
        load_city(folder)


def test_all_problems_are_said_at_once(folder: Path) -> None:
    replaced(folder, "units.csv", "330203-001,", "330203-002,")
    replaced(folder, "units.csv", ",true", ",perhaps")
    with pytest.raises(CityError) as caught:
        load_city(folder)
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('time_zone = "Asia/Shanghai"', 'time_zone = "Asia/Nowhere"', r"city\.toml 第 5 行：时区 Asia/Nowhere 不存在"),
        ("rank = 3", 'rank = "3"', "rank 的值 '3' 类型不对"),
        ("first = 2026-09-01", "first = 2027-09-01", "结束早于开始"),
        ('["08:00", "11:30"]', '["8", "x"]', "值班时段"),
        ("west = 120.83", "west = 123.0", "坐标范围是空的"),
        ("[bounds]", "[limits]", r"缺少 \[bounds\]"),
        ('code = "330200"', "code = ", "TOML 格式有误"),
        ('districts = "districts.geojson"', 'districts = "map.geojson"', "找不到区县边界 map.geojson"),
    ],
)
def test_a_wrong_profile_names_line_and_cure(folder: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(CityError, match=said):
        load_city(replaced(folder, "city.toml", old, new))


def added(folder: Path, more: str) -> int:
    """Add to city.toml; the number of the line where it begins."""
    path = folder / "city.toml"
    content = path.read_text("utf-8")
    path.write_text(content + more, "utf-8")
    return content.count("\n") + 1


def test_the_profile_makes_a_clock_with_a_universitys_own_deadlines(ningbo: City) -> None:
    profile = json.loads(json.dumps(ningbo.profile()))
    clock = Clock.of(profile)
    assert breaches(clock.policy) == []
    own = clock.at(ningbo.units["U01-01"].path)
    assert own.policy.spans[Level.YELLOW][Kind.ASSESS] == timedelta(hours=1)
    assert clock.at(ningbo.units["330203-001"].path).policy == Policy()
    assert not own.calendar.is_duty_day(date(2026, 11, 5))
    assert clock.calendar.is_duty_day(date(2026, 11, 5))


def test_a_city_that_says_nothing_of_deadlines_has_the_defaults(folder: Path) -> None:
    path = folder / "city.toml"
    content = path.read_text("utf-8")
    path.write_text(content[: content.index("# Deadlines, by level")], "utf-8")
    assert Clock.of(load_city(folder).profile()) == Clock.of(
        {"duty": {"hours": [["08:00", "11:30"], ["13:00", "17:00"]]}}
    )


@pytest.mark.parametrize(
    ("entry", "line", "said"),
    [
        ('level = "orange"\nreport = "2h"', 2, "《生产安全事故报告和调查处理条例》第九条"),
        ('unit = "U02"\nlevel = "red"\nreport = "90m"', 3, "单位 U02 的红级“上报市级”不得宽于 1 小时"),
        ('unit = "U02"\nlevel = "red"\nrectify = "31d"', 3, "《安全生产法》第四十一条"),
        ('level = "yellow"\nreport = "25h"', 2, "《宁波市学校安全条例》第三十六条"),
        ('level = "orange"\nassess = "10m"', 2, "红级“研判”慢于橙级"),
        ('unit = "U01"\nlevel = "blue"\nassess = "50m"', 3, "黄级“研判”慢于蓝级"),
        ('level = "yellow"\ncontrol = "none"', 2, "不能不设"),
        ('level = "yellow"\nassess = "0m"', 2, "须大于零"),
        ('level = "yellow"\nassess = "-2h"', 2, "须大于零"),
        ('level = "yellow"\nassess = "soon"', 2, "无法识别"),
        ('level = "yellow"\nasess = "2h"', 2, "asess 无法识别"),
        ('assess = "2h"', 0, "等级 None 无法识别"),
        ('level = "green"', 1, "等级 'green' 无法识别"),
        ('level = "blue"\nremind = [0.9, 0.5]', 2, "提醒点"),
        ('unit = "U99"\nlevel = "blue"', 1, "单位 'U99' 不存在"),
        ('unit = 7\nlevel = "blue"', 1, "单位 7 不存在"),
        ('level = "red"\nassess = "10m"', 1, "与第 1 个重复"),
    ],
)
def test_a_wrong_deadline_names_line_article_and_cure(folder: Path, entry: str, line: int, said: str) -> None:
    number = added(folder, f"\n[[deadlines]]\n{entry}\n") + 1 + line
    with pytest.raises(CityError) as caught:
        load_city(folder)
    assert f"city.toml 第 {number} 行" in str(caught.value)
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ('unit = "U99"\nfirst = 2026-11-05', "单位 U99 不存在"),
        ('unit = "U02"\nfirst = 2026-11-05\nlast = 2026-11-04', "结束早于开始"),
        ('unit = "U02"\nfirst = 2026-11-05\nlast = 2036-11-04', "超过一年"),
        ('unit = "U02"\nfirst = "soon"', "类型不对"),
        ("first = 2026-11-05", "缺少 unit"),
        (
            'unit = "U02"\nfirst = 2026-11-05\nlast = 2027-11-01\n[[closed]]\nunit = "U02"\n'
            "first = 2027-11-02\nlast = 2028-03-01",
            "没有一个值班日",
        ),
    ],
)
def test_a_wrong_closed_day_names_line_and_cure(folder: Path, entry: str, said: str) -> None:
    added(folder, f"\n[[closed]]\n{entry}\n")
    with pytest.raises(CityError, match=r"city\.toml") as caught:
        load_city(folder)
    assert said in str(caught.value)


def test_one_closed_day_needs_no_last(folder: Path) -> None:
    added(folder, '\n[[closed]]\nunit = "330203-001"\nfirst = 2026-11-10\n')
    closed = load_city(folder).profile()["closed"]
    assert closed[-1] == {"unit": "330203-001", "first": "2026-11-10", "last": "2026-11-10"}


def test_vacations_are_duty_or_closed(folder: Path) -> None:
    replaced(folder, "city.toml", 'vacation = "duty"', 'vacation = "closed"')
    clock = Clock.of(load_city(folder).profile())
    assert not clock.calendar.is_duty_day(date(2027, 2, 3))
    replaced(folder, "city.toml", 'vacation = "closed"', 'vacation = "beach"')
    with pytest.raises(CityError, match="假期 'beach' 无法识别"):
        load_city(folder)


def test_missing_files_and_columns(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(CityError, match=r"找不到 city\.toml"):
        load_city(tmp_path)
    replaced(folder, "units.csv", ",members,", ",people,")
    with pytest.raises(CityError, match=r"units\.csv 第 1 行：表头缺少列 members"):
        load_city(folder)
    (folder / "units.csv").write_bytes("code,名称\n".encode("gb18030"))
    with pytest.raises(CityError, match="CSV UTF-8"):
        load_city(folder)


def test_a_byte_order_mark_from_excel_does_not_matter(folder: Path) -> None:
    path = folder / "units.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert len(load_city(folder).units) == len(load_city(NINGBO).units)


def test_the_days_of_the_week_reach_the_clock(folder: Path) -> None:
    replaced(folder, "city.toml", "weekdays = [1, 2, 3, 4, 5]", "weekdays = [1, 2, 3, 4, 5, 6]")
    clock = Clock.of(load_city(folder).profile())
    assert clock.calendar.is_duty_day(date(2026, 5, 16)), "a Saturday"
    assert not clock.calendar.is_duty_day(date(2026, 5, 17)), "a Sunday"
    assert not Clock.of(load_city(NINGBO).profile()).calendar.is_duty_day(date(2026, 5, 16))


def test_a_vacation_that_leaves_no_day_of_the_week_is_refused(folder: Path) -> None:
    """Sundays alone on duty, and the year between two terms closed: no deadline could fall due."""
    replaced(folder, "city.toml", "weekdays = [1, 2, 3, 4, 5]", "weekdays = [7]")
    assert load_city(folder).duty.weekdays == (7,)
    replaced(folder, "city.toml", 'vacation = "duty"', 'vacation = "closed"')
    replaced(folder, "city.toml", "first = 2027-02-22", "first = 2028-03-01")
    replaced(folder, "city.toml", "last = 2027-06-30", "last = 2028-06-30")
    with pytest.raises(CityError, match="一年多没有一个值班日"):
        load_city(folder)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('access_log = "12 months"', None),
        ('access_log = "6 months"', None),
        ('access_log = "5 months"', r"查看日志的保存期限不得短于 6 个月，依据：《网络安全法》第二十一条"),
        ('reports = "2 years"', r"无需处置的上报的保存期限不得短于 3 年"),
        ('access_log = "long"', r"保存期限 'long' 无法识别"),
        ("opinions = 3", r"opinions 无法识别"),
    ],
)
def test_a_city_keeps_longer_and_never_shorter(folder: Path, line: str, said: str | None) -> None:
    replaced(folder, "city.toml", 'access_log = "12 months"', line)
    number = (folder / "city.toml").read_text("utf-8").splitlines().index(line) + 1
    if said is None:
        assert load_city(folder).profile()["retention"]["access_log"] == line.split('"')[1]
        return
    with pytest.raises(CityError, match=rf"city\.toml 第 {number} 行：\[retention\] {said}"):
        load_city(folder)


def test_retention_that_is_no_section_is_refused(folder: Path) -> None:
    path = folder / "city.toml"
    text = path.read_text("utf-8").replace("[retention]\nhazards", "[kept]\nhazards")
    path.write_text('retention = "3 years"\n' + text, "utf-8")
    with pytest.raises(CityError, match="retention 须是一节"):
        load_city(folder)
