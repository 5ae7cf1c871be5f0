"""Where a report speaks of: buildings, floors, rooms, numbered things, classes and sides, out of a place or a sentence.

Two places are compared key by key: 302 lies on the third floor, 三教 is teaching building 3, 3F is 三楼. What only one of them
names says nothing; what both name agrees, or contradicts. Chinese numerals become digits where something countable follows.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
# A numeral counts only before what is numbered: 三楼 is a floor, 三个人 is not.
_NUMERAL = re.compile(
    r"[零〇一二两三四五六七八九十]+(?=号|栋|幢|教(?!师|室|工|职|育|练)|层|楼|舍|宿|班|年级|食堂|单元|公寓|期|区(?!别)|#|车间|操场|考场|弯|[（(]\d)"
)
# 三2班 is said as 三(2)班.
_SHORT_CLASS = re.compile(r"([一二三四五六七八九])(\d{1,2})班")
# Days, quantities and durations are no places, whatever number they have.
_NO_PLACE = re.compile(
    r"\d+月\d+[号日]?|\d+[日天年](?!级)|\d+[:：]\d+|\d+(?:\.\d+)?(?:℃|度|%|％|人|个|名|元|块|米|公里|斤|公斤|克|升|桶|分钟|小时|点|寸|厘米|毫米|kg|cm|mm|mg|ml|kw|km|w\b|v\b)"
)
_TEACHING, _DORM = "教学|教", "宿舍|公寓|舍|宿|寝"
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("building", re.compile(rf"(?<![\d.])(\d{{1,2}})(?:号|#)?(?:{_DORM})(?!管|友)")),
    ("building", re.compile(rf"(?:{_DORM})楼?(\d{{1,2}})(?:号楼|栋|幢|#)")),
    ("building", re.compile(r"(?<![\d.])(\d{1,2})(?:号|#)?教(?:学楼|楼)?(?![师室工职育练材官])")),
    ("building", re.compile(r"教学楼?(\d{1,2})(?:号楼|栋|幢|#)")),
    ("building", re.compile(r"(?<![\d.])(\d{1,2})(?:号楼|栋|幢|#楼|号院|号馆|号实验楼|号食堂|食堂)")),
    ("building", re.compile(r"(?<![a-z\d])([a-h])(?:座|栋|楼|幢)")),
)
_FLOOR = (
    re.compile(r"(?<![\d.负])(?<!地下)(\d{1,2})(?:层|f(?![a-z\d])|楼(?![栋号]))"),
    re.compile(r"(?<![a-z\d])f(\d{1,2})(?![a-z\d])"),
)
_BASEMENT = re.compile(r"(?:(?<![a-z\d])b|负|地下)(\d)(?:层|楼|f|(?![a-z\d]))")
_ROOM = re.compile(r"(?<![\da-z.:-])([a-h]?)-?(\d{3,4})(?![\da-z.:]|班|年)")
_THING = re.compile(
    r"(?<![\d.月])(\d{1,3})(?:号|#)(?!楼|宿|公寓|教|院|馆|栋|舍|食堂|实验|线|前|\d)|(?<![\d.])(\d{1,2})(?:考场|弯|单元)"
)
_CLASS = (
    re.compile(r"([大中小托])(\d{1,2})班?(?=班|的|有|\W|$)"),
    re.compile(r"(?<!\d)(\d{1,2}|[高初][123])(?:年级|[（(.])\(?(\d{1,2})[)）]?班?"),
    re.compile(r"(?<![\d)）级大中小托])()(\d{1,3})班(?!车)"),
)
_AROUND = r"(?=侧|头|边|端|门|面|出口|楼梯|区|梯|座|角|楼|操|校|看台|入口|广场|食堂)"
# Left of somebody can be east: these two never contradict each other.
_SIDE, _HAND = re.compile("([东西南北])" + _AROUND), re.compile("([左右])" + _AROUND)
# Numbers of devices and rooms in somebody's own system; long enough to be no quantity.
_CODE = re.compile(r"(?=[a-z-]*\d)[a-z\d][a-z\d-]{4,}")
_SEX = re.compile(r"([男女])(?=厕|卫|生间|寝|宿|澡|浴|更衣|生宿)")
_WHICH = re.compile(r"(教工|教师|学生|主|新|老|旧|大|小|中)(?=食堂|餐厅|实验楼|图书馆|教学楼|校区|操场|宿舍)")


@dataclass(frozen=True, slots=True)
class Place:
    """What is named, by key: ``building``, ``floor``, ``room``, ``thing``, ``class``, ``side``, ``hand``,
    ``sex``, ``which``, ``code``."""

    named: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def __or__(self, other: "Place") -> "Place":
        """What either names."""
        keys = self.named.keys() | other.named.keys()
        none: frozenset[str] = frozenset()
        return Place({key: self.named.get(key, none) | other.named.get(key, none) for key in keys})


@dataclass(frozen=True, slots=True)
class Relation:
    """Keys in which two places agree, and in which they contradict each other."""

    agreed: frozenset[str]
    against: frozenset[str]


KEYS = ("building", "floor", "room", "thing", "class", "side", "hand", "sex", "which", "code")


def digits(text: str) -> str:
    """One spelling: NFKC, lower case, Chinese numerals before something countable as digits."""
    flat = unicodedata.normalize("NFKC", text).lower()
    return _NUMERAL.sub(lambda found: _number(found[0]), _SHORT_CLASS.sub(r"\1(\2)班", flat))


def _number(numeral: str) -> str:
    if "十" in numeral:
        tens, _, ones = numeral.partition("十")
        return str((_DIGITS.get(tens[-1:], 1)) * 10 + _DIGITS.get(ones[:1], 0))
    return "".join(str(_DIGITS[char]) for char in numeral)


def parse(text: str | None) -> Place:
    """The places named in a place or a sentence."""
    if not text:
        return Place()
    flat = _NO_PLACE.sub(" ", digits(text))
    named: dict[str, set[str]] = {}

    def put(key: str, values: Iterable[str]) -> None:
        named.setdefault(key, set()).update(values)

    for key, pattern in _PATTERNS:
        put(key, (found[1] for found in pattern.finditer(flat)))
    for pattern in _FLOOR:
        put("floor", (found[1] for found in pattern.finditer(flat)))
    put("floor", (f"-{found[1]}" for found in _BASEMENT.finditer(flat)))
    for found in _ROOM.finditer(flat):
        put("room", [found[2]])
        put("floor", [found[2][:-2]])
        put("building", [found[1]] if found[1] else [])
    put("thing", (found[1] or found[2] for found in _THING.finditer(flat)))
    for pattern in _CLASS:
        put("class", (f"{found[1]}-{found[2]}" for found in pattern.finditer(flat)))
    put("side", (found[1] for found in _SIDE.finditer(flat)))
    put("code", _CODE.findall(flat))
    put("hand", (found[1] for found in _HAND.finditer(flat)))
    put("sex", (found[1] for found in _SEX.finditer(flat)))
    put("which", (found[1].replace("教师", "教工").replace("旧", "老") for found in _WHICH.finditer(flat)))
    return Place({key: frozenset(values) for key, values in named.items() if values})


def relation(one: Place, other: Place) -> Relation:
    """In which keys both speak of the same, and in which of different ones. Symmetric."""
    both = [key for key in KEYS if key in one.named and key in other.named]
    agreed = frozenset(key for key in both if one.named[key] & other.named[key])
    return Relation(agreed, frozenset(both) - agreed)
