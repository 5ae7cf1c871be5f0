"""One cell to one value. Each function raises ``Unfit`` with what is wrong and the cure, in Chinese."""

import math
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from deploy.readers.cells import Unfit, text
from deploy.readers.times import instant
from models.place import Crs
from models.taxonomy import categories, subcategories

_LEVELS = {
    "red": "red 红 红色 重大 重大隐患 重大风险 特别重大 一级 i ⅰ 1 1级 i级",
    "orange": "orange 橙 橙色 较大 较大隐患 较大风险 二级 ii ⅱ 2 2级 ii级",
    "yellow": "yellow 黄 黄色 一般 一般隐患 一般风险 三级 iii ⅲ 3 3级 iii级",
    "blue": "blue 蓝 蓝色 低 较小 轻微 低风险 四级 iv ⅳ 4 4级 iv级",
}
_YES = frozenset(("是", "有", "true", "yes", "y", "1", "√", "✓", "对"))
_NO = frozenset(("否", "无", "false", "no", "n", "0", "×", "✗", "不是"))
_SYSTEMS = {"wgs84": Crs.WGS84, "cgcs2000": Crs.CGCS2000, "gcj02": Crs.GCJ02, "火星坐标": Crs.GCJ02, "高德": Crs.GCJ02}


def category(cell: object) -> str:
    """A subcategory's code, from its code or name; empty for a whole category, whose subcategory is left to judging."""
    given = text(cell)
    code = re.match(r"\d{1,4}(?!\d)", given)
    if code and len(code[0]) > 2:
        digits = code[0].zfill(4)  # Excel drops the leading zero of 0101
        if digits in subcategories():
            return digits
    if given in _names():
        return _names()[given]
    if given in categories().values() or (code and code[0].zfill(2) in categories()):
        return ""
    raise Unfit(f"“{given}”不在隐患类别中；填四位类别代码（如 0101）或类别名称，不清楚就留空")


@cache
def _names() -> dict[str, str]:
    return {one.name: one.code for one in subcategories().values()}


def level(cell: object) -> str:
    """A level's key from its colour, number or name."""
    given = text(cell).lower()
    for key, words in _LEVELS.items():
        if given in words.split():
            return key
    raise Unfit(f"“{text(cell)}”不是等级；填 红、橙、黄、蓝 或 一级 至 四级，不清楚就留空")


def count(cell: object) -> int:
    """A number of people; 3人 is 3."""
    number = re.fullmatch(r"(\d{1,6})\s*[人名个位]?", text(cell))
    if number is None:
        raise Unfit(f"“{text(cell)}”不是人数；填整数，如 3")
    return int(number[1])


def truth(cell: object) -> bool:
    """Yes or no."""
    given = text(cell).lower()
    if given in _YES | _NO:
        return given in _YES
    raise Unfit(f"“{text(cell)}”无法识别；填 是 或 否")


def degrees(limit: int) -> Callable[[object], float]:
    """A reader of degrees between ``-limit`` and ``limit``."""

    def read(cell: object) -> float:
        try:
            value = float(text(cell))
        except ValueError:
            value = math.nan
        if not -limit <= value <= limit:
            raise Unfit(f"“{text(cell)}”不是坐标；填十进制度数，如 {'121.5503' if limit > 90 else '29.8746'}")
        return value

    return read


def system(cell: object) -> str:
    """A coordinate system's name as the record spells it."""
    found = _SYSTEMS.get(re.sub(r"[-_\s]", "", text(cell)).lower())
    if found is None:
        raise Unfit(f"“{text(cell)}”不是支持的坐标系；填 {'、'.join(Crs)}")
    return found.value


def source(cell: object) -> str:
    """A source's key."""
    given = text(cell)
    if not re.fullmatch(r"[A-Za-z0-9_.:-]{1,64}", given):
        raise Unfit(f"“{given}”不能作来源；用字母和数字，如 file，或留空")
    return given


def attachments(cell: object) -> list[Any]:
    """Links, separated by spaces, commas or semicolons; a list from JSON as it is."""
    if isinstance(cell, list):
        return cell
    links = [link for link in re.split(r"[\s;,；，、]+", text(cell)) if link]
    return [{"name": link.rstrip("/").rsplit("/", 1)[-1][:200] or link[:200], "url": link} for link in links]


READERS: dict[str, Callable[[object], Any]] = {
    "occurred_at": instant,
    "reported_at": instant,
    "category": category,
    "level": level,
    "people_affected": count,
    "minors_involved": truth,
    "drill": truth,
    "lon": degrees(180),
    "lat": degrees(90),
    "crs": system,
    "source": source,
    "attachments": attachments,
}
