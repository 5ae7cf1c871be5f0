"""A city's TOML: values of the kind they should have, and the line to look at where they have not."""

import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from deploy.cities.problems import Problems


def read_toml(path: Path, problems: Problems) -> tuple[str, dict[str, Any]]:
    """The text of a TOML file and what it holds; an unreadable one is noted and comes back empty."""
    try:
        text = path.read_text("utf-8-sig")
        return text, tomllib.loads(text)
    except FileNotFoundError:
        cure = "照 docs/another-city.md 写一份，或检查城市目录是否写对"
        problems.add(0, f"在 {path.parent} 里找不到 {path.name}", cure)
    except UnicodeDecodeError:
        problems.add(0, "不是 UTF-8 编码", "用 UTF-8 保存")
    except tomllib.TOMLDecodeError as error:
        problems.add(0, f"TOML 格式有误（{error}）", "检查该处的引号、等号和方括号")
    return "", {}


@dataclass(frozen=True, slots=True)
class Section:
    """One table of the TOML with what is needed to say where it is wrong."""

    name: str
    raw: dict[str, Any]
    source: str
    problems: Problems

    def line(self, sought: str) -> int:
        """The first line that begins with or holds ``sought``; 0 where none does."""
        lines = self.source.splitlines()
        starts = (number for number, line in enumerate(lines, 1) if line.lstrip().startswith(sought))
        return next(starts, next((number for number, line in enumerate(lines, 1) if sought in line), 0))

    def text(self, key: str) -> str:
        """A string that is not empty."""
        return str(self._get(key, str, ""))

    def whole(self, key: str) -> int:
        """A whole number."""
        return int(self._get(key, int, 0))

    def number(self, key: str) -> float:
        """A number."""
        return float(self._get(key, (int, float), 0.0))

    def day(self, key: str) -> date:
        """A date without a time."""
        value = self._get(key, date, date.min)
        return value.date() if isinstance(value, datetime) else date.fromisoformat(str(value))

    def zone(self, key: str) -> ZoneInfo:
        """A time zone by its IANA name."""
        name = self.text(key)
        try:
            return ZoneInfo(name or "Asia/Shanghai")
        except (ZoneInfoNotFoundError, ValueError):
            self.problems.add(self.line(key), f"时区 {name} 不存在", '写成 "Asia/Shanghai" 这样的名称')
            return ZoneInfo("UTC")

    def section(self, key: str, keys: str) -> "Section":
        """The table ``key``; ``keys`` is what it has to hold, for the cure."""
        value = self.raw.get(key)
        if not isinstance(value, dict):
            self.problems.add(self.line(f"[{key}]"), f"缺少 [{key}]", f"加上这一节，写明 {keys}")
            self.problems.stop()
        return Section(f"[{key}] ", value or {}, self.source, self.problems)

    def sections(self, key: str, keys: str) -> "list[Section]":
        """The tables ``[[key]]``, at least one."""
        value = self.raw.get(key)
        if not isinstance(value, list) or not value or not all(isinstance(one, dict) for one in value):
            self.problems.add(self.line(f"[[{key}]]"), f"缺少 [[{key}]]", f"至少写一节，写明 {keys}")
            self.problems.stop()
        return [
            Section(f"第 {n} 个 [[{key}]] ", one, self.source, self.problems) for n, one in enumerate(value or (), 1)
        ]

    def _get(self, key: str, kind: type | tuple[type, ...], instead: object) -> Any:
        value = self.raw.get(key)
        if value is None or value == "":
            self.problems.add(0, f"{self.name}缺少 {key}", f"写上 {key} = …")
            return instead
        if not isinstance(value, kind) or isinstance(value, bool):
            self.problems.add(
                self.line(key), f"{self.name}{key} 的值 {value!r} 类型不对", f"参照随附城市的 city.toml 里的 {key}"
            )
            return instead
        return value
