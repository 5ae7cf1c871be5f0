"""Makes ``ningbo/units.csv`` and ``ningbo/districts.geojson`` again: ``python -m deploy.cities.make_ningbo SOURCE``.

SOURCE is a GeoJSON of the city's districts (MIT, see LICENSE-geojson.txt). Every unit below the districts is invented:
names are put together from rare plants and words for waterside ground, so that none is a real school's.
The same source gives the same bytes.
"""

import csv
import json
import math
import random
import sys
from pathlib import Path
from typing import Any

from deploy.cities.outline import Point, Ring, inside, rings, simplified

HERE = Path(__file__).parent / "ningbo"
SEED = 330200
# code: (name, schools, standard deviation of the town around its centre in degrees)
DISTRICTS = {
    "330203": ("海曙区", 36, 0.03),
    "330205": ("江北区", 20, 0.02),
    "330206": ("北仑区", 30, 0.04),
    "330211": ("镇海区", 22, 0.03),
    "330212": ("鄞州区", 56, 0.04),
    "330213": ("奉化区", 22, 0.04),
    "330225": ("象山县", 20, 0.05),
    "330226": ("宁海县", 24, 0.04),
    "330281": ("余姚市", 34, 0.05),
    "330282": ("慈溪市", 42, 0.05),
}
PLANTS = "荻槿栀蓼葭芷蘅荇菱萱茜芸蒲楝榉椿楸梓桤棠榛檀枳柽"
GROUNDS = "汀渚畈坞岚澜埭栅陌畦浔漪隅墅"
# suffix, share of a district's schools, members from and to
SCHOOLS = (
    ("幼儿园", 0.36, 120, 420),
    ("小学", 0.30, 480, 2200),
    ("初级中学", 0.16, 600, 2000),
    ("九年一贯制学校", 0.04, 900, 2800),
    ("高级中学", 0.07, 900, 2600),
    ("职业高级中学", 0.05, 1000, 3200),
    ("特殊教育学校", 0.02, 80, 260),
)
UNIVERSITIES = (
    ("330205", "槿澜大学", 24600), ("330212", "荻浔大学", 21800), ("330212", "榉岚工程学院", 15200),
    ("330211", "椿汀理工学院", 13900), ("330205", "蘅芷师范学院", 9800), ("330203", "萱禾医药学院", 8600),
    ("330206", "葭浦海事学院", 9100), ("330212", "楸陌财经学院", 11200), ("330281", "桤畦农林学院", 7600),
    ("330211", "棠漪艺术学院", 4800), ("330203", "茜渚轻纺职业学院", 10400), ("330212", "檀隅职业技术学院", 12300),
    ("330206", "栀屿航运职业学院", 8900), ("330213", "枳岚护理职业学院", 6700), ("330282", "菱浔工商学院", 9900),
    ("330212", "荇埭学前教育专科学校", 5200),
)  # fmt: skip
COLLEGES = (
    "化学与材料学院", "机械与能源学院", "计算机与人工智能学院", "土木与建筑学院", "生命与食品学院", "电子与信息学院",
    "经济与管理学院", "外国语学院", "艺术与设计学院", "海洋与水产学院", "物流与交通学院", "教育与体育学院",
    "护理与健康学院", "国际教育学院", "继续教育学院", "基础教学部",
)  # fmt: skip


def main(source: Path) -> None:
    """Writes both files beside the city's ``city.toml``."""
    features = json.loads(source.read_text("utf-8"))["features"]
    found = {one["properties"]["name"]: one for one in features}
    shapes = {code: rings(found[name]["geometry"]) for code, (name, _, _) in DISTRICTS.items()}
    centres = {code: tuple(found[name]["properties"]["cp"]) for code, (name, _, _) in DISTRICTS.items()}
    simple = simplified(shapes)
    _write_outline(simple, centres)
    with (HERE / "units.csv").open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(("code", "name", "kind", "tier", "parent", "district", "lon", "lat", "members", "obliged"))
        out.writerows(_units(simple, centres, random.Random(SEED)))  # noqa: S311 - places of invented schools


def _units(shapes: dict[str, list[Ring]], centres: dict[str, Any], rng: random.Random) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = [("330200", "宁波市", "city", "city", "", "", 121.5503, 29.8746, 0, "false")]
    for code, (name, _, _) in DISTRICTS.items():
        label = f"{name}教育局"
        rows.append((code, label, "district", "district", "330200", code, *map(_round, centres[code]), 0, "false"))
    for number, (district, name, members) in enumerate(UNIVERSITIES, 1):
        code = f"U{number:02d}"
        at = _near(centres[district], DISTRICTS[district][2], shapes[district], rng)
        rows.append((code, name, "university", "university", "330200", district, *at, members, "true"))
        chosen = rng.sample(COLLEGES, rng.randint(6, 12))
        weights = [rng.uniform(0.5, 1.6) for _ in chosen]
        for place, (college, weight) in enumerate(zip(chosen, weights, strict=True), 1):
            share = int(members * 0.92 * weight / sum(weights))  # the rest works in the university's own offices
            here = _near(at, 0.002, shapes[district], rng)
            own = f"{code}-{place:02d}"
            rows.append((own, name + college, "college", "school", code, district, *here, share, "true"))
    stems = [plant + ground for plant in PLANTS for ground in GROUNDS]
    rng.shuffle(stems)
    for district, (_, schools, spread) in DISTRICTS.items():
        towns = [stems.pop() for _ in range(math.ceil(schools * 0.4))]
        around = {town: _near(centres[district], spread, shapes[district], rng) for town in towns}
        names = [(town, kind) for kind in SCHOOLS for town in _some(towns, kind[1] * schools, rng)][:schools]
        for place, (town, (suffix, _, least, most)) in enumerate(names, 1):
            here = _near(around[town], 0.004, shapes[district], rng)
            code, members = f"{district}-{place:03d}", rng.randint(least, most)
            rows.append((code, town + suffix, "school", "school", district, district, *here, members, "true"))
    return rows


def _some(towns: list[str], share: float, rng: random.Random) -> list[str]:
    return rng.sample(towns, min(len(towns), max(1, round(share))))


def _near(centre: Any, spread: float, shape: list[Ring], rng: random.Random) -> Point:
    while True:
        point = (_round(rng.gauss(centre[0], spread)), _round(rng.gauss(centre[1], spread * 0.87)))
        if any(inside(point, ring) for ring in shape):
            return point


def _round(value: float) -> float:
    return round(value, 5)


def _write_outline(shapes: dict[str, list[Ring]], centres: dict[str, Any]) -> None:
    features = [
        {
            "type": "Feature",
            "properties": {"code": code, "name": DISTRICTS[code][0], "cp": centres[code]},
            "geometry": {
                "type": "MultiPolygon",
                "coordinates": [[[[round(x, 4), round(y, 4)] for x, y in [*ring, ring[0]]]] for ring in shape],
            },
        }
        for code, shape in shapes.items()
    ]
    whole = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False, separators=(",", ":"))
    (HERE / "districts.geojson").write_text(whole + "\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
